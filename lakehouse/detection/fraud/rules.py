"""The rules of fraud: what each looks at among an order's measures, and how it is said.

A rule's strength is 0 under its threshold `at`, `half` there and 1 from `whole` on. Strengths make
parts, the strongest rule of each; the score is the weighted sum of the parts, or what a rule alone
lifts it to: `lift` times its strength.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import polars as pl

from lakehouse.contracts.shop.fraud import LEVELS, PARTS
from lakehouse.detection.fraud.profiles import limit, profile
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.texts import formatted

DIGITS = 6
_ROUND = (100, 1_000, 10_000, 100_000)
"""Cents: 1, 10, 100 and 1,000 dollars."""
_UNDER = 100


def dollars(cents: str) -> pl.Expr:
    """Whole cents as dollars, Decimal(18,2)."""
    whole = pl.col(cents).cast(pl.Decimal(38, 2))
    return (whole * pl.lit(Decimal("0.01"))).cast(pl.Decimal(18, 2))


def _tried() -> pl.Expr:
    return pl.col("is_tried")


@dataclass(frozen=True)
class Rule:
    """`value`: what is compared with the threshold; null or 0 where there is nothing to say.
    `finds`: kind of planted fraud that it is to find, or none of its own."""

    name: str
    part: str
    value: pl.Expr
    said: pl.Expr
    finds: str | None = None
    integral: bool = False
    """Of a count."""
    unit: int = 1
    """Of the value, in one of the threshold: a threshold in dollars is compared with cents."""

    def strength(self, law: Law, days: Days) -> pl.Expr:
        at, whole, half = (limit(law, self.name, n, days) for n in ("at", "whole", "half"))
        value = self.value.cast(pl.Float64)
        beyond = ((value - at * self.unit) / ((whole - at) * self.unit)).clip(0.0, 1.0)
        strong = pl.when(value >= at * self.unit).then(half + (1 - half) * beyond)
        return strong.fill_null(0.0).round(DIGITS)


_BOTH_NEW = pl.col("is_new_device") & pl.col("is_new_network")
# A sixth of what was paid in a month: honest accounts give back a tenth.
_GIVES_BACK = 6 * pl.col("refunded_cents") >= pl.col("paid_cents")
_PATTERN = (
    pl.when(pl.col("is_gift")).then(0.5).otherwise(0.0)
    + pl.when(pl.col("cents").is_in(_ROUND)).then(0.3).otherwise(0.0)
    + pl.when(pl.col("cents") < _UNDER).then(0.7).otherwise(0.0)
)

RULES: tuple[Rule, ...] = (
    Rule(
        "high_amount",
        "amount",
        pl.when(_tried()).then("cents"),
        formatted("a high amount, ${}", dollars("cents")),
        unit=100,
    ),
    Rule(
        "own_amount",
        "amount",
        pl.when(_tried() & (pl.col("paid_before") >= 2)).then("deviation"),
        formatted(
            "${} is {} deviations over the {} payments before",
            dollars("cents"), pl.col("deviation").round(1), "paid_before",
        ),
    ),
    Rule(
        "rapid",
        "velocity",
        pl.when(_tried()).then("tried_5s"),
        formatted("{} payments within 5 seconds", "tried_5s"),
        "velocity_burst",
        integral=True,
    ),
    Rule(
        "velocity",
        "velocity",
        pl.when(_tried() & (pl.col("tried_60s") >= 2)).then("cents_60s"),
        formatted("${} within a minute, in {} payments", dollars("cents_60s"), "tried_60s"),
        "velocity_burst",
        unit=100,
    ),
    Rule(
        "spree",
        "velocity",
        pl.when(_tried() & (pl.col("tried_10min") >= 3)).then("cents_10min"),
        formatted("${} within ten minutes, in {} payments", dollars("cents_10min"), "tried_10min"),
        "velocity_burst",
        unit=100,
    ),
    Rule(
        "impossible_travel",
        "geography",
        pl.when("is_stranger").then("kmh"),
        formatted("{} km from the payment before, at {} km/h", pl.col("km").round(0).cast(pl.Int64),
                  pl.col("kmh").round(0).cast(pl.Int64)),
        "impossible_travel",
    ),
    Rule(
        "new_device",
        "device",
        pl.when("is_new_device").then(0.7).otherwise(0.0)
        + pl.when("is_new_network").then(0.3).otherwise(0.0),
        pl.when(_BOTH_NEW)
        .then(pl.lit("a device and a network never seen of the account"))
        .otherwise(pl.lit("a device never seen of the account")),
    ),
    Rule(
        "pattern",
        "pattern",
        pl.when(_tried()).then(_PATTERN),
        pl.when("is_gift").then(pl.lit("a gift card")).otherwise(
            formatted("an odd amount, ${}", dollars("cents"))
        ),
    ),
    Rule(
        "card_testing",
        "pattern",
        pl.when(_tried()).then(
            pl.min_horizontal("small_hour", 3 * pl.col("small_failed_hour"))
        ),
        formatted("{} small payments within an hour, {} of them refused", "small_hour",
                  "small_failed_hour"),
        "card_testing",
        integral=True,
    ),
    Rule(
        "gift_card_drain",
        "pattern",
        pl.when("is_gift").then("gift_cents_day"),
        formatted("gift cards for ${} within a day", dollars("gift_cents_day")),
        "gift_card_drain",
        unit=100,
    ),
    Rule(
        "account_takeover",
        "pattern",
        pl.when(_tried() & _BOTH_NEW & pl.col("is_stranger")).then("cents"),
        formatted("${} from a device, a network and a place that are new", dollars("cents")),
        "account_takeover",
        unit=100,
    ),
    Rule(
        "refund_abuse",
        "pattern",
        pl.when(~_tried() & _GIVES_BACK).then("refunds"),
        formatted("{} refunds within 30 days, of ${} of ${} paid", "refunds",
                  dollars("refunded_cents"), dollars("paid_cents")),
        "refund_abuse",
        integral=True,
    ),
)  # fmt: skip


def column(rule: str) -> str:
    """Name of the column with a rule's strength."""
    return f"rule_{rule}"


