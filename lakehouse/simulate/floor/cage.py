"""The cage's day: every dollar that changed hands, and for whom.

Chips bought at a table are the same money as the table's row. What the plan calls for comes
first; services, payments of older markers and redeemed tickets follow while rows last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.cage import PAYMENT_METHODS, TRANSACTION_TYPES
from lakehouse.contracts.tables import SHIFTS
from lakehouse.simulate.faults.misconduct import Extra
from lakehouse.simulate.floor import layout, slots
from lakehouse.simulate.floor.plan import DayPlan
from lakehouse.simulate.floor.services import services
from lakehouse.simulate.floor.table_play import TablePlay
from lakehouse.simulate.floor.tables import buy_times, marker_numbers
from lakehouse.simulate.floor.visits import player_of_rank, reserved
from lakehouse.simulate.kernel import frames, ids, person
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.cash import (
    COUNTRIES,
    CURRENCIES,
    KIOSK,
    METHOD,
    PIT,
    PLACES,
    SLOT_CAGE,
    TYPE,
    Cash,
    cash_rows,
)
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, pick, uniform

CASHIERS = 24
NEAR_PERCENT, TICKED = 80, 0.5
"""Amounts from this part of the limit up to it, as in the POC, are ticked at this rate
[assumption]."""


def _chips(config: WorldConfig, t: TablePlay) -> Cash:
    """Chips bought and markers drawn at tables: one row per row there."""
    of, second, cents = buy_times(t)
    first = np.concatenate([[True], of[1:] != of[:-1]]) if len(of) else np.zeros(0, dtype=bool)
    drawn = first & (t.marker[of] > 0)
    by_cheque = (cents >= 300_000) & (t.scenario[of] < 0) & (t.player[of] >= 0)
    by_cheque &= uniform(draw(key(config.seed, "buys-by-cheque"), t.key[of], cents)) < 0.04
    paid = np.where(by_cheque, METHOD["Check"], METHOD["Cash"])
    return cash_rows(
        np.where(drawn, TYPE["MARKER_ISSUE"], TYPE["CHIP_PURCHASE"]),
        np.where(drawn, METHOD["Chip"], paid),
        t.player[of],
        cents,
        second,
        place=PIT + t.table[of] // 8,
        marker=np.where(drawn, t.key[of], np.uint64(0)),
    )


def _redemptions(p: DayPlan) -> Cash:
    """One row per visit and way of payment: the sum of its chips. Walked chips stay out."""
    t = p.tables
    out = np.flatnonzero((t.cash_out > 0) & (t.walks == 0))
    group = t.visit[out] * 2 + t.by_cheque[out]
    each, first, at = np.unique(group, return_index=True, return_inverse=True)
    cents, last = np.zeros(len(each), np.int64), np.zeros(len(each), np.int64)
    np.add.at(cents, at, t.cash_out[out])
    np.maximum.at(last, at, t.end[out])
    return cash_rows(
        "CHIP_REDEMPTION",
        np.where(each % 2 == 1, METHOD["Check"], METHOD["Cash"]),
        t.player[out][first],
        cents,
        np.minimum(last + 240, p.length - 1),
    )


def _repaid(p: DayPlan) -> Cash:
    paid = take(p.tables, p.tables.repaid > 0)
    second = np.minimum(paid.end + 10, p.length - 1)
    return cash_rows("MARKER_PAYMENT", "Chip", paid.player, paid.repaid, second, marker=paid.key)


def later_payments(config: WorldConfig, earlier: Sequence[TablePlay]) -> Cash:
    """Payments on a day of markers drawn on the days before it, the last day first."""
    owed = [take(t, (t.paid_after == k + 1) & (t.marker > 0)) for k, t in enumerate(earlier)]
    if not owed:
        return cash_rows("MARKER_PAYMENT", "Check", *(np.zeros(0, dtype=np.int64),) * 3)
    due = join(owed)
    how = pick(draw(key(config.seed, "pays-by"), due.key), (55, 20, 25))
    how = np.where(due.scenario >= 0, 2, how)
    second = 4 * 3600 + below(draw(key(config.seed, "pays-at"), due.key), 8 * 3600)
    method = np.array([METHOD[m] for m in ("Check", "Wire", "Cash")])[how]
    return cash_rows("MARKER_PAYMENT", method, due.player, due.marker, second, marker=due.key)


@dataclass(frozen=True)
class HandPays:
    """One hand-pay per entry, in order of machine and time."""

    session: I64
    player: I64
    """The card's, or the winner identified at payment where play was uncarded."""
    cents: I64
    won: I64
    paid: I64


