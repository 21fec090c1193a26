"""No personal data outside the restricted zone: every text of silver and gold is looked at."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from lakehouse.contracts import contract
from lakehouse.quality.personal import VAULT, found_texts, text_columns, vault_texts
from lakehouse.quality.profiles import Table, profiled_tables
from lakehouse.quality.registry import declares
from lakehouse.quality.results import KEYS_SHOWN, Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, portions, stored_schema

_DAY = "gaming_day"
_VAULT = ("restricted", "identity_vault")


@declares
def privacy_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    """The vault is looked into and told nothing of: a result names columns and kinds, and the
    keys of rows, never a text."""
    for layer, table in profiled_tables():
        if layer != "bronze" and text_columns(stored_schema(layer, table)):
            yield Check(
                "no_personal_data",
                (layer, table),
                Family.PRIVACY,
                "error",
                "Whoever may read this table may not know who its patrons are. It stops nothing: a "
                "row can be read once it is written, and reports to the law are due though a note "
                "holds a phone number. Nothing is to be published while it fails.",
                "No text is or holds an SSN, e-mail address, phone or card number, or is a value "
                "of the identity vault; what the contract shows on purpose, as a city, is not "
                "held against the vault.",
                partial(judge, (layer, table)),
            )


def judge(table: Table, lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    columns = text_columns(stored_schema(*table))
    known = _vault_now(lake)
    rows = _rows(lake, table, days)
    found: dict[dt.date, pl.DataFrame] = {}
    for piece in portions(lake, days, table, most=_CELLS // len(columns)) if rows else ():
        scan = lake.scan(*table, days=piece)
        texts = found_texts(scan, columns, known)
        told = texts.filter((pl.col("kind") != VAULT) | ~pl.col("column").is_in(_shown(table)))
        if told.height:
            found |= _by_day(scan, table, told)
    return {
        day: _judgement(table, rows.get(day, 0), len(columns), found.get(day))
        for day in each_day(days)
    }


_CELLS = 4_000_000
"""Texts in hand at a time."""


def _rows(lake: Lake, table: Table, days: Days) -> dict[dt.date, int]:
    """Gaming day → rows, from the log; of a table in one piece, from its rows."""
    stored = lake.partitions(*table)
    if stored["gaming_day"].null_count():
        counted = lake.scan(*table, days=days, columns=[_DAY]).group_by(_DAY).len().collect()
    else:
        held = stored.filter(pl.col("rows") > 0, pl.col(_DAY).is_between(*days))
        counted = held.select(_DAY, "rows")
    return dict(counted.iter_rows())


def _shown(table: Table) -> list[str]:
    """Columns that hold personal data as it is, by contract: such as the city of a patron."""
    c = contract(table[1])
    about = {n: c.metadata(n) for n in c.columns}
    return [n for n, said in about.items() if said.get("pii") and not said.get("protect")]


def _by_day(scan: pl.LazyFrame, table: Table, texts: pl.DataFrame) -> dict[dt.date, pl.DataFrame]:
    """Gaming day → rows that hold such texts: key, column, kind."""
    key = pl.concat_str(pl.col(contract(table[1]).key or [_DAY]).cast(pl.String), separator=" ")
    parts = []
    for (name,), known in texts.partition_by("column", as_dict=True).items():
        outer = str(name).split(".")[0]
        one = scan.select(_DAY, outer, key=key)
        rows = _flat(one, outer, str(name)).join(known.lazy(), on="text")
        parts.append(rows.select(_DAY, "key", "column", "kind").unique())
    return {
        day: rows
        for (day,), rows in pl.concat(parts).collect().partition_by(_DAY, as_dict=True).items()
    }


def _flat(rows: pl.LazyFrame, outer: str, name: str) -> pl.LazyFrame:
    """A row for each text of a column: `text` beside the others."""
    for part in (None, *name.split(".")[1:]):
        if part is not None:
            rows = rows.with_columns(pl.col(outer).struct.field(part).alias(outer))
        if isinstance(rows.collect_schema()[outer], pl.List):
            rows = rows.explode(outer)
    return rows.rename({outer: "text"})


def _judgement(table: Table, rows: int, columns: int, found: pl.DataFrame | None) -> Judgement:
    if found is None:
        return Judgement(
            True, f"{columns} columns of text hold no personal data.", 0.0, 0.0, 0, rows
        )
    keys = found["key"].unique().sort()
    by = found.group_by("column", "kind").len().sort("column", "kind")
    words = [f"{column} holds a {kind} in {count:,} rows" for column, kind, count in by.iter_rows()]
    return Judgement(
        False,
        f"{'; '.join(words)}.",
        measure=float(len(keys)),
        bound=0.0,
        failing_rows=len(keys),
        checked_rows=rows,
        keys=tuple(keys[:KEYS_SHOWN]),
        sql=_sql(table, keys[:KEYS_SHOWN]),
        more={"columns": ", ".join(found["column"].unique().sort())},
    )


def _sql(table: Table, keys: pl.Series) -> str | None:
    """The rows by key: what was found may stand in no query."""
    by = contract(table[1]).key
    if len(by) != 1:
        return None
    quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
    return f"SELECT * FROM {table[0]}.{table[1]} WHERE {by[0]} IN ({quoted})"


@dataclass(frozen=True)
class _Asked:
    root: str
    version: int | None
    lake: Lake = field(compare=False, repr=False)


@functools.lru_cache(maxsize=1)
def _vault(asked: _Asked) -> pl.Series:
    return vault_texts(asked.lake.scan(*_VAULT))


def _vault_now(lake: Lake) -> pl.Series:
    """The vault's texts as it is now, read once for all tables."""
    return _vault(_Asked(lake.root, lake.version(*_VAULT), lake))
