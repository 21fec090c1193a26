"""How the game's servers are, by five minutes and by day."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.platform.health import PERIODS
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import tenths, within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days

_FIVE_MINUTES, _DAY = PERIODS
_BY = ("server_id", "gaming_day")


@mart(silver("server_metrics"), silver("servers"))
def server_health(
    server_metrics: pl.LazyFrame, servers: pl.LazyFrame, *, days: Days
) -> pl.LazyFrame:
    """Mart `server_health` of `days`."""
    begins = pl.col("timestamp").dt.truncate("5m")
    rows = within(server_metrics, days).with_columns(period_start=begins)
    short = (
        rows.group_by(*_BY, "period_start")
        .agg(_measured())
        .with_columns(period=pl.lit(_FIVE_MINUTES))
    )
    whole = rows.group_by(_BY).agg(pl.col("period_start").min(), *_measured())
    every = pl.concat([short, whole.with_columns(period=pl.lit(_DAY))], how="diagonal")
    known = servers.select(*_BY, "capacity", region_served="region")
    found = every.join(known, on=_BY, how="left")
    return shaped(
        found.with_columns(region=pl.coalesce("region", "region_served")), "server_health"
    )


def _measured() -> list[pl.Expr]:
    latency = pl.col("latency")
    return [
        pl.len().alias("measurements"),
        pl.col("region").drop_nulls().mode().sort().first(),
        _mean("cpu_load"),
        pl.col("cpu_load").max().alias("highest_cpu_load"),
        _mean("memory_usage"),
        _mean("latency"),
        *(latency.quantile(p / 100, "higher").alias(f"latency_p{p}") for p in (50, 95, 99)),
        _mean("response_time"),
        pl.col("disconnections").sum(),
        pl.col("players_online").max().alias("most_players"),
    ]


def _mean(column: str) -> pl.Expr:
    """To a tenth, half up; of thousandths, so that the order of rows makes no difference."""
    thousandths, known = (
        (pl.col(column) * 1_000).round().cast(pl.Int64).sum(),
        pl.col(column).count(),
    )
    return pl.when(known > 0).then(tenths(thousandths, 1_000 * known)).alias(column)
