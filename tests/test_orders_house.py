"""Gaming days of the whole house in any order and split, with parents that come late: one lake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from law_rows import rows
from online_witnesses import D, Row, round_of
from polars.testing import assert_frame_equal

from lakehouse.contracts import contracts
from lakehouse.gold.marts import marts
from lakehouse.pipeline.derivation import found_parents
from lakehouse.pipeline.marts import made as mart_made
from lakehouse.pipeline.marts import refresh
from lakehouse.privacy.keys import ensure_key
from lakehouse.regulation.gaming_day import Days, ranges_of
from lakehouse.settings import DOMAINS, load_settings
from lakehouse.simulate.kernel.config import Faults, WorldConfig
from lakehouse.simulate.kernel.producers import producers
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake, Portion, stored_schema

NOW = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
BY = Commit("test", "test", "1")
FIRST = dt.date(2025, 1, 1)
NUMBER = 3
LATE = FIRST + dt.timedelta(NUMBER - 1)
"""The day on which every third parent comes in, whoever played before."""
PARENTS = {
    "player_profile": "player_id",
    "online_accounts": "account_id",
    "games": "game_name",
    "products": "product_id",
}
KEPT = tuple(t for t, c in contracts("source").items() if c.references())
"""Let into silver with nobody known whom they name: no reject finds its parent later."""
Rows = dict[str, pl.DataFrame]


def between(first: int, last: int) -> Days:
    return FIRST + dt.timedelta(first), FIRST + dt.timedelta(last)


def come_late(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Every third key's rows before LATE are gone, but for one that comes on it."""
    is_late = (pl.col(key).hash(0) % 3 == 0) & (pl.col("gaming_day") < LATE)
    late = rows.filter(is_late).unique(key, keep="first", maintain_order=True)
    known = rows.filter(~is_late)
    fresh = late.join(known.filter(gaming_day=LATE), on=key, how="anti")
    return pl.concat([known, fresh.with_columns(gaming_day=pl.lit(LATE))])


@pytest.fixture(scope="module")
def bronze() -> Rows:
    """A spoiled house, small, with much fraud."""
    often = dict.fromkeys(("card_testing", "velocity_burst", "refund_abuse"), 0.05)
    faults = replace(Faults(), purchase_ring=0.02, **often)
    world = World(WorldConfig(scale=0.05, start=FIRST, faults=faults))
    days = between(0, NUMBER - 1)
    blank = {t: pl.DataFrame(schema=stored_schema("bronze", t)) for t in producers()}
    found = {t: pl.concat([blank[t], *world.rows(t, days)]) for t in producers()}
    return found | {t: come_late(found[t].drop_nulls(key), key) for t, key in PARENTS.items()}


def made(root: Path, bronze: Rows, order: Sequence[Days], orphans: dict[str, str]) -> Lake:
    settings = load_settings(
        root=str(root),
        source="landing",
        start=FIRST,
        domains=DOMAINS,
        orphans=orphans,
        pii_key_file=root.parent / "pii.key",
    )
    ensure_key(settings)
    lake = Lake.open(settings)
    for days in order:
        for table, every in bronze.items():
            mine = every.filter(pl.col("gaming_day").is_between(*days))
            lake.write_days("bronze", table, mine, days, commit=BY)
        refresh(lake, settings, days, as_of=NOW, commit=BY)
        for others in ranges_of(sorted(found_parents(lake, settings))):
            refresh(lake, settings, others, as_of=NOW, commit=BY)
    return lake


MIXED = [between(1, 1), between(2, 2), between(0, 0)]
FORWARDS, BACKWARDS = MIXED[:2], MIXED[1::-1]
"""Two days are enough where no row waits for its parent: one before LATE, and LATE itself. What
windows reach farther is for tests/test_mart_windows.py."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("orphans", "days", "orders"),
    [
        ({}, between(0, 2), [MIXED]),
        (dict.fromkeys(KEPT, "keep"), between(1, 2), [FORWARDS, BACKWARDS]),
    ],
    ids=["kept out", "kept"],
)
def test_any_order_makes_one_house(
    folder: Path, bronze: Rows, orphans: dict[str, str], days: Days, orders: list[list[Days]]
) -> None:
    root = folder / str(len(orphans))
    at_once = made(root / "at-once", bronze, [days], orphans)
    for n, order in enumerate(orders):
        assert_same(made(root / str(n), bronze, order, orphans), at_once)
    for mart in ("player_metrics", "game_day", "item_sales", "user_risk", "fraud_alerts"):
        assert at_once.scan("gold", mart).collect().height > 2, mart


def assert_same(lake: Lake, at_once: Lake) -> None:
    for layer, table in at_once.stored("silver", "quarantine", "duplicates", "gold", "restricted"):
        right, found = (one.scan(layer, table).collect() for one in (at_once, lake))
        assert_frame_equal(found, right, check_row_order=False), (layer, table)


def test_a_version_that_comes_late_is_told_of_days_before_it(tmp_path: Path) -> None:
    """What a game returned was told on the third day; what is told of the second comes after,
    and is then what was known first of a round of the first."""
    settings = load_settings(root=str(tmp_path / "lake"), source="landing", domains=DOMAINS)
    lake = Lake.open(settings)
    day = [D + dt.timedelta(n) for n in range(3)]

    def store(layer: str, table: str, *given: Row, on: dt.date) -> None:
        schema = stored_schema(layer, table)
        known = rows(table, *given).collect()
        frame = pl.concat([pl.DataFrame(schema=schema), known], how="diagonal_relaxed")
        lake.write_days(layer, table, frame.select(schema.names()), (on, on), commit=BY)

    def derived(days: Days) -> list[float]:
        for _, done in mart_made(marts()["game_day"], lake, settings, days, as_of=NOW):
            assert isinstance(done, Portion)
            lake.write_days("gold", "game_day", done.rows, done.days, commit=BY)
        return lake.scan("gold", "game_day").collect()["return_to_player"].to_list()

    def version(returns: str, on: dt.date) -> None:
        told = {"game_name": "slots", "return_to_player": returns, "gaming_day": on}
        for layer in ("bronze", "silver"):
            store(layer, "games", told, on=on)

    store("silver", "clickstream", *round_of("LA", 0), on=day[0])
    version("0.9000", day[2])
    assert derived((day[0], day[2])) == [0.9]
    version("0.8000", day[1])
    assert derived((day[1], day[1])) == [0.8]
