"""Ingestion of a large CSV: `python -m benchmarks.landing [BYTES]`, 2 GB by default.

The file has the slot table's columns, as the simulator writes them. Prints rows a second, CPU
seconds and peak memory of a process that does nothing else.
"""

import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

WORKER = "--worker"
AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def write_csv(path: Path, size: int) -> int:
    """Repeats a simulated week with new event numbers until the file is large enough."""
    from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
    from lakehouse.simulate.world import World

    world = World(WorldConfig(start=dt.date(2025, 1, 1), faults=NO_FAULTS))
    days = [world.frame("slot_telemetry", dt.date(2025, 1, d)) for d in range(1, 8)]
    week = pl.concat(days).drop("_ingested_at", "_source", "_batch_id")
    rows = 0
    with path.open("wb") as out:
        while out.tell() < size:
            numbered = week.with_columns(event_id=pl.format(f"{rows:x}-{{}}", "event_id"))
            numbered.write_csv(out, include_header=rows == 0)
            rows += week.height
    return rows


def work(folder: Path) -> None:
    import resource

    from lakehouse.ingest.files.run import ingest
    from lakehouse.settings import load_settings
    from lakehouse.storage import Lake

    settings = load_settings(root=str(folder / "lake"), source="landing")
    begun = time.perf_counter()
    (done,) = ingest(Lake.open(settings), settings, as_of=AS_OF).outcomes
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "rows": done.bronze_rows,
        "wall": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "mb": usage.ru_maxrss // 1024,
    }
    print(json.dumps(found))


def main(size: int = 2 * 10**9) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zone = folder / "lake" / "landing" / "slot_telemetry"
        zone.mkdir(parents=True)
        rows = write_csv(zone / "export.csv", size)
        (zone / "export.csv.done").touch()
        command = [sys.executable, "-m", "benchmarks.landing", WORKER, name]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = json.loads(said.splitlines()[-1])
    if found["rows"] != rows:
        raise SystemExit(f"{rows:,} rows written, {found['rows']:,} in bronze")
    print("| file | rows | wall s | CPU s | rows/s | peak MB |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {size / 1e9:.1f} GB CSV | {rows:,} | {found['wall']:.1f} | {found['cpu']:.1f} | "
        f"{rows / found['wall']:,.0f} | {found['mb']} |"
    )


if __name__ == "__main__":
    if WORKER in sys.argv:
        work(Path(sys.argv[-1]))
    else:
        main(*(int(float(a)) for a in sys.argv[1:]))
