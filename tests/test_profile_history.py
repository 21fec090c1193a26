"""Versions of profiles: the same history, whatever the order in which days arrive."""

import datetime as dt
import functools
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lakehouse.storage import Commit, Lake, stored_schema
from lakehouse.storage.history import history as history_by
from lakehouse.storage.history import upsert_history as upsert_history_by

D1, D2, D3, D4 = (dt.date(2025, 1, d) for d in (1, 2, 3, 4))
TABLE = "player_profile"
SCHEMA = stored_schema("silver", TABLE)
EXTRACT = [n for n in SCHEMA if n not in ("valid_from", "valid_to", "is_current")]
history = functools.partial(history_by, key=["player_id"])
upsert_history = functools.partial(upsert_history_by, TABLE)
NONE_YET = pl.LazyFrame(schema=SCHEMA)


def extract(*rows: tuple[str, dt.date, str]) -> pl.DataFrame:
    """Rows of (player, day, tier); all else is null."""
    found = {n: SCHEMA[n] for n in ("player_id", "gaming_day", "loyalty_tier")}
    frame = pl.DataFrame(rows, schema=found, orient="row")
    return frame.with_columns(
        pl.lit(None, SCHEMA[n]).alias(n) for n in EXTRACT if n not in found
    ).select(EXTRACT)


def versions(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.select("player_id", "loyalty_tier", "valid_from", "valid_to", "is_current").rows()


def test_each_extract_holds_until_the_next_of_that_player():
    rows = extract(("P2", D2, "Gold"), ("P1", D3, "Gold"), ("P1", D1, "Silver"))
    assert versions(history(rows.lazy())) == [
        ("P1", "Silver", D1, D3, False),
        ("P1", "Gold", D3, None, True),
        ("P2", "Gold", D2, None, True),
    ]


def test_a_late_day_closes_the_version_before_it():
    before = history(extract(("P1", D1, "Silver"), ("P1", D3, "Gold")).lazy())
    after = upsert_history(before.lazy(), extract(("P1", D2, "Bronze")), (D2, D2))
    assert versions(after) == [
        ("P1", "Silver", D1, D2, False),
        ("P1", "Bronze", D2, D3, False),
        ("P1", "Gold", D3, None, True),
    ]


def test_a_day_run_again_replaces_its_versions():
    before = history(extract(("P1", D1, "Silver"), ("P1", D2, "Gold"), ("P2", D2, "Gold")).lazy())
    after = upsert_history(before.lazy(), extract(("P2", D2, "Diamond")), (D2, D2))
    assert versions(after) == [("P1", "Silver", D1, None, True), ("P2", "Diamond", D2, None, True)]


def test_no_rows_empty_their_days_only():
    before = history(extract(("P1", D1, "Silver"), ("P1", D2, "Gold"), ("P1", D3, "Gold")).lazy())
    after = upsert_history(before.lazy(), extract(), (D1, D2))
    assert versions(after) == [("P1", "Gold", D3, None, True)]


def test_history_has_the_stored_shape():
    made = upsert_history(NONE_YET, extract(("P1", D1, "Gold")), (D1, D1))
    assert made.schema == SCHEMA


DAYS = [D1, D2, D3, D4]
PLAYERS = st.sampled_from(["P1", "P2", "P3", "p1", "P\u00e9"])


@st.composite
def runs(draw: st.DrawFn) -> tuple[dict[dt.date, pl.DataFrame], list[list[dt.date]]]:
    """A last extract for each day, and runs of days in a row, of which some run again, in an order
    in which every day occurs."""
    tiers = st.dictionaries(PLAYERS, st.sampled_from(["Gold", "Silver", None]))
    last = {day: extract(*((p, day, t) for p, t in draw(tiers).items())) for day in DAYS}
    parts = st.tuples(st.integers(0, 3), st.integers(1, 4)).map(lambda p: DAYS[p[0] : sum(p)])
    again = draw(st.lists(parts, max_size=4))
    return last, draw(st.permutations([*([d] for d in DAYS), *again]))


@pytest.mark.slow
@given(runs())
@settings(max_examples=25, deadline=None)
def test_days_in_any_order_and_again_give_one_history(case):
    last, order = case
    table = NONE_YET
    for i, run in enumerate(order):
        later = {day for after in order[i + 1 :] for day in after}
        rows = pl.concat(
            extract(("P1", day, "Diamond"), ("P4", day, "Bronze")) if day in later else last[day]
            for day in run
        )
        table = upsert_history(table, rows, (run[0], run[-1])).lazy()
    at_once = upsert_history(NONE_YET, pl.concat(last.values()), (D1, D4))
    assert_frame_equal(table.collect(), at_once)
    assert_frame_equal(at_once, history(pl.concat(last.values()).lazy()))


@pytest.mark.parametrize("order", [(D1, D2, D3), (D3, D1, D2), (D2, D3, D1, D2)])
def test_the_stored_table_is_the_same_after_any_order(tmp_path, order):
    lake = Lake(str(tmp_path))
    by = Commit("run", "silver/player_profile", "v")
    for day in order:
        rows = extract(("P1", day, "Gold"))

        def build(existing: pl.LazyFrame, rows=rows, day=day) -> pl.DataFrame:
            return upsert_history(existing, rows, (day, day))

        lake.rebuild("silver", TABLE, build, commit=by)
    stored = lake.scan("silver", TABLE).collect().sort("valid_from")
    assert versions(stored) == [
        ("P1", "Gold", D1, D2, False),
        ("P1", "Gold", D2, D3, False),
        ("P1", "Gold", D3, None, True),
    ]


def test_versions_follow_the_tables_own_key(tmp_path: Path) -> None:
    """Accounts name patrons, and two of them none: each has versions of its own."""
    lake, by = Lake(str(tmp_path / "lake")), Commit("run", "test", "1")
    schema = stored_schema("silver", "online_accounts")
    told = [("A1", D1, "P1"), ("A2", D1, None), ("A1", D2, "P1"), ("A3", D2, None)]
    found = {n: schema[n] for n in ("account_id", "gaming_day", "player_id")}
    rows = pl.DataFrame(told, schema=found, orient="row").with_columns(
        pl.lit(None, t).alias(n) for n, t in schema.items() if n not in found
    )
    extracted = rows.drop("valid_from", "valid_to", "is_current").select(
        n for n in schema if n not in ("valid_from", "valid_to", "is_current")
    )
    lake.write_days("silver", "online_accounts", extracted, (D1, D2), commit=by)
    kept = lake.scan("silver", "online_accounts").collect()
    assert sorted(kept.select("account_id", "valid_from", "valid_to").rows(), key=str) == sorted(
        [("A1", D1, D2), ("A1", D2, None), ("A2", D1, None), ("A3", D2, None)], key=str
    )
