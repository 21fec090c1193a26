"""Malformed files landed together in one lake: what became of their rows, up to silver."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.inference.writing import written
from lakehouse.ingest.files.mapping_files import MAPPING_SUFFIX
from lakehouse.ingest.files.run import IngestReport
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.quality.conformance import conservation as of_days
from lakehouse.settings import Settings
from lakehouse.storage import Lake
from tests.fuzzing import MARKER, Tally
from tests.landed import CAGE, drop, lake_at, take_in
from tests.malformed import FORMS, MAPPINGS, Malformed, malformed, plain_text
from tests.small_lake import COMMIT

PROFILE = "player_profile"


def as_toml(mapping: dict[str, Any]) -> str:
    return "".join(f"{name} = {written(value)}\n" for name, value in mapping.items())


def fuzz_lake(numbers: range, folder: Path) -> Tally:
    """Lands the files of these numbers, two snapshots of a kind in one folder, and makes profiles
    of the patrons whom they name."""
    lake, settings = lake_at(folder, orphans={CAGE: "create_minimal"})
    files = {}
    for number in numbers:
        made = malformed(number)
        files[_dropped(lake, number, made)] = made
    report = take_in(lake, settings)
    landed = [o for o in report.outcomes if o.state != "made"]
    tally = Tally(len(landed), len(report.of("rejected")))
    for o in report.of("ingested"):
        tally.good += o.bronze_rows
        tally.bad += o.quarantine_rows
        tally.left_out += o.left_out_rows
        if o.rows != o.bronze_rows + o.quarantine_rows + o.left_out_rows:
            tally.fault(f"{o.name} has {o.rows} rows that are not told")
    wrong = {o.name: o.state for o in landed if o.state not in ("ingested", "rejected")}
    for name, state in wrong.items():
        tally.fault(f"{name} is {state}")
    _judge_rows(lake, report, files, tally)
    tally.made = sum(o.bronze_rows for o in report.of("made"))
    for table in (PROFILE, CAGE):
        _judge_silver(lake, settings, table, tally)
    return tally


def _dropped(lake: Lake, number: int, made: Malformed) -> str:
    pair = f"pair{number // len(FORMS) // 2}/" if MAPPINGS[made.form].get("snapshot") else ""
    name = f"{CAGE}/{pair}{made.name}"
    drop(lake, f"{name}{MAPPING_SUFFIX}", as_toml(MAPPINGS[made.form]))
    drop(lake, name, made.content)
    return name


def _judge_rows(
    lake: Lake, report: IngestReport, files: dict[str, Malformed], tally: Tally
) -> None:
    """Row marks of files that were taken in, but for those that the mapping does not want and
    those that a later snapshot replaced."""
    ended = [o.name for o in report.of("ingested") if "where" not in MAPPINGS[files[o.name].form]]
    last = {name.rpartition("/")[0]: name for name in ended}
    bronze = lake.scan("bronze", CAGE).select(
        pl.concat_str(pl.all().cast(pl.String), ignore_nulls=True)
    )
    kept = " ".join(
        [
            *bronze.collect().to_series(),
            *lake.scan("quarantine", CAGE).select("_raw").collect().to_series().drop_nulls(),
        ]
    )
    there = {m.decode() for m in MARKER.findall(kept.encode())}
    for name in ended:
        if "/pair" not in name or last[name.rpartition("/")[0]] == name:
            text = plain_text(files[name].form, files[name].content)
            lost = {m.decode() for m in MARKER.findall(text)} - there
            if lost:
                tally.fault(f"{name} lost {sorted(lost)}")
    if not conservation(lake, CAGE).holds:
        tally.fault(f"the ledger of {min(files)} to {max(files)} is wrong")


def _judge_silver(lake: Lake, settings: Settings, table: str, tally: Tally) -> None:
    held = lake.partitions("bronze", table)["gaming_day"].drop_nulls()
    first, last = held.min(), held.max()
    if not isinstance(first, dt.date) or not isinstance(last, dt.date):
        return
    refresh_silver(lake, settings, table, (first, last), COMMIT)
    if of_days(lake, table, (first, last))["lost"].sum():
        tally.fault(f"silver.{table} lost rows")
    rules = lake.scan("quarantine", table).select(pl.col("_rules").explode()).collect()["_rules"]
    if "player_id|orphan" in rules:
        tally.fault(f"a patron of {table} has no profile")
    if not conservation(lake, table).holds:
        tally.fault(f"the ledger of {table} is wrong")
