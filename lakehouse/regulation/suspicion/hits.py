"""The shape that every pattern answers in, and the house's parameters."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import polars as pl

from lakehouse.errors import LawError
from lakehouse.regulation.law import Law, Period

HIT = pl.Schema(
    {
        "typology": pl.String(),
        "player_id": pl.String(),
        "hit_day": pl.Date(),
        "completed_at": pl.Datetime("us", "UTC"),
        "score": pl.Float64(),
        "strength": pl.Float64(),
        "source": pl.String(),
        "record_id": pl.String(),
        "owner": pl.String(),
        "side": pl.String(),
        "record_day": pl.Date(),
        "at": pl.Datetime("us", "UTC"),
        "cents": pl.Int64(),
        "what": pl.String(),
        "place": pl.String(),
    }
)
"""One row per record that a hit rests on; a hit is a typology, a person and a gaming day. `score`
is a case's; `strength`, 0 to 1, grows with all that makes the pattern plain, and ranks alerts."""
HIT_KEY = ["typology", "player_id", "hit_day"]
RECORD = ["source", "record_id", "record_day"]
"""What tells a record from all others: its number may come again on another day."""
GRADES = ("info", "warning", "critical")
"""Scores from which an alert is told, and has a severity."""
PAID_OUT = ("Cash", "Check", "Wire")


def watched(law: Law) -> Law:
    """The law with the parameters of alerts (the table `alerts` of a rule's params) in the place of
    those that define a case, rule by rule and period by period. Raises LawError for a name that
    no case has."""

    def of_alerts(period: Period) -> Period:
        params = dict(period.params or {})
        alerts = params.pop("alerts", {})
        if unknown := sorted(alerts.keys() - params.keys() - set(GRADES)):
            raise LawError(
                f"rule {period.rule!r}: alerts have no {', '.join(unknown)}; they have: "
                f"{', '.join([*params, *GRADES])}"
            )
        return replace(period, params={**params, **alerts})

    rules = {name: tuple(map(of_alerts, periods)) for name, periods in law.rules.items()}
    return replace(law, rules=rules)


def house(law: Law, rule: str, name: str, day: str = "gaming_day") -> pl.Expr:
    """The parameter `name` of a rule, a number that the house sets, as it stood on each row's
    day. Raises LawError where a period does not state it."""
    return law.dated(rule, lambda p: float(_stated(p, name)), pl.col(day))


def house_cents(law: Law, rule: str, name: str, day: str = "gaming_day") -> pl.Expr:
    """The parameter `name` of a rule, an amount that the house sets in dollars, as it stood on
    each row's day, in whole cents. Raises LawError where a period does not state it."""
    return law.dated(rule, lambda p: int(_stated(p, name) * 100), pl.col(day)).cast(pl.Int64)


def _stated(period: Period, name: str) -> Decimal:
    params = period.params or {}
    if name not in params:
        raise LawError(
            f"rule {period.rule!r} of {period.effective_from} has no {name!r}; "
            f"it has: {', '.join(params)}"
        )
    return Decimal(str(params[name]))


def cage_rows(financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    """Cage rows by the person they were done for: player_id (owner), source, record_id, at,
    record_day and gaming_day, cents, what, place, payment_method."""
    return financial_txn.select(
        pl.coalesce("on_behalf_of_player_id", "player_id").alias("player_id"),
        pl.lit("financial_txn").alias("source"),
        pl.col("transaction_id").alias("record_id"),
        pl.col("transaction_timestamp").alias("at"),
        "gaming_day",
        pl.col("gaming_day").alias("record_day"),
        cents("amount"),
        pl.col("transaction_type").alias("what"),
        pl.col("cage_location").alias("place"),
        "payment_method",
    ).with_columns(pl.col("player_id").alias("owner"))


def cents(column: str) -> pl.Expr:
    return (pl.col(column) * 100).cast(pl.Int64).alias("cents")


def as_hits(rows: pl.LazyFrame, typology: str) -> pl.LazyFrame:
    """Brings `rows` into the shape HIT, as hits of one typology."""
    return rows.with_columns(pl.lit(typology).alias("typology")).select(
        pl.col(c).cast(t) for c, t in HIT.items()
    )


def first_reached(limit: pl.Expr, among: pl.Expr, *, strict: bool = False) -> pl.Expr:
    """Per hit, the moment at which the running sum of the cents of `among` reaches (or, if
    `strict`, passes) a limit. For rows in order of time."""
    running = pl.when(among).then(pl.col("cents")).otherwise(0).cum_sum()
    reached = running > limit if strict else running >= limit
    return pl.col("at").filter(among & reached).min().over("player_id", "hit_day", order_by="at")