def hand_pays(config: WorldConfig, p: DayPlan) -> HandPays:
    s = p.slots
    session, cents, micro = slots.jackpots(s)
    won = micro // 1_000_000
    wait = 480 + below(draw(key(config.seed, "hand-pay-wait"), s.key[session], cents), 900)
    player = s.player[session].copy()
    unknown = np.flatnonzero(player < 0)
    player[unknown] = _identified(config, p, s.key[session[unknown]])
    return HandPays(session, player, cents, won, np.minimum(won + wait, p.length - 1))


def _identified(config: WorldConfig, p: DayPlan, keys: U64) -> I64:
    """Players from the book who are not here with their card, one for each key: the first
    free one from a rank of its own on."""
    ordinary = config.player_count - reserved(config)
    first = below(draw(key(config.seed, "identified"), keys), ordinary)
    taken, out = {-1, *p.visits.player.tolist()}, []
    for rank, near in zip(first.tolist(), _patrons(config, first, range(8), ordinary), strict=True):
        found = next((q for q in near if q not in taken), -1)
        if found < 0:
            every = _patrons(config, np.array([rank]), range(ordinary), ordinary)[0]
            found = next((q for q in every if q not in taken), -1)
        taken.add(found)
        out.append(found)
    return np.array(out, dtype=np.int64)


def _patrons(config: WorldConfig, first: I64, steps: range, ordinary: int) -> list[list[int]]:
    """Players at some ranks from each first one on; -1: who is not in the book yet."""
    rank = (first[:, None] + np.array(steps)) % ordinary
    who = player_of_rank(config, rank.reshape(-1))
    return np.where(person.newcomer(config, who), -1, who).reshape(rank.shape).tolist()


def _payouts(h: HandPays) -> Cash:
    n = len(h.cents)
    return cash_rows(
        "JACKPOT_PAYOUT",
        "Cash",
        h.player,
        h.cents,
        h.paid,
        place=np.full(n, SLOT_CAGE),
        win=np.arange(n),
    )


def _extras(extras: Sequence[Extra]) -> Cash:
    def column(values: list[int]) -> I64:
        return np.array(values, dtype=np.int64)

    return cash_rows(
        column([TYPE[e.kind] for e in extras]),
        column([METHOD[e.method] for e in extras]),
        column([e.player for e in extras]),
        column([e.cents for e in extras]),
        column([e.second for e in extras]),
        on_behalf_of=column([e.on_behalf_of for e in extras]),
    )


