"""Which columns are series, and how they are called: <prefix>.<stem>.<whose>.<column>.

A row of a table is a point of each of its columns that are `values`, at its moment. Live views of
the same stem write the same names, and the day's table corrects them: carbon keeps the last value
of a moment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import polars as pl

from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.regulation.gaming_day import OPENS_AT, gaming_day
from lakehouse.serve.monitor.registry import Reading
from lakehouse.texts import formatted

POINTS = pl.Schema({"name": pl.String(), "value": pl.Float64(), "at": pl.Int64()})
"""Of a frame of points; `at` in seconds since 1970."""
DAY = "gaming_day"
"""As `at`: the moment at which the gaming day opens."""
Prepare = Callable[[pl.LazyFrame, str], pl.LazyFrame]
"""Rows of the table and the time zone → rows of which points are made."""


@dataclass(frozen=True)
class Series:
    """What is made of a gold table, or of a live view, or of both."""

    stem: str
    values: Mapping[str, str]
    """Last part of the name → column."""
    at: str = DAY
    by: tuple[str, ...] = ()
    """Columns whose values are parts of the name."""
    table: str = ""
    view: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    """Of the live view: how far back a look goes."""
    prepare: Prepare = lambda rows, _: rows
    prepare_live: Prepare = lambda rows, _: rows


def _same(*columns: str) -> dict[str, str]:
    return {c: c for c in columns}


def _five_minutes(rows: pl.LazyFrame, _: str) -> pl.LazyFrame:
    return rows.filter(period="five_minutes")


def _within_a_day(rows: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    """A window over the border of two gaming days is there in each with that day's part."""
    last = pl.col("window_end") - dt.timedelta(microseconds=1)
    return rows.filter(gaming_day(pl.col("window_start"), timezone) == gaming_day(last, timezone))


def _alerts(rows: pl.LazyFrame, at: str, level: str) -> pl.LazyFrame:
    minute = pl.col(at).dt.truncate("1m").alias("minute")
    return rows.group_by(minute, pl.col(level).alias("level")).agg(alerts=pl.len())


def _of_the_day(rows: pl.LazyFrame, _: str) -> pl.LazyFrame:
    return _alerts(rows.filter(profile=IN_FORCE), "alert_timestamp", "alert_level")


def _as_they_come(rows: pl.LazyFrame, _: str) -> pl.LazyFrame:
    return _alerts(rows.filter(family="fraud", rule=IN_FORCE), "event_time", "level")


SERIES = (
    Series(
        "servers",
        _same(
            "cpu_load", "highest_cpu_load", "memory_usage", "latency", "latency_p50",
            "latency_p95", "latency_p99", "response_time", "disconnections", "most_players",
        ),
        at="period_start", by=("server_id",), table="server_health", view="server_health",
        params={"periods": "3"}, prepare=_five_minutes, prepare_live=_five_minutes,
    ),
    Series(
        "sales",
        _same(
            "transactions", "sales", "orders", "average_order_value", "unique_users",
            "unique_products", "unique_categories", "visitors", "conversion_rate", "fraud_rate",
            "revenue_per_user", "transactions_per_user",
        ),
        at="window_start", table="sales_windows", view="sales", params={"windows": "20"},
        prepare=_within_a_day, prepare_live=_within_a_day,
    ),
    Series(
        "fraud", _same("alerts"), at="minute", by=("level",), table="fraud_alerts", view="alerts",
        params={"alerts": "10000"}, prepare=_of_the_day, prepare_live=_as_they_come,
    ),
    Series(
        "players", _same("active_players", "actions"), at="window_start",
        by=("level_id", "map_id"), view="active_players", params={"windows": "20"},
    ),
    Series(
        "items", _same("purchase_count", "total_revenue", "buyers"), at="window_start",
        by=("item_id",), view="item_sales", params={"windows": "20"},
    ),
    Series(
        "topics", _same("offset", "events", "late", "copies", "rejected"), at="written_at",
        by=("topic", "partition"), view="progress",
    ),
    Series(
        "daily.levels",
        {
            **_same("active_players", "sessions", "completion_rate", "disconnections"),
            "average_session_duration": "average_session_minutes",
        },
        by=("level_id", "map_id"), table="level_engagement",
    ),
    Series(
        "daily.items",
        {
            "purchase_count": "purchases",
            "total_revenue": "revenue",
            "suspicious_purchase_count": "suspicious_purchases",
        },
        by=("item_id",), table="item_sales",
    ),
    Series(
        "daily.kpi",
        _same(
            "revenue", "transactions", "average_order_value", "conversion_rate", "fraud_rate",
            "acquisition_rate", "growth_rate", "transactions_per_minute", "customers",
        ),
        table="kpi",
    ),
    Series(
        "daily.fraud",
        _same(
            "total_alerts", "affected_users", "avg_fraud_score", "critical_alerts", "high_alerts",
            "medium_alerts", "low_alerts",
        ),
        by=("profile",), table="fraud_analysis",
    ),
    Series(
        "daily.property",
        _same(
            "headcount", "slot_coin_in", "slot_win", "slot_hold", "table_drop", "table_win",
            "table_hold", "win", "theo",
        ),
        table="property_day",
    ),
)  # fmt: skip
MONITOR = "monitor"
"""Stem of the monitor's signals: <prefix>.monitor.<signal>.<subject>.value and .level (0, 1, 2)."""


def points(rows: pl.LazyFrame, series: Series, *, prefix: str, timezone: str) -> pl.DataFrame:
    """Rows as points (`POINTS`); what is unknown is none."""
    name = [pl.lit(f"{prefix}.{series.stem}"), *(part(pl.col(c)) for c in series.by)]
    moment = _opening(timezone) if series.at == DAY else pl.col(series.at)
    wide = rows.select(
        pl.concat_str(name, separator=".").alias("stem"),
        moment.dt.epoch("s").alias("at"),
        *(pl.col(c).cast(pl.Float64).alias(leaf) for leaf, c in series.values.items()),
    )
    long = wide.unpivot(index=["stem", "at"], variable_name="leaf").filter(
        pl.col("value").is_finite() & pl.col("at").is_not_null()
    )
    named = formatted("{}.{}", "stem", "leaf").alias("name")
    found = long.select(named, "value", "at").sort("at", "name").collect()
    return found.match_to_schema(POINTS)


def points_of(readings: Sequence[Reading], now: dt.datetime, *, prefix: str) -> pl.DataFrame:
    """What the monitor read, as points."""
    at = int(now.timestamp())
    rows = []
    for one in readings:
        stem = f"{prefix}.{MONITOR}.{one.signal}.{_clean(one.subject)}"
        rows.append((f"{stem}.level", float(LEVELS.index(one.level)), at))
        if one.value is not None:
            rows.append((f"{stem}.value", one.value, at))
    return pl.DataFrame(rows, schema=POINTS, orient="row")


def part(column: pl.Expr) -> pl.Expr:
    """A value as one part of a name: letters, digits, _ and -."""
    plain = column.cast(pl.String).str.replace_all(r"[^A-Za-z0-9_-]", "_")
    return pl.when(plain.str.len_chars() > 0).then(plain).otherwise(pl.lit("_"))


def _clean(text: str) -> str:
    cleaned: str = pl.select(part(pl.lit(text))).item()
    return cleaned


def _opening(timezone: str) -> pl.Expr:
    """When a gaming day opens."""
    ZoneInfo(timezone)
    wall = pl.col(DAY).cast(pl.Datetime("us")) + dt.timedelta(hours=OPENS_AT.hour)
    return wall.dt.replace_time_zone(timezone)
