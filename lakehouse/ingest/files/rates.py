"""What a unit of a currency was worth in dollars, day by day."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping as Dictionary
from decimal import Decimal

import polars as pl

from lakehouse.ingest.files.vocabulary import NUMBER

HOLDS = dt.timedelta(days=7)
"""A rate holds until the next, over weekends and holidays, but no longer: an old one is a
wrong one."""

Rates = Dictionary[str, Dictionary[dt.date, Decimal]]


def held_rates(rates: Rates) -> tuple[pl.Series, pl.Series]:
    """Currency and day, such as EUR|2025-01-04 → rate, of all days on which one holds."""
    worth = {key: rate for currency, days in rates.items() for key, rate in _days(currency, days)}
    return pl.Series(list(worth), dtype=pl.String), pl.Series(list(worth.values()), dtype=NUMBER)


def rate_of(which: pl.Expr, held: tuple[pl.Series, pl.Series]) -> pl.Expr:
    """`which`: currency and day. Null where no rate holds."""
    found = which.replace_strict(*held, default=None, return_dtype=NUMBER)
    return pl.when(which.str.starts_with("USD|")).then(pl.lit(1).cast(NUMBER)).otherwise(found)


def _days(currency: str, days: Dictionary[dt.date, Decimal]) -> list[tuple[str, Decimal]]:
    starts = [*sorted(days), dt.date.max]
    held = []
    for first, following in itertools.pairwise(starts):
        end = min(following - dt.timedelta(days=1), first + HOLDS)
        count = (end - first).days + 1
        held += [(first + dt.timedelta(days=n), days[first]) for n in range(count)]
    return [(f"{currency.upper()}|{day.isoformat()}", rate) for day, rate in held]
