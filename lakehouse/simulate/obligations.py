"""What the office must file for a day, reckoned in integer cents from the law's data.

Independent of `lakehouse.gold`, which it is there to judge.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from lakehouse.regulation.law import Law, Period
from lakehouse.simulate import person
from lakehouse.simulate.counter import I64
from lakehouse.simulate.memory import by_day

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

IN = (
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
OUT = (
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
    }
)
"""One obligation; what its form does not have is null."""
_NEVER_REGULAR = ("SLOT", "BINGO", "KENO", "POKER_TOURNAMENT")

CTR_SCHEMA = pl.Schema(
    {
        "player": pl.Int64(),
        "in_cents": pl.Int64(),
        "out_cents": pl.Int64(),
        "is_held": pl.Boolean(),
    }
)


@dataclass(frozen=True)
class Ctrs:
    """Currency reports of one gaming day: one row per person, cents of the sides that are
    over the threshold (null where not), and whether a missing identity holds it back."""

    due: dt.date
    owed: pl.DataFrame
    near: pl.DataFrame
    """player, cents of the larger side: persons with currency and no report, largest first."""
    persons: I64
    """Everybody who stands in a report, agents and principals too."""


def over(period: Period, cents: pl.Expr) -> pl.Expr:
    limit = round((period.amount or 0) * 100)
    return cents > limit if period.operator == ">" else cents >= limit


@by_day(64)
def ctrs(world: World, day: int) -> Ctrs:
    """31 CFR 1021.311 and 1021.313: per person and side, by or on behalf of."""
    date = world.config.date(day)
    rule = world.law.on("ctr", date)
    moved = _moved(world, day)
    total = pl.col("cents").sum().over("person", "side")
    entries = moved.filter(over(rule, total))
    entries = entries.filter(~pl.col("person").is_in(_covered(entries)))
    named = entries["person"].unique().implode()
    near = (
        moved.filter(~pl.col("person").is_in(named))
        .group_by(pl.col("person").alias("player"), "side")
        .agg(pl.col("cents").sum())
        .group_by("player")
        .agg(pl.col("cents").max())
        .sort("cents", "player", descending=[True, False])
    )
    persons = np.union1d(entries["person"].to_numpy(), entries["partner"].drop_nulls().to_numpy())
    due = date + dt.timedelta(days=rule.due_days or 0)
    return Ctrs(due, _by_person(world, entries), near, persons)


def _moved(world: World, day: int) -> pl.DataFrame:
    """Currency by person concerned and side: transaction_id, side, cents, person, partner
    (the other one, where somebody acted for somebody), is_principal."""
    cash = world.cash(day).filter(pl.col("payment_method") == "Cash")
    kind = pl.col("transaction_type")
    slots = world.wins(day).filter(pl.col("game_type") == "SLOT")["transaction_id"]
    exempt = (kind == "JACKPOT_PAYOUT") & pl.col("transaction_id").is_in(slots.implode())
    again = (kind == "MONEY_PLAY") & ~pl.col("is_new_currency").fill_null(value=True)
    sided = pl.concat(
        [
            cash.filter(kind.is_in(IN) & ~again).with_columns(side=pl.lit("in")),
            cash.filter(kind.is_in(OUT) & ~exempt).with_columns(side=pl.lit("out")),
        ]
    )
    row: list[str | pl.Expr] = ["transaction_id", "side", pl.col("amount_cents").alias("cents")]
    acts = pl.col("on_behalf_of") >= 0
    own = sided.select(
        *row,
        pl.col("player").alias("person"),
        pl.when(acts).then(pl.col("on_behalf_of")).alias("partner"),
        pl.lit(value=False).alias("is_principal"),
    )
    others = sided.filter(acts).select(
        *row,
        pl.col("on_behalf_of").alias("person"),
        pl.when(pl.col("player") >= 0).then(pl.col("player")).alias("partner"),
        pl.lit(value=True).alias("is_principal"),
    )
    return pl.concat([own, others]).filter(pl.col("person") >= 0)


def _covered(entries: pl.DataFrame) -> list[int]:
    """Persons whose rows all stand in another's report: of two equal ones the principal
    stays, then the lower number. Few act for others, so they are compared one by one."""
    partners = entries.drop_nulls("partner")
    who = set(partners["person"].to_list()) | set(partners["partner"].to_list())
    rows: dict[int, set[tuple[str, str]]] = {}
    principal: dict[int, int] = {}
    for r in entries.filter(pl.col("person").is_in(sorted(who))).iter_rows(named=True):
        rows.setdefault(r["person"], set()).add((r["transaction_id"], r["side"]))
        principal[r["person"]] = principal.get(r["person"], 0) + r["is_principal"]

    def behind(a: int, b: int) -> bool:
        if rows[a] < rows[b]:
            return True
        return rows[a] == rows[b] and (principal[a], b) < (principal[b], a)

    return [a for a in rows if any(a != b and behind(a, b) for b in rows)]


def _by_person(world: World, entries: pl.DataFrame) -> pl.DataFrame:
    if entries.is_empty():
        return CTR_SCHEMA.to_frame()
    cents = pl.col("cents")
    owed = (
        entries.group_by(pl.col("person").alias("player"))
        .agg(
            in_cents=cents.filter(pl.col("side") == "in").sum(),
            out_cents=cents.filter(pl.col("side") == "out").sum(),
            partner=pl.col("partner").drop_nulls().unique(),
        )
        .sort("player")
    )
    parties = pl.concat(
        [
            owed.select("player", party="player"),
            owed.select("player", party="partner").explode("party"),
        ]
    ).drop_nulls()
    known = person.identity_verified(world.config, parties["party"].to_numpy())
    held = parties.filter(~pl.Series(known))["player"].implode()
    return owed.select(
        "player",
        pl.col("in_cents", "out_cents").replace(0, None),
        is_held=pl.col("player").is_in(held),
    )


@by_day(64)
def w2gs(world: World, day: int) -> pl.DataFrame:
    """W-2G forms for wins paid in a gaming day: win_id, player, game_type, paid_on,
    winnings_cents, withheld_cents, machine, gross_cents. Aliens' wins go on Form 1042-S."""
    wins = world.wins(day).filter(pl.col("player") >= 0)
    paid = pl.Series(world.utc(day, wins["paid_second"].to_numpy())).cast(pl.Datetime("us", "UTC"))
    who = wins["player"].to_numpy()
    free = pl.col("is_free_play").fill_null(value=False)
    stake = pl.when(free).then(0).otherwise(pl.col("wager_cents"))
    frame = wins.with_columns(
        paid_on=paid.dt.convert_time_zone(world.config.timezone).dt.date(),
        rule=pl.col("game_type").replace_strict(GAME_RULES, default="w2g_other"),
        stake=stake,
        has_tin=pl.Series(person.tin_on_file(world.config, who), dtype=pl.Boolean),
    ).filter(~pl.Series(person.non_resident(world.config, who), dtype=pl.Boolean))
    parts = [
        _reportable(world.law, rule, date, part)
        for (rule, date), part in sorted(
            frame.partition_by("rule", "paid_on", as_dict=True).items()
        )
    ]
    return pl.concat(
        [_reportable(world.law, "w2g_slot", world.config.date(day), frame.clear()), *parts]
    )


