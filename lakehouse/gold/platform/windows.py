"""The game by the second: who plays where, and what is bought, in windows that do not slide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from lakehouse.gold.money import cents
from lakehouse.gold.windows import BY, WHOLE, Part, in_windows, parts_of

PLAY, ITEMS = dt.timedelta(seconds=5), dt.timedelta(seconds=10)
EVENTS = ("player_id", "level_id", "map_id", "event_type")
"""Columns of `player_events` that parts are made of, beside its time and day."""
PURCHASES = ("player_id", "item_id", "price")
_USERS = {"events": pl.len(), "users": pl.col("player_id").n_unique()}
_BOUGHT = _USERS | {"transactions": pl.len(), "amount": pl.col("cents").sum()}
_PLAY_PARTS = (
    Part(WHOLE, _USERS),
    Part("place", _USERS, "place"),
    Part("event_type", _USERS, "event_type"),
)
_ITEM_PARTS = (Part(WHOLE, _BOUGHT), Part("item", _BOUGHT, "item_id"))


def play_parts(events: pl.LazyFrame, by: Sequence[str] = BY) -> pl.LazyFrame:
    """Parts of players' events, each with its `window_start`: a place is level/map."""
    here = pl.concat_str("level_id", "map_id", separator="/")
    return parts_of(events.with_columns(place=here), _PLAY_PARTS, by)


def item_parts(purchases: pl.LazyFrame, by: Sequence[str] = BY) -> pl.LazyFrame:
    """The same of purchases."""
    return parts_of(purchases.with_columns(cents=cents("price")), _ITEM_PARTS, by)


def play_windows(events: pl.LazyFrame) -> pl.LazyFrame:
    """Windows of 5 s of silver `player_events`, in parts."""
    return play_parts(in_windows(events, "timestamp", PLAY, PLAY))


def item_windows(purchases: pl.LazyFrame) -> pl.LazyFrame:
    """Windows of 10 s of silver `purchases`, in parts."""
    return item_parts(in_windows(purchases, "purchase_timestamp", ITEMS, ITEMS))
