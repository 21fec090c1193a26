"""The simulated shop: exact volumes, the same bytes whichever way, books, and what is planted."""

import datetime as dt
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import polars as pl
import pytest

from lakehouse.contracts.shop.orders import CATEGORIES
from lakehouse.errors import BadInput
from lakehouse.silver.judgement import clean
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.shop.catalogue import RANGES
from lakehouse.simulate.world import World

CONFIG = WorldConfig(seed=7, faults=Faults(misconduct=6.0))
FIRST = dt.date(2025, 1, 1)
DAYS = (FIRST, dt.date(2025, 1, 16))
DAY = dt.date(2025, 1, 14)
TABLES = ("products", "shop_actions", "shop_orders")
SECOND = pl.duration(seconds=1)


@pytest.fixture(scope="module")
def world() -> World:
    return World(CONFIG)


@pytest.fixture(scope="module")
def actions(world: World) -> pl.DataFrame:
    return pl.concat(world.clean("shop_actions", day) for day in dates())


@pytest.fixture(scope="module")
def orders(world: World) -> pl.DataFrame:
    return pl.concat(world.clean("shop_orders", day) for day in dates())


@pytest.fixture(scope="module")
def plants(world: World) -> pl.DataFrame:
    found = pl.concat(world.plants(day, TABLES) for day in dates())
    return found.filter(entity_type="account")


def dates() -> list[dt.date]:
    return [FIRST + dt.timedelta(days=k) for k in range((DAYS[1] - FIRST).days + 1)]


@pytest.mark.parametrize("table", TABLES)
def test_a_day_alone_is_the_day_of_a_run(world: World, table: str) -> None:
    run = pl.concat(world.rows(table, DAYS)).filter(gaming_day=DAY)
    assert World(CONFIG).frame(table, DAY).equals(run)


@pytest.mark.parametrize("scale", [0.02, 1.0, 20.0])
def test_actions_are_exactly_the_quota(scale: float) -> None:
    config = WorldConfig(scale=scale)
    found = World(config).frame("shop_actions", FIRST)
    assert found.height == config.quota("shop_actions", 0)
    assert found["event_id"].n_unique() >= 0.99 * found.height


def test_more_actions_than_visitors_can_make_are_refused() -> None:
    config = WorldConfig(rows={"shop_actions": 30_000_000, "online_accounts": 600}, players=200)
    with pytest.raises(BadInput, match="rows of shop_actions on 2025-01-01 of"):
        World(config).frame("shop_actions", FIRST)


def test_clean_rows_break_no_rule(
    actions: pl.DataFrame, orders: pl.DataFrame, world: World
) -> None:
    accounts = pl.concat(world.clean("online_accounts", day) for day in dates())
    products = world.clean("products", DAY)
    parents = {"online_accounts": accounts.lazy(), "products": products.lazy()}
    for table, rows in (("shop_actions", actions), ("shop_orders", orders)):
        judged = clean(table, rows, timezone=CONFIG.timezone, parents=parents)
        assert judged.good.height == rows.height, judged.quarantined["_rules"]


def test_each_account_of_a_day_is_in_its_extract(
    orders: pl.DataFrame, actions: pl.DataFrame, world: World
) -> None:
    """A refund too, so that a day that is made alone, or before its payment's, has no orphans."""
    known = set(world.clean("online_accounts", DAY)["account_id"])
    for rows in (orders, actions):
        assert set(rows.filter(gaming_day=DAY)["user_id"]) <= known


def test_prices_are_in_the_ranges_of_their_category(world: World) -> None:
    ranges = dict(zip(CATEGORIES, RANGES, strict=False))
    for day in (FIRST, FIRST + dt.timedelta(days=400)):
        for row in world.clean("products", day).to_dicts():
            low, high = ranges.get(row["product_category"], (0, 500))
            assert low <= row["price"] <= high


