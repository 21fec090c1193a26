"""Events in quarantine, read again from their text after a fix of the contract or by a mapping."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.rejects import Retried, out_of_quarantine, rejected_rows
from lakehouse.ingest.files.row_typing import STAGE, TOPIC_PREFIX
from lakehouse.ingest.files.rows import LINE
from lakehouse.ingest.files.zone import alone, landing_zone
from lakehouse.ingest.streams.events import NO_TEXT, Reader
from lakehouse.ingest.streams.topics import READ, Batch
from lakehouse.settings import Settings
from lakehouse.storage import Lake


def retry_events(
    lake: Lake,
    settings: Settings,
    table: str,
    *,
    rule: str | None = None,
    mapping: Mapping | None = None,
) -> Retried:
    """Reads events in quarantine again; what can be typed moves to bronze, each once, whenever the
    retry is cut short: a row tells the topic, partition and offset that it came by, as if it had
    been taken in at first. What is no UTF-8 stays, as its text is not what was sent.

    Raises BadInput for a mapping that makes several rows of an object.
    """
    if mapping is not None and mapping.rows:
        raise BadInput(f"the mapping takes rows out of {mapping.rows}: an event is one row")
    with alone(landing_zone(lake), settings.wait_seconds):
        held = rejected_rows(lake, table, rule=rule).filter(
            pl.col("_stage") == STAGE,
            pl.col("_raw").is_not_null(),
            pl.col("_file").str.starts_with(TOPIC_PREFIX),
            ~pl.col("_rules").list.contains(NO_TEXT),
        )
        parts = list(_healed(held, Reader(settings, table, mapping)))
        healed = pl.concat(parts) if parts else held.clear()
        if healed.height:
            out_of_quarantine(lake, table, healed, told_by="_source")
    return Retried(table, held.height, healed.height, tuple(sorted(healed["gaming_day"].unique())))


def _healed(held: pl.DataFrame, reader: Reader) -> Iterator[pl.DataFrame]:
    """Rows of bronze, with what they are found by in quarantine."""
    for (place,), rows in held.group_by("_file"):
        topic, _, partition = str(place).removeprefix(TOPIC_PREFIX).rpartition("/")
        sent = rows.unique(LINE).sort(LINE)
        values = pl.col("_raw").cast(pl.Binary)
        told = sent.select(offset=LINE, time="_ingested_at", key=pl.lit(b""), value=values)
        messages = told.select(pl.col(n).cast(t) for n, t in READ.items())
        [found] = reader.read([Batch(topic, int(partition), messages)])
        offset = pl.col("_source").str.extract(r"@(\d+)$").cast(pl.Int64)
        was = sent.select(
            LINE, _was_batch="_batch_id", _was_line=LINE, _was_raw="_raw", _was_day="gaming_day"
        )
        again = found.rows.with_columns(offset.alias(LINE)).join(was, on=LINE)
        yield again.with_columns(_batch_id="_was_batch").drop(LINE)
