"""Ingestion: every complete file of the landing zone becomes bronze rows, exactly once."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from lakehouse.contracts import contract, stored_as
from lakehouse.errors import BadInput, DiskFull, Overtaken
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.ending import Ended, Stored, finish
from lakehouse.ingest.files.inspection import Inspected, inspect
from lakehouse.ingest.files.ledger import (
    Ledger,
    batch_prefix,
    file_identity,
    read_ledger,
    record,
    says,
)
from lakehouse.ingest.files.mapping import PROFILE, Mapping
from lakehouse.ingest.files.mapping_files import mapping_of
from lakehouse.ingest.files.minimal import make_minimal
from lakehouse.ingest.files.storing import (
    ChangedFileError,
    Job,
    begin,
    job_of,
    store,
    take_back,
)
from lakehouse.ingest.files.supersede import newcomers
from lakehouse.ingest.files.together import (
    SMALL_BYTES,
    Read,
    Waiting,
    read_small,
    store_together,
)
from lakehouse.ingest.files.zone import (
    LandedFile,
    alone,
    find_files,
    landing_zone,
    refused_file,
    reject,
)
from lakehouse.locks import Tell
from lakehouse.settings import Settings
from lakehouse.storage import Lake

ATTEMPTS = 5
"""How often a file is tried that somebody else's commits come in the way of."""

State = Literal[
    "ingested", "duplicate", "rejected", "waiting", "unmapped", "interrupted", "withdrawn", "made"
]


@dataclass(frozen=True)
class Outcome:
    """What became of one file in this run."""

    table: str
    name: str
    state: State
    reason: str = ""
    rows: int = 0
    bronze_rows: int = 0
    quarantine_rows: int = 0
    replaced_rows: int = 0
    left_out_rows: int = 0
    days: tuple[dt.date, ...] = ()
    stored_days: tuple[dt.date, ...] = ()
    """Also those that hold nothing but rejected rows."""


@dataclass(frozen=True)
class IngestReport:
    """One ingestion. Files that were done with before are not in it."""

    outcomes: tuple[Outcome, ...]

    def of(self, *states: State) -> list[Outcome]:
        return [o for o in self.outcomes if o.state in states]

    @property
    def failed(self) -> list[Outcome]:
        """Files whose rows are not in the lake: rejected, without a readable mapping, or begun
        once and gone since."""
        return self.of("rejected", "unmapped", "interrupted", "withdrawn")

    @property
    def days(self) -> dict[str, list[dt.date]]:
        """table → gaming days of which this run changed bronze."""
        return self._by_table((o.table, o.days) for o in self.of("ingested", "withdrawn", "made"))

    @property
    def stored_days(self) -> dict[str, list[dt.date]]:
        """table → gaming days of which this run stored any row, rejected ones too."""
        return self._by_table((o.table, (*o.days, *o.stored_days)) for o in self.outcomes)

    @staticmethod
    def _by_table(given: Iterable[tuple[str, Iterable[dt.date]]]) -> dict[str, list[dt.date]]:
        found: dict[str, set[dt.date]] = {}
        for table, days in given:
            found.setdefault(table, set()).update(days)
        return {t: sorted(d) for t, d in found.items()}


def ingest(
    lake: Lake,
    settings: Settings,
    *,
    as_of: dt.datetime,
    tables: Sequence[str] | None = None,
    tell: Tell | None = None,
) -> IngestReport:
    """Takes in all complete files of the zone, in the order of their arrival.

    `as_of` is when the rows become known. One file that cannot be read does not stop the
    others. A run that was killed is taken up by the next: each batch carries the file's
    identity and its number into the Delta log, and is not written twice. `tell` hears of
    another process that is waited for.
    """
    zone = landing_zone(lake)
    with alone(zone, settings.wait_seconds, tell):
        found = find_files(zone, as_of)
        outcomes = [_refused(lake, zone, p, why, as_of) for p, why in found.refused]
        ledger = read_ledger(lake)
        outcomes += _finished(lake, ledger, _left(ledger, tables, stored=True))
        wanted = [f for f in found.ready if _is_wanted(f.table, tables)]
        outcomes += _Intake(lake, settings, zone, as_of).taken_in(wanted)
        ledger = read_ledger(lake)
        outcomes += [Outcome(f.table, f.name, "waiting") for f in found.waiting]
        unread = {o.table for o in outcomes if o.state in ("waiting", "unmapped")}
        met = {o.name for o in outcomes if o.state == "interrupted"}
        gone = [
            _expected(row) if row["table_name"] in unread else _withdrawn(lake, row, as_of)
            for row in _left(ledger, tables, stored=False)
            if row["path"] not in met
        ]
        return IngestReport((*outcomes, *gone, *_made(lake, settings, as_of)))


