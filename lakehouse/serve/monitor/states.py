"""How signals stand: the level that the last looks agree on, kept in the lake's log.

A level holds once as many looks in a row were at least as grave (to become graver) or at most (to
become milder). Monitors that look at the same time take turns, so that a change is theirs once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.serve.monitor.registry import INFO, Reading
from lakehouse.storage import Lake, append_in_turn

LAYER, TABLE = "ops", "signal_states"
SIZED = "storage"
"""Signal whose value is noted every hour, changed or not: growth follows from it."""
EVERY = dt.timedelta(hours=1)
Key = tuple[str, str]


@dataclass(frozen=True)
class State:
    """How a signal and subject stand."""

    signal: str
    subject: str
    level: str
    since: dt.datetime
    read_level: str
    value: float | None
    unit: str
    said: str
    to_do: str
    looks: tuple[tuple[str, dt.datetime], ...]
    is_told: bool
    told: tuple[str, ...]
    looked_at: dt.datetime

    @property
    def key(self) -> Key:
        return self.signal, self.subject

    @property
    def read_since(self) -> dt.datetime:
        """Since when looks read what the last one did."""
        return self.since if self.read_level == self.level else self._began()

    def _began(self) -> dt.datetime:
        began = self.looked_at
        for level, at in reversed(self.looks):
            if level != self.read_level:
                break
            began = at
        return began


class _Same(Exception):  # noqa: N818 - nothing went wrong
    """Nothing is to be noted."""


def read(lake: Lake) -> pl.DataFrame:
    """The log, in its order."""
    return lake.scan(LAYER, TABLE).collect().sort("number")


def standing(log: pl.DataFrame) -> dict[Key, State]:
    """How all that was looked at stands."""
    newest = log.sort("number").unique(["signal", "subject"], keep="last", maintain_order=True)
    found = (_state(row) for row in newest.drop("number").iter_rows(named=True))
    return {s.key: s for s in found}


def shares(log: pl.DataFrame) -> list[tuple[dt.datetime, float]]:
    """How full the lake was at earlier looks, the oldest first."""
    noted = log.filter(pl.col("signal") == SIZED, pl.col("value").is_not_null())
    return list(noted.sort("looked_at").select("looked_at", "value").iter_rows())


def note_look(
    lake: Lake, readings: Sequence[Reading], now: dt.datetime, looks: int
) -> dict[Key, State]:
    """How signals stand after these readings. What changed is in the log then.

    Raises LakehouseError where the log stays busy."""
    found: dict[Key, State] = {}

    def following(log: pl.DataFrame) -> list[State]:
        before = standing(log)
        found.clear()
        found.update({s.key: s for s in _after(before, readings, now, looks)})
        return [s for s in found.values() if _is_news(before.get(s.key), s, now)]

    _note(lake, f"look at {now:%Y-%m-%dT%H:%M:%SZ}", following)
    return found


def note_told(lake: Lake, state: State, ways: Collection[str], *, is_told: bool) -> None:
    """Notes by which ways a level was told; nothing, where it has changed since."""

    def following(log: pl.DataFrame) -> list[State]:
        now = standing(log).get(state.key)
        if now is None or (now.level, now.since) != (state.level, state.since) or now.is_told:
            return []
        return [replace(now, told=tuple(dict.fromkeys([*now.told, *ways])), is_told=is_told)]

    _note(lake, "told", following)


def untold(found: Iterable[State]) -> list[State]:
    """What somebody is still to be told of, the gravest first."""
    waiting = [s for s in found if not s.is_told]
    return sorted(waiting, key=lambda s: (-LEVELS.index(s.level), s.key))


def _note(lake: Lake, why: str, following: Callable[[pl.DataFrame], list[State]]) -> None:
    def rows(log: pl.DataFrame) -> tuple[str, pl.DataFrame]:
        changed = following(log)
        if not changed:
            raise _Same
        return why, _rows(changed, max(log["number"], default=0) + 1)

    try:
        rows(read(lake))
        append_in_turn(lake, LAYER, TABLE, rows, log="the log of signals")
    except _Same:
        return


def _after(
    before: Mapping[Key, State], readings: Sequence[Reading], now: dt.datetime, looks: int
) -> list[State]:
    """What is no longer read has become mild."""
    seen = {(r.signal, r.subject): r for r in readings}
    every = [*readings, *(_gone(s) for key, s in before.items() if key not in seen)]
    return [_moved(before.get((r.signal, r.subject)), r, now, looks) for r in every]


def _gone(state: State) -> Reading:
    said = "is no longer there to be looked at"
    return Reading(state.signal, state.subject, INFO, None, state.unit, said, state.to_do)


def _moved(before: State | None, reading: Reading, now: dt.datetime, looks: int) -> State:
    """One look more. What was never seen stands at INFO."""
    earlier = before.looks if before else ()
    near = (*earlier, (reading.level, now))[-looks:]
    level, since = (before.level, before.since) if before else (INFO, now)
    is_told, by = (before.is_told, before.told) if before else (True, ())
    agreed = _agreed(level, [LEVELS.index(at) for at, _ in near], looks)
    if agreed != level:
        level, since, is_told, by = agreed, near[0][1], False, ()
    return State(
        signal=reading.signal,
        subject=reading.subject,
        level=level,
        since=since,
        read_level=reading.level,
        value=reading.value,
        unit=reading.unit,
        said=reading.said,
        to_do=reading.to_do,
        looks=near,
        is_told=is_told,
        told=by,
        looked_at=now,
    )


def _agreed(level: str, near: list[int], looks: int) -> str:
    """As grave as all of the last looks were at least, or as mild as they were at most."""
    if len(near) < looks:
        return level
    return LEVELS[min(max(LEVELS.index(level), min(near)), max(near))]


def _is_news(before: State | None, now: State, at: dt.datetime) -> bool:
    if before is None:
        return True
    changed = [before.level, *(level for level, _ in before.looks)] != [
        now.level,
        *(level for level, _ in now.looks),
    ]
    is_due = now.signal == SIZED and now.value is not None and before.looked_at <= at - EVERY
    return changed or is_due


def _state(row: Mapping[str, Any]) -> State:
    looks = tuple((look["level"], look["at"]) for look in row["looks"])
    return State(**{**row, "looks": looks, "told": tuple(row["told"])})


def _rows(changed: Sequence[State], first: int) -> pl.DataFrame:
    rows = [
        {
            **vars(s),
            "number": n,
            "looks": [{"level": level, "at": at} for level, at in s.looks],
            "told": list(s.told),
        }
        for n, s in enumerate(changed, first)
    ]
    return pl.DataFrame(rows, schema=contract(TABLE).bronze_schema())
