"""Apache Spark reads a lake as it lies: `make test-spark` holds its rows and sums against ours.

Its jars come by Maven, of the versions in tests/spark/pom.xml. LAKEHOUSE_ROOT names a lake in a
folder; otherwise one of two gaming days is made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.servers import MissingError, jars
from lakehouse.storage import Lake

HERE = Path("tests/spark")
JARS = Path("build/spark")
BOUND = 1_800
_OPENED = ("lang", "lang.invoke", "nio", "util", "util.concurrent")
_BASE = [f"java.base/java.{package}" for package in _OPENED]
OPENS = [f"--add-opens={p}=ALL-UNNAMED" for p in (*_BASE, "java.base/sun.nio.ch")]
"""Packages of Java 17 that Spark reaches into."""


def read_by_spark(classes: str, folders: list[str]) -> list[dict[str, Any]]:
    command = ["java", "-Xmx2g", *OPENS, "-cp", classes, str(HERE / "ReadLake.java"), *folders]
    found = subprocess.run(command, capture_output=True, text=True, timeout=BOUND)
    if found.returncode:
        raise SystemExit(f"Spark failed: {found.stderr[-2000:]}")
    lines = [line for line in found.stdout.splitlines() if line.startswith("READ ")]
    told = (json.loads(line.removeprefix("READ ")) for line in lines)
    return [{n: v for n, v in row.items() if v is not None} for row in told]


def read_by_us(lake: Lake, layer: str, table: str) -> dict[str, Any]:
    """The same of our own reading: its rows, sums as texts of two decimals, days."""
    frame = lake.scan(layer, table).collect()
    told: dict[str, Any] = {" rows": frame.height}
    for name, dtype in frame.schema.items():
        if name == "gaming_day":
            told[name] = frame[name].drop_nulls().n_unique()
        elif dtype.is_decimal() or dtype.is_integer():
            held = frame[name].drop_nulls().cast(pl.Decimal(38, 6)).to_list()
            if held:
                told[name] = str(sum(map(_to_cents, held), Decimal("0.00")))
    return told


def _to_cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")


def main() -> int:
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    try:
        if missing:
            raise MissingError(f"{' and '.join(missing)} of Java and Maven are not here")
        classes = jars(HERE / "pom.xml", JARS, "Apache Spark")
    except MissingError as error:
        print(f"Apache Spark was not tried: {error}")
        return 0
    with tempfile.TemporaryDirectory() as name:
        root = os.environ.get("LAKEHOUSE_ROOT") or _made(Path(name))
        lake = Lake(str(Path(root).absolute()))
        stored = lake.stored()
        theirs = read_by_spark(classes, [lake.uri(*pair) for pair in stored])
        found = 0
        for pair, said in zip(stored, theirs, strict=True):
            ours = read_by_us(lake, *pair)
            if said != ours:
                found += 1
                other = {n: (said.get(n), v) for n, v in ours.items() if said.get(n) != v}
                print(f"{'.'.join(pair)}: Spark says otherwise (theirs, ours): {other}")
        rows = sum(said[" rows"] for said in theirs)
    print(f"Spark read {len(stored)} tables, {rows:,} rows: {found} differ from ours")
    return 1 if found else 0


def _made(folder: Path) -> str:
    own = {"LAKEHOUSE_ROOT": str(folder / "lake"), "DAGSTER_HOME": str(folder / "home")}
    path = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    command = [sys.executable, "-m", "lakehouse", "run", "--from", "2025-01-01"]
    env = os.environ | own | {"PYTHONPATH": path}
    days = [*command, "--to", "2025-01-02"]
    subprocess.run(days, cwd=folder, env=env, check=True, capture_output=True)
    return own["LAKEHOUSE_ROOT"]


if __name__ == "__main__":
    sys.exit(main())
