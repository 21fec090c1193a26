"""A command line that kills itself at a chosen point: python -m benchmarks.faults.doomed
POINT NUMBER ARGUMENT ...; POINT is one of `POINTS`, NUMBER how often it is passed before."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from deltalake import DeltaTable
from deltalake.table import TableOptimizer

from lakehouse.storage import Lake, stream

POINTS = {
    "before a commit": 25,
    "after a commit": 25,
    "in the rebuild": 1,
    "in the instance": 60,
    "at a step": 60,
}
"""Where a command can be killed, and about how often it passes there."""


def doomed(function: Callable[..., Any], fatal: int, *, after: bool = False) -> Callable[..., Any]:
    calls = 0

    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == fatal and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return called


def arm(point: str, number: int) -> None:
    """Patches the functions that pass the point. Writers of the lake share one count."""
    if point.endswith("a commit"):
        passed = doomed(
            lambda write, args, kwargs: write(*args, **kwargs), number, after="after" in point
        )
        for owner, name in (
            (stream, "write_deltalake"),
            (DeltaTable, "delete"),
            (DeltaTable, "create"),
            (TableOptimizer, "compact"),
            (DeltaTable, "vacuum"),
            (DeltaTable, "create_checkpoint"),
        ):
            setattr(owner, name, _through(passed, getattr(owner, name)))
    elif point == "in the rebuild":
        Lake.rebuild = doomed(Lake.rebuild, number)  # type: ignore[method-assign]
    elif point == "in the instance":
        from sqlalchemy.engine import Connection

        Connection.execute = doomed(Connection.execute, number * 7)  # type: ignore[method-assign]
    else:
        from igaming_assets import running

        running._note = doomed(running._note, number * 5)


def _through(passed: Callable[..., Any], write: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: passed(write, args, kwargs)


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    from lakehouse.cli import main

    sys.argv = ["lakehouse", *sys.argv[3:]]
    main()
