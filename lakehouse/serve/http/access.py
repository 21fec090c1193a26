"""Whether a request may do what it asks: by its token, or as one from this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lakehouse.serve.http.refusals import Refusal
from lakehouse.serve.http.tokens import Tokens

_bearer = HTTPBearer(auto_error=False, description="A token of `lakehouse serve token add`.")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""What proxies say of whom they speak for."""
Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Door:
    """Lets requests in. Where there are tokens each needs one; where there are none, only those
    that this machine's own programs make get in, and no page of another site's. With `is_proxied`
    what comes from this machine may be anybody's."""

    def __init__(self, tokens: Tokens, *, is_proxied: bool = False) -> None:
        self._tokens = tokens
        self._is_proxied = is_proxied

    def sender(
        self, request: Request, sent: HTTPAuthorizationCredentials | None, scope: str
    ) -> str:
        """Who it is, by name of the token or address. Raises Refusal."""
        if not self._tokens.all():
            return self._neighbour(request)
        if sent is None:
            raise Refusal(401, "a token is needed: Authorization: Bearer …")
        token = self._tokens.find(sent.credentials)
        if token is None:
            raise Refusal(401, "no such token, or it was revoked")
        if scope and scope not in token.scopes:
            raise Refusal(403, f"token {token.name} opens {', '.join(token.scopes)}, not {scope}")
        return f"token {token.name}"

    def needs(self, scope: str) -> Callable[..., str]:
        """A dependency: the sender of a request that may do what `scope` opens."""

        def sender(request: Request, sent: Sent) -> str:
            return self.sender(request, sent, scope)

        return sender

    def _neighbour(self, request: Request) -> str:
        if self._is_proxied or any(h in request.headers for h in _FORWARDED):
            raise Refusal(401, "others come by a proxy here: a token is needed")
        address = request.client.host if request.client else ""
        if not is_loopback(address) or not is_loopback(request.url.hostname or ""):
            raise Refusal(403, "there are no tokens: only this machine gets in, as 127.0.0.1")
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refusal(403, "there are no tokens: pages of other sites do not get in")
        return f"address {address}"
