"""How good each rule is, on days that were simulated: the one mart that reads the truth."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.detection.detection_quality import LONGEST, WINDOW
from lakehouse.detection.registry import rules
from lakehouse.detection.scoring.quality import quality
from lakehouse.gold.marts import gold, mart, silver, truth
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days

_BACK = WINDOW - 1
_CASES_BACK = _BACK + LONGEST - 1


@mart(
    gold("anomalies", back=_CASES_BACK),
    truth("plants", back=_CASES_BACK),
    gold("player_protection", back=_BACK),
    gold("player_day", back=_BACK),
    gold("slot_performance", back=_BACK),
    gold("table_performance", back=_BACK),
    silver("table_games", back=_BACK),
    silver("financial_txn", back=_BACK),
    silver("security_events", back=_BACK),
    days_in_hand=31,
)
def detection_quality(
    anomalies: pl.LazyFrame,
    plants: pl.LazyFrame,
    player_protection: pl.LazyFrame,
    player_day: pl.LazyFrame,
    slot_performance: pl.LazyFrame,
    table_performance: pl.LazyFrame,
    table_games: pl.LazyFrame,
    financial_txn: pl.LazyFrame,
    security_events: pl.LazyFrame,
    *,
    days: Days,
) -> pl.LazyFrame:
    """Mart `detection_quality` of `days`, of the four weeks up to each."""
    units = [
        units_of_players(player_day),
        _units(slot_performance, "machine", "machine_id", _sum("coin_in")),
        _units(table_performance, "table", "table_id", _sum("drop")),
        _units(table_games, "employee", "dealer_id", _sum("amount")),
        _units(financial_txn, "employee", "cashier_id", _sum("amount")),
        _units(security_events, "badge", "badge_number", pl.len().cast(pl.Float64)),
    ]
    families = {name: rule.family for name, rule in rules().items()}
    columns = ["alert_id", "rule", "entity_id", "gaming_day", "window_start", "score"]
    found, planted, every, scores = pl.collect_all(
        [anomalies.select(columns), plants, pl.concat(units), _standing(player_protection)],
        engine="streaming",
    )
    judged = quality(found, planted, every, days, families=families, scores=scores)
    return shaped(judged, "detection_quality")


def units_of_players(player_day: pl.LazyFrame) -> pl.LazyFrame:
    """entity_id, gaming_day, entity_type and the amount moved: a row per patron and gaming day, of
    whom there could be an alert."""
    moved = pl.col("coin_in") + pl.col("buy_in") + pl.col("cash_in")
    return _units(player_day, "player", "player_id", moved.cast(pl.Float64).sum())


def _standing(player_protection: pl.LazyFrame) -> pl.LazyFrame:
    """Everybody's score of harm on days of play: harm is ranked by it, as alerts of it are few."""
    return player_protection.filter(pl.col("last_play") == pl.col("gaming_day")).select(
        pl.lit("escalating_harm").alias("rule"),
        pl.col("player_id").alias("entity_id"),
        "gaming_day",
        "score",
    )


def _sum(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64).sum()


def _units(frame: pl.LazyFrame, kind: str, entity: str, amount: pl.Expr) -> pl.LazyFrame:
    of = [pl.col(entity).alias("entity_id"), pl.col("gaming_day")]
    return (
        frame.filter(pl.col(entity).is_not_null())
        .group_by(of)
        .agg(amount=amount, entity_type=pl.lit(kind))
        .select("entity_id", "gaming_day", "entity_type", "amount")
    )
