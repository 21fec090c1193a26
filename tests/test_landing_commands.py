"""`land`, `ingest` and `quarantine` as they are typed: what they do, say, and end with."""

import json
import tomllib
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.settings import load_settings
from lakehouse.storage import Lake
from tests.landed import CAGE, bronze, cage_csv, cage_row

EXAMPLES = Path(__file__).parents[1] / "examples"
EXPORT = EXAMPLES / "data" / "slot_accounting.csv"
MAPPING = EXAMPLES / "mappings" / "slot_accounting.toml"
SLOTS = "slot_telemetry"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake for landed data, and a file of the cage in the working folder: one row is good."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("ROOT", "lake"), ("SOURCE", "landing"), ("START", "2025-01-01")):
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    monkeypatch.setenv("LAKEHOUSE_REJECTED_SHARE", "1")
    (tmp_path / "cage.csv").write_text(cage_csv(cage_row(1), "t2,2025-01-05T12:00:00,1.00"))
    (tmp_path / "zone.toml").write_text('timezone = "America/Los_Angeles"\n')
    return Lake.open(load_settings())


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    """What a command prints, to standard output and to standard error."""
    assert cli.run(arguments) == status
    done = capsys.readouterr()
    return done.out, done.err


def test_a_file_is_landed_and_taken_in(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "land", str(EXPORT), "-t", SLOTS, "-m", str(MAPPING))
    assert out == ""
    assert err.splitlines()[-1] == "`lakehouse ingest` takes them in"
    zone = Path(lake.root) / "landing" / SLOTS
    assert sorted(p.name for p in zone.iterdir()) == [
        "slot_accounting.csv",
        "slot_accounting.csv.done",
        "slot_accounting.csv.mapping.toml",
    ]
    _, err = said(capsys, "ingest", "--bronze-only")
    assert "ingested" in err
    assert bronze(lake, "event_id", table=SLOTS) == [("100001",), ("100002",), ("100003",)]
    assert said(capsys, "ingest", "--bronze-only")[1] == "nothing new in the landing zone\n"


def test_only_the_named_table_is_taken_in(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "land", "cage.csv", "-t", CAGE)
    said(capsys, "ingest", "--bronze-only", "-t", SLOTS)
    assert bronze(lake, "transaction_id") == []
    said(capsys, "ingest", "--bronze-only", "-t", CAGE)
    assert bronze(lake, "transaction_id") == [("t1",)]


