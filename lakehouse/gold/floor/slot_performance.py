"""Machines by gaming day: play, win, hold against its interval, occupancy, meters."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.floor.play import slot_rows, theo_cents
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, within
from lakehouse.regulation.games import in_force, slot_rates
from lakehouse.regulation.gaming_day import Days, day_bounds

Z99 = 2.5758293035489004
"""Two-sided 99% of the normal distribution."""
_KEY = ("machine_id", "gaming_day")
_IDENTITY = ("zone", "denomination", "machine_type", "manufacturer", "game_theme")
_SUMS = ("games_played", "coin_in", "coin_out", "jackpot_amount", "bills_in", "tickets_out")


@mart(silver("slot_telemetry"))
def slot_performance(slot_telemetry: pl.LazyFrame, *, days: Days, timezone: str) -> pl.LazyFrame:
    """Mart `slot_performance` of `days`, from silver `slot_telemetry`."""
    rows = slot_rows(within(slot_telemetry, days))
    machines = (
        _sums(rows)
        .join(_occupied(rows), on=_KEY, how="left")
        .join(_meters(rows), on=_KEY, how="left")
        .join(_day_lengths(days, timezone), on="gaming_day")
    )
    return as_table(
        _measures(in_force(machines, slot_rates(), on="machine_type")), "slot_performance"
    )


def _sums(rows: pl.LazyFrame) -> pl.LazyFrame:
    carded = pl.when(pl.col("player_id").is_not_null()).then("coin_in").otherwise(0)
    games = pl.max_horizontal(pl.col("games_played"), 1)
    squares = pl.col("coin_in").cast(pl.Float64).pow(2) / games
    last = pl.col("event_timestamp").arg_max()
    return rows.group_by(_KEY).agg(
        pl.col(_SUMS).sum(),
        pl.col(_IDENTITY).get(last),
        last_hold=pl.col("theoretical_hold").get(last).cast(pl.Float64),
        carded_coin_in=carded.sum(),
        jackpots=(pl.col("event_type") == "JACKPOT").sum(),
        theo_units=pl.col("theo_units").sum(),
        squares=squares.sum(),
    )


def _occupied(rows: pl.LazyFrame) -> pl.LazyFrame:
    moment = pl.col("event_timestamp")
    sessions = (
        rows.filter(pl.col("session_id").is_not_null())
        .group_by(*_KEY, "session_id")
        .agg(seconds=(moment.max() - moment.min()).dt.total_seconds())
    )
    return sessions.group_by(_KEY).agg(
        sessions=pl.len().cast(pl.Int64), seconds=pl.col("seconds").sum()
    )


def _meters(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Play of the same instant as a reading comes before it."""
    moment, meter = pl.col("event_timestamp"), pl.col("meter")
    readings = (
        rows.filter(meter.is_not_null())
        .group_by(_KEY)
        .agg(
            since=moment.min(),
            until=moment.max(),
            advance=meter.filter(moment == moment.max()).max()
            - meter.filter(moment == moment.min()).min(),
            readings=pl.len(),
        )
        .filter(pl.col("readings") > 1)
    )
    between = (moment > pl.col("since")) & (moment <= pl.col("until"))
    played = (
        rows.filter(pl.col("coin_in") > 0)
        .select(*_KEY, moment, "coin_in")
        .join(readings, on=_KEY)
        .filter(between)
        .group_by(_KEY)
        .agg(played=pl.col("coin_in").sum())
    )
    variance = pl.col("advance") - pl.col("played").fill_null(0)
    return readings.join(played, on=_KEY, how="left").select(*_KEY, meter_variance=variance)


def _day_lengths(days: Days, timezone: str) -> pl.LazyFrame:
    first, last = days
    calendar = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
    bounds = [day_bounds(day, timezone) for day in calendar]
    seconds = [int((end - start).total_seconds()) for start, end in bounds]
    schema = {"gaming_day": pl.Date, "day_seconds": pl.Int64}
    return pl.LazyFrame({"gaming_day": calendar, "day_seconds": seconds}, schema=schema)


def _measures(machines: pl.LazyFrame) -> pl.LazyFrame:
    coin_in = pl.col("coin_in")
    played = coin_in > 0
    win = coin_in - pl.col("coin_out") - pl.col("jackpot_amount")
    weighted = pl.col("theo_units") / 10_000 / coin_in
    hold = pl.when(played).then(weighted).otherwise("last_hold")
    kept = 1 - hold
    variance = pl.col("squares") * (kept * pl.col("prize_multiple") - kept.pow(2))
    spread = Z99 * variance.sqrt() / coin_in
    share = pl.col("seconds").fill_null(0) / pl.col("day_seconds")
    return machines.with_columns(
        win=win,
        theo=theo_cents(pl.col("theo_units")),
        sessions=pl.col("sessions").fill_null(0),
        theoretical_hold=hold.round(6),
        actual_hold=pl.when(played).then((win / coin_in).round(6)),
        hold_low=pl.when(played).then((hold - spread).round(6)),
        hold_high=pl.when(played).then(pl.min_horizontal(hold + spread, 1.0).round(6)),
        occupancy=share.round(6),
    ).with_columns(
        is_hold_outside=pl.col("actual_hold")
        .is_between("hold_low", "hold_high")
        .not_()
        .fill_null(value=False)
    )
