"""What is measured of orders, by hand; and that a day in batches says what the day at once does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from shop_rows import FAR, order, orders

from lakehouse.contracts.shop.fraud import PARTS, PROFILES, RULES
from lakehouse.detection.fraud import measures as in_threads
from lakehouse.detection.fraud import rules, sequence
from lakehouse.detection.fraud.alerts import alerted, fraud_of
from lakehouse.detection.fraud.measures import distance, measured, nothing_remembered, remembered
from lakehouse.detection.fraud.profiles import profile
from lakehouse.detection.fraud.rules import column, judged
from lakehouse.errors import BadInput


def measures(*given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Transaction → its measures."""
    found, _ = measured(orders(*given), nothing_remembered())
    return {row["transaction_id"]: row for row in found.iter_rows(named=True)}


def strengths(*given: dict[str, Any], by: str = "streamify") -> dict[str, dict[str, Any]]:
    found = judged(measured(orders(*given), nothing_remembered())[0], by)
    return {row["transaction_id"]: row for row in found.iter_rows(named=True)}


def test_windows_count_what_lies_within_them_and_the_order_itself() -> None:
    found = measures(
        order("a", "2025-03-01 20:00:00", "100.00"),
        order("b", "2025-03-01 20:00:05", "200.00"),
        order("c", "2025-03-01 20:00:10.000001", "400.00"),
        order("d", "2025-03-01 20:01:05", "800.00"),
        order("x", "2025-03-01 20:00:06", "999.00", user="U2"),
    )
    # b is 5 s after a, and c is a microsecond more than that after b.
    assert [found[k]["tried_5s"] for k in "abcd"] == [1, 2, 1, 1]
    assert [found[k]["cents_60s"] for k in "abcd"] == [10_000, 30_000, 70_000, 140_000]
    assert [found[k]["tried_before"] for k in "abcdx"] == [0, 1, 2, 3, 0]


def test_a_basket_is_one_payment_and_a_refund_is_none() -> None:
    at = "2025-03-01 20:00:00"
    found = measures(
        *(order(f"a{k}", at, "10.00") for k in range(4)),
        order("r", "2025-03-01 20:00:01", "10.00", status="refunded"),
    )
    assert found["a3"]["tried_5s"] == 1
    assert found["a3"]["cents_60s"] == 4_000
    assert (found["r"]["refunds"], found["r"]["tried_5s"]) == (1, 1)
    assert strengths(order("a", at, "6000.00", status="refunded"))["a"]["score"] == 0


def test_what_is_older_than_thirty_gaming_days_is_forgotten() -> None:
    """31 March is the thirtieth gaming day after 1 March."""
    first = order("a", "2025-03-01 20:00", "10.00", device="old")
    seen = measures(
        first, order("b", "2025-03-30 20:00", "1.00"), order("c", "2025-03-31 20:00", "1.00",
                                                             device="old"),
    )  # fmt: skip
    assert (seen["c"]["tried_before"], seen["c"]["is_new_device"]) == (2, False)
    late = measures(
        first, order("b", "2025-03-30 20:00", "1.00"), order("c", "2025-04-01 20:00", "1.00",
                                                             device="old"),
    )  # fmt: skip
    assert (late["c"]["tried_before"], late["c"]["is_new_device"]) == (1, True)


def test_a_device_is_new_for_a_day_and_only_where_another_was_known() -> None:
    found = measures(
        order("a", "2025-03-01 20:00", "1.00", device="one"),
        order("b", "2025-03-03 20:00", "1.00", device="two"),
        order("c", "2025-03-03 20:30", "1.00", device="two"),
        order("d", "2025-03-05 20:00", "1.00", device="two"),
        order("e", "2025-03-05 20:01", "1.00", device=None),
    )
    assert [found[k]["is_new_device"] for k in "abcde"] == [False, True, True, False, False]
    assert [found[k]["is_new_network"] for k in "abcde"] == [False] * 5


