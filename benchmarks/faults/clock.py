"""Days that go by with every schedule and sensor on, and nights that the machine sleeps through, by
a clock that is stepped under the Dagster UI. No run and no tick fails, and in the end the closed
days hold what they hold in a lake that was made at once.

`python -m benchmarks.faults.clock --nights 3`; a C compiler makes the clock (Linux alone).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.backfill import said, ui
from benchmarks.faults.trial import rows_of
from benchmarks.faults.ui import tried, whole
from benchmarks.lake import START
from lakehouse.contracts import contract
from lakehouse.gold.marts import marts
from lakehouse.regulation.law import load
from lakehouse.settings import DOMAINS, Settings
from lakehouse.simulate.kernel.clock import settles_after
from lakehouse.storage import Lake

MADE = 3
"""Days that are there when the first schedule is turned on."""
BEGINS = dt.datetime.combine(START, dt.time(14, 50), dt.UTC) + dt.timedelta(days=MADE)
"""Before seven in the morning at the property."""
QUIET, PATIENCE = 150, 900
"""Seconds without a new run after which all has been asked for (Dagster looks at schedules once a
minute, and later where the machine is busy), and the most that is waited."""
_WORLD = "{ repositoriesOrError { ... on RepositoryConnection { nodes { %s } } } }"
NAMES = _WORLD % "name location { name } schedules { name } sensors { name }"
_STATE = "ticks(limit: 100) { timestamp status error { message } }"
TICKS = _WORLD % (
    f"schedules {{ name scheduleState {{ {_STATE} }} }}"
    f" sensors {{ name sensorState {{ {_STATE} }} }}"
)
RUNS = "{ runsOrError(limit: 1000) { ... on Runs { results { runId jobName status } } } }"
START_ONE = """
mutation($one: %(kind)sSelector!) {
  start%(kind)s(%(argument)s: $one) { __typename ... on PythonError { message } }
}
"""
_HAPPENS_TO_CLOCKS = "Unable to reach the user code server"
"""Dagster's own servers take a step of the clock for a silence of each other's."""


class Clock:
    """The time of day of every process that is started after it."""

    def __init__(self, folder: Path, at: dt.datetime) -> None:
        if (compiler := shutil.which("cc")) is None:
            raise SystemExit("cc is missing: install a C compiler, such as Debian's gcc")
        library, self._file = folder / "clock.so", folder / "shift"
        source = Path(__file__).with_name("clock.c")
        flags = ["-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
        subprocess.run([compiler, *flags], check=True)
        self._shift = round((at - dt.datetime.now(dt.UTC)).total_seconds())
        self.step(dt.timedelta())
        os.environ |= {"CLOCK_SHIFT": str(self._file), "LD_PRELOAD": str(library)}

    def step(self, by: dt.timedelta) -> None:
        self._shift += round(by.total_seconds())
        written = self._file.with_suffix(".new")
        written.write_text(str(self._shift))
        written.replace(self._file)

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._shift)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.faults.clock", description=__doc__)
    asked.add_argument("--nights", type=int, default=3)
    return tried(asked, campaign, "nights", "nights")


def campaign(folder: Path, seed: int, nights: int) -> list[str]:
    chance, clock = random.Random(seed), Clock(folder, BEGINS)
    for name in ("lived", "twin"):
        (folder / name).mkdir()
    with ui(folder / "lived", DOMAINS) as address:
        if faults := whole(address, _first(MADE)):
            return faults
        turn_on(address)
        pass_by(address, clock, dt.timedelta(minutes=30))
        for _ in range(nights):
            # To a quarter past eight of a morning, a day or some later.
            morning = BEGINS.replace(hour=16, minute=15)
            while morning - clock.now() < dt.timedelta(hours=12):
                morning += dt.timedelta(days=1)
            morning += dt.timedelta(days=chance.choice([0, 0, 1, 2]))
            pass_by(address, clock, morning - clock.now())
            pass_by(address, clock, dt.timedelta(minutes=chance.choice([15, 30, 60])))
        faults += failures(address)
    closed = (clock.now() - dt.timedelta(hours=14)).date() - START
    # Of the last three days rows are still to come, as each lake was made at another moment.
    settled = START + closed - settles_after(faults=True) - dt.timedelta(days=1)
    with ui(folder / "twin", DOMAINS) as address:
        faults += whole(address, _first(closed.days))
    return faults + apart(folder, settled)


def _first(days: int) -> list[dt.date]:
    return [START + dt.timedelta(days=n) for n in range(days)]


def turn_on(address: str) -> None:
    """Every schedule and sensor."""
    (house,) = [n for n in _nodes(address, NAMES) if n["schedules"]]
    place = {
        "repositoryLocationName": house["location"]["name"],
        "repositoryName": house["name"],
    }
    for kind, argument in (("Schedule", "scheduleSelector"), ("Sensor", "sensorSelector")):
        for one in house[f"{kind.lower()}s"]:
            query = START_ONE % {"kind": kind, "argument": argument}
            selector = place | {f"{kind.lower()}Name": one["name"]}
            answer = said(address, query, one=selector)[f"start{kind}"]
            if "message" in answer:
                raise SystemExit(f"{one['name']}: {answer['message']}")


def pass_by(address: str, clock: Clock, span: dt.timedelta) -> None:
    """Steps the clock, and waits until all that is asked for has ended."""
    clock.step(span)
    begun = since = time.monotonic()
    known = -1
    while time.monotonic() - since < QUIET:
        runs = said(address, RUNS)["runsOrError"]["results"]
        busy = [r for r in runs if r["status"] not in ("SUCCESS", "FAILURE", "CANCELED")]
        if busy or len(runs) != known:
            since, known = time.monotonic(), len(runs)
        if time.monotonic() - begun > PATIENCE:
            raise SystemExit(f"{clock.now():%Y-%m-%d %H:%M}: runs without end, {busy}")
        time.sleep(1)
    print(f"{clock.now():%Y-%m-%d %H:%M}: {known} runs so far", flush=True)


def failures(address: str) -> list[str]:
    """Runs that did not succeed, and ticks that failed."""
    runs = said(address, RUNS)["runsOrError"]["results"]
    found = [f"run {r['runId']} of {r['jobName']}: {r['status']}" for r in runs]
    found = [line for line in found if not line.endswith("SUCCESS")]
    for house in _nodes(address, TICKS):
        for one in (*house["schedules"], *house["sensors"]):
            state = one.get("scheduleState") or one["sensorState"]
            for tick in state["ticks"]:
                why = (tick["error"] or {}).get("message", "")
                if why and _HAPPENS_TO_CLOCKS not in why:
                    found.append(f"{one['name']} at {tick['timestamp']}: {why}")
    return found


def apart(folder: Path, last: dt.date) -> list[str]:
    """Tables that have other rows in the two lakes of days which rest on none after `last`. What
    is due is judged by the moment at which it was, so filings are left out."""
    lived, twin = (Lake(str(folder / name / "lake")) for name in ("lived", "twin"))
    found = []
    for layer, table in twin.stored("bronze", "silver", "gold"):
        if contract(table).domain in ("compliance", "operations"):
            continue
        resting = pl.col("gaming_day") <= last - _ahead(table)
        mine, theirs = (rows_of(at.scan(layer, table).filter(resting)) for at in (lived, twin))
        lost, gained = theirs.join(mine, on=["row", "n"], how="anti"), mine.height - theirs.height
        if lost.height or gained:
            found.append(f"{layer}.{table}: {lost.height} rows of {theirs.height} are others")
    return found


def _ahead(table: str) -> dt.timedelta:
    """How far a mart's days rest on days after them."""
    law = load(Settings().profile)
    inputs = marts()[table].inputs if table in marts() else ()
    windows = (i.window((START, START), law) for i in inputs)
    ends = [end for _, end in windows if end != dt.date.max]
    return max(ends, default=START) - START


def _nodes(address: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said(address, query)["repositoriesOrError"]["nodes"]
    return found


if __name__ == "__main__":
    sys.exit(main())