def judged(measures: pl.DataFrame, name: str) -> pl.DataFrame:
    """Measures with what the profile `name` says of them: a column `rule_…` and `part_…` each,
    0 to 1, `score` and `level` (null where there is no alert)."""
    first, last = measures["gaming_day"].min(), measures["gaming_day"].max()
    if isinstance(first, dt.date) and isinstance(last, dt.date):
        return judged_by(measures, profile(name), (first, last))
    return judged_by(measures, profile(name), (dt.date.max, dt.date.max))


def judged_by(measures: pl.DataFrame, law: Law, days: Days) -> pl.DataFrame:
    """The same by a profile that is at hand, of measures of `days`."""
    return (
        measures.lazy()
        .with_columns(r.strength(law, days).alias(column(r.name)) for r in RULES)
        .with_columns(
            pl.max_horizontal(column(r.name) for r in RULES if r.part == p).alias(f"part_{p}")
            for p in PARTS
        )
        .with_columns(score=_score(law, days))
        .with_columns(level=_level(law, days))
        .collect()
    )


def _score(law: Law, days: Days) -> pl.Expr:
    weighed = reduce(
        pl.Expr.__add__, (pl.col(f"part_{p}") * limit(law, "weights", p, days) for p in PARTS)
    )
    lifted = (pl.col(column(r.name)) * limit(law, r.name, "lift", days) for r in RULES)
    return pl.max_horizontal(weighed, *lifted).clip(0.0, 1.0).round(DIGITS)


def _level(law: Law, days: Days) -> pl.Expr:
    """The gravest level that the score reaches; none under `low`, even where a profile's `low` is
    over other levels."""
    reached = pl.lit(None, dtype=pl.String)
    for level in reversed(LEVELS):
        over = pl.col("score") >= limit(law, "levels", level.lower(), days)
        reached = pl.when(over).then(pl.lit(level)).otherwise(reached)
    return pl.when(pl.col("score") >= limit(law, "levels", "low", days)).then(reached)
