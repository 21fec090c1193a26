"""Runs the trials and prints what they cost and found; status 1 where one found anything."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.faults.trial import Scene, prepare, run, trial

FIRST, LAST = "2025-01-01", "2025-01-02"
RUN = ("run", "--from", FIRST, "--to", LAST)
SMALL = {"scale": "0.02"}
LANDING = {"source": "landing"}
COMMITS = ("before a commit", "after a commit")
HEADER = "transaction_id,transaction_timestamp,transaction_type,amount,player_id\n"


def cage(numbers: range, amount: str, every_bad: int = 7) -> str:
    """Cage transactions of two gaming days, some of them unreadable."""
    lines = [
        f"t{n},2025-01-0{1 + n % 2}T{12 + n % 8}:00:00-08:00,CASH_IN,"
        f"{'bad' if n % every_bad == 0 else amount},P{n % 30:08d}"
        for n in numbers
    ]
    return HEADER + "\n".join(lines) + "\n"


FILES = {f"financial_txn/{k}.csv": cage(range(k * 300, k * 300 + 400), f"{k}.00") for k in range(4)}

SCENES = (
    Scene("run", (("init",),), RUN, ("run", "--from", FIRST, "--to", LAST), SMALL, {}),
    Scene("first use", (), RUN, ("maintain",), SMALL, {}),
    Scene("ingest", (("init",),), ("ingest",), ("ingest",), LANDING, FILES),
    Scene("maintain", (RUN, RUN), ("maintain",), RUN, SMALL, {}, COMMITS, seconds=3),
    Scene("demo", (), ("demo",), ("demo",), {"scale": "0.01"}, {}),
)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    asked.add_argument("--seed", type=int, default=42)
    asked.add_argument("--kills", type=int, default=100, help="at least so many")
    asked.add_argument("--scene", choices=[s.name for s in SCENES])
    given = asked.parse_args()
    scenes = [s for s in SCENES if given.scene in (None, s.name)]
    chance, kills, faults = random.Random(given.seed), Counter[str](), 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder, made = Path(name), set[str]()
        number = 0
        while sum(kills.values()) < given.kills:
            scene, together = scenes[number % len(scenes)], (4, 1)[number // len(scenes) % 2]
            number, seed = number + 1, chance.randrange(2**32)
            base, twin = folder / f"{scene.name}-base", folder / f"{scene.name}-twin"
            if scene.name not in made:
                made.add(scene.name)
                prepare(base, scene)
                shutil.copytree(base, twin, symlinks=True)
                run(twin, scene, scene.command)
                run(twin, scene, scene.heal)
            verdict = trial(scene, base, twin, folder / "trial", seed, together)
            shutil.rmtree(folder / "trial", ignore_errors=True)
            kills[scene.name] += verdict.kills
            faults += len(verdict.faults)
            print(
                f"{scene.name} by {together}, seed {seed}: {verdict.kills} killed, "
                f"{verdict.seconds:.0f} s: {'; '.join(verdict.faults) or 'as if nothing had been'}",
                flush=True,
            )
    print(
        f"seed {given.seed}: {sum(kills.values())} kills ({dict(kills)}) in {number} trials, "
        f"{time.monotonic() - begun:.0f} s: {faults} faults"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