def _tickets(config: WorldConfig, p: DayPlan, room: int) -> Cash:
    """Tickets redeemed at the cage: planted ones, then others in hash order while rows last."""
    s = p.slots
    h = draw(key(config.seed, "redeems"), s.key)
    order = np.lexsort((h, s.scenario < 0))[: room + room // 8 + 8]
    part = take(s, order)
    ticket = slots.cash(part, slots.segments(part)).ticket
    got = np.flatnonzero(ticket > 0)[:room]
    second = np.minimum(part.end[got] + 120 + below(h[order[got]], 600), p.length - 1)
    return cash_rows(
        "TICKET_REDEMPTION",
        "Cash",
        part.player[got],
        ticket[got],
        second,
        place=np.full(len(got), KIOSK),
        ticket=part.key[got],
    )


def _bill_breaks(config: WorldConfig, p: DayPlan, room: int) -> Cash:
    """Bills changed at kiosks by nobody in particular: as much in as out."""
    h = draw(key(config.seed, "bill-break", p.day), np.arange(room))
    return cash_rows(
        "CURRENCY_EXCHANGE",
        "Cash",
        np.full(room, -1),
        2_000 + below(h, 5) * 2_000,
        below(h << np.uint64(31), p.length),
        place=np.full(room, KIOSK),
    )


def cash(config: WorldConfig, p: DayPlan, h: HandPays, payments: Cash, rows: int) -> Cash:
    """The day's transactions, exactly `rows`."""
    parts = [_chips(config, p.tables), _repaid(p), _redemptions(p), _payouts(h), _extras(p.extras)]
    room = rows - sum(len(part) for part in parts)
    planted = int((p.slots.scenario >= 0).sum())
    for more in (payments, services(config, p)):
        parts.append(take(more, slice(max(0, room - planted))))
        room -= len(parts[-1])
    parts.append(_tickets(config, p, max(0, room)))
    parts.append(_bill_breaks(config, p, max(0, room - len(parts[-1]))))
    return join(parts)


def transaction_ids(seed: int, day: int | I64, position: I64) -> pl.Series:
    """Of transactions by their position in the day's `Cash`."""
    return ids.event_ids(seed, "financial_txn", day, position)


@dataclass(frozen=True)
class CageRows:
    """A day's transactions in order of time."""

    day: I64
    position: I64
    """In the day's `Cash`."""
    event: I64
    """Microseconds since the epoch."""
    cashier: I64
    believed: NDArray[np.bool_]
    """Whether the cage system, one transaction at a time, thinks a report is due."""
    report: U64
    """The currency report that was filed on the row; 0: none."""
    ticked: NDArray[np.bool_]
    """Whether the cashier found the amount suspiciously near the limit."""
    cash: Cash

    def __len__(self) -> int:
        return len(self.day)


def rows_of(config: WorldConfig, p: DayPlan, c: Cash, belief_cents: int, report: U64) -> CageRows:
    """`belief_cents`: amount above which the cage system believes that a report is due.
    `report`: by position in `c`, the currency report filed; 0: none.

    Cashiers tick by what they see, an amount a little under the limit, whoever brings it: the
    tick must not tell of whom a case was opened (31 USC 5318(g)(2))."""
    position = np.argsort(c.second, kind="stable")
    c = take(c, position)
    h = draw(key(config.seed, "cashier", p.day), c.second)
    near = (c.method == METHOD["Cash"]) & (c.cents <= belief_cents)
    near &= c.cents >= belief_cents * NEAR_PERCENT // 100
    return CageRows(
        day=np.full(len(c), p.day),
        position=position,
        event=p.start + c.second * 1_000_000,
        cashier=layout.shift_of(c.second) * CASHIERS + below(h, CASHIERS),
        believed=(c.method == METHOD["Cash"]) & (c.cents > belief_cents),
        report=report[position],
        ticked=near & chance(draw(key(config.seed, "ticks", p.day), position), TICKED),
        cash=c,
    )


def dress(config: WorldConfig, r: CageRows) -> pl.DataFrame:
    """Numbers as bronze rows."""
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
            "supervisor_id": ids.employees(
                np.where(c.cents > 1_000_000, 900 + below(draw(0, c.cents), 9), -2)
            ),
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
            "notes": frames.only(ticket, c.ticket != 0),
            "id_type": frames.code(("Driver License", "Passport"), abroad, known),
            "id_number_hash": frames.only(person.digest(config, "id-number", c.player), known),
            "ctr_required": pl.Series(r.believed),
            "ctr_filed": pl.Series(r.report != 0),
            "ctr_reference": frames.only("CTR-" + ids.hexadecimal(r.report), r.report != 0),
            "suspicious_activity_flag": pl.Series(r.ticked),
            "shift": frames.code(SHIFTS, layout.shift_of(c.second)),
            "business_date": days,
            "on_behalf_of_player_id": ids.players(c.on_behalf_of),
            "is_new_currency": frames.only(pl.Series(c.is_new), money_play),
            **stamp("financial_txn", days, r.event),
        },
    )
