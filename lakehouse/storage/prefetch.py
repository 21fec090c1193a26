"""Work that goes on while its last result is being used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetched(things: Iterator[T]) -> Iterator[T]:
    """Yields `things` in their order, and makes the next one in a thread of its own while the last
    is being used."""
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(next, things, None)
        while (thing := coming.result()) is not None:
            coming = maker.submit(next, things, None)
            yield thing
