"""On a spoiled house online, what the books lack is the planted rows that silver kept out."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from lakehouse.quality.findings import judged
from lakehouse.quality.truths import TRUTHS
from lakehouse.silver import clean
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World

FIRST, COUNT = 5, 6
TABLES = (
    "player_profile", "online_accounts", "games", "clickstream", "game_maps", "servers",
    "player_events", "server_metrics", "products", "shop_actions", "shop_orders",
)  # fmt: skip
Frames = dict[tuple[str, str], pl.LazyFrame]


@pytest.fixture(scope="module")
def spoiled() -> Frames:
    world = World(WorldConfig())
    days = [world.config.start + dt.timedelta(days=FIRST + n) for n in range(COUNT)]
    found: Frames = {}
    for table in TABLES:
        rows = pl.concat([world.frame(table, day) for day in days])
        parents = {t: frame for (layer, t), frame in found.items() if layer == "silver"}
        result = clean(table, rows, timezone=world.config.timezone, parents=parents)
        found["silver", table] = result.good.lazy()
        # As stored: Polars 2.1 panics over empty chunks of a frame.
        found["quarantine", table] = result.quarantined.rechunk().lazy()
    return found


def of(frames: Frames, name: str) -> pl.DataFrame:
    return judged(TRUTHS[name], lambda layer, table: frames[layer, table])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["rounds_are_settled_once", "disconnections_are_in_the_metrics", "purchases_are_paid"]
)
def test_rows_kept_out_explain_what_is_missing(spoiled: Frames, name: str) -> None:
    """Also those of which nobody can read what happened: a stake or a disconnect they may be."""
    found = of(spoiled, name)
    assert found.filter(pl.col("rows").list.len() == 0).is_empty()
    assert len(found)


@pytest.mark.slow
def test_a_row_that_is_lost_on_the_way_is_found(spoiled: Frames) -> None:
    clicks = spoiled["silver", "clickstream"].collect()
    stakes = clicks.filter(event_type="bet_placed").filter(
        pl.col("round_id").is_in(clicks.filter(event_type="bet_result")["round_id"].implode())
    )
    lost = stakes.row(100, named=True)
    left = clicks.filter(pl.col("event_id") != lost["event_id"]).lazy()
    found = of(spoiled | {("silver", "clickstream"): left}, "rounds_are_settled_once")
    missing = found.filter(pl.col("rows").list.len() == 0)
    assert missing.select("subject", "expected", "found").rows() == [(lost["round_id"], 1, 0)]
