"""`lakehouse generate`: flags, counts, formats, protection, and files complete or absent."""

from __future__ import annotations

import hashlib
import itertools
import json
import stat
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.simulate.kernel import files
from lakehouse.simulate.kernel.producers import producers

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


@pytest.mark.slow
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


def key_file(folder: Path, secret: str = "a") -> Path:
    path = folder / f"{secret}.secret"
    path.write_text(secret * 64)
    path.chmod(0o600)
    return path


def test_no_taxpayer_number_can_be_tried_from_its_hash(made: Path) -> None:
    """900-00-nnnn with the last four digits shown: one try each would do without a key."""
    tried = 0
    for table in ("player_profile", "compliance"):
        known = read(made, table).drop_nulls("ssn_hash")
        for hashed, masked in known.select("ssn_hash", "ssn_masked").iter_rows():
            last = masked[-4:]
            for text in (f"90000{last}", f"900-00-{last}", last, masked):
                assert hashed != hashlib.sha256(text.encode()).hexdigest()
                tried += 1
    assert tried > 100


def test_files_and_key_are_their_owners_alone(tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert generate(out, "--players", "20", "--slots", "20", "-d", "1") == 0
    key = tmp_path / "out.pii-key"
    assert str(key) in capsys.readouterr().err
    assert [p.name for p in out.glob("*key*")] == []
    for path in (*out.iterdir(), key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_key_of_each_output_or_one_that_is_named(tmp_path: Path) -> None:
    few, key = ("--players", "30", "-d", "1", "-f", "csv"), key_file(tmp_path)
    named = {"a": key, "b": key, "c": key_file(tmp_path, "c")}
    for out, path in named.items():
        assert generate(tmp_path / out, *few, "--key-file", str(path)) == 0
        assert not (tmp_path / f"{out}.pii-key").exists()
    for out in ("d", "e", "d"):
        before = (tmp_path / out / "bronze_player_profile.csv").exists()
        was = content(tmp_path / out) if before else None
        assert generate(tmp_path / out, *few) == 0
        assert was is None or content(tmp_path / out) == was
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert len({content(tmp_path / out) for out in "acde"}) == 4


def content(out: Path) -> bytes:
    return (out / "bronze_player_profile.csv").read_bytes()


def test_no_key_where_nothing_is_hashed(tmp_path: Path) -> None:
    assert generate(tmp_path / "out", "--slots", "20", "-d", "1") == 0
    assert generate(tmp_path / "all", "--players", "20", "-d", "1", "--include-pii") == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all", "out"]


def test_ten_thousand_players_are_ten_thousand_people(tmp_path: Path) -> None:
    assert generate(tmp_path, "--players", "10000", "--financial", "300", "-d", "2") == 0
    people, cage = read(tmp_path, "player_profile"), read(tmp_path, "financial_txn")
    assert people.height == people["player_id"].n_unique() == 10_000
    assert people["gaming_day"].unique().to_list() == [people["gaming_day"].max()]
    named = set(cage["player_id"].drop_nulls())
    assert {p for p in named if p < "P99000000"} <= set(people["player_id"])


@pytest.mark.slow
def test_history_gives_the_versions(tmp_path: Path) -> None:
    few = ("--players", "300", "-d", "4", "-f", "parquet")
    assert generate(tmp_path / "a", *few, "--key-file", str(key_file(tmp_path))) == 0
    with_history = (*few, "--history", "--key-file", str(key_file(tmp_path)))
    assert generate(tmp_path / "b", *with_history) == 0
    people, versions = (read(tmp_path / x, "player_profile") for x in "ab")
    assert versions.height > 600
    assert set(versions["player_id"]) == set(people["player_id"])
    last = versions.filter(pl.col("gaming_day") == people["gaming_day"].max())
    assert last.sort("player_id").equals(people.sort("player_id"))


def test_include_pii_warns_and_writes_names(tmp_path: Path, capsys) -> None:
    assert generate(tmp_path, "--players", "60", "-d", "2", "--include-pii") == 0
    assert "warning: --include-pii" in capsys.readouterr().err
    assert not read(tmp_path, "player_profile")["first_name"].str.contains("*", literal=True).any()


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["csv", "json"])
def test_text_formats_hold_the_same_rows(tmp_path: Path, format_: str) -> None:
    few = ("--financial", "100", "-d", "2")
    assert generate(tmp_path, *few) == generate(tmp_path, *few, "-f", format_) == 0
    path = tmp_path / f"bronze_financial_txn.{format_}"
    expected = read(tmp_path, "financial_txn")
    if format_ == "csv":
        got = pl.read_csv(path, infer_schema=False)
    else:
        got = pl.DataFrame(
            [json.loads(n, parse_float=Decimal) for n in path.read_text().splitlines()],
            infer_schema_length=None,
        )
    assert got.columns == expected.columns
    assert got["transaction_id"].to_list() == expected["transaction_id"].to_list()
    assert [Decimal(a) for a in got["amount"]] == expected["amount"].to_list()


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for out in (one, two):
        assert generate(out, "--security", "200", "-s", "5", "-d", "4", "-f", "csv") == 0
    name = "bronze_security_events.csv"
    assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.slow
def test_filings_have_a_ceiling_and_a_reason(tmp_path: Path, capsys) -> None:
    assert generate(tmp_path, "--compliance", "3", "-d", "9") == 0
    assert read(tmp_path, "compliance").height == 3
    said = capsys.readouterr().err
    assert "consequence of the play" in said
    assert "at most 3" in said


def test_no_filings_still_make_a_file(tmp_path: Path) -> None:
    assert generate(tmp_path, "--compliance", "5", "-d", "1") == 0
    made = read(tmp_path, "compliance")
    assert made.is_empty()
    stored = contract("compliance").bronze_schema()
    assert dict(itertools.islice(made.schema.items(), len(stored))) == dict(stored)


def test_faults_can_be_left_out(tmp_path: Path) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    assert generate(clean, "--slots", "20000", "-d", "2", "--no-faults") == 0
    assert generate(dirty, "--slots", "20000", "-d", "2") == 0
    assert read(clean, "slot_telemetry")["event_id"].is_unique().all()
    assert not read(dirty, "slot_telemetry")["event_id"].is_unique().all()


@pytest.mark.slow
def test_scale_multiplies_the_default_volumes(tmp_path: Path) -> None:
    assert generate(tmp_path, "--all", "--scale", "0.01", "-d", "3") == 0
    assert read(tmp_path, "slot_telemetry").height == 5_000
    assert read(tmp_path, "security_events").height == 250


def test_all_is_every_simulated_table(tmp_path: Path, capsys) -> None:
    assert generate(tmp_path, "--all", "--scale", "0.01", "-d", "9", "--rows", "gaming_wins=1") == 0
    made = {p.name.removeprefix("bronze_").removesuffix(".parquet") for p in tmp_path.iterdir()}
    assert made == set(producers())
    assert read(tmp_path, "gaming_wins").height == 1
    said = capsys.readouterr().err
    assert "gaming_wins: a consequence of the play" in said
    assert "slot_telemetry: a consequence" not in said


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
    "no count": (["--rows", "gaming_wins"], "write TABLE=COUNT"),
    "no such table": (
        ["--rows", "wins=3"],
        "--rows wins: simulated tables are clickstream, compliance",
    ),
    "too many": (["--rows", "gaming_wins=99999999999"], "--rows gaming_wins=99999999999: 0 to"),
    "days": (["--all", "-d", "0"], "--days 0"),
    "seed": (["--all", "-s", "-1"], "--seed -1"),
    "start": (["--all", "--start", "tomorrow"], "--start 'tomorrow'"),
    "long ago": (["--all", "--start", "1999-01-01"], "2018-01-01"),
    "scale": (["--all", "--scale", "0"], "--scale 0"),
    "history of nobody": (["--slots", "9", "--history"], "--history goes with --players"),
    "no key": (["--players", "9", "--key-file", "none"], "key file none does not exist"),
    "key for nothing": (["--players", "9", "--include-pii", "--key-file", "k"], "--key-file goes"),
    "unknown flag": (["--all", "--colour", "red"], "--colour"),
}


@pytest.mark.slow
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


@pytest.mark.slow
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
