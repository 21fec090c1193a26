"""Messages of a topic as rows of its table, by the typing, mappings and rules of landed JSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.json_lines import Shapes
from lakehouse.ingest.files.json_rows import rows_of_texts
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.row_typing import Judged, join, judge
from lakehouse.ingest.files.rows import LINE, NTH, ROW, Piece, damaged_rows, readable
from lakehouse.ingest.streams.topics import Batch
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.settings import Settings
from lakehouse.storage import stored_schema

SOURCE_PREFIX = "topic:"
_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Events:
    """What a batch holds: `rows` in the shape of bronze, `rejects` in that of quarantine, in order
    of offset. `ignored`: fields of messages that nothing takes; `left_out`: messages that the
    mapping does not want."""

    rows: pl.DataFrame
    rejects: pl.DataFrame
    ignored: frozenset[str] = frozenset()
    left_out: int = 0


@dataclass
class Reader:
    """How messages of a topic become rows. It remembers the shapes that it met."""

    settings: Settings
    table: str
    mapping: Mapping = field(default_factory=Mapping)
    shapes: Shapes = field(default_factory=Shapes)

    def read(self, batch: Batch) -> Events:
        messages = batch.messages.with_columns(
            day=gaming_day(pl.col("time"), self.settings.timezone)
        )
        days = messages.partition_by("day", maintain_order=True)
        judged = join([self._of_day(batch, part) for part in days])
        return Events(judged.good, judged.bad, judged.ignored, judged.left_out)

    def _of_day(self, batch: Batch, messages: pl.DataFrame) -> Judged:
        """What the log took on one gaming day, which is that of events that name none."""
        name = f"{batch.topic}/{batch.partition}"
        found = judge(self._piece(messages), self._origin(name, messages), keep_line=True)
        told = _Told(name, batch, messages)
        good = told.provenance(found.good).select(contract(self.table).bronze_schema().names())
        bad = told.provenance(found.bad).with_columns(
            pl.lit(SOURCE_PREFIX + name).alias("_file"), pl.Series(LINE, told.offsets(found.bad))
        )
        bad = bad.sort(LINE).select(stored_schema("quarantine", self.table).names())
        return Judged(good, bad, found.ignored, found.taken, found.left_out)

    def _piece(self, messages: pl.DataFrame) -> Piece:
        texts = _texts(messages["value"])
        strange = texts.is_null().arg_true().to_list()
        texts = texts.fill_null("{}") if strange else texts
        piece = rows_of_texts(texts, self.shapes, self.mapping)
        if strange:
            piece = _without(piece, strange, messages)
        if self.mapping.numbers_rows:
            nth = messages["offset"].cast(pl.String).gather(piece.frame[LINE]).alias(NTH)
            piece = Piece(piece.frame.with_columns(nth), piece.damaged, piece.raw)
        return piece

    def _origin(self, name: str, messages: pl.DataFrame) -> Origin:
        day, at = messages["day"][0], messages["time"][0]
        digest = hashlib.blake2b(name.encode(), digest_size=12).hexdigest()
        where = SOURCE_PREFIX + name
        zone = self.settings.timezone
        return Origin(contract(self.table), self.mapping, where, day, at, zone, digest)


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


def _without(piece: Piece, strange: list[int], messages: pl.DataFrame) -> Piece:
    """The piece without the messages that are no text, which are damaged."""
    kept = piece.frame[LINE].is_in(strange).not_().arg_true().to_list()
    raws = [readable(messages["value"][n]) for n in strange]
    bad = damaged_rows(strange, raws, [f"{ROW}|not_utf8"] * len(strange))
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
