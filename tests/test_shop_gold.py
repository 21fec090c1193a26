"""The shop's marts, on rows made by hand and against figures worked on paper."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from law_rows import rows

from lakehouse.contracts import contract
from lakehouse.detection import registry
from lakehouse.detection.registry import thresholds
from lakehouse.gold.marts import marts
from lakehouse.gold.shop.funnel import steps
from lakehouse.gold.shop.refunds import covered
from lakehouse.gold.shop.sales_windows import windows
from lakehouse.gold.shop.shop_hours import hours
from lakehouse.gold.shop.user_risk import risk
from lakehouse.regulation.law import Law
from lakehouse.settings import Settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World

DAY = dt.date(2026, 6, 15)
NOON = dt.datetime(2026, 6, 15, 19, tzinfo=dt.UTC)
SILENCE, GAP = dt.timedelta(minutes=30), dt.timedelta(seconds=2)


def paid(key: str, second: float, usd: str, **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": key,
        "user_id": "A",
        "order_id": f"o{key}",
        "product_id": "p1",
        "product_name": "Atlas",
        "product_category": "Books",
        "amount": usd,
        "status": "completed",
        "timestamp": NOON + dt.timedelta(seconds=second),
        "payment_method": "paypal",
        "device_type": "mobile",
        "country": "EE",
        "quantity": 1,
    } | more


def alert(key: str, second: float, profile: str = "tuned") -> dict[str, Any]:
    """Of the payment `key`, made at that second."""
    moment = NOON + dt.timedelta(seconds=second)
    return {"transaction_id": key, "profile": profile, "alert_timestamp": moment,
            "gaming_day": DAY}  # fmt: skip


def alerts(*given: dict[str, Any]) -> pl.LazyFrame:
    base = dict.fromkeys(contract("fraud_alerts").bronze_schema())
    return pl.LazyFrame(
        [base | a for a in given], schema=contract("fraud_alerts").bronze_schema().to_frame().schema
    )


def did(user: str, minute: float, what: str, category: str | None = "Books", **more: Any) -> dict:
    moment = NOON + dt.timedelta(minutes=minute)
    key = f"{user}{minute}{what}"
    given = {"event_id": key, "user_id": user, "action": what, "category": category}
    return given | {"timestamp": moment} | more


def of(name: str, days: tuple[dt.date, dt.date] = (DAY, DAY), **frames: Any) -> pl.DataFrame:
    now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    made = marts()[name].rows(frames, settings=Settings(), days=days, as_of=now)
    return made.collect()


# 12:00:10 a pair of two products, 12:00:40 another user's toy, 12:00:50 one that was refused.
ORDERS = [
    paid("1", 10, "10.00", order_id="o1"),
    paid("2", 10, "5.00", order_id="o1", product_id="p2", product_name="Kite",
         product_category="Toys"),
    paid("3", 40, "20.01", user_id="B", product_id="p2", product_name="Kite",
         product_category="Toys", country="FI", device_type="tablet"),
    paid("4", 50, "99.00", user_id="C", status="failed"),
]  # fmt: skip


def test_windows_of_a_minute_slide_by_half_of_one() -> None:
    seen = rows("shop_actions", did("D", 0.25, "view_product"), did("A", 0.1, "view_product"))
    found = windows(rows("shop_orders", *ORDERS), seen, alerts()).collect()
    starts = [NOON + dt.timedelta(seconds=s) for s in (-30, 0, 30)]
    assert found["window_start"].to_list() == starts
    assert found["window_end"].to_list() == [s + dt.timedelta(seconds=60) for s in starts]
    assert found["transactions"].to_list() == [2, 3, 1]
    assert found["sales"].to_list() == [Decimal("15.00"), Decimal("35.01"), Decimal("20.01")]
    assert found["orders"].to_list() == [1, 2, 1]
    # 35.01 / 2 is 17.505: half up.
    assert found["average_order_value"].to_list() == [
        Decimal("15.00"),
        Decimal("17.51"),
        Decimal("20.01"),
    ]
    assert found["unique_users"].to_list() == [1, 2, 1]
    assert found["unique_products"].to_list() == [2, 2, 1]
    # A and D; A, B, C and D; B and C.
    assert found["visitors"].to_list() == [2, 4, 2]
    assert found["conversion_rate"].to_list() == [0.5, 0.5, 0.5]
    assert found["transactions_per_user"].to_list() == [2.0, 1.5, 1.0]
    assert found["fraud_rate"].to_list() == [0.0, 0.0, 0.0]


def test_the_fraud_rate_is_of_all_payments_and_of_the_profile_in_force() -> None:
    """Before 12:00 there was none; to 12:01 four, two of them alerted of; then two, one alerted."""
    told = alerts(alert("2", 10), alert("4", 50), alert("1", 10, "streamify"))
    seen = rows("shop_actions", did("D", -0.75, "view_product"))
    orders = rows("shop_orders", *ORDERS)
    found = of("sales_windows", shop_orders=orders, shop_actions=seen, fraud_alerts=told)
    rates = [(r["window_start"].strftime("%M:%S"), r["fraud_rate"]) for r in found.to_dicts()]
    assert rates[0] == ("58:30", None)
    assert rates[1:] == [("59:00", None), ("59:30", 0.5), ("00:00", 0.5), ("00:30", 0.5)]
    by_hour = of("shop_hours", shop_orders=orders, shop_actions=seen, fraud_alerts=told)
    assert by_hour["fraud_rate"].to_list() == [None, 0.5]
    funnel = of("funnel", shop_actions=seen).lazy()
    day = of("kpi", shop_orders=orders, funnel=funnel, fraud_alerts=told)
    assert day["fraud_rate"].to_list() == [0.5]


def test_a_window_lists_what_sold_best_and_how_it_was_paid() -> None:
    found = windows(rows("shop_orders", *ORDERS), rows("shop_actions"), alerts()).collect()
    whole = found.row(1, named=True)
    assert whole["top_categories"] == [
        {"product_category": "Toys", "sales": Decimal("25.01"), "transactions": 2},
        {"product_category": "Books", "sales": Decimal("10.00"), "transactions": 1},
    ]
    assert [p["product_name"] for p in whole["top_products"]] == ["Kite", "Atlas"]
    assert whole["payment_methods"] == [{"payment_method": "paypal", "transactions": 3}]
    assert whole["countries"] == [
        {"country": "EE", "transactions": 2},
        {"country": "FI", "transactions": 1},
    ]


def test_a_window_lists_five_at_the_most() -> None:
    many = [paid(str(n), 1, f"{n}.00", product_id=f"p{n}", product_name=f"n{n}") for n in range(7)]
    found = windows(rows("shop_orders", *many), rows("shop_actions"), alerts()).collect()
    assert [p["product_id"] for p in found["top_products"][0]] == ["p6", "p5", "p4", "p3", "p2"]


def test_windows_do_not_depend_on_the_order_of_rows() -> None:
    seen = rows("shop_actions", did("D", 0.25, "view_product"))
    here = windows(rows("shop_orders", *ORDERS), seen, alerts()).collect()
    there = windows(rows("shop_orders", *reversed(ORDERS)), seen, alerts()).collect()
    assert here.equals(there)


def test_a_window_in_which_nothing_sold_has_no_average() -> None:
    seen = rows("shop_actions", did("D", 0.25, "view_product"))
    found = windows(rows("shop_orders"), seen, alerts()).collect()
    assert found["transactions"].to_list() == [0, 0]
    assert found["average_order_value"].null_count() == 2
    assert found["conversion_rate"].to_list() == [0.0, 0.0]


# A buys the book and leaves the toy aside; B carts a toy and pays no more; C, whose client tells
# no session, looks, and 31 minutes later again.
VISITS = [
    did("A", 0, "view_product", session_id="s1"),
    did("A", 1, "view_product", "Toys", session_id="s1"),
    did("A", 2, "add_to_cart", session_id="s1"),
    did("A", 3, "checkout_start", None, session_id="s1"),
    did("A", 4, "purchase", None, session_id="s1"),
    did("A", 4.5, "page_refresh", None, session_id="s1"),
    did("B", 0, "view_product", "Toys", session_id="s2"),
    did("B", 1, "add_to_cart", "Toys", session_id="s2"),
    did("C", 0, "view_product"),
    did("C", 31, "view_product"),
]


def test_the_funnel_counts_how_far_sessions_went() -> None:
    found = {r["product_category"]: r for r in steps(rows("shop_actions", *VISITS), SILENCE)
             .collect().to_dicts()}  # fmt: skip

    def counted(category: str, what: str) -> list[int]:
        names = ("viewed", "carted", "checked_out", "bought")
        return [found[category][f"{what}_{n}"] for n in names]

    assert counted("All", "sessions") == [4, 2, 1, 1]
    assert counted("All", "visitors") == [3, 2, 1, 1]
    assert counted("Books", "sessions") == [3, 1, 1, 1]
    assert counted("Toys", "sessions") == [2, 1, 0, 0]
    assert found["All"]["conversion_rate"] == 0.25
    assert found["Toys"]["conversion_rate"] == 0.0


def test_a_step_whose_rows_before_are_missing_counts_for_them() -> None:
    bought = rows("shop_actions", did("A", 0, "purchase"))
    found = steps(bought, SILENCE).collect()
    assert found["sessions_viewed"].to_list() == [1, 1]
    assert set(found["product_category"]) == {"All", "Books"}


def test_the_day_at_a_glance() -> None:
    given = [*ORDERS, paid("5", 60, "4.00", status="refunded"), paid("6", 70, "1.00",
             status="pending")]  # fmt: skip
    found = of("daily_sales_summary", shop_orders=rows("shop_orders", *given))
    assert found.to_dicts() == [
        {
            "sale_date": DAY,
            "total_transactions": 6,
            "total_revenue": Decimal("35.01"),
            "avg_transaction_value": Decimal("11.67"),
            "unique_customers": 2,
            "categories_sold": 2,
            "completed_transactions": 3,
            "failed_transactions": 1,
            "gaming_day": DAY,
        }
    ]


def test_products_are_ranked_in_their_category() -> None:
    given = [
        *ORDERS,
        paid("7", 80, "30.00", product_name="Poetry", quantity=3),
        paid("8", 90, "10.00", product_name="Thriller"),
    ]
    found = of("product_performance", shop_orders=rows("shop_orders", *given))
    told = found.select("product_name", "total_sales", "total_revenue", "avg_price",
                        "unique_customers", "category_rank").rows()  # fmt: skip
    assert told == [
        ("Atlas", 1, Decimal("10.00"), Decimal("10.00"), 1, 2),
        ("Poetry", 1, Decimal("30.00"), Decimal("10.00"), 1, 1),
        ("Thriller", 1, Decimal("10.00"), Decimal("10.00"), 1, 2),
        ("Kite", 2, Decimal("25.01"), Decimal("12.51"), 2, 1),
    ]


def test_the_figures_of_a_day() -> None:
    """Yesterday 70.02 were sold; B bought 30 days before, and so is not new; C 31 days before."""
    back = -86_400
    given = [
        *ORDERS,
        paid("y", back, "70.02", user_id="Z"),
        paid("b", 30 * back, "1.00", user_id="B"),
        paid("c", 31 * back, "1.00", user_id="C"),
        paid("d", 45, "4.99", user_id="C"),
        paid("r", 60, "4.00", status="refunded"),
    ]
    orders = rows("shop_orders", *given)
    funnel = of("funnel", shop_actions=rows("shop_actions", *VISITS)).lazy()
    told = alerts(alert("4", 50))
    found = of("kpi", shop_orders=orders, funnel=funnel, fraud_alerts=told).row(0, named=True)
    assert found == {
        "gaming_day": DAY,
        "gross_revenue": Decimal("40.00"),
        "refunded": Decimal("4.00"),
        "revenue": Decimal("36.00"),
        "transactions": 4,
        "orders": 3,
        "average_order_value": Decimal("13.33"),
        "customers": 3,
        "conversion_rate": 0.25,
        # Of six payments of the day: the refused and the refunded count.
        "fraud_rate": 0.166667,
        "top_category": "Toys",
        "top_product": "Kite",
        "acquisition_rate": 0.666667,
        "growth_rate": -0.428735,
        "transactions_per_minute": 0.002778,
    }


def test_a_refund_is_covered_by_what_was_paid() -> None:
    given = [
        paid("p", 0, "10.00", order_id="o"),
        paid("f", 0, "10.00", order_id="o", status="failed"),
        paid("r1", 10, "6.00", order_id="o", status="refunded", refund_of="p"),
        paid("r2", 20, "4.00", order_id="o", status="refunded", refund_of="p"),
        paid("r3", 30, "0.01", order_id="o", status="refunded", refund_of="p"),
        paid("r4", 30, "1.00", order_id="o", status="refunded", refund_of="f"),
        paid("r5", 30, "1.00", order_id="x", status="refunded", refund_of="p"),
        paid("r6", 30, "1.00", order_id="o", status="refunded"),
    ]
    found = covered(rows("shop_orders", *given)).collect().sort("transaction_id")
    assert found.select("transaction_id", "refunded_before", "is_covered").rows()[:3] == [
        ("r1", 0, True),
        ("r2", 600, True),
        ("r3", 1_000, False),
    ]
    assert found["is_covered"].to_list()[3:] == [False, False, False]


def test_signs_of_hurry() -> None:
    """Five actions within two seconds of another, in two runs, of eight; two of them at night."""
    seconds = (0, 1, 2.9, 10, 60, 61.5, 100, 200)
    given = [did("A", s / 60, "page_refresh", session_id="s") for s in seconds]
    frame = rows("shop_actions", *given).with_columns(
        hour=pl.Series([0, 5, 6, 12, 12, 12, 12, 23], dtype=pl.Int8)
    )
    found = risk(frame, SILENCE, GAP).collect().row(0, named=True)
    assert found["actions"] == 8
    assert found["sessions"] == 1
    assert found["high_frequency_actions"] == 5
    assert found["high_frequency_share"] == 0.625
    assert found["bursts"] == 2
    assert found["longest_burst"] == 3
    assert found["night_share"] == 0.25
    assert found["gap_regularity"] is None
    # 0.5 x 1 + 0.2 x 2/3 + 0.1 x 0.25
    assert found["risk_score"] == pytest.approx(0.658333, abs=1e-6)
    assert found["reasons"] == ["5 of 8 actions in 2 runs of quick succession, up to 3 at once"]


def test_a_changed_weight_holds_from_its_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of two actions in one run at noon: 0.5 x 1 + 0.2 x 1/3; the day after, runs weigh .5
    and two of them are enough."""
    dated = thresholds().rules["risk_bursts"][0]
    next_day = DAY + dt.timedelta(days=1)
    changed = (
        replace(dated, effective_to=DAY),
        replace(
            dated,
            effective_from=next_day,
            params={"from": 0, "whole": 2, "weight": 0.5, "said": 1},
        ),
    )
    law = Law("thresholds", {**thresholds().rules, "risk_bursts": changed})
    monkeypatch.setattr(registry, "thresholds", lambda: law)
    given = [did("A", s / 60 + d * 1440, "page_refresh") for d in (0, 1) for s in (0, 1)]
    frame = rows("shop_actions", *given).with_columns(hour=pl.lit(12))
    found = risk(frame, SILENCE, GAP).collect().sort("gaming_day")
    assert found["gaming_day"].to_list() == [DAY, next_day]
    assert found["risk_score"].to_list() == [pytest.approx(0.566667, abs=1e-6), 0.75]
    assert found["reasons"].list.len().to_list() == [1, 0]


