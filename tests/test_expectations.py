"""Suites that users bring: how files are read, what a gaming day is told, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from lakehouse.quality.expectations.checks import Judged
from lakehouse.quality.expectations.engine import validate
from lakehouse.quality.expectations.frames import by_day
from lakehouse.quality.expectations.pages import write
from lakehouse.quality.expectations.suites import Suite, found, read_json, static_problem
from lakehouse.storage import Lake
from tests import small_lake
from tests.written_suites import (
    BETWEEN,
    FIRST,
    IN_SET,
    LAST,
    NOT_NULL,
    REGEX,
    SECOND,
    SLOTS,
    expects,
    python,
    said_of,
    statuses,
    written,
)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    made = Lake(str(tmp_path / "lake"))
    small_lake.put(made, "silver", "slot_telemetry", SLOTS)
    return made


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("slots.json", "name it <layer>.<table>.json or .py"),
        ("silver.slot_telemetry.yaml", "name it <layer>.<table>.json or .py"),
        ("silver.slots.json", "there is no table 'slots'"),
        ("quarantine.slot_telemetry.json", "no suites for layer 'quarantine'"),
        ("gold.slot_telemetry.json", "gold has no table 'slot_telemetry' that takes suites"),
        ("bronze.sar_filings.json", "bronze has no table 'sar_filings' that takes suites"),
        ("restricted.sar_cases.json", "no suites for layer 'restricted'"),
    ],
)
def test_a_file_that_is_no_suite_of_a_table(tmp_path: Path, name: str, complaint: str) -> None:
    (tmp_path / name).write_text("{}")
    suites, refused = found(tmp_path)
    assert suites == []
    assert str(tmp_path / name) in refused[0].said
    assert complaint in refused[0].said


def test_a_table_may_have_several_suites_but_not_two_of_one_name(tmp_path: Path) -> None:
    for name in ("silver.slot_telemetry.json", "silver.slot_telemetry.py", "README.md", "_own.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "silver.slot_telemetry.by-zone.json").write_text("{}")
    suites, refused = found(tmp_path)
    assert [(s.name, s.check) for s in suites] == [
        ("silver.slot_telemetry.by-zone", "expectations_by_zone"),
        ("silver.slot_telemetry", "expectations"),
    ]
    assert [r.file.name for r in refused] == ["silver.slot_telemetry.py"]
    assert found(tmp_path / "none") == ([], [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{bad", "no JSON: line 1"),
        ("[]", "no suite: it has no list of expectations"),
        ('{"expectations": [3]}', "expectation 1: is no object with type and kwargs"),
        ('{"expectations": [{"kwargs": {}}]}', "expectation 1: needs a type and kwargs"),
        (
            '{"expectations": [{"type": "expect_joy", "kwargs": {}}]}',
            "expectation 1 (expect_joy): Great Expectations has none of that type",
        ),
        (
            json.dumps({"expectations": [expects(NOT_NULL, column="coins")]}),
            f"expectation 1 ({NOT_NULL}): silver.slot_telemetry has no column 'coins'",
        ),
        (
            json.dumps({"expectations": [expects(NOT_NULL, "loud", column="zone")]}),
            "severity 'loud'; allowed: critical, warning, info",
        ),
    ],
)
def test_what_stands_against_a_file_is_known_without_running_it(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "silver.slot_telemetry.json"
    file.write_text(text)
    said = static_problem(Suite(file, "silver", "slot_telemetry"))
    assert said.startswith(f"{file}: ")
    assert complaint in said


def test_severity_and_mostly_are_great_expectations_own(lake: Lake) -> None:
    """Of four rows one has no zone, and of the three with one two are North."""
    suite = written(
        "silver.slot_telemetry.json",
        expects(NOT_NULL, column="zone"),
        expects(NOT_NULL, column="zone", mostly=0.75),
        expects(NOT_NULL, "warning", column="zone", mostly=0.76),
        expects(IN_SET, "info", column="zone", value_set=["North"]),
    )
    said = said_of(lake, suite)
    assert [s.status.value for s in said] == ["failed", "passed", "warned", "warned"]
    assert (said[0].failing_rows, said[0].checked_rows, said[0].keys) == (1, 4, ("D",))
    assert (said[3].failing_rows, said[3].checked_rows, said[3].keys) == (1, 3, ("C",))
    assert said[2].line == f"{NOT_NULL} of zone, mostly 0.76: 1 of 4 rows, 25.00%"
    judged = Judged(suite, Path("docs"))
    assert not judged.critical(lake, (FIRST, FIRST))[FIRST].passed
    assert not judged.warnings(lake, (FIRST, FIRST))[FIRST].passed


def test_info_is_told_and_opens_nothing(lake: Lake) -> None:
    suite = written("silver.slot_telemetry.json", expects(NOT_NULL, "info", column="zone"))
    found_ = Judged(suite, Path("docs")).warnings(lake, (FIRST, FIRST))[FIRST]
    assert found_.passed
    assert "1 of 4 rows" in str(found_.more["not_held"])


def test_each_gaming_day_is_judged_by_its_own_rows(lake: Lake) -> None:
    suite = written(
        "silver.slot_telemetry.json",
        expects(REGEX, column="machine_id", regex="^SLOT-"),
        expects("expect_table_row_count_to_be_between", min_value=1),
    )
    days = {v.day: [s.status.value for s in v.said] for v in validate(lake, suite, (FIRST, LAST))}
    assert days == {
        FIRST: ["passed", "passed"],
        SECOND: ["failed", "passed"],
        LAST: ["passed", "failed"],
    }


def test_what_raises_neither_passed_nor_failed(lake: Lake) -> None:
    """Great Expectations itself reports no success. The others are judged."""
    suite = written(
        "silver.slot_telemetry.json",
        expects(BETWEEN, column="zone", min_value=0),
        expects(BETWEEN, column="coin_in"),
        expects(NOT_NULL, column="coins"),
        expects(NOT_NULL, column="machine_id"),
    )
    said = said_of(lake, suite)
    assert [s.status.value for s in said] == ["could_not_run"] * 3 + ["passed"]
    where = f"{suite.file}: expectation"
    assert said[0].line.startswith(f"{where} 1 ({BETWEEN}): could not run: ")
    assert said[1].line == f"{where} 2 ({BETWEEN}): min_value and max_value cannot both be None"
    judgement = Judged(suite, Path("docs")).critical(lake, (FIRST, FIRST))[FIRST]
    assert judgement.status("error") == "could_not_run"
    assert not judgement.passed


def test_a_failure_is_a_failure_whatever_else_could_not_run(lake: Lake) -> None:
    suite = written(
        "silver.slot_telemetry.json",
        expects(BETWEEN, column="zone", min_value=0),
        expects(NOT_NULL, column="zone"),
    )
    judgement = Judged(suite, Path("docs")).critical(lake, (FIRST, FIRST))[FIRST]
    assert judgement.status("error") == "failed"
    assert "could_not_run" in judgement.more


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("raise ValueError('no\\nmore')", "raised ValueError: no more"),
        ("import sys; sys.exit('gone')", "raised SystemExit: gone"),
        ("import no_such_module_here", "raised ModuleNotFoundError"),
        ("x = 1", "no suite: it leaves no `suite`"),
        ("suite = [3]", "raised AttributeError"),
        ("def suite():\n    raise RuntimeError('later')", "raised RuntimeError: later"),
        ("def suite(:", "raised SyntaxError"),
    ],
)
def test_a_python_suite_that_does_not_work(lake: Lake, text: str, complaint: str) -> None:
    suite = python("silver.slot_telemetry.py", text)
    [said] = said_of(lake, suite)
    assert said.status == "could_not_run"
    assert said.line.startswith(f"{suite.file}: ")
    assert complaint in said.line
    assert "\n" not in said.line


PYTHON = """
import great_expectations.expectations as gxe

