"""The steps from a source to silver, each for a range of gaming days of one table.

Assets, `lakehouse.pipeline.marts` and the landing zone all go through here, so that there is one
way for a row to get in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from lakehouse.contracts import contract, contracts, door_of, told_apart
from lakehouse.privacy import TokenKey, ensure_key, load_key, needs_key, protect
from lakehouse.regulation.gaming_day import day_bounds, each_day, pieces
from lakehouse.settings import Settings
from lakehouse.silver import CleanResult, clean, upsert_history
from lakehouse.storage import Commit, Days, Lake, Written, stored_schema
from lakehouse.storage.days import refuse_outside
from lakehouse.storage.shapes import PARTITION, keeps_history
from lakehouse.storage.written import together

TELLING = ("compliance", "financial_txn", "player_profile")
SIMULATOR = "simulator"
"""`_source` of simulated rows; landed rows carry their file instead."""

ALONE = "alone"
"""Mark of silver that was made outside a run: no mart has followed."""

DAYS_IN_HAND = 10
"""Days that are cleaned at a time: memory follows them and not the range asked for."""
WRITE_BYTES = 32 * 2**20
"""Size of a frame from which it is written in parts."""

Produce = Callable[[str, Days], Iterable[pl.DataFrame]]
"""Table and gaming days → its simulated rows, such as `World.rows`."""


@dataclass(frozen=True)
class Cleaned:
    """What cleaning a table's days stored."""

    silver: Written
    quarantine: Written
    duplicates: Written
    rejects: pl.DataFrame
    """Rows by gaming day and rule broken: gaming_day, rule, rows."""


def simulated(
    produce: Produce, layer: str, table: str, days: Days, as_of: dt.datetime
) -> pl.DataFrame:
    """Simulated rows of `days`, as far as they were known at `as_of`; of those that come in
    together, the table's own."""
    door = door_of(table)
    made = (told_apart(door, rows)[table] for rows in produce(door, days))
    rows = pl.concat([pl.DataFrame(schema=stored_schema(layer, table)), *made])
    if "_ingested_at" not in rows.columns:
        return rows
    return rows.filter((pl.col("_ingested_at") <= as_of).fill_null(value=True))


def bronze_rows(
    lake: Lake, settings: Settings, table: str, days: Days, produce: Produce, as_of: dt.datetime
) -> pl.DataFrame:
    """What bronze holds for `days`, by the table's source: simulated rows, landed rows as they
    are, or both together."""
    source = settings.source_of(table)
    landed = lake.scan("bronze", table, days=days).filter(
        pl.col("_source").ne_missing(pl.lit(SIMULATOR))
    )
    if source == "landing":
        return landed.collect()
    made = simulated(produce, "bronze", table, days, as_of)
    return pl.concat([landed.collect(), made]) if source == "both" else made


def known_until(lake: Lake, days: Days, timezone: str, now: dt.datetime) -> dt.datetime:
    """The moment up to which the lake can judge: the close of the newest gaming day that it
    has or is being given, or `now` where that is earlier. What is not filed by a lake that
    ends in March is not missing in April."""
    stored = [lake.partitions("bronze", t)[PARTITION].max() for t in TELLING]
    newest = max([days[1], *(d for d in stored if isinstance(d, dt.date))])
    return min(now, day_bounds(newest, timezone)[1])


def token_key(lake: Lake, settings: Settings) -> TokenKey:
    """The lake's key; made for a lake without tokens. A lake that has tokens must find its
    old key, or the same person would get a second token."""
    begun = any(needs_key(t) and lake.exists("silver", t) for t in contracts("source"))
    return load_key(settings) if begun else ensure_key(settings)


def parents_of(lake: Lake, table: str) -> dict[str, pl.LazyFrame]:
    """Parent table → its keys in silver, of all days: what decides on orphans."""
    keys: dict[str, list[str]] = {}
    for parent, key in sorted(set(contract(table).references().values())):
        keys.setdefault(parent, []).append(key)
    return {p: lake.scan("silver", p, columns=columns) for p, columns in keys.items()}


