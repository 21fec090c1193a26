"""Who may need protection and why, by hand: scores, reasons, peers, levels, and what they alert."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from silver_rows import mart, record, silver

from lakehouse.contracts import contract
from lakehouse.detection.protection import MARKERS
from lakehouse.detection.registry import limit_of, rules
from lakehouse.gold.detection.player_protection import player_protection

D = dt.date(2026, 3, 6)
Row = dict[str, Any]
NOTHING = {"stake_slope": None, "stake_slope_t": None, "minutes_slope": None,
           "minutes_slope_t": None, "minutes_deviation": None, "staked_deviation": None,
           "deposited_deviation": None, "chasing_rows": None, "chasing_sessions": None,
           "chasing_days": None, "baseline": "none", "main_game": "machines"}  # fmt: skip
RISING = {"stake_slope": 0.1, "stake_slope_t": 4.5}
"""At `whole` of marker_trajectory, whose weight is 0.23."""
MANY = {"sessions_lately": 36}
"""At `whole` of marker_frequency, whose weight is 0.22."""


def ago(days: int, day: dt.date = D) -> dt.date:
    return day - dt.timedelta(days)


def played(before: int = 0, player: str = "P1", day: dt.date = D, **more: Any) -> Row:
    """Markers of somebody who plays little, and what is given."""
    row = {"player_id": player, "gaming_day": ago(before, day), "active_days": 2, "minutes": 60}
    return row | NOTHING | {"active_days_before": 2, "sessions": 2} | more


def people(*rows: Row) -> pl.LazyFrame:
    return silver("player_profile", list(rows))


def profile(player: str = "P1", since: int = 400, **more: Any) -> Row:
    row = {"player_id": player, "gaming_day": ago(since), "loyalty_tier": "Gold"}
    return row | {"self_excluded": False} | more


def protection(
    rows: list[Row], profiles: list[Row] = (), days: tuple[dt.date, dt.date] = (D, D)
) -> pl.LazyFrame:
    return player_protection(
        mart("player_markers", rows),
        mart("protection_model", []),
        people(*profiles),
        days=days,
    )


def one(*rows: Row, profiles: list[Row] = (), day: dt.date = D) -> Row:
    return record(protection(list(rows), profiles, (day, day)), player_id="P1")


@pytest.mark.parametrize(
    ("markers", "score", "level"),
    [
        ({}, 0.0, "none"),
        (RISING, 0.23, "none"),
        (MANY, 0.22, "none"),
        (RISING | MANY, 0.45, "raised"),
        # Half way from 1 to 4.5 is half of 0.23.
        (RISING | MANY | {"stake_slope_t": 2.75}, 0.335, "none"),
        (RISING | MANY | {"minutes_slope": 0.2, "minutes_slope_t": 9.0}, 0.54, "high"),
        (MANY | {"more_sessions": 3.5}, 0.275, "none"),  # half of 0.11 more
        (MANY | {"chasing_runs": 2.0}, 0.295, "none"),  # half of 0.15
        (MANY | {"days_behind": 9}, 0.32, "none"),
        (RISING | MANY | {"stake_slope_t": 3.275}, 0.3695, "watch"),
        ({"stake_slope": -0.1, "stake_slope_t": 4.5}, 0.0, "none"),
    ],
)
def test_every_marker_adds_to_the_score(markers: Row, score: float, level: str) -> None:
    found = one(played(**markers))
    assert (found["score"], found["level"]) == (score, level)
    assert found["is_marketing_suppressed"] == (level in ("raised", "high"))


@pytest.mark.parametrize(
    ("markers", "behind"),
    [
        ({"night_share": 0.95, "minutes": 599}, 0.0),
        ({"night_share": 0.95, "minutes": 600}, 0.01),
        ({"chasing_rows": 1.0, "rows_behind": 14}, 0.0),
        ({"chasing_rows": 1.0, "rows_behind": 15}, 0.05),
    ],
)
def test_a_share_of_few_says_nothing(markers: Row, behind: float) -> None:
    assert one(played(**markers))["score"] == behind


def test_reasons_are_in_words_and_the_strongest_come_first() -> None:
    found = one(played(**MANY, **RISING, minutes_slope=0.2, minutes_slope_t=2.5, sessions=6,
                       deposits_per_session=3.0))  # fmt: skip
    assert found["reasons"] == [
        "stakes have risen by 11% a week",
        "played 36 sessions in two weeks",
        "days of play have become longer by 22% a week",
    ]
    assert (found["patterns_of_spend"], found["time"], found["spend"]) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(("sessions", "level"), [(49, "none"), (50, "high")])
def test_fifty_sessions_in_a_day_are_a_rule_by_name(sessions: int, level: str) -> None:
    found = one(played(most_sessions=sessions))
    assert found["level"] == level
    named = f"{sessions} sessions in a day" if level == "high" else None
    assert (found["named_rule"], found["reasons"]) == (named, [named] if named else [])


def test_a_day_of_play_lasts_thirty_days_and_the_last_one_counts() -> None:
    rows = [played(40, **RISING), played(12)]
    found = protection(rows, days=(ago(45), ago(-20))).collect()
    first = found.filter(last_play=ago(40))["gaming_day"]
    last = found.filter(last_play=ago(12))["gaming_day"]
    assert (first.min(), first.max(), len(first)) == (ago(40), ago(13), 28)
    assert (last.min(), last.max(), len(last)) == (ago(12), ago(-17), 30)
    assert found.filter(pl.col("score") > 0)["last_play"].unique().to_list() == [ago(40)]


def crowd(many: int, tier: str, minutes: int) -> tuple[list[Row], list[Row]]:
    names = [f"{tier}{n}" for n in range(many)]
    rows = [played(0, p, minutes=minutes, staked_per_day="10.00") for p in names]
    return rows, [profile(p, loyalty_tier=tier) for p in names]


@pytest.mark.parametrize(
    ("golds", "peers", "share"),
    [(29, 30, 29 / 30), (28, 69, 28 / 69)],
    ids=["thirty of the tier", "too few of it: everybody"],
)
def test_peers_are_of_the_tier_where_there_are_enough(golds: int, peers: int, share: float) -> None:
    """One Gold patron plays longer than other Golds, and less than 40 of Bronze."""
    (gold, known), (bronze, others) = crowd(golds, "Gold", 50), crowd(40, "Bronze", 500)
    found = one(played(minutes=60), *gold, *bronze, profiles=[profile(), *known, *others])
    assert (found["peers"], found["time_percentile"]) == (peers, round(share, 6))


@pytest.mark.parametrize(
    ("day", "net", "asked", "is_over"),
    [
        (dt.date(2024, 8, 29), "9000.00", None, False),
        (dt.date(2024, 8, 30), "500.00", "500.00", False),
        (dt.date(2024, 8, 30), "500.01", "500.00", True),
        (dt.date(2025, 2, 27), "150.01", "500.00", False),
        (dt.date(2025, 2, 28), "150.00", "150.00", False),
        (dt.date(2025, 2, 28), "150.01", "150.00", True),
    ],
)
def test_the_financial_check_is_that_of_the_day(
    day: dt.date, net: str, asked: str | None, is_over: bool
) -> None:
    found = one(played(day=day, net_deposits=net), day=day)
    assert (str(found["financial_check"] or "") or None) == asked
    assert found["is_over_financial_check"] == is_over


def test_what_the_floor_does_not_record_is_null_and_says_why() -> None:
    found = one(played(), profiles=[profile(self_excluded=True)])
    assert (found["customer_contact"], found["account_indicators"]) == (None, None)
    assert {"customer_contact:", "account_indicators:", "tool_use:"} <= set(
        found["not_recorded"].split()
    )
    assert (found["tool_use"], found["is_excluded"]) == (1.0, True)
    assert found["learned_score"] is None
    assert found["learned_by"].startswith("no model yet")


def test_a_cold_start_is_told() -> None:
    assert one(played())["is_cold_start"]
    assert not one(played(baseline="all days", minutes_deviation=0.0))["is_cold_start"]


def test_no_word_of_it_is_a_diagnosis() -> None:
    rows = protection([played(**RISING, **MANY)]).collect()
    said = " ".join([*rows["reasons"][0], *contract("player_protection").descriptions().values()])
    for word in ("addict", "disorder", "patholog", "problem gambl", "compulsive"):
        assert word not in said.casefold()


def test_every_marker_has_its_thresholds() -> None:
    day = pl.LazyFrame({"gaming_day": [D]})
    for marker in MARKERS:
        names = ["from", "whole", "weight", *(["fewest"] if marker.counted else [])]
        found = day.select(limit_of(marker.rule, n).alias(n) for n in names).collect().row(0)
        assert None not in found
        assert 0 < found[2] <= 1


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 70), st.integers(0, 9)),
                min_size=1, max_size=30, unique_by=lambda r: r[:2]),
       st.sets(st.integers(0, 35), min_size=3, max_size=3))  # fmt: skip
def test_a_day_depends_on_no_other_that_is_asked_for(
    given_rows: list[tuple[int, ...]], asked: set[int]
) -> None:
    rows = [played(n, f"P{p}", **RISING, long_stretches=k) for p, n, k in given_rows]
    known = [profile(f"P{p}", 30, self_excluded=p == 1) for p in range(3)]
    together = protection(rows, known, (ago(35), D)).collect()
    for n in asked:
        past = [r for r in rows if r["gaming_day"] <= ago(n)][::-1]
        alone = protection(past, known, (ago(n), ago(n))).collect()
        assert alone.equals(together.filter(gaming_day=ago(n)))


def alerts(name: str, standing: list[Row], behaviour: list[Row] | None = None) -> pl.DataFrame:
    """Alerts of D."""
    days = behaviour or [{"player_id": "P1", "gaming_day": D}]
    frames = {
        "player_protection": mart("player_protection", standing),
        "player_behaviour": mart("player_behaviour", days),
    }
    mine = {r.table: frames[r.table] for r in rules()[name].reads}
    return rules()[name].alerts(mine, (D, D)).collect()


def level(before: int, name: str, score: float = 0.55, last: int | None = None) -> Row:
    row = {"player_id": "P1", "gaming_day": ago(before), "level": name, "score": score}
    return row | {"last_play": ago(before if last is None else last), "reasons": ["a", "b"]}


@pytest.mark.parametrize(
    ("standing", "many"),
    [
        ([level(0, "watch")], 1),
        ([level(0, "none")], 0),
        ([level(0, "watch", last=1)], 0),  # no play of the day
        ([level(0, "watch"), level(1, "watch")], 0),
        ([level(0, "raised"), level(1, "watch")], 1),
        ([level(0, "watch"), level(1, "none"), level(14, "watch")], 0),
        ([level(0, "watch"), level(1, "none"), level(15, "watch")], 1),
    ],
)
def test_a_level_that_rises_is_an_alert(standing: list[Row], many: int) -> None:
    assert len(alerts("escalating_harm", standing)) == many


def test_an_alert_names_the_days_of_play_it_rests_on() -> None:
    days = [{"player_id": "P1", "gaming_day": ago(n)} for n in (0, 29, 30)]
    others = [{"player_id": "P2", "gaming_day": D}]
    [found] = alerts("escalating_harm", [level(0, "raised", 0.4)], [*days, *others]).to_dicts()
    assert [e["record_id"] for e in found["evidence"]] == [f"P1/{ago(29)}", f"P1/{D}"]
    assert (found["window_start"], found["severity"]) == (ago(29), "WARNING")
    assert found["said"] == "Level raised: a; b."


@pytest.mark.parametrize(
    ("name", "score", "severity"),
    [("watch", 0.39, "INFO"), ("raised", 0.4, "WARNING"), ("high", 0.54, "WARNING"),
     ("high", 0.55, "CRITICAL")],
)  # fmt: skip
def test_the_higher_the_score_the_graver(name: str, score: float, severity: str) -> None:
    [found] = alerts("escalating_harm", [level(0, name, score)]).to_dicts()
    assert found["severity"] == severity


@pytest.mark.parametrize(("excluded", "last", "many"), [(True, 0, 1), (False, 0, 0), (True, 1, 0)])
def test_play_on_the_list_is_critical(excluded: bool, last: int, many: int) -> None:
    row = level(0, "none", last=last) | {"is_excluded": excluded}
    found = alerts("self_excluded_play", [row])
    assert found["severity"].to_list() == ["CRITICAL"] * many


@pytest.mark.parametrize(("sessions", "many"), [(49, 0), (50, 1)])
def test_fifty_sessions_alert_by_name(sessions: int, many: int) -> None:
    day = {"player_id": "P1", "gaming_day": D, "sessions": sessions}
    assert len(alerts("fifty_sessions_in_a_day", [], [day])) == many
