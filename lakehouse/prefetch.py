"""Work that goes on in threads while its last result is being used.

Nobody waits for these threads at the end: a reader that goes away early may do so in the midst of
anything, as garbage is collected, where to wait can be for ever. They end by themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def prefetched(things: Iterator[T]) -> Iterator[T]:
    """Yields `things` in their order; a thread makes the next one while the last is being used."""
    maker = ThreadPoolExecutor(1)
    coming = maker.submit(next, things, None)
    while (thing := coming.result()) is not None:
        coming = maker.submit(next, things, None)
        yield thing
        del thing


def made_ahead(make: Callable[[S], T], of: Iterator[S], threads: int) -> Iterator[T]:
    """What is made `of` each, in order, by so many threads, and no more ahead of the reader."""
    makers, coming = ThreadPoolExecutor(threads), deque[Future[T]]()
    try:
        for thing in of:
            coming.append(makers.submit(make, thing))
            if len(coming) > threads:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        for future in coming:
            future.cancel()
