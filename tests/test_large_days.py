"""Days that are too large to be made at one go: the same rows in stretches, whatever the table,
and no second such day in memory."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lakehouse.simulate.kernel import producers as registry
from lakehouse.simulate.kernel.addresses import addresses
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.ids import hexadecimal
from lakehouse.simulate.kernel.memory import asked_last, by_day, in_work
from lakehouse.simulate.world import World

DAY = dt.date(2025, 1, 16)
STRETCH = 60
CONFIG = WorldConfig(seed=3)


def large(monkeypatch: pytest.MonkeyPatch, config: WorldConfig = CONFIG) -> World:
    monkeypatch.setattr(registry, "STRETCH_ROWS", STRETCH)
    found = World(config)
    assert found.block == 1
    return found


@pytest.mark.parametrize("table", ["purchases", "shop_orders"])
def test_what_follows_from_others_is_made_in_stretches_too(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = WorldConfig(seed=3, faults=NO_FAULTS)
    whole = World(honest).clean(table, DAY)
    world = large(monkeypatch, honest)
    made = list(world.frames(table, range(15, 16)))
    assert sum(f.height for f in made) == whole.height > STRETCH
    assert max(f.height for f in made) <= STRETCH
    assert pl.concat(made).equals(whole)


@pytest.mark.parametrize("table", ["purchases", "shop_orders"])
def test_a_day_in_stretches_has_the_defects_of_a_day(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stretch has its share, and the truth tells of all of them."""
    world = large(monkeypatch, WorldConfig(seed=3, faults=replace(NO_FAULTS, late=0.05)))
    rows = world.frame(table, DAY)
    told = world.plants(DAY, [table]).filter(entity_type="row")
    assert abs(told.height - 0.05 * rows.height) <= 1
    assert told["row_key"].n_unique() == told.height
    assert set(told["row_key"]) <= set(rows["transaction_id"])


def remembering(held: list[int], room: Callable[[World], int]) -> Callable[[World, int], I64]:
    """Days as arrays; `held` is told how many of them there were as each was made."""
    alive: list[int] = []

    class Day(np.ndarray):
        def __del__(self) -> None:
            alive.pop()

    @by_day(room)
    def made(world: World, day: int) -> I64:
        held.append(len(alive))
        alive.append(day)
        return np.zeros(3, dtype=np.int64).view(Day)

    return made


def test_a_large_day_is_forgotten_before_the_next_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    world, made = large(monkeypatch), remembering(held, in_work)
    for day in (0, 0, 1, 2, 1):
        made(world, day)
    assert held == [0, 0, 0, 0]


def test_small_days_are_kept_with_their_neighbours() -> None:
    held: list[int] = []
    world, made = World(CONFIG), remembering(held, in_work)
    for day in range(world.block + 3):
        made(world, day)
    made(world, 2)
    assert held == [*range(world.block + 2), world.block + 1]


def test_what_was_asked_last_is_kept_as_long_as_there_is_room() -> None:
    made: list[int] = []

    @asked_last(10)
    def days(_: WorldConfig, day: int) -> I64:
        made.append(day)
        return np.zeros(day, dtype=np.int64)

    for day in (3, 4, 3, 5, 3, 4, 20, 20):
        days(CONFIG, day)
    # 3 + 4, then 5 takes the place of 4, 4 that of 5; 20 is more than all, and is kept alone.
    assert made == [3, 4, 5, 4, 20]


def test_addresses_and_prefixed_numbers_are_written_out() -> None:
    assert addresses(np.array([0x12345678, 0xF])).to_list() == [
        "2001:db8:1234:5678::1",
        "2001:db8:0000:000f::1",
    ]
    assert hexadecimal(np.array([0xAB], dtype=np.uint64), "T-").to_list() == ["T-00000000000000ab"]
    assert hexadecimal(np.array([], dtype=np.uint64), "T-").to_list() == []
