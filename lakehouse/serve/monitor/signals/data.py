"""Whether days are there, checks pass, and runs end well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.serve.monitor.registry import Look, Measure, signal
from lakehouse.settings import DOMAINS
from lakehouse.texts import formatted

JUDGED = dt.timedelta(days=7)
"""Gaming days up to the newest whose checks count."""
LATELY = dt.timedelta(days=1)
_SHOWN = 3
_OF_THE_FLOOR = ("compliance", "detection")


@signal(
    "freshness",
    unit="hours",
    warning=28,
    critical=52,
    do="See the runs in the UI; is the schedule closed_day on? `lakehouse run` makes the day.",
)
def freshness(look: Look) -> Iterator[Measure]:
    """Hours since the newest gaming day of each part of the house closed; one that follows at ten
    is 28 hours old then."""
    for domain, day in _newest(look).items():
        closed = day_bounds(day, look.settings.timezone)[1]
        hours = max(0.0, (look.now - closed) / dt.timedelta(hours=1))
        said = f"{day}, the newest gaming day in gold, closed {hours:,.0f} hours ago"
        yield Measure(domain, round(hours, 1), said)


def _newest(look: Look) -> dict[str, dt.date]:
    found: dict[str, dt.date] = {}
    for table in look.settings.tables("gold"):
        domain = contract(table).domain
        domain = "floor" if domain in _OF_THE_FLOOR else domain
        if domain not in DOMAINS:
            continue
        day = look.lake.partitions("gold", table)["gaming_day"].max()
        if isinstance(day, dt.date):
            found[domain] = max(day, found.get(domain, day))
    return found


@signal(
    "failed_checks",
    unit="checks",
    critical=0,
    do="`lakehouse checks report` shows the rows; mend their source and run the day again.",
)
def failed_checks(look: Look) -> Iterator[Measure]:
    """Checks that failed or could not run, of the newest seven gaming days that were judged; none
    of restricted tables, whose results bear no mark of what was judged: whoever sees the monitor
    would learn of a day with a case."""
    newest = look.lake.partitions("gold", "check_results")["gaming_day"].max()
    if not isinstance(newest, dt.date):
        return
    rows = look.lake.scan("gold", "check_results", days=(newest - JUDGED, newest)).filter(
        (pl.col("gaming_day") > newest - JUDGED)
        & ~pl.col("is_stale")
        & pl.col("judged_of").is_not_null()
    )
    found = rows.select("gaming_day", "layer", "table_name", "check_name", "status").collect()
    bad = found.filter(pl.col("status").is_in(["failed", "could_not_run"]))
    warned = found.filter(status="warned").height
    named = bad.sort("gaming_day", descending=True).select(
        formatted("{} of {}.{} on {}", "check_name", "layer", "table_name", "gaming_day")
    )
    said = _listed("failed", named.to_series().to_list())
    yield Measure("newest days", float(bad.height), f"{said}; {warned} warned")


@signal(
    "failed_runs",
    unit="runs",
    warning=0,
    critical=3,
    do="Look at the run in the UI (`make ui`) and start it again: `lakehouse run`.",
)
def failed_runs(look: Look) -> Iterator[Measure]:
    """Runs of the last day that failed, and no later one of the same work succeeded."""
    runs = look.failed_runs(look.now - LATELY)
    named = [f"{run.run_id[:8]} ({run.said})" for run in runs]
    yield Measure("pipeline", float(len(runs)), _listed("failed", named))


def _listed(word: str, names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {word}: {'; '.join(names[:_SHOWN])}{more}" if names else f"none {word}"
