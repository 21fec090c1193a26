"""Cases through the front door: landing, bronze, silver, gold, and the answer compared."""

from __future__ import annotations

import datetime as dt
import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from lakehouse.cli import run
from lakehouse.compliance.scenarios import Case, answers_to, differences, read_cases
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


Given = tuple[Case, dict[str, Any]]


@pytest.fixture(scope="module")
def answered() -> dict[Path, list[Given]]:
    """File → its cases with their answers; all were tried together."""
    cases = {file: read_cases(file)[0] for file in [REFERENCE, *EXAMPLES]}
    found = iter(answers_to(list(chain.from_iterable(cases.values()))))
    return {file: [(case, next(found)) for case in given] for file, given in cases.items()}


@pytest.mark.slow
@pytest.mark.parametrize("file", [REFERENCE, *EXAMPLES], ids=lambda f: f.stem)
def test_the_cases_hold(answered: dict[Path, list[Given]], file: Path) -> None:
    cases, found = zip(*answered[file], strict=True)
    assert [one["id"] for one in found] == [case.id for case in cases]
    assert all(one.keys() == KEYS for one in found)
    wrong = {c.id: list(differences(c.expect, one)) for c, one in zip(cases, found, strict=True)}
    assert {case: lines for case, lines in wrong.items() if lines} == {}


def cage(key: str | None, kind: str, player: str | None, usd: str, at: int = 20) -> dict:
    method = "Check" if kind == "CHIP_REDEMPTION" else "Cash"
    return {
        "transaction_id": key,
        "transaction_type": kind,
        "transaction_timestamp": f"2026-11-10T{at}:00:00-08:00",
        "player_id": player,
        "amount": usd,
        "payment_method": method,
    }


def of(key: str, *rows: dict, home: dict[str, str] | None = None, **settings: str) -> Case:
    people = [{"player_id": p, "address_line1": a} for p, a in (home or {}).items()]
    tables = {"financial_txn": list(rows), "player_profile": people}
    as_of = dt.datetime(2026, 12, 31, 20, tzinfo=dt.UTC)
    return Case(key, "us-federal", as_of, settings, tables, {})


BUY = "CHIP_PURCHASE"
WOULD_MEET = [
    of("pooled", cage("t1", BUY, "PA", "9000.00"), cage("t2", BUY, "PB", "9000.00", 21),
       cage("t3", "CHIP_REDEMPTION", "PC", "18000.00", 22)),
    of("chips of others", cage("t1", BUY, "PA", "9000.00"), cage("t2", BUY, "PD", "8000.00", 21)),
    of("a cheque alone", cage("t3", "CHIP_REDEMPTION", "PC", "18000.00", 22)),
    of("one of a house", cage("t1", BUY, "P1", "6000.00"), home={"P1": "1 Main St"}),
    of("another of it", cage("t1", BUY, "P2", "6000.00"), home={"P2": "1 Main St"}),
    of("unknown", cage("t1", BUY, None, "16000.00")),
    of("unknown too", cage("t1", BUY, None, "16000.00")),
    of("a key twice", cage("t1", BUY, "P1", "11000.00"), cage("t1", BUY, "P1", "12000.00")),
    of("no key", cage(None, BUY, "P1", "11000.00"), cage("t2", BUY, "P1", "x")),
    of("a foreign column", {"extra": 1, "Amount": "5.00"} | cage("t1", BUY, "P1", "11000.00")),
    of("another setting", cage("t1", BUY, "P1", "11000.00"), multiple_transaction_log_over="2500"),
]  # fmt: skip


@pytest.mark.slow
def test_cases_together_are_answered_as_each_alone():
    """They name the same ids, days and addresses, and would pool their chips."""
    alone = [answers_to([case])[0] for case in WOULD_MEET]
    assert answers_to(WOULD_MEET) == alone
    assert [len(one["multiple_transaction_log"]) for one in alone] == [0] * (len(alone) - 1) + [1]
    [pooled] = alone[0]["sar_cases"]
    assert (pooled["typology"], pooled["player_id"]) == ("pooling", "PC")


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
