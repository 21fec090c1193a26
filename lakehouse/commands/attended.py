"""A command that ends with who started it, however that ended: python -m
lakehouse.commands.attended ARGUMENT ...; its standard input is a pipe that the other holds."""

from __future__ import annotations

import os
import signal
import sys
import threading

PATIENCE = 30.0
"""Seconds in which what is told to end ends."""


def _watch() -> None:
    """Nobody writes to the pipe: it ends with the last who could."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)


def _attended() -> None:
    from lakehouse.cli import main

    threading.Thread(target=_watch, daemon=True).start()
    sys.argv = ["lakehouse", *sys.argv[1:]]
    main()


if __name__ == "__main__":
    _attended()
