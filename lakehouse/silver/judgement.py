"""Splits bronze rows into good, quarantined and duplicate ones; none vanishes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract, contract, told_apart
from lakehouse.errors import BadInput, ContractError
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.silver.reading import Reading, read
from lakehouse.storage.shapes import stored_schema

Parents = Mapping[str, pl.LazyFrame]
"""Table name → its silver rows of all days."""
Known = Mapping[str, Callable[[pl.Series], pl.Series]]
"""Column → its values as silver has them in the parent, where they are protected there."""

_DAY = "gaming_day"


@dataclass(frozen=True)
class CleanResult:
    """Every bronze row is in exactly one of the three.

    `good`: bronze shape, in its domain and true to every rule of the contract.
    `quarantined`: quarantine shape, the row whole as bronze had it, all broken rules named.
    `duplicates`: bronze shape, later copies of a row that is in one of the other two.
    """

    good: pl.DataFrame
    quarantined: pl.DataFrame
    duplicates: pl.DataFrame


def clean(
    table: str,
    bronze: pl.LazyFrame | pl.DataFrame,
    *,
    timezone: str,
    parents: Parents = MappingProxyType({}),
    known_as: Known = MappingProxyType({}),
) -> CleanResult:
    """Cleans rows of a source table as its contract says.

    Rows of one gaming day or of many: the result for a day does not depend on the others.
    A retransmission, same key and content, reaches the day that its event is in, so copies
    and clashes are judged within a gaming day. Silver rows of `parents` decide on orphans;
    a table that is not given is not asked. Personal data is as it came: `privacy.protect`
    comes after. Raises BadInput for a table that has no bronze, ContractError for a frame
    without the contract's columns.
    """
    c = contract(table)
    if c.layer != "source":
        raise BadInput(f"table {table!r} has no bronze; it is {c.layer}")
    given = bronze.lazy().collect()
    reading = read(given, c, timezone=timezone)
    _refuse_strays(reading.raw, c)
    copies, clashes = _copies_and_clashes(reading, c)
    broken = {
        **_found(reading.unread),
        **_found({"key_clash": clashes}),
        **_broken_rules(reading, c, timezone),
        **_orphans(reading.rows, c, parents, known_as),
    }
    rejected = _any(broken, given.height) & ~copies
    return CleanResult(
        good=reading.rows.filter(~rejected & ~copies).cast(c.bronze_schema()),
        quarantined=_quarantined(reading, c, broken, rejected),
        duplicates=reading.raw.filter(copies),
    )


def verdicts(table: str, bronze: pl.DataFrame, *, timezone: str) -> pl.DataFrame:
    """Rows as silver would have them, but for personal data, in their order: each with `is_sound`,
    whether it keeps every rule that it can keep or break alone (not those of its key and of its
    parents), and `content`, a number by which copies of a key are told from clashes. For a stream,
    whose rows are not all there yet."""
    c = contract(table)
    reading = read(bronze, c, timezone=timezone)
    broken = _found(reading.unread) | _broken_rules(reading, c, timezone)
    content = reading.rows.select(pl.struct(pl.exclude(*PROVENANCE)).hash()).to_series()
    for left in reading.residue.iter_columns():
        seed = zlib.crc32(left.name.encode())
        content = content ^ left.hash(seed).set(left.is_null(), 0)
    return reading.rows.cast(c.bronze_schema()).with_columns(
        content.alias("content"), ~_any(broken, bronze.height).alias("is_sound")
    )


def _any(broken: dict[str, pl.Series], height: int) -> pl.Series:
    found = pl.Series([False], dtype=pl.Boolean).new_from_index(0, height)
    for rows in broken.values():
        found = found | rows
    return found


def _refuse_strays(raw: pl.DataFrame, c: Contract) -> None:
    """Before SARs were kept apart, bronze held them among the other filings."""
    strays = [n for n, rows in told_apart(c.name, raw).items() if n != c.name and rows.height]
    if strays:
        raise ContractError(
            f"bronze.{c.name} holds rows of {', '.join(strays)}, as lakes of earlier versions do; "
            "make its days anew"
        )


def _found(rules: dict[str, pl.Series]) -> dict[str, pl.Series]:
    return {name: rows for name, rows in rules.items() if rows.any()}


def _broken_rules(reading: Reading, c: Contract, timezone: str) -> dict[str, pl.Series]:
    # The key is judged within its gaming day and by content, apart from the contract.
    rules = {name: expr for name, expr in c.rules.items() if name != "primary_key"}
    if c.event_time:
        rules["event_in_gaming_day"] = gaming_day(pl.col(c.event_time), timezone) == pl.col(_DAY)
    kept = (expr.fill_null(True).alias(name) for name, expr in rules.items())
    verdicts = reading.rows.lazy().select(kept).collect()
    broken = {s.name: ~s for s in verdicts.iter_columns() if not s.all()}
    # A value that could not be read is not also missing.
    for name, rows in reading.unread.items():
        absent = f"{name.split('|')[0]}|nullability"
        if absent in broken:
            broken[absent] = broken[absent] & ~rows
    return _found(broken)


def _orphans(
    rows: pl.DataFrame, c: Contract, parents: Parents, known_as: Known
) -> dict[str, pl.Series]:
    found = {}
    for column, (table, key) in c.references().items():
        named = rows[column].drop_nulls().unique()
        if table not in parents or named.is_empty():
            continue
        known = parents[table].select(_known=key).lazy()
        told = named.to_frame().with_columns(_known=known_as.get(column, _as_it_is)(named))
        lost = told.lazy().join(known, on="_known", how="anti").collect()[column]
        found[f"{column}|orphan"] = rows[column].is_in(lost.implode()).fill_null(False)
    return _found(found)


def _as_it_is(named: pl.Series) -> pl.Series:
    return named


def _copies_and_clashes(reading: Reading, c: Contract) -> tuple[pl.Series, pl.Series]:
    """Rows that repeat an earlier one of their key and day, and rows whose key stands for
    several contents. Earlier is by the time of ingestion, then by batch."""
    rows = reading.rows
    key = list(dict.fromkeys([_DAY, *c.key]))
    named = pl.all_horizontal(pl.col(c.key).is_not_null())
    repeated = rows.select(pl.struct(key).is_duplicated() & named).to_series()
    spelling = reading.raw.filter(repeated).select(_s=pl.struct(pl.all()).struct.json_encode())
    residue = (left.alias(f"_left_{left.name}") for left in reading.residue.iter_columns())
    content = pl.struct(pl.exclude("_row", "_s", *PROVENANCE))
    judged = (
        rows.with_row_index("_row")
        .with_columns(residue)
        .filter(repeated)
        .with_columns(spelling)
        .sort("_ingested_at", "_batch_id", "_source", "_s", nulls_last=True)
        .select("_row", *key, copy=~content.is_first_distinct())
        .with_columns(clash=(~pl.col("copy")).sum().over(key) > 1)
    )
    at = pl.int_range(rows.height, eager=True)
    copies, clashes = (judged.filter(flag)["_row"].cast(pl.Int64) for flag in ("copy", "clash"))
    return at.is_in(copies.implode()), at.is_in(clashes.implode())


def _quarantined(
    reading: Reading, c: Contract, broken: dict[str, pl.Series], rejected: pl.Series
) -> pl.DataFrame:
    rules = pl.DataFrame([s.filter(rejected).alias(name) for name, s in sorted(broken.items())])
    names = [pl.when(pl.col(name)).then(pl.lit(name)) for name in rules.columns]
    listed = (
        rules.select(pl.concat_list(names).list.drop_nulls()).to_series()
        if names
        else pl.Series([], dtype=pl.List(pl.String))
    )
    schema = stored_schema("quarantine", c.name)
    return (
        reading.raw.filter(rejected)
        .with_columns(
            _stage=pl.lit("silver"),
            _rules=listed,
            _raw=reading.lost.filter(rejected),
            _file=pl.lit(None, pl.String),
            _line=pl.lit(None, pl.Int64),
        )
        .select(pl.col(n).cast(t) for n, t in schema.items())
    )
