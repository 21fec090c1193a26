"""One file into bronze and quarantine, batch by batch, and its rows in the ledger."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from lakehouse.contracts import Contract, contract, stored_as, told_apart
from lakehouse.ingest.files import reading
from lakehouse.ingest.files.headers import keep_header, told, told_ignored
from lakehouse.ingest.files.inspection import Inspected
from lakehouse.ingest.files.ledger import (
    CODE_VERSION,
    Ledger,
    days_from,
    days_text,
    record,
)
from lakehouse.ingest.files.mapping import Mapping, mapping_from_text
from lakehouse.ingest.files.reading import batches, judged, layout, open_file
from lakehouse.ingest.files.row_typing import Judged, Origin
from lakehouse.ingest.files.supersede import (
    LAYERS,
    Newcomer,
    batch_prefix,
    replaced_rows,
    supersede,
)
from lakehouse.ingest.files.zone import LandedFile, landing_zone
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.storage import Commit, Lake

KEPT = ("file_columns", "ignored_columns", "mapping", "bronze_version", "quarantine_version")
"""Facts that were settled when the file was first begun."""
COUNTED = ("rows", "bronze_rows", "quarantine_rows", "replaced_rows", "healed_rows")
FACTS = (*KEPT, *COUNTED, "layout", "attempt", "first_day", "last_day", "gaming_days")


class ChangedFileError(Exception):
    """Somebody wrote to the file while it was read: it was not complete after all."""


@dataclass(frozen=True)
class Job:
    """A file on its way in. `begun` is its ledger row, which a run that takes it up obeys."""

    file: LandedFile
    file_id: str
    origin: Origin
    inspected: Inspected
    begun: dict[str, Any]

    @property
    def contract(self) -> Contract:
        return self.origin.contract

    @property
    def batches(self) -> str:
        """What the file's batches of this attempt are called; their number follows."""
        return f"{batch_prefix(self.file_id)}{self.begun['attempt']}-"

    def batch_id(self, number: int) -> pl.Expr:
        return pl.lit(f"{self.batches}{number:05d}")

    @property
    def commit(self) -> Commit:
        return commit_of(self.file_id, self.file.table)


@dataclass
class Tally:
    """What a file has brought so far."""

    rows: int = 0
    good: int = 0
    ignored: set[str] = field(default_factory=set)
    days: set[dt.date] = field(default_factory=set)

    def add(self, part: Judged) -> None:
        self.rows += part.rows
        self.good += part.good.height
        self.ignored |= part.ignored
        for rows in (part.good, part.bad):
            self.days.update(rows["gaming_day"].unique().to_list())


def commit_of(file_id: str, table: str) -> Commit:
    return Commit(file_id, f"bronze/{table}", CODE_VERSION)


def begin(
    lake: Lake,
    file: LandedFile,
    file_id: str,
    mapping: Mapping,
    inspected: Inspected,
    ledger: Ledger,
    *,
    as_of: dt.datetime,
    timezone: str,
) -> Job:
    """Notes the file in the ledger before its first row, or takes it up as it was noted.
    Raises UnreadableFile; nothing is noted then."""
    c = contract(file.table)
    row = ledger.begun(file_id)
    attempt = row["attempt"] if row else 0
    if row is None or ledger.was_withdrawn(file_id, attempt):
        row = _facts(lake, file, file_id, mapping, inspected, c) | {"attempt": attempt}
    else:
        mapping = mapping_from_text(row["mapping"], file.table)
        as_of = row["at"]
        file = replace(file, name=row["path"])
    if row["layout"] != layout():
        row = {n: row[n] for n in KEPT} | {"layout": layout(), "attempt": row["attempt"] + 1}
        record(lake, "begun", file_id, file, as_of, row, once=str(row["attempt"]))
    day = gaming_day_of(as_of, timezone)
    origin = Origin(c, mapping, file.name, day, as_of, timezone)
    return Job(file, file_id, origin, inspected, row)


def _facts(
    lake: Lake,
    file: LandedFile,
    file_id: str,
    mapping: Mapping,
    inspected: Inspected,
    c: Contract,
) -> dict[str, Any]:
    opened = open_file(file.path, inspected, c, mapping)
    used = mapping.model_copy(update={"delimiter": opened.delimiter or None})
    if opened.ignored and opened.delimiter:
        keep_header(landing_zone(lake), file_id, opened.columns)
    return {
        "file_columns": told(opened.columns, opened.ignored),
        "ignored_columns": told_ignored(opened.columns, opened.ignored),
        "mapping": used.text(),
        "layout": "",
        **{f"{layer}_version": lake.version(layer, c.name) for layer in LAYERS},
    }


