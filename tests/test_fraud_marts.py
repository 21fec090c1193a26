"""The marts of fraud on a small simulated shop: what was planted, and days in any order."""

from __future__ import annotations

import datetime as dt
from functools import cache

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from shop_rows import order, orders

from lakehouse.contracts import contract
from lakehouse.detection.fraud.quality import labelled
from lakehouse.gold.marts import marts
from lakehouse.gold.shop.fraud import NO_MODEL
from lakehouse.quality.conformance import stored_rules
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import load
from lakehouse.settings import Settings
from lakehouse.silver.judgement import clean
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.shop.orders import shop_fraud
from lakehouse.simulate.world import World

START, NUMBER = dt.date(2025, 1, 1), 36
LAST = START + dt.timedelta(NUMBER - 1)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SETTINGS = Settings(domains=("floor", "shop"))


@cache
def world() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Orders as silver has them, and what was planted."""
    made = World(WorldConfig(seed=5, start=START))
    zone = made.config.timezone
    rows = pl.concat(
        clean(
            "shop_orders", pl.concat(made.frames("shop_orders", range(d, d + 1))), timezone=zone
        ).good
        for d in range(NUMBER)
    )
    return rows, pl.concat(shop_fraud(made, d) for d in range(NUMBER))


def rows_of(name: str, days: Days, **frames: pl.DataFrame) -> pl.DataFrame:
    """A mart's rows of `days`, from what its windows let through."""
    mart, law = marts()[name], load(SETTINGS.profile)
    inside = pl.col("gaming_day")
    given = {
        i.table: frames[i.table].lazy().filter(inside.is_between(*i.window(days, law)))
        for i in mart.inputs
    }
    return mart.rows(given, settings=SETTINGS, days=days, as_of=NOW).collect()


@pytest.mark.slow
def test_days_in_any_order_say_what_they_say_together() -> None:
    shop_orders, _ = world()
    last = tuple(LAST - dt.timedelta(days=n) for n in range(3))
    together = rows_of("fraud_alerts", (last[-1], LAST), shop_orders=shop_orders)
    alone = [rows_of("fraud_alerts", (d, d), shop_orders=shop_orders) for d in last]
    key = contract("fraud_alerts").key
    assert_frame_equal(pl.concat(alone).sort(key), together.sort(key))
    assert together["gaming_day"].n_unique() == 3


@pytest.mark.slow
def test_both_profiles_alert_of_what_was_planted() -> None:
    """Where the system that gave the thresholds raises no alert at all. The shop is young: for most
    of these days there is not a month to hold an order against."""
    shop_orders, plants = world()
    alerts = rows_of("fraud_alerts", (START, LAST), shop_orders=shop_orders)
    known = labelled(plants).filter(~pl.col("is_look_alike"))
    for profile, precise, share in (("streamify", 0.4, 0.3), ("tuned", 0.5, 0.6)):
        mine = alerts.filter(profile=profile)
        true = known.join(mine, on="transaction_id", how="semi")
        assert len(true) / len(mine) > precise, profile
        assert true["plant_id"].n_unique() / known["plant_id"].n_unique() > share, profile
    grave = pl.col("alert_level").is_in(["CRITICAL", "HIGH", "MEDIUM"])
    assert len(alerts.filter(grave, profile="streamify").join(known, on="transaction_id"))
    for name, rule in stored_rules("gold", "fraud_alerts").items():
        if name != "primary_key":
            assert alerts.select(rule).to_series().all(), name
    analysis = rows_of("fraud_analysis", (START, LAST), fraud_alerts=alerts)
    assert analysis["total_alerts"].sum() == len(alerts)
    assert not rows_of(
        "fraud_quality", (LAST, LAST), shop_orders=shop_orders, plants=plants
    ).is_empty()


def test_an_id_that_comes_again_on_another_day_is_of_another_payment() -> None:
    """Keys are judged within a gaming day: both are good, and each is alerted of by what it is."""
    first, second = START, START + dt.timedelta(days=1)
    reused = orders(
        order("T1", f"{first} 20:00:00", "5000.00"),
        order("T0", f"{second} 20:00:00", "10.00"),
        order("T1", f"{second} 20:00:30", "6000.00"),
    )
    told = ("gaming_day", "transaction_id", "fraud_reason", "evidence")
    together = rows_of("fraud_alerts", (first, second), shop_orders=reused)
    alerts = together.filter(profile="streamify").select(told).sort("gaming_day").rows()
    said = [reason.split(";")[0] for _, _, reason, _ in alerts]
    named = [[e["record_id"] for e in evidence] for *_, evidence in alerts]
    assert [row[:2] for row in alerts] == [(first, "T1"), (second, "T1")]
    assert said == ["a high amount, $5000.00", "a high amount, $6000.00"]
    assert named == [["T1"], ["T0", "T1"]]
    alone = [rows_of("fraud_alerts", (d, d), shop_orders=reused) for d in (first, second)]
    assert_frame_equal(pl.concat(alone), together, check_row_order=False)


def test_the_analysis_of_a_day_by_hand() -> None:
    base = {n: None for n in contract("fraud_alerts").bronze_schema()} | {"profile": "tuned"}
    given = [
        base | {"transaction_id": k, "user_id": u, "alert_level": level, "fraud_score": score,
                "gaming_day": START}
        for k, u, level, score in (
            ("a", "U1", "CRITICAL", 0.9), ("b", "U1", "LOW", 0.3), ("c", "U2", "HIGH", 0.6),
        )
    ]  # fmt: skip
    alerts = pl.DataFrame(given, schema=contract("fraud_alerts").bronze_schema(), orient="row")
    [row] = rows_of("fraud_analysis", (START, START), fraud_alerts=alerts).to_dicts()
    assert row == {
        "alert_date": START, "total_alerts": 3, "affected_users": 2, "avg_fraud_score": 0.6,
        "critical_alerts": 1, "high_alerts": 1, "medium_alerts": 0, "low_alerts": 1,
        "profile": "tuned", "gaming_day": START,
    }  # fmt: skip


def test_a_day_before_the_model_has_no_learned_score() -> None:
    day = dt.date(2020, 3, 1)
    dear = orders(*(order(f"a{k}", f"{day} 20:00:0{k}", "5000.00") for k in range(4)))
    alerts = rows_of("fraud_alerts", (day, day), shop_orders=dear)
    assert set(alerts["learned_by"]) == {NO_MODEL}
    assert alerts["learned_score"].is_null().all()


def test_a_shop_without_orders_has_no_alerts() -> None:
    empty = orders().select(contract("shop_orders").silver_schema().names())
    assert rows_of("fraud_alerts", (START, START), shop_orders=empty).is_empty()


@pytest.mark.slow
def test_nothing_but_the_scoring_reads_the_truth() -> None:
    from igaming_assets.assembly import assemble

    graph = assemble(SETTINGS).resolve_asset_graph()
    scoring = {dg.AssetKey(["gold", n]) for n in ("detection_quality", "fraud_quality")}
    assert graph.get(dg.AssetKey(["truth", "plants"])).child_keys == scoring
    assert all(graph.get(key).child_keys == set() for key in scoring)
