"""A plain engine of the same measures, order by order with a dictionary of users: what most shops
begin with. It is here to be compared with, in what it says and in what it costs."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lakehouse.detection.fraud.measures import LEAST_SECONDS, PLACE_ERROR_KM, REACH

Row = dict[str, Any]
SAID = ("tried_5s", "tried_60s", "tried_hour", "cents_60s", "cents_hour", "is_new_device")


@dataclass(frozen=True)
class Kept:
    at: dt.datetime
    day: dt.date
    cents: int
    is_tried: bool
    device: int
    """0 where it is not known."""
    place: tuple[float, float] | None


def told(rows: Iterable[Row]) -> list[Row]:
    """Measures of orders that come by time: `SAID`, and `kmh` from the last other place."""
    users: dict[str, deque[Kept]] = defaultdict(deque)
    return [_measured(row, users[row["user_id"]]) for row in rows]


def _measured(row: Row, before: deque[Kept]) -> Row:
    place = None if row["latitude"] is None else (row["latitude"], row["longitude"])
    new = Kept(
        row["timestamp"], row["gaming_day"], row["cents"], row["is_tried"], row["device"], place
    )
    while before and before[0].day < new.day - dt.timedelta(days=REACH):
        before.popleft()
    found: Row = {"kmh": _kmh(new, before), "is_new_device": _is_new(new, before)}
    before.append(new)
    for name, seconds in (("5s", 5), ("60s", 60), ("hour", 3_600)):
        inside = [k for k in before if k.is_tried and (new.at - k.at).total_seconds() <= seconds]
        found[f"tried_{name}"] = len({k.at for k in inside})
        found[f"cents_{name}"] = sum(k.cents for k in inside)
    return found


def _is_new(new: Kept, before: deque[Kept]) -> bool:
    known = [
        k.device
        for k in before
        if k.is_tried and k.device and (new.at - k.at).total_seconds() > 86_400
    ]
    return bool(new.is_tried and new.device and known and new.device not in known)


def _kmh(new: Kept, before: deque[Kept]) -> float | None:
    placed = [k for k in before if k.is_tried and k.place]
    if not (new.is_tried and new.place and placed):
        return None
    other = next((k for k in reversed(placed) if k.place != new.place), None)
    if other is None or other.place is None:
        return 0.0
    seconds = max((new.at - other.at).total_seconds(), LEAST_SECONDS)
    return max(_km(other.place, new.place) - PLACE_ERROR_KM, 0) / (seconds / 3_600)


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    north, east = math.radians(b[0] - a[0]), math.radians(b[1] - a[1])
    half = math.sin(north / 2) ** 2
    half += math.cos(math.radians(a[0])) * math.cos(math.radians(b[0])) * math.sin(east / 2) ** 2
    return 2 * 6_371.0088 * math.asin(math.sqrt(half))
