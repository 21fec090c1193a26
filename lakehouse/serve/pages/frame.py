"""What all pages have: names of the others, the days, each figure with its SQL and CSV."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from urllib.parse import urlencode

import polars as pl
import polars.selectors as cs
from nicegui import run, ui

from lakehouse.errors import LakehouseError
from lakehouse.serve.pages.draw import draw
from lakehouse.serve.pages.figures import Figure, figures_of
from lakehouse.serve.pages.here import Here, Span
from lakehouse.serve.signin.standing import signed_in

Answered = list[tuple[Figure, pl.DataFrame | BaseException | None]]
_KEEP_FOCUS = """document.addEventListener('click', pressed => {
    const button = pressed.target.closest('.sort');
    if (!button) return;
    const every = () => [...table.querySelectorAll('.sort')];
    const table = button.closest('table'), at = every().indexOf(button);
    const keep = left => {
        if (document.activeElement === document.body) every()[at]?.focus();
        if (left) setTimeout(() => keep(left - 1), 50);
    };
    keep(20);
})"""
"""A table that is sorted draws its head anew, sooner or later, and the keyboard would be sent to
the page's top."""


def head(here: Here) -> None:
    """The top of a page: where one is, where one can go, and of which days it tells."""
    viewer = here.viewer()
    ui.html('<a class="skip" href="#main">To the page</a>', sanitize=False)
    with ui.element("header").classes("head"):
        ui.link("Casino lakehouse", "/").classes("brand")
        with ui.element("nav").props('aria-label="Pages"').classes("nav"):
            for other in (p for p in here.pages if viewer.sees(p.name)):
                link = ui.link(other.title, here.to(other.name))
                if other == here.page:
                    link.classes("here").props("aria-current=page")
        signed_in(viewer)


async def body(here: Here) -> None:
    """All below the top: the page's own body, or its figures."""
    with ui.element("main").props("id=main tabindex=-1").classes("main"):
        ui.html(f"<h1>{escape(here.page.title)}</h1>", sanitize=False)
        ui.label(here.page.question).classes("question")
        _days_form(here)
        await (here.page.body or figures)(here)
    ui.run_javascript(_KEEP_FOCUS)


def _days_form(here: Here) -> None:
    """A plain form, so that the days stand in the address and the keyboard gets there."""
    span = here.span
    step = (span.last - span.first).days + 1
    kept = {n: v for n, v in here.more.items() if v}
    hidden = "".join(
        f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in kept.items()
    )
    ways = (
        f'<a href="/{here.page.name}?{escape(urlencode({**_moved(span, by), **kept}))}">{said}</a>'
        for by, said in ((-step, "Earlier"), (step, "Later"))
    )
    ui.html(
        f'<form class="days" action="/{here.page.name}" method="get">{hidden}'
        f'<label>From <input type="date" name="from" value="{span.first}"></label> '
        f'<label>to <input type="date" name="to" value="{span.last}"></label> '
        f'<button type="submit">Show</button> {" ".join(ways)}</form>',
        sanitize=False,
    )


def _moved(span: Span, days: int) -> dict[str, str]:
    step = dt.timedelta(days=days)
    return Span(span.first + step, span.last + step).address()


async def figures(here: Here, shown: Sequence[Figure] | None = None) -> None:
    """Figures of a page, by default all that its address shows."""
    drawn(here, await asked(here, shown))


async def asked(here: Here, shown: Sequence[Figure] | None = None) -> Answered:
    """Figures with their answers: their queries run at the same time. All that a page asks comes
    before it draws a query: that sends the page, and the rest would come after it."""
    given = here.given()
    every = figures_of(here.page.name) if shown is None else shown
    wanted = [f for f in every if f.is_shown(here.more)]
    asking = here.house.asking
    answers = await asyncio.gather(
        *(run.io_bound(asking.answer, f, given) for f in wanted), return_exceptions=True
    )
    return list(zip(wanted, answers, strict=True))


def drawn(here: Here, answered: Answered) -> None:
    """Figures of a page, each with its query."""
    with ui.element("div").classes("grid"):
        for figure, answer in answered:
            with card(figure.title, is_wide=figure.is_wide):
                _ways(here, figure, answer)
                _answered(here, figure, answer)


def _answered(here: Here, figure: Figure, answer: pl.DataFrame | BaseException | None) -> None:
    if isinstance(answer, LakehouseError):
        wrong(f"This could not be answered: {answer}")
    elif isinstance(answer, BaseException):
        raise answer
    elif answer is not None:  # null where the application is being stopped
        draw(figure, answer, here)
    if figure.note:
        note(figure.note)


@contextmanager
def card(title: str, *, is_wide: bool = False) -> Iterator[None]:
    """A box with its title; what is drawn in it follows."""
    with ui.element("section").classes("card wide" if is_wide else "card"):
        ui.html(f"<h2>{escape(title)}</h2>", sanitize=False).classes("card-title")
        yield


def note(text: str) -> None:
    """What a reader should know; what stands in `backticks` is written as a machine reads it."""
    told = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
    ui.html(f"<p>{told}</p>", sanitize=False).classes("note")


def wrong(text: str) -> ui.label:
    """A line that says what is not right, read aloud at once."""
    return ui.label(text).props("role=alert").classes("error")


def _ways(here: Here, figure: Figure, answer: pl.DataFrame | BaseException | None) -> None:
    """The figure's query, and its rows as a file. What was made for this page alone is at no
    address, and its file is what is shown."""
    about = f'aria-label="CSV of {escape(figure.title)}"'
    with query(figure, here.given()):
        if figure.page and "sql" in {p.name for p in here.pages} and here.viewer().sees("sql"):
            ui.link("Open in the editor", here.to("sql", **here.more, figure=figure.address))
    if figure.page:
        csv = f"/figures/{figure.address}.csv?{urlencode(here.given())}"
        ui.link("CSV", csv).classes("csv").props(about)
    elif isinstance(answer, pl.DataFrame):
        csv_button(figure.name, answer).props(about)


@contextmanager
def query(figure: Figure, given: Mapping[str, str]) -> Iterator[None]:
    """A closed box with the figure's query, to be copied; what is drawn below it follows."""
    with ui.element("details").classes("sql"):
        ui.html(
            f"SQL<span class=unseen> of {escape(figure.title)}</span>",
            sanitize=False,
            tag="summary",
        )
        ui.code(filled(figure, given), language="sql")
        yield


def csv_button(name: str, rows: pl.DataFrame) -> ui.button:
    """Gives the reader these rows as a file."""
    put = ui.button("CSV", on_click=lambda: ui.download.content(csv_of(rows), f"{name}.csv"))
    return put.props("flat dense no-caps").classes("csv")


def csv_of(rows: pl.DataFrame) -> str:
    """Rows as CSV: lists and structs as JSON."""
    nested = rows.select(cs.nested()).columns
    flat = rows.with_columns(pl.struct(n).struct.json_encode().alias(n) for n in nested)
    return flat.write_csv()


def filled(figure: Figure, given: Mapping[str, str]) -> str:
    """The query with its values in it, to be copied and asked elsewhere."""
    text = figure.sql
    for name, value in sorted(figure.bound(given).items(), key=lambda i: -len(i[0])):
        text = text.replace(f"${name}", "'" + value.replace("'", "''") + "'")
    return text
