"""`lakehouse checks`: what is unexplained is listed and ends with 1; what is explained is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import small_lake

from lakehouse.cli import run
from lakehouse.storage import Lake

SESSION = {
    "event_id": ["B", "G"],
    "event_type": ["BILL_IN", "GAME_PLAY"],
    "session_id": ["S", "S"],
    "player_id": ["P1", "P1"],
    "amount": ["100.00", None],
    "coin_in": [None, "70.00"],
    "coin_out": [None, "0.00"],
    "gaming_day": [small_lake.FIRST] * 2,
}
TICKET = {
    "event_id": ["T"],
    "event_type": ["TICKET_OUT"],
    "session_id": ["S"],
    "amount": ["30.00"],
    "gaming_day": [small_lake.FIRST],
    "_stage": ["silver"],
    "_rules": [["zone|domain"]],
}


@pytest.fixture
def lake(tmp_path, monkeypatch) -> Lake:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    made = Lake(str(tmp_path / "lake"))
    small_lake.put(made, "silver", "slot_telemetry", SESSION)
    return made


def said(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[dict[str, Any]], str]:
    status = run(["checks", "--from", str(small_lake.FIRST), "-o", "json", *more])
    told = capsys.readouterr()
    return status, json.loads(told.out), told.err.strip()


def test_a_discrepancy_that_no_row_explains(lake, capsys):
    assert run(["access", "init"]) == 0
    capsys.readouterr()
    status, found, summary = said(capsys, "--restricted", "--purpose", "review of January")
    assert status == 1
    assert [(r["truth"], r["subject"], r["expected"], r["found"]) for r in found] == [
        ("sessions_balance", "S", "100.00", "70.00")
    ]
    assert summary == (
        "discrepancies: 1, of them explained by rows in quarantine: 0, unexplained: 1"
    )


def test_a_discrepancy_that_a_rejected_row_explains(lake, capsys):
    small_lake.put(lake, "quarantine", "slot_telemetry", TICKET)
    assert said(capsys)[:2] == (0, [])
    status, found, _ = said(capsys, "--all", "--truth", "sessions_balance")
    assert status == 0
    assert [(r["rows"], r["rules"]) for r in found] == [("slot_telemetry T", "zone|domain")]


def test_the_days_are_those_of_any_table_that_a_truth_reads(lake, capsys):
    """This lake has no cage."""
    assert run(["checks"]) == 1
    assert "sessions_balance" in capsys.readouterr().out


def test_a_lake_without_days_has_none_to_check(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "none"))
    assert run(["checks"]) == 2
    assert "no gaming day" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--truth", "no_such"], "unknown truth"),
        (["--to", "2025-01-02"], "--to needs --from"),
        (["--from", "2025-01-03", "--to", "2025-01-02"], "is before"),
    ],
)
def test_bad_input(lake, capsys, arguments, complaint):
    assert run(["checks", *arguments]) == 2
    assert complaint in capsys.readouterr().err
