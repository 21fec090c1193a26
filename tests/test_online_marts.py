"""The online casino's marts, against figures worked on paper."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from silver_rows import mart, silver

from lakehouse.contracts import contract
from lakehouse.gold.floor.player_value import player_value
from lakehouse.gold.marts import marts
from lakehouse.gold.online.game_day import game_day
from lakehouse.gold.online.player_metrics import player_metrics
from lakehouse.gold.online.responsible_gaming import responsible_gaming
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings

D = dt.date(2025, 1, 10)
DAYS = (D, D)
OPENS = dt.datetime(2025, 1, 10, 14, tzinfo=dt.UTC)
"""06:00 in Los Angeles."""
LOS_ANGELES = "America/Los_Angeles"


def click(kind: str, second: float, user: str = "U1", **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"{user}-{second}-{kind}",
        "event_type": kind,
        "timestamp": OPENS + dt.timedelta(seconds=second),
        "user_id": user,
        "game_name": "slots",
        "device": "mobile",
        "country": "EE",
        "bet_amount": "0",
        "win_amount": "0",
        "is_bonus": False,
        "gaming_day": D,
    } | more


def a_round(
    second: float, stake: str, win: str, user: str = "U1", **more: Any
) -> list[dict[str, Any]]:
    """A stake, and ten seconds after it what it paid."""
    number = {"round_id": f"{user}-{second}"} | more
    return [
        click("bet_placed", second, user, bet_amount=stake, **number),
        click("bet_result", second + 10, user, win_amount=win, **number),
    ]


PLAY = [
    # Told by the client: 100 s.
    click("game_start", 0, session_id="s1"),
    *a_round(20, "100.00", "40.00", session_id="s1"),
    *a_round(60, "50.00", "0.00", session_id="s1", is_bonus=True),
    click("game_end", 100, session_id="s1"),
    # Not told: 10 s, 1,800 s of silence, then 10 s and an event in the same second.
    *a_round(5_000, "10.00", "25.00", game_name="poker", device="desktop"),
    *a_round(6_810, "5.00", "0.00", country="FI"),
    click("game_end", 6_820, country="FI"),
    # Somebody who looked, and staked nothing.
    click("game_start", 40, "U2"),
]


def metrics(rows: list[dict[str, Any]], **more: Any) -> pl.DataFrame:
    accounts = [
        {"account_id": "U1", "player_id": "P1", "gaming_day": D},
        {"account_id": "U2", "player_id": None, "gaming_day": D},
    ]
    asked = {"session_silence_minutes": 30, "high_frequency_seconds": 2.0} | more
    made = player_metrics(
        silver("clickstream", rows), silver("online_accounts", accounts), days=DAYS, **asked
    )
    return made.collect()


def test_an_account_s_day_adds_up() -> None:
    one, two = metrics(PLAY).rows(named=True)
    assert one == {
        "user_id": "U1",
        "gaming_day": D,
        "player_id": "P1",
        "sessions": 3,
        "rounds": 4,
        "stakes": pytest.approx(165),
        "bonus": pytest.approx(50),
        "wins": pytest.approx(65),
        "ggr": pytest.approx(100),
        "ngr": pytest.approx(50),
        "hold": pytest.approx(0.606061),
        "minutes": 2,  # 100 + 10 + 10 seconds
        "longest_session_minutes": 2,  # 100 seconds, half up
        "high_frequency_actions": 2,
        "games": ["poker", "slots"],
        "devices": ["desktop", "mobile"],
        "first_seen": OPENS,
        "last_seen": OPENS + dt.timedelta(seconds=6_820),
    }
    assert (two["sessions"], two["rounds"], two["stakes"], two["hold"]) == (1, 0, 0, None)
    assert two["player_id"] is None


def test_silence_and_haste_are_settings() -> None:
    assert metrics(PLAY, session_silence_minutes=31)["sessions"][0] == 2
    assert metrics(PLAY, high_frequency_seconds=10.5)["high_frequency_actions"][0] == 9
    assert Settings(session_silence_minutes=45).session_silence_minutes == 45


def test_a_game_s_day_by_device_and_country_beside_what_it_returns() -> None:
    games = [
        {"game_name": "slots", "return_to_player": "0.9000", "gaming_day": D - dt.timedelta(3)},
        {"game_name": "slots", "return_to_player": "0.9600", "gaming_day": D - dt.timedelta(1)},
        {"game_name": "slots", "return_to_player": "0.5000", "gaming_day": D + dt.timedelta(1)},
    ]
    made = game_day(silver("clickstream", PLAY), silver("games", games), days=DAYS).collect()
    found = {tuple(r[:3]): r[4:] for r in made.rows()}
    assert list(found) == [
        ("poker", "desktop", "EE"),
        ("slots", "mobile", "EE"),
        ("slots", "mobile", "FI"),
    ]
    # From the players on: how many, and so on to theo.
    slots = found["slots", "mobile", "EE"]
    assert [float(v) for v in slots] == [2, 2, 150, 50, 40, 110, 60, 0.733333, 0.96, 6]
    assert [float(v) for v in found["slots", "mobile", "FI"]] == [1, 1, 5, 0, 0, 5, 5, 1, 0.96, 0.2]
    assert found["poker", "desktop", "EE"][-2:] == (None, None)
    assert float(found["poker", "desktop", "EE"][5]) == -15


def signs(rows: list[dict[str, Any]], *before: dict[str, Any]) -> dict[str, Any]:
    known = metrics(rows).to_dicts() + [
        {"user_id": "U1", "rounds": 10, "stakes": "100", "ggr": "0"} | r for r in before
    ]
    for row in known:
        row |= {
            n: str(row[n])
            for n in ("stakes", "bonus", "wins", "ggr", "ngr")
            if row.get(n) is not None
        }
    made = responsible_gaming(
        silver("clickstream", rows), mart("player_metrics", known), days=DAYS, timezone=LOS_ANGELES
    )
    [one] = made.filter(pl.col("user_id") == "U1").collect().rows(named=True)
    return one


def test_honest_play_has_no_reason() -> None:
    rows = [r for n in range(6) for r in a_round(n * 60, "10.00", "20.00" if n % 2 else "0.00")]
    found = signs(rows)
    assert found["reasons"] == []
    assert found["mean_stake"] == 10
    assert found["rounds_behind"] == 3
    assert found["chasing"] == found["rise_in_day"] == 1
    assert found["days_played"] == 1
    assert found["rise_over_days"] is None


def test_fifty_sessions_are_a_reason_and_forty_nine_are_none() -> None:
    def of(count: int) -> list[str]:
        rows = [
            r for n in range(count) for r in a_round(n * 60, "10.00", "10.00", session_id=f"s{n}")
        ]
        return signs(rows)["reasons"]

    assert of(50) == ["50 sessions on one day"]
    assert of(49) == []


def test_stakes_that_rise_after_each_loss_are_chasing() -> None:
    """21 rounds after a loss at 15 dollars, 20 after a win and the first at 10."""
    rows: list[dict[str, Any]] = []
    for n in range(42):
        rows += a_round(n * 60, "15.00" if n % 2 else "10.00", "0.00" if n % 2 == 0 else "15.00")
    found = signs(rows)
    assert found["rounds_behind"] == 21
    assert found["chasing"] == 1.5
    assert found["reasons"] == ["stakes after a loss are 1.5 times those after a win"]


def test_a_result_that_was_never_told_is_no_loss() -> None:
    rows = [*a_round(0, "10.00", "0.00")[:1], *a_round(60, "10.00", "0.00")]
    assert signs(rows)["rounds_behind"] == 0


def test_night_is_by_the_clock_of_the_place() -> None:
    """22:30 UTC: past midnight in Tallinn, afternoon in Los Angeles, where nothing else is told."""

    def at_night(zone: str | None) -> int:
        rows = [
            r for n in range(20) for r in a_round(30_600 + n * 30, "10.00", "10.00", time_zone=zone)
        ]
        return signs(rows)["night_rounds"]

    assert at_night("Europe/Tallinn") == 20
    assert at_night("Europe/Stockholm") == 0
    assert at_night(None) == 0


def test_days_and_stakes_are_held_against_the_29_days_before() -> None:
    rows = [r for n in range(3) for r in a_round(n * 60, "30.00", "30.00")]
    before = [{"gaming_day": D - dt.timedelta(n)} for n in range(1, 20)]
    found = signs(rows, *before, {"gaming_day": D - dt.timedelta(30)})
    assert found["days_played"] == 20
    assert found["rise_over_days"] == 3
    assert found["reasons"] == [
        "stakes are 3.0 times those of the days before",
        "played on 20 days of 30",
    ]
    assert signs(rows, *before[1:])["reasons"] == ["stakes are 3.0 times those of the days before"]


def test_long_sessions_and_rising_days() -> None:
    long = [
        click("game_start", 0, session_id="s"),
        *a_round(10_850, "10.00", "0.00", session_id="s"),
    ]
    assert signs(long)["reasons"] == ["a session of 181 minutes"]
    rows = [r for n in range(30) for r in a_round(n * 60, "10.00" if n < 20 else "15.00", "15.00")]
    found = signs(rows)
    assert found["rise_in_day"] == 1.5
    assert found["reasons"] == ["stakes at the end of the day are 1.5 times those at its beginning"]


def test_two_places_at_once() -> None:
    """From the fifth minute to the tenth while another session goes on; a later one follows."""

    def of(network: str) -> dict[str, Any]:
        here = {"session_id": "s1", "ip_address": "n1"}
        there = {"session_id": "s2", "ip_address": network}
        after = {"session_id": "s3", "ip_address": "n3"}
        rows = [
            *a_round(0, "10.00", "10.00", **here),
            *a_round(590, "10.00", "10.00", **here),
            *a_round(300, "10.00", "10.00", **there),
            *a_round(720, "10.00", "10.00", **there),
            *a_round(1_000, "10.00", "10.00", **after),
        ]
        return signs(rows)

    assert of("n2")["minutes_at_once"] == 5
    assert of("n2")["reasons"] == ["5 minutes in two places at once"]
    assert of("n1")["reasons"] == []


def test_rounds_as_even_as_a_programs() -> None:
    """Gaps of ten seconds; of ten and thirty the deviation is half of the mean."""

    def of(count: int, every: int, session: str | None = "s") -> dict[str, Any]:
        rounds = (a_round(n * every, "1.00", "1.00", session_id=session) for n in range(count))
        return signs([r for rows in rounds for r in rows])

    assert of(40, 20)["even_rounds"] == 40
    assert of(40, 20)["reasons"] == ["40 rounds on end as even as a program's"]
    assert of(39, 20)["reasons"] == []
    assert of(40, 40)["even_rounds"] == 0
    assert of(40, 20, None)["reasons"] == []


def test_a_day_does_not_depend_on_the_days_beside_it() -> None:
    later = [
        r | {"gaming_day": D + dt.timedelta(1), "timestamp": r["timestamp"] + dt.timedelta(1)}
        for r in PLAY
    ]
    rows = silver("clickstream", [*PLAY, *later])
    accounts = silver("online_accounts", [])
    asked = {"session_silence_minutes": 30, "high_frequency_seconds": 2.0}
    both = player_metrics(rows, accounts, days=(D, D + dt.timedelta(1)), **asked).collect()
    alone = player_metrics(rows, accounts, days=DAYS, **asked).collect()
    assert both.filter(pl.col("gaming_day") == D).equals(alone)


@pytest.mark.parametrize("name", ["player_metrics", "game_day", "responsible_gaming"])
def test_rows_keep_the_rules_of_their_contract(name: str) -> None:
    made = {
        "player_metrics": metrics(PLAY),
        "game_day": game_day(silver("clickstream", PLAY), silver("games", []), days=DAYS).collect(),
    }
    rows = made.get(name)
    if rows is None:
        rows = responsible_gaming(
            silver("clickstream", PLAY),
            made["player_metrics"].lazy(),
            days=DAYS,
            timezone=LOS_ANGELES,
        ).collect()
    good, failure = contract(name).schema.filter(rows, cast=True)
    assert len(good) == len(rows) > 0, failure.counts()


def test_online_revenue_stands_beside_theo_and_in_nothing_else() -> None:
    """30 of 10 January, 7 of the day 30 before it, 100 of another patron."""
    trips = mart(
        "player_day",
        [{"player_id": "P1", "gaming_day": D, "visits": 1, "theo": "8", "is_play_day": True}],
    )
    profiles = silver(
        "player_profile", [{"player_id": "P1", "gaming_day": D, "loyalty_tier": "Gold"}]
    )
    flags = mart("player_protection", [])
    played = [
        {"user_id": "U1", "player_id": "P1", "gaming_day": D, "ngr": "10"},
        {"user_id": "U9", "player_id": "P1", "gaming_day": D, "ngr": "20"},
        {"user_id": "U1", "player_id": "P1", "gaming_day": D - dt.timedelta(30), "ngr": "7"},
        {"user_id": "U2", "player_id": "P2", "gaming_day": D, "ngr": "100"},
        {"user_id": "U3", "player_id": None, "gaming_day": D, "ngr": "1000"},
    ]
    online = ["online_ngr_30", "online_ngr_365"]
    beside = player_value(
        trips, profiles, flags, mart("player_metrics", played), days=DAYS, wanted=each_day(DAYS)
    ).collect()
    none = player_value(
        trips, profiles, flags, mart("player_metrics", []), days=DAYS, wanted=each_day(DAYS)
    ).collect()
    off = player_value(trips, profiles, flags, None, days=DAYS, wanted=each_day(DAYS)).collect()
    assert [float(v) for v in beside.select(online).row(0)] == [30, 37]
    assert [float(v) for v in none.select(online).row(0)] == [0, 0]
    assert off.select(online).row(0) == (None, None)
    assert beside.drop(online).equals(off.drop(online))


def test_the_floor_alone_reads_nothing_of_the_online_casino() -> None:
    reads = {i.table for i in marts()["player_value"].reads(Settings(domains=("floor",)))}
    assert "player_metrics" not in reads
