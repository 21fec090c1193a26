"""Whether the lake has room, and for how long."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

from lakehouse.paths import is_url
from lakehouse.serve.monitor.registry import Look, Measure, signal
from lakehouse.storage import Lake

GIGABYTE = 1e9
LEAST_SPAN = dt.timedelta(hours=1)
"""Between two sizes of which a growth is told."""
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
_MEND = "`lakehouse maintain` removes what no version needs; else make room, or a larger volume."


@signal("storage", unit="percent", warning=80, critical=95, do=_MEND)
def storage(look: Look) -> Iterator[Measure]:
    """The lake's bytes against what it may take."""
    size, room = _size_and_room(look)
    if room is None:
        yield Measure("lake", None, f"{size / GIGABYTE:.2f} GB; no bound is set for object stores")
        return
    share = 100 * size / max(room, 1.0)
    yield Measure("lake", round(share, 4), f"{size / GIGABYTE:.2f} of {room / GIGABYTE:.1f} GB")


@signal(
    "storage_growth",
    unit="days",
    warning=30,
    critical=7,
    is_worse_below=True,
    do=f"The lake is full in so many days, as it grows now. {_MEND}",
)
def storage_growth(look: Look) -> Iterator[Measure]:
    """Days until the lake has all that it may take, or its volume is full, by what the last week
    added to its share."""
    near = [(at, n) for at, n in look.shares if look.now - WEEK <= at <= look.now - LEAST_SPAN]
    size, room = _size_and_room(look)
    if room is None or not near:
        yield Measure("lake", None, "how the lake grows is known after an hour")
        return
    at, before = near[0]
    share = 100 * size / max(room, 1.0)
    by_day = (share - before) / ((look.now - at) / DAY)
    if by_day <= 0:
        yield Measure("lake", None, "the lake does not grow")
        return
    days = max(0.0, 100 - share) / by_day
    yield Measure("lake", round(days, 1), f"{by_day:.2f}% more of its room is taken each day")


def size_of(lake: Lake) -> float:
    """Bytes of all files of a lake in a folder; of one in an object store, of those that its
    newest versions need."""
    if not is_url(lake.root):
        return float(_below(lake.root))
    held = (lake.partitions(*t)["bytes"].sum() for t in lake.stored())
    return float(sum(held))


def _below(folder: str) -> int:
    total = 0
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, PermissionError):
        return 0
    for entry in entries:
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            total += _below(entry.path) if is_folder else entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:  # compacted away meanwhile
            continue
    return total


def _size_and_room(look: Look) -> tuple[float, float | None]:
    """Bytes of the lake, and those that it may take."""
    size, bound = size_of(look.lake), look.settings.monitor.storage_gigabytes
    if bound is not None:
        return size, bound * GIGABYTE
    if is_url(look.lake.root):
        return size, None
    return size, size + look.host.disk(look.lake.root)[1]
