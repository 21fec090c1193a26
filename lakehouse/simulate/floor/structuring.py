"""A pattern of structuring on demand: currency brought in below the limit of a report."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl

from lakehouse.errors import BadInput
from lakehouse.regulation.law import load
from lakehouse.simulate.floor import cage
from lakehouse.simulate.floor.windows import approver
from lakehouse.simulate.kernel.cash import cash_rows
from lakehouse.simulate.kernel.clock import day_start
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, draw, key
from lakehouse.simulate.kernel.staff import CASHIERS

FIRST_POSITION = 1 << 30
"""Of its transactions in a day's cash: no world comes so far, so that numbers stay unique."""
_EVENING, _SPREAD = 12 * 3_600, 6 * 3_600
_STEP = 2_000


def structured(config: WorldConfig, player_id: str, count: int, total: Decimal) -> pl.DataFrame:
    """`count` chip purchases of a player in bronze shape that add up to `total` dollars, each
    below the amount of a currency report, on as many gaming days of the window as there are.

    Raises BadInput for an unknown player or an amount that cannot be split so."""
    player = _player(config, player_id)
    limit = int((load(config.profile).on("ctr", config.start).amount or 0) * 100)
    cents = int(total * 100) if total.is_finite() else 0
    if count < 1 or cents != total * 100 or not count <= cents < count * limit:
        raise BadInput(
            f"{count} transactions of ${total} in all: each is at least a cent and below "
            f"${limit / 100:,.0f}"
        )
    k = np.arange(count)
    h = draw(key(config.seed, "structured"), np.full(count, player), k)
    day = k * config.days // count if count < config.days else k % config.days
    second = _EVENING + below(h, _SPREAD)
    start = np.array([day_start(config.date(d), config.timezone) for d in day.tolist()])
    c = cash_rows("CHIP_PURCHASE", "Cash", np.full(count, player), _split(cents, limit, h), second)
    no = np.zeros(count, dtype=bool)
    rows = cage.CageRows(
        day=day,
        position=FIRST_POSITION + k,
        event=start + second * 1_000_000,
        cashier=below(h, CASHIERS),
        supervisor=approver(c.cents),
        voids=no,
        believed=no,
        report=np.zeros(count, dtype=np.uint64),
        ticked=no,
        cash=c,
    )
    return cage.dress(config, rows).sort("transaction_timestamp")


def _player(config: WorldConfig, player_id: str) -> int:
    number = player_id.removeprefix("P")
    if not (player_id.startswith("P") and number.isascii() and number.isdigit()):
        raise BadInput(f"player_id {player_id!r}: write P00000123")
    if int(number) >= config.player_count:
        raise BadInput(f"player_id {player_id!r}: the book has {config.player_count} players")
    return int(number)


def _split(cents: int, limit: int, h: np.typing.NDArray[np.uint64]) -> I64:
    """Amounts around the mean: what one has more, its neighbour has less."""
    n = len(h)
    amounts = np.full(n, cents // n)
    amounts[: cents % n] += 1
    room = min(limit - 1 - int(amounts.max()), int(amounts.min()) - 1) // _STEP
    pairs = n // 2
    moved = below(h[:pairs], min(room, 40) + 1) * _STEP
    amounts[:pairs] += moved
    amounts[pairs : 2 * pairs] -= moved
    return amounts
