"""A look at what is guarded: with a purpose, which the audit keeps before anything is shown."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TypeVar

from nicegui import run, ui

from lakehouse.errors import LakehouseError
from lakehouse.serve.pages import frame

Found = TypeVar("Found")


def look(
    title: str, asked: str, ask: Callable[[str, str], Found], told: Callable[[Found | None], None]
) -> None:
    """A closed box that opens to a purpose and, where `asked` says of what, a field for it. `ask`
    takes both, writes the audit and reads; `told` draws what it found, and null where the
    application is being stopped."""
    with ui.element("details").classes("names"):
        ui.html(escape(title), sanitize=False, tag="summary")
        ui.label("Each look is written to the audit log, with your name and purpose.").classes(
            "note"
        )
        subject = ui.input(asked).props("dense outlined") if asked else None
        purpose = ui.input("Purpose").props("dense outlined")

        async def looked() -> None:
            answer.clear()
            wanted = (subject.value or "") if subject else ""
            with answer:
                try:
                    found = await run.io_bound(ask, purpose.value or "", wanted)
                except LakehouseError as error:
                    frame.wrong(str(error))
                else:
                    told(found)

        ui.button("Look", on_click=looked).props("no-caps unelevated")
        answer = ui.element("div").classes("answer").props("aria-live=polite")
