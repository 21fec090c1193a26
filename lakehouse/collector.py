"""Python's collector of unreachable objects, and what it need not look through."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """What is imported and declared inside stays as long as the process: the collector does not
    look through it meanwhile, nor ever after. How often it looks is as it was before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
