"""The cage's day: every dollar that changed hands, and for whom.

Chips bought at a table are the same money as the table's row. What the plan calls for comes
first; services, payments of older markers and redeemed tickets follow while rows last.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lakehouse.contracts.cage import PAYMENT_METHODS, TRANSACTION_TYPES
from lakehouse.contracts.tables import SHIFTS
from lakehouse.simulate import floor, frames, ids, person, slots
from lakehouse.simulate.arrays import concat, take
from lakehouse.simulate.clock import stamp
from lakehouse.simulate.config import WorldConfig
from lakehouse.simulate.counter import I64, U64, below, draw, key, pick, uniform
from lakehouse.simulate.plan import DayPlan
from lakehouse.simulate.services import services
from lakehouse.simulate.table_play import TablePlay
from lakehouse.simulate.tables import buy_times, marker_numbers
from lakehouse.simulate.visits import player_of_rank, reserved

CASHIERS = 24
_TYPES = pl.Enum(TRANSACTION_TYPES)
_METHODS = pl.Enum(PAYMENT_METHODS)


def entries(
    kind: str | Sequence[str],
    method: str | Sequence[str],
    player: I64,
    cents: I64,
    second: I64,
    **more: Any,
) -> pl.DataFrame:
    """Cage rows before they are dressed: player indexes, cents, seconds since 06:00."""
    n = len(player)
    frame = pl.DataFrame(
        {
            "transaction_type": pl.Series(
                [kind] * n if isinstance(kind, str) else kind, dtype=pl.String
            ),
            "payment_method": pl.Series(
                [method] * n if isinstance(method, str) else method, dtype=pl.String
            ),
            "player": pl.Series(player, dtype=pl.Int64),
            "amount_cents": pl.Series(cents, dtype=pl.Int64),
            "second": pl.Series(second, dtype=pl.Int64),
        }
    )
    defaults: dict[str, tuple[object, pl.DataType]] = {
        "on_behalf_of": (-1, pl.Int64()),
        "currency": ("USD", pl.String()),
        "currency_country": (None, pl.String()),
        "marker_number": (None, pl.String()),
        "cage_location": ("Main Cage", pl.String()),
        "notes": (None, pl.String()),
        "is_new_currency": (True if kind == "MONEY_PLAY" else None, pl.Boolean()),
    }
    return frame.with_columns(
        pl.Series(more[c], dtype=t).alias(c)
        if isinstance(more.get(c), (pl.Series, np.ndarray, list))
        else pl.lit(more.get(c, d), dtype=t).alias(c)
        for c, (d, t) in defaults.items()
    )


def _chips(config: WorldConfig, t: TablePlay) -> pl.DataFrame:
    """Chips bought and markers drawn at tables: one row per row there."""
    of, second, cents = buy_times(t)
    first = np.concatenate([[True], of[1:] != of[:-1]]) if len(of) else np.zeros(0, dtype=bool)
    drawn = first & (t.marker[of] > 0)
    by_cheque = (cents >= 300_000) & (t.scenario[of] < 0) & (t.player[of] >= 0)
    by_cheque &= uniform(draw(key(config.seed, "buys-by-cheque"), t.key[of], cents)) < 0.04
    kind = np.where(drawn, "MARKER_ISSUE", "CHIP_PURCHASE")
    method = np.where(drawn, "Chip", np.where(by_cheque, "Check", "Cash"))
    pit = ids.numbered("Pit ", t.table[of] // 8 + 1, 1)
    numbers = frames.gather(marker_numbers(config, t), of, drawn) if len(of) else None
    return entries(
        list(kind),
        list(method),
        t.player[of],
        cents,
        second,
        cage_location=pit,
        marker_number=numbers,
    )


def _redemptions(p: DayPlan) -> pl.DataFrame:
    """One row per visit and way of payment: the sum of its chips. Walked chips stay out."""
    t = p.tables
    out = np.flatnonzero((t.cash_out > 0) & (t.walks == 0))
    group = t.visit[out] * 2 + t.by_cheque[out]
    each, first = np.unique(group, return_index=True)
    cents, last = np.zeros(len(each), np.int64), np.zeros(len(each), np.int64)
    at = np.searchsorted(each, group)
    np.add.at(cents, at, t.cash_out[out])
    np.maximum.at(last, at, t.end[out])
    method = np.where(each % 2 == 1, "Check", "Cash")
    second = np.minimum(last + 240, p.length - 1)
    return entries("CHIP_REDEMPTION", list(method), t.player[out][first], cents, second)


def _repaid(config: WorldConfig, p: DayPlan) -> pl.DataFrame:
    paid = take(p.tables, p.tables.repaid > 0)
    return entries(
        "MARKER_PAYMENT",
        "Chip",
        paid.player,
        paid.repaid,
        np.minimum(paid.end + 10, p.length - 1),
        marker_number=marker_numbers(config, paid),
    )


def later_payments(config: WorldConfig, earlier: Sequence[TablePlay]) -> pl.DataFrame:
    """Payments on a day of markers drawn on the days before it, the last day first."""
    owed = [take(t, (t.paid_after == k + 1) & (t.marker > 0)) for k, t in enumerate(earlier)]
    if not owed:
        return entries("MARKER_PAYMENT", "Check", *(np.zeros(0, dtype=np.int64),) * 3)
    due = functools.reduce(concat, owed)
    how = pick(draw(key(config.seed, "pays-by"), due.key), (55, 20, 25))
    how = np.where(due.scenario >= 0, 2, how)
    second = 4 * 3600 + below(draw(key(config.seed, "pays-at"), due.key), 8 * 3600)
    method = [("Check", "Wire", "Cash")[k] for k in how]
    return entries(
        "MARKER_PAYMENT",
        method,
        due.player,
        due.marker,
        second,
        marker_number=marker_numbers(config, due),
    )


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
    """Players from the book who are not here with their card, one for each key."""
    ordinary = config.player_count - reserved(config)
    taken, out = set(p.visits.player.tolist()), []
    for start in below(draw(key(config.seed, "identified"), keys), ordinary).tolist():
        tries = (
            player_of_rank(config, np.array([(start + k) % ordinary])) for k in range(ordinary)
        )
        known = (int(q[0]) for q in tries if not person.newcomer(config, q)[0])
        found = next((q for q in known if q not in taken), -1)
        taken.add(found)
        out.append(found)
    return np.array(out, dtype=np.int64)


def _payouts(h: HandPays) -> pl.DataFrame:
    return entries("JACKPOT_PAYOUT", "Cash", h.player, h.cents, h.paid, cage_location="Slot Cage")


def _extras(p: DayPlan) -> pl.DataFrame:
    x = p.extras
    return entries(
        [e.kind for e in x],
        [e.method for e in x],
        np.array([e.player for e in x], dtype=np.int64),
        np.array([e.cents for e in x], dtype=np.int64),
        np.array([e.second for e in x], dtype=np.int64),
        on_behalf_of=[e.on_behalf_of for e in x],
    )


def _tickets(config: WorldConfig, p: DayPlan, room: int) -> pl.DataFrame:
    """Tickets redeemed at the cage: planted ones, then others in hash order while rows last."""
    s = p.slots
    h = draw(key(config.seed, "redeems"), s.key)
    order = np.lexsort((h, s.scenario < 0))[: room * 2 + 8]
    part = take(s, order)
    ticket = slots.cash(part, slots.segments(part)).ticket
    got = np.flatnonzero(ticket > 0)[:room]
    owner = ids.hexadecimal(draw(key(config.seed, "session-id"), part.key[got]))
    second = np.minimum(part.end[got] + 120 + below(h[order[got]], 600), p.length - 1)
    return entries(
        "TICKET_REDEMPTION",
        "Cash",
        part.player[got],
        ticket[got],
        second,
        cage_location="Kiosk",
        notes="Ticket of slot session " + owner,
    )


def _bill_breaks(config: WorldConfig, p: DayPlan, room: int) -> pl.DataFrame:
    """Bills changed at kiosks by nobody in particular: as much in as out."""
    k = np.arange(room)
    h = draw(key(config.seed, "bill-break", p.day), k)
    return entries(
        "CURRENCY_EXCHANGE",
        "Cash",
        np.full(room, -1),
        2_000 + below(h, 5) * 2_000,
        below(h << np.uint64(31), p.length),
        cage_location="Kiosk",
    )


def cash(
    config: WorldConfig, p: DayPlan, h: HandPays, payments: pl.DataFrame, rows: int
) -> pl.DataFrame:
    """The day's transactions, exactly `rows`, with `transaction_id`; see `entries`."""
    owed = [_chips(config, p.tables), _repaid(config, p), _redemptions(p), _payouts(h), _extras(p)]
    whole = pl.concat(owed)
    for more in (payments, services(config, p)):
        whole = pl.concat([whole, more.head(max(0, rows - whole.height))])
    whole = pl.concat([whole, _tickets(config, p, max(0, rows - whole.height))])
    whole = pl.concat([whole, _bill_breaks(config, p, max(0, rows - whole.height))])
    ids_ = ids.event_ids(config.seed, "financial_txn", p.day, np.arange(whole.height))
    return whole.with_columns(ids_.alias("transaction_id"))


