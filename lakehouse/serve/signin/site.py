"""The way that people come by: whether it is ours, and from where they come in truth."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from lakehouse.serve.http.access import is_loopback
from lakehouse.serve.signin.wanted import PageSettings


@dataclass(frozen=True)
class Site:
    """Where the page is found, and by whose word. `origin`: null on this machine alone."""

    origin: str | None
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    has_tls: bool

    @classmethod
    def of(cls, page: PageSettings) -> Site:
        networks = tuple(ipaddress.ip_network(p) for p in page.proxies)
        return cls(page.origin, networks, page.tls_certificate is not None)

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS, to us or to the proxy."""
        return self.has_tls or bool(self.proxies)

    def is_proxied(self, scope: Scope) -> bool:
        """Whether a proxy of ours sent it."""
        return self._is_proxy(_peer(scope))

    def is_our_way(self, scope: Scope) -> bool:
        """Whether it came by a proxy where there are proxies, else by our own TLS, and else by
        the name of this machine (a name of another's that points here is refused)."""
        if self.is_proxied(scope):
            return True
        if self.proxies and not self.has_tls:
            return False
        host = Headers(scope=scope).get("host", "")
        if self.origin and host.casefold() == urlsplit(self.origin).netloc:
            return True
        return is_loopback(_name(host)) and is_loopback(_peer(scope))

    def is_own_origin(self, scope: Scope) -> bool:
        """Whether a form or a socket is of a page of ours. A browser always says."""
        sent = Headers(scope=scope)
        said, host = sent.get("origin"), sent.get("host", "")
        if sent.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        if self.origin is not None and said == self.origin:
            return True
        if self.proxies or not is_loopback(_name(host)):
            return False
        return said == f"{'https' if self.has_tls else 'http'}://{host}"

    def sender(self, scope: Scope) -> str:
        """The address that it came from: by word of our proxies, as far as they are ours."""
        peer = _peer(scope)
        if not self._is_proxy(peer):
            return peer
        said = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        hops = [hop.strip() for hop in said.split(",") if hop.strip()]
        strangers = (hop for hop in reversed(hops) if not self._is_proxy(hop))
        return next(strangers, peer)[:64]

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.proxies)


def without(scope: Scope, names: Iterable[bytes]) -> None:
    """Takes headers out of a request that nobody may say there."""
    taken = set(names)
    scope["headers"] = [h for h in scope["headers"] if h[0] not in taken]


def _peer(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
