"""What staff wrote down of patrons."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.simulate.floor.cage_cash import transaction_ids
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.cash import TYPE
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World


@producer("staff_observations")
def staff_observations(world: World, day: int) -> pl.DataFrame:
    """What staff wrote down of planted purchases, as bronze rows."""
    seen = day_plan(world, day).observed
    if not seen:
        return contract("staff_observations").empty()
    c, who = world.cash(day), np.array([o.player for o in seen])
    bought = (c.kind == TYPE["CHIP_PURCHASE"]) & (c.player == who[:, None])
    first = transaction_ids(world.config.seed, day, bought.argmax(axis=1))
    at = world.utc(day, np.array([o.second for o in seen]))
    before = np.array([o.before for o in seen], dtype=np.int64)
    after = np.array([o.after for o in seen], dtype=np.int64)
    days = gaming_days(world.config.start, np.full(len(seen), day))
    return frames.frame(
        "staff_observations",
        {
            "observation_id": ids.event_ids(
                world.config.seed, "staff_observations", day, np.arange(len(seen))
            ),
            "observed_at": frames.utc(at),
            "player_id": ids.players(who),
            "employee_id": ids.employees(np.arange(len(seen)) % 40),
            "kind": pl.Series([o.kind for o in seen]),
            "transaction_id": frames.only(first, bought.any(axis=1)),
            "amount_before": frames.money(before, before > 0),
            "amount_after": frames.money(after, after > 0),
            "text": pl.Series([o.text for o in seen]),
            **stamp("staff_observations", days, at),
        },
    )
