"""Keys that come in two files: clashes, corrections, and what was there first."""

import datetime as dt
import itertools
import shutil
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.run import Outcome
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.storage import Lake
from tests.landed import CAGE, bronze, cage_csv, drop, lake_at, mapped, take_in, up_to_silver
from tests.small_lake import COMMIT
from tests.test_exactly_once import killed

DAYS = (dt.date(2025, 1, 4), dt.date(2025, 1, 8))


def on(day: int, number: int, amount: str) -> str:
    return f"t{number},2025-01-0{day}T12:00:00-08:00,{amount}"


A = cage_csv(on(5, 1, "1.00"), on(5, 2, "1.00"), on(7, 3, "1.00"))
B = cage_csv(on(5, 1, "2.00"), on(5, 2, "1.00"), on(6, 3, "2.00"), on(4, 4, "2.00"))
"""Of A's keys t1 has another amount, t2 is the same row, and t3 is of another day."""


def clashing(lake: Lake) -> list[tuple[object, ...]]:
    """Of all stages: key, amount and file of rows whose key stands for several contents."""
    held = lake.scan("quarantine", CAGE).collect()
    held = held.filter(held["_rules"].list.contains("key_clash"))
    named = held.select("transaction_id", "amount", "_source").sort("_source", "transaction_id")
    return [(k, str(a), s) for k, a, s in named.rows()]


def landed(lake: Lake, *files: tuple[str, str], at_once: bool = False) -> list[Outcome]:
    _, settings = lake_at(Path(lake.root).parent)
    outcomes: list[Outcome] = []
    for name, content in files:
        drop(lake, f"{CAGE}/{name}", content)
        if not at_once:
            outcomes += take_in(lake, settings).outcomes
            refresh_silver(lake, settings, CAGE, DAYS, COMMIT)
    outcomes += take_in(lake, settings).outcomes
    refresh_silver(lake, settings, CAGE, DAYS, COMMIT)
    return outcomes


def good(lake: Lake) -> list[tuple[object, ...]]:
    return [(k, str(a)) for k, a in bronze(lake, "transaction_id", "amount")]


CLASHES = [
    ("t1", "1.00", "landing:financial_txn/a.csv"),
    ("t3", "1.00", "landing:financial_txn/a.csv"),
    ("t1", "2.00", "landing:financial_txn/b.csv"),
    ("t3", "2.00", "landing:financial_txn/b.csv"),
]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("order", list(itertools.permutations([("a.csv", A), ("b.csv", B)])))
def test_keys_of_two_files_clash_in_any_order_and_on_any_day(
    tmp_path: Path, order: tuple[tuple[str, str], ...], at_once: bool
) -> None:
    lake, _ = lake_at(tmp_path)
    *_, last = landed(lake, *order, at_once=at_once)
    assert clashing(lake) == CLASHES
    assert conservation(lake, CAGE).holds
    first = order[0][0]
    assert last.reason.startswith(f"3 of its keys came in {CAGE}/{first} too;")
    (row,) = lake.scan("ops", "ingest_ledger").filter(reason=last.reason).collect().to_dicts()
    assert (row["path"], row["state"]) == (last.name, "ingested")


def test_a_third_file_clashes_with_what_is_set_aside_and_silver_keeps_no_row(
    tmp_path: Path,
) -> None:
    lake, _ = lake_at(tmp_path)
    third = cage_csv(on(8, 3, "3.00"), on(8, 9, "3.00"))
    landed(lake, ("a.csv", A), ("b.csv", B), ("c.csv", third))
    assert [c for c in clashing(lake) if c[0] == "t3"] == [
        ("t3", "1.00", "landing:financial_txn/a.csv"),
        ("t3", "2.00", "landing:financial_txn/b.csv"),
        ("t3", "3.00", "landing:financial_txn/c.csv"),
    ]
    assert "t3" not in [k for k, _ in good(lake)]
    assert conservation(lake, CAGE).holds


