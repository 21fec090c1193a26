"""What all pages have: names of the others, the days, each figure with its SQL and CSV."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from nicegui import run, ui

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.draw import draw
from lakehouse.serve.pages.figures import Figure

RANGE = dt.timedelta(days=29)


@dataclass(frozen=True)
class Page:
    """A page, at its name, in the order of the menu. What it shows are its figures."""

    name: str
    title: str
    question: str
    """What it answers, in words of its reader."""


@dataclass(frozen=True)
class Span:
    """The gaming days of a page's address."""

    first: dt.date
    last: dt.date

    def given(self) -> dict[str, str]:
        return {"day": str(self.last), "first": str(self.first), "last": str(self.last)}


def span_of(first: str | None, last: str | None, newest: dt.date) -> Span:
    """Days out of an address: those asked for, or the thirty up to the newest. Raises BadInput."""
    end = _day(last, "to") if last else newest
    begin = _day(first, "from") if first else end - RANGE
    if begin > end:
        raise BadInput(f"from {begin} is after to {end}")
    return Span(begin, end)


def _day(text: str, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{name}={text[:40]!r} is no day; write it as 2025-01-31") from error


def head(page: Page, pages: Sequence[Page], span: Span) -> None:
    """The top of a page: where one is, where one can go, and of which days it tells."""
    asked = urlencode({"from": span.first, "to": span.last})
    with ui.element("header").classes("head"):
        ui.link("Casino lakehouse", "/").classes("brand")
        with ui.element("nav").props('aria-label="Pages"').classes("nav"):
            for other in pages:
                link = ui.link(other.title, f"/{other.name}?{asked}")
                if other == page:
                    link.classes("here").props("aria-current=page")
    with ui.element("main").props("id=main").classes("main"):
        ui.html(f"<h1>{page.title}</h1>", sanitize=False)
        ui.label(page.question).classes("question")
        _days_form(page, span)


def _days_form(page: Page, span: Span) -> None:
    """A plain form, so that the days stand in the address and the keyboard gets there."""
    step = span.last - span.first + dt.timedelta(days=1)
    earlier = urlencode({"from": span.first - step, "to": span.last - step})
    later = urlencode({"from": span.first + step, "to": span.last + step})
    ui.html(
        f'<form class="days" action="/{page.name}" method="get">'
        f'<label>From <input type="date" name="from" value="{span.first}"></label> '
        f'<label>to <input type="date" name="to" value="{span.last}"></label> '
        '<button type="submit">Show</button> '
        f'<a href="/{page.name}?{earlier}">Earlier</a> <a href="/{page.name}?{later}">Later</a>'
        "</form>",
        sanitize=False,
    )


async def figures(asking: Asking, shown: Sequence[Figure], span: Span) -> None:
    """All figures of a page: their queries run at the same time."""
    given = span.given()
    answers = await asyncio.gather(
        *(run.io_bound(asking.answer, f, given) for f in shown), return_exceptions=True
    )
    with ui.element("div").classes("grid"):
        for figure, answer in zip(shown, answers, strict=True):
            with ui.element("section").classes("card wide" if figure.is_wide else "card"):
                _card_head(figure, span)
                if isinstance(answer, LakehouseError):
                    ui.label(f"This could not be answered: {answer}").props("role=alert").classes(
                        "error"
                    )
                elif isinstance(answer, BaseException):
                    raise answer
                elif answer is not None:  # null where the application is being stopped
                    draw(figure, answer)
                if figure.note:
                    ui.label(figure.note).classes("note")


def _card_head(figure: Figure, span: Span) -> None:
    with ui.element("div").classes("card-head"):
        ui.html(f"<h2>{figure.title}</h2>", sanitize=False)
        with ui.element("details").classes("sql"):
            with ui.element("summary"):
                ui.label("SQL")
            ui.code(filled(figure, span), language="sql")
        ui.link("CSV", f"/figures/{figure.address}.csv?{urlencode(span.given())}").classes("csv")


def filled(figure: Figure, span: Span) -> str:
    """The query with its values in it, to be copied and asked elsewhere."""
    text = figure.sql
    for name, value in sorted(figure.bound(span.given()).items(), key=lambda i: -len(i[0])):
        text = text.replace(f"${name}", "'" + value.replace("'", "''") + "'")
    return text
