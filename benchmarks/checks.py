"""All checks of one day and of thirty, over a run that judges one: `python -m benchmarks checks`.

The checks alone, on stored days: what they cost a run beside the work of its steps. A run of one
check is what starting and ending a run costs. The first look opens every table; a run that made
them has them open, as the second look has.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.lake import START, run

JUDGED = """
import datetime as dt, sys, time
from lakehouse.commands import opened
from lakehouse.quality.registry import checks
from igaming_assets.running import judge_days
settings, lake = opened()
first = dt.date.fromisoformat(sys.argv[1])
every = [c for c in checks(settings, dt.datetime.now(dt.UTC)).values()
         if c.name != "is_there_by_ten"]
def timed(asked, days):
    begun, cpu = time.perf_counter(), time.process_time()
    done = judge_days(settings, asked, (first, first + dt.timedelta(days=days - 1)))
    cost = time.perf_counter() - begun, time.process_time() - cpu
    return *cost, done.checks_passed + done.checks_failed
timed(every[:1], 1)
for days in (1, 1, 30):
    alone, cpu_alone, _ = timed(every[:1], days)
    judged, cpu, results = timed(every, days)
    print(days, len(every), results, judged, judged - alone, cpu - cpu_alone)
"""

LOOKS = "a day, no table open", "a day, tables open", "30 days"


def main() -> None:
    print("| all checks, alone | checks | results | s | over a run of one, s | CPU s | at most |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        run(root, 0, 30)
        said = [judged(root) for _ in range(3)]
    for what, row, most in zip(LOOKS, zip(*said, strict=True), (1.5, 1.5, 6.0), strict=True):
        _, checks, results = (f"{n:.0f}" for n in row[0][:3])
        times = [f"{statistics.median(r[k] for r in row):.2f}" for k in (3, 4, 5)]
        print(f"| {' | '.join([what, checks, results, *times, f'{most}'])} |")


def judged(root: Path) -> list[list[float]]:
    env = os.environ | {
        "LAKEHOUSE_ROOT": str(root / "lake"),
        "LAKEHOUSE_START": str(START),
        "DAGSTER_HOME": str(root / "home"),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-c", JUDGED, str(START)]
    done = subprocess.run(command, cwd=root, env=env, check=True, capture_output=True, text=True)
    return [[float(n) for n in line.split()] for line in done.stdout.splitlines()]
