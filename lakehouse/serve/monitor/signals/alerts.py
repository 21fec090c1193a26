"""Whether alerts come more often than usual: a fraud wave, or a rule that went wrong."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator

import polars as pl

from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.serve.alerts import desk
from lakehouse.serve.monitor.registry import Look, Measure, signal

HOUR = dt.timedelta(hours=1)
USUAL_DAYS = 28
LEAST_DAYS = 7
"""Days before, without which nobody knows what is usual."""


@signal(
    "live_alerts",
    unit="alerts/hour",
    warning=60,
    critical=300,
    do="`lakehouse alerts list --severity critical`: a wave of fraud, or a rule that went wrong.",
)
def live_alerts(look: Look) -> Iterator[Measure]:
    """Alerts of the last hour that were raised as events came, by family, as they stand."""
    if look.lake.version("gold", "live_alerts") is None:
        return
    near = look.lake.scan("gold", "live_alerts").filter(pl.col("detected_at") > look.now - HOUR)
    stands = near.sort("version").unique("alert_id", keep="last", maintain_order=True)
    judged = (pl.col("family") != "fraud") | (pl.col("rule") == IN_FORCE)
    found = stands.filter(~pl.col("is_withdrawn") & judged).group_by("family").len().collect()
    counts = dict(found.iter_rows())
    for family in ("fraud", "protection"):
        n = counts.get(family, 0)
        yield Measure(family, float(n), f"{n} alerts in the last hour")


@signal(
    "daily_alerts",
    unit="times usual",
    warning=3,
    critical=10,
    do="`lakehouse alerts list` for the day: find the rule and the entity that they are of.",
)
def daily_alerts(look: Look) -> Iterator[Measure]:
    """Alerts of the newest gaming day against the middle one of the 28 days before, by family."""
    days = look.lake.partitions("gold", "property_day")["gaming_day"].drop_nulls().sort().to_list()
    if len(days) <= LEAST_DAYS:
        return
    newest, before = days[-1], days[-1 - USUAL_DAYS : -1]
    near = desk.every(look.lake).filter(pl.col("gaming_day").is_between(before[0], newest))
    found = near.group_by("family", "gaming_day").agg(n=pl.len()).collect()
    for family in found["family"].unique().sort():
        by_day = dict(found.filter(family=family).select("gaming_day", "n").iter_rows())
        usual = statistics.median(by_day.get(d, 0) for d in before)
        n = by_day.get(newest, 0)
        said = f"{n} alerts on {newest}, usually {usual:g}"
        yield Measure(family, round(n / max(usual, 1), 2), said)
