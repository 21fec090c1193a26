"""Suites as checks: two for a file, of what is critical and of what warns."""

from __future__ import annotations

import datetime as dt
import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import BadInput
from lakehouse.quality.expectations.engine import Said, Validation, validate
from lakehouse.quality.expectations.pages import docs_folder, write
from lakehouse.quality.expectations.suites import Suite, found, read_json, static_problem
from lakehouse.quality.registry import declares
from lakehouse.quality.results import KEYS_SHOWN, Check, Family, Judgement, Severity, Status
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

_REMEMBERED = 64
_TOLD = 3


@declares
def suites(settings: Settings, _now: dt.datetime) -> Iterator[Check]:
    """The suites of the folder `expectations`. A file that is none is told in a line of the log
    and stops nothing. Great Expectations is imported by the first judgement, not here."""
    listed, refused = found(settings.expectations)
    for file in refused:
        _tell_once(file.said)
    for suite in listed:
        if problem := static_problem(suite):
            _tell_once(problem)
        judged = Judged(suite, docs_folder(settings))
        yield _check(suite, judged, "error")
        if _may_warn(suite):
            yield _check(suite, judged, "warn")


@functools.cache
def _tell_once(line: str) -> None:
    logging.getLogger("lakehouse.expectations").warning(line)


def _may_warn(suite: Suite) -> bool:
    """Of a Python suite nobody knows before it is run."""
    if suite.is_python:
        return True
    try:
        return any(w.severity != "critical" for w in read_json(suite))
    except BadInput:
        return False


def _check(suite: Suite, judged: Judged, severity: Severity) -> Check:
    is_error = severity == "error"
    which = "critical" if is_error else "of severity warning or info"
    return Check(
        name=suite.check if is_error else f"{suite.check}_warnings",
        table=(suite.layer, suite.table),
        family=Family.EXPECTATION,
        severity=severity,
        reason=f"The expectations that {suite.file.name} calls {which}.",
        description=f"Every {which} expectation of {suite.file.name} holds on the gaming day.",
        judge=judged.critical if is_error else judged.warnings,
    )


@dataclass
class Judged:
    """A suite's judgements, for its two checks: each gaming day of a version of the table is
    validated once, and its page written."""

    suite: Suite
    docs: Path
    _known: dict[object, list[Validation]] = field(default_factory=dict)

    def critical(self, lake: Lake, days: Days) -> Mapping[dt.date, Judgement]:
        """What could not run, of whatever severity, is said here."""
        return {v.day: self._judgement(v, _critical(v)) for v in self._of(lake, days)}

    def warnings(self, lake: Lake, days: Days) -> Mapping[dt.date, Judgement]:
        """Nothing of days on which no expectation warns or informs."""
        rest = {v.day: (v, _warning(v)) for v in self._of(lake, days)}
        return {day: self._judgement(v, said) for day, (v, said) in rest.items() if said}

    def _of(self, lake: Lake, days: Days) -> list[Validation]:
        file = self.suite.file
        stamp = file.stat().st_mtime_ns if file.exists() else 0
        at = (lake.root, days, lake.version(self.suite.layer, self.suite.table), stamp)
        if at not in self._known:
            made = list(validate(lake, self.suite, days))
            write(self.docs, made)
            while len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[at] = [Validation(v.suite, v.day, v.said, v.rows) for v in made]
        return self._known[at]

    def _judgement(self, of: Validation, said: Sequence[Said]) -> Judgement:
        broken = [s for s in said if s.status in (Status.FAILED, Status.WARNED)]
        opens = [s for s in broken if s.severity != "info"]
        unable = [s for s in said if s.status is Status.COULD_NOT_RUN]
        keys = dict.fromkeys(key for s in broken for key in s.keys)
        return Judgement(
            passed=not opens and not unable,
            said=_in_words(said, [*broken, *unable]),
            measure=float(len(opens)),
            bound=0.0,
            failing_rows=max((s.failing_rows or 0 for s in opens), default=0),
            checked_rows=of.rows,
            keys=tuple(keys)[:KEYS_SHOWN],
            more=self._more(of, broken, unable) | {"expectations": len(said)},
            could_run=bool(opens) or not unable,
        )

    def _more(
        self, of: Validation, broken: Sequence[Said], unable: Sequence[Said]
    ) -> dict[str, str | int]:
        lists = {"not_held": broken, "could_not_run": unable}
        lines = {name: "\n".join(s.line for s in said) for name, said in lists.items() if said}
        page = self.docs / self.suite.name / f"{of.day}.html"
        return {**lines, "suite": str(self.suite.file), "data_docs": str(page)}


def _critical(of: Validation) -> list[Said]:
    unable = Status.COULD_NOT_RUN
    return [s for s in of.said if s.severity == "critical" or s.status is unable]


def _warning(of: Validation) -> list[Said]:
    unable = Status.COULD_NOT_RUN
    return [s for s in of.said if s.severity != "critical" and s.status is not unable]


def _in_words(said: Sequence[Said], broken: Sequence[Said]) -> str:
    held = f"{len(said) - len(broken)} of {len(said)} expectations hold"
    lines = "; ".join(s.line for s in broken[:_TOLD])
    more = f"; and {len(broken) - _TOLD} more" if len(broken) > _TOLD else ""
    return f"{held}; {lines}{more}" if broken else f"{held}."
