"""Headers by which a browser guards our pages (OWASP ASVS 5.0, V3.4 and V14.3).

NiceGUI draws a page by scripts that stand in it and by code that it evaluates, and charts by styles
in elements. So scripts are let in by a nonce of each answer, `eval` has to be allowed, and so have
styles in elements. Nothing is let in from elsewhere, nothing sends elsewhere, nobody frames us.
"""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HSTS = "max-age=31536000; includeSubDomains"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), "
    "payment=(), usb=()",
}
_NOWHERE = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
PLAIN = f"default-src 'none'; {_NOWHERE}; form-action 'self'"
"""Of what has no script: data, files, answers."""
_SCRIPT = re.compile(rb"<script(?=[\s>])")
_STATIC = re.compile(r"/_nicegui/[^/]+/(?!dynamic_resources/)")


def page_policy(nonce: str) -> str:
    """The policy of a page that NiceGUI draws."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        f"connect-src 'self'; form-action 'self'; {_NOWHERE}"
    )


class Headed:
    """Puts the headers on every answer of an application. What has a policy or a rule for caches
    of its own keeps it, but for scripts and styles of NiceGUI nothing is kept by a browser."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        self._always = _ALWAYS | ({"Strict-Transport-Security": HSTS} if is_secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._always)
                headers.setdefault("Content-Security-Policy", PLAIN)
                if not _STATIC.match(scope["path"]):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, headed)


class Nonced:
    """Lets in the scripts of a drawn page, and no others: what a figure or a name holds stands in
    the page with its brackets written otherwise, so that it makes no script of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def nonced(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_drawn(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                nonce = secrets.token_urlsafe(16)
                let_in = _SCRIPT.sub(b'<script nonce="%s"' % nonce.encode(), body)
                headers = MutableHeaders(scope=start)
                headers["Content-Security-Policy"] = page_policy(nonce)
                headers["Content-Length"] = str(len(let_in))
                await send(start)
                await send({"type": "http.response.body", "body": let_in})

        await self._app(scope, receive, nonced)


def _is_drawn(start: Message) -> bool:
    return MutableHeaders(scope=start).get("x-nicegui-content") == "page"
