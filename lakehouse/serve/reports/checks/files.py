"""The report for programs: JUnit XML, which CI reads, and JSON with every result and its words."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import polars as pl
from lxml import etree

from lakehouse.quality.results import Status
from lakehouse.serve.reports.checks.told import STALE, Told
from lakehouse.serve.reports.checks.trust import MEANING, trusted

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {Status.FAILED: "failure", Status.COULD_NOT_RUN: "error"}
CHANGED = "rows have changed since it was judged"


def junit(found: Told, *, written: dt.datetime) -> bytes:
    """A suite for each table, a case for each check and day: a failure where it failed, an error
    where it could not run, skipped where its rows have changed since it passed. A warning passes,
    and says so in `system-out`: it is no fault of a build."""
    root = etree.Element("testsuites", name="lakehouse checks")
    for (layer, table), rows in found.rows.group_by(["layer", "table_name"], maintain_order=False):
        home = f"{layer}.{table}"
        suite = etree.SubElement(
            root, "testsuite", name=home, timestamp=f"{written:%Y-%m-%dT%H:%M:%S}"
        )
        for row in rows.sort("check_name", "gaming_day").iter_rows(named=True):
            _case(suite, home, row)
        _count(suite, [suite])
    root[:] = sorted(root, key=lambda suite: str(suite.get("name")))
    _count(root, list(root))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _case(suite: Any, home: str, row: dict[str, Any]) -> None:
    name = _clean(f"{row['check_name']} {row['gaming_day']}")
    case = etree.SubElement(suite, "testcase", classname=home, name=name, time="0")
    state, said = row["state"], row["said"]
    if state == STALE:
        etree.SubElement(case, "skipped", message=_clean(f"{CHANGED}; it had passed: {said}"))
    elif state == Status.WARNED:
        lines = [f"warned: {said}", *_details(row)]
        etree.SubElement(case, "system-out").text = _clean("\n".join(lines))
    elif state in _TAGS:
        told = etree.SubElement(case, _TAGS[state], message=_clean(said), type=row["family"])
        told.text = _clean("\n".join(_details(row)))


def _details(row: dict[str, Any]) -> list[str]:
    named = ("measure", "bound", "failing_rows", "checked_rows")
    lines = [f"{name}: {row[name]}" for name in named if row[name] is not None]
    keys = json.loads(row["keys"])
    lines += [f"keys: {', '.join(keys)}"] if keys else []
    lines += [CHANGED] if row["is_stale"] else []
    return [*lines, row["sql"]] if row["sql"] else lines


def _count(element: Any, suites: list[Any]) -> None:
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))


def _clean(text: str) -> str:
    """XML cannot hold control characters, not even escaped."""
    return _NO_XML.sub("\ufffd", text)


def as_json(found: Told, *, written: dt.datetime) -> str:
    """`days` with what they may be trusted for, the words of `checks`, and all `results`, a line
    each."""
    days = [
        {
            "gaming_day": day.day,
            "trust": day.trust.value,
            "meaning": MEANING[day.trust],
            "judged": day.judged,
            "states": day.states,
            "missing": day.missing,
        }
        for day in trusted(found)
    ]
    about = {
        check.address: {"rule": check.description, "reason": check.reason}
        for check in found.checks.values()
    }
    told = {"written": written, "held_back": found.held_back, "checks": about, "days": days}
    head = json.dumps(told, default=_text, ensure_ascii=False, indent=1)
    rows = ",\n".join(
        json.dumps(row | {"keys": json.loads(row["keys"])}, default=_text, ensure_ascii=False)
        for row in _finite(found.rows).iter_rows(named=True)
    )
    return f'{head.removesuffix("}").rstrip()},\n "results": [\n{rows}\n]}}\n'


def _finite(rows: pl.DataFrame) -> pl.DataFrame:
    """JSON has no word for what is no number."""
    numbers = pl.col("measure", "bound")
    return rows.with_columns(pl.when(numbers.is_finite()).then(numbers))


def _text(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
