"""Great Expectations at work: the one module that validates with it, imported when it does.

Its import takes 5 s and 215 MB, once a process. What it raises is told from what failed: it
reports both as no success.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import runpy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.contracts import contract
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.quality.expectations.frames import (
    by_day,
    key_of,
    read_as_text,
    to_pandas,
    with_moments,
)
from lakehouse.quality.expectations.suites import (
    Suite,
    Written,
    checked,
    read_json,
    sources_of,
)
from lakehouse.quality.results import KEYS_SHOWN, Status
from lakehouse.storage import Days, Lake

if TYPE_CHECKING:
    import polars as pl

MISSING = (
    "Great Expectations is not installed: install casino-lakehouse[expectations], or take the "
    "suites out of the folder"
)
_MARK = "lakehouse_position"
_SHOWN = 20


@dataclass(frozen=True)
class Said:
    """What one expectation said of one gaming day. `line` names file and expectation where it
    could not run, else the expectation and what was found."""

    type: str
    columns: tuple[str, ...]
    severity: str
    status: Status
    line: str
    failing_rows: int | None = None
    checked_rows: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Validation:
    """A suite's word on a gaming day. `document` is Great Expectations' own result, as JSON,
    without values of personal data; None where it did not come to one."""

    suite: Suite
    day: dt.date
    said: tuple[Said, ...]
    rows: int = 0
    document: Mapping[str, Any] | None = field(default=None, compare=False)

    def of(self, status: Status) -> list[Said]:
        return [s for s in self.said if s.status is status]


def read(suite: Suite) -> list[Written]:
    """The expectations of a suite, each with what stands against it; a Python suite is run.
    Raises BadInput naming the file where it is no suite, LakehouseError without GX."""
    written = _run(suite) if suite.is_python else read_json(suite)
    _source()
    return [one if one.problem else _buildable(suite, n, one) for n, one in _numbered(written)]


def validate(lake: Lake, suite: Suite, days: Days) -> Iterator[Validation]:
    """What a suite says of each gaming day. A suite that cannot be read could not run, on any
    day; the rest of one that can is judged whatever some of its expectations raise."""
    try:
        written = read(suite)
    except LakehouseError as error:
        from lakehouse.regulation.gaming_day import each_day

        broken = Said("", (), "critical", Status.COULD_NOT_RUN, _in_one_line(error))
        yield from (Validation(suite, day, (broken,)) for day in each_day(days))
        return
    for day, rows in by_day(lake, suite, written, days):
        yield _validated(suite, written, day, rows)


def _validated(
    suite: Suite, written: Sequence[Written], day: dt.date, rows: pl.DataFrame
) -> Validation:
    able = {n: one for n, one in _numbered(written) if not one.problem}
    gx = _great_expectations()
    as_text = read_as_text(written)
    asked = {n: _built(one, with_moments(suite, one, as_text), n) for n, one in able.items()}
    made = gx.ExpectationSuite(name=suite.name, expectations=list(asked.values()))
    given = _batch(suite.name, to_pandas(rows, suite, list(able.values())))
    keys = rows.select(key_of(suite))
    results, document = {}, None
    with quietly():
        try:
            outcome = given.validate(made, result_format=_FORMAT)
        except Exception as error:  # noqa: BLE001 - a user's class judges: one fault, not the run's
            results = {n: _unable(suite, n, one, error) for n, one in able.items()}
        else:
            for result in outcome.results:
                n = result.expectation_config.meta[_MARK]
                results[n] = _said(suite, n, able[n], result, keys)
            document = _document(suite, outcome)
    said = tuple(
        results[n] if n in results else _said_unable(one, one.problem)
        for n, one in _numbered(written)
    )
    return Validation(suite, day, said, rows.height, document)


_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": _SHOWN}


def _numbered(written: Sequence[Written]) -> Iterator[tuple[int, Written]]:
    return enumerate(written, 1)


@functools.cache
def _great_expectations() -> Any:
    """The library, quiet and offline. Raises LakehouseError where it is not installed."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    try:
        with quietly():
            import great_expectations as gx
    except ModuleNotFoundError as error:
        raise LakehouseError(MISSING) from error
    return gx


@functools.cache
def _source() -> Any:
    """Where frames are handed in, once a process."""
    gx = _great_expectations()
    with quietly():
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        return context.data_sources.add_pandas("lake")


def _batch(name: str, frame: Any) -> Any:
    source = _source()
    asset = next((a for a in source.assets if a.name == name), None)
    if asset is None:
        asset = source.add_dataframe_asset(name)
        asset.add_batch_definition_whole_dataframe("gaming day")
    return asset.get_batch_definition("gaming day").get_batch({"dataframe": frame})


def quietly() -> warnings.catch_warnings:
    """Its warnings are about its own imports and pandas' ways."""
    return warnings.catch_warnings(action="ignore")


def _run(suite: Suite) -> list[Written]:
    """Runs a Python suite. It leaves `suite`: an ExpectationSuite, a list of expectations, or a
    function that returns one of these."""
    _source()
    try:
        with quietly():
            left = runpy.run_path(str(suite.file)).get("suite")
            given = left() if callable(left) else left
            listed = list(getattr(given, "expectations", given) or ())
            made = [(one.configuration, one.severity) for one in listed]
    except (Exception, SystemExit) as error:
        raise BadInput(f"{suite.file}: raised {_in_one_line(error)}") from error
    if given is None:
        raise BadInput(f"{suite.file}: no suite: it leaves no `suite`")
    return [
        checked(suite, n, Written(c.type, c.kwargs, c.meta or {}, str(getattr(s, "value", s))))
        for n, (c, s) in enumerate(made, 1)
    ]


