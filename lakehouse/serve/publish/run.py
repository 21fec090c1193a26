"""Publishing: each day that the database does not have as the lake has it, and no other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

import polars as pl

from lakehouse.serve.publish.shapes import Shape, flattened, shape_of
from lakehouse.serve.publish.target import WHOLE, Marks, Target
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake
from lakehouse.storage.shapes import PARTITION

ROWS_AT_ONCE = 250_000
"""Rows of a transaction, unless one day has more."""
VIEWED = {"snowflake": ("clickstream", "shop_orders")}
"""By database, the silver tables that its views and its warehouse are made of."""
CONNECTIONS = 2
"""To a database that takes several."""
Found = TypeVar("Found")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Published:
    """What was sent of a table, and how many days were there already."""

    name: str
    days: int
    rows: int
    same: int


@dataclass(frozen=True)
class Wanted:
    """What a database lacks of a table: portions of days, and how many days it has."""

    portions: list[Marks]
    days: int
    same: int


def usual(settings: Settings, target: str) -> list[Shape]:
    """All open tables of gold, and what the views of that database need."""
    gold = [shape_of("gold", n) for n in settings.tables("gold")]
    viewed = VIEWED.get(target, ("clickstream",))
    return [*gold, *(shape_of("silver", n) for n in viewed if settings.has(n))]


def publish(
    lake: Lake,
    target: Target,
    shapes: Sequence[Shape],
    *,
    days: Days | None = None,
    tell: Tell = lambda _: None,
) -> list[Published]:
    """Brings the tables of the database in line with the lake, of all days or of `days`. What is
    sent is there by whole days: a publishing that was broken off goes on where it was.

    Raises BadInput for a table that the database has otherwise, StorageError where it fails.
    """
    there = [s for s in shapes if lake.exists(s.layer, s.table)]
    done = []
    with ExitStack() as stack:
        stack.enter_context(target.turns(there))
        for shape in there:
            target.lay_out(shape)
        besides = (target.beside() for _ in range(CONNECTIONS - 1))
        targets = [target, *(stack.enter_context(t) for t in besides if t)]
        for one in _side_by_side(lake, targets, there, days):
            done.append(one)
            tell(_line(one))
    for view in target.lay_out_views():
        tell(f"view {view}")
    return done


def _side_by_side(
    lake: Lake, targets: Sequence[Target], shapes: Sequence[Shape], days: Days | None
) -> Iterator[Published]:
    """Each portion by the next connection that is free, those of the largest table first: a driver
    keeps one core busy, and the database another. Told in the order of `shapes`."""
    free: SimpleQueue[Target] = SimpleQueue()
    for target in targets:
        free.put(target)

    def by_next(do: Callable[..., Found], *given: object) -> Found:
        target = free.get()
        try:
            return do(lake, target, *given)
        finally:
            free.put(target)

    pool = ThreadPoolExecutor(len(targets))
    try:
        order = sorted(shapes, key=partial(_size, lake))
        wanted = {s: pool.submit(by_next, _wanted, s, days) for s in order}
        sent = {
            s: [pool.submit(by_next, _sent, s, p) for p in wanted[s].result().portions]
            for s in order
        }
        for shape in shapes:
            found = wanted[shape].result()
            rows = sum(portion.result() for portion in sent[shape])
            yield Published(shape.name, found.days, rows, found.same)
    finally:
        pool.shutdown(cancel_futures=True)


def _size(lake: Lake, shape: Shape) -> int:
    return -int(lake.partitions(shape.layer, shape.table)["rows"].sum())


def _wanted(lake: Lake, target: Target, shape: Shape, days: Days | None) -> Wanted:
    held, known = _held(lake, shape, days), target.known(shape)
    there = {d: m for d, m in known.items() if days is None or _within(d, days)}
    changed = {
        d: held.get(d, "") for d in held.keys() | there.keys() if held.get(d) != there.get(d)
    }
    portions = list(_portions(lake, shape, changed))
    return Wanted(portions, len(changed), len(held.keys() - changed.keys()))


def _sent(lake: Lake, target: Target, shape: Shape, portion: Marks) -> int:
    frame = flattened(_rows(lake, shape, portion), shape)
    target.replace(shape, frame, portion)
    return frame.height


def _held(lake: Lake, shape: Shape, days: Days | None) -> dict[dt.date, str]:
    """What the lake holds, read before the rows are: what comes in between is sent again."""
    if not shape.has_days:
        return {WHOLE: str(lake.version(shape.layer, shape.table))}
    tokens = lake.tokens(shape.layer, shape.table, of_files=True)
    return {d: token for d, token in tokens.items() if days is None or _within(d, days)}


def _within(day: dt.date, days: Days) -> bool:
    return day == WHOLE or days[0] <= day <= days[1]


def _portions(lake: Lake, shape: Shape, changed: Marks) -> Iterator[Marks]:
    """Days that are sent together."""
    stored = lake.partitions(shape.layer, shape.table).select(PARTITION, "rows")
    rows = {day or WHOLE: n for day, n in stored.iter_rows()}
    taken: dict[dt.date, str] = {}
    for day in sorted(changed):
        if taken and sum(rows.get(d, 0) for d in [*taken, day]) > ROWS_AT_ONCE:
            yield taken
            taken = {}
        taken[day] = changed[day]
    if taken:
        yield taken


def _rows(lake: Lake, shape: Shape, marks: Marks) -> pl.DataFrame:
    if not shape.has_days:
        return lake.scan(shape.layer, shape.table).collect()
    span = (min(marks), max(marks))
    rows = lake.scan(shape.layer, shape.table, days=span)
    return rows.filter(pl.col(PARTITION).is_in([d for d, m in marks.items() if m])).collect()


def _line(done: Published) -> str:
    said = f"{done.days} days, {done.rows:,} rows" if done.days else "nothing new"
    return f"{done.name}: {said}" + (f", {done.same} days as before" if done.same else "")
