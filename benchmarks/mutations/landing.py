"""Defects of what lands: files that nobody read, rows that no file had, rows that were rejected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mutations.defects import DERIVED
from benchmarks.mutations.judged import COMMIT, Verdict, judged, open_verdicts
from benchmarks.mutations.rows import framed, sound_row
from lakehouse.contracts import contract, door_of, stored_as
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX
from lakehouse.ingest.files.run import ingest
from lakehouse.ingest.files.zone import DONE, REASON, REJECTED, landing_zone
from lakehouse.quality.landing_checks import EVERY_FILE, EVERY_ROW, landed_tables
from lakehouse.quality.rejection import CHECK
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

ROW_DAY, REJECTED_DAY = dt.date(2025, 1, 8), dt.date(2025, 1, 9)
DAYS: Days = (ROW_DAY, dt.date(2025, 1, 10))
FILE = "transaction_id,transaction_timestamp,amount\n" + "".join(
    f"t{n},2025-01-05T12:00:00-08:00,1.00\n" for n in range(10)
)


@dataclass(frozen=True)
class Landed:
    """`fails`: address of a check → the days on which it does. Of files every day tells: they
    are of none."""

    defect: str
    table: str
    fails: Mapping[str, tuple[dt.date, ...]]


def landing_settings(folder: Path, **more: Any) -> Settings:
    return Settings(
        root=str(folder / "lake"),
        source="landing",
        start=dt.date(2025, 1, 1),
        expectations=folder / "none",
        data_docs=folder / "docs",
        **more,
    )


def landing_mutations(settings: Settings) -> Iterator[Landed]:
    every = tuple(each_day(DAYS))
    for table in landed_tables(settings):
        refused = {f"bronze/{table}:{EVERY_FILE}": every}
        yield Landed("A file lies among the rejected ones", table, refused)
        # One ledger counts the rows of all tables that a file's rows are stored in.
        mates = {f"bronze/{t}:{EVERY_ROW}": every for t in stored_as(door_of(table))}
        behind = {f"silver/{table}:conservation": (ROW_DAY,), DERIVED: (ROW_DAY,)}
        yield Landed("A landed row is in bronze that no file had", table, mates | behind)
        if not contract(table).is_restricted:
            names = (CHECK, "conservation")
            rejected = {f"silver/{table}:{name}": (REJECTED_DAY,) for name in names}
            yield Landed("A landed row was rejected that bronze does not have", table, rejected)


def landing_trial(folder: Path) -> tuple[set[Verdict], set[Verdict]]:
    """What must fail once everything above is planted in one lake, and what does that had not."""
    settings = landing_settings(folder)
    lake = Lake.open(settings)
    zone = landing_zone(lake)
    cage = zone / "financial_txn" / "a.csv"
    cage.parent.mkdir(parents=True)
    cage.write_text(FILE)
    cage.with_name(cage.name + DONE).touch()
    ingest(lake, settings, as_of=dt.datetime(2025, 2, 1, 20, tzinfo=dt.UTC))
    judged(settings, days=DAYS)
    before = open_verdicts(settings, DAYS)
    wanted: set[Verdict] = set()
    for one in landing_mutations(settings):
        wanted |= {(check, day) for check, days in one.fails.items() for day in days}
    for table in landed_tables(settings):
        _plant(lake, zone, table)
    judged(settings, days=DAYS)
    return wanted, set(open_verdicts(settings, DAYS)) - set(before)


def _plant(lake: Lake, zone: Path, table: str) -> None:
    refused = zone / REJECTED / table / f"b.csv{REASON}"
    refused.parent.mkdir(parents=True, exist_ok=True)
    refused.write_text("not read")
    landed = {"_source": f"{SOURCE_PREFIX}b.csv"}
    row = framed("bronze", table, [sound_row("bronze", table, ROW_DAY) | landed])
    lake.write_days("bronze", table, row, (ROW_DAY, ROW_DAY), commit=COMMIT)
    if contract(table).is_restricted:
        return
    why = {"_stage": "silver", "_rules": ["made"]}
    gone = framed(
        "quarantine", table, [sound_row("quarantine", table, REJECTED_DAY) | landed | why]
    )
    lake.write_days("quarantine", table, gone, (REJECTED_DAY, REJECTED_DAY), commit=COMMIT)
