"""Rates of games by day: decisions per hour, edge, spread of outcomes, house policies."""

from __future__ import annotations

import functools
from decimal import Decimal
from importlib import resources

import polars as pl

from lakehouse.regulation.law import Law, Period, parse


@functools.cache
def rates() -> Law:
    """Reads all dated rates from `games.toml`."""
    text = (resources.files("lakehouse.regulation") / "games.toml").read_text("utf-8")
    return parse("games", text)


def table_rates() -> pl.LazyFrame:
    """One row per game and period: `game_type`, `effective_from`, `effective_to` (null: open),
    `decisions_per_hour` Int64, `edge_e4` Int64 (ten-thousandths), `deviation` (bets)."""
    rows = [
        {
            "game_type": game,
            "effective_from": period.effective_from,
            "effective_to": period.effective_to,
            "decisions_per_hour": _params(period)["decisions_per_hour"],
            "edge_e4": int(Decimal(_params(period)["edge"]) * 10_000),
            "deviation": float(_params(period)["deviation"]),
        }
        for game, period in _named("table.")
    ]
    return pl.LazyFrame(
        rows,
        schema={
            "game_type": pl.String,
            "effective_from": pl.Date,
            "effective_to": pl.Date,
            "decisions_per_hour": pl.Int64,
            "edge_e4": pl.Int64,
            "deviation": pl.Float64,
        },
    )


def slot_rates() -> pl.LazyFrame:
    """One row per machine type and period: `machine_type`, `effective_from`, `effective_to`,
    `prize_multiple` (bets)."""
    rows = [
        {
            "machine_type": kind,
            "effective_from": period.effective_from,
            "effective_to": period.effective_to,
            "prize_multiple": float(_params(period)["prize_multiple"]),
        }
        for kind, period in _named("slot.")
    ]
    return pl.LazyFrame(
        rows,
        schema={
            "machine_type": pl.String,
            "effective_from": pl.Date,
            "effective_to": pl.Date,
            "prize_multiple": pl.Float64,
        },
    )


def house_rate(policy: str, day: str = "gaming_day") -> pl.Expr:
    """Rate of a house policy ("points", "worth", "reinvestment") on each row's `day`, Int64 in
    ten-thousandths; null before its first period. Raises LawError for an unknown policy."""
    rate = pl.lit(None, pl.Int64)
    for period in rates().periods(f"house.{policy}"):
        value = int((period.rate or Decimal(0)) * 10_000)
        since = pl.col(day) >= period.effective_from
        rate = pl.when(since).then(pl.lit(value, pl.Int64)).otherwise(rate)
    return rate


def in_force(
    frame: pl.LazyFrame, dated: pl.LazyFrame, *, on: str, day: str = "gaming_day"
) -> pl.LazyFrame:
    """`frame` with the columns of the period of `dated` that has its `on` and covers its `day`.
    Rows that no period covers fall away."""
    joined = frame.join(dated, on=on)
    to = pl.col("effective_to")
    covered = (pl.col("effective_from") <= pl.col(day)) & (to.is_null() | (pl.col(day) <= to))
    return joined.filter(covered).drop("effective_from", "effective_to")


def _named(prefix: str) -> list[tuple[str, Period]]:
    rules = rates().rules
    return [
        (name.removeprefix(prefix), period)
        for name in rules
        if name.startswith(prefix)
        for period in rules[name]
    ]


def _params(period: Period) -> dict[str, int | str | float]:
    return dict(period.params or {})
