"""What is in quarantine, by rule, source and day, and the way out of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.contracts import came_with, contract, contracts, door_of, told_apart
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.evidence import files_of, read_again
from lakehouse.ingest.files.headers import header_of
from lakehouse.ingest.files.ledger import CODE_VERSION, record
from lakehouse.ingest.files.mapping import Mapping, mapping_from_text
from lakehouse.ingest.files.mapping_files import mapping_of
from lakehouse.ingest.files.minimal import make_minimal
from lakehouse.ingest.files.reread import reread
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, STAGE, TOPIC_PREFIX, judge
from lakehouse.ingest.files.rows import LINE, NTH, Piece, Places
from lakehouse.ingest.files.zone import LandedFile, alone, landing_zone
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Days, Lake


@dataclass(frozen=True)
class Retried:
    """One table's retry: rows tried again, rows that went to bronze, rows of bronze that silver
    had rejected and that were read anew, and the days of both."""

    table: str
    tried: int
    healed: int
    days: tuple[dt.date, ...]
    reread: int = 0
    made: tuple[dt.date, ...] = ()
    """Gaming days of player_profile on which minimal profiles are others than before."""


def rejects(
    lake: Lake,
    *,
    tables: Sequence[str] | None = None,
    rule: str | None = None,
    days: Days | None = None,
) -> pl.DataFrame:
    """Grain: one row per table, stage, rule, source and gaming day: `rows` in quarantine. A row
    that broke two rules counts under both. `rule` keeps those that contain it."""
    frames = []
    for table in tables or contracts("source"):
        rows = lake.scan("quarantine", table, days=days).select(
            pl.lit(table).alias("table"),
            stage="_stage",
            rule="_rules",
            source=pl.coalesce(
                "_file", came_with(pl.col("_source")).str.strip_prefix(SOURCE_PREFIX)
            ),
            gaming_day="gaming_day",
        )
        frames.append(rows.explode("rule", keep_nulls=True))
    counted = pl.concat(frames).group_by("table", "stage", "rule", "source", "gaming_day")
    found = counted.agg(rows=pl.len().cast(pl.Int64)).sort(
        "table",
        "rows",
        "rule",
        "source",
        "gaming_day",
        descending=[False, True, False, False, False],
    )
    if rule is not None:
        found = found.filter(pl.col("rule").str.contains(rule, literal=True))
    return found.collect()


def causes(found: pl.DataFrame) -> pl.DataFrame:
    """Grain: one row per table, stage and rule of `rejects`, with its days and sources."""
    by_cause = found.group_by("table", "stage", "rule", maintain_order=True).agg(
        pl.col("rows").sum(),
        days=pl.col("gaming_day").n_unique().cast(pl.Int64),
        first_day=pl.col("gaming_day").min(),
        last_day=pl.col("gaming_day").max(),
        sources=pl.col("source").unique().sort(),
    )
    return by_cause.sort("table", "rows", "rule", "stage", descending=[False, True, False, False])


def rejected_rows(
    lake: Lake, table: str, *, rule: str | None = None, days: Days | None = None
) -> pl.DataFrame:
    """The quarantined rows of a table, whole, with their rules, file and line."""
    rows = lake.scan("quarantine", table, days=days)
    if rule is not None:
        named = pl.element().str.contains(rule, literal=True)
        rows = rows.filter(pl.col("_rules").list.eval(named).list.any())
    return rows.sort("gaming_day", "_file", LINE, nulls_last=True).collect()


def retry(
    lake: Lake,
    settings: Settings,
    table: str,
    *,
    as_of: dt.datetime,
    rule: str | None = None,
    mapping: Mapping | None = None,
) -> Retried:
    """Reads landed rows in quarantine again, with `mapping` or the one that now lies in the
    landing zone; what can be typed moves to bronze, once, whenever the retry is cut short.

    With a `mapping`, rows that silver rejected are read again from their files too; without, they
    are not touched: cleaning their days again retries them.
    """
    zone = landing_zone(lake)
    with alone(zone, settings.wait_seconds):
        held = rejected_rows(lake, table, rule=rule).filter(
            pl.col("_stage") == STAGE,
            pl.col("_raw").is_not_null(),
            ~pl.col("_file").str.starts_with(TOPIC_PREFIX),
        )
        files = files_of(lake, table)
        parts = [
            part
            for (batch, day), rows in held.group_by(["_batch_id", "gaming_day"])
            for part in _healed(
                rows, files.get(str(batch).split(".")[0] + "."), day, zone, settings, as_of, mapping
            )
        ]
        healed = pl.concat(parts) if parts else None
        if healed is not None and healed.height:
            out_of_quarantine(lake, table, healed)
        days = () if healed is None else tuple(sorted(healed["gaming_day"].unique()))
        done = Retried(table, held.height, 0 if healed is None else healed.height, days)
        _note(lake, done, as_of)
        if mapping is not None:
            every = rejected_rows(lake, table, rule=rule)
            anew, changed = reread(lake, settings, table, every, mapping, as_of)
            done = replace(done, days=tuple(sorted({*days, *changed})), reread=anew)
        return replace(done, made=make_minimal(lake, settings, as_of).days)


def _healed(
    rows: pl.DataFrame,
    file: dict[str, Any] | None,
    day: Any,
    zone: Path,
    settings: Settings,
    as_of: dt.datetime,
    mapping: Mapping | None,
) -> Iterator[pl.DataFrame]:
    if file is None:
        return
    table = file["table_name"]
    used = mapping_from_text(file["mapping"], table)
    place = zone / file["path"]
    now = mapping or (mapping_of(place, zone / table, table) if place.exists() else used)
    c, zone_of_times = contract(table), settings.timezone
    origin = Origin(c, now, file["path"], day, as_of, zone_of_times, file["file_id"])
    raws, starts = rows["_raw"].to_list(), _starts(rows["_raw"].to_list())
    for piece in read_again(raws, header_of(zone, file), used.delimiter, now):
        # A damaged row can swallow its neighbour; only what came out as it went in counts.
        at = [starts.get(line, -1) for line in piece.frame[LINE]]
        same = [
            n >= 0 and raw == raws[n].rstrip("\r\n")
            for n, raw in zip(at, piece.raw(list(range(len(at)))), strict=True)
        ]
        whole = piece.frame.with_columns(pl.Series(LINE, at, dtype=pl.Int64)).filter(
            pl.Series(same, dtype=pl.Boolean)
        )
        numbers = whole[LINE].to_list()
        nth = rows[LINE].gather(numbers).cast(pl.String).alias(NTH)
        if not used.delimiter and now.numbers_rows:
            nth = Places().of(rows[LINE].gather(numbers), (raws[n] for n in numbers))
        whole = whole.with_columns(nth)
        kept = Piece(whole, piece.damaged.clear(), lambda i, n=numbers: [raws[n[k]] for k in i])  # type: ignore[misc]
        yield _identified(kept, origin, rows)


def _identified(piece: Piece, origin: Origin, rows: pl.DataFrame) -> pl.DataFrame:
    """Bronze rows whose batch names the quarantined row that they were: `_batch_id` of the
    file, line, and hash of the raw text. With the quarantine's own columns to find it by."""
    good = judge(piece, origin, keep_line=True).good
    was = rows[good[LINE].to_list()].select("_batch_id", LINE, "_raw", day="gaming_day")
    ids = [
        f"{batch}/{line}.{hashlib.blake2b(raw.encode(), digest_size=6).hexdigest()}"
        for batch, line, raw in was.select("_batch_id", LINE, "_raw").iter_rows()
    ]
    return good.drop(LINE).with_columns(
        pl.Series("_batch_id", ids, dtype=pl.String),
        pl.Series("_was_batch", was["_batch_id"]),
        pl.Series("_was_line", was[LINE]),
        pl.Series("_was_raw", was["_raw"]),
        pl.Series("_was_day", was["day"]),
    )