def test_prices_change_rarely(world: World) -> None:
    before, after = (world.clean("products", day)["price"] for day in (FIRST, DAY))
    changed = (before != after).sum()
    assert 0 < changed < 0.3 * len(before)


def test_amounts_are_price_times_pieces(orders: pl.DataFrame, world: World) -> None:
    cents = [(pl.col(c) * 100).cast(pl.Int64) for c in ("unit_price", "amount")]
    assert orders.select((cents[0] * pl.col("quantity") == cents[1]).all()).item()
    priced = orders.filter(pl.col("gaming_day") == DAY, pl.col("status") != "refunded")
    listed = world.clean("products", DAY).select("product_id", "price")
    assert (
        priced.join(listed, on="product_id")
        .select((pl.col("price") == pl.col("unit_price")).all())
        .item()
    )


def test_a_refund_names_a_payment_of_before_and_is_no_more(orders: pl.DataFrame) -> None:
    refunds = orders.filter(status="refunded")
    paid = refunds.join(
        orders, left_on="refund_of", right_on="transaction_id", suffix="_paid", how="inner"
    )
    assert paid.height == refunds.height > 50
    assert set(paid["status_paid"]) == {"completed"}
    assert (paid["amount"] <= paid["amount_paid"]).all()
    assert (paid["timestamp"] > paid["timestamp_paid"]).all()
    assert (paid["order_id"] == paid["order_id_paid"]).all()
    assert paid["refund_of"].n_unique() == paid.height


def test_purchases_are_the_payments(actions: pl.DataFrame, orders: pl.DataFrame) -> None:
    """Each purchase is an order that was paid or is pending, for the same sum at the same time."""
    bought = actions.filter(action="purchase").select("order_id", "timestamp", "amount")
    paid = (
        orders.filter(pl.col("status").is_in(["completed", "pending"]))
        .group_by("order_id")
        .agg(pl.col("timestamp").first(), pl.col("amount").sum())
    )
    assert bought.height > 1_000
    assert bought.sort("order_id").equals(paid.sort("order_id"))


def test_conversion_is_a_fact(actions: pl.DataFrame) -> None:
    steps = ("view_product", "add_to_cart", "checkout_start", "purchase")
    told = actions.filter(pl.col("session_id").is_not_null())
    reached = [set(told.filter(action=step)["session_id"]) for step in steps]
    assert all(later < earlier for earlier, later in pairwise(reached))
    shares = [len(later) / len(earlier) for earlier, later in pairwise(reached)]
    assert 0.30 < shares[0] < 0.42
    assert 0.55 < shares[1] < 0.70
    assert 0.78 < shares[2] < 0.92


def test_statuses_come_in_their_shares() -> None:
    world = World(WorldConfig(seed=3, faults=NO_FAULTS))
    rows = pl.concat(world.clean("shop_orders", day) for day in dates())
    share = dict(rows["status"].value_counts(normalize=True).rows())
    assert 0.82 < share["completed"] < 0.90
    assert 0.07 < share["pending"] < 0.13
    assert 0.015 < share["failed"] < 0.05
    assert 0.005 < share["refunded"] < 0.03


def test_who_travels_has_a_day_to_get_there(orders: pl.DataFrame, plants: pl.DataFrame) -> None:
    """Between two places of an honest account at least 1,000 km apart (five degrees and more of
    latitude, or twenty of longitude) lies a day."""
    engaged = plants.select(user_id="entity_id").unique()
    honest = orders.filter(pl.col("status") != "refunded").join(engaged, on="user_id", how="anti")
    moved = honest.sort("user_id", "timestamp").with_columns(
        hours=pl.col("timestamp").diff().over("user_id").dt.total_minutes() / 60,
        north=pl.col("latitude").diff().abs().over("user_id"),
        east=pl.col("longitude").diff().abs().over("user_id"),
    )
    far = moved.filter((pl.col("north") > 5) | (pl.col("east") > 20))
    assert far.height > 0
    assert far["hours"].min() >= 22


