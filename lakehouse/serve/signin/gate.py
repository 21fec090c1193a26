"""The gate before the pages: each request for one is somebody's, or goes no further."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from lakehouse.serve.signin.roles import ALONE, PAGES
from lakehouse.serve.signin.viewing import seen_by


def page_of(path: str) -> str | None:
    """The page that an address belongs to: itself, what is below it, and its figures."""
    first, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0] if first == "figures" else first
    return name if name in PAGES else None


class Gate:
    """Stands before an application. What it answered before there were pages (`api`) has a door
    of its own; all else is asked for by a viewer, who sees some pages and not others."""

    def __init__(self, app: ASGIApp, api: Sequence[BaseRoute]) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_api(scope):
            await self._app(scope, receive, send)
            return
        viewer = ALONE
        page = page_of(scope["path"])
        if page is not None and not viewer.sees(page):
            said = PlainTextResponse("no role of yours opens this page", status_code=403)
            await said(scope, receive, send)
            return
        seen_by(scope, viewer)
        await self._app(scope, receive, send)

    def _is_api(self, scope: Scope) -> bool:
        return any(route.matches(dict(scope))[0] is not Match.NONE for route in self._api)
