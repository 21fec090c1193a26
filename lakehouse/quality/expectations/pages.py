"""Data Docs that need no network: Great Expectations' own pages of each gaming day, with the
styles and the few scripts inside, and an index of suites by days.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import html

from lakehouse.errors import BadInput
from lakehouse.outputs import replacing
from lakehouse.private_files import close_folder
from lakehouse.quality.expectations.engine import Validation, quietly
from lakehouse.quality.results import Status
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from great_expectations.render.view import DefaultJinjaPageView

INDEX = "index.html"
_DAYS = "days.json"
_IN_WORDS = {
    Status.PASSED: "passed",
    Status.WARNED: "warned",
    Status.FAILED: "failed",
    Status.COULD_NOT_RUN: "could not run",
}
_SCRIPT = """
document.querySelectorAll('[data-toggle=collapse]').forEach(function (a) {
  a.addEventListener('click', function (e) {
    e.preventDefault();
    document.getElementById(a.getAttribute('href').slice(1)).classList.toggle('show');
  });
});
function only(failed) {
  document.querySelectorAll('.ge-section tbody tr').forEach(function (row) {
    row.classList.toggle('hidden', failed && row.querySelector('.fa-check-circle') !== null);
  });
}
function showAllValidations() { only(false); }
function hideSucceededValidations() { only(true); }
document.querySelectorAll('.btn-group .btn').forEach(function (b) {
  b.addEventListener('click', function () {
    b.parentNode.querySelectorAll('.btn').forEach(function (o) { o.classList.remove('active'); });
    b.classList.add('active');
  });
});
"""


def docs_folder(settings: Settings) -> Path:
    """Where Data Docs stand: the setting `data_docs`, or `<root>.docs` beside the lake."""
    return settings.data_docs or settings.beside("docs").absolute()


def write(folder: Path, validations: Iterable[Validation]) -> Path:
    """Writes a page for each validation, and the index of all that were ever written; the path
    of the index. A page of the same suite and day is replaced.

    Only the owner may read them: they show values of rows. Raises BadInput where the folder
    cannot be written."""
    try:
        close_folder(folder)
        suites: dict[str, list[Validation]] = {}
        for one in validations:
            suites.setdefault(one.suite.name, []).append(one)
            with replacing(folder / one.suite.name / f"{one.day}.html", private=True) as page:
                page.write_text(page_of(one), encoding="utf-8")
        for name, added in suites.items():
            _remember(folder / name / _DAYS, added)
        with replacing(folder / INDEX, private=True) as index:
            index.write_text(_index(folder), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write Data Docs in {folder}: {error.strerror}") from error
    return folder / INDEX


def _remember(file: Path, added: Iterable[Validation]) -> None:
    days = _days(file)
    for one in added:
        days[str(one.day)] = {s.value: len(one.of(s)) for s in Status if one.of(s)}
    with replacing(file, private=True) as beside:
        beside.write_text(json.dumps(days, sort_keys=True, indent=1), encoding="utf-8")


def _days(file: Path) -> dict[str, dict[str, int]]:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def page_of(one: Validation) -> str:
    """The page of a validation, whole in itself."""
    if one.document is None:
        listed = _listed(one)
        title = f"{one.suite.name} on {one.day}"
        return _page(title, f'<p><a href="../{INDEX}">All suites</a></p>{listed}')
    page = html.document_fromstring(_rendered(one))
    _offline(page)
    for line in page.iter("br"):
        if (line.tail or "").strip() == "Data asset: None":
            line.tail = f" {one.rows:,} rows"
    if one.of(Status.COULD_NOT_RUN):
        next(page.iter("body")).insert(1, html.fragment_fromstring(_listed(one)))
    return html.tostring(page, encoding="unicode", doctype="<!DOCTYPE html>")


def _listed(one: Validation) -> str:
    lines = "".join(f"<li>{escape(s.line)}</li>" for s in one.of(Status.COULD_NOT_RUN))
    return (
        '<div class="alert could-not-run"><h5>Could not run: neither passed nor failed</h5>'
        f"<ul>{lines}</ul></div>"
    )


def _rendered(one: Validation) -> str:
    """Great Expectations' page of its result, taken through JSON: its renderers know no
    numbers of numpy."""
    with quietly():
        from great_expectations.core.expectation_validation_result import (
            expectationSuiteValidationResultSchema,
        )
        from great_expectations.render.renderer import ValidationResultsPageRenderer

        document = json.loads(json.dumps(one.document, default=str))
        document["meta"] = _meta(one, document["meta"])
        result = expectationSuiteValidationResultSchema.load(document)
        return str(_view().render(ValidationResultsPageRenderer().render(result)))


@functools.cache
def _view() -> DefaultJinjaPageView:
    """It compiles its templates for the first page, and has them for all others."""
    from great_expectations.render.view import DefaultJinjaPageView

    return DefaultJinjaPageView()


def _meta(one: Validation, meta: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of the run: table and day, and nothing that differs between two runs
    over the same rows."""
    return {
        "great_expectations_version": meta.get("great_expectations_version"),
        "run_id": {"run_name": str(one.day), "run_time": f"{one.day}T00:00:00+00:00"},
        "active_batch_definition": dict(meta["active_batch_definition"]),
        "batch_spec": {"table": f"{one.suite.layer}.{one.suite.table}", "rows": one.rows},
    }


def _offline(page: html.HtmlElement) -> None:
    """Takes out whatever would be loaded from elsewhere, and puts the styles and scripts in."""
    outside = "//script | //link | //img | //style[contains(., 'url(')] | //footer"
    for element in page.xpath(f"{outside} | //*[contains(@class, 'ge-walkthrough-modal')]"):
        element.drop_tree()
    for link in page.xpath("//a[starts-with(@href, '../')]"):
        link.set("href", f"../{INDEX}")
    for brand in page.xpath("//*[contains(@class, 'navbar-brand')]/a"):
        brand.text = "Data Docs"
    next(page.iter("head")).append(_element("style", _css()))
    next(page.iter("body")).append(_element("script", _SCRIPT))


def _element(tag: str, text: str) -> html.HtmlElement:
    made = html.Element(tag)
    made.text = text
    return made


def _css() -> str:
    return files("lakehouse.quality.expectations").joinpath("docs.css").read_text(encoding="utf-8")


def _index(folder: Path) -> str:
    suites = {file.parent.name: _days(file) for file in sorted(folder.glob(f"*/{_DAYS}"))}
    days = sorted({day for told in suites.values() for day in told}, reverse=True)
    head = "".join(f"<th>{escape(name)}</th>" for name in suites)
    rows = "".join(
        f"<tr><td>{day}</td>{''.join(_cell(n, day, t.get(day)) for n, t in suites.items())}</tr>"
        for day in days
    )
    table = f"<table><thead><tr><th>Gaming day</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _page(
        "Data Docs: expectations by gaming day", table if suites else "<p>No suite ran.</p>"
    )


def _cell(name: str, day: str, told: Mapping[str, int] | None) -> str:
    if told is None:
        return "<td></td>"
    worst = next((s for s in reversed(Status) if told.get(s)), Status.PASSED)
    said = ", ".join(f"{told[s]} {_IN_WORDS[s]}" for s in reversed(Status) if told.get(s))
    link = f"{escape(name)}/{day}.html"
    return f'<td><a class="{worst}" href="{link}">{said or "no expectation"}</a></td>'


def _page(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_css()}</style></head>"
        f'<body><div class="site"><h1>{escape(title)}</h1>{body}</div></body></html>\n'
    )
