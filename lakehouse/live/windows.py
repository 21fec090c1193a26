"""Windows of what is remembered of a topic: those that changed, as parts a partition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.gold.platform.windows import (
    EVENTS,
    ITEMS,
    PLAY,
    PURCHASES,
    item_parts,
    play_parts,
)
from lakehouse.gold.shop.sales_windows import (
    ACTIONS,
    LENGTH,
    ORDERS,
    STEP,
    action_parts,
    order_parts,
)
from lakehouse.gold.windows import BY, MEASURES, in_windows
from lakehouse.live.memory import LONG_AGO, NEVER, Marks, Memory

Parts = Callable[[pl.LazyFrame, Sequence[str]], pl.LazyFrame]
WINDOW = ("partition", *BY)
KEY = (*WINDOW, "dimension", "value", "name")


@dataclass(frozen=True)
class Kind:
    """Windows over a topic's events: `parts` is the mart's own function; `columns` are those of
    the table that it reads."""

    name: str
    length: dt.timedelta
    step: dt.timedelta
    columns: tuple[str, ...]
    parts: Parts


KINDS = {
    "shop_orders": Kind("sales", LENGTH, STEP, ORDERS, order_parts),
    "shop_actions": Kind("visits", LENGTH, STEP, ACTIONS, action_parts),
    "player_events": Kind("play", PLAY, PLAY, EVENTS, play_parts),
    "purchases": Kind("items", ITEMS, ITEMS, PURCHASES, item_parts),
}
"""Table → the windows over its events."""


def changed(memory: Memory, kind: Kind) -> pl.DataFrame:
    """Parts of the windows that changed or closed since results were asked for last: `KEY`,
    `MEASURES`, people (of final windows), is_final. A part of which nothing is left says 0."""
    told, marks = _of(memory.told), _of(memory.marks)
    end = pl.col("window_start") + kind.length
    rows = memory.rows.lazy().filter("is_sound")
    fresh = _windows(rows.filter("is_new"), kind).filter(end > told, end > pl.col("mark"))
    closing = _windows(rows.filter(pl.col("time") < marks), kind).filter(end > told, end <= marks)
    asked = pl.concat([w.select(WINDOW) for w in (fresh, closing)]).unique().collect()
    since = asked["window_start"].min()
    near = rows.limit(0) if since is None else rows.filter(pl.col("time") >= since)
    inside = _windows(near, kind).join(asked.lazy(), on=WINDOW, how="semi")
    inside = inside.filter(end > pl.col("mark")).collect().lazy()
    counts = pl.col("dead_at").is_null() | (pl.col("dead_at") >= end)
    made = kind.parts(inside.filter(counts), WINDOW)
    final = (end <= marks).alias("is_final")
    if memory.rows["dead_at"].max() not in (None, NEVER):
        made = pl.concat([made, _gone(inside, made, kind)])
    return made.with_columns(final).collect()


def _windows(rows: pl.LazyFrame, kind: Kind) -> pl.LazyFrame:
    return in_windows(rows, "time", kind.length, kind.step)


def _gone(inside: pl.LazyFrame, made: pl.LazyFrame, kind: Kind) -> pl.LazyFrame:
    """Parts that only rows have which no longer count."""
    dead = inside.filter(pl.col("dead_at") > NEVER)
    was = kind.parts(dead, WINDOW).join(made, on=KEY, how="anti")
    return was.with_columns(pl.col(*MEASURES) * 0, people=pl.col("people").list.head(0))


def _of(marks: Marks) -> pl.Expr:
    moment = pl.Datetime("us", "UTC")
    return pl.col("partition").replace_strict(dict(marks), default=LONG_AGO, return_dtype=moment)
