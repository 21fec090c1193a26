"""How fast events are sent: so many a second, so many times as fast as they happened, or as fast
as the log takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Moments = npt.NDArray[np.int64]
"""Microseconds since 1970, in order."""
Clock = Callable[[], float]
"""Seconds; never goes back."""
MOST = 20_000
"""Events that are sent at a time."""


class Pace(Protocol):
    def due(self, sent: int, waiting: Moments) -> int:
        """How many of the events that wait are to be sent now, `sent` having been sent since the
        pace began; 0 or more."""


class AsFast:
    def due(self, sent: int, waiting: Moments) -> int:  # noqa: ARG002
        return min(len(waiting), MOST)


@dataclass
class Rate:
    """`events` a second, counted from the first question on: what was late is made up for."""

    events: float
    clock: Clock
    _began: float | None = None

    def due(self, sent: int, waiting: Moments) -> int:
        if self._began is None:
            self._began = self.clock()
        asked = int((self.clock() - self._began) * self.events) - sent
        return max(0, min(len(waiting), asked, MOST))


@dataclass
class Speed:
    """The events' own clock, so many times as fast; it stands at the first event at first."""

    times: float
    clock: Clock
    _began: tuple[float, int] | None = None

    def due(self, sent: int, waiting: Moments) -> int:  # noqa: ARG002
        if self._began is None:
            self._began = self.clock(), int(waiting[0])
        began, first = self._began
        until = first + (self.clock() - began) * self.times * 1e6
        return min(int(np.searchsorted(waiting, until, side="right")), MOST)
