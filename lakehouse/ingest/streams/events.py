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
from lakehouse.ingest.files.mapping import Mapping, load_mapping
from lakehouse.ingest.files.row_typing import Judged, join, judge
from lakehouse.ingest.files.rows import LINE, NTH, ROW, Piece, damaged_rows, readable
from lakehouse.ingest.streams.topics import Batch
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.settings import Settings
from lakehouse.storage import stored_schema

SOURCE_PREFIX = "topic:"
_NO_TEXT = f"{ROW}|not_utf8"
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
    """How messages of a topic become rows: as the table's own, or where they lack its key by the
    envelope that the game platform's clients send. It remembers the shapes that it met."""

    settings: Settings
    table: str
    shapes: Shapes = field(default_factory=Shapes)

    def read(self, batch: Batch) -> Events:
        messages = batch.messages.with_columns(
            day=gaming_day(pl.col("time"), self.settings.timezone)
        )
        days = messages.partition_by("day", maintain_order=True)
        judged = join([self._of_day(batch, part) for part in days])
        return Events(judged.good, judged.bad, judged.ignored)

    def _of_day(self, batch: Batch, messages: pl.DataFrame) -> Judged:
        """What the log took on one gaming day, which is that of events that name none."""
        name = f"{batch.topic}/{batch.partition}"
        found = self._judged(name, messages)
        told = _Told(name, batch, messages)
        good = told.provenance(found.good.sort(LINE))
        bad = told.provenance(found.bad).with_columns(
            pl.lit(SOURCE_PREFIX + name).alias("_file"), pl.Series(LINE, told.offsets(found.bad))
        )
        good = good.select(contract(self.table).bronze_schema().names())
        bad = bad.sort(LINE).select(stored_schema("quarantine", self.table).names())
        return Judged(good, bad, found.ignored, found.taken)

    def _judged(self, name: str, messages: pl.DataFrame) -> Judged:
        """LINE of each row is the place of its message."""
        texts = _texts(messages["value"])
        strange = texts.is_null().arg_true().to_list()
        piece = rows_of_texts(texts.fill_null("{}") if strange else texts, self.shapes)
        if strange:
            piece = _without(piece, set(strange), [readable(messages["value"][n]) for n in strange])
        parts = []
        mapping = envelope(self.table)
        enveloped = [] if mapping is None else _lacking_key(piece.frame, self.table, mapping)
        if mapping is not None and enveloped:
            inner = _opened(texts, enveloped, mapping, messages["offset"])
            parts.append(judge(inner, self._origin(name, messages, mapping), keep_line=True))
            taken = {*parts[0].good[LINE], *parts[0].bad[LINE]}
            piece = _without(piece, taken)
        parts.append(judge(piece, self._origin(name, messages, Mapping()), keep_line=True))
        return join(parts)

    def _origin(self, name: str, messages: pl.DataFrame, mapping: Mapping) -> Origin:
        day, at = messages["day"][0], messages["time"][0]
        digest = hashlib.blake2b(name.encode(), digest_size=12).hexdigest()
        where, zone = SOURCE_PREFIX + name, self.settings.timezone
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


def _opened(texts: pl.Series, at: list[int], mapping: Mapping, offsets: pl.Series) -> Piece:
    """The texts at these places as rows by a mapping."""
    piece = rows_of_texts(texts.gather(at), Shapes(limit=0), mapping)
    places = pl.Series(LINE, at).gather(piece.frame[LINE])
    nth = offsets.gather(places).cast(pl.String).alias(NTH)
    frame = piece.frame.with_columns(places, *([nth] if mapping.numbers_rows else []))
    return Piece(frame, piece.damaged, piece.raw)


def events_of(settings: Settings, table: str, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The messages of a batch as rows of bronze, and as rows of quarantine where they broke a rule;
    each says in `_source` where it is from."""
    found = Reader(settings, table).read(batch)
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
    bad = damaged_rows(sorted(places) if damaged else [], list(damaged), [_NO_TEXT] * len(damaged))
    return Piece(
        piece.frame[kept],
        pl.concat([piece.damaged, bad]),
        lambda at: piece.raw([kept[n] for n in at]),
    )


@dataclass(frozen=True)
class _Told:
    """Where rows are from, by the place of their message among those that were read together."""

    name: str
    batch: Batch
    messages: pl.DataFrame

    def offsets(self, rows: pl.DataFrame) -> pl.Series:
        return self.messages["offset"].gather(rows[LINE])

    def provenance(self, rows: pl.DataFrame) -> pl.DataFrame:
        first, after = int(self.batch.messages["offset"][0]), self.batch.next_offset
        return rows.with_columns(
            _ingested_at=self.messages["time"].gather(rows[LINE]).cast(_TIME),
            _source=pl.lit(f"{SOURCE_PREFIX}{self.name}@")
            + pl.Series(self.offsets(rows)).cast(pl.String),
            _batch_id=pl.lit(f"{self.name}@{first}-{after - 1}"),
        )
