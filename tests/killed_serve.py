"""A server that is killed while it writes a request: `python -m tests.killed_serve FOLDER PORT
POINT`, after so many users' events of the second request were written."""

import os
import signal
import sys
from pathlib import Path

import polars as pl
import uvicorn

from lakehouse.ingest.streams.log import Log
from lakehouse.serve.http.app import app
from tests.served import AT, settings_of


class Fatal(Log):
    point = 0
    calls = 0

    def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
        self.calls += 1
        after: dict[int, int] = {}
        for k, user in enumerate([*messages["key"].unique(maintain_order=True), None]):
            if (self.calls, k) == (2, self.point):
                os.kill(os.getpid(), signal.SIGKILL)
            if user is not None:
                after |= super().send(topic, messages.filter(pl.col("key") == user))
        return after


def main(folder: Path, port: int, point: int) -> None:
    log = Fatal(folder / "lake.topics")
    log.point = point
    made = app(settings_of(folder), log, now=lambda: AT, generate=lambda _: folder, views={})
    uvicorn.run(made, port=port, log_level="critical")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
