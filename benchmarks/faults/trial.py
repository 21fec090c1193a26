"""One trial: a lake as it was, commands that are killed, one that is not, and the comparison
with a lake where nobody was."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.faults.doomed import POINTS
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.zone import landing_zone
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Lake

BOUND = 600
"""Seconds in which a command ends, or hangs."""
VOLATILE = (
    *("_ingested_at", "_batch_id", "run_id"),
    *("judged_at", "judged_of", "counted_of", "is_stale"),
)


@dataclass(frozen=True)
class Scene:
    """Commands on a lake: `prepare` comes before any kill; `command` is killed, then run again
    until it ends, with `heal` after it. The lake is then that of the twin."""

    name: str
    prepare: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    heal: tuple[str, ...]
    settings: Mapping[str, str]
    landed: Mapping[str, str]
    points: tuple[str, ...] = tuple(POINTS)
    """Points that the command passes."""
    seconds: float = 15
    """How long it takes, about."""


@dataclass
class Verdict:
    kills: int = 0
    faults: tuple[str, ...] = ()
    seconds: float = 0.0


def place(folder: Path, scene: Scene) -> dict[str, str]:
    """The environment of a scene's lake in a folder."""
    own = {
        "DAGSTER_HOME": str(folder / "home"),
        "LAKEHOUSE_ROOT": str(folder / "lake"),
        "LAKEHOUSE_PII_KEY_FILE": str(folder.parent / "pii-key"),
        "LAKEHOUSE_START": "2025-01-01",
        "LAKEHOUSE_REJECTED_SHARE": "1",  # the files are made to be rejected
    }
    return os.environ | own | {f"LAKEHOUSE_{n.upper()}": v for n, v in scene.settings.items()}


def prepare(folder: Path, scene: Scene) -> None:
    folder.mkdir(parents=True)
    for command in scene.prepare:
        run(folder, scene, command)
    zone = landing_zone(Lake.open(settings_of(folder, scene)))
    for name, text in scene.landed.items():
        path = zone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_name(path.name + ".done").touch()


def run(folder: Path, scene: Scene, command: tuple[str, ...]) -> None:
    """A command that nobody kills; SystemExit where it fails or does not end."""
    started = _start(folder, scene, ["lakehouse", *command])
    try:
        _, said = started.communicate(timeout=BOUND)
    except subprocess.TimeoutExpired:
        started.kill()
        started.communicate()
        raise SystemExit(f"hung: {' '.join(command)}") from None
    if started.returncode:
        raise SystemExit(f"failed: {' '.join(command)}: {said.strip()[-400:]}")


def _start(folder: Path, scene: Scene, module: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=folder,
        env=place(folder, scene) | {"PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def trial(scene: Scene, base: Path, twin: Path, folder: Path, seed: int, together: int) -> Verdict:
    """Kills of the scene's command, one after the other or `together`, then the healing."""
    chance, verdict = random.Random(seed), Verdict()
    begun = time.monotonic()
    shutil.copytree(base, folder, symlinks=True)
    try:
        for _ in range(1 if together > 1 else 3):
            verdict.kills += killed(scene, folder, chance, together)
        run(folder, scene, scene.command)
        run(folder, scene, scene.heal)
        verdict.faults = tuple(differences(scene, folder, twin))
    except SystemExit as error:
        verdict.faults = (str(error),)
    verdict.seconds = time.monotonic() - begun
    return verdict


def killed(scene: Scene, folder: Path, chance: random.Random, together: int) -> int:
    """Starts as many and kills them, at a random time or a chosen point each; how many died
    of it. One that neither ends nor reaches its point hangs."""
    started = []
    for _ in range(together):
        if chance.random() < 0.4:
            module, moment = ["lakehouse", *scene.command], chance.uniform(0.5, scene.seconds)
        else:
            point = chance.choice(scene.points)
            doom = [point, str(chance.randint(1, POINTS[point]))]
            module, moment = ["benchmarks.faults.doomed", *doom, *scene.command], float(BOUND)
        started.append((_start(folder, scene, module), time.monotonic() + moment))
    for process, moment in sorted(started, key=lambda s: s[1]):
        try:
            process.communicate(timeout=max(0.0, moment - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            if moment - BOUND > 0 and time.monotonic() - moment > BOUND:
                raise SystemExit(f"hung: {scene.name}") from None
    return sum(process.returncode == -9 for process, _ in started)


def settings_of(folder: Path, scene: Scene) -> Settings:
    given = {n: json.loads(v) if v.startswith("{") else v for n, v in scene.settings.items()}
    return load_settings(**{"root": str(folder / "lake"), **given})


def differences(scene: Scene, folder: Path, twin: Path) -> list[str]:
    """What the healed lake has otherwise than its twin: rows lost or doubled, by table, and
    days that are stored and not derived."""
    from igaming_assets.running import underived_days

    settings = settings_of(folder, scene)
    found, healed, unharmed = [], Lake.open(settings), Lake(str(twin / "lake"))
    for layer, table in unharmed.stored():
        if layer == "ops":
            continue
        mine, theirs = (rows(lake, layer, table) for lake in (healed, unharmed))
        lost, doubled = (
            theirs.join(mine, on="row", how="left"),
            mine.join(theirs, on="row", how="left"),
        )
        less = lost.filter(pl.col("n_right").fill_null(0) < pl.col("n")).height
        more = doubled.filter(pl.col("n_right").fill_null(0) < pl.col("n")).height
        if less or more:
            found.append(f"{layer}.{table}: {less} rows lost or stale, {more} doubled or stale")
        if layer == "bronze" and scene.landed and not conservation(healed, table).holds:
            found.append(f"{layer}.{table}: the ledger says otherwise")
    return found + [f"{day}: underived" for day in underived_days(settings, healed)]


def rows(lake: Lake, layer: str, table: str) -> pl.DataFrame:
    return rows_of(lake.scan(layer, table))


def rows_of(stored: pl.LazyFrame) -> pl.DataFrame:
    """Every row as a text, and how often it is there."""
    frame = stored.collect().drop(VOLATILE, strict=False)
    texts = frame.select(row=pl.struct(pl.all()).struct.json_encode())
    return texts.group_by("row").agg(n=pl.len())