@pytest.mark.slow
def test_a_file_that_cannot_be_read_ends_with_its_reason(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_text("x,y\n1,2\n")
    said(capsys, "land", "bad.csv", "cage.csv", "-t", CAGE)
    _, err = said(capsys, "ingest", "--bronze-only", status=1)
    assert err.splitlines()[-1].startswith(
        "lakehouse: not taken in: financial_txn/bad.csv lacks column transaction_id, "
        "transaction_timestamp; the file has 2, of which we know none; `lakehouse land FILE"
    )
    assert bronze(lake, "transaction_id") == [("t1",)]
    assert said(capsys, "ingest", "--bronze-only")[1] == "nothing new in the landing zone\n"


def test_days_outside_the_lake_stay_in_bronze_and_are_told(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_START", "2026-01-01")
    Path("cage.csv").write_text(cage_csv(cage_row(1)))
    said(capsys, "land", "cage.csv", "-t", CAGE)
    _, err = said(capsys, "ingest")
    assert "1 gaming days lie outside 2026-01-01 to " in err
    assert "deriving" not in err


def test_infer_proposes_a_mapping_and_says_what_it_could_not_match(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = said(capsys, "land", str(EXPORT), "--infer")
    columns = tomllib.loads(out)["columns"]
    assert columns["event_id"]["from"] == "EvtSeq"
    assert columns["coin_in"] == {"from": "CoinInCents", "unit": "cents"}
    assert columns["event_timestamp"]["format"] == "%m/%d/%Y %I:%M:%S %p"
    assert "nothing in the file for manufacturer, which slot_telemetry requires\n" in err
    assert not Path(lake.root).exists()


@pytest.mark.slow
def test_quarantine_is_listed_shown_and_retried(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "land", "cage.csv", "-t", CAGE)
    said(capsys, "ingest", "--bronze-only")
    out, _ = said(capsys, "quarantine", "list", "-o", "json", "--rule", "no_offset")
    (found,) = json.loads(out)
    rule = "transaction_timestamp|no_offset_and_no_timezone"
    assert (found["table"], found["stage"], found["rule"]) == (CAGE, "ingest", rule)
    assert (found["sources"], found["rows"]) == ([f"{CAGE}/cage.csv"], 1)
    assert json.loads(said(capsys, "quarantine", "list", "-t", SLOTS, "-o", "json")[0]) == []
    out, _ = said(capsys, "quarantine", "show", CAGE, "-o", "csv")
    assert "t2,2025-01-05T12:00:00" not in out  # landed text may hold personal data
    whole = ("quarantine", "show", CAGE, "-n", "1", "-o", "csv", "--raw")
    out, err = said(capsys, *whole, status=2)
    assert (out, "--raw needs --purpose" in err) == ("", True)
    out, err = said(capsys, *whole, "--purpose", "mend the cage's export", status=2)
    assert (out, "needs the key file" in err) == ("", True)
    said(capsys, "access", "init")
    out, err = said(capsys, *whole, "--purpose", "mend the cage's export")
    asked = lake.scan("restricted", "access_log").sort("entry").collect().row(-1, named=True)
    assert (asked["purpose"], asked["query"]) == (
        "mend the cage's export",
        f"quarantine show {CAGE} --raw",
    )
    assert out.splitlines()[1].endswith(f',{rule},{CAGE}/cage.csv,3,"t2,2025-01-05T12:00:00,1.00"')
    assert err == ""
    _, err = said(capsys, "quarantine", "retry", CAGE, "-m", "zone.toml")
    assert err.startswith(f"{CAGE}: 1 of 1 rejected rows went to bronze; silver rejects ")
    assert "gold follows with: lakehouse run --from 2025-01-05 --to 2025-01-05\n" in err
    assert bronze(lake, "transaction_id") == [("t1",), ("t2",)]


def test_the_table_is_that_of_the_mapping_where_none_is_said(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cage.toml").write_text(f'table = "{CAGE}"\n')
    said(capsys, "land", "cage.csv", "-m", "cage.toml")
    assert (Path(lake.root) / "landing" / CAGE / "cage.csv").is_file()


def test_lists_show_whole_rules(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "land", "cage.csv", "-t", CAGE)
    said(capsys, "ingest", "--bronze-only")
    out, _ = said(capsys, "quarantine", "list")
    assert "…" not in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["land", "nope.csv", "-t", CAGE], "nope.csv is no file"),
        (["land", "cage.csv"], "land needs --table, such as --table slot_telemetry"),
        (["land", "cage.csv", "-m", "zone.toml"], "land needs --table"),
        (["land", "cage.csv", "-m", "nope.toml"], "mapping nope.toml: "),
        (["land", "cage.csv", "-t", "player_value"], "no rows can be landed in 'player_value'"),
        (["land", "cage.csv", "-t", CAGE, "-m", "nope.toml"], "mapping nope.toml: "),
        (["land", "cage.csv", "-t", CAGE, "-m", "cage.csv"], "mapping cage.csv: "),
        (["land", "cage.csv", "-t", CAGE, "-m", str(MAPPING)], "is for table 'slot_telemetry'"),
        (["land", "cage.csv", "zone.toml", "--infer"], "--infer looks at one file; 2 given"),
        (["land", "nope.csv", "--infer"], "nope.csv: "),
        (["land", "cage.csv", "--infer", "-t", "nope"], "unknown table 'nope'"),
        (["ingest", "-t", "nope"], "'nope' takes no files; those that do: compliance, "),
        (["ingest", "-t", "player_value"], "'player_value' takes no files; those that do: "),
        (
            ["quarantine", "list", "-t", "nope"],
            "'nope' has no quarantine; tables: clickstream, compliance, ",
        ),
        (["quarantine", "list", "--from", "2025"], "--from '2025' is no day"),
        (["quarantine", "show", "player_value"], "'player_value' has no quarantine; tables: "),
        (
            ["quarantine", "retry", "nope"],
            "'nope' has no quarantine; tables: clickstream, compliance, ",
        ),
        (["quarantine", "retry", CAGE, "-m", "nope.toml"], "mapping nope.toml: "),
    ],
)
def test_wrong_input_is_one_line_and_status_2(
    lake: Lake, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    out, err = said(capsys, *arguments, status=2)
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("lakehouse: ")
    assert told in err
    assert not (Path(lake.root) / "landing").exists()


@pytest.mark.parametrize(
    "arguments", [["land", "cage.csv", "-t", CAGE], ["ingest"], ["ingest", "-t", CAGE]]
)
def test_a_table_that_the_simulator_fills_takes_no_files(
    lake: Lake,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "simulator")
    _, err = said(capsys, *arguments, status=2)
    assert err.endswith("set source to landing or both, such as LAKEHOUSE_SOURCE=landing\n")
    assert not (Path(lake.root) / "landing").exists()