def _made(lake: Lake, settings: Settings, as_of: dt.datetime) -> list[Outcome]:
    """Of minimal profiles, where they are others than before."""
    made = make_minimal(lake, settings, as_of)
    if not made.days:
        return []
    said = f"in all {made.rows:,}, of patrons whom rows name before any profile tells of them"
    name = f"{PROFILE}: minimal profiles"
    return [Outcome(PROFILE, name, "made", said, made.rows, made.rows, days=made.days)]


def _left(ledger: Ledger, tables: Sequence[str] | None, *, stored: bool) -> list[dict[str, Any]]:
    """Interrupted files: those that need no further look at the file, or the others."""
    return [
        row
        for row in ledger.interrupted().to_dicts()
        if _is_wanted(row["table_name"], tables)
        and (ledger.stored(row["file_id"], row["attempt"]) is not None) == stored
    ]


def _is_wanted(table: str, tables: Sequence[str] | None) -> bool:
    return tables is None or table in tables


def _file_of(row: dict[str, Any]) -> LandedFile:
    return LandedFile(Path(), row["table_name"], row["path"], row["size_bytes"], row["modified_ns"])


def _finished(lake: Lake, ledger: Ledger, left: list[dict[str, Any]]) -> list[Outcome]:
    by_table: dict[str, list[Stored]] = {}
    for row in left:
        facts = ledger.stored(row["file_id"], row["attempt"]) or {}
        file = Stored(_file_of(row), row["file_id"], facts, row["at"], is_noted=True)
        by_table.setdefault(row["table_name"], []).append(file)
    return [_ended(lake, e) for files in by_table.values() for e in finish(lake, files)]


def _expected(begun: dict[str, Any]) -> Outcome:
    why = "was interrupted, and may be among the files that are not read yet"
    return Outcome(begun["table_name"], begun["path"], "interrupted", why)


def _withdrawn(lake: Lake, begun: dict[str, Any], as_of: dt.datetime) -> Outcome:
    """Takes out what there is of a file that was begun and is gone."""
    file = _file_of(begun)
    days = take_back(lake, file, begun["file_id"], begun, as_of)
    why = "was interrupted and is no longer in the zone: its rows are out again; land it again"
    return Outcome(file.table, file.name, "withdrawn", why, days=tuple(sorted(days)))


def _refused(lake: Lake, zone: Path, path: Path, why: str, as_of: dt.datetime) -> Outcome:
    return _rejected(lake, zone, refused_file(zone, path), why, as_of)


def _rejected(lake: Lake, zone: Path, file: LandedFile, why: str, as_of: dt.datetime) -> Outcome:
    place = f"{file.name}:{file.size_bytes}:{file.modified_ns}"
    record(lake, "rejected", place, file, as_of, {"reason": why}, once=as_of.isoformat())
    return Outcome(file.table, file.name, "rejected", reject(zone, file.path, why))


