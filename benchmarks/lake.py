"""Bronze to gold: Dagster beside the library alone, growth with volume, one more day, SQL.

`python -m benchmarks lake`; with BENCH_YEAR=1 in the environment also 365 days.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

START = dt.date(2025, 1, 1)

LIBRARY = """
import datetime as dt, sys
from benchmarks.stored import AS_OF, COMMIT, filled
from lakehouse.pipeline.marts import derive
from lakehouse.settings import load_settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Lake

settings = load_settings()
lake = Lake.open(settings)
days = tuple(dt.date.fromisoformat(a) for a in sys.argv[1:3])
filled(lake, settings, World(WorldConfig(scale=settings.scale, start=days[0])), days)
derive(lake, settings, days, as_of=AS_OF, commit=COMMIT)
"""

SQL = """
import statistics, time
from lakehouse.commands import opened
from lakehouse.serve.sql.catalog import Catalog
settings, lake = opened()
queries = (
    "SELECT gaming_day, win, theo FROM gold.property_day ORDER BY 1",
    "SELECT denomination, sum(win) / sum(coin_in) FROM gold.slot_performance GROUP BY 1 ORDER BY 1",
    "SELECT player_id, theo_30 FROM gold.player_value ORDER BY theo_30 DESC LIMIT 25",
)
with Catalog(lake, timezone=settings.timezone) as catalog:
    times = []
    for k in range(31):
        begun = time.perf_counter()
        catalog.frame(queries[k % 3])
        times.append((time.perf_counter() - begun) * 1000)
print(statistics.median(times[3:]))
"""

IMPORT = "import igaming_assets.definitions"

EMPTY = """
import datetime as dt, sys, warnings
from igaming_assets.running import Outcome, _execute
import dagster as dg
from igaming_assets.assembly import assemble
from igaming_assets.instance import instance_of_home
from igaming_assets.partitions import gaming_days
from lakehouse.settings import load_settings

warnings.simplefilter("ignore")
settings = load_settings()
graph = assemble(settings).resolve_asset_graph()
day = gaming_days(settings)

def empty(key):
    node, mine = graph.get(key), [c.name for c in graph.asset_check_keys if c.asset_key == key]
    specs = [dg.AssetCheckSpec(n, asset=key, partitions_def=day) for n in mine]

    @dg.asset(key=key, deps=sorted(node.parent_keys), check_specs=specs, partitions_def=day)
    def made():
        said = [dg.AssetCheckResult(check_name=n, passed=True) for n in mine]
        return dg.MaterializeResult(check_results=said)

    return made

assets = [empty(key) for key in graph.materializable_asset_keys]
job = dg.define_asset_job("empty", selection="*", partitions_def=day)
defs = dg.Definitions(assets=assets, jobs=[job], executor=dg.in_process_executor)
asked = dt.date.fromisoformat(sys.argv[1])
outcome = Outcome()
with instance_of_home() as instance:
    _execute(defs.resolve_job_def("empty"), (asked, asked), None, instance, outcome)
print(outcome.materialized, outcome.checks_passed)
"""
HERE = Path(__file__).parents[1]


@functools.cache
def compiled(tree: Path) -> str:
    """A revision's folder, compiled as installing it does: no start is to pay for that."""
    folders = [str(tree / package) for package in ("lakehouse", "igaming_assets")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)
    return str(tree)


FLOOR = ("floor",)


def measured(
    command: list[str],
    root: Path,
    scale: float = 1.0,
    tree: Path | None = None,
    domains: Sequence[str] = FLOOR,
) -> tuple[float, float, float]:
    """(wall s, CPU s, peak MB) of one process on the lake at `root`, of this project or of the
    revision in `tree`. The floor alone, if nothing is said."""
    env = os.environ | {
        "LAKEHOUSE_DOMAINS": json.dumps(domains),
        "LAKEHOUSE_ROOT": str(root / "lake"),
        "LAKEHOUSE_SCALE": str(scale),
        "LAKEHOUSE_START": str(START),
        "PYTHONPATH": compiled(tree or HERE),
        "DAGSTER_HOME": str(root / "home"),
    }
    root.mkdir(exist_ok=True)
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=root,  # Python looks for packages there before it looks where it is told
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = ""
    if process.stderr is not None:
        with process.stderr as stream:
            said = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])}: exit {process.returncode}\n{said[-2000:]}")
    wall = time.perf_counter() - begun
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def run(
    root: Path,
    first: int,
    days: int,
    scale: float = 1.0,
    tree: Path | None = None,
    domains: Sequence[str] = FLOOR,
) -> tuple[float, float, float]:
    span = [START + dt.timedelta(days=d) for d in (first, first + days - 1)]
    arguments = ["run", "--from", str(span[0]), "--to", str(span[1])]
    return measured([sys.executable, "-m", "lakehouse", *arguments], root, scale, tree, domains)


def library(root: Path, days: int, scale: float = 1.0) -> tuple[float, float, float]:
    last = START + dt.timedelta(days=days - 1)
    return measured([sys.executable, "-c", LIBRARY, str(START), str(last)], root, scale)


def line(what: str, figures: tuple[float, float, float], rows: float | None = None) -> None:
    wall, cpu, peak = figures
    per_row = "" if rows is None else f"{cpu / rows * 1e6:.1f}"
    print(f"| {what} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {per_row} |", flush=True)


def main() -> None:
    rows = 685_000 / 30
    print("| bronze to gold, all assets and checks | wall s | CPU s | peak MB | CPU us/row |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        line("30 days, Dagster in one process", run(root / "month", 0, 30), 30 * rows)
        line("30 days, the library alone", library(root / "alone", 30), 30 * rows)
        line("one more day, Dagster", run(root / "month", 30, 1), rows)
        line("importing the code location", measured([sys.executable, "-c", IMPORT], root))
        nothing = [sys.executable, "-c", EMPTY, str(START)]
        line("one day of as many empty assets and checks", measured(nothing, root / "empty"))
        for scale in (1, 4, 16):
            figures = run(root / f"scale{scale}", 0, 5, scale)
            line(f"5 days at {scale}x rows a day, Dagster", figures, 5 * rows * scale)
        if os.environ.get("BENCH_YEAR"):
            line("365 days, Dagster in one process", run(root / "year", 0, 365), 365 * rows)
        ask_sql(root / "month")


def ask_sql(root: Path) -> None:
    env = os.environ | {"LAKEHOUSE_ROOT": str(root / "lake")}
    said = [
        float(subprocess.run([sys.executable, "-c", SQL], env=env, check=True, capture_output=True,
                             text=True).stdout)
        for _ in range(3)
    ]  # fmt: skip
    print(f"\nWarm SQL on gold, 30 days: median {statistics.median(said):.1f} ms")