def payouts(c: pl.DataFrame) -> pl.DataFrame:
    """The hand-pays' transactions, in the order of `hand_pays`."""
    return c.filter(pl.col("transaction_type") == "JACKPOT_PAYOUT")


def financial_txn(
    config: WorldConfig, p: DayPlan, c: pl.DataFrame, belief_cents: int
) -> pl.DataFrame:
    """Cage rows as bronze, in order of time. `belief_cents`: amount at which the cage system
    believes, one transaction at a time, that a report is due."""
    c = c.sort("second", "transaction_id")
    second, cents = c["second"].to_numpy(), c["amount_cents"].to_numpy()
    player = c["player"].to_numpy()
    event = p.start + second * 1_000_000
    h = draw(key(config.seed, "cashier", p.day), second)
    known = (player >= 0) & (cents >= 300_000)
    method = c["payment_method"]
    reference = pl.Series(c["transaction_id"])
    return frames.frame(
        "financial_txn",
        {
            **{
                n: c[n] for n in ("transaction_id", "transaction_type", "cage_location", "currency")
            },
            **{n: c[n] for n in ("payment_method", "marker_number", "notes", "currency_country")},
            "transaction_timestamp": frames.utc(event),
            "cashier_id": ids.employees(floor.shift_of(second) * CASHIERS + below(h, CASHIERS)),
            "supervisor_id": frames.gather(
                ids.employees(900 + below(h, 9)), np.arange(len(h)), cents > 1_000_000
            ),
            "player_id": ids.players(player),
            "amount": frames.money(cents),
            "check_number": ("CK" + reference.str.slice(0, 8)).set(method != "Check", None),
            "wire_reference": ("WR" + reference.str.slice(0, 10)).set(method != "Wire", None),
            "id_type": frames.code(("Driver License",), np.zeros(len(h), dtype=np.int64), known),
            "id_number_hash": frames.gather(
                ids.hexadecimal(draw(key(config.seed, "id-number"), player)),
                np.arange(len(h)),
                known,
            ),
            "ctr_required": (method == "Cash") & pl.Series(cents > belief_cents),
            "ctr_filed": pl.repeat(value=False, n=len(h), dtype=pl.Boolean, eager=True),
            "suspicious_activity_flag": pl.repeat(
                value=False, n=len(h), dtype=pl.Boolean, eager=True
            ),
            "shift": frames.code(SHIFTS, floor.shift_of(second)),
            "business_date": pl.repeat(config.date(p.day), len(h), dtype=pl.Date, eager=True),
            "on_behalf_of_player_id": ids.players(c["on_behalf_of"].to_numpy()),
            "is_new_currency": c["is_new_currency"],
            **stamp("financial_txn", config.date(p.day), event),
        },
    )
