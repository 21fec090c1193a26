"""Suites as users write them, and what is said of them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from lakehouse.quality.expectations.engine import Said, validate
from lakehouse.quality.expectations.suites import Suite, found
from lakehouse.storage import Lake
from tests import small_lake

FIRST, SECOND, LAST = small_lake.DAYS

SLOTS = {
    "event_id": ["A", "B", "C", "D", "E"],
    "machine_id": ["SLOT-0001"] * 4 + ["X"],
    "zone": ["North", "North", "East", None, "North"],
    "denomination": ["0.01", "0.05", "5", "0.25", "0.25"],
    "coin_in": ["1.00", "2.50", "-3.00", None, "0.10"],
    "event_timestamp": [dt.datetime(2025, 1, 1, h, tzinfo=dt.UTC) for h in (15, 16, 17, 18, 19)],
    "gaming_day": [FIRST] * 4 + [SECOND],
}
NOT_NULL = "expect_column_values_to_not_be_null"
IN_SET = "expect_column_values_to_be_in_set"
BETWEEN = "expect_column_values_to_be_between"
REGEX = "expect_column_values_to_match_regex"


def expects(kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "severity": severity, "meta": {}}


def written(name: str, *expectations: Any) -> Suite:
    """A suite in the folder of suites."""
    folder = Path("expectations")
    folder.mkdir(exist_ok=True)
    told = {"name": "s", "expectations": list(expectations)}
    (folder / name).write_text(json.dumps(told))
    return next(s for s in found(folder)[0] if s.file.name == name)


def python(name: str, text: str) -> Suite:
    folder = Path("expectations")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return next(s for s in found(folder)[0] if s.file.name == name)


def said_of(lake: Lake, suite: Suite, day: dt.date = FIRST) -> list[Said]:
    [validation] = validate(lake, suite, (day, day))
    return list(validation.said)


def statuses(lake: Lake, suite: Suite, day: dt.date = FIRST) -> list[str]:
    return [s.status.value for s in said_of(lake, suite, day)]