def test_runs_are_of_one_account_and_one_that_follows_another_is_its_own() -> None:
    """A's run ends as B's begins; A has two runs of two, 1 s within and 2 s between them."""
    given = [did("A", s / 60, "page_refresh") for s in (0, 1, 3, 4)]
    given += [did("B", s / 60, "page_refresh") for s in (4.5, 10)]
    frame = rows("shop_actions", *given).with_columns(hour=pl.lit(12))
    found = risk(frame, SILENCE, GAP).collect().sort("user_id")
    assert found["bursts"].to_list() == [2, 0]
    assert found["high_frequency_actions"].to_list() == [4, 0]


def test_a_clock_is_regular() -> None:
    given = [did("A", 5 * n / 60, "view_product", session_id="s") for n in range(11)]
    frame = rows("shop_actions", *given).with_columns(hour=pl.lit(12))
    assert risk(frame, SILENCE, GAP).collect()["gap_regularity"].to_list() == [1.0]


def test_night_is_by_the_clock_at_home() -> None:
    """16:00 at the property is 02:00 in Tallinn; a zone that is none is not followed."""
    at = "2026-06-15 16:00"
    given = rows("shop_actions", *({"event_id": u, "user_id": u, "timestamp": at} for u in "ABC"))
    homes = rows(
        "online_accounts",
        {"account_id": "A", "gaming_day": DAY, "time_zone": "Europe/Tallinn"},
        {"account_id": "B", "gaming_day": DAY, "time_zone": "Nowhere/None"},
    )
    found = of("user_risk", shop_actions=given, online_accounts=homes)
    assert dict(found.select("user_id", "night_share").rows()) == {"A": 1.0, "B": 0.0, "C": 0.0}
    alone = of("user_risk", shop_actions=given)
    assert alone["night_share"].to_list() == [0.0, 0.0, 0.0]


