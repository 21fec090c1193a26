"""Sessions at machines: what was wagered and paid, and how far what is paid spreads by chance."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.floor.play import slot_rows, theo_cents
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, within
from lakehouse.regulation.games import in_force, slot_rates
from lakehouse.regulation.gaming_day import Days

_KEY = ("machine_id", "gaming_day", "session_id")
_SUMS = ("games_played", "coin_in", "coin_out", "jackpot_amount", "theo_units")


@mart(silver("slot_telemetry"), days_in_hand=31)
def slot_sessions(slot_telemetry: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `slot_sessions` of `days`, from silver `slot_telemetry`."""
    rows = slot_rows(within(slot_telemetry, days)).filter(pl.col("session_id").is_not_null())
    games = pl.max_horizontal(pl.col("games_played"), 1)
    sessions = rows.group_by(_KEY).agg(
        pl.col(_SUMS).sum(),
        pl.col("machine_type").sort_by("event_timestamp", "event_id").last(),
        squares=(pl.col("coin_in").cast(pl.Float64).pow(2) / games).sum(),
    )
    rated = in_force(sessions, slot_rates(), on="machine_type")
    kept = 1 - pl.col("theo_units") / 10_000 / pl.max_horizontal(pl.col("coin_in"), 1)
    spread = (pl.col("squares") * (kept * pl.col("prize_multiple") - kept.pow(2))).sqrt()
    return as_table(
        rated.with_columns(
            theo=theo_cents(pl.col("theo_units")),
            payout_deviation=spread.round().cast(pl.Int64),
        ),
        "slot_sessions",
    )