def _starts(raws: list[str]) -> dict[int, int]:
    """Line on which each text begins when all stand below each other → its number."""
    lengths = [raw.count("\n") + 1 for raw in raws]
    firsts = itertools.accumulate(lengths[:-1], initial=1)
    return {line: n for n, line in enumerate(firsts)}


def out_of_quarantine(
    lake: Lake, table: str, healed: pl.DataFrame, *, told_by: str = "_batch_id"
) -> None:
    """To bronze first, then out of quarantine: rows of bronze with the batch, line, text and day
    that they have there (`_was_batch`, `_was_line`, `_was_raw`, `_was_day`). A row that bronze has
    already, by the column that tells them apart, is not added."""
    commit = Commit("retry", f"bronze/{table}", CODE_VERSION)
    landed: list[dt.date] = healed["gaming_day"].unique().sort().to_list()
    days = (landed[0], landed[-1])
    for home, rows in told_apart(door_of(table), healed).items():
        there = lake.scan("bronze", home, days=days, columns=[told_by]).collect()
        new = rows.filter(~pl.col(told_by).is_in(there[told_by].implode()))
        if new.height:
            lake.append("bronze", home, new.drop(pl.selectors.starts_with("_was_")), commit=commit)
    gone = healed.select(_batch_id="_was_batch", _line="_was_line", _raw="_was_raw")

    def kept(stored: pl.LazyFrame) -> pl.DataFrame:
        landed = stored.filter(_stage=STAGE).join(
            gone.lazy(), on=["_batch_id", LINE, "_raw"], how="anti"
        )
        return pl.concat([landed, stored.filter(pl.col("_stage") != STAGE)]).collect()

    # Events may be rejected meanwhile: what is kept is looked up again then.
    for day in sorted(healed["_was_day"].unique()):
        lake.rebuild("quarantine", table, kept, commit=commit, days=(day, day))


def _note(lake: Lake, done: Retried, as_of: dt.datetime) -> None:
    file = LandedFile(Path(), door_of(done.table), "", 0, 0)
    facts = {
        "rows": done.tried,
        "bronze_rows": done.healed,
        "quarantine_rows": done.tried - done.healed,
        "gaming_days": " ".join(d.isoformat() for d in done.days),
    }
    record(lake, "retried", f"{done.table}:retry:{as_of.isoformat()}", file, as_of, facts)
