"""Tries a case in a lake of its own, through landing, bronze, silver and gold."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lakehouse.compliance.scenarios.answer import ANSWERS, answer
from lakehouse.compliance.scenarios.case import Case, Row
from lakehouse.compliance.scenarios.rows import completed
from lakehouse.contracts import stored_as
from lakehouse.errors import LakehouseError
from lakehouse.ingest.files.land import land
from lakehouse.ingest.files.run import IngestReport, ingest
from lakehouse.pipeline.marts import derive, in_order_of_reference
from lakehouse.pipeline.sources import refresh_silver
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Commit, Days, Lake

TIMEZONE = "America/Los_Angeles"
NEAR = dt.timedelta(days=3)
"""Gaming days no further apart are derived in one go."""


def answer_to(case: Case) -> dict[str, Any]:
    """What follows from a case: its id and the keys of the output, read from gold. The lake
    it is tried in is gone afterwards."""
    with TemporaryDirectory(prefix="case-") as folder:
        settings = _settings(case, Path(folder))
        lake = Lake.open(settings)
        _land(lake, completed(case, settings.timezone), Path(folder))
        report = ingest(lake, settings, as_of=case.as_of)
        if report.failed:
            raise LakehouseError(f"case {case.id!r}: {report.failed[0].reason}")
        _run(lake, settings, report, case.as_of)
        return answer(lake, case)


def _settings(case: Case, folder: Path) -> Settings:
    known = ("carded_bill_in_knowledge", "multiple_transaction_log_over")
    return load_settings(
        root=str(folder / "lake"),
        pii_key_file=folder / "pii.key",
        profile=case.profile,
        timezone=TIMEZONE,
        source="landing",
        **{k: case.settings[k] for k in known if case.settings.get(k) is not None},
    )


def _land(lake: Lake, tables: dict[str, list[Row]], folder: Path) -> None:
    for table, rows in tables.items():
        file = folder / f"{table}.json"
        file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        land([file], table, lake)


def _run(lake: Lake, settings: Settings, report: IngestReport, as_of: dt.datetime) -> None:
    commit = Commit("case", "case", "case")
    days_of = {t: days for door, days in report.days.items() for t in stored_as(door)}
    for table in in_order_of_reference(list(days_of)):
        for days in _runs(days_of[table]):
            refresh_silver(lake, settings, table, days, commit)
    every = {d for days in report.days.values() for d in days}
    for days in _runs(every):
        derive(lake, settings, days, as_of=as_of, commit=commit, only=ANSWERS, keep_empty=False)


def _runs(days: Iterable[dt.date]) -> list[Days]:
    """Ranges that hold all the days, so that years without a row are not derived."""
    found: list[Days] = []
    for day in sorted(days):
        if found and day - found[-1][1] <= NEAR:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
