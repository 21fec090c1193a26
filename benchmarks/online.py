"""The online house: how fast its tables are made, and what a day of it costs beside the floor's.

`python -m benchmarks online`; BENCH_ROWS sets the rows of each table (default 10 million). What
follows from the play of others (purchases, server metrics, orders) comes of a world so large that
it has as many. Left out are the small tables of reference.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.lake import FLOOR, run
from benchmarks.simulate import Measured, measured
from lakehouse.contracts import doors
from lakehouse.settings import DOMAINS
from lakehouse.simulate.kernel.config import ROWS, WINDOW, WorldConfig
from lakehouse.simulate.world import World

TEN_MILLION = 10_000_000
ONLINE = tuple(d for d in DOMAINS if d not in FLOOR)
TABLES = [t for t, c in doors().items() if c.domain in ONLINE and c.monthly_rows]
CONSEQUENCES = ("purchases", "server_metrics", "shop_orders")
A_DAY = sum(ROWS[t] for t in TABLES) / WINDOW
"""Rows of the tables with exact counts, a day at scale 1."""
MILLION = 1_000_000 / A_DAY
"""The scale at which a day has a million of them."""


def made(table: str, rows: int, folder: Path, scale: float = 1.0) -> Measured:
    """`rows` of a table into a file, in a world of at least `scale`."""
    asked = ("--rows", f"{table}={rows}", "--scale", f"{scale:.4f}")
    return measured(table, rows, "-m", "lakehouse", "generate", *asked, "-o", str(folder))


def scale_of(table: str, rows: int) -> float:
    """The scale of a month with a little more than `rows` of what follows from the play."""
    world = World(WorldConfig())
    usual = sum(f.height for f in world.frames(table, range(WINDOW)))
    return 1.05 * rows / usual


def main() -> None:
    rows = int(os.environ.get("BENCH_ROWS", TEN_MILLION))
    print("| table, to Parquet | rows | wall s | CPU s | rows/s | peak MB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for table in TABLES:
            print(made(table, rows, Path(name) / table).line(), flush=True)
        for table in CONSEQUENCES:
            scale = scale_of(table, rows)
            print(made(table, rows, Path(name) / table, scale).line(), flush=True)
    print("\n| one day, bronze to gold with checks | wall s | CPU s | peak MB |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        _days(Path(name))


def _days(root: Path) -> None:
    """The day after another, which has paid for what a new lake costs."""
    for scale in (1.0, 4.0, 16.0, MILLION):
        for domains in (FLOOR, DOMAINS):
            place = root / f"{scale}-{len(domains)}"
            run(place, 0, 1, scale, domains=domains)
            wall, cpu, peak = run(place, 1, 1, scale, domains=domains)
            what = "the floor" if domains == FLOOR else "the whole house"
            online = f"{A_DAY * scale:,.0f} rows online"
            print(f"| {what} at {scale:.3g}x ({online}) | {wall:.1f} | {cpu:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
