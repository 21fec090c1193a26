"""One file into bronze and quarantine, batch by batch, and its rows in the ledger."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from lakehouse.contracts import Contract, contract, stored_as, told_apart
from lakehouse.ingest.files import reading
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.clashes import carry_out, plan
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.columns import unfound
from lakehouse.ingest.files.headers import keep_header, told, told_ignored
from lakehouse.ingest.files.inspection import Inspected
from lakehouse.ingest.files.ledger import (
    CODE_VERSION,
    Entry,
    Ledger,
    batch_prefix,
    days_text,
    read_ledger,
    record,
    record_all,
    says,
)
from lakehouse.ingest.files.mapping import Mapping, mapping_from_text
from lakehouse.ingest.files.patrons import Told
from lakehouse.ingest.files.reading import OpenedFile, batches, judged, layout, open_file
from lakehouse.ingest.files.row_typing import Judged
from lakehouse.ingest.files.supersede import (
    LAYERS,
    newcomers,
    own_rows,
)
from lakehouse.ingest.files.zone import LandedFile, landing_zone
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.storage import Commit, Lake

GONE = ("replaced_rows", "healed_rows")
KEPT = (
    *("file_columns", "ignored_columns", "mapping", "mapping_given"),
    *("bronze_version", "quarantine_version", *GONE),
)
"""Facts that were settled when the file was begun; GONE are then the rows of an earlier reading,
which go first."""
COUNTED = ("rows", "bronze_rows", "quarantine_rows", "left_out_rows")
FACTS = (*KEPT, *COUNTED, "layout", "attempt", "first_day", "last_day", "gaming_days")
"""Of an ended file."""


class ChangedFileError(Exception):
    """Somebody wrote to the file while it was read: it was not complete after all."""


@dataclass(frozen=True)
class Job:
    """A file on its way in. `begun` is its ledger row, which a run that takes it up obeys; it is
    to be noted unless the file `is_taken_up`."""

    file: LandedFile
    file_id: str
    origin: Origin
    inspected: Inspected
    begun: dict[str, Any]
    is_taken_up: bool

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
    left_out: int = 0
    ignored: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    days: set[dt.date] = field(default_factory=set)
    patrons: Told = field(default_factory=Told)

    def add(self, part: Judged) -> None:
        self.rows += part.rows
        self.good += part.good.height
        self.left_out += part.left_out
        self.ignored |= part.ignored
        self.taken |= part.taken
        self.patrons.add(part.patrons)
        for rows in (part.good, part.bad):
            self.days.update(rows["gaming_day"].unique().to_list())


def commit_of(file_id: str, table: str) -> Commit:
    return Commit(file_id, f"bronze/{table}", CODE_VERSION)


def begin(lake: Lake, jobs: Sequence[Job]) -> None:
    """Notes in the ledger, before their first rows, those files that are not taken up."""
    record_all(
        lake,
        [
            Entry("begun", j.file_id, j.file, j.origin.as_of, j.begun, str(j.begun["attempt"]))
            for j in jobs
            if not j.is_taken_up
        ],
    )


def job_of(
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
    """A file as it was noted in the ledger, or to be noted: one that another mapping is given to,
    or that was cut into batches otherwise, begins anew. Raises UnreadableFile."""
    c = contract(file.table)
    row = ledger.begun(file_id)
    attempt = row["attempt"] if row else 0
    if row is None or ledger.was_withdrawn(file_id, attempt) or not says(row, mapping):
        gone = _earlier_reading(lake, c, file_id, row, ledger)
        row = _facts(lake, file, file_id, mapping, inspected, c) | gone | {"attempt": attempt}
        mapping = mapping_from_text(row["mapping"], file.table)
    else:
        mapping = mapping_from_text(row["mapping"], file.table)
        as_of = row["at"]
        file = replace(file, name=row["path"])
    is_taken_up = row["layout"] == layout()
    if not is_taken_up:
        row = {n: row[n] for n in KEPT} | {"layout": layout(), "attempt": row["attempt"] + 1}
    day = gaming_day_of(as_of, timezone)
    origin = Origin(c, mapping, file.name, day, as_of, timezone, file_id)
    return Job(file, file_id, origin, inspected, row, is_taken_up)


def _earlier_reading(
    lake: Lake, c: Contract, file_id: str, begun: dict[str, Any] | None, ledger: Ledger
) -> dict[str, int]:
    """How many rows go that an ended reading made: counted once, whatever is begun after it."""
    if begun is None or ledger.was_withdrawn(file_id, begun["attempt"]):
        return dict.fromkeys(GONE, 0)
    if ledger.ingested(file_id) is None:
        return {n: begun[n] for n in GONE}
    return dict(zip(GONE, own_rows(lake, c, file_id), strict=True))


def _facts(
    lake: Lake,
    file: LandedFile,
    file_id: str,
    mapping: Mapping,
    inspected: Inspected,
    c: Contract,
) -> dict[str, Any]:
    opened = open_file(file.path, inspected, c, mapping)
    if opened.ignored and opened.delimiter:
        keep_header(landing_zone(lake), file_id, opened.columns)
    return {
        "file_columns": told(opened.columns, opened.ignored),
        "ignored_columns": told_ignored(opened.columns, opened.ignored),
        "mapping": mapping.found_in(opened.delimiter).text(),
        "mapping_given": mapping.text(),
        "layout": "",
        **{f"{layer}_version": lake.version(layer, c.name) for layer in LAYERS},
    }


def take_back(
    lake: Lake, file: LandedFile, file_id: str, begun: dict[str, Any], as_of: dt.datetime
) -> set[dt.date]:
    """Takes out what there is of a file that was begun and does not end; the days it was of."""
    c, commit = contract(file.table), commit_of(file_id, file.table)
    own = pl.col("_batch_id").str.starts_with(batch_prefix(file_id))
    rows = pl.concat(
        lake.scan("bronze", table, columns=["gaming_day", "_batch_id"])
        for table in stored_as(c.name)
    ).filter(own)
    days = set(rows.select(pl.col("gaming_day").unique()).collect().to_series())
    for layer, table in itertools.product(LAYERS, stored_as(c.name)):
        lake.take_out(layer, table, batch_prefix(file_id), commit=commit)
    facts = {n: begun[n] for n in ("attempt", *GONE)}
    record(lake, "withdrawn", file_id, file, as_of, facts, once=str(begun["attempt"]))
    said = plan(lake, newcomers(c, (), read_ledger(lake)))
    carry_out(lake, said, commit)
    return days | said.days


def store(lake: Lake, job: Job) -> dict[str, Any]:
    """Writes what is not yet written of a file, a batch at a time; its facts. Raises
    ChangedFileError, UnreadableFile where no record had a column that the mapping names, and
    Overtaken where it is to be done again."""
    c, tally = job.contract, Tally()
    clear_earlier(lake, [job])
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
    facts = counted(job, opened, tally)
    tally.patrons.keep(landing_zone(lake), c.name, job.file_id)
    return facts


def clear_earlier(lake: Lake, jobs: Sequence[Job]) -> None:
    """Takes out what earlier readings made of these files."""
    for job in jobs:
        if job.begun["attempt"] > 1:
            start = batch_prefix(job.file_id)
            for layer, table in itertools.product(LAYERS, stored_as(job.contract.name)):
                lake.take_out(layer, table, start, but=job.batches, commit=job.commit)


def counted(job: Job, opened: OpenedFile, tally: Tally) -> dict[str, Any]:
    """The facts of a file that was read to its end. Raises UnreadableFile."""
    lacking = unfound(job.origin.mapping, tally.taken)
    if lacking and (tally.taken or tally.ignored):
        raise UnreadableFile(
            f"has no record with {', '.join(lacking)}, which the mapping names; mend the mapping, "
            "or say optional = true of a column that may be absent"
        )
    if job.origin.mapping.snapshot and not tally.good:
        raise UnreadableFile(
            f"is a snapshot of which none of {tally.rows} rows can be read: it would leave nothing "
            "of the one before; `lakehouse land FILE --dry-run` shows why"
        )
    return {
        **{n: job.begun[n] for n in (*KEPT, "layout", "attempt")},
        "ignored_columns": told_ignored(opened.columns, tally.ignored),
        "reason": opened.left_out.in_words(),
        "rows": tally.rows,
        "bronze_rows": tally.good,
        "quarantine_rows": tally.rows - tally.good - tally.left_out,
        "left_out_rows": tally.left_out,
        **days_text(sorted(tally.days)),
    }


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
