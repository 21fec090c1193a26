"""What the score of protection adds up: each marker, what of it counts, and how it is said.

A marker's strength is where its value lies between `from` and `whole` of its thresholds; the score
is the sum of weight x strength, 1 at the most, so that every further marker adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lakehouse.detection.registry import limit_of
from lakehouse.texts import formatted

MOST_REASONS = 3
CATEGORIES = ("spend", "patterns_of_spend", "time", "behaviour")
NOT_RECORDED = (
    "customer_contact: the floor keeps no record of what customers write or say of themselves; "
    "account_indicators: there are no accounts on the floor, so no payment methods, declined "
    "deposits or bonuses of one; tool_use: limits and time-outs are online tools, of the tools on "
    "the floor the self-exclusion list is recorded."
)


@dataclass(frozen=True)
class Marker:
    """`counted`: the column by which a value rests on enough, `fewest` in its thresholds."""

    name: str
    category: str
    value: pl.Expr
    said: pl.Expr
    counted: str | None = None

    @property
    def rule(self) -> str:
        """Its name in thresholds.toml."""
        return f"marker_{self.name}"

    def weighed(self) -> pl.Expr:
        """Weight x strength on each row's gaming day, 0 to 1; 0 where nothing is known."""
        first, whole = self._of("from"), self._of("whole")
        strength = ((self.value - first) / (whole - first)).clip(0.0, 1.0)
        if self.counted is not None:
            strength = pl.when(pl.col(self.counted) >= self._of("fewest")).then(strength)
        return (strength * self._of("weight")).fill_null(0.0).fill_nan(0.0).round(9)

    def strength(self) -> pl.Expr:
        return pl.col(self.rule) / self._of("weight")

    def _of(self, name: str) -> pl.Expr:
        return limit_of(self.rule, name)


def _percent(share: pl.Expr) -> pl.Expr:
    return (share * 100).round(0).cast(pl.Int64)


def _said(text: str, *values: str | pl.Expr) -> pl.Expr:
    return formatted(text, *values)


MARKERS: tuple[Marker, ...] = (
    Marker(
        "intensity",
        "spend",
        pl.col("intensity_percentile"),
        _said("stakes more a day than {}% of peers", _percent(pl.col("intensity_percentile"))),
    ),
    Marker(
        "staked_deviation",
        "spend",
        pl.col("staked_deviation"),
        _said("staked far more than on own days before (by {} deviations)",
              pl.col("staked_deviation").round(1)),
    ),
    Marker(
        "deposited_deviation",
        "spend",
        pl.col("deposited_deviation"),
        _said("put in far more than on own days before (by {} deviations)",
              pl.col("deposited_deviation").round(1)),
    ),
    Marker(
        "variability",
        "patterns_of_spend",
        pl.col("stake_variation"),
        _said("stakes vary widely (deviation {} times their mean)",
              pl.col("stake_variation").round(1)),
    ),
    Marker(
        "trajectory",
        "patterns_of_spend",
        pl.when(pl.col("stake_slope") > 0).then("stake_slope_t"),
        _said("stakes have risen by {}% a week", _percent(pl.col("stake_slope").exp() - 1)),
    ),
    Marker(
        "more_often",
        "patterns_of_spend",
        pl.col("more_sessions"),
        _said("{} sessions in two weeks are more than before (by {} deviations)",
              "sessions_lately", pl.col("more_sessions").round(1)),
    ),
    Marker(
        "chasing_within",
        "patterns_of_spend",
        pl.col("chasing_rows"),
        _said("raised stakes while losing within sessions ({}% of the time)",
              _percent(pl.col("chasing_rows"))),
        counted="rows_behind",
    ),
    Marker(
        "chasing_sessions",
        "patterns_of_spend",
        pl.col("chasing_sessions"),
        _said("raised stakes in {}% of sessions after a lost one",
              _percent(pl.col("chasing_sessions"))),
        counted="sessions_behind",
    ),
    Marker(
        "chasing_runs",
        "patterns_of_spend",
        pl.col("chasing_runs"),
        _said("the more sessions were lost in a row, the higher the next stakes"),
    ),
    Marker(
        "chasing_days",
        "patterns_of_spend",
        pl.col("days_behind"),
        _said("came back within two days of a lost day {} times", "days_behind"),
    ),
    Marker(
        "frequency",
        "time",
        pl.col("sessions_lately"),
        _said("played {} sessions in two weeks", "sessions_lately"),
    ),
    Marker(
        "long_play",
        "time",
        pl.col("long_stretches"),
        _said("played more than three hours without a break {} times", "long_stretches"),
    ),
    Marker(
        "time_against_own",
        "time",
        pl.col("minutes_deviation"),
        _said("played far longer than on own days before (by {} deviations)",
              pl.col("minutes_deviation").round(1)),
    ),
    Marker(
        "longer",
        "time",
        pl.when(pl.col("minutes_slope") > 0).then("minutes_slope_t"),
        _said("days of play have become longer by {}% a week",
              _percent(pl.col("minutes_slope").exp() - 1)),
    ),
    Marker(
        "night",
        "time",
        pl.col("night_share"),
        _said("{}% of the time was between midnight and 06:00", _percent(pl.col("night_share"))),
        counted="minutes",
    ),
    Marker(
        "session_deposits",
        "behaviour",
        pl.col("deposits_per_session"),
        _said("put money in {} times a session", pl.col("deposits_per_session").round(1)),
        counted="sessions",
    ),
    Marker(
        "reversals",
        "behaviour",
        pl.col("reversals") / pl.col("cash_outs"),
        _said("put money back in play after {} of {} cash-outs", "reversals", "cash_outs"),
        counted="reversals",
    ),
)  # fmt: skip


