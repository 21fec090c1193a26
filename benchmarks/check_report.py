"""The report of checks over a year of results, of every check that is declared.

`python -m benchmarks check_report`
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.lake import START, measured
from lakehouse.contracts import contract
from lakehouse.quality.recorded import LAYER, TABLE, marks_of
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Check
from lakehouse.settings import load_settings
from lakehouse.storage import Commit, Lake, stored_schema
from lakehouse.storage.shapes import partition_columns, stored_tables

DAYS = 365
REJECTED = 50
"""Rows in quarantine a day and table."""
RULES = 12
"""Rules of a table that rows break."""
COMMIT = Commit("bench", "bench", "1")
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SQL = "SELECT * FROM {}.{} WHERE gaming_day = DATE '{}' AND ((coin_in >= 0) IS FALSE)"


def main() -> None:
    days = [START + dt.timedelta(days=n) for n in range(DAYS)]
    print("| a report of 365 days | wall s | CPU s | peak MB | page MB |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        lake = Lake(str(root / "lake"))
        declared = list(checks(load_settings(), AT).values())
        store(lake, days)
        found = results(lake, declared, days)
        lake.rebuild(LAYER, TABLE, lambda _: found, commit=COMMIT, days=(days[0], days[-1]))
        what = f"{len(declared)} checks, {found.height:,} results, "
        for shape in ("html", "junit", "json"):
            out = root / f"checks.{shape}"
            asked = ["checks", "report", "--format", shape, "--out", str(out)]
            wall, cpu, peak = measured([sys.executable, "-m", "lakehouse", *asked], root)
            size = out.stat().st_size / 1e6
            print(f"| {what}{shape} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {size:.1f} |")


def store(lake: Lake, days: list[dt.date]) -> None:
    """A row a day in each table, so that there is a log to ask for changes; many in quarantine."""
    for layer, table in stored_tables("bronze", "silver", "gold", "quarantine"):
        if (layer, table) == (LAYER, TABLE) or not partition_columns(layer, table):
            continue
        each = REJECTED if layer == "quarantine" else 1
        rows = pl.DataFrame({"gaming_day": days}).select(pl.all().repeat_by(each).explode())
        given = {"gaming_day": pl.col("gaming_day")}
        if layer == "quarantine":
            rules = [f"{n}|nullability" for n in list(contract(table).columns)[:RULES]]
            nth = pl.int_range(pl.len()) % len(rules)
            rule = nth.replace_strict(range(len(rules)), rules)
            given |= {"_rules": pl.concat_list(rule), "_stage": pl.lit("silver")}
        schema = stored_schema(layer, table)
        shaped = rows.select(given.get(n, pl.lit(None)).cast(t).alias(n) for n, t in schema.items())
        lake.write_days(layer, table, shaped, (days[0], days[-1]), commit=COMMIT)


def results(lake: Lake, declared: list[Check], days: list[dt.date]) -> pl.DataFrame:
    """One for each check and day: of a hundred, three warn or fail."""
    rows = [
        _row(check, day, number * 31 + at * 17, mark)
        for number, check in enumerate(declared)
        for at, (day, mark) in enumerate(sorted(marks_of(lake, check.tables, days).items()))
    ]
    return pl.DataFrame(rows, schema=stored_schema(LAYER, TABLE))


def _row(check: Check, day: dt.date, number: int, mark: str) -> dict[str, object]:
    layer, table = check.table
    passed = number % 100 >= 3
    amount = number % 97
    status = "failed" if check.severity == "error" else "warned"
    return {
        "gaming_day": day,
        "layer": layer,
        "table_name": table,
        "check_name": check.name,
        "family": check.family.value,
        "severity": check.severity,
        "status": "passed" if passed else status,
        "measure": amount / 1000,
        "bound": 0.05,
        "failing_rows": 0 if passed else amount,
        "checked_rows": 20_000,
        "said": f"{amount} of 20,000 rows break a rule of their table: coin_in is at least 0.",
        "keys": json.dumps([] if passed else [f"EVT-{number}-{n:04}" for n in range(10)]),
        "sql": None if passed else SQL.format(layer, table, day),
        "is_stale": False,
        "judged_of": mark,
        "run_id": "bench",
        "judged_at": AT,
    }
