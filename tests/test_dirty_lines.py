"""Files whose lines hold what typed rows cannot: what can be read is, and the rest is kept out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from landed import up_to_silver

from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.generators import PlayerEventGenerator, ShopActionGenerator
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.files.reading import open_file
from lakehouse.ingest.files.row_typing import Judged, join, judge
from lakehouse.settings import Settings
from lakehouse.silver import clean
from lakehouse.storage import Lake

SHIPPED = Path(__file__).parents[1] / "examples/mappings/clickstream.toml"
NOW = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
ZONE = "America/Los_Angeles"
FILES = {
    "clickstream": "clickstream_20250101_060000.csv",
    "shop_actions": "bronze_shop_actions.csv",
    "player_events": "bronze_player_events.csv",
    "purchases": "bronze_purchases.csv",
    "server_metrics": "bronze_server_metrics.csv",
    "shop_orders": "bronze_shop_orders.csv",
}
TIMES = {"time_with_offset", "time_in_utc", "time_without_zone", "time_epoch_s", "time_epoch_ms"}
REJECTED = {"missing_time", "unreadable_time", "missing_value", "wrong_type", "negative_amount"}


def generate(out: Path, *more: str, tables: Iterable[str] = FILES) -> Path:
    """Of each table 1,500 rows: enough for every kind of dirt."""
    asked = [w for t in tables for w in (f"--{t.replace('_', '-')}", "1500")]
    asked += ["--days", "2", "--include-pii", "--dirty"]
    assert run(["generate", "-o", str(out), *asked, *more]) == 0
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("dirty"), "-f", "csv")


def truth_of(file: Path) -> pl.DataFrame:
    kinds = {"line": pl.Int64, "defect": pl.String, "column": pl.String, "fate": pl.String}
    return pl.read_csv(file.with_name(f"{file.name}.truth.csv"), schema=kinds)


def mapping_for(table: str, file: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The shipped one of a foreign file; else what is proposed for the file."""
    if table == "clickstream":
        return SHIPPED
    path = file.with_suffix(".toml")
    if not path.exists():
        capsys.readouterr()
        assert run(["land", str(file), "--infer", "-t", table]) == 0
        path.write_text(capsys.readouterr().out)
    return path


def landed(file: Path, table: str, mapping: Path) -> Judged:
    c, used = contract(table), load_mapping(mapping, table)
    found = inspect(file, used)
    origin = Origin(c, used, file.name, NOW.date(), NOW, ZONE, found.digest)
    return join([judge(piece, origin) for piece in open_file(file, found, c, used).pieces])


def fates(file: Path, table: str, mapping: Path) -> tuple[pl.DataFrame, int, int]:
    """Rows of silver; how many lines were kept out; and how many told what another had."""
    got = landed(file, table, mapping)
    done = clean(table, got.good.with_columns(_batch_id=pl.lit("b")), timezone=ZONE)
    return done.good, got.bad.height + done.quarantined.height, done.duplicates.height


def only(file: Path, name: str, lines: set[int]) -> Path:
    """A file of these lines under the header."""
    text = file.read_text().splitlines(keepends=True)
    path = file.with_name(name)
    path.write_text(text[0] + "".join(t for n, t in enumerate(text, 1) if n in lines))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("table", FILES)
def test_exactly_the_lines_that_the_truth_names_are_kept_out(
    table: str, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made / FILES[table]
    mapping, truth = mapping_for(table, file, capsys), truth_of(file)
    wrong = set(truth.filter(fate="quarantine")["line"])
    again = set(truth.filter(fate="duplicates")["line"])
    every = set(range(2, 2 + len(file.read_text().splitlines()) - 1))
    assert wrong | again <= every
    assert wrong
    silver, kept_out, duplicates = fates(file, table, mapping)
    assert kept_out == len(wrong)
    assert silver.height + kept_out + duplicates == len(every)
    _, none, once = fates(only(file, f"right_{table}.csv", every - wrong - again), table, mapping)
    nothing, all_, _ = fates(only(file, f"wrong_{table}.csv", wrong), table, mapping)
    assert none == 0
    assert (nothing.height, all_) == (0, len(wrong))
    assert duplicates - once == len(again)


def test_every_kind_of_dirt_is_met(made: Path) -> None:
    defects = {t: set(truth_of(made / f)["defect"]) for t, f in FILES.items()}
    of_lines = {"retransmit", "out_of_order"}
    assert defects["shop_actions"] == TIMES | REJECTED | of_lines | {"number_as_text"}
    assert defects["player_events"] == (TIMES | REJECTED | of_lines) - {
        "wrong_type",
        "negative_amount",
    }
    shown = TIMES - {"time_without_zone"} | {"time_of_unknown_zone", "number_as_text"}
    assert defects["clickstream"] == shown | REJECTED | of_lines
    lost = truth_of(made / FILES["shop_actions"]).filter(defect="missing_time").height
    assert 50 <= lost <= 100  # 5% of 1,500


def test_the_truth_tells_what_stands_in_a_line(made: Path) -> None:
    file = made / FILES["shop_actions"]
    lines, header = file.read_text().splitlines(), file.read_text().split("\n")[0].split(",")
    told = {
        "missing_time": r"^$",
        "unreadable_time": r"^(yesterday|2025-13-45 12:00:00|12h30)$",
        "time_epoch_s": r"^17357\d{5}$|^17358\d{5}$|^17359\d{5}$",
        "time_epoch_ms": r"^1735[789]\d{8}$",
        "time_without_zone": r"^2025-01-0[123] \d\d:\d\d:\d\d$",
        "time_in_utc": r"^2025-01-0[123]T.*Z$",
        "time_with_offset": r"^2025-01-0[123]T.*\+02:00$",
        "wrong_type": r"^(abc|twelve|1\.2\.3)$",
        "number_as_text": r"^\$\d+\.\d\d$",
        "negative_amount": r"^-\d+\.\d\d$",
        "missing_value": r"^$",
    }
    for line, defect, column, _ in truth_of(file).rows():
        if column:
            cell = lines[line - 1].split(",")[header.index(column)]
            assert pl.Series([cell]).str.contains(told[defect]).all(), (defect, cell)
    second = [n for n, d in truth_of(file).select("line", "defect").rows() if d == "retransmit"]
    assert all(lines[n - 1] in lines[max(n - 25, 0) : n - 1] for n in second)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ShopActionGenerator, PlayerEventGenerator])
