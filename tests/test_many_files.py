"""Small files are stored together, and count as if each had come alone."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.run import Outcome
from lakehouse.storage import Lake
from tests.landed import (
    CAGE,
    bronze,
    cage_csv,
    cage_row,
    drop,
    lake_at,
    mapped,
    quarantined,
    take_in,
)
from tests.test_exactly_once import killed

REPLACE, FIRST = 'on_same_key = "replace"\n', 'on_same_key = "keep_first"\n'


def on(day: int, number: int, amount: str) -> str:
    return f"t{number},2025-01-0{day}T12:00:00-08:00,{amount}"


FILES = {
    "a.csv": (cage_csv(on(5, 1, "1.00"), on(5, 2, "1.00"), on(6, 3, "1.00"), on(5, 9, "bad")), ""),
    "b.csv": (cage_csv(on(5, 1, "2.00"), on(7, 4, "2.00"), on(5, 4, "bad")), REPLACE),
    "c.csv": (cage_csv(on(5, 2, "3.00"), on(8, 5, "3.00")), FIRST),
    "d.csv": (cage_csv(on(4, 3, "4.00"), on(8, 6, "4.00"), on(5, 9, "9.00")), ""),
    "e.csv": ("nothing,of,ours\n1,2,3\n", ""),
    "f.csv": (cage_csv(on(4, 4, "6.00"), on(8, 7, "6.00"), on(5, 9, "9.50")), REPLACE),
}
"""t1 is replaced by b, t2 is a's before c's, t3 clashes between a and d, t4 of b and t9 of d are
replaced by f, and a's reject of t9 gives way to it."""

GOOD = [
    *(("t1", "2.00"), ("t2", "1.00"), ("t4", "6.00"), ("t5", "3.00")),
    *(("t6", "4.00"), ("t7", "6.00"), ("t9", "9.50")),
]
ASIDE = [("t3", "1.00"), ("t3", "4.00")]


def put(lake: Lake, *names: str) -> None:
    for name in names:
        content, mapping = FILES[name]
        path = drop(lake, f"{CAGE}/{name}", content)
        path.with_name(f"{name}.mapping.toml").write_text(mapping)


def amounts(lake: Lake) -> list[tuple[str, str]]:
    return [(str(n), str(a)) for n, a in bronze(lake, "transaction_id", "amount")]


def aside(lake: Lake) -> list[tuple[str, str]]:
    held = lake.scan("quarantine", CAGE).filter(_stage="clash").collect()
    return sorted((str(n), str(a)) for n, a in held.select("transaction_id", "amount").rows())


def in_full(lake: Lake) -> tuple[object, ...]:
    return amounts(lake), aside(lake), quarantined(lake, "transaction_id", "_line")


def told(outcomes: list[Outcome]) -> list[tuple[object, ...]]:
    names = ("name", "state", "rows", "bronze_rows", "quarantine_rows", "replaced_rows", "reason")
    return [tuple(getattr(o, n) for n in names) for o in outcomes]


def test_ten_files_are_one_commit_a_table(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/first.csv", cage_csv(cage_row(0), cage_row(0, "bad")))
    take_in(lake, settings)
    tables = (("bronze", CAGE), ("quarantine", CAGE), ("ops", "ingest_ledger"))
    before = {t: lake.version(*t) or 0 for t in tables}
    for n in range(1, 11):
        drop(lake, f"{CAGE}/{n}.csv", cage_csv(cage_row(n), cage_row(100 + n, "bad")))
    outcomes = take_in(lake, settings).outcomes
    assert [(o.state, o.rows, o.bronze_rows) for o in outcomes] == [("ingested", 2, 1)] * 10
    commits = [(lake.version(*t) or 0) - before[t] for t in tables]
    assert commits == [1, 1, 2]
    assert len(amounts(lake)) == 11
    assert conservation(lake, CAGE).holds


def test_together_or_one_by_one_is_one_lake(tmp_path: Path) -> None:
    together, settings = lake_at(tmp_path / "together")
    put(together, *FILES)
    at_once = told([*take_in(together, settings).outcomes])
    alone, settings = lake_at(tmp_path / "alone")
    one_by_one = []
    for name in FILES:
        put(alone, name)
        one_by_one += told([*take_in(alone, settings).outcomes])
    assert at_once == one_by_one
    assert in_full(together) == in_full(alone) == (GOOD, ASIDE, [])
    for lake in (together, alone):
        assert conservation(lake, CAGE).holds
    replaced = {name: n for name, _, _, _, _, n, _ in at_once}
    assert replaced[f"{CAGE}/b.csv"] == 1
    assert replaced[f"{CAGE}/c.csv"] == 1
    assert replaced[f"{CAGE}/f.csv"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("more", [True, False])
def test_files_together_killed_at_any_step_count_once(tmp_path: Path, more: bool) -> None:
    """The next run finds them in other company, or not all of them."""
    lake, _ = lake_at(tmp_path / "first")
    put(lake, "a.csv", "b.csv", "c.csv", "d.csv", "e.csv", *(["f.csv"] if not more else []))
    for fatal in itertools.count(1):
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy)
        status = killed(copy, fatal, "together")
        assert status in (0, 9)
        again, settings = lake_at(copy)
        if more:
            put(again, "f.csv")
        take_in(again, settings)
        assert in_full(again) == (GOOD, ASIDE, []), fatal
        assert conservation(again, CAGE).holds, fatal
        assert take_in(again, settings).outcomes == (), fatal
        rows = again.scan("ops", "ingest_ledger").collect()
        assert Counter(rows["state"])["ingested"] == 5, fatal
        if status == 0:
            break
    assert fatal > 6


def test_the_same_content_twice_in_one_call_counts_once(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    for name in ("a", "b", "c"):
        drop(lake, f"{CAGE}/{name}.csv", cage_csv(cage_row(1)))
    drop(lake, f"{CAGE}/d.csv", cage_csv(cage_row(2)))
    states = [o.state for o in take_in(lake, settings).outcomes]
    assert states == ["ingested", "duplicate", "duplicate", "ingested"]
    assert amounts(lake) == [("t1", "1.00"), ("t2", "1.00")]


def test_a_mended_mapping_of_many_files_reads_each_again(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    for n in range(1, 4):
        drop(lake, f"{CAGE}/{n}.csv", cage_csv(cage_row(n, "150")))
    take_in(lake, settings)
    mapped(lake, '[columns.amount]\nunit = "cents"\n')
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"] * 3
    assert amounts(lake) == [("t1", "1.50"), ("t2", "1.50"), ("t3", "1.50")]
    assert conservation(lake, CAGE).holds
