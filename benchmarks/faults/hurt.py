"""A command line in a bad place: python -m benchmarks.faults.hurt KIND SEED ARGUMENT ...; KIND is
one of `KINDS`."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from lakehouse.ingest.streams import compaction
from lakehouse.storage import Kept, Lake, stream, tend

_WRITE, _TEND = "write_deltalake", "tend"
HOUR = 3_600 * 10**9
FULL = 512
"""Bytes that a file may have while the disk is full: what is written first of any is longer."""


def slow(chance: random.Random) -> None:
    """Each commit takes up to two seconds longer."""
    _around_commits(lambda *_: time.sleep(chance.uniform(0, 2)))


def full(chance: random.Random) -> None:
    """There is no room, now and then, for a while."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def come_and_go() -> None:
        while True:
            time.sleep(chance.uniform(0.3, 1.5))
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, most))
            time.sleep(chance.uniform(0.2, 1.0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    threading.Thread(target=come_and_go, daemon=True).start()


def jumping(chance: random.Random) -> None:
    """The machine's clock goes to and fro by up to two days, and stands still."""
    real, shift = time.time_ns, [0]

    def come_and_go() -> None:
        while True:
            time.sleep(chance.uniform(0.1, 0.6))
            shift[0] = chance.choice((0, chance.randint(-48 * HOUR, 48 * HOUR)))

    time.time_ns = lambda: real() + shift[0]
    threading.Thread(target=come_and_go, daemon=True).start()


def dying(chance: random.Random) -> None:
    """It dies right before or right after one of its first commits."""
    fatal = chance.randint(1, 12)

    def passed(number: int, is_before: bool) -> None:
        if number == fatal and is_before is (fatal % 2 == 0):
            os.kill(os.getpid(), signal.SIGKILL)

    _around_commits(passed)


def tidying(_: random.Random) -> None:
    """After every few commits of a table nothing is left of its log but a checkpoint, for others
    too: as where they slept for longer than entries are kept."""
    compaction.COMMITS = 4

    def tended(lake: Lake, layer: str, table: str, kept: Kept) -> None:
        delta = lake.table(layer, table)
        if delta is not None:
            delta.create_checkpoint()
        tend(lake, layer, table, Kept(dt.timedelta(0), kept.files))

    setattr(compaction, _TEND, tended)


def _around_commits(passed: Callable[[int, bool], None]) -> None:
    """Commits are numbered as they begin: the worker and who follows it commit side by side."""
    write, numbers = getattr(stream, _WRITE), itertools.count(1)

    def hurt(*args: Any, **more: Any) -> None:
        number = next(numbers)
        passed(number, True)
        write(*args, **more)
        passed(number, False)

    setattr(stream, _WRITE, hurt)


KINDS = {"slow": slow, "full": full, "jumping": jumping, "dying": dying, "tidying": tidying}

if __name__ == "__main__":
    KINDS[sys.argv[1]](random.Random(int(sys.argv[2])))
    from lakehouse.cli import main

    sys.argv = ["lakehouse", *sys.argv[3:]]
    main()