def _reportable(law: Law, rule: str, paid_on: dt.date, wins: pl.DataFrame) -> pl.DataFrame:
    period = law.on(rule, paid_on)
    gross, stake = pl.col("gross_cents"), pl.col("stake")
    winnings = gross if period.basis == "gross" else gross - stake
    long_odds = winnings >= (period.times_wager or 0) * stake
    backup = law.on("backup_withholding", paid_on)
    regular = law.on("regular_withholding", paid_on)
    long_shot = gross - stake >= (regular.times_wager or 0) * stake
    taxed = over(regular, gross - stake) & long_shot & ~pl.col("game_type").is_in(_NEVER_REGULAR)
    rate = (
        pl.when(~pl.col("has_tin"))
        .then(round((backup.rate or 0) * 10_000))
        .when(taxed)
        .then(round((regular.rate or 0) * 10_000))
        .otherwise(0)
    )
    return (
        wins.filter(over(period, winnings) & long_odds)
        .with_columns(winnings_cents=winnings, rate_bp=rate)
        .select(
            "win_id",
            "player",
            "game_type",
            "paid_on",
            "winnings_cents",
            "gross_cents",
            "rate_bp",
            "machine",
            "paid_second",
            withheld_cents=(pl.col("winnings_cents") * pl.col("rate_bp") + 5_000) // 10_000,
        )
    )
