"""How the game's servers are, by five minutes and by day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

PERIODS = ("five_minutes", "day")


@table("server_health", layer="gold", grain="one row per server and period")
class ServerHealth(dy.Schema):
    """Load, latency and lost players of each server; periods of five minutes, and whole gaming
    days."""

    server_id = c.text("Server.", key=True)
    period = c.code(PERIODS, "Length of the period.", key=True)
    period_start = c.utc("When it begins.", key=True)
    gaming_day = c.gaming_day(key=True)
    region = c.text("Part of the world that it serves.", nullable=True)
    measurements = c.count("Measurements.", minimum=1)
    cpu_load = c.number("Mean processor load, to a tenth.", unit="percent")
    highest_cpu_load = c.number("Highest processor load.", unit="percent")
    memory_usage = c.number("Mean memory in use, to a tenth.", unit="percent")
    latency = c.number("Mean latency, to a tenth.", unit="milliseconds")
    latency_p50 = c.number("Half of the measurements are at most this.", unit="milliseconds")
    latency_p95 = c.number("95 of 100 measurements are at most this.", unit="milliseconds")
    latency_p99 = c.number("99 of 100 measurements are at most this.", unit="milliseconds")
    response_time = c.number("Mean response time, to a tenth.", nullable=True, unit="milliseconds")
    disconnections = c.count("Sessions cut.")
    most_players = c.count("Most players online.", nullable=True)
    capacity = c.count("Players that it is made for.", nullable=True)

    @dy.rule()
    def percentiles_are_ordered(cls) -> pl.Expr:
        """No percentile of latency is below a lower one."""
        p50, p95, p99 = (pl.col(f"latency_p{p}") for p in (50, 95, 99))
        return (p50 <= p95) & (p95 <= p99)
