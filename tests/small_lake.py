"""A lake of a few rows, for the tests of what readers see."""

import datetime as dt
from typing import Any

import polars as pl

from lakehouse.contracts import told_apart
from lakehouse.storage import Commit, Lake, stored_schema

COMMIT = Commit(run_id="test", asset="test", code_version="1")
FIRST, LAST = dt.date(2025, 1, 1), dt.date(2025, 1, 3)
DAYS = [FIRST, dt.date(2025, 1, 2), LAST]


def rows(layer: str, table: str, given: dict[str, list[Any]]) -> pl.DataFrame:
    """A stored table's columns: those given, and null."""
    schema = stored_schema(layer, table)
    frame = pl.DataFrame(given, schema={n: schema[n] for n in given})
    return frame.select(
        pl.col(n) if n in given else pl.lit(None, dtype=t).alias(n) for n, t in schema.items()
    )


def put(lake: Lake, layer: str, table: str, given: dict[str, list[Any]]) -> None:
    frame = rows(layer, table, given)
    lake.write_days(layer, table, frame, (FIRST, LAST), commit=COMMIT)


def hand_in(lake: Lake, layer: str, given: dict[str, list[Any]]) -> None:
    """Records of the office, told apart as at the door."""
    for table, frame in told_apart("compliance", rows(layer, "compliance", given)).items():
        lake.write_days(layer, table, frame, (FIRST, LAST), commit=COMMIT)


def fill(lake: Lake) -> None:
    """Play of two patrons, three filings (one a SAR), what staff saw, rejects, one profile."""
    put(
        lake,
        "gold",
        "player_day",
        {
            "player_id": ["P1", "P2", "P1", "P1"],
            "gaming_day": [FIRST, FIRST, DAYS[1], LAST],
            "theo": ["10.00", "2.50", "0.25", "100.00"],
            "visits": [1, 1, 1, 1],
        },
    )
    filed = {
        "report_id": ["R1", "R2", "R3"],
        "report_type": ["CTR", "SAR", "W2G"],
        "player_id": ["P1", "P2", "P1"],
        "gaming_day": [FIRST, FIRST, FIRST],
        "report_timestamp": [dt.datetime(2025, 1, 2, 3, 30, tzinfo=dt.UTC)] * 3,
    }
    hand_in(lake, "bronze", filed)
    hand_in(lake, "silver", filed)
    seen = {
        "observation_id": ["O1"],
        "player_id": ["P2"],
        "kind": ["THRESHOLD_ENQUIRY"],
        "gaming_day": [FIRST],
    }
    put(lake, "silver", "staff_observations", seen)
    rejected = {
        "report_id": ["R4", "R5", "R6"],
        "report_type": [" ctr ", "S.A.R.", None],
        "ssn_hash": ["secret", "secret", "secret"],
        "gaming_day": [FIRST, FIRST, FIRST],
        "_stage": ["silver", "silver", "ingest"],
        "_rules": [["due_date|nullability"], ["report_type|domain"], ["report_type|domain"]],
        "_raw": ["secret", "secret", "secret"],
    }
    hand_in(lake, "quarantine", rejected)
    profile = rows(
        "silver",
        "player_profile",
        {"player_id": ["P1"], "gaming_day": [FIRST], "loyalty_tier": ["Gold"]},
    )
    lake.rebuild("silver", "player_profile", lambda _: profile, commit=COMMIT)