def test_times_in_mixed_forms_are_read_as_they_were(
    kind: type[ShopActionGenerator | PlayerEventGenerator],
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = kind.table
    file = generate(tmp_path, "-f", "csv", "--no-faults", tables=[table]) / FILES[table]
    silver, _, _ = fates(file, table, mapping_for(table, made / FILES[table], capsys))
    days = {"start_date": dt.date(2025, 1, 1), "end_date": dt.date(2025, 1, 3)}
    clean_ = kind(faults=False, include_pii=True, **days).generate(1500)
    both = silver.join(clean_, on="event_id", suffix="_was")
    assert both.height > 1_000
    apart = (both["timestamp_was"] - both["timestamp"]).dt.total_microseconds()
    assert apart.min() == 0
    assert apart.max() < 1_000_000


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path, made: Path) -> None:
    same = generate(tmp_path / "same", "-f", "csv")
    names = sorted(p.name for p in same.iterdir())
    assert len(names) == 2 * len(FILES)
    assert all((same / n).read_bytes() == (made / n).read_bytes() for n in names)
    other = generate(tmp_path / "other", "-f", "csv", "--seed", "7")
    assert all((other / n).read_bytes() != (made / n).read_bytes() for n in names)


def test_lines_of_json_stay_json(tmp_path: Path, made: Path) -> None:
    out = generate(tmp_path, "-f", "json", tables=["shop_actions"])
    file = out / "bronze_shop_actions.json"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    cells = {
        (defect, type(rows[line - 1][column]).__name__)
        for line, defect, column, _ in truth_of(file).filter(pl.col("column") != "").rows()
    }
    assert {n for d, n in cells if d == "missing_value"} == {"NoneType"}
    assert {n for d, n in cells if d in ("wrong_type", "number_as_text")} == {"str"}
    assert {n for d, n in cells if d == "negative_amount"} == {"float"}
    assert {n for d, n in cells if d.startswith("time_epoch")} == {"int"}
    assert {r["action"] == r["event"] == r["event_type"] for r in rows} == {True}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--clickstream", "10"], "Parquet holds typed values"),
        (["--slots", "10", "-f", "csv"], "--dirty is for clickstream, player_events, purchases"),
    ],
)
def test_what_cannot_be_dirty_is_refused(
    asked: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", "-o", str(tmp_path / "out"), "--dirty", *asked]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_lake_keeps_out_what_the_truth_says(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online", "platform", "shop"]')
    monkeypatch.setenv("LAKEHOUSE_REJECTED_SHARE", "1")
    monkeypatch.setenv("LAKEHOUSE_ORPHANS", json.dumps(dict.fromkeys(FILES, "keep")))
    up_to_silver(monkeypatch, *FILES)
    for table, name in FILES.items():
        mapping = mapping_for(table, made / name, capsys)
        assert run(["land", str(made / name), "-t", table, "-m", str(mapping)]) == 0
    assert run(["ingest"]) == 0
    lake = Lake.open(Settings())
    for table, name in FILES.items():
        wrong = truth_of(made / name).filter(fate="quarantine").height
        held = lake.scan("quarantine", table).collect()
        assert held.height == wrong
        silver = lake.scan("silver", table).collect().height
        again = lake.scan("duplicates", table).collect().height
        assert silver + again + wrong == len((made / name).read_text().splitlines()) - 1
