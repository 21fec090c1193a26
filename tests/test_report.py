"""The day's report on a page."""

from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.storage import Lake
from tests.small_lake import FIRST, LAST, fill, put


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    fill(made)
    put(
        made,
        "gold",
        "property_day",
        {
            "gaming_day": [FIRST, LAST],
            "headcount": [12, 15],
            "win": ["-250.00", "1000.50"],
            "slot_hold": [0.123456, None],
            "is_reconciled": [True, True],
        },
    )
    put(
        made,
        "gold",
        "slot_performance",
        {
            "machine_id": ["M1", "M2", "M3"],
            "gaming_day": [LAST, LAST, FIRST],
            "denomination": ["1.00", "1.00", "5.00"],
            "coin_in": ["100.00", "300.00", "10.00"],
            "win": ["10.00", "10.00", "10.00"],
            "theo": ["8.00", "24.00", "1.00"],
            "is_hold_outside": [False, True, True],
        },
    )
    monkeypatch.setenv("LAKEHOUSE_ROOT", made.root)
    return made


def test_the_newest_day_is_reported(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("# Friday 2025-01-03\n")
    assert "| figure | 2025-01-03 |\n" in said
    assert "| headcount | 15 |\n| new_players |  |\n" in said
    assert "| win | 1000.50 |\n" in said
    assert "| 1.00 | 2 | 400.00 | 20.00 | 0.05 | 0.08 |\n" in said, "20 of 400; 32 of 400"
    assert "| M2 | 10.00 | 24.00 | -14.00 |\n" in said
    assert "M1" not in said
    assert "## Tables by game\n\nNone.\n" in said


def test_another_day(lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "day.md"
    assert cli.run(["report", "2025-01-01", "--out", str(out)]) == 0
    said = out.read_text(encoding="utf-8")
    assert said.startswith("# Wednesday 2025-01-01\n")
    assert "| slot_hold | 0.1235 |" in said
    assert "| compliance | 1 |" in said, "two rejects may be SARs"
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2025-01-02", "no report of 2025-01-02; gaming days in gold: 2025-01-01 to 2025-01-03"),
        ("yesterday", "DAY 'yesterday' is no day; write it as 2025-01-31"),
    ],
)
def test_a_day_that_is_not_there(
    lake: Lake, capsys: pytest.CaptureFixture[str], day: str, said: str
) -> None:
    assert cli.run(["report", day]) == 2
    assert said in capsys.readouterr().err


def test_an_empty_lake_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--root", str(tmp_path / "none"), "report"]) == 2
    assert "none; `lakehouse run` makes some" in capsys.readouterr().err
