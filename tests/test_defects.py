"""Dirt comes at its rate, one defect a row, known to the truth, and never where it would
change what the law asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts import PROVENANCE, contract
from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.simulate.compliance import filings
from lakehouse.simulate.faults import defects
from lakehouse.simulate.kernel.clock import settles_after
from lakehouse.simulate.kernel.config import NO_FAULTS, ROWS, Faults, WorldConfig
from lakehouse.simulate.kernel.ids import players
from lakehouse.simulate.kernel.producers import producers
from lakehouse.simulate.world import World

CONFIG = WorldConfig(seed=9)
DAY = 5
KINDS = (
    "retransmit",
    "key_clash",
    "null_required",
    "unknown_code",
    "negative_amount",
    "clock",
    "untidy_text",
    "late",
    "orphan",
)


@pytest.fixture(scope="module")
def world() -> World:
    return World(CONFIG)


def spoiled(world: World, table: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """(clean, dirty, plants)."""
    clean = world.clean(table, world.config.date(DAY))
    dirty = world.frame(table, world.config.date(DAY))
    made = world.plants(world.config.date(DAY))
    return clean, dirty, made.filter(entity_type="row", table_name=table)


@pytest.mark.parametrize("table", ROWS)
def test_counts_stay_exact(world: World, table: str) -> None:
    clean, dirty, _ = spoiled(world, table)
    assert dirty.height == CONFIG.quota(table, DAY)
    assert dirty.height == clean.height + defects.added(CONFIG, table, DAY)
    assert dirty.schema == clean.schema


@pytest.mark.parametrize("table", ROWS)
def test_the_truth_names_every_changed_row_and_no_other(world: World, table: str) -> None:
    clean, dirty, plants = spoiled(world, table)
    changed = clean.height - clean.join(dirty, on=clean.columns, nulls_equal=True).height
    edited = plants.filter(~pl.col("kind").is_in(["retransmit", "key_clash"]))
    assert edited.height == changed
    assert plants["row_key"].n_unique() == plants.height
    assert plants["plant_id"].n_unique() == plants.height
    key = contract(table).key[0]
    assert set(plants["row_key"]) <= set(dirty[key])


def test_without_faults_nothing_changes() -> None:
    clean_world = World(replace(CONFIG, faults=NO_FAULTS))
    clean, dirty, plants = spoiled(clean_world, "table_games")
    assert dirty.equals(clean)
    assert plants.is_empty()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_comes_at_its_rate(kind: str) -> None:
    world = World(replace(CONFIG, faults=replace(NO_FAULTS, **{kind: 0.02})))
    table = "shop_actions" if kind == "missing_time" else "financial_txn"
    _, _, plants = spoiled(world, table)
    expected = 0.02 * CONFIG.quota(table, DAY)
    assert plants["kind"].unique().to_list() == [kind]
    assert abs(plants.height - expected) <= 1.5


def edits(world: World, table: str, kind: str) -> pl.DataFrame:
    """Rows of one kind: the dirty row beside the clean one (suffix _clean)."""
    clean, dirty, plants = spoiled(world, table)
    key = contract(table).key[0]
    hit = plants.filter(pl.col("kind") == kind).select(
        pl.col("row_key").alias(key), "expected_rule"
    )
    return hit.join(dirty, on=key).join(clean, on=key, suffix="_clean")


@pytest.mark.parametrize("table", ["slot_telemetry", "table_games", "financial_txn"])
def test_skewed_clocks_leave_the_gaming_day(world: World, table: str) -> None:
    time = contract(table).event_time
    found = edits(world, table, "clock")
    apart = (found[time] - found[f"{time}_clean"]).dt.total_hours().abs()
    assert len(apart) > 0
    assert (apart >= 48).all()


def test_negative_amounts_are_the_amount_negated(world: World) -> None:
    found = edits(world, "slot_telemetry", "negative_amount")
    assert len(found) > 0
    for row in found.to_dicts():
        column = row["expected_rule"].removesuffix("|min")
        assert row[column] == -row[f"{column}_clean"] < 0


def test_untidy_text_says_the_same(world: World) -> None:
    found = edits(world, "table_games", "untidy_text")
    texts = [
        c for c, t in world.clean("table_games", CONFIG.date(DAY)).schema.items() if t == pl.String
    ]
    for column in set(texts) - set(PROVENANCE) - {"event_id"}:
        tidy = found[column].str.strip_chars().str.to_lowercase()
        assert tidy.equals(found[f"{column}_clean"].str.to_lowercase().alias(column))


@pytest.mark.parametrize("faults", [True, False])
def test_the_last_rows_of_a_day_come_when_it_has_settled(faults: bool) -> None:
    """To the minute: a day that is made from then on is whole."""
    config = CONFIG if faults else replace(CONFIG, faults=NO_FAULTS)
    world, date = World(config), config.date(DAY)
    frames = [world.frame(table, date) for table in producers()]
    known = pl.concat([f["_ingested_at"] for f in frames if "_ingested_at" in f.columns])
    late = dt.timedelta(days=3, minutes=5) if faults else dt.timedelta(minutes=5)
    assert known.max() == day_bounds(date, config.timezone)[1] + late
    assert settles_after(faults=faults) == late


def test_late_rows_differ_in_nothing_but_when_they_became_known(world: World) -> None:
    found = edits(world, "slot_telemetry", "late")
    wait = found["_ingested_at"] - found["_ingested_at_clean"]
    assert set(wait.dt.total_days()) == {1, 2, 3}


def test_orphans_are_nobody(world: World) -> None:
    found = edits(world, "slot_telemetry", "orphan")
    assert (found["player_id"] >= "P99000000").all()
    assert found["player_id_clean"].null_count() == 0


def test_retransmits_are_equal_but_for_their_batch(world: World) -> None:
    _, dirty, plants = spoiled(world, "slot_telemetry")
    again = plants.filter(pl.col("kind") == "retransmit")["row_key"]
    rows = dirty.filter(pl.col("event_id").is_in(again.implode()))
    assert rows.height == 2 * len(again)
    assert rows.unique([c for c in rows.columns if c not in PROVENANCE]).height == len(again)


def test_key_clashes_differ(world: World) -> None:
    _, dirty, plants = spoiled(world, "slot_telemetry")
    clash = plants.filter(pl.col("kind") == "key_clash")["row_key"]
    rows = dirty.filter(pl.col("event_id").is_in(clash.implode()))
    assert len(clash) > 0
    assert rows.unique([c for c in rows.columns if c not in PROVENANCE]).height == 2 * len(clash)


def losing(plants: pl.DataFrame) -> pl.Series:
    kept = ["late", "untidy_text", "retransmit"]
    return plants.filter(~pl.col("kind").is_in(kept))["row_key"]


def test_nobody_who_is_named_loses_the_days_profile(world: World) -> None:
    _, _, plants = spoiled(world, "player_profile")
    named = players(np.union1d(world.named(DAY), filings.persons(world, DAY)))
    assert not losing(plants).is_in(named.implode()).any()


def test_reported_currency_is_never_lost(world: World) -> None:
    clean, _, plants = spoiled(world, "financial_txn")
    obliged = players(filings.obliged(world, DAY))
    rows = clean.filter(pl.col("player_id").is_in(obliged.implode()))["transaction_id"]
    assert len(rows) > 0
    assert not losing(plants).is_in(rows.implode()).any()


@pytest.mark.parametrize("table", [t for t in producers() if defects.is_harmless(t)])
def test_tables_of_consequences_only_heal(table: str) -> None:
    many = Faults(*[0.05] * len(KINDS), misconduct=3.0)
    world = World(replace(CONFIG, faults=many))
    _, _, plants = spoiled(world, table)
    assert losing(plants).is_empty()


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 2**62), day=st.integers(0, 40), rows=st.sampled_from([0, 30, 400, 5_000])
)
def test_a_day_is_spoiled_the_same_way_alone(seed: int, day: int, rows: int) -> None:
    config = WorldConfig(seed=seed, rows={"security_events": rows})
    one, two = (World(config).frame("security_events", config.date(day)) for _ in range(2))
    assert one.equals(two)
    assert one.height == config.quota("security_events", day)
