"""Marts: each names its inputs and calls one function of the library."""

import dagster as dg
import polars as pl

from igaming_assets.assets import Run, mart
from igaming_assets.gold_plots import hold_by_denomination, value_distribution
from igaming_assets.io import FOREVER, reads
from lakehouse.settings import Settings


def value_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Player value."""

    @mart(
        settings,
        group="value",
        slot_telemetry=reads("silver", "slot_telemetry"),
        table_games=reads("silver", "table_games"),
        financial_txn=reads("silver", "financial_txn"),
        gaming_wins=reads("silver", "gaming_wins"),
    )
    def player_day(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.player_day import player_day

        return player_day(**frames, days=run.days)

    @mart(
        settings,
        group="value",
        plot=value_distribution,
        after=FOREVER,
        player_day=reads("gold", "player_day", until=True),
        player_profile=reads("silver", "player_profile", until=True),
    )
    def player_value(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.player_value import player_value

        return player_value(**frames, days=run.days)

    return [player_day, player_value]


def performance_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The floor's performance, and the day of the whole property."""

    @mart(
        settings,
        group="performance",
        plot=hold_by_denomination,
        slot_telemetry=reads("silver", "slot_telemetry"),
    )
    def slot_performance(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.slot_performance import slot_performance

        return slot_performance(**frames, days=run.days, timezone=run.settings.timezone)

    @mart(settings, group="performance", table_games=reads("silver", "table_games"))
    def table_performance(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.table_performance import table_performance

        return table_performance(**frames, days=run.days)

    @mart(
        settings,
        group="performance",
        slot_performance=reads("gold", "slot_performance"),
        table_performance=reads("gold", "table_performance"),
        player_day=reads("gold", "player_day"),
        slot_telemetry=reads("silver", "slot_telemetry"),
        table_games=reads("silver", "table_games"),
        financial_txn=reads("silver", "financial_txn"),
        player_profile=reads("silver", "player_profile", until=True),
    )
    def property_day(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.property_day import property_day

        return property_day(**frames, days=run.days)

    return [slot_performance, table_performance, property_day]
