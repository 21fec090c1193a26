"""Messages of a topic as rows of its table, by the typing, mappings and rules of landed JSON."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.json_lines import Shapes
from lakehouse.ingest.files.json_rows import rows_of_texts
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.files.row_typing import TOPIC_PREFIX, Judged, join, judge
from lakehouse.ingest.files.rows import LINE, NTH, ROW, Piece, damaged_rows, readable
from lakehouse.ingest.streams.topics import Batch
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.settings import Settings
from lakehouse.storage import stored_schema

NO_TEXT = f"{ROW}|not_utf8"
"""The rule that a message breaks which is no text."""
_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Events:
    """What a batch holds: `rows` in the shape of bronze, `rejects` in that of quarantine, in order
    of offset. `ignored`: fields of messages that nothing takes."""

    rows: pl.DataFrame
    rejects: pl.DataFrame
    ignored: frozenset[str] = frozenset()


@dataclass
class Reader:
    """How messages of a topic become rows: by the `mapping` that is given; without one as the
    table's own, or where they lack its key by the envelope that the game platform's clients send.
    It remembers the shapes that it met."""

    settings: Settings
    table: str
    mapping: Mapping | None = None
    shapes: Shapes = field(default_factory=Shapes)

    def read(self, batches: Sequence[Batch]) -> list[Events]:
        """The events of each batch. They are read together: that costs little more than one."""
        zone = self.settings.timezone
        messages = pl.concat([_named(batch) for batch in batches])
        messages = messages.with_columns(day=gaming_day(pl.col("time"), zone))
        days = messages.partition_by("day", maintain_order=True)
        judged = join([self._of_day(part) for part in days])
        return [
            Events(_of(judged.good, batch), _of(judged.bad, batch), judged.ignored)
            for batch in batches
        ]

    def _of_day(self, messages: pl.DataFrame) -> Judged:
        """What the log took on one gaming day, which is that of events that name none."""
        found = self._judged(messages)
        good = _told(found.good, messages).sort(LINE)
        bad = _told(found.bad, messages).sort(LINE)
        place = messages.select("name", "offset")[bad[LINE]]
        bad = bad.with_columns(place["offset"].alias(LINE), _file=TOPIC_PREFIX + place["name"])
        good = good.select(contract(self.table).bronze_schema().names())
        bad = bad.select(stored_schema("quarantine", self.table).names())
        return Judged(good, bad, found.ignored, found.taken)

    def _judged(self, messages: pl.DataFrame) -> Judged:
        """LINE of each row is the place of its message."""
        texts = _texts(messages["value"])
        if self.mapping is not None:
            every = list(range(messages.height))
            return self._by(self.mapping, texts, every, messages)
        strange = texts.is_null().arg_true().to_list()
        piece = rows_of_texts(texts.fill_null("{}") if strange else texts, self.shapes)
        if strange:
            piece = _without(piece, set(strange), [readable(messages["value"][n]) for n in strange])
        parts = []
        mapping = envelope(self.table)
        enveloped = [] if mapping is None else _lacking_key(piece.frame, self.table, mapping)
        if mapping is not None and enveloped:
            parts.append(self._by(mapping, texts, enveloped, messages))
            taken = {*parts[0].good[LINE], *parts[0].bad[LINE]}
            piece = _without(piece, taken)
        parts.append(judge(piece, self._origin(messages, Mapping()), keep_line=True))
        return join(parts)

    def _by(
        self, mapping: Mapping, texts: pl.Series, at: list[int], messages: pl.DataFrame
    ) -> Judged:
        """The texts at these places by a mapping."""
        return judge(_opened(texts, at, mapping), self._origin(messages, mapping), keep_line=True)

    def _origin(self, messages: pl.DataFrame, mapping: Mapping) -> Origin:
        day, at = messages["day"][0], messages["time"][0]
        topic = contract(self.table).topic
        digest = hashlib.blake2b(topic.encode(), digest_size=12).hexdigest()
        where, zone = TOPIC_PREFIX + topic, self.settings.timezone
        return Origin(contract(self.table), mapping, where, day, at, zone, digest)


@functools.cache
def envelope(table: str) -> Mapping | None:
    """The mapping of what a client sends, of those tables that have one."""
    path = Path(__file__).with_name("envelopes") / f"{table}.toml"
    return load_mapping(path, table) if path.is_file() else None


def _lacking_key(frame: pl.DataFrame, table: str, mapping: Mapping) -> list[int]:
    """Places of the rows that are not the table's own, and have the envelope's fields."""
    names = {n for n in frame.columns if frame[n].null_count() < frame.height}
    fields = {path.split(".")[0] for path in mapping.asked}
    if not fields <= names:
        return []
    keys = [n for n in contract(table).key if n in names]
    own = pl.all_horizontal(pl.lit(value=bool(keys)), *(pl.col(n).is_not_null() for n in keys))
    enveloped = pl.all_horizontal(pl.col(n).is_not_null() for n in sorted(fields))
    return frame.filter(enveloped & ~own)[LINE].to_list()


def _opened(texts: pl.Series, at: list[int], mapping: Mapping) -> Piece:
    """The texts at these places as rows by a mapping. Where it numbers rows, an event's number is
    of its text: one that is sent again has the same."""
    piece = rows_of_texts(texts.gather(at), Shapes(limit=0), mapping)
    places = pl.Series(LINE, at).gather(piece.frame[LINE])
    frame = piece.frame.with_columns(places)
    if mapping.numbers_rows:
        frame = frame.with_columns(_hashed(texts.gather(places)).alias(NTH))
    return Piece(frame, piece.damaged, piece.raw)


def _hashed(texts: pl.Series) -> pl.Series:
    told = [hashlib.blake2b(text.encode(), digest_size=12).hexdigest() for text in texts]
    return pl.Series(told, dtype=pl.String)


def events_of(settings: Settings, table: str, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The messages of a batch as rows of bronze, and as rows of quarantine where they broke a rule;
    each says in `_source` where it is from."""
    [found] = Reader(settings, table).read([batch])
    return found.rows, found.rejects


def _texts(values: pl.Series) -> pl.Series:
    """Null for what is no text."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series([_decoded(value) for value in values], dtype=pl.String)


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _without(piece: Piece, places: Collection[int], damaged: Sequence[str] = ()) -> Piece:
    """The piece without the rows at these places, of which the texts `damaged` are damaged."""
    kept = piece.frame[LINE].is_in(list(places)).not_().arg_true().to_list()
    bad = damaged_rows(sorted(places) if damaged else [], list(damaged), [NO_TEXT] * len(damaged))
    return Piece(
        piece.frame[kept],
        pl.concat([piece.damaged, bad]),
        lambda at: piece.raw([kept[n] for n in at]),
    )


def _named(batch: Batch) -> pl.DataFrame:
    """The messages with the name of their partition, and that of the batch."""
    name = f"{batch.topic}/{batch.partition}"
    first, last = batch.messages["offset"][0], batch.next_offset - 1
    return batch.messages.with_columns(name=pl.lit(name), batch=pl.lit(f"{name}@{first}-{last}"))


def _told(rows: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Rows with where they are from, by the place of their message among `messages`."""
    source = pl.concat_str(pl.lit(TOPIC_PREFIX), "name", pl.lit("@"), "offset")
    told = messages.lazy().select(
        _ingested_at=pl.col("time").cast(_TIME), _source=source, _batch_id="batch"
    )
    return rows.with_columns(told.collect()[rows[LINE]].get_columns())


def _of(rows: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    """Those of a batch."""
    return rows.filter(pl.col("_batch_id").str.starts_with(f"{batch.topic}/{batch.partition}@"))
