"""Cage transactions as numbers, before they are dressed with names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lakehouse.contracts.floor.cage import PAYMENT_METHODS, TRANSACTION_TYPES
from lakehouse.simulate.kernel.counter import I64, U64

TYPE = {name: index for index, name in enumerate(TRANSACTION_TYPES)}
METHOD = {name: index for index, name in enumerate(PAYMENT_METHODS)}
CURRENCIES = ("USD", "EUR", "CAD", "MXN", "JPY", "GBP")
COUNTRIES = ("US", "DE", "CA", "MX", "JP", "GB")
"""Country of the notes, in the order of their currencies."""
MAIN_CAGE, SLOT_CAGE, KIOSK, PIT = range(4)
PLACES = ("Main Cage", "Slot Cage", "Kiosk")


@dataclass(frozen=True)
class Cash:
    """Cage transactions of a day as numbers. Players are indexes, -1: nobody known."""

    kind: I64
    """Index into `TRANSACTION_TYPES`."""
    method: I64
    """Index into `PAYMENT_METHODS`."""
    player: I64
    cents: I64
    second: I64
    """Since 06:00."""
    on_behalf_of: I64
    currency: I64
    """Index into `CURRENCIES`."""
    place: I64
    """MAIN_CAGE, SLOT_CAGE, KIOSK, or PIT and upward: a pit."""
    marker: U64
    """Key of the rating whose marker it is; 0: none."""
    ticket: U64
    """Key of the slot session whose ticket it is; 0: none."""
    win: I64
    """Position among the day's hand-pays, or -1."""
    is_new: NDArray[np.bool_]
    """Whether money put at risk is new to the house."""

    def __len__(self) -> int:
        return len(self.kind)


def cash_rows(
    kind: str | I64,
    method: str | I64,
    player: I64,
    cents: I64,
    second: I64,
    **more: I64 | U64,
) -> Cash:
    """Transactions of which some columns are given; the others are as usual."""
    n = len(player)

    def given(column: str, usual: int, dtype: type[np.generic] = np.int64) -> NDArray[Any]:
        return more[column] if column in more else np.full(n, usual, dtype=dtype)

    return Cash(
        kind=np.full(n, TYPE[kind]) if isinstance(kind, str) else kind,
        method=np.full(n, METHOD[method]) if isinstance(method, str) else method,
        player=player,
        cents=cents,
        second=second,
        on_behalf_of=given("on_behalf_of", -1),
        currency=given("currency", 0),
        place=given("place", MAIN_CAGE),
        marker=given("marker", 0, np.uint64),
        ticket=given("ticket", 0, np.uint64),
        win=given("win", -1),
        is_new=np.ones(n, dtype=bool),
    )
