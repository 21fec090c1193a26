"""Whether all that landed came in: files that were refused, and rows that the ledger counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

from lakehouse.contracts import door_of, stored_as
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.zone import REASON, REJECTED, landing_zone
from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

EVERY_FILE = "every_landed_file_was_read"
EVERY_ROW = "every_landed_row_is_kept"
_REASONS_SHOWN = 20


def landed_tables(settings: Settings) -> list[str]:
    """Tables that take files: those whose source is the landing zone, alone or too."""
    return [t for t in settings.tables("source") if settings.takes_files(t)]


def simulated_tables(settings: Settings) -> list[str]:
    """Tables that the simulator has rows in."""
    return [t for t in settings.tables("source") if settings.simulates(t)]


@declares
def landing_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    """Files are not of a gaming day: what is found of them is said of each day asked for."""
    for table in landed_tables(settings):
        yield Check(
            EVERY_FILE,
            ("bronze", table),
            Family.CONSERVATION,
            "error",
            "Rows of a refused file are missing from every number.",
            "No file of the table lies among the rejected ones.",
            partial(_files_read, table),
            at_once=True,
        )
        # The ledger knows files, and so all rows that came in together.
        together = [("bronze", t) for t in stored_as(door_of(table))]
        yield Check(
            EVERY_ROW,
            ("bronze", table),
            Family.CONSERVATION,
            "error",
            "A landed row that is nowhere was lost.",
            "Rows in files = bronze + quarantine, in the ledger and in the tables.",
            partial(_rows_kept, table),
            tables=tuple(together),
            at_once=True,
        )


def _files_read(table: str, lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    folder = landing_zone(lake) / REJECTED / table
    reasons = sorted(folder.rglob(f"*{REASON}")) if folder.is_dir() else []
    said = [p.read_text(encoding="utf-8").strip() for p in reasons[:_REASONS_SHOWN]]
    found = Judgement(
        not reasons,
        f"{len(reasons):,} files were rejected." if reasons else "Every file was read.",
        float(len(reasons)),
        0.0,
        more={"rejected": len(reasons), "reasons": "; ".join(said)},
    )
    return dict.fromkeys(each_day(days), found)


def _rows_kept(table: str, lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    """Where some rows of the files are restricted, their number follows from what is known of
    the others: then nothing is counted."""
    found = conservation(lake, door_of(table))
    lost = found.said_bronze + found.said_quarantine - found.bronze - found.quarantine
    said = Judgement(
        found.holds,
        "Every landed row is kept." if found.holds else f"{lost:,} landed rows are missing.",
        float(lost),
        0.0,
        failing_rows=abs(lost),
        more={
            "ledger_bronze": found.said_bronze,
            "bronze": found.bronze,
            "ledger_quarantine": found.said_quarantine,
            "quarantine": found.quarantine,
        },
    )
    return dict.fromkeys(each_day(days), said)
