"""Runs that the Dagster UI asks for and terminates, at random: each ends within seconds as
CANCELED, and the lake that the last one makes is that of a run which nobody ended.

`python -m benchmarks.faults.ui --rounds 20`
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.backfill import asked, assets, ended, started_run, terminated, ui
from benchmarks.faults.trial import Scene, differences
from benchmarks.lake import START
from lakehouse.settings import DOMAINS

DAYS = [START + dt.timedelta(days=k) for k in range(3)]
SCENE = Scene("ui", prepare=(), command=(), heal=(), settings={}, landed={})
SECONDS = 30
"""Within which a run ends that is terminated."""


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.faults.ui", description=__doc__)
    asked.add_argument("--rounds", type=int, default=20)
    return tried(asked, campaign, "rounds", "runs terminated")


def tried(
    parser: argparse.ArgumentParser,
    campaign: Callable[[Path, int, int], list[str]],
    turns: str,
    what: str,
) -> int:
    """Runs a campaign of the UI in a folder of its own, for a seed and as many `turns` as were
    asked for; tells its faults, and the status to end with."""
    parser.add_argument("--seed", type=int, default=42)
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as name:
        os.environ["LAKEHOUSE_PII_KEY_FILE"] = str(Path(name) / "pii-key")
        faults = campaign(Path(name), given["seed"], given[turns])
    for fault in faults:
        print(fault)
    print(f"seed {given['seed']}: {given[turns]} {what}, {len(faults)} faults")
    return 1 if faults else 0


def campaign(folder: Path, seed: int, rounds: int) -> list[str]:
    chance, faults, slowest = random.Random(seed), [], 0.0
    for name in ("twin", "healed"):
        (folder / name).mkdir()
    with ui(folder / "twin", DOMAINS) as address:
        faults += whole(address, DAYS)
    with ui(folder / "healed", DOMAINS) as address:
        keys = assets(address)
        for n in range(rounds):
            asked(address, keys, DAYS)
            run = started_run(address)
            time.sleep(chance.uniform(0, 20))
            begun = time.monotonic()
            status = terminated(address, run, SECONDS)
            slowest = max(slowest, time.monotonic() - begun)
            if status != "CANCELED":
                faults.append(f"round {n}: {status} {time.monotonic() - begun:.0f} s later")
        print(f"the slowest ended {slowest:.1f} s after it was told")
        faults += whole(address, DAYS)
    return faults + differences(SCENE, folder / "healed", folder / "twin")


def whole(address: str, days: list[dt.date]) -> list[str]:
    """Makes all tables of the days; tells where that failed."""
    found = ended(address, asked(address, assets(address), days))
    return [] if found["status"] == "COMPLETED_SUCCESS" else [f"the whole: {found['status']}"]


if __name__ == "__main__":
    sys.exit(main())
