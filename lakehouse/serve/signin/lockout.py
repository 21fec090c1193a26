"""How often one may try: after some failures each further one costs more time.

By name, so that a password is not guessed from many places, and by address, so that many names are
not tried from one. Names that nobody has count alike. The longest wait is a quarter of an hour: who
keeps a colleague out by failing on purpose does not keep them out for good.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_BY_NAME, FREE_BY_ADDRESS = 5, 20
"""Failures in a row that cost nothing."""
FIRST, LONGEST = 30.0, 900.0
"""Seconds: the first wait, which doubles with each failure, and the longest."""
FORGOTTEN = 24 * 3600.0
KEPT = 10_000
"""Names and addresses that are kept; beyond, the oldest is forgotten."""


@dataclass
class _Count:
    tries: int
    last: float


class Lockout:
    """Counts a try before it is judged, so that many at once are not free; a success takes it
    back. `now`: seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def take(self, name: str, address: str) -> float:
        """Seconds to wait before a try is judged; 0: it is, and counts."""
        places = self._places(name, address)
        wait = max(self._wait(place, free) for place, free in places)
        if wait > 0:
            return wait
        for place, _ in places:
            count = self._counts.setdefault(place, _Count(0, 0.0))
            count.tries, count.last = count.tries + 1, self._now()
            self._counts.move_to_end(place)
        while len(self._counts) > KEPT:
            self._counts.popitem(last=False)
        return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """Forgets the failures of the name; of the address only this try."""
        (by_name, _), (by_address, _) = self._places(name, address)
        self._counts.pop(by_name, None)
        if by_address in self._counts:
            self._counts[by_address].tries -= 1

    def _wait(self, place: tuple[str, str], free: int) -> float:
        count = self._counts.get(place)
        if count is None or self._now() - count.last > FORGOTTEN:
            self._counts.pop(place, None)
            return 0.0
        if count.tries < free:
            return 0.0
        cost = min(LONGEST, FIRST * 2.0 ** min(count.tries - free, 10))
        return max(0.0, count.last + cost - self._now())

    def _places(self, name: str, address: str) -> list[tuple[tuple[str, str], int]]:
        return [(("name", name), FREE_BY_NAME), (("address", _net(address)), FREE_BY_ADDRESS)]


def _net(address: str) -> str:
    """An address of IPv6 is one of many that its holder may take."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    wide = found.version == 6 and not found.is_loopback
    return str(ipaddress.ip_network((found, 64), strict=False)) if wide else str(found)