def _buildable(suite: Suite, number: int, one: Written) -> Written:
    try:
        _built(one, one.kwargs, number)
    except Exception as error:  # noqa: BLE001 - a user's class checks its own parameters
        problem = f"{suite.file}: expectation {number} ({one.type}): {_complaint(error)}"
        return Written(one.type, one.kwargs, one.meta, one.severity, problem)
    return one


def _complaint(error: BaseException) -> str:
    """Of pydantic's words those on the first field, without its types."""
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return _in_one_line(error)
    first = errors()[0]
    return f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}".removeprefix("__root__: ")


def _built(one: Written, kwargs: Mapping[str, Any], number: int) -> Any:
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    meta = {**one.meta, _MARK: number}
    with quietly():
        return ExpectationConfiguration(
            type=one.type, kwargs=dict(kwargs), meta=meta, severity=one.severity
        ).to_domain_obj()


def _said(suite: Suite, number: int, one: Written, result: Any, keys: pl.DataFrame) -> Said:
    raised = _raised(result.exception_info)
    if raised is not None:
        told = "" if _is_personal(suite, one) else f": {raised}"
        return _unable(suite, number, one, LakehouseError(f"could not run{told}"))
    if result.success:
        return Said(one.type, one.columns, one.severity, Status.PASSED, _titled(one))
    found = result.result
    status = Status.FAILED if one.severity == "critical" else Status.WARNED
    positions = [i for i in found.get("partial_unexpected_index_list") or [] if type(i) is int]
    return Said(
        one.type,
        one.columns,
        one.severity,
        status,
        f"{_titled(one)}: {_found(suite, one, found)}",
        found.get("unexpected_count"),
        _checked_rows(found),
        tuple(" ".join(map(str, keys.row(i))) for i in positions[:KEYS_SHOWN]),
    )


def _raised(info: Mapping[str, Any]) -> str | None:
    """What was raised: told flat for an expectation, or by metric where one of its metrics
    raised."""
    told = [info] if "raised_exception" in info else list(info.values())
    raised = [t for t in told if isinstance(t, Mapping) and t.get("raised_exception")]
    return " ".join(str(raised[0].get("exception_message")).split()) if raised else None


def _unable(suite: Suite, number: int, one: Written, error: BaseException) -> Said:
    said = f"{suite.file}: expectation {number} ({one.type}): {_in_one_line(error)}"
    return _said_unable(one, said)


def _said_unable(one: Written, line: str) -> Said:
    return Said(one.type, one.columns, one.severity, Status.COULD_NOT_RUN, line)


def _in_one_line(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return said if isinstance(error, LakehouseError) else f"{type(error).__name__}: {said}"


def _titled(one: Written) -> str:
    of = ", ".join(one.columns)
    mostly = one.kwargs.get("mostly")
    asked = f", mostly {mostly}" if isinstance(mostly, int | float) and mostly < 1 else ""
    return f"{one.type}{f' of {of}' if of else ''}{asked}"


def _found(suite: Suite, one: Written, found: Mapping[str, Any]) -> str:
    if found.get("unexpected_count") is not None:
        share = found.get("unexpected_percent")
        of = f", {share:.2f}%" if isinstance(share, float) else ""
        return f"{found['unexpected_count']} of {_checked_rows(found)} rows{of}"
    if "observed_value" in found and not _is_personal(suite, one):
        return f"found {found['observed_value']}"
    return "not so"


def _checked_rows(found: Mapping[str, Any]) -> int | None:
    """Rows that were judged: those without a value are not, but where nulls are the matter."""
    rows = found.get("element_count")
    return None if rows is None else int(rows) - int(found.get("missing_count") or 0)


def _is_personal(suite: Suite, one: Written) -> bool:
    """Whether it looks at values that tell who somebody is: silver and gold hold tokens."""
    c = contract(suite.table)
    if suite.layer == "silver":
        return False
    stored = sources_of(suite)
    about = {stored[w] for w in one.columns if w in stored}
    return any(
        c.metadata(n).get("pii") or c.metadata(n).get("protect") for n in about if n in c.columns
    )


_HIDDEN = "not shown: personal data"
_VALUES = (
    "observed_value",
    "partial_unexpected_list",
    "partial_unexpected_counts",
    "partial_unexpected_index_list",
    "details",
)


def _document(suite: Suite, outcome: Any) -> Mapping[str, Any]:
    document: dict[str, Any] = outcome.to_json_dict()
    for result in document["results"]:
        config = result["expectation_config"]
        config["meta"].pop(_MARK, None)
        one = Written(config["type"], config["kwargs"])
        if _is_personal(suite, one):
            for name in _VALUES:
                result["result"].pop(name, None)
            for told in result["exception_info"].values():
                if isinstance(told, dict):
                    told.update(exception_message=_HIDDEN, exception_traceback=_HIDDEN)
    return document
