"""How much of what came in was rejected, by table and by gaming day.

The simulator's defects are planted and known; the share that may not be exceeded judges what
was landed. Of restricted tables nothing is told: that a day's reports were rejected tells that
there were some (31 U.S.C. 5318(g)(2)).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, came_with, contract
from lakehouse.quality.rule_words import in_words
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.storage import Days, Lake

CHECK = "rejected_share"
_DAY = "gaming_day"
_TYPED = "ingest"
_TEXTS = pl.List(pl.String())
SHARES = pl.Schema(
    {_DAY: pl.Date(), "landed": pl.Int64(), "rejected": pl.Int64(), "share": pl.Float64()}
)


@dataclass(frozen=True)
class Fate:
    """What became of the rows of a table on some gaming days: came = silver + quarantine +
    duplicates, once silver is derived. `reason` is the rule that most rows broke, in words."""

    table: str
    came: int
    silver: int
    quarantine: int
    duplicates: int
    rule: str | None
    reason: str

    @property
    def share(self) -> float:
        return self.quarantine / self.came if self.came else 0.0


def fate(lake: Lake, table: str, days: Sequence[dt.date]) -> Fate:
    """Counts the rows of a table on these gaming days."""
    held = _of(lake, "quarantine", table, days).select("_stage", "_rules").collect()
    bronze, silver, duplicates = (
        _of(lake, layer, table, days).select(pl.len()).collect().item()
        for layer in ("bronze", "silver", "duplicates")
    )
    untyped = held.filter(pl.col("_stage") != "silver").height
    first = first_rule(held["_rules"])
    reason = in_words(contract(table), first) if held.height else ""
    return Fate(table, bronze + untyped, silver, held.height, duplicates, first, reason)


def first_rule(rules: pl.Series) -> str | None:
    """The rule that most rows broke; of equals the first by name."""
    counted = rules.explode(empty_as_null=False).drop_nulls().value_counts(name="rows")
    ordered = counted.sort("rows", rules.name, descending=[True, False])
    return ordered[rules.name].first() if ordered.height else None  # type: ignore[return-value]


def shares(lake: Lake, table: str, days: Iterable[dt.date], timezone: str) -> pl.DataFrame:
    """Grain: one row per gaming day with landed rows, in the shape `SHARES`. Rows that tell no
    day stand under the day they landed on, and are held against their files' rows: one damaged
    line of a large file is no rejected day. The worse of both is the day's share."""
    wanted = sorted(set(days))
    held = _landed(_of(lake, "quarantine", table, wanted)).select(
        _DAY,
        came_with(pl.col("_source")),
        "_stage",
        is_undated=_is_undated(contract(table), timezone),
    )
    rejects = held.collect()
    bronze = _landed(_of(lake, "bronze", table, wanted)).group_by(_DAY).agg(typed=pl.len())
    dated = (
        rejects.filter(~pl.col("is_undated"))
        .group_by(_DAY)
        .agg(dated=pl.len(), untyped=(pl.col("_stage") != "silver").sum())
    )
    n = pl.col("typed", "dated", "untyped").fill_null(0).cast(pl.Int64)
    by_day = bronze.collect().join(dated, on=_DAY, how="full", coalesce=True).with_columns(n)
    of_days = by_day.select(_DAY, landed=pl.col("typed") + pl.col("untyped"), rejected="dated")
    undated = _undated(lake, table, rejects.filter("is_undated"))
    both = pl.concat([of_days, undated]).with_columns(
        share=pl.col("rejected") / pl.col("landed").clip(lower_bound=1)
    )
    worst = both.sort("share", descending=True).unique(_DAY, keep="first")
    return worst.select(pl.col(n).cast(t) for n, t in SHARES.items()).sort(_DAY)


def findings(
    lake: Lake, tables: Sequence[str], days: Days, limit: float, timezone: str
) -> pl.DataFrame:
    """The days over the limit in the shape of what `lakehouse checks` lists: of each table the
    percent that may be rejected, and that were, with the rule that most rows broke."""
    found = [
        over.with_columns(
            subject=pl.lit(table),
            rules=pl.Series([_first_of(lake, table, day) for day in over[_DAY]], dtype=_TEXTS),
        )
        for table in tables
        if (over := _over(lake, table, days, limit, timezone)).height
    ]
    nothing = pl.DataFrame(schema=dict(SHARES) | {"subject": pl.String, "rules": _TEXTS})
    percent = pl.Decimal(18, 2)
    return pl.concat([nothing, *found]).select(
        pl.lit(CHECK).alias("truth"),
        _DAY,
        "subject",
        expected=pl.lit(limit * 100).round(2).cast(percent),
        expected_is=pl.lit("% of landed rows that may be rejected"),
        found=(pl.col("share") * 100).round(2).cast(percent),
        found_is=pl.lit("% rejected"),
        since=pl.lit(None, pl.Datetime("us", "UTC")),
        until=pl.lit(None, pl.Datetime("us", "UTC")),
        may_exceed=pl.lit(value=False),
        rows=pl.lit([], _TEXTS),
        rules="rules",
    )


def _over(lake: Lake, table: str, days: Days, limit: float, timezone: str) -> pl.DataFrame:
    stored = [
        lake.partitions(layer, table)[_DAY].drop_nulls() for layer in ("bronze", "quarantine")
    ]
    there = {day for column in stored for day in column if days[0] <= day <= days[1]}
    return shares(lake, table, there, timezone).filter(pl.col("share") > limit)


def _first_of(lake: Lake, table: str, day: dt.date) -> list[str]:
    rule = fate(lake, table, [day]).rule
    return [rule] if rule else []


def _undated(lake: Lake, table: str, rejects: pl.DataFrame) -> pl.DataFrame:
    """Rejects without a day by the day they came on, of the rows of their files or partitions."""
    if rejects.is_empty():
        return pl.DataFrame(schema={_DAY: pl.Date, "landed": pl.Int64, "rejected": pl.Int64})
    files = rejects["_source"].unique()
    every = [lake.scan("bronze", table, columns=["_source"]).select(came_with(pl.col("_source")))]
    held = lake.scan("quarantine", table).filter(pl.col("_stage") != "silver")
    rows = pl.concat([*every, held.select(came_with(pl.col("_source")))]).filter(
        pl.col("_source").is_in(files.implode())
    )
    of_files = rows.group_by("_source").agg(landed=pl.len().cast(pl.Int64)).collect()
    counted = rejects.group_by(_DAY, "_source").agg(rejected=pl.len().cast(pl.Int64))
    by_day = counted.join(of_files, on="_source").group_by(_DAY)
    return by_day.agg(pl.col("landed").sum(), pl.col("rejected").sum())


def _is_undated(c: Contract, timezone: str) -> pl.Expr:
    """Whether a reject stands under the day it landed on for want of its own."""
    no_event = pl.lit(value=True) if c.event_time is None else pl.col(c.event_time).is_null()
    landed_on = gaming_day(pl.col("_ingested_at"), timezone) == pl.col(_DAY)
    return (pl.col("_stage") == _TYPED) & no_event & landed_on.fill_null(value=False)


def _of(lake: Lake, layer: str, table: str, days: Sequence[dt.date]) -> pl.LazyFrame:
    if not days:
        return lake.scan(layer, table).clear()
    rows = lake.scan(layer, table, days=(min(days), max(days)))
    return rows.filter(pl.col(_DAY).is_in(list(days)))


def _landed(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(pl.col("_source").str.contains("^(landing|topic):"))
