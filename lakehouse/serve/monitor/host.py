"""The machine that this process runs on."""

from __future__ import annotations

from pathlib import Path

import psutil

FIRST_SECONDS = 0.5
"""Over which the first look at the processors is."""


class Machine:
    """A `Host`. The second look at the processors is over the time since the first."""

    def __init__(self) -> None:
        self._looked = False

    def cpu(self) -> float:
        interval, self._looked = (None if self._looked else FIRST_SECONDS), True
        return float(psutil.cpu_percent(interval))

    def memory(self) -> float:
        return float(psutil.virtual_memory().percent)

    def disk(self, path: str) -> tuple[int, int]:
        at = next(p for p in (Path(path), *Path(path).parents) if p.exists())
        usage = psutil.disk_usage(str(at))
        return usage.used + usage.free, usage.free