def clean_days(
    lake: Lake,
    settings: Settings,
    table: str,
    days: Days,
    *,
    bronze: pl.LazyFrame | None = None,
    parents: Mapping[str, pl.LazyFrame] | None = None,
) -> CleanResult:
    """Bronze rows of `days`, cleaned and with their personal data protected."""
    rows = bronze if bronze is not None else lake.scan("bronze", table, days=days)
    known = parents if parents is not None else parents_of(lake, table)
    results = [
        clean(
            table,
            rows.filter(_within(piece)),
            timezone=settings.timezone,
            parents=known,
        )
        for piece in pieces(days, DAYS_IN_HAND)
    ]
    good = pl.concat([r.good for r in results])
    return CleanResult(
        protect(table, good, token_key(lake, settings)) if needs_key(table) else good,
        pl.concat([r.quarantined for r in results]),
        pl.concat([r.duplicates for r in results]),
    )


def store(
    lake: Lake,
    layer: str,
    table: str,
    frame: pl.LazyFrame | pl.DataFrame,
    days: Days,
    commit: Commit,
) -> Written:
    """Replaces the days of a table; of a table with history, the versions of these days. A
    large frame goes in several commits of whole days, as a writer takes several times its
    size in memory; the last one tells that the days are derived. Raises ContractError for rows
    of other days before anything is written."""
    if layer == "silver" and keeps_history(contract(table)):
        rows = frame.lazy().collect()
        return lake.rebuild(
            layer, table, lambda now: upsert_history(now, rows, days), commit=commit
        )
    rows = frame.lazy().collect()
    refuse_outside(rows, days, {}, f"{layer}.{table}")
    share = int(rows.estimated_size()) // WRITE_BYTES + 1
    at_once = max(1, ((days[1] - days[0]).days + 1) // share)
    if share == 1:
        return lake.write_days(layer, table, rows, days, commit=commit)
    unfinished = replace(commit, derived={})
    return together(
        [
            lake.write_days(
                layer,
                table,
                rows.filter(_within(piece)),
                piece,
                commit=commit if piece[1] == days[1] else unfinished,
            )
            for piece in pieces(days, at_once)
        ]
    )


def _within(days: Days) -> pl.Expr:
    return pl.col(PARTITION).is_between(*days)


def store_rejects(
    lake: Lake, table: str, result: CleanResult, days: Days, commit: Commit
) -> tuple[Written, Written]:
    """Stores what was quarantined and what was a duplicate."""
    quarantine = lake.write_days(
        "quarantine", table, result.quarantined, days, commit=commit, where={"_stage": "silver"}
    )
    duplicates = lake.write_days("duplicates", table, result.duplicates, days, commit=commit)
    return quarantine, duplicates


def rejects_by_rule(quarantined: pl.DataFrame) -> pl.DataFrame:
    """Grain: gaming day and rule: gaming_day, rule, rows."""
    return (
        quarantined.explode("_rules", keep_nulls=True)
        .group_by("gaming_day", rule="_rules")
        .agg(rows=pl.len().cast(pl.Int64))
        .sort("gaming_day", "rows", "rule", descending=[False, True, False])
    )


def refresh_silver(
    lake: Lake, settings: Settings, table: str, days: Days, commit: Commit
) -> Cleaned:
    """Bronze to silver for some days of one table, stored: rejects first, so that a run that
    is cut short leaves rows counted twice rather than lost. Its days count as not derived
    until the marts have followed."""
    commit = replace(commit, derived=dict.fromkeys(each_day(days), ALONE))
    result = clean_days(lake, settings, table, days)
    quarantine, duplicates = store_rejects(lake, table, result, days, commit)
    silver = store(lake, "silver", table, result.good, days, commit)
    return Cleaned(silver, quarantine, duplicates, rejects_by_rule(result.quarantined))