def test_a_correction_under_the_same_name_ends_the_clash(tmp_path: Path) -> None:
    lake, _ = lake_at(tmp_path)
    landed(lake, ("a.csv", A), ("b.csv", B))
    landed(lake, ("b.csv", cage_csv(on(5, 1, "1.00"), on(7, 3, "1.00"))))
    assert clashing(lake) == []
    assert good(lake) == [
        *(("t1", "1.00"), ("t1", "1.00"), ("t2", "1.00"), ("t2", "1.00")),
        *(("t3", "1.00"), ("t3", "1.00"), ("t4", "2.00")),
    ]
    assert conservation(lake, CAGE).holds


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("replace", [("t1", "2.00"), ("t2", "1.00"), ("t3", "2.00"), ("t4", "2.00")]),
        ("keep_first", [("t1", "1.00"), ("t2", "1.00"), ("t3", "1.00"), ("t4", "2.00")]),
    ],
)
def test_the_mapping_says_which_row_counts(
    tmp_path: Path, said: str, kept: list[tuple[str, str]]
) -> None:
    lake, _ = lake_at(tmp_path)
    mapped(lake, f'on_same_key = "{said}"\n')
    *_, last = landed(lake, ("a.csv", A), ("b.csv", B))
    assert good(lake) == kept
    assert last.replaced_rows == 3
    assert clashing(lake) == []
    assert conservation(lake, CAGE).holds


def test_the_later_file_says_it(tmp_path: Path) -> None:
    lake, _ = lake_at(tmp_path)
    place = Path(lake.root) / "landing" / CAGE
    place.mkdir(parents=True)
    (place / "b.csv.mapping.toml").write_text('on_same_key = "replace"\n')
    landed(lake, ("a.csv", A), ("b.csv", B), ("c.csv", cage_csv(on(5, 4, "9.00"))))
    assert [c[:2] for c in clashing(lake)] == [("t4", "2.00"), ("t4", "9.00")]
    # What b says of its keys does not come to life when a is read again.
    (place / "a.csv.mapping.toml").write_text('nulls = ["-"]\n')
    landed(lake)
    assert [c[:2] for c in clashing(lake)] == [("t4", "2.00"), ("t4", "9.00")]
    assert [g for g in good(lake) if g[0] != "t4"] == [
        ("t1", "2.00"), ("t2", "1.00"), ("t3", "2.00")
    ]  # fmt: skip
    assert conservation(lake, CAGE).holds


def test_profiles_of_two_days_are_two_rows(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    for day in (3, 2):
        drop(lake, f"player_profile/{day}.csv", f"player_id,gaming_day\nP1,2025-01-0{day}\n")
        take_in(lake, settings)
    assert bronze(lake, "player_id", table="player_profile") == [("P1",), ("P1",)]


@pytest.mark.slow
def test_a_clash_killed_at_any_step_is_settled_once(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path / "first")
    drop(lake, f"{CAGE}/a.csv", A)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/b.csv", B)
    for fatal in itertools.count(1):
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy)
        status = killed(copy, fatal)
        again, settings = lake_at(copy)
        take_in(again, settings)
        refresh_silver(again, settings, CAGE, DAYS, COMMIT)
        assert clashing(again) == CLASHES, fatal
        assert conservation(again, CAGE).holds, fatal
        assert take_in(again, settings).outcomes == (), fatal
        if status == 0:
            break
    assert fatal > 6


@pytest.mark.slow
def test_what_is_withdrawn_clashes_no_more(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path / "first")
    drop(lake, f"{CAGE}/a.csv", A)
    take_in(lake, settings)
    gone = drop(lake, f"{CAGE}/b.csv", B)
    seen = set()
    for fatal in itertools.count(1):
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy)
        status = killed(copy, fatal)
        again, settings = lake_at(copy)
        (copy / "lake" / gone.relative_to(lake.root)).unlink()
        seen |= {o.state for o in take_in(again, settings).outcomes}
        if status == 0:
            break
        assert good(again) == [("t1", "1.00"), ("t2", "1.00"), ("t3", "1.00")], fatal
        assert conservation(again, CAGE).holds, fatal
    assert seen == {"withdrawn"}


def test_the_command_names_both_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    up_to_silver(monkeypatch, CAGE)
    for name, content in (("a.csv", A), ("b.csv", B)):
        (tmp_path / name).write_text(content)
        assert cli.run(["land", str(tmp_path / name), "--table", CAGE]) == 0
    capsys.readouterr()
    assert cli.run(["ingest"]) == 1  # six of seven rows are rejected
    told = " ".join(capsys.readouterr().err.split())
    assert f"{CAGE}/b.csv: 3 of its keys came in {CAGE}/a.csv too; where their contents" in told
    assert cli.run(["quarantine", "show", CAGE, "--rule", "key_clash"]) == 0
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("t1", "t3", "a.csv", "b.csv"))
