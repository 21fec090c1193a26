"""What is told of suites that users bring: Data Docs, and the commands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from lakehouse.cli import run
from lakehouse.quality.expectations import engine
from lakehouse.quality.expectations.engine import validate
from lakehouse.quality.expectations.pages import write
from lakehouse.storage import Lake
from tests import small_lake
from tests.written_suites import (
    BETWEEN,
    FIRST,
    NOT_NULL,
    SECOND,
    SLOTS,
    expects,
    python,
    said_of,
    written,
)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    made = Lake(str(tmp_path / "lake"))
    small_lake.put(made, "silver", "slot_telemetry", SLOTS)
    return made


LOADS = re.compile(
    r"""<(?:link|img|iframe)\b[^>]*>|<script[^>]*\bsrc=|url\(|@import|https?://[^"'\s<]*\.(?:js|css)"""
)


def test_data_docs_load_nothing_from_elsewhere(lake: Lake) -> None:
    suite = written(
        "silver.slot_telemetry.json",
        expects(NOT_NULL, column="zone"),
        expects(BETWEEN, column="zone", min_value=0),
    )
    index = write(Path("docs"), validate(lake, suite, (FIRST, SECOND)))
    broken = python("silver.slot_telemetry.mine.py", "x = '<b>'; raise ValueError(x)")
    write(Path("docs"), validate(lake, broken, (FIRST, FIRST)))
    pages = {p.relative_to("docs").as_posix(): p.read_text() for p in Path("docs").rglob("*.html")}
    assert set(pages) == {
        "index.html",
        "silver.slot_telemetry/2025-01-01.html",
        "silver.slot_telemetry/2025-01-02.html",
        "silver.slot_telemetry.mine/2025-01-01.html",
    }
    for page in pages.values():
        assert LOADS.findall(page) == []
        assert "--ink" in page
    first = pages["silver.slot_telemetry/2025-01-01.html"]
    assert "must never be null" in first
    assert "4 rows" in first
    assert "Could not run: neither passed nor failed" in first
    assert "ValueError: &lt;b&gt;" in pages["silver.slot_telemetry.mine/2025-01-01.html"]
    for link in re.findall(r'href="([^"#]+)"', index.read_text()):
        assert link in pages
    assert "1 could not run, 1 failed" in index.read_text()
    assert index.stat().st_mode & 0o077 == 0


def test_run_tells_what_does_not_hold_and_ends_with_1(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    written("silver.slot_telemetry.json", expects(NOT_NULL, "warning", column="zone"))
    assert run(["expectations", "run"]) == 0
    told = capsys.readouterr()
    assert "1 passed, 1 warned, 0 failed, 0 could not run" in told.err
    assert "1 of 4 rows" in " ".join(told.out.split())
    written("silver.slot_telemetry.json", expects(NOT_NULL, column="zone"))
    assert run(["expectations", "run", "--from", str(SECOND)]) == 0
    assert run(["expectations", "run", "--from", str(FIRST)]) == 1
    written("silver.slot_telemetry.json", expects(BETWEEN, column="zone", min_value=0))
    assert run(["expectations", "run", "--from", str(FIRST)]) == 1
    assert run(["expectations", "docs", "--from", str(FIRST)]) == 0
    assert Path(capsys.readouterr().out.split()[-1]).name == "index.html"


def test_list_counts_and_names_what_is_wrong(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    written("silver.slot_telemetry.json", expects(NOT_NULL, "warning", column="zone"))
    assert run(["expectations", "list"]) == 0
    assert "silver.slot_telemetry" in capsys.readouterr().out
    written("silver.financial_txn.json", expects(BETWEEN, column="amount", mostly=3, min_value=1))
    python("silver.table_games.py", "suite = None")
    Path("expectations/silver.tables.json").write_text("{}")
    assert run(["expectations", "list"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "silver.tables.json: there is no table 'tables'" in lines[0]
    assert "silver.financial_txn.json: expectation 1" in lines[1]
    assert "mostly" in lines[1]
    assert "silver.table_games.py: no suite" in lines[2]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--suite", "silver.no"], "no suite 'silver.no'; suites: silver.slot_telemetry"),
        (["--to", "2025-01-02"], "--to needs --from"),
        (["--from", "2025-01-03", "--to", "2025-01-02"], "is before"),
    ],
)
def test_bad_input(
    lake: Lake, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    written("silver.slot_telemetry.json", expects(NOT_NULL, column="zone"))
    assert run(["expectations", "run", *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_without_suites_there_is_nothing_to_run(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["expectations", "run"]) == 2
    assert "no suites in expectations" in capsys.readouterr().err
    assert run(["expectations", "list"]) == 0


def test_where_great_expectations_is_not_installed(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = written("silver.slot_telemetry.json", expects(NOT_NULL, column="zone"))
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    for cached in (engine._great_expectations, engine._source):
        cached.cache_clear()
    try:
        [said] = said_of(lake, suite)
        assert said.status == "could_not_run"
        assert "casino-lakehouse[expectations]" in said.line
        assert run(["expectations", "list"]) == 2
        assert "casino-lakehouse[expectations]" in capsys.readouterr().err
    finally:
        for cached in (engine._great_expectations, engine._source):
            cached.cache_clear()
