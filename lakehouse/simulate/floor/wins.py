"""Hand-paid jackpots: one row per win that may be reportable."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.simulate.floor.cage_cash import cash_on, hand_pays_on, transaction_ids
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.counter import draw, key
from lakehouse.simulate.kernel.memory import by_day, near
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World


@by_day(near)
def wins_on(world: World, day: int) -> pl.DataFrame:
    """Hand-paid wins as numbers, by machine and time."""
    h, s, c = hand_pays_on(world, day), day_plan(world, day).slots, cash_on(world, day)
    paid = np.flatnonzero(c.win >= 0)
    won = draw(key(world.config.seed, "win"), s.key[h.session], h.cents)
    n = len(h.cents)
    return pl.DataFrame(
        {
            "win_id": ids.hexadecimal(won, "W"),
            "player": h.player,
            "game_type": pl.repeat("SLOT", n, dtype=pl.String, eager=True),
            "is_free_play": pl.repeat(value=False, n=n, dtype=pl.Boolean, eager=True),
            "gross_cents": h.cents,
            "wager_cents": s.bet[h.session],
            "won_second": h.won,
            "paid_second": h.paid,
            "paid_at": frames.utc(world.utc(day, h.paid)),
            "machine": s.machine[h.session],
            "transaction_id": transaction_ids(world.config.seed, day, paid),
        }
    )


@producer("gaming_wins")
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
            **stamp("gaming_wins", gaming_days(world.config.start, np.full(n, day)), paid),
        },
    )
