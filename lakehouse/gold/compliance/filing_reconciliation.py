"""What the law required against what the office filed, each with the evidence of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from lakehouse.gold.compliance.filed import filed
from lakehouse.gold.compliance.obligations import (
    OVERDUE_DAYS,
    PAID,
    TERMS,
    Required,
    following,
    obligations,
)
from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days, gaming_day, local_date
from lakehouse.regulation.law import Law
from lakehouse.regulation.terms import MORNING_AFTER
from lakehouse.texts import formatted

WHO, WHEN, WHAT = ["player_id"], ["form", "subject_day"], ["amount", "cash_in", "cash_out"]
PASSES = (WHEN + WHO + WHAT, WHEN + WHO, WHEN + WHAT)
"""Pairs are sought by all that must agree, then with another amount, then another person."""


@mart(
    *(gold(t, around=MORNING_AFTER if t in PAID else 0) for t in TERMS),
    silver("compliance", ahead=following),
    settles=following,
)
def filing_reconciliation(
    compliance: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
    as_of: dt.datetime,
    **required: pl.LazyFrame,
) -> pl.LazyFrame:
    """Mart `filing_reconciliation` of obligations of `days`, and of needless filings about
    these days. What is not filed is open until its due date has passed at `as_of`, and missing
    then. `required`: the tables of `Required`, a day more on each side for what is about a day of
    payment; `compliance`: silver's, `following` days further. What is filed later than that
    changes nothing here."""
    morning = dt.timedelta(days=MORNING_AFTER)
    last = days[1] + morning
    in_time = following(law) - MORNING_AFTER
    found = _filed_in_time(filed(compliance, as_of), timezone, in_time)
    owed = obligations(Required(**required), (days[0] - morning, last)).collect()
    subject, own = pl.col("subject_day"), pl.col("gaming_day").is_between(*days)
    pairs, alone, needless = paired(
        owed.filter(subject.is_between(days[0], last)),
        found.filter(subject.is_between(days[0], last)),
    )
    needless = needless.with_columns(gaming_day=subject).filter(own)
    today = local_date(as_of, timezone)
    judged = [_judged(pairs.filter(own)), _unfiled(alone.filter(own), today), _needless(needless)]
    rows = pl.concat(judged, how="diagonal_relaxed")
    return shaped(rows.with_columns(_evidence().alias("evidence")), "filing_reconciliation")


def _filed_in_time(found: pl.DataFrame, timezone: str, days: int) -> pl.DataFrame:
    """Filings that became known no later than so many gaming days after what they are about."""
    known = gaming_day(pl.col("known_from"), timezone)
    return found.filter((known - pl.col("subject_day")).dt.total_days() <= days)


def paired(
    required: pl.DataFrame, found: pl.DataFrame, apart: Sequence[str] = ()
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs of obligation and filing, and what is left over on each side. Rows that differ in
    a column of `apart`, which both sides have, are never paired."""
    mine = ["player_id", "amount", "cash_in", "cash_out"]
    right = found.with_columns(pl.col(c).alias(f"filed_{c}") for c in mine)
    left, pairs = required, []
    for columns in PASSES:
        keys = [*columns, *apart]
        pair = _numbered(left, keys, "obligation_id").join(
            _numbered(right, keys, "report_id").drop([c for c in mine if c not in keys]),
            on=[*keys, "_number"],
            nulls_equal=True,
        )
        pairs.append(pair.drop("_number"))
        left = left.join(pair, on=["obligation_id", "gaming_day", *apart], how="anti")
        right = right.join(pair, on=["report_id", *apart], how="anti")
    return pl.concat(pairs, how="diagonal"), left, right


def _numbered(rows: pl.DataFrame, keys: list[str], order: str) -> pl.DataFrame:
    return rows.sort(order).with_columns(pl.int_range(pl.len()).over(keys).alias("_number"))


def _judged(pairs: pl.DataFrame) -> pl.DataFrame:
    late = (pl.col("filed_on") - pl.col("due")).dt.total_days().clip(0)
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"filed_{c}")) for c in WHAT)
    verdict = (
        pl.when(pl.col("player_id").ne_missing(pl.col("filed_player_id")))
        .then(pl.lit("wrong_person"))
        .when(~same)
        .then(pl.lit("wrong_amount"))
        .when(late > 0)
        .then(pl.lit("late"))
        .when(pl.col("amended_report_id").is_not_null())
        .then(pl.lit("amended"))
        .otherwise(pl.lit("matched"))
    )
    return _required(pairs.with_columns(verdict.alias("verdict"), late.alias("days_late")))


def _unfiled(rows: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    late = (pl.lit(today) - pl.col("due")).dt.total_days().clip(0, OVERDUE_DAYS)
    verdict = (
        pl.when("is_held_back")
        .then(pl.lit("held_back"))
        .when(late > 0)
        .then(pl.lit("missing"))
        .otherwise(pl.lit("open"))
    )
    return _required(rows.with_columns(verdict.alias("verdict"), late.alias("days_late")))


def _required(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.rename(
        {
            "obligation_id": "reconciliation_id",
            "amount": "required_amount",
            "cash_in": "required_cash_in",
            "cash_out": "required_cash_out",
        }
    )


def _needless(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop("amount", "cash_in", "cash_out").with_columns(
        formatted("needless-{}", "report_id").alias("reconciliation_id"),
        pl.lit("needless").alias("verdict"),
        pl.lit(0, pl.Int64).alias("days_late"),
        pl.lit(value=False).alias("is_held_back"),
        pl.lit([], pl.List(pl.String)).alias("transaction_ids"),
    )


def _evidence() -> pl.Expr:
    required = pl.when(pl.col("verdict") == "needless").then(pl.lit("required: nothing")).otherwise(
        formatted(
            "required: {} of {} USD on {}, due {}, rows {}",
            "form",
            "required_amount",
            pl.coalesce("player_id", pl.lit("a person nobody knows")),
            "due",
            pl.col("transaction_ids").list.join(", "),
        )
    )  # fmt: skip
    amended = pl.coalesce(formatted(", amending {}", "amended_report_id"), pl.lit(""))
    record = formatted(
        "filed: {}{} of {} USD on {}, {}",
        "report_id",
        amended,
        "filed_amount",
        "filed_player_id",
        "filed_on",
    )
    return formatted("{}; {}", required, pl.coalesce(record, pl.lit("filed: nothing")))
