"""What the office must file for a day, reckoned in integer cents from the law's data.

Independent of `lakehouse.gold`, which it is there to judge.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.regulation.law import Law, Period
from lakehouse.simulate.kernel import person
from lakehouse.simulate.kernel.arrays import take
from lakehouse.simulate.kernel.cash import METHOD, TYPE
from lakehouse.simulate.kernel.counter import I64, U64
from lakehouse.simulate.kernel.memory import by_day, near
from lakehouse.simulate.kernel.world import World


def _kinds(*names: str) -> tuple[int, ...]:
    return tuple(TYPE[name] for name in names)


IN = _kinds(
    "CASH_IN",
    "CHIP_PURCHASE",
    "MONEY_PLAY",
    "FRONT_MONEY_DEPOSIT",
    "SAFEKEEPING_DEPOSIT",
    "MARKER_PAYMENT",
    "INSTRUMENT_SALE",
    "CHECK_PURCHASE",
    "WIRE_TRANSFER_OUT",
    "CURRENCY_EXCHANGE",
)
OUT = _kinds(
    "CASH_OUT",
    "CHIP_REDEMPTION",
    "TICKET_REDEMPTION",
    "CANCELLED_CREDIT_HANDPAY",
    "JACKPOT_PAYOUT",
    "FRONT_MONEY_WITHDRAWAL",
    "SAFEKEEPING_WITHDRAWAL",
    "MARKER_ISSUE",
    "CHECK_CASHING",
    "WIRE_TRANSFER_IN",
    "CURRENCY_EXCHANGE",
)
GAME_RULES = {
    "SLOT": "w2g_slot",
    "BINGO": "w2g_bingo",
    "KENO": "w2g_keno",
    "POKER_TOURNAMENT": "w2g_poker_tournament",
}
OWED = pl.Schema(
    {
        "form": pl.String(),
        "hash": pl.UInt64(),
        "player": pl.Int64(),
        "subject": pl.Date(),
        "due": pl.Date(),
        "amount_cents": pl.Int64(),
        "in_cents": pl.Int64(),
        "out_cents": pl.Int64(),
        "game_type": pl.String(),
        "machine": pl.Int64(),
        "withheld_cents": pl.Int64(),
        "rate_bp": pl.Int64(),
        "category": pl.String(),
        "narrative": pl.String(),
        "activity": pl.Date(),
        "obligation": pl.String(),
        "is_held": pl.Boolean(),
        "day": pl.Int64(),
    }
)
"""One obligation; what its form does not have is null."""
_NEVER_REGULAR = ("SLOT", "BINGO", "KENO", "POKER_TOURNAMENT")


@dataclass(frozen=True)
class Owed:
    """Currency reports owed: one entry per person, sorted."""

    player: I64
    in_cents: I64
    """Of the side, where it is over the threshold; else 0."""
    out_cents: I64
    is_held: NDArray[np.bool_]
    """Whether a missing identity holds the report back."""

    def __len__(self) -> int:
        return len(self.player)


@dataclass(frozen=True)
class Ctrs:
    """Currency reports of one gaming day."""

    due: dt.date
    owed: Owed
    near_player: I64
    """Persons with currency and no report, by the larger side (`near_cents`), largest first."""
    near_cents: I64
    persons: I64
    """Everybody who stands in a report, agents and principals too."""


def over(period: Period, cents: I64) -> NDArray[np.bool_]:
    limit = round((period.amount or 0) * 100)
    return cents > limit if period.operator == ">" else cents >= limit


@by_day(near)
def ctrs(world: World, day: int) -> Ctrs:
    """31 CFR 1021.311 and 1021.313: per person and side, by or on behalf of."""
    date = world.config.date(day)
    rule = world.law.on("ctr", date)
    e = _entries(world, day)
    _, group = np.unique(e.person * 2 + e.is_out, return_inverse=True)
    total = np.zeros(len(e.person), dtype=np.int64)
    np.add.at(total, group, e.cents)
    reported = e.at(over(rule, total)[group])
    reported = reported.at(~np.isin(reported.person, _covered(reported)))
    others = ~np.isin(e.person, reported.person)
    due = date + dt.timedelta(days=rule.due_days or 0)
    persons = np.union1d(reported.person, reported.partner[reported.partner >= 0])
    near = _largest(e.person, total[group], others)
    return Ctrs(due, _by_person(world, reported), *near, persons)


@dataclass(frozen=True)
class _Entries:
    """Currency by person concerned: one entry per transaction, side and person."""

    person: I64
    is_out: I64
    cents: I64
    row: I64
    """Position among the day's cage rows in currency."""
    partner: I64
    """The other one, where somebody acted for somebody; else -1."""
    is_principal: I64

    def at(self, mask: NDArray[np.bool_]) -> _Entries:
        return _Entries(*(getattr(self, f.name)[mask] for f in fields(self)))


