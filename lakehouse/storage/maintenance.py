"""Keeping a table's files few and its log short."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from lakehouse.errors import BadInput
from lakehouse.storage.commits import Commit, properties
from lakehouse.storage.lake import Lake
from lakehouse.storage.listing import files_by_day, listed_files
from lakehouse.storage.log import naming
from lakehouse.storage.marks import is_rearranged
from lakehouse.storage.shapes import PARTITION, stored_schema

RETENTION = dt.timedelta(days=7)
FORGET = "forget older versions"
"""What has to be said for a shorter retention: time travel ends and running writers fail."""
STEP, SMALL = 4 * 2**20, 32 * 2**20
"""Bytes of a file that is put together with others while events come in: first up to the one, then
up to the other."""
Z_ORDER_FROM = 128 * 2**20
"""Bytes of one day from which files hold several row groups, so that Z-order can skip some."""


class Kept(NamedTuple):
    """How long of a table that grows all the time older `versions` can be asked for, and `files`
    stay that were put together: so many hours at least, as Delta counts them whole."""

    versions: dt.timedelta
    files: dt.timedelta


@dataclass(frozen=True)
class Maintained:
    """What maintenance did to one table."""

    table: str
    files_before: int
    files_after: int
    files_removed: int
    z_ordered: bool


def maintain(
    lake: Lake,
    layer: str,
    table: str,
    *,
    retention: dt.timedelta = RETENTION,
    forced: str | None = None,
) -> Maintained:
    """Compacts, Z-orders where a day is large enough for it to pay, writes a checkpoint and
    removes files that no version within the retention needs, orphans among them.

    Raises BadInput for a retention under 7 days, unless `forced` is the text of FORGET; then
    no writer may be at work, for its files look like orphans.
    """
    hours = int(retention / dt.timedelta(hours=1))
    if hours < 0 or (retention < RETENTION and forced != FORGET):
        raise BadInput(
            f"a retention of {hours} h is under {RETENTION.days} days; "
            f"to do it all the same, say {FORGET!r}"
        )
    delta = lake.table(layer, table)
    if delta is None:
        raise BadInput(f"no table {layer}.{table} in {lake.root}")
    before = len(delta.file_uris())
    with naming(lake.uri(layer, table), "maintain"):
        _settle(lake, layer, table, delta)
        z_ordered = _compact(delta, layer, table)
        if is_rearranged(delta):
            _settle(lake, layer, table, delta)
        delta.cleanup_metadata()
        removed = delta.vacuum(
            hours, dry_run=False, enforce_retention_duration=forced != FORGET, full=True
        )
    lake.close(layer, table)
    after = len(delta.file_uris())
    return Maintained(f"{layer}.{table}", before, after, len(removed), z_ordered)


def compact_days(lake: Lake, layer: str, table: str, *, most: int = 32) -> list[dt.date]:
    """Puts the small files of those days together that have more than `most` of them, and what
    comes of that where it is enough for one that stays; the days. Others may write meanwhile. So a
    row is written three times and not at each call, and a day costs no more as it grows."""
    delta = lake.table(layer, table)
    if delta is None:
        return []
    done: dict[dt.date, None] = {}
    try:
        with naming(lake.uri(layer, table), "compact"):
            for least, below, few, size in (
                (0, STEP // 4, most, STEP),
                (STEP // 4, SMALL // 2, most // 2, SMALL),
            ):
                listed = listed_files(delta, layer, table)
                files = [file for file in listed if least <= file.bytes < below]
                days = files_by_day(files).filter(pl.col("files") > few)[PARTITION].to_list()
                for day in days:
                    delta.optimize.compact([(PARTITION, "=", str(day))], target_size=size)
                done |= dict.fromkeys(days)
    except CommitFailedError:
        return []  # somebody else does it
    if done:
        lake.close(layer, table)
    return list(done)


def tend(lake: Lake, layer: str, table: str, kept: Kept) -> None:
    """What a table needs that grows all the time: small files put together, entries of its log and
    files that were put together removed after the time that they are `kept`. Others may read and
    write meanwhile: a file that no commit has named yet stays."""
    delta = lake.table(layer, table)
    if delta is None:
        return
    try:
        with naming(lake.uri(layer, table), "tend"):
            _keep_for(delta, layer, table, kept)
            if not is_rearranged(delta):
                delta.cleanup_metadata()
            compact_days(lake, layer, table)
            delta.update_incremental()
            hours = math.ceil(kept.files / dt.timedelta(hours=1))
            delta.vacuum(hours, dry_run=False, enforce_retention_duration=False)
    except CommitFailedError:
        return  # somebody else does it
    lake.close(layer, table)


def _keep_for(delta: DeltaTable, layer: str, table: str, kept: Kept) -> None:
    """The times are the table's own, for whoever else writes checkpoints or removes files. The log
    is cut by `tend` and at commits of rows, and not by Delta after a compaction: the version
    before one is asked for until a commit of rows has told of it (storage/marks.py), however old
    it is."""
    wanted = {
        "delta.logRetentionDuration": _interval(kept.versions),
        "delta.deletedFileRetentionDuration": _interval(kept.files + _NAMED),
        "delta.enableExpiredLogCleanup": "false",
    }
    if wanted.items() <= delta.metadata().configuration.items():
        return
    told = properties(Commit("tend", f"{layer}/{table}", "1"), delta, (layer, table))
    delta.alter.set_table_properties(wanted, commit_properties=told)


_NAMED = dt.timedelta(hours=1)
"""For which checkpoints still name files that are to be removed: by these names they are found. At
that very age the next checkpoint would leave them out, and they would stay for good."""


def _interval(time: dt.timedelta) -> str:
    return f"interval {int(time.total_seconds())} seconds"


def _settle(lake: Lake, layer: str, table: str, delta: DeltaTable) -> None:
    """A commit of no rows, that tells what the log is about to forget (storage/marks.py), and what
    it takes to open it when all before it is forgotten. Delta may cut the log right after any
    compaction, and the version before that is asked for."""
    nothing = pl.DataFrame(schema=stored_schema(layer, table))
    lake.append(layer, table, nothing, commit=Commit("maintain", f"{layer}/{table}", "1"))
    delta.update_incremental()
    delta.create_checkpoint()


def _compact(delta: DeltaTable, layer: str, table: str) -> bool:
    days = files_by_day(listed_files(delta, layer, table))
    large = days.filter((pl.col("bytes") >= Z_ORDER_FROM) & (pl.col("files") > 1))
    pays = large.height > 0 and "player_id" in stored_schema(layer, table)
    for day in large[PARTITION] if pays else ():
        delta.optimize.z_order(["player_id"], [(PARTITION, "=", str(day))] if day else None)
    delta.optimize.compact()
    return pays
