"""Pieces of a world, one after another, made by threads a few pieces ahead of the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from lakehouse.prefetch import made_ahead, prefetched
from lakehouse.simulate.floor.roll import roll, versions
from lakehouse.simulate.kernel.config import PEOPLE
from lakehouse.simulate.world import Made, Piece, World, in_order

Change = Callable[[str, pl.DataFrame], pl.DataFrame]
"""(table, rows) → the rows as they leave."""


def table_frames(
    world: World,
    tables: Sequence[str],
    *,
    threads: int = 2,
    change: Change | None = None,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """(table, rows) over the world's window after `change`; of each table in order of day. A
    few pieces are made ahead of the reader, however long the window; by one thread, one."""

    def make(piece: Piece) -> Made:
        made = world.make(piece)
        if change is None:
            return made
        return Made(piece, *(change(piece.table, part) for part in (made.rows, made.copies)))

    if threads == 1:
        # By one thread pieces are planned too: were days planned by the reader, the next would be
        # while pieces of the one before still ask for theirs, which is then made again.
        yield from in_order(prefetched(map(make, _pieces(world, tables))))
        return
    yield from in_order(made_ahead(make, _pieces(world, tables), threads))


def people_frames(
    world: World, n: int, *, history: bool = False, since: int = 0, change: Change | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """(player_profile, rows): `n` patrons as the window closes, or their versions from day
    `since` on."""
    found = versions(world, n, since) if history else roll(world, n)
    return ((PEOPLE, frame if change is None else change(PEOPLE, frame)) for frame in found)


def _pieces(world: World, tables: Sequence[str]) -> Iterator[Piece]:
    config = world.config
    for block in world.blocks((config.start, config.date(config.days - 1))):
        for table in tables:
            yield from world.pieces(table, block)


def batches(frames: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    """Cuts the rows into frames of exactly `size`; the last frame holds what is left."""
    held = pl.DataFrame()
    for frame in frames:
        held = pl.concat([held, frame]) if held.width else frame
        while held.height >= size:
            yield held.head(size)
            held = held.slice(size)
    if held.height:
        yield held
