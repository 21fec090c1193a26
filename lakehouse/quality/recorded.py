"""Table `gold.check_results`: written at the end of each run, asked by commands and reports."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lakehouse.quality.results import Check, Judgement, Severity
from lakehouse.storage import Commit, Days, Lake, stored_schema
from lakehouse.storage.marks import digest
from lakehouse.storage.shapes import partition_columns

LAYER, TABLE = HOME = ("gold", "check_results")
KEY = ["gaming_day", "layer", "table_name", "check_name"]
CLOSED = "Of a restricted table it is told whether it passed, and nothing else."


@dataclass(frozen=True)
class Judged:
    """One check's judgement of one gaming day in a run. `mark` stands for what its tables then
    held; null of a restricted one, whose changes may not be seen."""

    check: Check
    day: dt.date
    judgement: Judgement
    severity: Severity
    mark: str | None


def marked(
    lake: Lake, check: Check, judgements: Mapping[dt.date, Judgement], severity: Severity
) -> list[Judged]:
    """Judgements with the mark of what was judged."""
    marks = marks_of(lake, check.tables, judgements) if not check.is_closed else {}
    return [
        Judged(check, day, judgement, severity, marks.get(day))
        for day, judgement in judgements.items()
    ]


def marks_of(
    lake: Lake, tables: Iterable[tuple[str, str]], days: Iterable[dt.date]
) -> dict[dt.date, str]:
    """Gaming day → a mark that is another one when any of these tables was written that day, by
    a run of another day too, as windows reach over. Of a table in one piece, when what it was
    derived from is another. Reads logs, no data."""
    held = [lake.tokens(*t, of_files=bool(partition_columns(*t))) for t in tables]
    return {day: digest(*(tokens.get(day, "") for tokens in held)) for day in days}


def record(
    lake: Lake,
    judged: Iterable[Judged],
    *,
    at: dt.datetime,
    commit: Commit,
    checks: Iterable[Check],
) -> None:
    """Puts the results of a run in the place of earlier ones, in one commit. Of those that it did
    not judge it says whether their tables have changed since; `checks` are all."""
    rows = _rows(judged, commit.run_id, at)
    if rows.is_empty():
        return
    days: Days = (rows["gaming_day"].min(), rows["gaming_day"].max())  # type: ignore[assignment]

    every = {check.key: check for check in checks}

    def replaced(held: pl.LazyFrame) -> pl.DataFrame:
        others = held.collect().join(rows, on=KEY, how="anti")
        return pl.concat([_stale_now(lake, others, every), rows]).sort(KEY)

    lake.rebuild(LAYER, TABLE, replaced, commit=commit, days=days)


def _rows(judged: Iterable[Judged], run_id: str, at: dt.datetime) -> pl.DataFrame:
    newest = {(j.check.key, j.day): _row(j) for j in judged}
    told = {"is_stale": False, "run_id": run_id, "judged_at": at}
    return pl.DataFrame([row | told for row in newest.values()], schema=stored_schema(*HOME))


def _row(judged: Judged) -> dict[str, Any]:
    check, found = judged.check, judged.judgement
    layer, table = check.table
    named = {
        "gaming_day": judged.day,
        "layer": layer,
        "table_name": table,
        "check_name": check.name,
        "family": check.family.value,
        "severity": judged.severity,
        "status": found.status(judged.severity).value,
        "judged_of": judged.mark,
    }
    if check.is_closed:
        return named | {"said": CLOSED, "keys": "[]"}
    measures = ("measure", "bound", "failing_rows", "checked_rows", "sql")
    return named | {
        **{name: getattr(found, name) for name in measures},
        "said": found.said or found.status(judged.severity).value,
        "keys": json.dumps(list(found.keys), ensure_ascii=False),
    }


def results(lake: Lake, checks: Iterable[Check], *, days: Days | None = None) -> pl.DataFrame:
    """Stored results of these checks, by day, table and name; with `is_stale` as it is now."""
    every = {check.key: check for check in checks}
    keys = pl.DataFrame(list(every), schema=KEY[1:], orient="row")
    held = lake.scan(LAYER, TABLE, days=days).collect().join(keys, on=KEY[1:], how="semi")
    return _stale_now(lake, held, every).sort(KEY)


def _stale_now(lake: Lake, held: pl.DataFrame, checks: Mapping[Any, Check]) -> pl.DataFrame:
    """`held`, with whether what was judged has changed. Whoever is declared no more has."""
    if held.is_empty():
        return held
    marked = held.filter(pl.col("judged_of").is_not_null()).select(KEY[1:]).unique().iter_rows()
    read = {t: n for n, t in enumerate({checks[key].tables for key in marked if key in checks})}
    of_check = [(*key, read.get(check.tables)) for key, check in checks.items()]
    keys = pl.DataFrame(of_check, schema=[*KEY[1:], ("read", pl.Int64)], orient="row")
    days = held["gaming_day"].unique().to_list()
    marks = [(d, n, m) for t, n in read.items() for d, m in marks_of(lake, t, days).items()]
    schema = {"gaming_day": pl.Date(), "read": keys.schema["read"], "now": pl.String()}
    now = pl.DataFrame(marks, schema=schema, orient="row")
    known = held.join(keys, on=KEY[1:], how="left").join(now, on=["gaming_day", "read"], how="left")
    same = pl.col("judged_of").is_null() | (pl.col("judged_of") == pl.col("now"))
    return known.with_columns(is_stale=~same.fill_null(value=False)).drop("read", "now")
