"""A lake with a landing zone, for the tests of ingestion."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from lakehouse.contracts import stored_as
from lakehouse.ingest.files.run import IngestReport, ingest
from lakehouse.ingest.files.zone import DONE
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Lake

AS_OF = dt.datetime(2025, 2, 1, 20, tzinfo=dt.UTC)
LANDING_DAY = dt.date(2025, 2, 1)
CAGE = "financial_txn"
HEADER = "transaction_id,transaction_timestamp,amount"


def lake_at(folder: Path, **settings: object) -> tuple[Lake, Settings]:
    chosen = load_settings(root=str(folder / "lake"), source="landing", **settings)
    return Lake.open(chosen), chosen


def drop(lake: Lake, name: str, content: str | bytes) -> Path:
    """A complete file, dropped into the zone by hand."""
    path = Path(lake.root) / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.with_name(path.name + DONE).touch()
    return path


def files_correct_each_other(lake: Lake, table: str = CAGE) -> None:
    mapped(lake, 'on_same_key = "replace"\n', table)


def mapped(lake: Lake, mapping: str, table: str = CAGE) -> None:
    """The mapping of all files of a table."""
    place = Path(lake.root) / "landing" / table / "mapping.toml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(mapping)


def take_in(lake: Lake, settings: Settings) -> IngestReport:
    return ingest(lake, settings, as_of=AS_OF)


def up_to_silver(patch: pytest.MonkeyPatch, *tables: str) -> None:
    """Commands derive no mart, and of these tables alone: for tests of what becomes of their
    landed rows, at a fraction of the time."""
    deriving(patch, " or ".join(f"key:bronze/{t} or key:silver/{t}" for t in tables))


def deriving(patch: pytest.MonkeyPatch, tables: str) -> None:
    """Commands derive these tables of all."""
    from igaming_assets import running

    every = running._job
    patch.setattr(running, "_job", lambda defs, select: every(defs, select or tables))


def cage_row(number: int, amount: str = "1.00", hour: int = 12) -> str:
    return f"t{number},2025-01-05T{hour:02}:00:00-08:00,{amount}"


def cage_csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def bronze(lake: Lake, *columns: str, table: str = CAGE) -> list[tuple[object, ...]]:
    return lake.scan("bronze", table, columns=columns).collect().sort(columns).rows()


def quarantined(lake: Lake, *columns: str, table: str = CAGE) -> list[tuple[object, ...]]:
    """Rows of its files that could not be read, in whichever of the tables they are."""
    held = pl.concat(lake.scan("quarantine", name) for name in stored_as(table))
    rows = held.filter(pl.col("_stage") == "ingest")
    return rows.sort("_file", "_line").select(columns).collect().rows()
