"""Texts made of columns, and where they lie."""

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


def packed(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows in one chunk, texts of a column side by side.

    For what is put together of many small frames and kept: of each Polars (2.1.0) keeps 8 KiB a
    column of texts, however few they are. `rechunk` need not copy them, and `estimated_size` does
    not count it.
    """
    whole, plain = frame.rechunk(), pl.CompatLevel.oldest()
    return whole.with_columns(
        pl.Series(n, whole[n].to_arrow(compat_level=plain))
        for n, t in whole.schema.items()
        if t == pl.String
    )


def packed_from_end(frame: pl.DataFrame, most: int) -> pl.DataFrame:
    """The same rows in at most `most` chunks; as it is where it has no more.

    The last chunks are packed into one, from the first of them that has fewer rows than follow it:
    what a frame grows by is copied as often as its length doubles, and the room of all of it is
    seldom taken twice. `most` is at least as many as a length can double.
    """
    lengths = frame.to_series().chunk_lengths()
    if len(lengths) <= most:
        return frame
    stays, rest = 0, frame.height
    for length in lengths:
        rest -= length
        if length < rest:
            break
        stays += length
    return pl.concat([frame.head(stays), packed(frame.slice(stays))])
