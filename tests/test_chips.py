"""Chips between tables and cage: bought, carried off, kept, walked off with."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.world import World

DAYS = [dt.date(2025, 1, d) for d in range(1, 7)]


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig())


@pytest.fixture(scope="module")
def clean(world: World) -> dict[str, pl.DataFrame]:
    tables = ("table_games", "financial_txn")
    return {t: pl.concat([world.clean(t, d) for d in DAYS]) for t in tables}


def _cents(frame: pl.DataFrame, kind: str, *names: str) -> dict[str | None, int]:
    rows = frame.filter(pl.col(kind).is_in(names))
    sums = rows.group_by("player_id").agg((pl.col("amount").sum() * 100).cast(pl.Int64))
    return dict(sums.iter_rows())


def test_chips_bought_at_tables_are_the_cages_money(clean: dict[str, pl.DataFrame]) -> None:
    pit, cage = clean["table_games"], clean["financial_txn"]
    at_pit = cage.filter(pl.col("cage_location").str.starts_with("Pit"))
    bought = pit.filter(pl.col("event_type") == "BUY_IN").select("player_id", "amount")
    paid = at_pit.filter(pl.col("transaction_type") == "CHIP_PURCHASE").select(
        "player_id", "amount"
    )
    assert bought.height > 2_000
    assert bought.sort("player_id", "amount").equals(paid.sort("player_id", "amount"))


def test_chips_carried_off_are_redeemed_unless_they_walk(
    world: World, clean: dict[str, pl.DataFrame]
) -> None:
    out = _cents(clean["table_games"], "event_type", "CASH_OUT")
    redeemed = _cents(clean["financial_txn"], "transaction_type", "CHIP_REDEMPTION")
    usual = out.keys() - _walkers(world) - _kept(world).keys()
    assert len(usual) > 0.8 * len(out)
    assert {p: out[p] for p in usual} == {p: redeemed.get(p, 0) for p in usual}


def _walkers(world: World) -> set[str | None]:
    return {
        f"P{q:08d}"
        for d in range(len(DAYS))
        for s in world.scenarios(d)
        if s.kind in ("chip_walking", "pooling", "agent")
        for q in s.players
    }


def _kept(world: World) -> dict[str, list[int]]:
    """Chips that patrons kept by habit, in cents."""
    found: dict[str, list[int]] = {}
    for day in range(len(DAYS)):
        t = day_plan(world, day).tables
        for who, cents in zip(t.player[t.keeps], t.cash_out[t.keeps], strict=True):
            found.setdefault(f"P{who:08d}", []).append(int(cents))
    return found


def test_chips_that_patrons_keep_are_redeemed_whole_on_a_later_day_or_not_yet(
    world: World, clean: dict[str, pl.DataFrame]
) -> None:
    """To the cent; and on the day itself none of them. No more than is carried in a pocket."""
    out = _cents(clean["table_games"], "event_type", "CASH_OUT")
    redeemed = _cents(clean["financial_txn"], "transaction_type", "CHIP_REDEMPTION")
    kept = {p: c for p, c in _kept(world).items() if p not in _walkers(world)}
    still_out = {p: out[p] - redeemed.get(p, 0) for p in kept}
    assert all(cents in _sums(kept[p]) for p, cents in still_out.items())
    assert 0.1 < np.mean([cents < sum(kept[p]) for p, cents in still_out.items()]) < 0.5
    assert 50 < len(kept) < 0.15 * len(out)
    assert 0 < min(map(min, kept.values())) <= max(map(max, kept.values())) <= 150_000


def _sums(cents: list[int]) -> set[int]:
    found = {0}
    for c in cents:
        found |= {c + f for f in found}
    return found


def test_who_keeps_chips_is_told_of_as_honest(world: World) -> None:
    told = world.plants(DAYS[3]).filter(pl.col("plant_id").str.starts_with("habit:"))
    t = day_plan(world, 3).tables
    assert set(told["entity_id"]) == {f"P{q:08d}" for q in t.player[t.keeps]} != set()
    assert told["is_look_alike"].all()
    assert told["intensity"].null_count() == told.height


def test_nobody_keeps_chips_where_nobody_walks_off_with_them() -> None:
    honest = World(WorldConfig(faults=NO_FAULTS))
    assert not any(day_plan(honest, d).tables.walks.any() for d in range(3))
