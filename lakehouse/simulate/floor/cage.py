"""Cage transactions as rows, with what the cage system and its cashiers note on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.floor.cage import PAYMENT_METHODS, TRANSACTION_TYPES
from lakehouse.contracts.floor.tables import SHIFTS
from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.cage_cash import transaction_ids
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.tables import marker_numbers
from lakehouse.simulate.floor.windows import at_windows
from lakehouse.simulate.kernel import frames, ids, person
from lakehouse.simulate.kernel.arrays import order_of, take
from lakehouse.simulate.kernel.cash import COUNTRIES, CURRENCIES, METHOD, PLACES, TYPE, Cash
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, chance, draw, key
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

VOID = "Voided and entered again"
NEAR_PERCENT, TICKED = 80, 0.5
"""Amounts from this part of the limit up to it, as in the POC, are ticked at this rate
[assumption]."""


@dataclass(frozen=True)
class CageRows:
    """A day's transactions in order of time."""

    day: I64
    position: I64
    """In the day's `Cash`."""
    event: I64
    """Microseconds since the epoch."""
    cashier: I64
    supervisor: I64
    """Who approved; below zero: nobody."""
    voids: NDArray[np.bool_]
    """Whether it stands for an entry that was voided."""
    believed: NDArray[np.bool_]
    """Whether the cage system, one transaction at a time, thinks a report is due."""
    report: U64
    """The currency report that was filed on the row; 0: none."""
    ticked: NDArray[np.bool_]
    """Whether the cashier found the amount suspiciously near the limit."""
    cash: Cash

    def __len__(self) -> int:
        return len(self.day)


def dress(config: WorldConfig, r: CageRows) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    c, seed = r.cash, config.seed
    days = gaming_days(config.start, r.day)
    reference = transaction_ids(seed, r.day, r.position)
    known = (c.player >= 0) & (c.cents >= 300_000)
    abroad = person.non_resident(config, c.player).astype(np.int64)
    pits = [f"Pit {k + 1}" for k in range(config.table_count // 8 + 1)]
    money_play = c.kind == TYPE["MONEY_PLAY"]
    ticket = "Ticket of slot session " + ids.hexadecimal(draw(key(seed, "session-id"), c.ticket))
    return frames.frame(
        "financial_txn",
        {
            "transaction_id": reference,
            "transaction_type": frames.code(TRANSACTION_TYPES, c.kind),
            "transaction_timestamp": frames.utc(r.event),
            "cage_location": frames.code((*PLACES, *pits), c.place),
            "cashier_id": ids.employees(r.cashier),
            "supervisor_id": ids.employees(r.supervisor),
            "player_id": ids.players(c.player),
            "amount": frames.money(c.cents),
            "currency": frames.code(CURRENCIES, c.currency),
            "currency_country": frames.code(COUNTRIES, c.currency, c.currency > 0),
            "payment_method": frames.code(PAYMENT_METHODS, c.method),
            "check_number": frames.only(
                "CK" + reference.str.slice(0, 8), c.method == METHOD["Check"]
            ),
            "wire_reference": frames.only(
                "WR" + reference.str.slice(0, 10), c.method == METHOD["Wire"]
            ),
            "marker_number": frames.only(marker_numbers(seed, c.marker), c.marker != 0),
            "notes": frames.only(ticket.set(pl.Series(r.voids), VOID), (c.ticket != 0) | r.voids),
            "id_type": frames.code(("Driver License", "Passport"), abroad, known),
            "id_number_hash": frames.only(person.digest(config, "id-number", c.player), known),
            "ctr_required": pl.Series(r.believed),
            "ctr_filed": pl.Series(r.report != 0),
            "ctr_reference": frames.only(ids.hexadecimal(r.report, "CTR-"), r.report != 0),
            "suspicious_activity_flag": pl.Series(r.ticked),
            "shift": frames.code(SHIFTS, layout.shift_of(c.second)),
            "business_date": days,
            "on_behalf_of_player_id": ids.players(c.on_behalf_of),
            "is_new_currency": frames.only(pl.Series(c.is_new), money_play),
            **stamp("financial_txn", days, r.event),
        },
    )


@producer(
    "financial_txn",
    dress=dress,
    clashing="cage_location",
    needed=lambda world, day: world.obliged(day),
    needed_rows=pl.col("transaction_type") == "JACKPOT_PAYOUT",
)
def rows_of(world: World, day: int) -> CageRows:
    """A day's transactions. The cage system believes that a report is due above the law's
    amount, one transaction at a time.

    Cashiers tick by what they see, an amount a little under the limit, whoever brings it: the
    tick must not tell of whom a case was opened (31 USC 5318(g)(2))."""
    config, c, start = world.config, world.cash(day), day_plan(world, day).start
    belief_cents = int((world.law.on("ctr", config.date(day)).amount or 0) * 100)
    position = order_of(c.second)
    c = take(c, position)
    staffed = at_windows(config, day, position, c)
    near = (c.method == METHOD["Cash"]) & (c.cents <= belief_cents)
    near &= c.cents >= belief_cents * NEAR_PERCENT // 100
    return CageRows(
        day=np.full(len(c), day),
        position=position,
        event=start + c.second * 1_000_000,
        cashier=staffed.cashier,
        supervisor=staffed.supervisor,
        voids=staffed.voids,
        believed=(c.method == METHOD["Cash"]) & (c.cents > belief_cents),
        report=world.reports(day)[position],
        ticked=near & chance(draw(key(config.seed, "ticks", day), position), TICKED),
        cash=c,
    )