def test_the_great_circle() -> None:
    """A quarter of the equator is 10,007.5 km on a sphere of 6,371.0088 km."""
    zero, quarter = np.array([0.0]), np.array([90.0])
    assert distance(zero, zero, zero, quarter)[0] == pytest.approx(10_007.557, abs=0.01)
    assert distance(zero, zero, quarter, zero)[0] == pytest.approx(10_007.557, abs=0.01)


def test_travel_is_too_fast_beyond_the_error_of_places_and_home_is_not_the_odd_place() -> None:
    """6,650 km less 100 in six hours are 1,092 km/h; in seven, 936."""

    def there(at: str, back: str) -> dict[str, dict[str, Any]]:
        return strengths(
            order("a", "2025-03-01 20:00", "9.00"),
            order("b", "2025-03-02 20:00", "9.00"),
            order("c", at, "9.00", place=FAR),
            order("d", back, "9.00"),
        )

    fast = there("2025-03-03 02:00", "2025-03-03 03:00")
    assert fast["c"]["kmh"] == pytest.approx(1_092, abs=1)
    assert fast["c"][column("impossible_travel")] > 0.8
    assert fast["d"]["kmh"] > 6_000
    assert fast["d"][column("impossible_travel")] == 0
    slow = there("2025-03-03 03:00", "2025-03-05 03:00")
    assert slow["c"]["kmh"] == pytest.approx(936, abs=1)
    assert slow["c"][column("impossible_travel")] == 0
    near = measures(
        order("a", "2025-03-01 20:00", "9.00"),
        order("b", "2025-03-01 20:02", "9.00", place=(59.9, 25.5)),
    )
    assert near["b"]["km"] > 50
    assert near["b"]["kmh"] == 0


def test_a_place_that_is_not_known_says_nothing() -> None:
    found = measures(
        order("a", "2025-03-01 20:00", "9.00"),
        order("b", "2025-03-01 20:01", "9.00", place=(None, None)),
        order("c", "2025-03-01 20:02", "9.00", place=FAR),
    )
    assert (found["b"]["km"], found["b"]["kmh"]) == (None, None)
    assert found["c"]["was_at"] == "a"


def test_an_amount_is_held_against_the_users_own() -> None:
    """Two payments of $16: binary logarithms of cents, 10.644, without spread of their own; beside
    them stand three of 1.3: the deviation of $64, two doublings, is 2 / (1.3 x sqrt(3/5))."""
    found = measures(
        order("a", "2025-03-01 20:00", "16.00"),
        order("b", "2025-03-02 20:00", "16.00"),
        order("c", "2025-03-03 20:00", "16.00", status="failed"),
        order("d", "2025-03-04 20:00", "64.00"),
    )
    assert found["a"]["deviation"] is None
    assert found["b"]["deviation"] == 0
    assert found["d"]["paid_before"] == 2
    assert found["d"]["deviation"] == pytest.approx(2 / (1.3 * 0.6**0.5), abs=0.002)


def test_the_thresholds_of_streamify() -> None:
    """Amounts of 2,000 and 5,000; three in five seconds; 1,000 dollars a minute."""
    at = "2025-03-01 20:00:0"
    one = strengths(order("a", f"{at}0", "1999.99"), order("b", f"{at}0", "2000.00", user="U2"),
                    order("c", f"{at}0", "5000.00", user="U3"))  # fmt: skip
    assert [one[k]["part_amount"] for k in "abc"] == [0, 0.5, 1]
    assert [one[k]["part_velocity"] for k in "abc"] == [0, 0, 0]
    three = strengths(*(order(f"a{k}", f"{at}{2 * k}", "5.00") for k in range(3)))
    assert [three[f"a{k}"]["part_velocity"] for k in range(3)] == [0, 0, 0.9]
    fast = strengths(order("a", f"{at}0", "500.00"), order("b", f"{at}9", "500.00"))
    assert fast["b"]["part_velocity"] == 0.5
    odd = strengths(
        order("a", f"{at}0", "0.99"),
        order("b", f"{at}0", "100.00", user="U2"),
        order("c", f"{at}0", "17.00", user="U3", product_category="Gift Cards"),
    )
    assert [odd[k]["part_pattern"] for k in "abc"] == [pytest.approx(0.7), 0, 0.5]


