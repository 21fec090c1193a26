"""What all of detection costs, of a year at once, of thirty days and of one more: `python -m
benchmarks detection_costs`. Writes its table into docs/detection.md.

The library alone, on the floor's default volumes; silver and the marts that detection reads are
there already.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time

from benchmarks.detection import PAGE, derive, needed
from benchmarks.lake import START
from benchmarks.page import written
from benchmarks.stored import filled
from lakehouse.contracts import contract
from lakehouse.settings import Settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Days, Lake

YEAR, MONTH = 365, 30
Seconds = tuple[float, float]


def days_of(first: int, count: int) -> Days:
    return START + dt.timedelta(first), START + dt.timedelta(first + count - 1)


def measured(asked: list[Days], stored: int) -> dict[str, list[Seconds]]:
    """Of each table of detection, CPU and wall seconds of one span of days after the other, in a
    new lake with so many days."""
    found: dict[str, list[Seconds]] = {}
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(root=f"{name}/lake", start=START, domains=("floor",))
        lake, world = Lake.open(settings), World(WorldConfig(start=START))
        for first in range(0, stored, MONTH):
            filled(lake, settings, world, days_of(first, min(MONTH, stored - first)))
        for mart in needed():
            spent = [_spent(lake, settings, mart, days) for days in asked]
            if contract(mart).schema.__module__.split(".")[2] == "detection":
                found[mart] = spent
    return found


def _spent(lake: Lake, settings: Settings, mart: str, days: Days) -> Seconds:
    before, begun = os.times(), time.perf_counter()
    derive(lake, settings, mart, days)
    after = os.times()
    cpu = after.user + after.system - before.user - before.system
    return max(cpu, 0.0), time.perf_counter() - begun


def main() -> None:
    few = measured([days_of(0, MONTH), days_of(MONTH, 1)], MONTH + 1)
    year = measured([days_of(0, YEAR)], YEAR)
    both = {mart: [year[mart][0], *few[mart]] for mart in year}
    spans_of_all = zip(*both.values(), strict=True)
    both["all"] = [(sum(s[0] for s in of), sum(s[1] for s in of)) for of in spans_of_all]
    spans = ("365 days", "30 days", "one more day")
    head = "".join(f" {span}, CPU s | wall s |" for span in spans)
    lines = [f"| table |{head}", "|---|---|---|---|---|---|---|"]
    for mart, costs in both.items():
        cells = " | ".join(f"{cpu:.2f} | {wall:.2f}" for cpu, wall in costs)
        lines.append(f"| {mart} | {cells} |")
    said = "\n".join(lines)
    print(said)
    written(PAGE, "costs", said)
