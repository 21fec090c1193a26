"""Texts made of columns."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from lakehouse.texts import formatted, packed, packed_from_end


def test_a_text_is_null_where_a_value_is() -> None:
    rows = pl.DataFrame({
        "name": ["a", None, "c"],
        "usd": [Decimal("1.50"), Decimal("2.00"), None],
        "day": [dt.date(2025, 1, 2)] * 3,
    })  # fmt: skip
    said = rows.select(formatted("{} had ${} on {}.", "name", pl.col("usd"), "day"))
    assert said.to_series().to_list() == ["a had $1.50 on 2025-01-02.", None, None]


def test_a_column_may_begin_with_an_empty_chunk() -> None:
    """As a filter leaves it: Polars' own function panics there, now and then in a large run."""
    half = pl.Series(["x", "z"])
    whole = pl.concat([half, half], rechunk=False)
    rows = pl.DataFrame({"a": whole.filter(pl.Series([False, False, True, True]))})
    assert rows["a"].n_chunks() == 2
    assert rows.select(formatted("by {}", "a")).to_series().to_list() == ["by x", "by z"]


def test_a_value_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="has 1 places for 2 values"):
        formatted("{}", "a", "b")


def test_rows_of_many_frames_are_packed_as_they_were() -> None:
    few = [pl.DataFrame({"a": [f"more than 12 bytes {n}", None], "b": [n, -n]}) for n in range(5)]
    rows = pl.concat(few, rechunk=False)
    found = packed(rows)
    assert found.equals(rows)
    assert found.schema == rows.schema
    assert found.n_chunks() == 1
    assert packed(rows.clear()).schema == rows.schema


def test_what_grows_is_packed_from_its_end() -> None:
    """64 chunks: the first has as many rows as all others, the second fewer than follow it."""
    lengths = [70, 2, *[1] * 62, 4]
    few = [pl.DataFrame({"a": [f"{n}-{i}" for i in range(n)], "b": n}) for n in lengths]
    rows = pl.concat(few, rechunk=False)
    assert packed_from_end(rows, 65) is rows
    found = packed_from_end(rows, 64)
    assert found.equals(rows)
    assert found["a"].chunk_lengths() == found["b"].chunk_lengths() == [70, 68]


def test_what_grows_for_long_lies_in_few_chunks() -> None:
    """2,000 rows that come one at a time: each is copied at most 11 times, as 2,000 < 2 ** 11."""
    rows, copied = pl.DataFrame(schema={"a": pl.Int64}), 0
    for n in range(2_000):
        grown = pl.concat([rows, pl.DataFrame({"a": [n]})], rechunk=False)
        rows = packed_from_end(grown, 16)
        assert rows.n_chunks() <= 16
        if rows is not grown:
            copied += rows["a"].chunk_lengths()[-1]
    assert rows["a"].to_list() == list(range(2_000))
    assert copied < 2_000 * 11