def test_the_score_is_the_weighted_sum_of_its_parts() -> None:
    """A takeover by the streamify weights: .30 x 1 + .20 x 1 + .15 x 1 + .10 x 1, and HIGH."""
    found = strengths(
        order("a", "2025-03-01 20:00", "10.00"),
        order("b", "2025-03-02 20:00", "10.00"),
        order("c", "2025-03-02 21:00", "5000.00", place=FAR, device="d", network="n"),
    )
    assert [found["c"][f"part_{p}"] for p in PARTS] == [1, 0, 1, 1, 1]
    assert found["c"]["score"] == 0.75
    assert found["c"]["level"] == "HIGH"
    assert found["b"]["level"] is None


def test_levels_and_weights_of_streamify_are_the_seeds() -> None:
    law = profile("streamify")
    weights, levels = (law.periods(n)[-1].params or {} for n in ("weights", "levels"))
    assert {k: float(v) for k, v in weights.items()} == {
        "amount": 0.3, "velocity": 0.25, "geography": 0.2, "device": 0.15, "pattern": 0.1,
    }  # fmt: skip
    assert [float(levels[k]) for k in ("medium", "high", "critical")] == [0.4, 0.6, 0.8]


def test_there_is_no_alert_under_the_lowest_score_that_alerts() -> None:
    """Of the tuned profile that is over the seeds' MEDIUM: its budget is spent there."""
    levels = profile("tuned").periods("levels")[-1].params or {}
    assert levels["low"] > levels["medium"]
    below, at = (
        pl.select(score=pl.lit(float(levels["low"]) - off), gaming_day=pl.lit(dt.date(2025, 3, 1)))
        .select(rules._level(profile("tuned"), (dt.date(2025, 3, 1), dt.date(2025, 3, 1))))
        .item()
        for off in (0.001, 0.0)
    )
    assert (below, at) == (None, "HIGH")


def test_a_profile_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadInput, match="unknown profile 'loose' of fraud; known: streamify, tuned"):
        profile("loose")


@pytest.mark.parametrize("name", PROFILES)
def test_every_rule_has_its_thresholds(name: str) -> None:
    assert [r.name for r in rules.RULES] == list(RULES)
    for r in RULES:
        params = profile(name).periods(r)[-1].params or {}
        assert params.keys() == {"at", "whole", "half", "lift"}
        assert params["at"] < params["whole"]


def test_a_changed_threshold_holds_from_its_day() -> None:
    from lakehouse.regulation.law import parse

    text = "\n".join(
        f'[[rule]]\nname = "high_amount"\n{when}\n'
        f"params = {{ at = {at}, whole = 9000, half = 0.5, lift = 0 }}\ncitation = 'x'\n"
        for when, at in (
            ("effective_from = 2000-01-01\neffective_to = 2025-03-01", 2000),
            ("effective_from = 2025-03-02", 3000),
        )
    )
    found, _ = measured(
        orders(
            order("a", "2025-03-01 20:00", "2500.00"), order("b", "2025-03-02 20:00", "2500.00")
        ),
        nothing_remembered(),
    )
    days = dt.date(2025, 3, 1), dt.date(2025, 3, 2)
    [high] = [r for r in rules.RULES if r.name == "high_amount"]
    told = found.select(high.strength(parse("x", text), days)).to_series()
    assert (told > 0).to_list() == [True, False]


