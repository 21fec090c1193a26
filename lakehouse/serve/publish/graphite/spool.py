"""Points on their way: files in a folder, each gone once the server has taken it.

What is to be sent is on the disk first, so that a killed process loses nothing and a server that
is away holds nobody up. Files go out in the order in which they came.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from lakehouse.errors import LakehouseError
from lakehouse.locks import locked
from lakehouse.private_files import close_folder, entered, new_part
from lakehouse.serve.publish.graphite.options import GraphiteSettings
from lakehouse.serve.publish.graphite.wire import send
from lakehouse.texts import formatted

BATCH = 20_000
"""Points of a file, which goes out over one connection."""
ATTEMPTS = 4
ENDING = ".points"
_BUSY = 60.0
"""Seconds to wait for another process that sends from the same folder."""


class Spool:
    """Points that wait in a folder for one server."""

    def __init__(self, folder: Path, options: GraphiteSettings) -> None:
        self._folder, self._options = folder.absolute(), options
        close_folder(self._folder)

    def add(self, points: pl.DataFrame) -> None:
        """Puts points (`POINTS`) behind those that wait."""
        for part in points.iter_slices(BATCH):
            lines = part.select(formatted("{} {} {}\n", "name", "value", "at").str.join("")).item()
            self._put(lines.encode())

    def waiting(self) -> list[Path]:
        """Files that wait, in their order."""
        return sorted(p for p in self._folder.iterdir() if p.suffix == ENDING)

    def points(self) -> int:
        """How many points wait."""
        return sum(p.read_bytes().count(b"\n") for p in self.waiting())

    def drain(self, *, attempts: int = ATTEMPTS) -> int:
        """Sends what waits; how many points. Raises LakehouseError where the server does not take
        them after some attempts; those wait on."""
        sent = 0
        with locked(self._folder / "lock", "the spool of Graphite", wait_seconds=_BUSY):
            for file in self.waiting():
                lines = file.read_text("ascii").splitlines()
                self._send(lines, attempts)
                file.unlink()
                sent += len(lines)
        return sent

    def _send(self, lines: list[str], attempts: int) -> None:
        from tenacity import Retrying, stop_after_attempt, wait_random_exponential

        wait = wait_random_exponential(multiplier=0.2, max=2)
        again = Retrying(stop=stop_after_attempt(attempts), wait=wait, reraise=True)
        try:
            again(send, self._options, lines)
        except OSError as error:
            host, port = self._options.address
            raise LakehouseError(
                f"Graphite at {host}:{port} took nothing: {error.strerror or error}; "
                f"{self.points():,} points wait in {self._folder} and go out with the next"
            ) from None

    def _put(self, content: bytes) -> None:
        """Whole or not at all, under the next number. Whoever else puts one has another."""
        with entered(self._folder) as folder:
            with new_part(folder) as (part, file):
                file.write(content)
            for number in self._next():
                try:
                    os.link(part, f"{number:012}{ENDING}", src_dir_fd=folder, dst_dir_fd=folder)
                    break
                except FileExistsError:
                    continue
            os.unlink(part, dir_fd=folder)

    def _next(self) -> Iterator[int]:
        last = self.waiting()[-1:]
        return itertools.count(int(last[0].stem) + 1 if last else 1)
