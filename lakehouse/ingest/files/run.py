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

from lakehouse.contracts import stored_as
from lakehouse.errors import BadInput, DiskFull, Overtaken
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.ledger import Ledger, file_identity, read_ledger, record, says
from lakehouse.ingest.files.mapping import mapping_of
from lakehouse.ingest.files.storing import (
    ChangedFileError,
    Ended,
    begin,
    finish,
    store,
    take_back,
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
    "ingested", "duplicate", "rejected", "waiting", "unmapped", "interrupted", "withdrawn"
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
        return self._by_table((o.table, o.days) for o in self.of("ingested", "withdrawn"))

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
        outcomes += [_finished(lake, ledger, r) for r in _left(ledger, tables, stored=True)]
        ledger = read_ledger(lake)
        for file in found.ready:
            if _is_wanted(file.table, tables) and not ledger.has_seen(file):
                outcomes.append(_taken_in(lake, settings, zone, file, ledger, as_of))
                ledger = read_ledger(lake)
        outcomes += [Outcome(f.table, f.name, "waiting") for f in found.waiting]
        unread = {o.table for o in outcomes if o.state in ("waiting", "unmapped")}
        met = {o.name for o in outcomes if o.state == "interrupted"}
        gone = [
            _expected(row) if row["table_name"] in unread else _withdrawn(lake, row, as_of)
            for row in _left(ledger, tables, stored=False)
            if row["path"] not in met
        ]
        return IngestReport((*outcomes, *gone))


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


def _finished(lake: Lake, ledger: Ledger, begun: dict[str, Any]) -> Outcome:
    file, file_id = _file_of(begun), begun["file_id"]
    facts = ledger.stored(file_id, begun["attempt"]) or {}
    return _ingested_as(lake, file, finish(lake, file, file_id, facts, begun["at"]))


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


def _taken_in(
    lake: Lake,
    settings: Settings,
    zone: Path,
    file: LandedFile,
    ledger: Ledger,
    as_of: dt.datetime,
) -> Outcome:
    try:
        return _ingested(lake, settings, file, ledger, as_of)
    except UnreadableFile as error:
        return _rejected(lake, zone, file, str(error), as_of)
    except ChangedFileError:
        return Outcome(file.table, file.name, "waiting", "changed while it was read")
    except BadInput as error:
        return Outcome(file.table, file.name, "unmapped", str(error))
    except DiskFull as error:
        return Outcome(file.table, file.name, "interrupted", str(error))


def _ingested(
    lake: Lake,
    settings: Settings,
    file: LandedFile,
    ledger: Ledger,
    as_of: dt.datetime,
) -> Outcome:
    mapping = mapping_of(file.path, file.folder, file.table)
    inspected = inspect(file.path, mapping.encoding)
    if not file.is_unchanged():
        raise ChangedFileError
    file_id = file_identity(file.table, inspected.digest)
    first = ledger.ingested(file_id)
    if first is not None and says(first, mapping):
        why = f"same content as {first['path']}"
        again = f"{file.name}:{file.modified_ns}:{first['attempt']}"
        facts = {n: first[n] for n in ("attempt", "mapping", "mapping_given")} | {"reason": why}
        record(lake, "duplicate", file_id, file, as_of, facts, once=again)
        return Outcome(file.table, file.name, "duplicate", why)
    job = begin(
        lake,
        file,
        file_id,
        mapping,
        inspected,
        ledger,
        as_of=as_of,
        timezone=settings.timezone,
    )
    for attempt in Retrying(
        retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(ATTEMPTS), reraise=True
    ):
        with attempt:
            try:
                ended = store(lake, job, ledger)
            except UnreadableFile:
                take_back(lake, job.file, file_id, job.begun, job.origin.as_of)
                raise
    return _ingested_as(lake, file, ended)


def _ingested_as(lake: Lake, file: LandedFile, ended: Ended) -> Outcome:
    """With the days that there is something to derive of: rejected rows that name no day count
    for the one on which they landed, which needs nothing by that."""
    counts = ("rows", "bronze_rows", "quarantine_rows", "replaced_rows")
    places = itertools.product(("bronze", "silver"), stored_as(file.table))
    stored = [lake.partitions(*place)["gaming_day"] for place in places]
    days = ended.days.intersection(*[pl.concat(stored)])
    return Outcome(
        file.table,
        file.name,
        "ingested",
        ended.facts["reason"],
        days=tuple(sorted(days)),
        stored_days=tuple(sorted(ended.days)),
        **{n: ended.facts[n] for n in counts},
    )
