"""The restricted zone: review cases and their evidence, never shown beside other marts."""

import functools
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.assets import Run, mart
from igaming_assets.io import reads
from lakehouse.gold.suspicion import LOOK_AHEAD, LOOK_BACK
from lakehouse.settings import Settings

_SILVER = (
    "financial_txn",
    "gaming_wins",
    "slot_telemetry",
    "table_games",
    "staff_observations",
)


def _inputs(back: int, ahead: int) -> dict[str, dg.AssetIn]:
    around = {t: reads("silver", t, back=back, ahead=ahead) for t in _SILVER}
    return around | {"player_profile": reads("silver", "player_profile", until=True, since=True)}


def suspicion_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Cases, alerts and how long to keep what was filed: rows in restricted/, numbers nowhere."""
    restricted = functools.partial(mart, settings, "restricted")

    @restricted(before=LOOK_AHEAD, after=LOOK_BACK, **_inputs(back=LOOK_BACK, ahead=LOOK_AHEAD))
    def sar_cases(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.suspicion import Silver, sar_cases

        return sar_cases(Silver(**frames), **_arguments(run))

    @restricted(after=LOOK_BACK, **_inputs(back=LOOK_BACK, ahead=0))
    def alerts(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.suspicion import Silver, alerts

        return alerts(Silver(**frames), **_arguments(run))

    @restricted(sar_filings=reads("silver", "sar_filings"))
    def sar_retention(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.logs import sar_retention

        return sar_retention(**frames, days=run.days, law=run.law)

    return [sar_cases, alerts, sar_retention]


def _arguments(run: Run) -> dict[str, Any]:
    return {
        "days": run.days,
        "law": run.law,
        "timezone": run.settings.timezone,
        "as_of": run.as_of,
        "bills_are_known": run.settings.carded_bill_in_knowledge,
    }