def _entries(world: World, day: int) -> _Entries:
    c = world.cash(day)
    c = take(c, c.method == METHOD["Cash"])
    slot = (world.wins(day)["game_type"] == "SLOT").to_numpy()
    exempt = (c.win >= 0) & np.isin(c.win, np.flatnonzero(slot))
    again = (c.kind == TYPE["MONEY_PLAY"]) & ~c.is_new
    sides = [np.isin(c.kind, IN) & ~again, np.isin(c.kind, OUT) & ~exempt]
    row = np.concatenate([np.flatnonzero(side) for side in sides])
    is_out = np.repeat(np.arange(2), [int(side.sum()) for side in sides])
    actor, principal, cents = c.player[row], c.on_behalf_of[row], c.cents[row]
    own = _Entries(actor, is_out, cents, row, principal, np.zeros_like(row))
    others = _Entries(principal, is_out, cents, row, actor, np.ones_like(row))
    parts = (own.at(actor >= 0), others.at(principal >= 0))
    return _Entries(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(own)))


def _largest(person: I64, total: I64, among: NDArray[np.bool_]) -> tuple[I64, I64]:
    who, at = np.unique(person[among], return_inverse=True)
    most = np.zeros(len(who), dtype=np.int64)
    np.maximum.at(most, at, total[among])
    order = np.lexsort((who, -most))
    return who[order], most[order]


def _covered(e: _Entries) -> list[int]:
    """Persons whose rows all stand in another's report: of two equal ones the principal
    stays, then the lower number. Few act for others, so they are compared one by one."""
    acting = e.partner >= 0
    who = np.union1d(e.person[acting], e.partner[acting])
    mine = e.at(np.isin(e.person, who))
    rows: dict[int, set[tuple[int, int]]] = {}
    principal: dict[int, int] = {}
    for person_, row, side, is_principal in zip(
        mine.person.tolist(),
        mine.row.tolist(),
        mine.is_out.tolist(),
        mine.is_principal.tolist(),
        strict=True,
    ):
        rows.setdefault(person_, set()).add((row, side))
        principal[person_] = principal.get(person_, 0) + is_principal

    def behind(a: int, b: int) -> bool:
        if rows[a] < rows[b]:
            return True
        return rows[a] == rows[b] and (principal[a], b) < (principal[b], a)

    return [a for a in rows if any(a != b and behind(a, b) for b in rows)]


def _by_person(world: World, e: _Entries) -> Owed:
    who, at = np.unique(e.person, return_inverse=True)
    cents = np.zeros((2, len(who)), dtype=np.int64)
    np.add.at(cents, (e.is_out, at), e.cents)
    unknown = ~person.identity_verified(world.config, np.stack([e.person, e.partner]))
    held = np.zeros(len(who), dtype=bool)
    np.logical_or.at(held, at, unknown[0] | (unknown[1] & (e.partner >= 0)))
    return Owed(who, cents[0], cents[1], held)


