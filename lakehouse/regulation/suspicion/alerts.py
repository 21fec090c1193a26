"""Alerts: signals for an analyst on the gaming day itself, of which some never become a case."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.alert_shape import EVIDENCE_TYPE
from lakehouse.regulation.law import MONEY, Law
from lakehouse.regulation.people import by_person, known_at
from lakehouse.regulation.suspicion.cases import absorbed, conducted
from lakehouse.regulation.suspicion.hits import RECORD, house
from lakehouse.regulation.suspicion.narrative import PATTERN
from lakehouse.texts import formatted

ALERT = pl.Schema(
    {
        "rule": pl.String(),
        "gaming_day": pl.Date(),
        "entity_type": pl.String(),
        "player_ids": pl.List(pl.String()),
        "entity_id": pl.String(),
        "window_start": pl.Date(),
        "window_end": pl.Date(),
        "score": pl.Float64(),
        "amount": pl.Decimal(18, 2),
        "evidence": EVIDENCE_TYPE,
        "said": pl.String(),
    }
)
ADDRESS = ["address_line1", "city", "state", "zip_code"]
ACTIONS = {
    "structuring": "Lay both sides of these days beside the reports; decide on a review case.",
    "minimal_play": "Hold all play of the day against the money; decide on a review case.",
    "chip_walking": "Follow the chips: who redeems as many? Decide on a review case.",
    "bill_stuffing": "Follow the tickets: who cashed them? Decide on a review case.",
    "marker_cycle": "Ask the credit office where the currency came from; decide on a review case.",
    "pooling": "See in the recordings whether the chips changed hands; decide on a review case.",
    "shared_address": "Find out whether one acts for the other: then their currency is one.",
}
"""Rule → what to do first. The patron is told nothing (31 USC 5318(g)(2))."""


def pattern_alerts(hits: pl.DataFrame) -> pl.DataFrame:
    """One alert (shape ALERT) per pattern, person and gaming day; none where another one of that
    day says all of it. `hits`: shape HIT."""
    key = formatted("{}-{}-{}", "typology", "hit_day", "player_id")
    rows = (
        hits.with_columns(key.alias("case_key"))
        .unique(["case_key", *RECORD, "side"], keep="first", maintain_order=True)
        .sort("case_key", "at", "source", "record_id")
    )
    fullest = rows.join(absorbed(rows, "hit_day"), on="case_key", how="anti")
    found = fullest.group_by("case_key", maintain_order=True).agg(
        pl.col("typology", "hit_day", "player_id").first(),
        pl.col("strength").max().alias("score"),
        conducted().alias("amount"),
        pl.col("record_day").min().alias("window_start"),
        pl.col("record_day").max().alias("window_end"),
        _keys("record_id", "record_day").alias("evidence"),
        pl.col("owner").drop_nulls().unique().sort().alias("_owners"),
    )
    suspect = pl.concat_list("player_id")
    what = pl.col("typology").replace_strict(PATTERN, return_dtype=pl.String)
    told = found.select(
        pl.col("typology").alias("rule"),
        pl.col("hit_day").alias("gaming_day"),
        pl.lit("player").alias("entity_type"),
        pl.concat_list(suspect, pl.col("_owners").list.set_difference(suspect)).alias("player_ids"),
        pl.col("player_id").alias("entity_id"),
        *("window_start", "window_end", "score", "amount", "evidence"),
        formatted("{}: USD {}", what, "amount").alias("said"),
    )
    return told.select(pl.col(c).cast(t) for c, t in ALERT.items())


def shared_address(ledger: pl.LazyFrame, player_profile: pl.LazyFrame, law: Law) -> pl.DataFrame:
    """Persons of one address whose totals of a side are each below the report and together
    over it, on one gaming day; one alert of the same persons, whether in, out or both. A link
    to look at: the law does not add them up (1021.313). Shape ALERT.
    `player_profile`: silver's history; an address is the one known on the day."""
    day, amount = pl.col("gaming_day"), pl.col("amount")
    totals = (
        by_person(ledger)
        .group_by("gaming_day", "side", pl.col("person").alias("player_id"))
        .agg(amount.sum(), _keys("transaction_id", "gaming_day").alias("evidence"))
        .filter(~law.over("ctr", amount, day))
    )
    located = known_at(totals, player_profile, "gaming_day", ADDRESS)
    single = located.drop_nulls("address_line1")
    every = pl.col("evidence").list.explode().unique().sort()
    together = (
        single.sort("player_id")
        .group_by("gaming_day", "side", *ADDRESS, maintain_order=True)
        .agg(pl.col("player_id").alias("player_ids"), amount.sum().cast(MONEY), every)
        .filter((pl.col("player_ids").list.len() > 1) & law.over("ctr", amount, day))
    )
    alike = (
        together.sort("side")
        .group_by("gaming_day", "player_ids", maintain_order=True)
        .agg("side", amount.max(), every)
    )
    limit = law.dated("ctr", lambda p: float(p.amount or 0), day)
    sides = pl.col("side").list.join(" and ")
    worded = alike.with_columns(
        rule=pl.lit("shared_address"),
        entity_type=pl.lit("pair"),
        entity_id=pl.col("player_ids").list.join("+"),
        window_start=day,
        window_end=day,
        score=1 - limit / amount.cast(pl.Float64),
        said=formatted("one address, currency {} together over the threshold", sides),
    )
    return worded.select(pl.col(c).cast(t) for c, t in ALERT.items()).collect()


def graded(found: pl.DataFrame, law: Law) -> pl.DataFrame:
    """Alerts (shape ALERT) with `alert_id`, `family`, `severity`, `suggested_action` and
    `evidence_rows`. None is CRITICAL below the amount from which a report of suspicion is due."""
    rule, score = pl.col("rule"), pl.col("score").clip(0, 1).round(6)

    def reaches(name: str) -> pl.Expr:
        limits = [pl.when(rule == r).then(house(law, r, name)) for r in ACTIONS]
        return score >= pl.coalesce(limits)

    is_due = law.over("sar", pl.col("amount"), pl.col("gaming_day"))
    severity = (
        pl.when(reaches("critical") & is_due)
        .then(pl.lit("CRITICAL"))
        .when(reaches("warning"))
        .then(pl.lit("WARNING"))
        .otherwise(pl.lit("INFO"))
    )
    return found.filter(reaches("info")).with_columns(
        formatted("{}-{}-{}", "rule", "gaming_day", "entity_id").alias("alert_id"),
        score=score,
        family=pl.lit("cash"),
        severity=severity,
        suggested_action=rule.replace_strict(ACTIONS, return_dtype=pl.String),
        evidence_rows=pl.col("evidence").list.len().cast(pl.Int64),
    )


def _keys(record: str, day: str) -> pl.Expr:
    """Each row that an alert rests on, once."""
    row = pl.struct(table_name="source", record_id=record, gaming_day=day)
    return row.unique(maintain_order=True)
