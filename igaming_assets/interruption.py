"""Runs that somebody ends: by Ctrl-C in a command, by *Terminate* in the UI."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

INTERRUPTIONS = (DagsterExecutionInterruptedError, KeyboardInterrupt)


class Retries(dg.RetryPolicy):
    """Dagster's own, of errors alone: that one takes an interruption for one more failure, tries
    the step again, and the run goes on to its end."""

    def calculate_delay(self, attempt_num: int) -> float:
        error = sys.exc_info()[1]
        if isinstance(error, INTERRUPTIONS):
            raise error
        return super().calculate_delay(attempt_num)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """What is done inside is done whole; an interruption that comes meanwhile is said again at its
    end. For what others would wait for if it were left half done, such as a transaction."""
    is_theirs = threading.current_thread() is not threading.main_thread()
    if is_theirs or isinstance(signal.getsignal(signal.SIGINT), _Hold):
        yield  # interruptions are the main thread's, and held once
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hold = _Hold()
    try:
        for number in before:
            signal.signal(number, hold)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for again in hold.came:
            signal.raise_signal(again)


class _Hold:
    """A handler that keeps what came, each signal once."""

    def __init__(self) -> None:
        self.came: dict[int, None] = {}

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.came[number] = None


def is_interruption(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error if event.is_step_failure else None
    while error is not None and error.cause is not None:
        error = error.cause
    return error is not None and error.cls_name in [e.__name__ for e in INTERRUPTIONS]


@functools.cache
def hear_every_interruption() -> None:
    """Python drops what is raised while an object is buried, an interruption too: that one is
    said again. Dagster's steps, closed in their middle, report that they were: there is nothing
    to do about it, and one line says that the run was interrupted."""
    # At the end of a process the names of a module go before the last objects do.
    before, interruptions = sys.unraisablehook, INTERRUPTIONS

    def hook(unraisable: Any) -> None:
        code = getattr(unraisable.object, "gi_code", None)
        if code is not None and "dagster" in code.co_filename:
            return
        if isinstance(unraisable.exc_value, interruptions):
            # To the process: what a thread raises for itself wakes no other from its sleep.
            threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGINT]).start()
        else:
            before(unraisable)

    sys.unraisablehook = hook