def resting_rows(world: World, day: int, reports: pl.DataFrame) -> U64:
    """By position in the day's `Cash`, the report that rests on the row; 0: none. `reports`:
    person, report, and whether the side `is_in` or `is_out` is reported."""
    c, e = world.cash(day), _entries(world, day)
    found = np.zeros(len(c), dtype=np.uint64)
    if reports.is_empty():
        return found
    reports = reports.sort("person")
    who = reports["person"].to_numpy()
    at = np.minimum(np.searchsorted(who, e.person), len(who) - 1)
    sides = reports.select("is_in", "is_out").to_numpy()
    hit = (who[at] == e.person) & sides[at, e.is_out]
    cash = np.flatnonzero(c.method == METHOD["Cash"])
    found[cash[e.row[hit]]] = reports["report"].to_numpy()[at[hit]]
    return found


def w2gs(world: World, days: range) -> pl.DataFrame:
    """W-2G forms for wins paid in gaming days (W2G_SCHEMA). Aliens' wins go on Form 1042-S."""
    config = world.config
    wins = pl.concat([world.wins(d).with_columns(day=pl.lit(d, dtype=pl.Int64)) for d in days])
    who = wins["player"].to_numpy()
    wins = wins.filter(pl.Series((who >= 0) & ~person.non_resident(config, who)))
    if wins.is_empty():
        return W2G_SCHEMA.to_frame()
    paid_on = pl.col("paid_at").dt.convert_time_zone(config.timezone).dt.date()
    wins = wins.with_columns(
        paid_on=paid_on,
        rule=pl.col("game_type").replace_strict(GAME_RULES, default="w2g_other"),
        has_tin=pl.Series(person.tin_on_file(config, wins["player"].to_numpy())),
    )
    parts = _under_one_law(world.law, wins)
    return pl.concat([_reportable(world.law, rule, date, part) for rule, date, part in parts])


def _under_one_law(law: Law, wins: pl.DataFrame) -> list[tuple[str, dt.date, pl.DataFrame]]:
    """(rule, a date, wins paid while the same rules were in force as on that date)."""
    found = []
    for (rule,), part in wins.partition_by("rule", as_dict=True, maintain_order=True).items():
        dates: dict[tuple[dt.date, ...], list[dt.date]] = {}
        for date in part["paid_on"].unique().sort().to_list():
            rules = (rule, "regular_withholding", "backup_withholding")
            since = tuple(law.on(r, date).effective_from for r in rules)
            dates.setdefault(since, []).append(date)
        found += [(rule, d[0], part.filter(pl.col("paid_on").is_in(d))) for d in dates.values()]
    return found


W2G_SCHEMA = pl.Schema(
    {
        "win_id": pl.String(),
        "player": pl.Int64(),
        "game_type": pl.String(),
        "day": pl.Int64(),
        "paid_on": pl.Date(),
        "paid_second": pl.Int64(),
        "machine": pl.Int64(),
        "winnings_cents": pl.Int64(),
        "rate_bp": pl.Int64(),
        "withheld_cents": pl.Int64(),
    }
)


def _reportable(law: Law, rule: str, paid_on: dt.date, wins: pl.DataFrame) -> pl.DataFrame:
    period = law.on(rule, paid_on)
    gross, wager = (wins[c].to_numpy() for c in ("gross_cents", "wager_cents"))
    if "is_free_play" in wins.columns:
        wager = np.where((wins["is_free_play"] == True).to_numpy(), 0, wager)  # noqa: E712
    net = gross - wager
    winnings = gross if period.basis == "gross" else net
    due = over(period, winnings) & (winnings >= (period.times_wager or 0) * wager)
    regular = law.on("regular_withholding", paid_on)
    long_shot = over(regular, net) & (net >= (regular.times_wager or 0) * wager)
    exempt = wins["game_type"].is_in(_NEVER_REGULAR).to_numpy()
    rate = np.where(long_shot & ~exempt, _basis_points(regular), 0)
    backup = _basis_points(law.on("backup_withholding", paid_on))
    rate = np.where(wins["has_tin"].to_numpy(), rate, backup)
    return wins.select(W2G_SCHEMA.names()[:7]).hstack(
        [
            pl.Series("winnings_cents", winnings),
            pl.Series("rate_bp", rate),
            pl.Series("withheld_cents", (winnings * rate + 5_000) // 10_000),
        ]
    ).filter(pl.Series(due))  # fmt: skip


def _basis_points(period: Period) -> int:
    return round((period.rate or 0) * 10_000)
