"""How quick the pages are: over a year of days, for fifty who look, and while a run writes.

The year is one week of the simulated house told again for each week. PAGES_YEAR names a folder that
keeps it from one time to the next.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psutil
import requests

from benchmarks.servers import free_port
from lakehouse.serve.pages.menu import PAGES
from lakehouse.settings import load_settings
from lakehouse.storage import Commit, Lake, stored_tables

FIRST, WEEK, DAYS = dt.date(2025, 1, 1), 7, 364
LAST = FIRST + dt.timedelta(days=DAYS - 1)
VIEWERS, EVERY, SECONDS = 50, 10.0, 40.0
"""Each viewer opens a page every ten seconds: five pages a second."""
YEAR, MONTH = f"from={FIRST}&to={LAST}", f"from={LAST - dt.timedelta(days=29)}&to={LAST}"


def main() -> None:
    folder = Path(os.environ.get("PAGES_YEAR") or tempfile.mkdtemp())
    env = os.environ | {"LAKEHOUSE_ROOT": str(folder / "lake"), "LAKEHOUSE_START": str(FIRST)}
    env |= {"DAGSTER_HOME": str(folder / "dagster")}
    try:
        if not (folder / "lake").is_dir():
            _make(folder, env)
        with _served(folder, env) as (address, server):
            _first(address)
            _each(address, server)
            _crowd(address, server, "")
            with _writing(folder, env):
                _crowd(address, server, ", while a run writes")
    finally:
        if "PAGES_YEAR" not in os.environ:
            shutil.rmtree(folder)


def _make(folder: Path, env: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    week = ["run", "--from", str(FIRST), "--to", str(FIRST + dt.timedelta(days=WEEK - 1))]
    subprocess.run(
        [sys.executable, "-m", "lakehouse", *week],
        env=env, cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    lake = Lake.open(load_settings(root=str(folder / "lake")))
    for layer, table in stored_tables("gold"):
        if lake.exists(layer, table):
            _told_again(lake, layer, table)


def _told_again(lake: Lake, layer: str, table: str) -> None:
    """Writes the week's days for each week of the year."""
    week = lake.scan(layer, table).collect()
    if "gaming_day" not in week.columns or week.is_empty():
        return
    weeks = [
        week.with_columns(pl.col("gaming_day") + dt.timedelta(weeks=n)) for n in range(DAYS // WEEK)
    ]
    commit = Commit("benchmark", f"{layer}/{table}", "1")
    lake.write_days(layer, table, pl.concat(weeks), (FIRST, LAST), commit=commit)


@contextmanager
def _served(folder: Path, env: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    port = free_port()
    command = [sys.executable, "-m", "lakehouse", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=env, cwd=folder, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                requests.get(f"{address}/healthz", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield address, psutil.Process(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


@contextmanager
def _writing(folder: Path, env: dict[str, str]) -> Iterator[None]:
    days = ["run", "--from", str(FIRST), "--to", str(FIRST + dt.timedelta(days=2))]
    run = subprocess.Popen(
        [sys.executable, "-m", "lakehouse", *days],
        env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        run.terminate()
        run.wait(60)


def _took(address: str, place: str) -> float:
    begun = time.perf_counter()
    answer = requests.get(f"{address}/{place}", timeout=120)
    answer.raise_for_status()
    assert "could not be answered" not in answer.text
    return time.perf_counter() - begun


def _cpu(server: psutil.Process) -> float:
    used = server.cpu_times()
    return float(used.user + used.system)


def _first(address: str) -> None:
    cold = _took(address, f"today?{MONTH}")
    warm = statistics.median(_took(address, f"today?{MONTH}") for _ in range(5))
    print(f"first page of a server: {cold:.2f} s; the same, warm: {warm * 1000:.0f} ms\n")


def _each(address: str, server: psutil.Process) -> None:
    """Of each page: the first of its server, which meets each table for the first time; of other
    days, so that every figure is asked of the lake; the same again, out of memory."""
    print("| page, over a year | first, ms | asked anew, ms | CPU ms | kept, ms | CPU ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for page in PAGES:
        first = _took(address, f"{page.name}?{YEAR}")
        others = [f"{page.name}?from={FIRST + dt.timedelta(days=n)}&to={LAST}" for n in range(1, 6)]
        told = [_of_several(address, server, places) for places in (others, others[-1:] * 5)]
        cells = " | ".join(f"{1000 * s:.0f} | {1000 * cpu:.0f}" for s, cpu in told)
        print(f"| {page.title} | {1000 * first:.0f} | {cells} |", flush=True)


def _of_several(address: str, server: psutil.Process, places: Sequence[str]) -> tuple[float, float]:
    """The median time, and the mean CPU time of the server, in seconds."""
    before = _cpu(server)
    took = [_took(address, place) for place in places]
    return statistics.median(took), (_cpu(server) - before) / len(places)


def _crowd(address: str, server: psutil.Process, beside: str) -> None:
    """Viewers who each open a page now and then, none at the same moment as another."""
    took: list[float] = []
    until = time.monotonic() + SECONDS

    def viewer(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.uniform(0, EVERY))
        while time.monotonic() < until:
            begun = time.monotonic()
            took.append(_took(address, f"{chance.choice(PAGES).name}?{MONTH}"))
            time.sleep(max(0.0, EVERY - (time.monotonic() - begun)))

    before = _cpu(server)
    threads = [threading.Thread(target=viewer, args=(n,)) for n in range(VIEWERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = _cpu(server) - before
    cuts = statistics.quantiles(took, n=100)
    print(
        f"\n{VIEWERS} viewers{beside}: {len(took)} pages in {SECONDS:.0f} s, half within "
        f"{cuts[49] * 1000:.0f} ms, 95 of 100 within {cuts[94] * 1000:.0f} ms; "
        f"the server used {cpu / SECONDS:.0%} of one core, {1000 * cpu / len(took):.0f} ms a page"
    )
