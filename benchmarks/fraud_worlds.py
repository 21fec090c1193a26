"""Shops of simulated worlds, as silver has their orders: no lake, no tokens."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.contracts.shop.fraud import WINDOW
from lakehouse.detection.fraud.measures import REACH, measured, nothing_remembered
from lakehouse.silver.judgement import clean
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.shop.orders import shop_fraud
from lakehouse.simulate.world import World

SCALE = 10.0
"""Ten times the default volume, so that a world has some fifty cases of each kind in four weeks."""
DAYS = REACH + WINDOW
"""Of a world; the first ones are what is remembered, the last four weeks are scored."""
Shop = tuple[pl.DataFrame, pl.DataFrame]
"""Measures of the orders of the last four weeks, and what was planted."""


def shop(seed: int, start: dt.date) -> Shop:
    """Users differ by seed."""
    world = World(WorldConfig(seed=seed, start=start, scale=SCALE))
    zone = world.config.timezone
    days = [pl.concat(world.frames("shop_orders", range(d, d + 1))) for d in range(DAYS)]
    orders = pl.concat(clean("shop_orders", day, timezone=zone).good for day in days)
    plants = pl.concat(shop_fraud(world, d) for d in range(DAYS))
    measures, _ = measured(orders, nothing_remembered())
    first = start + dt.timedelta(days=REACH)
    return measures.filter(pl.col("gaming_day") >= first), plants
