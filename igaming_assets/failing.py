"""What a step does about errors: tries again what may pass, and says of the rest one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import TypeVar

import dagster as dg

from igaming_assets.partitions import is_asked
from lakehouse.errors import Damaged, LakehouseError, StorageError
from lakehouse.storage import Days

T = TypeVar("T")


@contextmanager
def retried_if_transient() -> Iterator[None]:
    """Storage errors are tried again by the retry policy; damaged files, bad input and broken
    contracts fail at once, in one line."""
    try:
        yield
    except LakehouseError as error:
        if isinstance(error, StorageError) and not isinstance(error, Damaged):
            raise
        raise dg.Failure(str(error), allow_retries=False) from error


def sound_ones(
    made: Iterable[tuple[Days, T | Damaged]], stale: dict[dt.date, Damaged]
) -> Iterator[tuple[Days, T]]:
    """What was made or judged; the days that could not be go into `stale`."""
    for days, found in made:
        if isinstance(found, Damaged):
            stale[days[0]] = found
        else:
            yield days, found
        del found  # not in memory beside the next one


def but_stale(
    context: dg.AssetExecutionContext,
    made: Iterable[tuple[Days, T | Damaged]],
    stale: dict[dt.date, Damaged],
) -> Iterator[T]:
    """What was made; of the days that could not be it says that their old rows stand, and why,
    and puts them into `stale`."""
    yield from map(itemgetter(1), sound_ones(made, stale))
    for day, damage in stale.items():
        if is_asked(context.run.tags, day):
            context.add_asset_metadata({"stale": str(damage)}, partition_key=str(day))
        context.log.error(f"{day} keeps its old rows: {damage}")
