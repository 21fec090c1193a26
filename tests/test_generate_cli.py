"""`lakehouse generate`: flags, counts, formats, protection, and files complete or absent."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.simulate import files

SMALL = ("--days", "2", "--slots", "900", "--tables", "300", "--players", "60")
SMALL += ("--financial", "120", "--security", "80", "--compliance", "50")


def generate(out: Path, *arguments: str) -> int:
    return run(["generate", "-o", str(out), *arguments])


def read(out: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(out / f"bronze_{table}.parquet")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    assert generate(out, *SMALL) == 0
    return out


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("slot_telemetry", 900),
        ("table_games", 300),
        ("player_profile", 60),
        ("financial_txn", 120),
        ("security_events", 80),
    ],
)
def test_counts_are_exact(made: Path, table: str, rows: int) -> None:
    frame = read(made, table)
    assert frame.height == rows
    assert frame.schema == contract(table).bronze_schema()


def test_only_the_tables_asked_for_are_written(tmp_path: Path) -> None:
    assert generate(tmp_path, "--slots", "50", "-d", "1") == 0
    assert [p.name for p in tmp_path.iterdir()] == ["bronze_slot_telemetry.parquet"]


def test_the_default_protects_personal_data(made: Path) -> None:
    people = read(made, "player_profile")
    assert people["first_name"].drop_nulls().str.contains(r"^.?\*\*\*$").all()
    assert people["address_line1"].drop_nulls().str.contains(r"^[0-9a-f]{64}$").all()


def test_include_pii_warns_and_writes_names(tmp_path: Path, capsys) -> None:
    assert generate(tmp_path, "--players", "60", "-d", "2", "--include-pii") == 0
    assert "warning: --include-pii" in capsys.readouterr().err
    assert not read(tmp_path, "player_profile")["first_name"].str.contains("*", literal=True).any()


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_text_formats_hold_the_same_rows(tmp_path: Path, format_: str) -> None:
    few = ("--financial", "100", "-d", "2")
    assert generate(tmp_path, *few) == generate(tmp_path, *few, "-f", format_) == 0
    path = tmp_path / f"bronze_financial_txn.{format_}"
    expected = read(tmp_path, "financial_txn")
    if format_ == "csv":
        got = pl.read_csv(path, infer_schema=False)
    else:
        got = pl.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    assert got.columns == expected.columns
    assert got["transaction_id"].to_list() == expected["transaction_id"].to_list()
    assert got["amount"].str.strip_chars().cast(pl.Decimal(18, 2)).equals(expected["amount"])


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for out in (one, two):
        assert generate(out, "--security", "200", "-s", "5", "-d", "4", "-f", "csv") == 0
    name = "bronze_security_events.csv"
    assert (one / name).read_bytes() == (two / name).read_bytes()


def test_filings_have_a_ceiling_and_a_reason(tmp_path: Path, capsys) -> None:
    assert generate(tmp_path, "--compliance", "3", "-d", "9") == 0
    assert read(tmp_path, "compliance").height == 3
    said = capsys.readouterr().err
    assert "consequence of the play" in said
    assert "at most 3" in said


def test_no_filings_still_make_a_file(tmp_path: Path) -> None:
    assert generate(tmp_path, "--compliance", "5", "-d", "1") == 0
    assert read(tmp_path, "compliance").schema == contract("compliance").bronze_schema()


def test_faults_can_be_left_out(tmp_path: Path) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    assert generate(clean, "--slots", "20000", "-d", "2", "--no-faults") == 0
    assert generate(dirty, "--slots", "20000", "-d", "2") == 0
    assert read(clean, "slot_telemetry")["event_id"].is_unique().all()
    assert not read(dirty, "slot_telemetry")["event_id"].is_unique().all()


def test_scale_multiplies_the_default_volumes(tmp_path: Path) -> None:
    assert generate(tmp_path, "--all", "--scale", "0.01", "-d", "3") == 0
    assert read(tmp_path, "slot_telemetry").height == 5_000
    assert read(tmp_path, "security_events").height == 250


def test_a_pipe_gets_a_summary_and_no_progress_bar(tmp_path: Path, capsys) -> None:
    assert generate(tmp_path, "--slots", "50", "-d", "1") == 0
    out, err = capsys.readouterr()
    assert "slot_telemetry" in out
    assert "gaming days" not in err


BAD = {
    "nothing": ([], "nothing to generate"),
    "format": (["--all", "-f", "avro"], "parquet, json, csv"),
    "negative": (["--slots", "-5"], "--slots -5"),
    "not a number": (["--slots", "many"], "--slots"),
    "days": (["--all", "-d", "0"], "--days 0"),
    "seed": (["--all", "-s", "-1"], "--seed -1"),
    "start": (["--all", "--start", "tomorrow"], "--start 'tomorrow'"),
    "long ago": (["--all", "--start", "1999-01-01"], "2018-01-01"),
    "scale": (["--all", "--scale", "0"], "--scale 0"),
    "unknown flag": (["--all", "--colour", "red"], "--colour"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_status_2_and_writes_nothing(
    tmp_path: Path, capsys, arguments: list[str], says: str
) -> None:
    assert generate(tmp_path / "out", *arguments) == 2
    err = capsys.readouterr().err.strip()
    assert says in err
    assert err.count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / "taken").write_text("mine")
    assert generate(tmp_path / "taken", "--slots", "10") == 2
    assert "name a folder" in capsys.readouterr().err
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_a_failure_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch, format_) -> None:
    """The second piece fails: what was there before stays whole."""
    from lakehouse.errors import StorageError
    from lakehouse.simulate import produce

    kept = tmp_path / f"bronze_security_events.{format_}"
    kept.write_text("before")
    usual = produce.table_frames

    def failing(*arguments, **named):
        yield next(iter(usual(*arguments, **named)))
        raise StorageError("no space left on device")

    monkeypatch.setattr(produce, "table_frames", failing)
    assert generate(tmp_path, "--security", "100", "-f", format_) == 1
    assert kept.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == [kept.name]


def test_a_sink_that_fails_says_so(tmp_path: Path) -> None:
    from lakehouse.errors import StorageError

    shape = contract("security_events").bronze_schema()
    file = files.ParquetFile(tmp_path / "missing" / "x.parquet", shape)
    with pytest.raises(StorageError, match=r"x\.parquet"):
        file.finish()
