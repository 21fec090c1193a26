"""The scenarios that were planted, as truth/plants tells them."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.simulate.floor.harm import is_at_tables
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel import ids
from lakehouse.simulate.kernel.plants import planted
from lakehouse.simulate.kernel.producers import label
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.kernel.world import World

_TABLE = {
    "bill_stuffing": "slot_telemetry",
    "card_sharing": "slot_telemetry",
    "self_excluded_play": "slot_telemetry",
}
"""Where a scenario shows; the others show in the cage."""


@label("financial_txn")
def planted_scenarios(world: World, day: int) -> pl.DataFrame:
    """One plant per scenario and player that shows on the day and came through the plan."""
    v = day_plan(world, day).visits
    here, came = set(v.player[v.scenario >= 0].tolist()), set(v.scenario.tolist())
    parts = [_plants(world, s, day) for s in world.scenarios(day) if s.number in came]
    shape = contract("plants").empty()
    found = pl.concat([shape, *parts])
    return found.filter(
        pl.col("entity_id").is_in(ids.players(np.array(sorted(here), dtype=np.int64)).implode())
    )


@label("financial_txn")
def kept_chips(world: World, day: int) -> pl.DataFrame:
    """One plant per patron who keeps the chips of the day by habit: honest, and beside the kind
    of those who walk off with theirs. It is of no strength: nobody is to be measured by it."""
    t = day_plan(world, day).tables
    who = np.unique(t.player[t.keeps])
    return planted(
        "chip_walking",
        pl.Series([f"habit:{day}:{q}" for q in who.tolist()], dtype=pl.String),
        entity_type="player",
        entity=ids.players(who),
        table="table_games",
        key=None,
        rule="chip_walking",
        day=world.config.date(day),
        is_look_alike=True,
    )


def _table(s: Scenario) -> str:
    if s.kind == "escalating_harm":
        return "table_games" if is_at_tables(s) else "slot_telemetry"
    return _TABLE.get(s.kind, "financial_txn")


def _plants(world: World, s: Scenario, day: int) -> pl.DataFrame:
    who = ids.players(np.array(s.players, dtype=np.int64))
    config = world.config
    return planted(
        s.kind,
        pl.Series([f"scenario:{s.number}"] * len(who)),
        entity_type="player",
        entity=who,
        table=_table(s),
        key=None,
        rule=s.kind,
        day=config.date(day),
        intensity=s.intensity,
        is_look_alike=s.is_look_alike,
    ).with_columns(
        window_start=pl.lit(config.date(s.first_day)), window_end=pl.lit(config.date(s.last_day))
    )
