"""Gold taken to PostgreSQL and to SQLite: rows a second, a second time, one more day.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.lake import FLOOR, START, run


@contextmanager
def server(folder: Path) -> Iterator[str]:
    from pgserver import get_server  # type: ignore[attr-defined]

    started = get_server(folder)
    try:
        yield started.get_uri()
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
    begun = time.perf_counter()
    before = os.times()
    said = subprocess.run(arguments, cwd=root, env=env, check=True, capture_output=True, text=True)
    after, wall = os.times(), time.perf_counter() - begun
    cpu = after[2] + after[3] - before[2] - before[3]
    (rows,) = re.findall(r"published ([\d,]+) rows", said.stderr)
    return wall, cpu, int(rows.replace(",", ""))


def line(what: str, figures: tuple[float, float, int]) -> None:
    wall, cpu, rows = figures
    print(f"| {what} | {rows:,} | {wall:.1f} | {cpu:.1f} | {rows / wall:,.0f} |", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        root = Path(os.environ.get("BENCH_LAKE", made))
        days = 365 if os.environ.get("BENCH_YEAR") else 30
        if root == made:
            run(root, 0, days, domains=FLOOR)
        print("| gold of the floor | rows | wall s | CPU s of the publisher | rows/s |")
        print("|---|---|---|---|---|")
        file = str(made / "gold.sqlite")
        with server(made / "pg") as uri:
            for what in ("to an empty database", "a second time"):
                line(f"PostgreSQL, {what}", published(root, "postgres", LAKEHOUSE_POSTGRES=uri))
            for what in ("to an empty file", "a second time"):
                line(f"SQLite, {what}", published(root, "sqlite", file))
