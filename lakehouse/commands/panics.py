"""What threads of Rust print when they stumble over an error that is raised in Python too."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO


def hide_panics() -> None:
    """Lets native code write to standard error through a filter that drops panics: a full disk
    prints hundreds of lines of them. Python writes past it, to a terminal as before."""
    terminal = os.dup(2)
    read, write = os.pipe()
    os.dup2(write, 2)
    os.close(write)
    sys.stderr = os.fdopen(os.dup(terminal), "w", buffering=1, errors="backslashreplace")
    passing = threading.Thread(target=_pass_on, args=(os.fdopen(read, "rb"), terminal), daemon=True)
    passing.start()

    def end() -> None:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        passing.join(timeout=1)

    atexit.register(end)


def _pass_on(said: BinaryIO, terminal: int) -> None:
    for line in without_panics(said):
        os.write(terminal, line)


def without_panics(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, without those from "thread ... panicked at" to the note that ends a panic."""
    inside, blank = False, b""
    for line in lines:
        if line.startswith(b"thread '") and b" panicked at " in line:
            inside, blank = True, b""
        elif inside:
            inside = not line.startswith(b"note: ")
        elif line == b"\n":
            blank += line
        else:
            yield blank + line
            blank = b""
