"""Cases through the front door: landing, bronze, silver, gold, and the answer compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lakehouse.cli import run
from lakehouse.compliance.scenarios import Case, answer_to, differences, read_cases
from lakehouse.compliance.scenarios.comparing import matches
from lakehouse.errors import BadInput

ROOT = Path(__file__).parents[1]
REFERENCE = Path(__file__).parent / "reference_cases.json"
EXAMPLES = sorted((ROOT / "examples" / "cases").glob("*.json"))
KEYS = {
    *("id", "ctr", "w2g", "form_1042s", "form_8300", "sar_cases", "alerts", "instrument_log"),
    *("multiple_transaction_log", "exceptions", "annual_due_dates", "retention"),
    *("player_value", "quarantine"),
}


def _all(files: list[Path]) -> list[Case]:
    return [case for file in files if file.exists() for case in read_cases(file)[0]]


def _assert_holds(case: Case) -> None:
    found = answer_to(case)
    assert found.keys() == KEYS
    assert list(differences(case.expect, found)) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", _all([REFERENCE]), ids=lambda c: c.id)
def test_the_reference_case_holds(case):
    _assert_holds(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", _all(EXAMPLES), ids=lambda c: c.id)
def test_the_example_case_holds(case):
    _assert_holds(case)


def test_there_are_examples_enough_each_with_its_citation():
    found = [c for file in EXAMPLES for c in json.loads(file.read_text(encoding="utf-8"))]
    assert len(found) >= 20
    assert all(c["source"] and c["note"] for c in found)
    assert len({c["id"] for c in found}) == len(found)


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        ("10.5", "10.50", True),
        (10001, 10001, True),
        (10001, "10001", False),
        ("600.00", "600.01", False),
        ("112", "0112", False),
        (True, 1, False),
        (None, None, True),
        (None, False, False),
        (["a", "b"], ["b", "a"], True),
        (["a"], ["a", "b"], False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": None}, {}, False),
        ([], [{"a": 1}], False),
        # One object cannot answer for two, and the choice of one may not starve another
        ([{"a": 1}, {"a": 1}], [{"a": 1}, {"a": 2}], False),
        ([{"a": 1}, {"a": 1, "b": 2}], [{"a": 1, "b": 2}, {"a": 1, "b": 3}], True),
    ],
)
def test_matching(wanted, got, same):
    assert matches(wanted, got) is same


def test_alerts_alone_may_hold_more():
    found = {"alerts": [{"kind": "x"}, {"kind": "y"}], "ctr": [{"a": 1}, {"a": 2}]}
    assert list(differences({"alerts": [{"kind": "y"}]}, found)) == []
    assert len(list(differences({"alerts": []}, found))) == 1
    assert len(list(differences({"ctr": [{"a": 1}]}, found))) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot read cases"),
        ('{"as_of": "2026-01-01T00:00:00Z"}', "an object with an id"),
        ('{"id": "X"}', "as_of must be a timestamp"),
        ('{"id": "X", "as_of": "2026-01-01T00:00:00"}', "has no offset"),
        ('{"id": "X", "as_of": "2026-01-01T00:00:00Z", "tables": {"t": []}}', "unknown table 't'"),
        ('{"id": "X", "as_of": "2026-01-01T00:00:00Z", "settings": {"s": 1}}', "unknown setting"),
        (
            '{"id": "X", "as_of": "2026-01-01T00:00:00Z", "tables": {"financial_txn": [1]}}',
            "list of objects",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_fault(tmp_path, text, says):
    file = tmp_path / "case.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        read_cases(file)


PURCHASE = {
    "transaction_id": "t1",
    "transaction_type": "CHIP_PURCHASE",
    "transaction_timestamp": "2026-11-10T20:00:00-08:00",
    "player_id": "P1",
    "amount": "10000.01",
    "payment_method": "Cash",
}


def case_file(folder: Path, expect: dict, *, listed: bool = False) -> str:
    case = {
        "id": "X1",
        "as_of": "2026-12-31T12:00:00-08:00",
        "tables": {"financial_txn": [PURCHASE, PURCHASE | {"transaction_id": "t2", "amount": "x"}]},
        "expect": expect,
    }
    file = folder / "case.json"
    file.write_text(json.dumps([case] if listed else case), encoding="utf-8")
    return str(file)


def test_one_case_is_answered_by_one_object(tmp_path, capsys):
    file = case_file(tmp_path, {"ctr": [{"player_id": "P1", "cash_in": 10001}]})
    assert run(["cases", "try", "--check", file]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == KEYS
    [report] = found["ctr"]
    assert report["cash_in"] == 10001
    assert report["due"] == "2026-11-25"
    assert [(q["table"], q["record_id"]) for q in found["quarantine"]] == [("financial_txn", "t2")]


def test_a_list_is_answered_by_a_list_and_a_difference_is_status_1(tmp_path, capsys):
    file = case_file(tmp_path, {"ctr": []}, listed=True)
    assert run(["cases", "try", "--check", file]) == 1
    printed = capsys.readouterr()
    assert [c["id"] for c in json.loads(printed.out)] == ["X1"]
    assert "X1: ctr: expected []" in printed.err


def test_a_missing_file_is_status_2(tmp_path, capsys):
    assert run(["cases", "try", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
