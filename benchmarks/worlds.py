"""Simulated casinos as silver and gold have them, made in memory: no lake, no steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import polars as pl

from lakehouse.detection.registry import rules
from lakehouse.gold.marts import marts
from lakehouse.regulation.gaming_day import Days
from lakehouse.settings import Settings
from lakehouse.silver.judgement import clean
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.labels.house_cases import planted_house_cases
from lakehouse.simulate.labels.scenarios import planted_scenarios
from lakehouse.simulate.world import World


@dataclass(frozen=True)
class Floor:
    """A world's first days as silver has them."""

    config: WorldConfig
    count: int

    @cached_property
    def days(self) -> Days:
        return self.config.start, self.config.date(self.count - 1)

    @cached_property
    def world(self) -> World:
        return World(self.config)

    @cache  # noqa: B019
    def silver(self, table: str) -> pl.LazyFrame:
        bronze = (
            pl.concat(self.world.frames(table, block)) for block in self.world.blocks(self.days)
        )
        zone = self.config.timezone
        return pl.concat([clean(table, rows, timezone=zone).good for rows in bronze]).lazy()

    @cache  # noqa: B019
    def table(self, name: str) -> pl.LazyFrame:
        if name not in marts():
            return self.silver(name)
        mart = marts()[name]
        frames = {i.table: self.table(i.table) for i in mart.inputs}
        now = pl.datetime_range(*self.days, "1d", eager=True, time_zone="UTC")[-1]
        rows = mart.rows(frames, settings=Settings(), days=self.days, as_of=now)
        return rows.collect().lazy()

    @cache  # noqa: B019
    def alerts(self, name: str) -> pl.DataFrame:
        frames = {r.table: self.table(r.table) for r in rules()[name].reads}
        return rules()[name].alerts(frames, self.days).collect()

    @cached_property
    def plants(self) -> pl.DataFrame:
        """Cases and look-alikes; defects are not among them."""
        tell = planted_scenarios, planted_house_cases
        return pl.concat([told(self.world, d) for d in range(self.count) for told in tell])

    def __hash__(self) -> int:
        return id(self)