def test_runs_in_quick_succession_are_those_that_were_planted(
    actions: pl.DataFrame, plants: pl.DataFrame
) -> None:
    """Of each planted run the first is told; its others follow within 2 s, and nobody else's."""
    told = plants.filter(kind="high_frequency")["row_key"]
    gap = pl.col("timestamp").diff().over("user_id").fill_null(pl.duration(days=1))
    rows = actions.sort("user_id", "timestamp").with_columns(gap=gap)
    quick = rows.with_columns(
        run=(pl.col("gap") >= 2 * SECOND).cum_sum(), is_quick=pl.col("gap") < 2 * SECOND
    )
    runs = quick.group_by("run").agg(pl.len(), pl.col("event_id", "action", "user_id").first())
    long = runs.filter(pl.col("len") > 1)
    assert set(long["event_id"]) == set(told)
    assert len(told) > 200
    assert long["len"].min() >= 12
    assert long["len"].max() <= 30
    assert set(long["action"]) == {"page_refresh"}


def test_a_sixth_of_users_act_in_bursts_every_other_time(
    actions: pl.DataFrame, plants: pl.DataFrame
) -> None:
    """15% x 1/2 of the days on which somebody comes."""
    days = actions.select("user_id", "gaming_day").n_unique()
    told = plants.filter(kind="high_frequency").height
    assert Fraction(65, 1_000) < Fraction(told, days) < Fraction(85, 1_000)


def test_every_kind_of_fraud_and_its_look_alike_is_planted(
    orders: pl.DataFrame, plants: pl.DataFrame
) -> None:
    fraud = plants.filter(table_name="shop_orders")
    kinds = {
        "card_testing",
        "velocity_burst",
        "impossible_travel",
        "account_takeover",
        "refund_abuse",
        "gift_card_drain",
    }
    for like in (False, True):
        assert set(fraud.filter(is_look_alike=like)["kind"]) == kinds
    assert set(fraud["row_key"]) <= set(orders["transaction_id"])
    assert set(fraud["strength"]) == {"blatant", "middling", "faint"}


def test_what_is_planted_reaches_silver(world: World) -> None:
    """Rows on which a case, a burst or a refund rests are not lost to defects."""
    planted = world.plants(DAY, TABLES).filter(entity_type="account")
    keys = {"shop_actions": "event_id", "shop_orders": "transaction_id"}
    for table, key in keys.items():
        good = clean(table, world.frame(table, DAY), timezone=CONFIG.timezone).good
        assert set(planted.filter(table_name=table)["row_key"]) <= set(good[key])


def test_blatant_card_testing_is_many_small_amounts_mostly_refused() -> None:
    world = World(
        replace(CONFIG, faults=replace(NO_FAULTS, card_testing=0.03, misconduct=1.0, intensity=1.0))
    )
    planted = world.plants(DAY, TABLES).filter(strength="blatant", is_look_alike=False)
    rows = world.clean("shop_orders", DAY).join(
        planted.select("plant_id", transaction_id="row_key"), on="transaction_id"
    )
    case = rows.filter(plant_id=rows["plant_id"][0]).sort("timestamp")
    assert case.height > 25
    assert case["amount"].max() <= 5
    assert (case["status"] == "failed").mean() > 0.4
    assert case["timestamp"].diff().median() < dt.timedelta(minutes=1)


def test_five_in_a_hundred_actions_have_no_time(world: World) -> None:
    rows = world.frame("shop_actions", DAY)
    missing = rows.filter(pl.col("timestamp").is_null())
    assert 0.045 < missing.height / rows.height < 0.055
    told = world.plants(DAY, TABLES).filter(kind="missing_time")
    assert set(told["row_key"]) == set(missing["event_id"])
    assert set(told["expected_rule"]) == {"timestamp|nullability"}