class _Intake:
    """Files on their way in, in the order of their arrival; small ones of a table wait for each
    other."""

    def __init__(self, lake: Lake, settings: Settings, zone: Path, as_of: dt.datetime) -> None:
        self._lake, self._settings, self._zone, self._as_of = lake, settings, zone, as_of
        self._ledger = read_ledger(lake)
        self._small: dict[str, Waiting] = {}
        self._outcomes: dict[str, Outcome] = {}

    def taken_in(self, files: Sequence[LandedFile]) -> list[Outcome]:
        for file in files:
            if not self._ledger.has_seen(file):
                self._take_in(file)
        for table in [*self._small]:
            self._store_small(table)
        return [self._outcomes[f.name] for f in files if f.name in self._outcomes]

    def _take_in(self, file: LandedFile) -> None:
        try:
            done = self._ingested(file)
        except UnreadableFile as error:
            done = _rejected(self._lake, self._zone, file, str(error), self._as_of)
        except ChangedFileError:
            done = Outcome(file.table, file.name, "waiting", "changed while it was read")
        except BadInput as error:
            done = Outcome(file.table, file.name, "unmapped", str(error))
        except DiskFull as error:
            done = Outcome(file.table, file.name, "interrupted", str(error))
        if done is not None:
            self._outcomes[file.name] = done
            self._ledger = read_ledger(self._lake)

    def _ingested(self, file: LandedFile) -> Outcome | None:
        """None where it waits for others."""
        mapping = mapping_of(file.path, file.folder, file.table)
        inspected = inspect(file.path, mapping)
        if not file.is_unchanged():
            raise ChangedFileError
        file_id = file_identity(file.table, inspected.digest)
        small = self._small.setdefault(file.table, Waiting())
        if small.has(file_id):
            self._store_small(file.table)
        if mapping.snapshot:
            self._let_return(file, file_id, mapping)
        first = self._ledger.ingested(file_id)
        if first is not None and says(first, mapping):
            return self._duplicate(file, file_id, first)
        read = self._read_small(file, file_id, mapping, inspected)
        if read is None:
            self._store_small(file.table)
            return self._stored_alone(self._job(file, file_id, mapping, inspected), file)
        self._small.setdefault(file.table, Waiting()).files.append((file, read))
        if self._small[file.table].is_full:
            self._store_small(file.table)
        return None

    def _let_return(self, file: LandedFile, file_id: str, mapping: Mapping) -> None:
        """A snapshot that comes again after another: what was then is so again. Its rows are out
        since that came; taken for withdrawn, it is the newest."""
        first, c = self._ledger.ingested(file_id), contract(file.table)
        if first is None or not says(first, mapping):
            return
        known = newcomers(c, [file_id], self._ledger)
        if known.is_outdated(batch_prefix(file_id), file.name):
            facts, once = {"attempt": first["attempt"]}, str(first["attempt"])
            record(self._lake, "withdrawn", file_id, file, self._as_of, facts, once=once)
            self._ledger = read_ledger(self._lake)

    def _duplicate(self, file: LandedFile, file_id: str, first: dict[str, Any]) -> Outcome:
        why = f"same content as {first['path']}"
        again = f"{file.name}:{file.modified_ns}:{first['attempt']}"
        facts = {n: first[n] for n in ("attempt", "mapping", "mapping_given")} | {"reason": why}
        record(self._lake, "duplicate", file_id, file, self._as_of, facts, once=again)
        return Outcome(file.table, file.name, "duplicate", why)

    def _job(self, file: LandedFile, file_id: str, mapping: Mapping, inspected: Inspected) -> Job:
        return job_of(
            self._lake,
            file,
            file_id,
            mapping,
            inspected,
            self._ledger,
            as_of=self._as_of,
            timezone=self._settings.timezone,
        )

    def _read_small(
        self, file: LandedFile, file_id: str, mapping: Mapping, inspected: Inspected
    ) -> Read | None:
        """None for a file that is not small, or that goes alone: a snapshot, and one that is told
        as unreadable only once it is begun, as what an earlier reading made of it is to go."""
        if file.size_bytes > SMALL_BYTES or mapping.snapshot:
            return None
        job = self._job(file, file_id, mapping, inspected)
        try:
            return read_small(job)
        except UnreadableFile:
            return None

    def _stored_alone(self, job: Job, file: LandedFile) -> Outcome:
        lake, as_of = self._lake, job.origin.as_of
        begin(lake, [job])
        for attempt in Retrying(
            retry=retry_if_exception_type(Overtaken),
            stop=stop_after_attempt(ATTEMPTS),
            reraise=True,
        ):
            with attempt:
                try:
                    facts = store(lake, job)
                except UnreadableFile:
                    take_back(lake, job.file, job.file_id, job.begun, as_of)
                    raise
        (ended,) = finish(lake, [Stored(job.file, job.file_id, facts, as_of)])
        return _ended(lake, ended, file)

    def _store_small(self, table: str) -> None:
        waiting = self._small.pop(table, Waiting()).files
        if not waiting:
            return
        files, reads = zip(*waiting, strict=True)
        try:
            store_together(self._lake, reads)
            stored = [Stored(r.job.file, r.job.file_id, r.facts, r.job.origin.as_of) for r in reads]
            done = [
                _ended(self._lake, e, f)
                for e, f in zip(finish(self._lake, stored), files, strict=True)
            ]
        except DiskFull:
            done = [self._stored_if_there_is_room(r.job, f) for f, r in waiting]
        self._outcomes.update({o.name: o for o in done})
        self._ledger = read_ledger(self._lake)

    def _stored_if_there_is_room(self, job: Job, file: LandedFile) -> Outcome:
        try:
            return self._stored_alone(job, file)
        except DiskFull as error:
            return Outcome(file.table, file.name, "interrupted", str(error))


def _ended(lake: Lake, ended: Ended, file: LandedFile | None = None) -> Outcome:
    """With the days that there is something to derive of: rejected rows that name no day count
    for the one on which they landed, which needs nothing by that."""
    file = file or ended.file
    counts = ("rows", "bronze_rows", "quarantine_rows", "replaced_rows")
    left_out = ended.facts["left_out_rows"] or 0
    places = itertools.product(("bronze", "silver"), stored_as(file.table))
    stored = [lake.partitions(*place)["gaming_day"] for place in places]
    days = ended.days.intersection(*[pl.concat(stored)])
    return Outcome(
        file.table,
        file.name,
        "ingested",
        ended.facts["reason"],
        days=tuple(sorted(days)),
        left_out_rows=left_out,
        stored_days=tuple(sorted(ended.days)),
        **{n: ended.facts[n] for n in counts},
    )
