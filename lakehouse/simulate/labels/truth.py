"""Wins and observations as rows, and what was planted on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.simulate.faults.misconduct import Scenario
from lakehouse.simulate.floor.cage import transaction_ids
from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.cash import TYPE
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.plants import planted

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

_TABLE = {
    "bill_stuffing": "slot_telemetry",
    "card_sharing": "slot_telemetry",
    "self_excluded_play": "slot_telemetry",
    "employee_collusion": "table_games",
}
"""Where a scenario shows; the others show in the cage."""


def gaming_wins(world: World, day: int) -> pl.DataFrame:
    """Hand-paid jackpots as bronze rows."""
    w = world.wins(day)
    won, paid = (
        world.utc(day, w["won_second"].to_numpy()),
        world.utc(day, w["paid_second"].to_numpy()),
    )
    n = w.height
    return frames.frame(
        "gaming_wins",
        {
            **{c: w[c] for c in ("win_id", "game_type", "transaction_id")},
            "player_id": ids.players(w["player"].to_numpy()),
            "won_at": frames.utc(won),
            "paid_at": frames.utc(paid),
            "gross_amount": frames.money(w["gross_cents"].to_numpy()),
            "wager": frames.money(w["wager_cents"].to_numpy()),
            "is_free_play": pl.repeat(value=False, n=n, dtype=pl.Boolean, eager=True),
            "prize_type": pl.repeat("CASH", n, dtype=pl.String, eager=True),
            "paid_in_currency": pl.repeat(value=True, n=n, dtype=pl.Boolean, eager=True),
            "machine_id": ids.machines(w["machine"].to_numpy()),
            **stamp("gaming_wins", _same_day(world, day, n), paid),
        },
    )


def staff_observations(world: World, day: int) -> pl.DataFrame:
    """What staff wrote down of planted purchases, as bronze rows."""
    seen = world.plan(day).observed
    if not seen:
        return contract("staff_observations").empty()
    c, who = world.cash(day), np.array([o.player for o in seen])
    bought = (c.kind == TYPE["CHIP_PURCHASE"]) & (c.player == who[:, None])
    first = transaction_ids(world.config.seed, day, bought.argmax(axis=1))
    at = world.utc(day, np.array([o.second for o in seen]))
    before = np.array([o.before for o in seen], dtype=np.int64)
    after = np.array([o.after for o in seen], dtype=np.int64)
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
            **stamp("staff_observations", _same_day(world, day, len(seen)), at),
        },
    )


def _same_day(world: World, day: int, rows: int) -> pl.Series:
    return gaming_days(world.config.start, np.full(rows, day))


def scenario_plants(world: World, day: int) -> pl.DataFrame:
    """One plant per scenario and player that shows on the day and came through the plan."""
    v = world.visits(day)
    here, came = set(v.player[v.scenario >= 0].tolist()), set(v.scenario.tolist())
    parts = [_plants(world, s, day) for s in world.scenarios(day) if s.number in came]
    shape = contract("plants").empty()
    found = pl.concat([shape, *parts])
    return found.filter(
        pl.col("entity_id").is_in(ids.players(np.array(sorted(here), dtype=np.int64)).implode())
    )


def _plants(world: World, s: Scenario, day: int) -> pl.DataFrame:
    who = ids.players(np.array(s.players, dtype=np.int64))
    config = world.config
    return planted(
        s.kind,
        pl.Series([f"scenario:{s.number}"] * len(who)),
        entity_type="player",
        entity=who,
        table=_TABLE.get(s.kind, "financial_txn"),
        key=None,
        rule=s.kind,
        day=config.date(day),
    ).with_columns(
        window_start=pl.lit(config.date(s.first_day)), window_end=pl.lit(config.date(s.last_day))
    )
