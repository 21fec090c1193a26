"""Gold taken to PostgreSQL and to SQLite: rows a second, and a second time.

`python -m benchmarks publish` makes 30 days of the floor; with BENCH_YEAR=1 in the environment a
year. BENCH_LAKE names a folder with a lake of the floor that is there already, as `lake` in it.
PostgreSQL is the one out of a wheel, with its settings as they come, on the same cores.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.lake import FLOOR, START, run

Cpu = Callable[[], float]


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, Cpu]]:
    """Its address, and the CPU seconds of those of its processes that have ended."""
    from pgserver import get_server  # type: ignore[attr-defined]

    started = get_server(folder)
    first = int((folder / "postmaster.pid").read_text().split()[0])

    def cpu() -> float:
        used = psutil.Process(first).cpu_times()
        return used.children_user + used.children_system

    try:
        yield started.get_uri(), cpu
    finally:
        started.cleanup()


def published(root: Path, *command: str, **settings: str) -> tuple[float, float, int]:
    """(wall s, CPU s of the publisher, rows) of one `lakehouse publish`."""
    env = os.environ | settings | {
        "LAKEHOUSE_DOMAINS": '["floor"]',
        "LAKEHOUSE_ROOT": str(root / "lake"),
        "LAKEHOUSE_START": str(START),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }  # fmt: skip
    arguments = [sys.executable, "-m", "lakehouse", "publish", *command]
    begun, before = time.perf_counter(), os.times()
    said = subprocess.run(arguments, cwd=root, env=env, check=True, capture_output=True, text=True)
    after, wall = os.times(), time.perf_counter() - begun
    cpu = after[2] + after[3] - before[2] - before[3]
    (rows,) = re.findall(r"published ([\d,]+) rows", said.stderr)
    return wall, cpu, int(rows.replace(",", ""))


def line(what: str, figures: tuple[float, float, int], server: float = 0.0) -> None:
    wall, cpu, rows = figures
    print(
        f"| {what} | {rows:,} | {wall:.1f} | {cpu:.1f} | {server:.1f} | {rows / wall:,.0f} |",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        root = Path(os.environ.get("BENCH_LAKE", made))
        days = 365 if os.environ.get("BENCH_YEAR") else 30
        if root == made:
            run(root, 0, days, domains=FLOOR)
        print("| gold of the floor | rows | wall s | CPU s, publisher | CPU s, server | rows/s |")
        print("|---|---|---|---|---|---|")
        with server(made / "pg") as (uri, cpu):
            for what in ("to an empty database", "a second time"):
                before = cpu()
                figures = published(root, "postgres", LAKEHOUSE_POSTGRES=uri)
                time.sleep(1)
                line(f"PostgreSQL, {what}", figures, cpu() - before)
        for what in ("to an empty file", "a second time"):
            line(f"SQLite, {what}", published(root, "sqlite", str(made / "gold.sqlite")))