class ExpectShortZones(gxe.ExpectColumnValueLengthsToBeBetween):
    column: str = "zone"
    max_value: int = 4
    severity: str = "warning"

def suite():
    return [gxe.ExpectColumnValuesToNotBeNull(column="coins"), ExpectShortZones()]
"""


def test_a_python_suite_may_bring_its_own_kind(lake: Lake) -> None:
    said = said_of(lake, python("silver.slot_telemetry.py", PYTHON))
    assert [s.status.value for s in said] == ["could_not_run", "warned"]
    assert "expectation 1" in said[0].line
    assert "has no column 'coins'" in said[0].line
    assert said[1].type == "expect_short_zones"


def test_only_the_columns_that_are_named_are_read(lake: Lake) -> None:
    suite = written(
        "silver.slot_telemetry.json",
        expects(NOT_NULL, column="zone", row_condition="coin_in > 1", condition_parser="pandas"),
    )
    [(_, rows)] = by_day(lake, suite, read_json(suite), (FIRST, FIRST))
    assert set(rows.columns) == {"event_id", "zone", "coin_in"}
    shape = written(
        "silver.slot_telemetry.shape.json",
        expects("expect_table_columns_to_match_set", column_set=["zone"], exact_match=False),
    )
    [(_, rows)] = by_day(lake, shape, read_json(shape), (FIRST, FIRST))
    assert set(rows.columns) == set(lake.scan("silver", "slot_telemetry").collect_schema())


def test_rows_are_counted_where_no_column_is_named(lake: Lake) -> None:
    equal = "expect_table_row_count_to_equal"
    suite = written("silver.slot_telemetry.json", expects(equal, value=4), expects(equal, value=5))
    assert statuses(lake, suite) == ["passed", "failed"]


def test_values_come_as_suites_write_them(lake: Lake) -> None:
    """Money as numbers, moments as moments or as the text that the POC has."""
    as_moments = written(
        "silver.slot_telemetry.json",
        expects(IN_SET, column="denomination", value_set=[0.01, 0.05, 0.25, 5.0]),
        expects(BETWEEN, column="event_timestamp", min_value="2025-01-01", max_value="2025-01-02"),
        expects(BETWEEN, column="event_timestamp", min_value="2025-01-01T16:00:00Z"),
        expects("expect_column_sum_to_be_between", column="coin_in", min_value=0.5, max_value=0.5),
    )
    assert statuses(lake, as_moments) == ["passed", "passed", "failed", "passed"]
    as_text = written(
        "silver.slot_telemetry.text.json",
        expects(REGEX, column="event_timestamp", regex=r"^2025-01-01T1\d:00:00"),
        expects("expect_column_values_to_be_dateutil_parseable", column="event_timestamp"),
    )
    assert statuses(lake, as_text) == ["passed", "passed"]


def test_the_poc_writes_another_release_and_other_names(lake: Lake) -> None:
    filed = {
        "report_id": ["R1", "R2"],
        "report_type": ["CTR", "W2G"],
        "transaction_amount": ["12000.00", "900.00"],
        "gaming_day": [FIRST, FIRST],
    }
    small_lake.hand_in(lake, "bronze", filed)
    folder = Path("expectations")
    folder.mkdir()
    old = [
        {"expectation_type": NOT_NULL, "kwargs": {"column": "filing_id", "result_format": "BASIC"}},
        {"expectation_type": BETWEEN, "kwargs": {"column": "amount", "min_value": 1000}},
        {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "filing_type"}},
        {"expectation_type": "expect_column_to_exist", "kwargs": {"column": "horoscope"}},
    ]
    told = {"expectation_suite_name": "c", "data_asset_type": None, "expectations": old}
    (folder / "bronze.compliance.json").write_text(json.dumps(told))
    [suite], _ = found(folder)
    assert statuses(lake, suite) == ["passed", "failed", "passed", "failed"]


def test_values_of_personal_data_are_shown_nowhere(lake: Lake) -> None:
    person = {"player_id": ["P1"], "email": ["jo@no.example"], "gaming_day": [FIRST]}
    small_lake.put(lake, "bronze", "player_profile", person)
    suite = written(
        "bronze.player_profile.json",
        expects(IN_SET, column="email", value_set=["a@b.example"]),
        expects("expect_column_distinct_values_to_be_in_set", column="email", value_set=["a"]),
        expects(BETWEEN, column="email", min_value=0),
        expects(IN_SET, column="player_id", value_set=["P2"]),
    )
    index = write(Path("docs"), validate(lake, suite, (FIRST, FIRST)))
    page = (index.parent / "bronze.player_profile" / f"{FIRST}.html").read_text()
    said = said_of(lake, suite)
    assert [s.status.value for s in said] == ["failed", "failed", "could_not_run", "failed"]
    assert "jo@no" not in page + " ".join(s.line for s in said)
    assert "P1" in page


def test_a_day_is_validated_once_for_both_checks(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And anew where its rows or its suite are others."""
    suite = written(
        "silver.slot_telemetry.json",
        expects(NOT_NULL, column="zone"),
        expects(NOT_NULL, "warning", column="zone"),
    )
    judged, asked = Judged(suite, Path("docs")), []
    monkeypatch.setattr(
        "lakehouse.quality.expectations.checks.validate",
        lambda *given: asked.append(given) or validate(*given),
    )
    judged.critical(lake, (FIRST, SECOND))
    judged.warnings(lake, (FIRST, SECOND))
    assert len(asked) == 1
    small_lake.put(lake, "silver", "slot_telemetry", {**SLOTS, "zone": ["North"] * 5})
    assert judged.critical(lake, (FIRST, SECOND))[FIRST].passed
    assert len(asked) == 2
    written("silver.slot_telemetry.json", expects(IN_SET, column="zone", value_set=["East"]))
    assert not judged.critical(lake, (FIRST, SECOND))[FIRST].passed


def test_rows_keep_their_types_on_an_empty_day(lake: Lake) -> None:
    suite = written(
        "silver.slot_telemetry.json",
        expects("expect_column_mean_to_be_between", column="coin_in", min_value=0),
        expects(REGEX, column="zone", regex="^N"),
    )
    [(_, rows)] = by_day(lake, suite, read_json(suite), (LAST, LAST))
    assert rows.is_empty()
    assert rows.schema["coin_in"] == pl.Decimal(18, 2)
    assert "could_not_run" not in statuses(lake, suite, LAST)
