"""Rows that an alert rests on: those of its evidence's numbers and gaming days, and no others."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest
from alert_rows import DAY, alert, store
from deltalake import DeltaTable, Field, Schema

from lakehouse.serve.alerts import desk
from lakehouse.serve.pages.alerts import _rows_of
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.reports.render import as_text
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake, stored_schema

BEFORE = DAY - dt.timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=str(tmp_path / "lake"))


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """Event 1 of the day and of the one before, of 2 and 1 dollar."""
    made = Lake.open(settings)
    given = {"event_id": ["1", "1"], "gaming_day": [BEFORE, DAY], "coin_in": [1, 2]}
    shape = stored_schema("silver", "slot_telemetry")
    rows = pl.DataFrame(given).select(
        (pl.col(c) if c in given else pl.lit(None)).cast(t).alias(c) for c, t in shape.items()
    )
    commit = Commit("r", "silver/slot_telemetry", "1")
    made.write_days("silver", "slot_telemetry", rows, (BEFORE, DAY), commit=commit)
    return made


@pytest.mark.parametrize(
    ("of", "coins"), [(0, [2]), (-1, [1]), (None, [1, 2])], ids=["of the day", "before", "unsaid"]
)
def test_a_row_is_of_its_number_and_day(
    lake: Lake, settings: Settings, of: int | None, coins: list[int]
) -> None:
    """Alerts of older lakes say no day: then it is each of those in the window."""
    named = None if of is None else DAY + dt.timedelta(of)
    evidence = {"table_name": "slot_telemetry", "record_id": "1", "gaming_day": named}
    store(lake, alert("SLOT-0001", window_start=BEFORE, evidence=[evidence]))
    asked = alert("SLOT-0001", window_start=BEFORE)
    found = desk.find(lake, asked["alert_id"])
    by_desk = desk.source_rows(lake, found)["silver.slot_telemetry"]
    figure = _rows_of("slot_telemetry", asked)
    on_the_page = Asking(lake, settings).answer(figure, {"alert": asked["alert_id"]})
    for told in (by_desk, on_the_page):
        assert sorted(int(c) for c in told["coin_in"]) == coins


def test_evidence_is_shown_as_json_whatever_it_lacks() -> None:
    rows = [{"table_name": "t", "record_id": "1", "gaming_day": day} for day in (DAY, None)]
    assert as_text(pl.DataFrame({"evidence": [rows]})).item() == (
        '{"table_name":"t","record_id":"1","gaming_day":"2025-01-03"}; '
        '{"table_name":"t","record_id":"1","gaming_day":null}'
    )


def test_fields_that_evidence_gained_are_added_without_a_rewrite(lake: Lake) -> None:
    """A lake made before alerts named days, with a comment of that time: it reads as it is, and
    takes new alerts beside."""
    store(lake, alert("SLOT-0001", BEFORE))
    address = lake.uri("gold", "anomalies")
    before = pl.List(pl.Struct({"table_name": pl.String, "record_id": pl.String}))
    old = lake.scan("gold", "anomalies").collect().with_columns(pl.col("evidence").cast(before))
    fields = {f.name: f for f in Schema.from_arrow(old.to_arrow().schema).fields}
    fields["evidence"] = Field("evidence", fields["evidence"].type, metadata={"comment": "Rows."})
    shutil.rmtree(address)
    DeltaTable.create(address, Schema([*fields.values()]), partition_by=["gaming_day"])
    old.write_delta(address, mode="append")

    def days_named() -> list[dt.date | None]:
        found = lake.scan("gold", "anomalies").sort("gaming_day").collect()
        asked = "SELECT unnest(evidence, recursive := true) FROM gold.anomalies ORDER BY gaming_day"
        with Catalog(lake) as catalog:
            by_sql = catalog.frame(asked)["gaming_day"].to_list()
        assert by_sql == [row["gaming_day"] for rows in found["evidence"] for row in rows]
        return by_sql

    lake = Lake(lake.root)
    assert days_named() == [None]
    files = set(lake.table("gold", "anomalies").file_uris())
    rows = pl.DataFrame([alert("SLOT-0001")], schema=stored_schema("gold", "anomalies"))
    lake.write_days("gold", "anomalies", rows, (DAY, DAY), commit=Commit("r", "gold/x", "1"))
    assert days_named() == [None, DAY]
    assert files < set(lake.table("gold", "anomalies").file_uris())