def test_all_planted_bursts_are_found_and_nothing_else() -> None:
    """On a simulated day as it is before defects: recall and precision 1."""
    world, day = World(WorldConfig(seed=5)), dt.date(2025, 1, 4)
    actions = world.clean("shop_actions", day).lazy().with_columns(hour=pl.lit(12))
    found = risk(actions, SILENCE, GAP).collect()
    planted = world.plants(day, ["shop_actions"]).filter(kind="high_frequency")
    runs = dict(found.filter(pl.col("bursts") > 0).select("user_id", "bursts").rows())
    assert runs == dict(planted["entity_id"].value_counts().rows())
    refreshes = actions.filter(pl.col("action") == "page_refresh").collect().height
    assert found["high_frequency_actions"].sum() == refreshes


def test_hours_do_not_depend_on_one_another() -> None:
    given = [*ORDERS, paid("5", 60, "4.00", status="refunded"), paid("6", 3_700, "1.00")]
    seen = rows("shop_actions", did("D", 0.25, "view_product"), did("D", 70, "view_product"))
    orders = rows("shop_orders", *given)
    found = hours(orders, seen, alerts()).collect()
    assert found["hour_start"].to_list() == [NOON, NOON + dt.timedelta(hours=1)]
    assert found["transactions"].to_list() == [3, 1]
    assert found["sales"].to_list() == [Decimal("35.01"), Decimal("1.00")]
    assert found["failed_transactions"].to_list() == [1, 0]
    assert found["refunded"].to_list() == [Decimal("4.00"), Decimal("0.00")]
    assert found["visitors"].to_list() == [4, 2]
    later = pl.col("timestamp") >= NOON + dt.timedelta(hours=1)
    alone = hours(orders.filter(later), seen.filter(later), alerts()).collect()
    assert alone.equals(found.tail(1))
