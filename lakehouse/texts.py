"""Texts made of columns."""

from __future__ import annotations

import polars as pl


def formatted(template: str, *values: str | pl.Expr) -> pl.Expr:
    """The template, each {} replaced by a value of the row as text; null where one is null. A text
    among the values names a column.

    In place of `pl.format`, which panics on a column whose first chunk is empty (Polars 2.1.0), as
    a filter over several chunks may leave it. Raises ValueError for another number of values.
    """
    between = template.split("{}")
    if len(between) != len(values) + 1:
        raise ValueError(f"{template!r} has {len(between) - 1} places for {len(values)} values")
    pieces = [pl.lit(between[0])]
    for value, text in zip(values, between[1:], strict=True):
        pieces += [pl.col(value) if isinstance(value, str) else value, pl.lit(text)]
    return pl.concat_str(pieces)
