"""`lakehouse init`, `run`, `demo` and `maintain`, as a user types them."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from lakehouse import cli
from lakehouse.serve.signin.roles import roles
from lakehouse.serve.signin.users import Users
from lakehouse.storage import Lake


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a lake and an instance of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SCALE", "0.02")
    monkeypatch.setenv("LAKEHOUSE_START", "2025-01-01")
    return tmp_path


def lakehouse(*arguments: str, place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakehouse", *arguments],
        cwd=place,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


GROUPS = (
    "matches no asset; such as 'key:gold/player_day' or 'group:silver'; the groups are bronze, "
    "compliance, detection, floor, restricted, silver, truth"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--from", "2025-13-01"], "--from '2025-13-01' is no day; write it as 2025-01-31"),
        (["run", "--from", "2024-12-31"], "no gaming day 2024-12-31: the lake has 2025-01-01 to"),
        (["run", "--from", "2025-01-02", "--to", "2025-01-01"], "the first is after the last"),
        (["run", "--from", "2025-01-01", "--select", "key:gold/x"], GROUPS),
        (["init", "--source", "kafka"], "setting 'source': "),
        (["maintain"], "has no tables; `lakehouse run` makes them"),
        (["maintain", "slots"], "table 'slots': write it as layer.table"),
        (["maintain", "silver.slots"], "unknown table 'slots'"),
    ],
)
def test_bad_input_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.startswith("lakehouse: ")
    assert captured.out == ""


def test_init_makes_a_lake_ready_and_overwrites_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["init"]) == 0
    key = place / "lake.keys" / "pii-key"
    secret = key.read_bytes()
    assert (place / "home" / "dagster.yaml").exists()
    assert key.stat().st_mode & 0o777 == 0o600
    assert cli.run(["init"]) == 0
    assert key.read_bytes() == secret


def test_a_new_lake_starts_a_month_ago_and_stays_there(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAKEHOUSE_START")
    noon = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)  # 05:00 in Los Angeles: still the 30th
    monkeypatch.setattr("lakehouse.commands.caller.now", lambda: noon)
    assert cli.run(["init"]) == 0
    assert (place / "lakehouse.toml").read_text() == "start = 2026-02-28\n"
    monkeypatch.setattr("lakehouse.commands.caller.now", lambda: noon + dt.timedelta(days=9))
    assert cli.run(["init"]) == 0
    assert "from 2026-02-28" in capsys.readouterr().err.splitlines()[-3]


def test_a_start_that_was_chosen_stays(place: Path) -> None:
    assert cli.run(["init"]) == 0
    assert not (place / "lakehouse.toml").exists()


def test_init_for_landed_data(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "--source", "landing"]) == 0
    assert (place / "lakehouse.toml").read_text() == 'source = "landing"\n'
    assert (place / "lake" / "landing" / "slot_telemetry").is_dir()
    assert cli.run(["init", "--source", "both"]) == 2
    assert "lakehouse.toml is there already" in capsys.readouterr().err


def test_an_unwritable_root_is_one_line(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").write_text("")
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(place / "file" / "lake"))
    assert cli.run(["run", "--from", "2025-01-01"]) == 1
    error = capsys.readouterr().err
    assert "cannot make folder" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_a_day_is_run_then_maintained(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["run", "--from", "2025-01-01", "--select", "group:bronze"]) == 0
    done = capsys.readouterr()
    assert done.out == ""
    # The contract of each, and when the rows of the four tables of events came in.
    assert done.err.startswith("9 partitions made, 13 checks passed, 0 not")
    lake = Lake(str(place / "lake"))
    assert lake.scan("bronze", "slot_telemetry").select(pl.len()).collect().item() > 0
    [newest, *_] = lake.history("bronze", "slot_telemetry")
    assert newest.asset == "bronze/slot_telemetry"
    assert newest.days == "2025-01-01..2025-01-01"
    assert cli.run(["maintain", "bronze.slot_telemetry"]) == 0
    assert "bronze.slot_telemetry" in capsys.readouterr().out
    assert cli.run(["maintain", "--retention-days", "1"]) == 2
    assert "forget older versions" in capsys.readouterr().err


SECRET = re.compile(r"^  [a-z2-9]{5}(?:-[a-z2-9]{5}){3}$", re.MULTILINE)


@pytest.mark.slow
def test_the_demo_shows_the_days_and_a_second_one_makes_nothing_again(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lakehouse("demo", place=place)
    assert first.returncode == 0, first.stderr
    for said in (
        "2025-01-07",
        "Most valuable patrons",
        "key_clash",
        "make ui",
    ):
        assert said in first.stdout, said
    assert re.search(r"^Alerts of 2025-01-07: \d+, of all days \d+;", first.stdout, re.MULTILINE)
    last = first.stdout.splitlines()[-1]
    report = place / "lake.reports" / "checks.html"
    assert re.fullmatch(rf"Checks: \d+ of \d+ passed on every day; .*report: {report}", last)
    assert "May these days be trusted?" in report.read_text(encoding="utf-8")
    versions = Lake(str(place / "lake")).version("gold", "property_day")
    monkeypatch.setenv("NO_COLOR", "1")
    capsys.readouterr()
    assert cli.run(["demo"]) == 0
    second = capsys.readouterr()
    assert "nothing is made again" in second.err
    assert Lake(str(place / "lake")).version("gold", "property_day") == versions
    one, two = (SECRET.findall(out) for out in (first.stdout, second.out))
    assert len(one) == len(two) == 1
    assert one != two
    new = re.compile(rf", done in |^{SECRET.pattern}$", re.MULTILINE)
    shown = [line for line in first.stdout.splitlines() if not new.search(line)]
    assert shown == [line for line in second.out.splitlines() if not new.search(line)]
    users = Users(place / "lake.serve")
    assert {u.name: u.roles for u in users.all() if u.is_demo} == {r: (r,) for r in roles()}
    assert users.who("host", two[0].strip()) is not None
    assert users.who("host", one[0].strip()) is None
    assert json.dumps(shown).count("error:") == 0
