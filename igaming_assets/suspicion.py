"""The restricted zone: review cases and their evidence, never shown beside other marts."""

import functools

import dagster as dg
import polars as pl

from igaming_assets.assets import Run, mart
from igaming_assets.io import reads
from lakehouse.settings import Settings


def suspicion_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    restricted = functools.partial(mart, settings, "restricted")

    @restricted(compliance=reads("silver", "compliance"))
    def sar_retention(run: Run, **frames: pl.LazyFrame) -> pl.LazyFrame:
        from lakehouse.gold.logs import sar_retention

        return sar_retention(**frames, days=run.days, law=run.law)

    return [sar_retention]
