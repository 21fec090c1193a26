"""Forms for winnings: W-2G for US persons, 1042-S for non-resident aliens."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import lookup, mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.tax import annual_dates, foreign_income, reportable, wins_with_winner


@mart(silver("gaming_wins"), lookup("player_profile"))
def w2g_forms(
    gaming_wins: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
) -> pl.LazyFrame:
    """Mart `w2g_forms` of the gaming days of payment in `days`, from silver."""
    forms = _reportable(gaming_wins, player_profile, days, law, timezone)
    known = _dated(forms.filter(pl.col("player_id").is_not_null()), law, "w2g_dates")
    return shaped(known, "w2g_forms")


def w2g_exceptions(
    gaming_wins: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
) -> pl.LazyFrame:
    """Rows of mart `filing_exceptions` for reportable wins of nobody known."""
    forms = _reportable(gaming_wins, player_profile, days, law, timezone)
    unknown = _dated(forms.filter(pl.col("player_id").is_null()), law, "w2g_dates")
    rows = unknown.with_columns(
        pl.concat_str(pl.lit("W-2G-"), "win_id").alias("exception_id"),
        pl.col("reportable_winnings").alias("amount"),
        pl.lit(None, pl.Decimal(18, 2)).alias("cash_in_exact"),
        pl.lit(None, pl.Decimal(18, 2)).alias("cash_out_exact"),
        pl.col("efile_due").alias("due"),
        pl.lit([], pl.List(pl.String)).alias("unidentified"),
        form=pl.lit("W-2G"),
        subject_day="paid_on",
        reason=pl.lit("identity_missing"),
    )
    return shaped(rows, "filing_exceptions")


@mart(silver("gaming_wins"), lookup("player_profile"))
def form_1042s(
    gaming_wins: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
) -> pl.LazyFrame:
    """Mart `form_1042s` of the gaming days of payment in `days`, from silver."""
    wins = wins_with_winner(within(gaming_wins, days), player_profile, timezone)
    return shaped(_dated(foreign_income(wins, law), law, "form_1042s_dates"), "form_1042s")


def _reportable(
    gaming_wins: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    days: Days,
    law: Law,
    timezone: str,
) -> pl.LazyFrame:
    wins = wins_with_winner(within(gaming_wins, days), player_profile, timezone)
    return reportable(wins, law)


def _dated(forms: pl.LazyFrame, law: Law, rule: str) -> pl.LazyFrame:
    found = forms.collect()
    years = found["tax_year"].unique().sort().to_list()
    row = pl.col("transaction_id")
    listed = (
        pl.when(row.is_not_null())
        .then(pl.concat_list(row))
        .otherwise(pl.lit([], pl.List(pl.String)))
    )
    return (
        found.join(annual_dates(law, rule, years), on="tax_year", how="left")
        .with_columns(listed.alias("transaction_ids"))
        .lazy()
    )
