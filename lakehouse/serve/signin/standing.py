"""The gate as it stands before an application, and what a page shows of it."""

from __future__ import annotations

from html import escape

from fastapi import FastAPI
from nicegui import ui

from lakehouse.serve.pages.viewer import Viewer
from lakehouse.serve.signin.doorman import Doorman
from lakehouse.serve.signin.gate import Gate
from lakehouse.serve.signin.roles import ALONE
from lakehouse.serve.signin.routes import account_router, door_router
from lakehouse.serve.signin.site import Site
from lakehouse.serve.signin.sockets import guard_clients
from lakehouse.serve.signin.wanted import PageSettings


def set_gate(app: FastAPI, page: PageSettings, doorman: Doorman | None) -> None:
    """Before all that is put on the application from now on; what it has has doors of its own."""
    api = tuple(app.router.routes)
    app.add_middleware(Gate, api=api, site=Site.of(page), doorman=doorman)
    if doorman is not None:
        app.include_router(door_router(doorman))
        app.include_router(account_router(doorman))
    guard_clients(doorman)


def signed_in(viewer: Viewer) -> None:
    """Who is signed in, and the way out; on each page. The name alone where nobody signs in."""
    if viewer is ALONE:
        ui.label(viewer.name).classes("who")
        return
    ui.html(
        f'<form class="who" method="post" action="/sign-out">'
        f'<a href="/account">{escape(viewer.name)}</a> '
        f'<button type="submit">Sign out</button></form>',
        sanitize=False,
    )
