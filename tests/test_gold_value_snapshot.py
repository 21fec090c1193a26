"""Player value at a day's close, against figures worked on paper, and its invariants."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
import weekend
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from silver_rows import assert_record, mart, record, silver
from weekend import DAYS, SUN

from lakehouse.contracts import contract
from lakehouse.gold.floor.player_day import player_day
from lakehouse.gold.floor.player_value import player_value
from lakehouse.regulation.gaming_day import each_day

D = dt.date(2026, 3, 1)


def _days_before(n: int, day: dt.date = D) -> dt.date:
    return day - dt.timedelta(days=n)


def _day(player: str, day: dt.date, theo: str, actual: str = "0", **more: Any) -> dict[str, Any]:
    row = {"player_id": player, "gaming_day": day, "visits": 1, "theo": theo, "actual": actual}
    return row | {"is_play_day": float(theo) > 0} | more


def _profile(player: str, day: dt.date, tier: str = "Gold", **more: Any) -> dict[str, Any]:
    row = {"player_id": player, "gaming_day": day, "loyalty_tier": tier}
    return row | {"self_excluded": False, "account_status": "Active"} | more


def _value(
    rows: list[dict[str, Any]],
    profiles: list[dict[str, Any]] | None = None,
    day: dt.date = D,
    flagged: dt.date | None = None,
) -> pl.LazyFrame:
    """`flagged`: the day on which play of P1 was high in `player_protection`."""
    known = profiles
    if known is None:
        known = [_profile(p, r) for p, r in {(r["player_id"], r["gaming_day"]) for r in rows}]
    return player_value(
        mart("player_day", rows),
        silver("player_profile", known),
        _protection(*([flagged] if flagged else [])),
        days=(day, day),
        wanted=[day],
    )


def _protection(*high: dt.date) -> pl.LazyFrame:
    """P1 and P2 on these days: P1 is high and P2 is not."""
    rows = [
        {"player_id": p, "gaming_day": day, "is_marketing_suppressed": p == "P1"}
        for day in high
        for p in ("P1", "P2")
    ]
    return mart("player_protection", rows)


def _weekend(days: tuple[Any, Any] = (SUN, SUN)) -> pl.LazyFrame:
    partial = player_day(
        weekend.slot_telemetry(),
        weekend.table_games(),
        weekend.financial_txn(),
        weekend.gaming_wins(),
        days=DAYS,
    )
    return player_value(
        partial, weekend.player_profile(), _protection(), days=days, wanted=each_day(days)
    )


@pytest.mark.parametrize(
    ("player", "expected"),
    [
        (  # 15.58 on one play day of two; 40% of 93.33 is 37.332; 25% of 15.58 is 3.895
            "P1",
            {
                "loyalty_tier": "Silver",
                "visits": 2,
                "play_days_365": 1,
                "days_since_visit": 1,
                "theo": "15.58",
                "actual": "93.33",
                "adt": "15.58",
                "adt_with_zero_days": "7.79",
                "worth_30": "37.33",
                "net_theo_30": "15.58",
                "reinvestment_budget": "3.90",
                "recency_quintile": 2,
                "frequency_quintile": 3,
                "monetary_quintile": 3,
            },
        ),
        (  # 204.94 + 113.76; the patron is ahead, 90 - 250, so that worth is theo
            "P2",
            {
                "visits": 2,
                "theo": "318.70",
                "actual": "-160.00",
                "adt": "159.35",
                "worth_365": "318.70",
                "reinvestment_budget": "79.68",
                "recency_quintile": 4,
                "frequency_quintile": 3,
                "monetary_quintile": 4,
            },
        ),
        (  # 40% of 67.00; 15.20 of theo on 20.00 of free play leaves nothing to give
            "P3",
            {
                "theo": "15.20",
                "worth_30": "26.80",
                "net_theo_30": "-4.80",
                "reinvestment_budget": "0.00",
            },
        ),
        (  # excluded on Sunday
            "P4",
            {
                "theo": "15.00",
                "is_excluded": True,
                "is_protected": True,
                "reinvestment_budget": "0.00",
                "recency_quintile": 1,
                "monetary_quintile": 1,
            },
        ),
    ],
)
def test_weekend_by_hand(player: str, expected: dict[str, Any]) -> None:
    assert_record(record(_weekend(), player_id=player), expected)


def test_only_patrons_with_a_trip_are_valued() -> None:
    assert _weekend().select("player_id").collect()["player_id"].to_list() == [
        "P1",
        "P2",
        "P3",
        "P4",
    ]


def test_exclusion_does_not_reach_back() -> None:
    friday = record(_weekend((weekend.FRI, weekend.FRI)), player_id="P4")
    assert_record(friday, {"is_excluded": False, "reinvestment_budget": "3.75"})


def test_rows_satisfy_the_contract() -> None:
    good, failure = contract("player_value").schema.filter(_weekend(DAYS).collect(), cast=True)
    assert (len(good), failure.counts()) == (3 + 4 + 4, {})


@pytest.mark.parametrize(
    ("ages", "windows"),
    [
        ([0, 29, 30, 89, 90, 364, 365], ("20.00", "40.00", "60.00", "70.00")),
        ([29], ("10.00", "10.00", "10.00", "10.00")),
        ([30], ("0.00", "10.00", "10.00", "10.00")),
        ([365], ("0.00", "0.00", "0.00", "10.00")),
    ],
)
def test_windows_end_with_the_day(ages: list[int], windows: tuple[str, ...]) -> None:
    found = _value([_day("P1", _days_before(a), "10.00") for a in ages])
    names = ("theo_30", "theo_90", "theo_365", "theo")
    assert_record(record(found, player_id="P1"), dict(zip(names, windows, strict=True)))


def test_average_daily_theo_with_and_without_zero_play_days() -> None:
    trips = [_day("P1", _days_before(4), "200.00"), _day("P1", _days_before(2), "200.00")]
    found = _value([*trips, _day("P1", D, "0.00")])
    assert_record(record(found), {"adt": "200.00", "adt_with_zero_days": "133.33"})


def test_no_average_without_play_or_trip_in_the_window() -> None:
    swipes = [_day("P1", D, "0.00"), _day("P2", _days_before(365), "50.00")]
    found = _value(swipes)
    assert_record(record(found, player_id="P1"), {"adt": None, "adt_with_zero_days": "0.00"})
    assert_record(record(found, player_id="P2"), {"adt": None, "adt_with_zero_days": None})
    assert_record(record(found, player_id="P1"), {"p_alive": None, "expected_value_12m": None})


def test_quintiles_split_ten_patrons_in_pairs() -> None:
    rows = [_day(f"P{i}", _days_before(i), f"{100 - i}.00") for i in range(10)]
    found = _value(rows).collect().sort("player_id")
    assert found["recency_quintile"].to_list() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert found["monetary_quintile"].to_list() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert set(found["frequency_quintile"]) == {1}


@pytest.mark.parametrize(
    ("profiles", "tier", "movement"),
    [
        ([(90, "Silver"), (0, "Platinum")], "Platinum", 2),
        ([(90, "Silver"), (89, "Gold"), (0, "Bronze")], "Bronze", -1),
        ([(89, "Silver"), (0, "Gold")], "Gold", None),
        ([(200, "Diamond")], "Diamond", 0),
        ([], None, None),
    ],
)
def test_tier_movement(
    profiles: list[tuple[int, str]], tier: str | None, movement: int | None
) -> None:
    known = [_profile("P1", _days_before(age), name) for age, name in profiles]
    found = record(_value([_day("P1", D, "10.00")], known))
    assert (found["loyalty_tier"], found["tier_movement"]) == (tier, movement)


@pytest.mark.parametrize(
    ("standing", "flag", "budget"),
    [
        ({}, None, "25.00"),
        ({"self_excluded": True}, None, "0.00"),
        ({"account_status": "Closed"}, None, "0.00"),
        ({"account_status": "Suspended"}, None, "0.00"),
        ({"account_status": "Inactive"}, None, "25.00"),
        ({}, D, "0.00"),
        ({}, _days_before(90), "0.00"),
        ({}, _days_before(91), "25.00"),
        ({}, _days_before(-1), "25.00"),
        (None, None, "0.00"),  # no profile to tell
    ],
)
def test_protected_patrons_get_no_budget_and_no_marketing(
    standing: dict[str, Any] | None, flag: dt.date | None, budget: str
) -> None:
    opted = {"marketing_opt_in": True}
    profiles = [] if standing is None else [_profile("P1", D, **opted | standing)]
    found = record(_value([_day("P1", D, "100.00")], profiles, flagged=flag))
    is_protected = budget == "0.00"
    wanted = {"is_protected": is_protected, "may_be_marketed_to": not is_protected}
    assert_record(found, {"reinvestment_budget": budget} | wanted)


def test_who_has_not_opted_in_is_not_marketed_to() -> None:
    profiles = [_profile("P1", D, marketing_opt_in=False)]
    found = record(_value([_day("P1", D, "100.00")], profiles))
    assert_record(found, {"is_protected": False, "may_be_marketed_to": False})


def test_a_flag_is_of_one_patron() -> None:
    found = record(_value([_day("P2", D, "100.00")], flagged=D))
    assert_record(found, {"is_protected": False, "reinvestment_budget": "25.00"})


@pytest.mark.parametrize(("silent", "churned"), [(0, False), (90, False), (91, True)])
def test_a_single_visitor_churns_after_ninety_days(silent: int, churned: bool) -> None:
    found = record(_value([_day("P1", _days_before(silent), "10.00")]))
    assert (found["p_alive"], found["is_churned"]) == (1.0, churned)


def test_a_regular_who_stays_away_is_given_up_sooner() -> None:
    rows = [_day("P1", _days_before(80 + 2 * i), "10.00") for i in range(60)]
    found = record(_value(rows))
    assert found["p_alive"] < 0.01
    assert found["is_churned"]


_history = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 25), st.integers(0, 500), st.integers(-900, 900)),
    min_size=1,
    max_size=25,
    unique_by=lambda r: r[:2],
)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(_history, st.integers(0, 20))
def test_a_snapshot_depends_on_no_other_day(rows: list[tuple[int, ...]], split: int) -> None:
    """Alone, in a range and with a future that it does not know, a day comes out the same."""
    history = mart(
        "player_day", [_day(f"P{p}", _days_before(a), str(t), str(w)) for p, a, t, w in rows]
    )
    profiles = silver("player_profile", [_profile(f"P{p}", _days_before(60)) for p in range(4)])
    day = _days_before(split)
    known = history.filter(pl.col("gaming_day") <= day)
    flags = _protection(_days_before(95), _days_before(20))
    alone = player_value(known, profiles, flags, days=(day, day), wanted=[day]).collect()
    span = _days_before(25), D
    within = player_value(history, profiles, flags, days=span, wanted=each_day(span)).collect()
    assert_frame_equal(alone, within.filter(gaming_day=day))


@settings(max_examples=15, deadline=None)
@given(_history)
def test_money_is_conserved(rows: list[tuple[int, ...]]) -> None:
    """The last snapshot's totals are the sums of the days, whatever the order of the rows."""
    days = [_day(f"P{p}", _days_before(a), str(t), str(w)) for p, a, t, w in rows]
    found = _value(days[::-1]).collect()
    wanted = {p: (0, 0) for p in {r["player_id"] for r in days}}
    for p, _, theo, won in rows:
        before = wanted[f"P{p}"]
        wanted[f"P{p}"] = (before[0] + theo, before[1] + won)
    got = {p: (t, a) for p, t, a in found.select("player_id", "theo", "actual").rows()}
    assert got == wanted
