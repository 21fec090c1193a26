"""A check's measure over the days, as a small chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240, 36
_PAD = 3
Values = Sequence[float | None]


@dataclass(frozen=True)
class Trend:
    """Points of SVG, in a box of `WIDTH` by `HEIGHT`; a new line begins where a day has no
    measure. `ticks` mark the days that did not pass."""

    line: str
    bound: str
    ticks: str
    low: float
    high: float


def trend(measures: Values, bounds: Values, is_open: Sequence[bool]) -> Trend | None:
    """The chart of a measure by day; null where it never moves."""
    measures, bounds = _finite(measures), _finite(bounds)
    known = [m for m in measures if m is not None]
    if len(set(known)) < 2:
        return None
    every = known + [b for b in bounds if b is not None]
    low, high = min(every), max(every)

    def x(index: int) -> int:
        return round(_PAD + index * (WIDTH - 2 * _PAD) / (len(measures) - 1))

    def path(values: Values) -> str:
        if len(set(values)) == 1 and values[0] is not None:
            return f"M{x(0)} {_y(values[0], low, high)}H{x(len(values) - 1)}"
        return _path(
            [None if v is None else (x(i), _y(v, low, high)) for i, v in enumerate(values)]
        )

    ticks = "".join(f"M{x(i)} {HEIGHT}v-5" for i, it_is in enumerate(is_open) if it_is)
    return Trend(path(measures), path(bounds), ticks, min(known), max(known))


def _finite(values: Values) -> list[float | None]:
    return [v if v is not None and math.isfinite(v) else None for v in values]


def _y(value: float, low: float, high: float) -> int:
    return round(HEIGHT - 6 - _PAD - (value - low) / (high - low) * (HEIGHT - 6 - 2 * _PAD))


def _path(points: Sequence[tuple[int, int] | None]) -> str:
    """A flat stretch is one stroke."""
    said, before = [], None
    for index, point in enumerate(points):
        after = points[index + 1] if index + 1 < len(points) else None
        if point is not None and before is None:
            said.append(f"M{point[0]} {point[1]}{'' if after else 'h1'}")
        elif point is not None and not (before and after and before[1] == point[1] == after[1]):
            said.append(f"L{point[0]} {point[1]}")
        before = point
    return "".join(said)
