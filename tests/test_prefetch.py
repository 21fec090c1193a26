"""Work that threads do ahead of its reader: in order, few at a time, and never waited for by who
goes away."""

import ast
import gc
import itertools
import threading
from collections.abc import Callable, Iterator

import pytest

from lakehouse.prefetch import made_ahead, prefetched
from tests.test_architecture import PRODUCT, named, tree

Make = Callable[[int], int]
READERS: dict[str, Callable[[Make], Iterator[int]]] = {
    "prefetched": lambda make: prefetched(map(make, range(1, 50))),
    "made ahead by one": lambda make: made_ahead(make, iter(range(1, 50)), 1),
    "made ahead by three": lambda make: made_ahead(make, iter(range(1, 50)), 3),
}
each = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


@each
def test_all_come_in_their_order(read: Callable[[Make], Iterator[int]]) -> None:
    assert list(read(lambda n: 2 * n)) == list(range(2, 100, 2))


@each
def test_an_error_comes_where_its_thing_would(read: Callable[[Make], Iterator[int]]) -> None:
    def make(number: int) -> int:
        if number == 3:
            raise OSError("no third")
        return number

    numbers = read(make)
    assert (next(numbers), next(numbers)) == (1, 2)
    with pytest.raises(OSError, match="no third"):
        next(numbers)


@each
def test_few_are_made_ahead(read: Callable[[Make], Iterator[int]]) -> None:
    made = []

    def make(number: int) -> int:
        made.append(number)
        return number

    for number in itertools.islice(read(make), 20):
        assert len(made) <= number + 3


@each
def test_garbage_collection_waits_for_no_thread(read: Callable[[Make], Iterator[int]]) -> None:
    """It comes in the midst of anything, such as the start of a thread, which then waits for what
    waits for it."""
    is_at_it, goes_on = threading.Event(), threading.Event()

    def make(number: int) -> int:
        if number > 1:
            is_at_it.set()
            goes_on.wait(300)
        return number

    class Held:
        """In a circle with itself, as an error that is kept is with its frames."""

        def __init__(self) -> None:
            self.me, self.numbers = self, read(make)

    def collect() -> None:
        held = Held()
        assert next(held.numbers) == 1
        assert is_at_it.wait(100)
        del held
        gc.collect()

    collector = threading.Thread(target=collect)
    collector.start()
    collector.join(100)
    is_waiting = collector.is_alive()
    goes_on.set()
    collector.join()
    assert not is_waiting


def test_no_generator_waits_for_threads_at_its_end() -> None:
    """A `with` over an executor does, wherever its generator is thrown away."""
    waiting = []
    for path in PRODUCT:
        for function in ast.walk(tree(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            yields = any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(function))
            managers = [
                ast.unparse(item.context_expr)
                for node in ast.walk(function)
                if isinstance(node, ast.With)
                for item in node.items
            ]
            if yields and any("PoolExecutor(" in manager for manager in managers):
                waiting.append(f"{named(path)}: {function.name}")
    assert waiting == []
