"""Rows of one table, stored a day at a time, and what a lake then holds of it."""

import datetime as dt

import polars as pl

from lakehouse.storage import Commit, Lake, stored_schema

D = dt.date
BY = Commit("run-1", "bronze/staff_observations", "abc")
TABLE = "gaming_wins"
DAY = (D(2025, 1, 5), D(2025, 1, 5))


def rows(*days: D, mark: str = "a", layer: str = "bronze") -> pl.DataFrame:
    """One row a day, whose text columns hold `mark`."""
    schema = stored_schema(layer, TABLE)
    texts = [pl.lit(mark).alias(n) for n, t in schema.items() if t == pl.String()]
    frame = pl.DataFrame({"gaming_day": days}, schema={"gaming_day": pl.Date})
    others = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n != "gaming_day"]
    return frame.with_columns(others).with_columns(texts).select(list(schema))


def files(lake: Lake, day: D, layer: str = "bronze") -> set[str]:
    delta = lake.table(layer, TABLE)
    assert delta is not None
    return {u for u in delta.file_uris() if f"gaming_day={day}" in u}


def content(lake: Lake, layer: str = "bronze") -> dict[D, list[str]]:
    frame = lake.scan(layer, TABLE).select("gaming_day", mark="_source").collect()
    return {
        d[0]: sorted(g["mark"]) for d, g in frame.partition_by("gaming_day", as_dict=True).items()
    }
