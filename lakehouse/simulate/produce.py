"""Days of a world, one after another, made by threads a few days ahead of the reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from lakehouse.contracts import contract
from lakehouse.simulate.world import World

Day = dict[str, pl.DataFrame]


def day_frames(
    world: World,
    tables: Sequence[str],
    days: range,
    *,
    threads: int = 2,
    change: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> Iterator[Day]:
    """Each day's bronze frames by table, in order of day, after `change`. At most
    `threads` days are made ahead of the reader, however long the window."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Day]] = deque()
        try:
            for day in days:
                waiting.append(pool.submit(_frames, world, tables, day, change))
                if len(waiting) >= threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _frames(
    world: World,
    tables: Sequence[str],
    day: int,
    change: Callable[[pl.DataFrame], pl.DataFrame] | None,
) -> Day:
    made = {table: world.frame(table, world.config.date(day)) for table in tables}
    return made if change is None else {table: change(frame) for table, frame in made.items()}


def table_frames(
    world: World, table: str, *, most: int | None = None, threads: int = 2
) -> Iterator[pl.DataFrame]:
    """One table's frames over the world's window, a day each, `most` rows in all."""
    left = most
    for made in day_frames(world, [table], range(world.config.days), threads=threads):
        frame = made[table] if left is None else made[table].head(left)
        if left is not None:
            left -= frame.height
        if frame.height:
            yield frame
        if left == 0:
            return


def batches(frames: Iterator[pl.DataFrame], table: str, size: int) -> Iterator[pl.DataFrame]:
    """The same rows in frames of exactly `size`, the last one apart."""
    held = contract(table).empty()
    for frame in frames:
        held = pl.concat([held, frame])
        while held.height >= size:
            yield held.head(size)
            held = held.slice(size)
    if held.height:
        yield held
