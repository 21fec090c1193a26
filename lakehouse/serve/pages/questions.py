"""SQL: any question on the guarded connection, saved ones with their parameters, and a chart."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, cast

import polars as pl
from nicegui import run, ui

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.draw import draw, table
from lakehouse.serve.pages.figures import Figure, figure
from lakehouse.serve.pages.here import Here
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.limits import Limits, Runaway
from lakehouse.serve.sql.saved_queries import Saved, saved_queries

GRANT = "sql"
AT_ONCE = 2
"""Questions of all readers that are answered at the same time."""
FIRST = "SELECT gaming_day, win, theo\nFROM gold.property_day\nORDER BY gaming_day"
_NAMED = """(function name(left) {
    const texts = document.querySelectorAll('.cm-content');
    texts.forEach(text => text.setAttribute('aria-label', 'Question in SQL'));
    if (!texts.length && left) setTimeout(() => name(left - 1), 50);
})(200)"""
"""The editor is there some time after the page."""
_TURNS = threading.BoundedSemaphore(AT_ONCE)
MOST_MARKS = 2_000
"""Rows that a chart draws."""


@dataclass
class Question:
    """One reader's question while it is answered."""

    running: Catalog | None = None
    is_stopped: bool = field(default=False)

    def stop(self) -> None:
        self.is_stopped = True
        if self.running is not None:
            self.running.interrupt()


def ask(asking: Asking, question: Question, sql: str, given: Mapping[str, str]) -> pl.DataFrame:
    """The answer, on a connection of its own that sees what any reader may see. Raises BadInput
    for what may not run, where too much is asked already, or after `Question.stop`, and
    LakehouseError as the catalog does."""
    with _turn():
        catalog = Catalog(
            asking.lake, timezone=asking.settings.timezone, limits=Limits.of(asking.settings)
        )
        with catalog:
            question.running = catalog
            try:
                return catalog.frame(sql, given)
            except Runaway:
                _TURNS.acquire(blocking=False)  # it goes on in the background
                raise
            except LakehouseError as error:
                raise (BadInput("Stopped.") if question.is_stopped else error) from error
            finally:
                question.running = None


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURNS.acquire(timeout=5):
        raise BadInput(f"{AT_ONCE} questions are being answered already; ask again in a moment")
    try:
        yield
    finally:
        _TURNS.release()


async def body(here: Here) -> None:
    if not here.viewer().may(GRANT):
        frame.wrong("To ask in SQL you need the grant 'sql'.")
        return
    await Editor(here).build()


class Editor:
    """What one reader asks: the text, its parameters, the answer and its chart."""

    def __init__(self, here: Here) -> None:
        self.here = here
        self.saved = saved_queries()
        self.question = Question()
        self.fields: dict[str, ui.input] = {}

    async def build(self) -> None:
        with frame.card("Question", is_wide=True):
            names = {"": "–", **{n: f"{s.reader}: {s.title}" for n, s in self.saved.items()}}
            self.choice = ui.select(names, label="Saved questions", value="", with_input=False)
            self.choice.props("dense outlined options-dense").classes("long")
            self.text = ui.codemirror(
                FIRST, language="SQL", theme="githubLight", line_wrapping=True
            )
            self.text.classes("editor")
            self.given = ui.element("div").classes("form")
            with ui.element("div").classes("form"):
                self.run = ui.button("Run", on_click=self.answer).props("no-caps unelevated")
                self.stop = ui.button("Stop", on_click=lambda: self.question.stop())
                self.stop.props("no-caps outline").set_enabled(False)
                self.said = ui.label().props("aria-live=polite").classes("note")
            limits = Limits.of(self.here.house.asking.settings)
            frame.note(
                f"One reading statement on gold, silver, quarantine and ops; at most "
                f"{limits.seconds:g} s. `DESCRIBE gold.player_day` and `SHOW TABLES` tell what "
                "there is."
            )
        self.result = ui.element("div").classes("grid").props("aria-live=polite")
        self.choice.on_value_change(lambda: self.open(self.saved.get(self.choice.value)))
        self._from_address()
        ui.run_javascript(_NAMED)

    def _from_address(self) -> None:
        """The saved question or the figure that the address names."""
        more = self.here.more
        if more.get("saved") in self.saved:
            self.choice.value = more["saved"]
        elif address := more.get("figure"):
            try:
                self.text.value = frame.filled(figure(address), self.here.given())
            except BadInput as error:
                self.said.text = str(error)

    def open(self, saved: Saved | None) -> None:
        self.given.clear()
        self.fields = {}
        if saved is None:
            return
        self.text.value = saved.sql
        with self.given:
            for name, (default, meaning) in saved.parameters.items():
                field = ui.input(f"{name}: {meaning}", value=default).props("dense outlined")
                self.fields[name] = field.classes("long")

    async def answer(self) -> None:
        self.result.clear()
        self.question = Question()
        self._busy(True)
        asking, given = self.here.house.asking, {n: f.value or "" for n, f in self.fields.items()}
        try:
            self.here.permit(GRANT)
            given = {n: v for n, v in given.items() if f"${n}" in self.text.value}
            rows = await run.io_bound(ask, asking, self.question, self.text.value, given)
        except LakehouseError as error:
            self.said.text = ""
            with self.result:
                frame.wrong(str(error))
        else:
            if rows is not None:
                self.said.text = f"{rows.height:,} rows"
                self._show(rows)
        finally:
            self._busy(False)

    def _busy(self, is_busy: bool) -> None:
        self.run.set_enabled(not is_busy)
        self.stop.set_enabled(is_busy)
        if is_busy:
            self.said.text = "Running …"

    def _show(self, rows: pl.DataFrame) -> None:
        with self.result:
            with frame.card("Answer", is_wide=True):
                frame.csv_button("answer", rows).props('aria-label="CSV of the answer"')
                if rows.is_empty():
                    ui.label("The question has no rows.").classes("empty")
                else:
                    table(rows, self.here, name="Answer")
            numbers = [n for n, t in rows.schema.items() if t.is_numeric()]
            if rows.height and numbers:
                self._chart(rows, numbers)

    def _chart(self, rows: pl.DataFrame, numbers: list[str]) -> None:
        others = [n for n in rows.columns if n not in numbers]
        with frame.card("Chart", is_wide=True):
            with ui.element("div").classes("form"):
                across = (others or rows.columns)[0]
                usual = "lines" if rows[across].dtype.is_temporal() else "bars"
                kind = ui.select({"lines": "Lines", "bars": "Bars"}, label="Kind", value=usual)
                x = ui.select(rows.columns, label="Across", value=across)
                y = ui.select(numbers, label="Up", value=numbers[:1], multiple=True)
                for choice in (kind, x, y):
                    choice.props("dense outlined options-dense").classes("short")
            place = ui.element("div")

            def drawn() -> None:
                place.clear()
                how = cast(Literal["lines", "bars"], kind.value)
                told = Figure("", "answer", "Answer", how, "", x=x.value, y=tuple(y.value))
                with place:
                    if y.value:
                        draw(told, rows.head(MOST_MARKS), self.here)

            for choice in (kind, x, y):
                choice.on_value_change(drawn)
            drawn()