def test_an_alert_says_why_and_names_its_rows() -> None:
    given = orders(
        order("b", "2025-02-20 20:00", "10.00"),
        order("a", "2025-03-01 20:00", "10.00"),
        order("b", "2025-03-02 20:00", "10.00"),
        order("c", "2025-03-02 21:00", "5000.00", place=FAR, device="d", network="n"),
        order("z", "2025-03-02 20:59", "10.00", user="U2"),
    )
    found, _ = measured(given, nothing_remembered())
    [alert] = alerted(judged(found, "streamify"), remembered(given), "streamify").to_dicts()
    assert alert["alert_id"] == "streamify-2025-03-02-c"
    assert alert["alert_level"] == "HIGH"
    assert "a high amount, $5000.00" in alert["fraud_reason"]
    assert "a device and a network never seen of the account" in alert["fraud_reason"]
    assert "from the payment before, at 6" in alert["fraud_reason"]
    assert alert["rules"][0]["rule"] == "high_amount"
    named = [(e["record_id"], e["gaming_day"].day) for e in alert["evidence"]]
    assert named == [("b", 2), ("c", 2)]  # not the b of ten days before
    assert '"cents_60s":500000' in alert["additional_context"]


def test_a_burst_names_the_payments_of_its_hour() -> None:
    tests = [
        order(f"t{k}", f"2025-03-01 20:0{k}", "1.00", status="failed" if k % 2 else "completed")
        for k in range(8)
    ]
    # Of one basket with t7, and after it in the order of transactions: not known of yet.
    given = orders(
        order("old", "2025-03-01 18:00", "80.00"), *tests, order("t8", "2025-03-01 20:07", "1.00")
    )
    found, _ = measured(given, nothing_remembered())
    told = alerted(judged(found, "tuned"), remembered(given), "tuned")
    last = told.filter(pl.col("transaction_id") == "t7").row(0, named=True)
    assert "8 small payments within an hour, 4 of them refused" in last["fraud_reason"]
    assert [e["record_id"] for e in last["evidence"]] == [f"t{k}" for k in range(8)]


def test_two_users_of_one_code_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [
        order("a", "2025-03-01 20:00:00", "10.00"),
        order("b", "2025-03-01 20:00:01", "20.00", user="U2"),
        order("c", "2025-03-01 20:00:02", "40.00"),
    ]
    right = measures(*given)
    codes = pl.Series.hash

    def meeting(series: pl.Series, seed: int = 0) -> pl.Series:
        met = series.name == "user_id" and seed == 0
        return pl.zeros(len(series), pl.UInt64, eager=True) if met else codes(series, seed)

    monkeypatch.setattr(pl.Series, "hash", meeting)
    assert measures(*given) == right
    assert right["c"]["tried_before"] == 1


