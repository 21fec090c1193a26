"""Speed and memory of the simulator, whole processes, and of the ordinary way beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lakehouse.simulate.kernel.config import ROWS

TABLES = sum(ROWS.values())
"""Rows of the tables with exact counts at scale 1."""
TEN_MILLION = 10_000_000 / TABLES
"""The scale of as many rows over all tables."""
FAKER_ROWS = 20_000
HERE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Measured:
    what: str
    rows: int
    wall: float
    cpu: float
    peak_mb: float

    def line(self) -> str:
        rate = self.rows / self.wall
        return (
            f"| {self.what} | {self.rows:,} | {self.wall:.2f} | {self.cpu:.2f} | {rate:,.0f} "
            f"| {self.peak_mb:.0f} |"
        )


def measured(what: str, rows: int, *command: str, tree: Path = HERE) -> Measured:
    """A command of the revision in `tree` from start to end: wall clock, processor seconds, and
    the most memory that it and its child processes had at a time."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak, ended = 0.0, 0
    while not ended:
        peak = max(peak, resident_mb(process.pid))
        time.sleep(0.02)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{what}: exit status {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(what, rows, wall, cpu, max(peak, usage.ru_maxrss / 1024))


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children; 0 where /proc does not tell."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    own = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return own + sum(resident_mb(int(child)) for child in children)


def generated(what: str, scale: float, folder: Path, *more: str, tree: Path = HERE) -> Measured:
    rows = sum(round(n * scale) for n in ROWS.values())
    command = ("-m", "lakehouse", "generate", "--all", "--scale", str(scale), "-o", str(folder))
    return measured(what, rows, *command, *more, tree=tree)


def late_day(tree: Path) -> Measured:
    return measured("all tables, the day after a year", 21_701, "-c", LATE_DAY, tree=tree)


PLAYERS = """
import sys, time
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
world = World(WorldConfig(players=int(sys.argv[1])))
world.frame("slot_telemetry", world.config.date(0))
begun = time.process_time()
for day in range(1, 6):
    for table in ("slot_telemetry", "table_games", "financial_txn", "player_profile"):
        world.frame(table, world.config.date(day))
print((time.process_time() - begun) / 5 * 1000)
"""

LATE_DAY = """
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.producers import producers
from lakehouse.simulate.world import World
world = World(WorldConfig())
date = world.config.date(365)
for table in producers():
    world.frame(table, date)
"""
"""All tables of the day after a year, as a lake of that age has them made."""

FAKER = """
import random
from faker import Faker
fake = Faker()
rows = []
for _ in range(%d):
    coin_in = round(random.uniform(0.01, 100), 2)
    rows.append({
        "event_id": fake.uuid4(), "machine_id": fake.bothify("SLOT-####"),
        "asset_number": fake.bothify("AST-####"), "location_id": fake.bothify("??-##"),
        "zone": fake.random_element(("North", "South", "East", "West", "VIP", "High Limit")),
        "event_type": fake.random_element(("GAME_PLAY", "METER_UPDATE", "BILL_IN", "TICKET_OUT")),
        "event_timestamp": fake.date_time_between("-30d").isoformat(),
        "denomination": fake.random_element((0.01, 0.05, 0.25, 1, 5)), "coin_in": coin_in,
        "coin_out": round(coin_in * random.random(), 2), "jackpot_amount": None,
        "games_played": fake.random_int(1, 100), "theoretical_hold": 0.08, "actual_hold": 0.07,
        "player_id": fake.bothify("P########"), "session_id": fake.uuid4(),
        "machine_type": fake.random_element(("Video Slots", "Mechanical Reels", "Video Poker")),
        "manufacturer": fake.company(), "game_theme": fake.catch_phrase(),
        "error_code": None, "error_message": None,
    })
import polars as pl
pl.DataFrame(rows).write_parquet("%s")
"""


def players_line(count: int) -> str:
    out = subprocess.run(
        [sys.executable, "-c", PLAYERS, str(count)], capture_output=True, text=True, check=True
    )
    return f"| {count:,} players | {float(out.stdout):.0f} |"


def main() -> None:
    quick = "LAKEHOUSE_BENCH_QUICK" in os.environ
    head = "| run | rows | wall s | CPU s | rows/s | peak MB |\n|---|---|---|---|---|---|"
    print(f"{os.cpu_count()} cores; whole processes, start-up and files included\n\n{head}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(generated("`--all --days 30`", 1, folder).line(), flush=True)
        print(generated("the same, no faults", 1, folder, "--no-faults").line(), flush=True)
        print(late_day(HERE).line(), flush=True)
        if not quick:
            slots = ("-m", "lakehouse", "generate", "--slots", "10000000", "-o", str(folder))
            print(measured("`--slots 10000000`", 10_000_000, *slots).line(), flush=True)
            print(
                generated("10 million rows of all tables", TEN_MILLION, folder).line(), flush=True
            )
            base = 2_500_000 / TABLES
            for times in (1, 4, 16):
                run = generated(f"{times} x 2.5 million", base * times, folder)
                print(run.line(), flush=True)
        code = FAKER % (FAKER_ROWS, folder / "faker.parquet")
        print(measured("row by row with Faker, slots alone", FAKER_ROWS, "-c", code).line())
    print("\n| players in the book | CPU ms a day of four tables |\n|---|---|")
    for count in (100_000, 10_000_000):
        print(players_line(count), flush=True)


if __name__ == "__main__":
    main()
