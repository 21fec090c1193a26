"""What is so now: views over events as they come, told again while somebody looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from nicegui import run, ui

from lakehouse.contracts import contracts
from lakehouse.errors import LakehouseError
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.draw import draw
from lakehouse.serve.pages.figures import Draw, Figure
from lakehouse.serve.pages.here import Here
from lakehouse.serve.pages.watched import EVERY

SILENT = dt.timedelta(minutes=2)
"""Without a commit for so long, no stream runs."""
PROGRESS = "progress"
START = (
    "`lakehouse live` in a terminal sends simulated events and takes them in; `lakehouse stream "
    "run` takes in what comes."
)
EMPTY = f"No events have come by topics yet. {START}"


@dataclass(frozen=True)
class Panel:
    """A live view on a page: how its rows are drawn, and which of its columns."""

    view: str
    title: str
    draw: Draw
    params: Mapping[str, str] = field(default_factory=dict)
    x: str = ""
    y: tuple[str, ...] = ()
    oldest_first: bool = False

    @property
    def address(self) -> str:
        """Where a program finds the same rows."""
        asked = "&".join(f"{n}={v}" for n, v in self.params.items())
        return f"GET /live/{self.view}{'?' + asked if asked else ''}"

    def figure(self) -> Figure:
        return Figure("", self.view, self.title, self.draw, "", x=self.x, y=self.y)


PANELS = {
    "online": (
        Panel("sessions", "Open sessions", "table", {"sessions": "100"}),
        Panel("alerts", "Newest alerts", "table", {"alerts": "50"}),
    ),
    "platform": (
        Panel("active_players", "Players by level and map", "table", {"windows": "1"}),
        Panel("item_sales", "Items bought", "table", {"windows": "6"}),
        Panel("server_health", "Servers, by five minutes", "table", {"periods": "1"}),
    ),
    "shop": (
        Panel("sales", "Sales by window", "lines", {"windows": "40"}, "window_start",
              ("total_sales",), oldest_first=True),
        Panel("top_products", "Top products now", "table", {"windows": "20", "products": "10"}),
        Panel("conversion", "From view to payment", "table", {"windows": "10"}),
    ),
}  # fmt: skip


async def body(here: Here) -> None:
    """What is live of the page, where the lake has it, and its figures."""
    panels = [p for p in PANELS[here.page.name] if here.house.live.has(p.view)]
    if panels:
        await _now(here, panels)
    await frame.figures(here)


async def _now(here: Here, panels: list[Panel]) -> None:
    with frame.card("Now", is_wide=True):
        said = ui.element("div")
    drawn = ui.element("div").classes("grid")
    shown: dict[str, Any] = {}
    places: dict[str, ui.element] = {}

    async def look() -> None:
        """Draws anew what is other than before, and nothing else."""
        told = await run.io_bound(_told, here, panels)
        if told is None:  # the application is being stopped
            return
        if shown.get(PROGRESS) != told.said:
            shown[PROGRESS] = told.said
            said.clear()
            with said:
                frame.note(told.said)
        if told.rows and not places:
            with drawn:
                places.update({panel.view: _place(panel) for panel in panels})
        for panel in panels:
            rows = told.rows.get(panel.view)
            before = shown.get(panel.view)
            if rows is None or (before is not None and before.equals(rows)):
                continue
            shown[panel.view] = rows
            places[panel.view].clear()
            with places[panel.view]:
                draw(panel.figure(), rows, here)

    await look()
    ui.timer(EVERY, look, immediate=False)


def _place(panel: Panel) -> ui.element:
    with frame.card(panel.title, is_wide=panel.draw == "table"):
        place = ui.element("div")
        frame.note(f"`{panel.address}`")
    return place


@dataclass(frozen=True)
class Told:
    """How the stream is, in words, and what each view says; nothing where no event ever came."""

    said: str
    rows: Mapping[str, pl.DataFrame]


def _told(here: Here, panels: list[Panel]) -> Told:
    try:
        said, is_fed = _standing(here)
        return Told(said, {p.view: _rows(here, p) for p in panels} if is_fed else {})
    except LakehouseError as error:
        return Told(str(error), {})


def _rows(here: Here, panel: Panel) -> pl.DataFrame:
    rows = here.house.live.rows(panel.view, panel.params, here.house.now())
    return rows.reverse() if panel.oldest_first else rows


def _standing(here: Here) -> tuple[str, bool]:
    """Whether events come, in words, and whether any of the page's ever came."""
    domain = here.page.name
    topics = [c.topic for c in contracts("source").values() if c.topic and c.domain == domain]
    every = here.house.live.rows(PROGRESS, {}, here.house.now())
    mine = every.filter(pl.col("topic").is_in(topics))
    if mine.is_empty():
        return EMPTY, False
    last: dt.datetime = max(mine["written_at"].to_list())
    if here.house.now() - last > SILENT:
        return f"No stream runs: this is as of {last:%Y-%m-%d %H:%M} UTC. {START}", True
    events, late, rejected = (int(mine[n].sum()) for n in ("events", "late", "rejected"))
    return (
        f"Live, as of {last:%H:%M:%S} UTC: {events:,} events, {late:,} of them too late for their "
        f"window, {rejected:,} rejected.",
        True,
    )