START = dt.datetime(2025, 3, 1, 15, tzinfo=dt.UTC)
MOMENTS = st.one_of(st.integers(0, 200), st.sampled_from([0, 60, 120])).map(
    lambda n: START + dt.timedelta(seconds=n)
)
ORDERS = st.lists(
    st.fixed_dictionaries(
        {
            "user": st.sampled_from(["U1", "U2", "U3"]),
            "at": st.one_of(
                MOMENTS,
                st.integers(0, 45 * 24).map(
                    lambda n: START - dt.timedelta(days=28) + dt.timedelta(hours=n)
                ),
            ),
            "amount": st.sampled_from(["0.50", "1.00", "7.00", "100.00", "649.99", "2500.00"]),
            "status": st.sampled_from(["completed", "completed", "failed", "refunded"]),
            "product_category": st.sampled_from(["Books", "Gift Cards"]),
            "device": st.sampled_from(["d1", "d2", None]),
            "network": st.sampled_from(["n1", "n2", "n3"]),
            "place": st.sampled_from([(59.44, 24.75), (60.17, 24.94), FAR, (None, None)]),
        }
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(ORDERS, st.lists(st.integers(0, 40), max_size=6), st.sampled_from(PROFILES))
def test_batches_say_what_the_whole_does(
    given_orders: list[dict[str, Any]], cuts: list[int], name: str
) -> None:
    rows = orders(
        *(order(f"t{k:02}", f"{o.pop('at'):%Y-%m-%d %H:%M:%S}", o.pop("amount"), **o)
          for k, o in enumerate(dict(o) for o in given_orders))
    ).sort("timestamp", "transaction_id")  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        # As a large day is done: the users in threads, each with some of them.
        patch.setattr(in_threads, "ROWS_ALONE", 0)
        whole, after = fraud_of(rows, nothing_remembered(), name)
    state, parts, begin = nothing_remembered(), [], 0
    for end in sorted({min(c, len(rows)) for c in cuts} | {len(rows)}):
        part, state = fraud_of(rows[begin:end], state, name)
        parts.append(part)
        begin = end
    assert_frame_equal(pl.concat(parts).sort("transaction_id"), whole)
    assert_frame_equal(state, after, check_row_order=False)


def test_a_batch_of_nothing_changes_nothing() -> None:
    rows = orders(order("a", "2025-03-01 20:00", "10.00"))
    _, state = measured(rows, nothing_remembered())
    found, after = fraud_of(rows.clear(), state, "tuned")
    assert found.is_empty()
    assert_frame_equal(after, state)


def test_the_state_keeps_no_more_than_thirty_days() -> None:
    _, state = measured(orders(order("a", "2025-03-01 20:00", "1.00")), nothing_remembered())
    _, later = measured(orders(order("b", "2025-04-01 20:00", "1.00", user="U2")), state)
    assert later["transaction_id"].to_list() == ["b"]
    both = orders(order("a", "2025-03-01 20:00", "1.00"), order("b", "2025-04-01 20:00", "1.00"))
    assert measured(both, nothing_remembered())[1]["transaction_id"].to_list() == ["b"]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=40),
    st.integers(0, 30),
)
def test_windows_are_what_a_loop_counts(pairs: list[tuple[int, int]], span: int) -> None:
    pairs = sorted(pairs, key=lambda p: p[1])
    rows = pl.DataFrame(
        {
            "user_id": [f"U{u}" for u, _ in pairs],
            "timestamp": [START + dt.timedelta(microseconds=t) for _, t in pairs],
            "gaming_day": [START.date()] * len(pairs),
        }
    )
    order_, by_user = sequence.sequence(rows, rows["user_id"].hash().to_numpy(), 30)
    value = np.arange(1, len(pairs) + 1)
    [window, _] = order_.windows(span, span // 2)
    sums = window.up_to(value[by_user])
    found = np.empty_like(sums)
    found[by_user] = sums
    expected = [
        sum(j + 1 for j, (v, s) in enumerate(pairs[: i + 1]) if v == u and t - s <= span)
        for i, (u, t) in enumerate(pairs)
    ]
    assert found.tolist() == expected


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=40))
def test_codes_met_before_are_what_a_loop_counts(pairs: list[tuple[int, int]]) -> None:
    """Codes that stand side by side, as those of neighbouring places do."""
    rows = pl.DataFrame(
        {
            "user_id": [f"U{u}" for u, _ in pairs],
            "timestamp": [START + dt.timedelta(seconds=k) for k in range(len(pairs))],
            "gaming_day": [START.date()] * len(pairs),
        }
    )
    order_, by_user = sequence.sequence(rows, rows["user_id"].hash().to_numpy(), 30)
    code = np.array([c for _, c in pairs], dtype=np.uint64)[by_user]
    every = np.arange(len(pairs))
    found = np.empty_like(every)
    found[by_user] = order_.times_before(code, every, np.maximum(code, 1), every)
    expected = [sum(p == (u, max(c, 1)) for p in pairs[:i]) for i, (u, c) in enumerate(pairs)]
    assert found.tolist() == expected
