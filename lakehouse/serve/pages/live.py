"""What is so now: views over events as they come, told again while somebody looks."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import polars as pl
from nicegui import run, ui

from lakehouse.contracts import contracts
from lakehouse.errors import LakehouseError
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.draw import draw
from lakehouse.serve.pages.figures import Draw, Figure, query_of
from lakehouse.serve.pages.here import Here
from lakehouse.serve.pages.watched import EVERY
from lakehouse.settings import Settings

SILENT = dt.timedelta(minutes=2)
"""Without a commit for so long, no stream runs."""
NARROW = 4
"""Columns that half the width has room for."""
PROGRESS = "progress"
START = (
    "`lakehouse live` in a terminal sends simulated events and takes them in; `lakehouse stream "
    "run` takes in what comes."
)
EMPTY = f"No events have come by topics yet. {START}"


@dataclass(frozen=True)
class Panel:
    """A live view on a page: how it is drawn, and with which of its columns; lines across the
    first of them, the oldest on the left."""

    view: str
    title: str
    draw: Draw
    params: Mapping[str, str]
    columns: tuple[str, ...]
    note: str = ""

    @property
    def address(self) -> str:
        """Where a program finds the same rows."""
        return f"GET /live/{self.view}?{urlencode(self.params)}"

    def figure(self) -> Figure:
        x, *y = self.columns
        sql = query_of(self.view)
        return Figure("", self.view, self.title, self.draw, sql, x=x, y=tuple(y), note=self.note)

    def given(self, settings: Settings) -> dict[str, str]:
        """Values for the parameters of its query."""
        return {**self.params, "silence": str(settings.session_silence_minutes)}


PANELS = {
    "online": (
        Panel("sessions", "Open sessions", "table", {"sessions": "100"},
              ("user_id", "started", "last_seen", "minutes", "rounds", "stakes", "wins")),
        Panel("alerts", "Newest alerts", "table", {"alerts": "50"},
              ("detected_at", "level", "family", "rule", "account", "said")),
    ),
    "platform": (
        Panel("active_players", "Players by level and map", "table", {"windows": "1"},
              ("window_start", "level_id", "map_id", "active_players", "actions", "is_final")),
        Panel("item_sales", "Items bought", "table", {"windows": "6"},
              ("window_start", "item_id", "purchase_count", "total_revenue", "buyers")),
        Panel("server_health", "Servers, by five minutes", "table", {"periods": "1"},
              ("period_start", "server_id", "region", "cpu_load", "memory_usage", "latency_p95",
               "disconnections", "most_players", "capacity"),
              note="Servers tell bronze, which no SQL reads. Gold says it once it has the day."),
    ),
    "shop": (
        Panel("sales", "Sales by window of a minute", "lines", {"windows": "40"},
              ("window_start", "sales")),
        Panel("top_products", "Top products now", "table", {"windows": "20", "products": "10"},
              ("product_name", "transactions", "sales")),
        Panel("conversion", "From view to payment, by window", "table", {"windows": "10"},
              ("window_start", "viewed", "carted", "checked_out", "paid", "conversion_rate")),
    ),
}  # fmt: skip


async def body(here: Here) -> None:
    """What is live of the page, where the lake has it, and its figures."""
    panels = [p for p in PANELS[here.page.name] if here.house.live.has(p.view)]
    if not panels:
        await frame.figures(here)
        return
    told, answered = await asyncio.gather(run.io_bound(_told, here, panels), frame.asked(here))
    _now(here, panels, told)
    frame.drawn(here, answered)


def _now(here: Here, panels: list[Panel], first: Told | None) -> None:
    with frame.card("Now", is_wide=True):
        with frame.query(NOW, {"topics": " ".join(_topics(here))}):
            pass
        said = ui.element("div")
    drawn = ui.element("div").classes("grid")
    shown: dict[str, Any] = {}
    places: dict[str, ui.element] = {}

    def draw_anew(told: Told | None) -> None:
        """What is other than before, and nothing else."""
        if told is None:  # the application is being stopped
            return
        if shown.get(PROGRESS) != told.said:
            shown[PROGRESS] = told.said
            said.clear()
            with said:
                frame.note(told.said)
        if told.rows and not places:
            with drawn:
                places.update({panel.view: _place(here, panel) for panel in panels})
        for panel in panels:
            rows = told.rows.get(panel.view)
            before = shown.get(panel.view)
            if rows is None or (before is not None and before.equals(rows)):
                continue
            shown[panel.view] = rows
            places[panel.view].clear()
            with places[panel.view]:
                draw(panel.figure(), rows, here)

    async def look() -> None:
        draw_anew(await run.io_bound(_told, here, panels))

    draw_anew(first)
    ui.timer(EVERY, look, immediate=False)


def _place(here: Here, panel: Panel) -> ui.element:
    with frame.card(panel.title, is_wide=len(panel.columns) > NARROW):
        figure = panel.figure()
        with frame.query(figure, panel.given(here.house.asking.settings)):
            frame.note(f"The same for programs: `{panel.address}`")
        place = ui.element("div")
        if figure.note:
            frame.note(figure.note)
    return place


NOW = Figure("", PROGRESS, "Now", "facts", query_of(PROGRESS))


def _topics(here: Here) -> list[str]:
    return [c.topic for c in contracts("source").values() if c.topic and c.domain == here.page.name]


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
    rows = here.house.live.rows(panel.view, panel.params, here.house.now()).select(panel.columns)
    return rows if panel.draw == "table" else rows.reverse()


def _standing(here: Here) -> tuple[str, bool]:
    """Whether events come, in words, and whether any of the page's ever came."""
    every = here.house.live.rows(PROGRESS, {}, here.house.now())
    mine = every.filter(pl.col("topic").is_in(_topics(here)))
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
