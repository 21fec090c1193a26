"""A gaming day in an object store beside one in a folder: its time and its requests.

`python -m benchmarks object_store`: MinIO on loopback, and the same with 20 ms more for each
answer, as from a store that is elsewhere. The day after another, so that all tables are there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.minio import Minio, Proxy, minio
from benchmarks.servers import MissingError

FAR = 0.020
"""Seconds that each answer takes longer."""
DAYS = ("2025-01-01", "2025-01-02")


def main() -> None:
    try:
        with minio() as (folder, store):
            _measure(folder, store)
    except MissingError as error:
        print(f"no object store was tried: {error}")


def _measure(folder: Path, store: Minio) -> None:
    proxy = Proxy(store.port)
    options = json.dumps(store.options(proxy.port))
    print("| one more day, the whole house, with checks | wall s | CPU s | requests |")
    print("|---|---|---|---|")
    for what, delay in (("in a folder", None), ("MinIO", 0.0), ("20 ms away", FAR)):
        place = folder / what.replace(" ", "-")
        place.mkdir()
        own = {"LAKEHOUSE_ROOT": str(place / "lake")}
        if delay is not None:
            root = f"{store.bucket('lakes')}/{place.name}"
            own = {"LAKEHOUSE_ROOT": root, "LAKEHOUSE_STORAGE_OPTIONS": options}
        _day(place, own, DAYS[0])
        proxy.delay, proxy.requests = delay or 0.0, 0
        wall, cpu = _day(place, own, DAYS[1])
        asked = f"{proxy.requests:,}" if delay is not None else ""
        print(f"| {what} | {wall:.1f} | {cpu:.1f} | {asked} |", flush=True)
        proxy.delay = 0.0


def _day(place: Path, own: Mapping[str, str], day: str) -> tuple[float, float]:
    """Wall and CPU seconds of a day by the command."""
    found = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    env = os.environ | own | {"PYTHONPATH": found, "DAGSTER_HOME": str(place / "home")}
    command = [sys.executable, "-m", "lakehouse", "run", "--from", day]
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, cwd=place, env=env, check=True, capture_output=True)
    after = os.times()
    spent = sum(after[2:4]) - sum(before[2:4])
    return time.perf_counter() - begun, spent


if __name__ == "__main__":
    main()
