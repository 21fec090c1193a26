"""Rows of a table as the messages of its topic: one JSON object each."""

from __future__ import annotations

import functools

import polars as pl

from lakehouse.contracts import PROVENANCE, contract


@functools.cache
def event_columns(table: str) -> tuple[str, ...]:
    """What a source tells of a row: not how it came in, nor the day that follows from its time."""
    c = contract(table)
    derived = {*PROVENANCE, *(["gaming_day"] if c.event_time else [])}
    return tuple(name for name in c.columns if name not in derived)


def messages_of(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in bronze's shape as messages (`MESSAGES`), in their order. Times are ISO 8601 in UTC,
    money is text with its decimals, what is unknown is null. The key is the text of the
    contract's `topic_key` without blanks around it, so that all of a person are in one place."""
    key = pl.col(contract(table).topic_key).cast(pl.String).str.strip_chars().fill_null("")
    value = pl.struct(event_columns(table)).struct.json_encode()
    return frame.select(key=key.cast(pl.Binary), value=value.cast(pl.Binary))
