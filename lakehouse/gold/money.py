"""Money in marts: integer cents while it is reckoned with, Decimal(18,2) where it is stored.

Polars rounds a product of decimals to the larger scale of the two, so that $0.01 x 0.0985
would lose its digits; integers keep them.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import Days


def cents(column: str) -> pl.Expr:
    """Dollars, Decimal(18,2), as whole cents."""
    return (pl.col(column) * 100).cast(pl.Int64)


def ten_thousandths(column: str) -> pl.Expr:
    """A fraction with four decimals as a whole number."""
    return (pl.col(column) * 10_000).cast(pl.Int64)


def half_up(numerator: pl.Expr, denominator: int | pl.Expr) -> pl.Expr:
    """Quotient of integers, not negative, rounded half up."""
    return (numerator + denominator // 2) // denominator


def fraction(numerator: pl.Expr, denominator: int | pl.Expr) -> pl.Expr:
    """Quotient of whole numbers as a rate of four decimals, rounded half up."""
    parts = half_up(10_000 * numerator.cast(pl.Int64), denominator)
    return (parts.cast(pl.Decimal(38, 4)) * pl.lit(Decimal("0.0001"))).cast(pl.Decimal(9, 4))


def tenths(numerator: pl.Expr, denominator: int | pl.Expr) -> pl.Expr:
    """Quotient of whole numbers as a number to a tenth, rounded half up."""
    # Polars divides by a constant as it multiplies with its inverse: 594 / 10 is not 59.4.
    return (half_up(10 * numerator, denominator) / 10).round(1)


def within(frame: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    return frame.filter(pl.col("gaming_day").is_between(*days))


def as_table(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """`frame` in the stored shape of mart `name`, sorted by its key. Every money column of
    `frame` holds cents."""
    return in_shape(frame, name).sort(contract(name).key)


def in_shape(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """`frame` in the stored shape of mart `name`, in the order in which its rows come. Every money
    column of `frame` holds cents."""
    schema = contract(name).bronze_schema()
    return frame.select(
        dollars(c) if isinstance(t, pl.Decimal) else pl.col(c).cast(t) for c, t in schema.items()
    )


def dollars(column: str) -> pl.Expr:
    """Whole cents as dollars, Decimal(18,2)."""
    whole = pl.col(column).cast(pl.Decimal(38, 2))
    return (whole * pl.lit(Decimal("0.01"))).cast(pl.Decimal(18, 2))
