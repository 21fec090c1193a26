"""Events in quarantine, read again after a fix of the contract or by a mapping: from their text
what could not be typed, from the topic what silver rejected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

import polars as pl

from lakehouse.contracts import PROVENANCE, contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.ledger import CODE_VERSION
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.rejects import Retried, out_of_quarantine, rejected_rows
from lakehouse.ingest.files.row_typing import STAGE, TOPIC_PREFIX
from lakehouse.ingest.files.rows import LINE
from lakehouse.ingest.files.zone import alone, landing_zone
from lakehouse.ingest.streams.events import NO_TEXT, Reader
from lakehouse.ingest.streams.succession import continued
from lakehouse.ingest.streams.topics import READ, Batch, Readable, stretch
from lakehouse.ingest.streams.transport import transport
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Days, Lake

_NEAR = 1_000
"""Offsets that are read together with those between them."""
_PLACE = r"^topic:(?<topic>.+)/(?<partition>\d+)@(?<offset>\d+)$"


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

    With a mapping, rows that silver rejected are read again from the topic as far as it keeps them,
    and what the mapping makes of them takes their place in bronze.

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
        anew, changed = 0, set[dt.date]()
        if mapping is not None:
            typed = rejected_rows(lake, table, rule=rule).filter(
                pl.col("_stage") != STAGE, pl.col("_source").str.starts_with(TOPIC_PREFIX)
            )
            anew, changed = _reread(lake, table, typed, Reader(settings, table, mapping), settings)
        days = tuple(sorted({*healed["gaming_day"], *changed}))
    return Retried(table, held.height, healed.height, days, anew)


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


def _reread(
    lake: Lake, table: str, typed: pl.DataFrame, reader: Reader, settings: Settings
) -> tuple[int, set[dt.date]]:
    """How many rows of bronze are others than before, and the days they were of and are of."""
    if typed.is_empty():
        return 0, set()
    values = [n for n in contract(table).bronze_schema() if n not in PROVENANCE]
    of_days = lake.scan("bronze", table, days=_span(typed["gaming_day"]))
    # Copies too: of those that are alike silver names one.
    alike = of_days.filter(pl.col("_source").str.starts_with(TOPIC_PREFIX)).join(
        typed.lazy().select(values).unique(), on=values, how="semi", nulls_equal=True
    )
    was = alike.select(*values, "_source", _was_batch="_batch_id", _was_day="gaming_day").collect()
    names = was["_source"].str.extract(_PLACE, 1).unique()
    topics = continued(lake, transport(settings), dict.fromkeys(names, table))
    parts = list(_from_topics(was["_source"], reader, topics))
    new = pl.concat(parts).join(was, on=[*values, "_source"], how="anti", nulls_equal=True)
    new = new.join(was.select("_source", "_was_batch", "_was_day"), on="_source")
    new = new.with_columns(_batch_id="_was_batch").drop("_was_batch")
    _replace(lake, table, new)
    return new.height, {*new["gaming_day"], *new["_was_day"]}


def _replace(lake: Lake, table: str, new: pl.DataFrame) -> None:
    """Rows of bronze in the place of those that came by the same messages (`_was_day`). One that is
    of another day now is there first, and then no longer where it was: cut short, silver rejects
    it there still. Others may add to a day meanwhile: then it is made again."""
    moved = new.filter(pl.col("gaming_day") != pl.col("_was_day"))
    commit = Commit("retry", f"bronze/{table}", CODE_VERSION)
    for rows, day_is in ((new, "gaming_day"), (moved, "_was_day")):
        for day in rows[day_is].unique().sort():
            gone = rows.filter(pl.col(day_is) == day)
            build = partial(_with, gone.filter(pl.col("gaming_day") == day), gone["_source"])
            lake.rebuild("bronze", table, build, commit=commit, days=(day, day))


def _with(new: pl.DataFrame, gone: pl.Series, stored: pl.LazyFrame) -> pl.DataFrame:
    rest = stored.filter(~pl.col("_source").is_in(gone.implode())).collect()
    return pl.concat([rest, new.select(rest.columns)])


def _span(days: pl.Series) -> Days:
    ordered: list[dt.date] = days.sort().to_list()
    return ordered[0], ordered[-1]


def _from_topics(sources: pl.Series, reader: Reader, topics: Readable) -> Iterator[pl.DataFrame]:
    """Rows of bronze of the messages that rows came by, of those that are kept."""
    yield contract(reader.table).empty()
    placed = sources.unique().str.extract_groups(_PLACE).struct.unnest()
    for (name, number), rows in placed.group_by("topic", "partition"):
        topic, p = str(name), int(str(number))
        first, _ = topics.ends(topic)[p]
        offsets = rows["offset"].cast(pl.Int64).sort()
        for near in _runs(offsets.filter(offsets >= first).to_list()):
            for part in stretch(topics, topic, p, near[0], near[-1] + 1):
                messages = part.filter(pl.col("offset").is_in(near))
                if messages.height:
                    [found] = reader.read([Batch(topic, p, messages)])
                    yield found.rows


def _runs(offsets: list[int]) -> list[list[int]]:
    """Offsets in order, those that are near each other together."""
    runs: list[list[int]] = []
    for offset in offsets:
        if runs and offset - runs[-1][-1] <= _NEAR:
            runs[-1].append(offset)
        else:
            runs.append([offset])
    return runs
