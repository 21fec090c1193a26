"""The gate before the pages: each request for one is somebody's, or goes no further."""

from __future__ import annotations

import math
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from lakehouse.serve.signin.doorman import Doorman
from lakehouse.serve.signin.forms import refused_page
from lakehouse.serve.signin.headers import Headed, Nonced
from lakehouse.serve.signin.journal import What
from lakehouse.serve.signin.roles import ALONE, PAGES
from lakehouse.serve.signin.site import Site, without
from lakehouse.serve.signin.sockets import watched
from lakehouse.serve.signin.viewing import Visit, visited

_DOOR = "/sign-in"
_SOCKETS = "/_nicegui_ws/"
_SAFE = ("GET", "HEAD", "OPTIONS")
_UNSAID = [b"x-forwarded-prefix", b"forwarded"]
"""What NiceGUI would write into a page."""
_SMALLEST = 1_000
"""Bytes of an answer that is worth packing."""
_LARGEST_FORM = 64 * 1024


def page_of(path: str) -> str | None:
    """The page that an address belongs to: itself, what is below it, and its figures."""
    first, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0] if first == "figures" else first
    return name if name in PAGES else None


class Gate:
    """Stands before an application. What it answered before there were pages (`api`) has a door
    of its own; all else is asked for by a viewer, who sees some pages and not others. Without a
    doorman nobody signs in, and whoever sits at this machine is let in."""

    def __init__(
        self, app: ASGIApp, api: Sequence[BaseRoute], site: Site, doorman: Doorman | None
    ) -> None:
        self._api, self._site, self._doorman = api, site, doorman
        self._beside = Headed(app, is_secure=site.is_secure)
        self._pages = Headed(GZipMiddleware(Nonced(app), _SMALLEST), is_secure=site.is_secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_api(scope):
            await self._beside(scope, receive, send)
            return
        without(scope, _UNSAID)
        refused = self._unseemly(scope) or self._not_own(scope)
        if refused is not None:
            await Headed(refused, is_secure=self._site.is_secure)(scope, receive, send)
        elif scope["type"] == "websocket":
            await watched(self._pages)(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    def _unseemly(self, scope: Scope) -> Response | None:
        """Why a request is not taken of anybody; null of one that is."""
        path, is_socket = scope["path"], scope["type"] == "websocket"
        if not self._site.is_our_way(scope):
            return _told(HTTPStatus.FORBIDDEN, "this is not the way that people come by here")
        if path.startswith(_SOCKETS) and not is_socket:
            return _told(HTTPStatus.FORBIDDEN, "pages are kept up by WebSocket alone")
        if not is_socket and scope["method"] in _SAFE:
            return None
        if not self._site.is_own_origin(scope):
            self._note(scope, "-", "origin refused", path)
            return _told(HTTPStatus.FORBIDDEN, "this was not sent by a page of this site")
        if not is_socket and _size(scope) > _LARGEST_FORM:
            return _told(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "this is no form of ours")
        return None

    def _not_own(self, scope: Scope) -> Response | None:
        """Why a request is not taken of whoever sent it; null of one that is, whose visit is
        noted."""
        doorman, page = self._doorman, page_of(scope["path"])
        visit = doorman.visit(scope) if doorman else Visit(ALONE)
        if visit is None:
            return None if scope["path"] == _DOOR else _to_the_door(scope)
        visited(scope, visit)
        if page is None:
            return None
        if not visit.viewer.sees(page):
            self._note(scope, visit.viewer.name, "page refused", page)
            known = doorman.roles.values() if doorman else ()
            opened_by = [r.name for r in known if page in r.pages]
            return refused_page(page, opened_by, [p for p in PAGES if visit.viewer.sees(p)])
        if doorman is not None and visit.session is not None:
            doorman.sessions.use(visit.session)
        return None

    def _note(self, scope: Scope, who: str, what: What, about: str) -> None:
        if self._doorman is not None:
            self._doorman.log.write(who, self._site.sender(scope), what, about)

    def _is_api(self, scope: Scope) -> bool:
        return any(route.matches(dict(scope))[0] is not Match.NONE for route in self._api)


def _size(scope: Scope) -> float:
    """Bytes of a body, as it is announced; of one that is not, more than any."""
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isdecimal() else math.inf


def _told(status: HTTPStatus, text: str) -> Response:
    return PlainTextResponse(text, status)


def _to_the_door(scope: Scope) -> Response:
    """To sign in, and then on to where one wanted; a script that asks is told so."""
    sent = Headers(scope=scope)
    if scope["type"] == "websocket" or scope["method"] not in _SAFE or not _is_reader(sent):
        return _told(HTTPStatus.UNAUTHORIZED, "sign in first: /sign-in")
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    after = f"?next={quote(wanted, safe='')}" if page_of(scope["path"]) else ""
    return RedirectResponse(f"{_DOOR}{after}", 303)


def _is_reader(sent: Headers) -> bool:
    return sent.get("sec-fetch-mode", "navigate") == "navigate" and "text/html" in sent.get(
        "accept", ""
    )