def scored(known: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with percentiles and markers, a row a player and gaming day, and what they add up to:
    a column a category, `named_rule`, `score` and `level`."""
    weighed = known.with_columns(m.weighed().alias(m.rule) for m in MARKERS)
    many = pl.col("most_sessions") >= limit_of("fifty_sessions_in_a_day", "from")
    return (
        weighed.with_columns(_category(c) for c in CATEGORIES)
        .with_columns(
            score=pl.sum_horizontal(m.rule for m in MARKERS).clip(0.0, 1.0).round(6),
            named_rule=pl.when(many).then(
                formatted("{} sessions in a day", pl.col("most_sessions"))
            ),
        )
        .with_columns(level=_level())
    )


def _category(category: str) -> pl.Expr:
    """The strongest of its markers."""
    mine = [m.strength() for m in MARKERS if m.category == category]
    return pl.max_horizontal(mine).round(6).alias(category)


def _level() -> pl.Expr:
    score = pl.col("score")
    reached = pl.lit("none")
    for level in ("watch", "raised", "high"):
        over = score >= limit_of("protection_level", level)
        reached = pl.when(over).then(pl.lit(level)).otherwise(reached)
    return pl.when(pl.col("named_rule").is_not_null()).then(pl.lit("high")).otherwise(reached)


def with_reasons(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What `scored` gives, with the strongest markers in words where there is a level."""
    key = ["player_id", "gaming_day"]
    leveled = rows.filter(pl.col("level") != "none")
    named = leveled.filter(pl.col("named_rule").is_not_null()).select(
        *key, weight=pl.lit(2.0), place=pl.lit(-1), said="named_rule"
    )
    parts = [
        leveled.filter(pl.col(m.rule) > 0).select(
            *key, weight=m.rule, place=pl.lit(place), said=m.said
        )
        for place, m in enumerate(MARKERS)
    ]
    told = (
        pl.concat([named, *parts])
        .sort(*key, -pl.col("weight"), "place")
        .group_by(key)
        .agg(reasons=pl.col("said").head(MOST_REASONS))
    )
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return rows.join(told, on=key, how="left").with_columns(pl.col("reasons").fill_null(nothing))
