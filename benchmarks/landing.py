"""Ingestion of a large file, of many files, and of scattered days.

`python -m benchmarks.landing [BYTES]`, 2 GB by default; the large file has the slot table's
columns, as the simulator writes them: as plain CSV, and a quarter of it as CSV with quotes around
every field and as JSON lines (`--plain`, `--quoted`, `--json` for one of them). Beside it what
Polars takes to read a file of less than 600 MB as text and to write it as Parquet: less than that
no ingestion can cost. `--many [FILES]`, 28 by default, takes in 26,651 rows of 91 days as one file,
ten, and so many; `--scattered [DAYS]`, 50 by default, derives adjacent days, every second day, and
one a week. Prints CPU seconds, of a process that does nothing else: on a machine that others use,
wall time tells little.
"""

import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

WORKER, MANY, SCATTERED = "--worker", "--many", "--scattered"
PLAIN, QUOTED, JSON = "--plain", "--quoted", "--json"
NAMES = {PLAIN: "CSV", QUOTED: "CSV, all quoted", JSON: "JSON lines"}
HELD = 6 * 10**8
"""Bytes of a file that Polars may read in one piece here."""
ROWS, DAYS = 26_651, 91
AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def write_rows(path: Path, size: int, form: str) -> int:
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
            if form == JSON:
                out.write(as_json(numbered))
            else:
                numbered.write_csv(
                    out,
                    include_header=rows == 0,
                    quote_style="always" if form == QUOTED else "necessary",
                )
            rows += week.height
    return rows


def as_json(frame: pl.DataFrame) -> bytes:
    """Lines of JSON in which money is a number with its decimals, as its writers write it."""
    marks = [n for n, t in frame.schema.items() if t.is_decimal()]
    text = frame.with_columns(pl.col(marks).cast(pl.String).name.keep()).write_ndjson()
    return re.sub(f'"({"|".join(marks)})":"([^"]*)"', r'"\1":\2', text).encode()


def floor(path: Path, form: str) -> float:
    """CPU seconds of a reading as text and a writing as Parquet, in a process of its own."""
    read = "read_ndjson" if form == JSON else "read_csv"
    code = (
        "import sys, time; import polars as pl; begun = time.process_time(); "
        f"pl.{read}(sys.argv[1], infer_schema_length={None if form == JSON else 0})"
        ".write_parquet(sys.argv[2]); print(time.process_time() - begun)"
    )
    command = [sys.executable, "-c", code, str(path), str(path.with_suffix(".parquet"))]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    path.with_suffix(".parquet").unlink()
    return float(said)


def write_cage(zone: Path, files: int, rows: int, days: list[dt.date]) -> None:
    """Cage transactions in files of about one size; each file has rows of nearly every day."""
    zone.mkdir(parents=True)
    lines = [
        f"t{n},{days[n * 7919 % len(days)]}T{n % 12 + 8:02}:{n % 60:02}:00-08:00,{n % 977}.25"
        for n in range(rows)
    ]
    for number in range(files):
        part = lines[number * rows // files : (number + 1) * rows // files]
        text = "\n".join(["transaction_id,transaction_timestamp,amount", *part, ""])
        (zone / f"{number:03}.csv").write_text(text)
        (zone / f"{number:03}.csv.done").touch()


def work(folder: Path, what: str = "") -> None:
    import resource

    from lakehouse.ingest.files.run import ingest
    from lakehouse.settings import load_settings
    from lakehouse.storage import Lake

    settings = load_settings(root=str(folder / "lake"), source="landing")
    lake = Lake.open(settings)
    begun, cpu = time.perf_counter(), time.process_time()
    outcomes = ingest(lake, settings, as_of=AS_OF).outcomes
    if what == SCATTERED:
        from igaming_assets.running import derive_days, underived_days

        begun, cpu = time.perf_counter(), time.process_time()
        derive_days(settings, underived_days(settings, lake), now=AS_OF)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "rows": sum(o.bronze_rows for o in outcomes),
        "wall": time.perf_counter() - begun,
        "cpu": time.process_time() - cpu,
        "process": usage.ru_utime + usage.ru_stime,
        "mb": usage.ru_maxrss // 1024,
    }
    print(json.dumps(found))


def measured(folder: Path, what: str = "") -> dict[str, float]:
    """Of a process of its own, which takes in what lies in a folder's landing zone."""
    command = [sys.executable, "-m", "benchmarks.landing", WORKER, str(folder), what]
    home = {"DAGSTER_HOME": str(folder / "dagster")}
    (folder / "dagster").mkdir()
    said = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | home
    ).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def compare(name: str, cases: dict[str, tuple[int, list[dt.date]]], rows: int) -> None:
    """One line a case: files, and the days of their rows; with the CPU seconds of the first."""
    print(f"| {name} | rows | wall s | CPU s | CPU s with the start | to the first |")
    print("|---|---|---|---|---|---|")
    first = 0.0
    what = SCATTERED if name == "days" else MANY
    for case, (files, days) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            write_cage(Path(folder, "lake", "landing", "financial_txn"), files, rows, days)
            found = measured(Path(folder), what)
        if found["rows"] != rows:
            raise SystemExit(f"{rows:,} rows written, {found['rows']:,} in bronze")
        first = first or found["process"]
        print(
            f"| {case} | {rows:,} | {found['wall']:.1f} | {found['cpu']:.1f} | "
            f"{found['process']:.1f} | {found['process'] / first:.2f} |",
            flush=True,
        )


def every(step: int, count: int) -> list[dt.date]:
    return [dt.date(2025, 1, 1) + dt.timedelta(days=n * step) for n in range(count)]


def many(files: int = 28) -> None:
    days = every(1, DAYS)
    compare("files", {str(n): (n, days) for n in (1, 10, files)}, ROWS)


def scattered(days: int = 50) -> None:
    steps = {"adjacent": 1, "every second": 2, "one a week": 7}
    cases = {f"{days} {name}": (1, every(step, days)) for name, step in steps.items()}
    compare("days", cases, 60 * days)


def main(size: int = 2 * 10**9, forms: Sequence[str] = (PLAIN, QUOTED, JSON)) -> None:
    print("| file | rows | wall s | CPU s | rows/s | rows per CPU s | peak MB | floor CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for form in forms:
        print_large(size if form == PLAIN else size // 4, form)


def print_large(size: int, form: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zone = folder / "lake" / "landing" / "slot_telemetry"
        zone.mkdir(parents=True)
        path = zone / ("export.ndjson" if form == JSON else "export.csv")
        rows = write_rows(path, size, form)
        least = f"{floor(path, form):.1f}" if size <= HELD else ""
        path.with_name(path.name + ".done").touch()
        found = measured(folder)
    if found["rows"] != rows:
        raise SystemExit(f"{rows:,} rows written, {found['rows']:,} in bronze")
    print(
        f"| {size / 1e9:.1f} GB {NAMES[form]} | {rows:,} | {found['wall']:.1f} | "
        f"{found['cpu']:.1f} | {rows / found['wall']:,.0f} | {rows / found['cpu']:,.0f} | "
        f"{found['mb']} | {least} |",
        flush=True,
    )


if __name__ == "__main__":
    numbers = [int(float(a)) for a in sys.argv[1:] if a[:1].isdigit()]
    if WORKER in sys.argv:
        work(Path(sys.argv[2]), sys.argv[3])
    elif MANY in sys.argv:
        many(*numbers)
    elif SCATTERED in sys.argv:
        scattered(*numbers)
    else:
        wanted = [form for form in NAMES if form in sys.argv]
        main(numbers[0] if numbers else 2 * 10**9, wanted or list(NAMES))
