"""Security events follow people: arrivals, shifts, hand-pays, excluded patrons."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.simulate.floor import layout, rota, security
from lakehouse.simulate.floor.cage_cash import hand_pays_on
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel import person
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.kernel.ids import players
from lakehouse.simulate.world import World

DAYS = range(3)


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(seed=5, faults=NO_FAULTS))


@pytest.fixture(scope="module")
def events(world: World) -> pl.DataFrame:
    return pl.concat([happened(world, d) for d in DAYS])


def happened(world: World, day: int) -> pl.DataFrame:
    return security.dress(world.config, security.rows_of(world, day))


def of(events: pl.DataFrame, *kinds: str) -> pl.DataFrame:
    return events.filter(pl.col("event_type").is_in(kinds))


def test_counts_are_exact(world: World, events: pl.DataFrame) -> None:
    made = [len(events.filter(gaming_day=world.config.date(d))) for d in DAYS]
    assert made == [world.config.quota("security_events", d) for d in DAYS]
    assert events["event_id"].n_unique() == events.height


def test_events_keep_their_contract(events: pl.DataFrame) -> None:
    assert contract("security_events").schema.is_valid(events, cast=True)


def test_checks_are_at_the_moment_of_arrival(world: World, events: pl.DataFrame) -> None:
    checks = of(events, "EXCLUSION_CHECK").filter(gaming_day=world.config.date(1))
    v = day_plan(world, 1).visits
    arrivals = pl.DataFrame(
        {
            "player_id": players(v.player),
            "event_timestamp": pl.Series(world.utc(1, v.start)).cast(pl.Datetime("us", "UTC")),
        }
    ).drop_nulls()
    assert checks.height > 100
    assert checks.join(arrivals, on=["player_id", "event_timestamp"], how="anti").is_empty()


def test_badges_are_read_within_their_owners_shift(world: World, events: pl.DataFrame) -> None:
    swipes = of(events, "BADGE_SWIPE", "DOOR_ENTRY", "ACCESS_DENIED").filter(
        gaming_day=world.config.date(0)
    )
    n = world.config.table_count
    dealers = swipes.filter(pl.col("employee_id").str.starts_with("DLR-"))
    index = dealers["employee_id"].str.slice(4).cast(pl.Int64).to_numpy() - 1
    opened = dt.datetime(2025, 1, 1, 14, tzinfo=dt.UTC)  # 06:00 in Los Angeles
    second = (dealers["event_timestamp"] - opened).dt.total_seconds().to_numpy()
    assert len(index) > 50
    assert (index // n == layout.shift_of(second)).all()


def test_a_refused_badge_says_why_and_is_rare(events: pl.DataFrame) -> None:
    denied = of(events, "ACCESS_DENIED")
    assert denied["access_denied_reason"].null_count() == 0
    assert not denied["access_granted"].any()
    assert 0 < denied.height < 0.03 * events.height


def test_each_big_hand_pay_has_its_escort() -> None:
    world = World(WorldConfig(seed=3, faults=NO_FAULTS))
    paid, escorts = [], []
    for day in range(10):
        pays = hand_pays_on(world, day)
        big = pays.cents >= security.ESCORT_CENTS
        second = np.minimum(pays.paid[big] + 120, 86_399)
        paid += zip(players(pays.player[big]).to_list(), world.utc(day, second), strict=True)
        made = of(happened(world, day), "ESCORT_REQUEST")
        at = made["event_timestamp"].to_physical()
        escorts += zip(made["player_id"].to_list(), at.to_list(), strict=True)
    assert sorted(escorts) == sorted(paid)
    assert escorts


def test_excluded_patrons_are_met_only_as_violators() -> None:
    """Planted self-excluded play: the doors missed them, the guards found them."""
    world = World(WorldConfig(seed=11, faults=Faults(misconduct=4.0)))
    found = []
    planted = [d for d in range(60) if "self_excluded_play" in {s.kind for s in world.scenarios(d)}]
    for day in planted[:3]:
        made = happened(world, day)
        v = day_plan(world, day).visits
        inside = v.player[person.excluded(world.config, v.player, day)]
        met = of(made, "EXCLUSION_VIOLATION")
        assert sorted(met["player_id"]) == sorted(players(inside))
        checked = of(made, "EXCLUSION_CHECK")["player_id"]
        assert not checked.is_in(players(inside).implode()).any()
        found += met["player_id"].to_list()
    assert found


def test_guards_on_duty_are_of_the_shift(world: World) -> None:
    noon, night = np.array([6 * 3600]), np.array([20 * 3600])
    h = np.array([2**63], dtype=np.uint64)
    n = rota.guards(world.config)
    assert rota.guard_on_duty(world.config, noon, h)[0] <= f"EMP-{rota.FIRST_GUARD + n:04d}"
    assert rota.guard_on_duty(world.config, night, h)[0] > f"EMP-{rota.FIRST_GUARD + 2 * n:04d}"


def test_a_day_is_the_same_alone(world: World) -> None:
    again = World(WorldConfig(seed=5, faults=NO_FAULTS))
    assert happened(again, 2).equals(happened(world, 2))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1, 30])
def test_small_volumes_keep_their_count(rows: int) -> None:
    world = World(WorldConfig(rows={"security_events": rows}, faults=NO_FAULTS))
    assert sum(happened(world, d).height for d in range(30)) == rows
    assert happened(world, 0).height == world.config.quota("security_events", 0)
