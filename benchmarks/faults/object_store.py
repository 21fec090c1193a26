"""A lake in a real object store. Its commands are killed, and the store too; then it has the rows
of a lake in a folder: `make test-object-store`."""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.__main__ import SCENES
from benchmarks.faults.trial import Scene, differences, killed, prepare, run
from benchmarks.minio import Minio, minio
from benchmarks.servers import MissingError

NAMES = ("first use", "ingest")


def there(scene: Scene, store: Minio, folder: Path) -> Scene:
    """The same commands on a lake of the same name in the store."""
    place = {
        "root": f"{store.bucket('trials')}/{folder.name}",
        "local_root": str(folder / "lake"),
        "storage_options": json.dumps(store.options()),
    }
    return replace(scene, settings={**scene.settings, **place}, points=("before a commit",))


def trial(scene: Scene, store: Minio, folder: Path, twin: Path, seed: int) -> list[str]:
    """Kills of the command, one of them while the store is away for a while, and what the healed
    lake has otherwise than its twin in a folder."""
    chance, mine = random.Random(seed), there(scene, store, folder)
    prepare(folder, mine)
    kills = killed(mine, folder, chance, 1)
    away = threading.Timer(chance.uniform(1, scene.seconds), _restart, [store])
    away.start()
    kills += killed(mine, folder, chance, 1)
    away.join()
    kills += killed(mine, folder, chance, 2)
    run(folder, mine, scene.command)
    run(folder, mine, scene.heal)
    found = differences(mine, folder, twin)
    said = "; ".join(found) or "as if nothing had been"
    print(f"{scene.name}, seed {seed}: {kills} killed, the store once: {said}", flush=True)
    return found


def _restart(store: Minio) -> None:
    store.kill()
    time.sleep(1)
    store.start()


def main() -> int:
    asked = argparse.ArgumentParser(
        prog="python -m benchmarks.faults.object_store", description=__doc__
    )
    asked.add_argument("--trials", type=int, default=4)
    asked.add_argument("--seed", type=int, default=42)
    given = asked.parse_args()
    try:
        with minio() as (folder, store):
            faults = campaign(store, folder, given.seed, given.trials)
    except MissingError as error:
        print(f"no object store was tried: {error}")
        return 0
    print(f"seed {given.seed}: {given.trials} trials, {faults} faults")
    return 1 if faults else 0


def campaign(store: Minio, folder: Path, seed: int, trials: int) -> int:
    """Trials of the scenes in turns; their faults."""
    chance, faults = random.Random(seed), 0
    scenes = [s for s in SCENES if s.name in NAMES]
    for scene in scenes:
        prepare(folder / f"{scene.name}-twin", scene)
        for command in (scene.command, scene.heal):
            run(folder / f"{scene.name}-twin", scene, command)
    for n in range(trials):
        scene = scenes[n % len(scenes)]
        twin, place = folder / f"{scene.name}-twin", folder / f"trial-{n}"
        faults += len(trial(scene, store, place, twin, chance.randrange(2**32)))
    return faults


if __name__ == "__main__":
    sys.exit(main())
