"""The application: pages on one FastAPI, with nothing from the network."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from nicegui import run, ui

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.figures import figure
from lakehouse.serve.pages.here import Here, House, Page, span_of
from lakehouse.serve.pages.menu import PAGES
from lakehouse.serve.signin.doorman import Doorman
from lakehouse.serve.signin.forms import refused_page
from lakehouse.serve.signin.standing import set_gate
from lakehouse.serve.signin.viewing import viewer_of

BLUE = "#1f5a99"
SECONDS = 60
"""In which a page is there, or is given up."""
NEWEST = "SELECT max(gaming_day) AS day FROM gold.property_day"
PAGE_NAMES = frozenset(p.name for p in PAGES)
LONGEST = 200
"""Letters of a value in an address."""


def add_pages(app: FastAPI, house: House, doorman: Doorman | None = None) -> None:
    """Puts the pages on an application, for those whom the doorman knows; without one nobody
    signs in, and only this machine gets in."""
    set_gate(app, house.asking.settings.page, doorman)

    @app.get("/", include_in_schema=False)
    def home(request: Request) -> Response:
        viewer = viewer_of(request)
        own = [p.name for p in PAGES if viewer.sees(p.name)]
        return RedirectResponse(f"/{own[0]}") if own else refused_page("/", (), ())

    @app.get("/figures/{page}/{name}.csv", include_in_schema=False)
    def csv(page: str, name: str, request: Request) -> Response:
        given = dict(request.query_params)
        if page not in PAGE_NAMES or not viewer_of(request).sees(page):
            return PlainTextResponse(f"no page {page[:80]!r}", status_code=404)
        try:
            rows = house.asking.answer(figure(f"{page}/{name}"), given)
        except BadInput as error:
            return PlainTextResponse(str(error), status_code=404)
        except LakehouseError as error:
            return PlainTextResponse(str(error), status_code=500)
        file = f"{page}-{name}-{given.get('last', '')[:10]}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(frame.csv_of(rows), media_type="text/csv", headers=headers)

    for page in PAGES:
        _add(page, house)
    ui.run_with(
        app,
        title="Casino lakehouse",
        language="en-US",
        show_welcome_message=False,
        gzip_middleware_factory=None,  # the gate packs
    )


def _add(page: Page, house: House) -> None:
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")

    @ui.page(f"/{page.name}", title=f"{page.title} – casino lakehouse", response_timeout=SECONDS)
    async def shown(request: Request) -> None:
        ui.add_css(style)
        ui.colors(primary=BLUE)
        more = {n: v[:LONGEST] for n, v in request.query_params.items()}
        found = await run.io_bound(house.asking.ask, NEWEST, {})
        if found is None:  # the application is being stopped
            return
        newest = found["day"][0]
        days = more.pop("from", None), more.pop("to", None)
        try:
            span = span_of(*days, newest or dt.date(2025, 1, 1))
        except BadInput as error:
            frame.wrong(str(error))
            return
        here = Here(house, page, span, more, lambda: viewer_of(request), PAGES)
        frame.head(here)
        if newest is None:
            frame.note("The lake is empty: `lakehouse demo` fills one.")
            return
        await frame.body(here)
