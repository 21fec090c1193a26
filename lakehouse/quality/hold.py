"""Whether machines keep what their games are built to keep, by denomination."""

from __future__ import annotations

import functools
from statistics import NormalDist

import polars as pl

from lakehouse.gold.floor.slot_performance import Z99
from lakehouse.gold.money import cents
from lakehouse.quality.findings import findings, truth
from lakehouse.texts import formatted

CONFIDENCE = 0.999
"""Of all denominations of a day together: were each held to it by itself, ten of them would
raise a false alarm every hundred days."""
FEWEST_GAMES = 2_000
"""Games of a denomination below which a sum of wins is far from normal."""


@truth("gold.slot_performance", sides=("theo", "win"))
def hold_is_inside_its_interval(slot_performance: pl.LazyFrame) -> pl.LazyFrame:
    """Per gaming day and denomination, win is within the 99.9% interval of theo that the volume
    of play allows: the variance of each machine's play, as its own interval has it, added up.
    Too little is judged before hand-pays: those are few and large, and each has its payout.
    Outside are a wrong par sheet, a machine that pays wrongly, or lost rows."""
    played = slot_performance.filter(pl.col("hold_low").is_not_null())
    spread = (pl.col("theoretical_hold") - pl.col("hold_low")) / Z99
    by_denomination = played.group_by("gaming_day", "denomination").agg(
        expected=cents("theo").sum(),
        found=cents("win").sum(),
        by_hand=cents("jackpot_amount").sum(),
        variance=(spread * pl.col("coin_in").cast(pl.Float64) * 100).pow(2).sum(),
        games=pl.col("games_played").sum(),
    )
    enough = by_denomination.filter(pl.col("games") >= FEWEST_GAMES)
    deviate = pl.len().over("gaming_day").map_batches(_deviates, return_dtype=pl.Float64())
    over = pl.col("found") - pl.col("expected")
    outside = enough.with_columns(
        within=deviate * pl.col("variance").sqrt(),
        subject=formatted("denomination {}", "denomination"),
    ).filter((over > pl.col("within")) | (over + pl.col("by_hand") < -pl.col("within")))
    return findings(outside)


@functools.cache
def deviate_of(many: int) -> float:
    """Two-sided normal deviate for each of so many independent sums (Sidak 1967)."""
    return NormalDist().inv_cdf((1 + CONFIDENCE ** (1 / many)) / 2)


def _deviates(many: pl.Series) -> pl.Series:
    return pl.Series(many.name, [deviate_of(n) for n in many], dtype=pl.Float64)
