"""How like their kind the online casino and the shop are, for docs/fidelity.md."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.measure import Z99, Measure
from lakehouse.simulate.online.games import GAMES
from lakehouse.simulate.world import World

DAYS = 30
_MONEY = pl.col("bet_amount", "win_amount").cast(pl.Float64)
_STATUSES = {"completed": (0.80, 0.90), "failed": (0.01, 0.06), "refunded": (0.01, 0.05)}


def casino(world: World) -> Iterator[Measure]:
    """What each game returns, within the 99% interval of its own variance, and who comes."""
    rows = _month(world, "clickstream").with_columns(_MONEY)
    sums = rows.group_by("game_name").agg(
        staked=pl.col("bet_amount").sum(),
        squares=(pl.col("bet_amount") ** 2).sum(),
        won=pl.col("win_amount").sum(),
    )
    found = {name: told for name, *told in sums.iter_rows()}
    for game in GAMES:
        staked, squares, won = found[game.name]
        mean = game.return_to_player / 10_000
        variance = sum((m / 100) ** 2 * n for m, n in game.pays) / game.out_of - mean**2
        half = Z99 * (squares * variance) ** 0.5 / staked
        yield Measure(
            f"returned by {game.name}",
            f"{mean:.2%} ± {half:.2%}",
            mean - half,
            mean + half,
            won / staked,
            "the game's pays; 99% interval of the play",
        )
    yield from _people(rows)
    linked = accounts.linked_count(world.config) / world.config.player_count
    yield Measure("patrons with an account", "about a third", 0.3, 0.37, linked, "assumption")


def shop(world: World) -> Iterator[Measure]:
    """Steps from a look to an order, and what became of payments."""
    sessions = _month(world, "shop_actions").group_by("session_id").agg(pl.col("action").unique())
    viewed = sessions.filter(pl.col("action").list.contains("view_product"))
    bought = viewed.filter(pl.col("action").list.contains("purchase"))
    share = bought.height / viewed.height
    yield Measure("visits that end in an order", "2% to 25%", 0.02, 0.25, share, "assumption")
    orders = _month(world, "shop_orders")
    for status, (low, high) in _STATUSES.items():
        part = float((orders["status"] == status).sum() / orders.height)
        target = f"{low:.0%} to {high:.0%}"
        yield Measure(f"payments {status}", target, low, high, part, "the shop that it follows")


def _people(rows: pl.DataFrame) -> Iterator[Measure]:
    by_account = rows.group_by("user_id").agg(
        days=pl.col("gaming_day").n_unique(), staked=pl.col("bet_amount").sum()
    )
    again = float((by_account["days"].to_numpy() > 1).mean())
    yield Measure("players who come again", "over half", 0.5, 0.95, again, "assumption")
    staked = by_account["staked"].sort(descending=True).to_numpy()
    top = float(staked[: len(staked) // 20].sum() / staked.sum())
    yield Measure("stakes of the first 5%", "20% to 60%", 0.2, 0.6, top, "heavy tail; assumption")


def _month(world: World, table: str) -> pl.DataFrame:
    days = (world.config.date(0), world.config.date(DAYS - 1))
    return pl.concat(world.rows(table, days))
