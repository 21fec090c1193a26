"""The cage's day: every dollar that changed hands, and for whom.

Chips bought at a table are the same money as the table's row. What the plan calls for comes
first; services, payments of older markers and redeemed tickets follow while rows last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.simulate.faults.scenarios import engaged
from lakehouse.simulate.floor import slots
from lakehouse.simulate.floor.misconduct import Extra
from lakehouse.simulate.floor.plan import DayPlan, clean_rows, day_plan
from lakehouse.simulate.floor.services import services
from lakehouse.simulate.floor.table_play import NEVER, TablePlay, mixed
from lakehouse.simulate.floor.tables import buy_times
from lakehouse.simulate.kernel import ids, person
from lakehouse.simulate.kernel.arrays import join, narrow, parts, take, wide
from lakehouse.simulate.kernel.book import player_of_rank, reserved
from lakehouse.simulate.kernel.cash import (
    KIOSK,
    METHOD,
    PIT,
    SLOT_CAGE,
    TYPE,
    Cash,
    cash_rows,
)
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key, pick, uniform
from lakehouse.simulate.kernel.memory import by_day, in_the_window, near
from lakehouse.simulate.kernel.world import World

TICKETS_AT_A_TIME = 2_000
"""Sessions whose tickets are worked out together: each has some dozen stretches of play."""
LONGEST_CREDIT = 14
"""Days after which a marker is paid, and chips that were kept are redeemed, at the latest."""


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


def later_redemptions(config: WorldConfig, day: int, earlier: Sequence[TablePlay]) -> Cash:
    """Chips that patrons kept on the days before, the last day first, and bring to the cage on
    this one. Who has come for a scenario brings none."""
    kept = [take(t, t.keeps & (_brought_after(config, t) == k + 1)) for k, t in enumerate(earlier)]
    if not kept:
        return cash_rows("CHIP_REDEMPTION", "Cash", *(np.zeros(0, dtype=np.int64),) * 3)
    due = join(kept)
    due = take(due, ~np.isin(due.player, engaged(config, day)))
    second = 5 * 3600 + below(draw(key(config.seed, "brings-at"), due.key), 12 * 3600)
    return cash_rows("CHIP_REDEMPTION", "Cash", due.player, due.cash_out, second)


def _brought_after(config: WorldConfig, t: TablePlay) -> I64:
    """Days until kept chips are redeemed; one patron in five keeps them for longer."""
    h = draw(key(config.seed, "brings"), t.key)
    return np.where(uniform(h) > 0.8, NEVER, 1 + below(mixed(h), LONGEST_CREDIT))


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
    for rank, some in zip(first.tolist(), _patrons(config, first, range(8), ordinary), strict=True):
        found = next((q for q in some if q not in taken), -1)
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
    """Tickets redeemed at the cage: those of stuffed bills, then others in hash order while rows
    last."""
    s = p.slots
    h = draw(key(config.seed, "redeems"), s.key)
    order = np.lexsort((h, s.stuffed == 0))[: room + room // 8 + 8]
    part = take(s, order)
    some = (take(part, at) for at in parts(len(part), TICKETS_AT_A_TIME))
    ticket = np.concatenate([slots.cash(each, slots.segments(each)).ticket for each in some])
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
    done = [_chips(config, p.tables), _repaid(p), _redemptions(p), _payouts(h), _extras(p.extras)]
    room = rows - sum(len(part) for part in done)
    stuffed = int((p.slots.stuffed > 0).sum())
    for more in (payments, services(config, p)):
        done.append(take(more, slice(max(0, room - stuffed))))
        room -= len(done[-1])
    done.append(_tickets(config, p, max(0, room)))
    done.append(_bill_breaks(config, p, max(0, room - len(done[-1]))))
    return join(done)


@by_day(near)
def hand_pays_on(world: World, day: int) -> HandPays:
    """Returns the `hand_pays` of a world and day, and keeps them for the next who asks."""
    return hand_pays(world.config, day_plan(world, day))


@by_day(40)
def _left_open(world: World, day: int) -> TablePlay:
    """Ratings of a day whose marker is paid, or whose chips are redeemed, on a later one."""
    t = day_plan(world, day).tables
    return take(t, (t.marker > 0) & (t.paid_after > 0) | t.keeps)


def cash_on(world: World, day: int) -> Cash:
    """What changed hands at the cage, before it is written down."""
    return wide(_kept_cash(world, day))


@by_day(near)
def _kept_cash(world: World, day: int) -> Cash:
    p = day_plan(world, day)
    before = [_left_open(world, day - k) for k in range(1, min(LONGEST_CREDIT, day) + 1)]
    payments = later_payments(world.config, before)
    payments = join([payments, later_redemptions(world.config, day, before)])
    rows = clean_rows(world.config, "financial_txn", day)
    return narrow(cash(world.config, p, hand_pays_on(world, day), payments, rows))


@by_day(in_the_window)
def named_on(world: World, day: int) -> I64:
    """Sorted unique players who did anything that day."""
    c = cash_on(world, day)
    found = np.concatenate([day_plan(world, day).visits.player, c.player, c.on_behalf_of])
    return np.unique(found[found >= 0])


def transaction_ids(seed: int, day: int | I64, position: I64) -> pl.Series:
    """Of transactions by their position in the day's `Cash`."""
    return ids.event_ids(seed, "financial_txn", day, position)
