"""The application: pages on one FastAPI, with nothing from the network."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from typing import Annotated

import polars as pl
import polars.selectors as cs
from fastapi import FastAPI, Query
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from nicegui import ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.figures import figure, figures_of
from lakehouse.serve.pages.frame import Page, figures, head, span_of
from lakehouse.settings import Settings
from lakehouse.storage import Lake

PAGES = (
    Page("today", "Today", "How did the house do, and what is there to act on?"),
    Page("floor", "Floor", "Which machines, tables and zones earn, and which are not as built?"),
    Page("compliance", "Compliance", "What is due, late or wrong?"),
    Page("protection", "Protection", "Whom should somebody talk to, and why?"),
    Page("fraud", "Fraud", "Which orders and users are not what they seem?"),
    Page("online", "Online", "What is played online, by whom, and what does it leave?"),
    Page(
        "platform", "Game platform", "Where are players, where do they get stuck, do servers hold?"
    ),
    Page("shop", "Shop", "What sells, and how many who look buy?"),
    Page("data", "Data", "May these days be trusted, and why not?"),
    Page("monitor", "Monitor", "Does the house run, and what is to be done?"),
)
SECONDS = 60
"""In which a page is there, or is given up."""
NEWEST = "SELECT max(gaming_day) AS day FROM gold.property_day"
_From = Annotated[str | None, Query(alias="from")]


def add_pages(app: FastAPI, lake: Lake, settings: Settings) -> None:
    """Puts the pages on an application that only this machine reaches: nobody signs in."""
    asking = Asking(lake, settings)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "::1"])

    @app.get("/", include_in_schema=False)
    def home() -> RedirectResponse:
        return RedirectResponse(f"/{PAGES[0].name}")

    @app.get("/figures/{page}/{name}.csv", include_in_schema=False)
    def csv(page: str, name: str, day: str, first: str, last: str) -> Response:
        try:
            found = figure(f"{page}/{name}")
            rows = asking.answer(found, {"day": day, "first": first, "last": last})
        except BadInput as error:
            return PlainTextResponse(str(error), status_code=404)
        except LakehouseError as error:
            return PlainTextResponse(str(error), status_code=500)
        nested = rows.select(cs.nested()).columns
        flat = rows.with_columns(pl.struct(n).struct.json_encode().alias(n) for n in nested)
        headers = {"Content-Disposition": f'attachment; filename="{page}-{name}-{last}.csv"'}
        return Response(flat.write_csv(), media_type="text/csv", headers=headers)

    for page in PAGES:
        _add(page, asking)
    ui.run_with(app, title="Casino lakehouse", language="en-US", show_welcome_message=False)


def _add(page: Page, asking: Asking) -> None:
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")

    @ui.page(f"/{page.name}", title=f"{page.title} – casino lakehouse", response_timeout=SECONDS)
    async def shown(first: _From = None, to: str | None = None) -> None:
        ui.add_css(style)
        newest = asking.ask(NEWEST, {})["day"][0]
        try:
            span = span_of(first, to, newest or dt.date(2025, 1, 1))
        except BadInput as error:
            ui.label(str(error)).classes("error")
            return
        head(page, PAGES, span)
        if newest is None:
            ui.label("The lake is empty: `lakehouse demo` fills one.").classes("empty")
            return
        await figures(asking, figures_of(page.name), span)