def store(lake: Lake, job: Job, ledger: Ledger) -> dict[str, Any]:
    """Writes what is not yet written of a file, and ends it in the ledger; the ledger's facts.
    Raises ChangedFileError, and Overtaken where it is to be done again."""
    facts = ledger.stored(job.file_id)
    if facts is None:
        facts = _stored(lake, job, ledger)
        if facts["replaced_rows"] or facts["healed_rows"]:
            record(lake, "stored", job.file_id, job.file, job.origin.as_of, facts)
    return finish(lake, job.file, job.file_id, ledger, facts, job.origin.as_of)


def finish(
    lake: Lake,
    file: LandedFile,
    file_id: str,
    ledger: Ledger,
    facts: dict[str, Any],
    as_of: dt.datetime,
) -> dict[str, Any]:
    """Removes what a stored file replaces. It needs no look at the file."""
    if facts["replaced_rows"] or facts["healed_rows"]:
        new = _newcomer(file, file_id, ledger, facts)
        supersede(lake, new, commit_of(file_id, file.table))
    record(lake, "ingested", file_id, file, as_of, {n: facts[n] for n in FACTS})
    return facts


def touched(file: LandedFile, ledger: Ledger, facts: dict[str, Any]) -> set[dt.date]:
    """Gaming days of a file, and of the file that lay there before."""
    return {*days_from(facts["gaming_days"]), *ledger.earlier_days(file.table, file.name)}


def _newcomer(file: LandedFile, file_id: str, ledger: Ledger, facts: dict[str, Any]) -> Newcomer:
    unfinished = ledger.interrupted()["file_id"].to_list()
    return Newcomer(contract(file.table), file_id, sorted(touched(file, ledger, facts)), unfinished)


def _stored(lake: Lake, job: Job, ledger: Ledger) -> dict[str, Any]:
    c, tally = job.contract, Tally()
    if job.begun["attempt"] > 1:
        start = batch_prefix(job.file_id)
        for layer, table in itertools.product(LAYERS, stored_as(c.name)):
            lake.take_out(layer, table, start, but=job.batches, commit=job.commit)
    opened = open_file(job.file.path, job.inspected, c, job.origin.mapping)
    good = _set_aside(lake, job, judged(opened.pieces, job.origin), tally)
    for number, batch in enumerate(batches(good), 1):
        lake.append_stream(
            "bronze",
            c.name,
            (rows.with_columns(_batch_id=job.batch_id(number)) for rows in batch),
            commit=job.commit,
            app_transaction=(job.batches, number),
        )
    facts = {
        **{n: job.begun[n] for n in (*KEPT, "layout", "attempt")},
        "ignored_columns": told_ignored(opened.columns, tally.ignored),
        "rows": tally.rows,
        "bronze_rows": tally.good,
        "quarantine_rows": tally.rows - tally.good,
        **days_text(sorted(tally.days)),
    }
    new = _newcomer(job.file, job.file_id, ledger, facts)
    replaced, healed = (replaced_rows(lake, layer, new) for layer in LAYERS)
    return facts | {"replaced_rows": replaced, "healed_rows": healed}


def _set_aside(
    lake: Lake, job: Job, parts: Iterator[Judged], tally: Tally
) -> Iterator[pl.DataFrame]:
    """The good rows of the file's own table. The others are stored on the way, so that few are
    held: those of a table apart, and those that were rejected."""
    mine, held = job.contract.name, Aside()
    number = 1
    for part in parts:
        if not job.file.is_unchanged():
            raise ChangedFileError
        tally.add(part)
        good = told_apart(mine, part.good)
        rows = good.pop(mine)
        held.add("bronze", good)
        held.add("quarantine", told_apart(mine, part.bad))
        if held.height >= reading.HELD_ROWS:
            _store_aside(lake, job, held, number)
            held, number = Aside(), number + 1
        if rows.height:
            yield rows
    _store_aside(lake, job, held, number)


class Aside:
    """Rows on their way to other places than the file's own bronze."""

    def __init__(self) -> None:
        self.height = 0
        self.parts: dict[tuple[str, str], list[pl.DataFrame]] = {}

    def add(self, layer: str, rows: dict[str, pl.DataFrame]) -> None:
        for table, frame in rows.items():
            if frame.height:
                self.height += frame.height
                self.parts.setdefault((layer, table), []).append(frame)


def _store_aside(lake: Lake, job: Job, held: Aside, number: int) -> None:
    for (layer, table), parts in held.parts.items():
        lake.append(
            layer,
            table,
            pl.concat(parts).with_columns(_batch_id=job.batch_id(number)),
            commit=job.commit,
            app_transaction=(job.batches, number),
        )
