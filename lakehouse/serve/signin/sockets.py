"""Sockets of pages: each is of a session, acts through pages of that session alone, and ends with
it.

NiceGUI takes any socket that names a page's client, and any message of it. Names of clients are
random, and yet a name that got about must open nothing.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from nicegui import core
from nicegui.client import Client
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakehouse.serve.signin.doorman import Doorman
from lakehouse.serve.signin.viewing import Visit, visit_of

_TO_THE_DOOR = "42" + json.dumps(["open", {"path": "/sign-in", "new_tab": False}])
"""What a browser is told, in the words of socket.io, so that the page goes away."""
_OF_A_CLIENT = ("handshake", "event", "javascript_response", "ack", "log")
_OVER = {"type": "websocket.close", "code": 1008}


def watched(app: ASGIApp) -> ASGIApp:
    """An application whose sockets end with their sessions, in both directions: with the next
    message, of which the server sends one every few seconds."""

    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        is_live = visit_of(scope).is_live
        is_over = False

        async def heard() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive" or is_live():
                return message
            await _end()
            return {"type": "websocket.disconnect", "code": 1008}

        async def said(message: Message) -> None:
            if is_over:
                return
            if message["type"] == "websocket.send" and not is_live():
                await _end()
                return
            await send(message)

        async def _end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                await send({"type": "websocket.send", "text": _TO_THE_DOOR})
                await send(_OVER)

        await app(scope, heard, said)

    return socket


def guard_clients(doorman: Doorman | None) -> None:
    """Has NiceGUI take from a socket only what is of pages of its own session. Each event that a
    user makes is use of the session."""
    handlers = core.sio.handlers["/"]
    for name in _OF_A_CLIENT:
        core.sio.on(name, _of_own(doorman, name, _bare(handlers[name])))
    core.sio.on("connect", _own_connect(_bare(handlers["connect"])))


def _bare(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of NiceGUI's own, of one that an application before has wrapped."""
    return getattr(handler, "__wrapped__", handler)


def _of_own(doorman: Doorman | None, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def guarded(sid: str, message: dict[str, Any]) -> Any:
        visit = visit_of(core.sio.get_environ(sid)["asgi.scope"])
        if not _is_own(visit, message.get("client_id")) or not visit.is_live():
            return False
        if name == "event" and doorman is not None and visit.session is not None:
            doorman.sessions.use(visit.session)
        answer = handler(sid, message)
        return await answer if isinstance(answer, Awaitable) else answer

    return guarded


def _own_connect(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def guarded(sid: str, environ: dict[str, Any], sent: Any = None) -> Any:
        asked = parse_qs(environ.get("QUERY_STRING", "")).get("client_id", [None])[0]
        if not _is_own(visit_of(environ["asgi.scope"]), asked):
            return False
        return await handler(sid, environ, sent)

    return guarded


def _is_own(visit: Visit, client_id: object) -> bool:
    client = Client.instances.get(str(client_id))
    return client is None or visit_of(client.request.scope).owner == visit.owner
