"""A look after the other: read, note, tell whoever is to know."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from lakehouse.closing import Closing
from lakehouse.errors import LakehouseError
from lakehouse.serve.alerts.telling import Message, Way
from lakehouse.serve.monitor import states
from lakehouse.serve.monitor.registry import CRITICAL, WARNING, Look, Reading, readings
from lakehouse.serve.monitor.states import Key, State
from lakehouse.storage import Lake

PATIENCE = 60.0
"""Seconds that the end of a watch waits for what is being told."""
_LOUD = {CRITICAL: logging.ERROR, WARNING: logging.WARNING}


@dataclass(frozen=True)
class Seen:
    """What a look read, and how signals stand after it."""

    readings: Sequence[Reading]
    states: Mapping[Key, State]


def seen(look: Look) -> Seen:
    """One look, noted in the lake's log."""
    shares = states.shares(states.read(look.lake))
    found = readings(replace(look, shares=shares))
    looks = look.settings.monitor.looks
    return Seen(found, states.note_look(look.lake, found, look.now, looks))


def tell(lake: Lake, ways: Mapping[str, Way]) -> list[str]:
    """Tells changes that the log says nobody was told of yet, by each way once; what is not taken
    now is told after a later look. What went wrong, in words."""
    waiting, failed = states.untold(states.standing(states.read(lake)).values()), []
    by = {s.key: set(s.told) for s in waiting}
    for name, way in ways.items():
        mine = [s for s in waiting if name not in by[s.key]]
        if not mine:
            continue
        try:
            way(message(mine))
        except LakehouseError as error:
            failed.append(str(error))
            continue
        for state in mine:
            by[state.key].add(name)
            is_told = by[state.key] >= ways.keys()
            states.note_told(lake, state, sorted(by[state.key]), is_told=is_told)
    return failed


def message(changed: Sequence[State]) -> Message:
    lines = [(_LOUD.get(s.level, logging.INFO), line(s)) for s in changed]
    about = {
        "signals": [
            {
                "signal": s.signal,
                "subject": s.subject,
                "level": s.level,
                "since": s.since.isoformat(),
                "value": s.value,
                "unit": s.unit,
                "said": s.said,
                "to_do": s.to_do,
            }
            for s in changed
        ]
    }
    first = changed[0]
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return Message(f"{first.level} {first.signal} {first.subject}{more}", lines, about)


def line(state: State) -> str:
    """A change in one line. What is well again needs nothing done."""
    said = f"{state.level} {state.signal} {state.subject} since {state.since:%Y-%m-%d %H:%M}"
    to_do = f" {state.to_do}" if state.level in _LOUD else ""
    return f"{said}: {state.said}.{to_do}"


class Kept:
    """Readings that are at most so many seconds old, for those who ask often. Notes nothing."""

    def __init__(self, look: Callable[[], Look], seconds: float) -> None:
        self._look, self._seconds = look, seconds
        self._turn = threading.Lock()
        self._at, self._readings = -math.inf, list[Reading]()

    def __call__(self) -> Sequence[Reading]:
        with self._turn:
            look = self._look()
            if look.clock() - self._at >= self._seconds:
                shares = states.shares(states.read(look.lake))
                self._readings, self._at = readings(replace(look, shares=shares)), look.clock()
            return self._readings


class Teller(Closing):
    """Tells beside the looks, which never wait for it: a look during which somebody is still being
    told leaves its own changes to the next."""

    def __init__(
        self, lake: Lake, ways: Mapping[str, Way], complain: Callable[[str], None]
    ) -> None:
        self._lake, self._ways, self._complain = lake, ways, complain
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="telling")
        self._under_way: Future[list[str]] | None = None

    def take(self, found: Mapping[Key, State]) -> None:
        if self._under_way is not None and not self._under_way.done():
            return
        self._report()
        if states.untold(found.values()):
            self._under_way = self._pool.submit(tell, self._lake, self._ways)

    def close(self) -> None:
        if self._under_way is not None:
            try:
                self._under_way.result(PATIENCE)
            except TimeoutError:
                self._complain("somebody was still being told; it is told after the next look")
            else:
                self._report()
        self._pool.shutdown(wait=False)

    def _report(self) -> None:
        if self._under_way is None:
            return
        done, self._under_way = self._under_way, None
        for said in done.result():
            self._complain(said)
