"""The saved questions of the online casino, on a lake of rows made by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import small_lake

from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.saved_queries import saved_query
from lakehouse.storage import Lake

D = dt.date(2025, 1, 3)
NOON = dt.datetime(2025, 1, 3, 20, tzinfo=dt.UTC)
"""22:00 in Tallinn, 21:00 in Stockholm."""
TALLINN, STOCKHOLM = "Europe/Tallinn", "Europe/Stockholm"


def bet(user: str, minutes: float, stake: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"{user}{minutes}{stake}{len(more)}",
        "event_type": "bet_placed",
        "timestamp": NOON + dt.timedelta(minutes=minutes),
        "user_id": user,
        "game_name": "poker",
        "device": "mobile",
        "country": "EE",
        "time_zone": TALLINN,
        "session_id": f"s-{user}",
        "bet_amount": stake,
        "win_amount": "0.00",
        "gaming_day": D,
    } | more


CLICKS = [
    bet("U1", 0, "10.00"),
    bet("U1", 1, "0.00", event_type="bet_result", win_amount="4.00"),
    bet("U2", 470, "20.00"),  # 05:50 in Tallinn: of the same night
    bet("U3", 480, "40.00"),  # 06:00: of no night
    bet("U4", 0, "80.00", game_name="slots"),
    bet("U5", 0, "160.00", country="SE", time_zone=STOCKHOLM),
    bet("U6", -1_440, "7.00"),  # the night before
    # Large stakes: all three of U7's, one of U1's day.
    *(bet("U7", n, "500.00", game_name="slots") for n in range(3)),
    # In two countries at once; and after each other.
    bet("U8", 0, "5.00", session_id="a", game_name="slots"),
    bet("U8", 30, "5.00", session_id="a", game_name="slots"),
    bet("U8", 10, "5.00", session_id="b", country="SE", game_name="slots"),
    bet("U8", 20, "5.00", session_id="b", country="SE", game_name="slots"),
    bet("U9", 0, "5.00", session_id="c", game_name="slots"),
    bet("U9", 1, "5.00", session_id="d", country="SE", game_name="slots"),
    # A stake every two seconds, fifty times; and forty-nine times.
    *(bet("UA", n / 30, "5.00", game_name="slots") for n in range(50)),
    *(bet("UB", n / 30, "5.00", game_name="slots") for n in range(49)),
]
SIGNS = [("U2", ["50 sessions on one day", "played on 20 days of 30"]), ("U3", [])]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Any:
    lake = Lake(str(tmp_path_factory.mktemp("online") / "lake"))
    names = CLICKS[0]
    small_lake.put(lake, "silver", "clickstream", {n: [r[n] for r in CLICKS] for n in names})
    users = sorted({r["user_id"] for r in CLICKS})
    days = [D] * len(users)
    small_lake.put(lake, "gold", "player_metrics", {"user_id": users, "gaming_day": days})
    marked = {"user_id": [u for u, _ in SIGNS], "reasons": [r for _, r in SIGNS]}
    small_lake.put(lake, "gold", "responsible_gaming", marked | {"gaming_day": [D, D]})
    small_lake.put(
        lake,
        "gold",
        "game_day",
        {
            "game_name": ["slots", "slots", "poker"],
            "device": ["mobile", "tablet", "mobile"],
            "country": ["EE", "EE", "SE"],
            "gaming_day": [D, D - dt.timedelta(1), D],
            "rounds": [30, 5, 10],
            "stakes": ["300.00", "50.00", "100.00"],
            "ggr": ["30.00", "-5.00", "10.00"],
            "theo": ["12.00", "2.00", None],
        },
    )
    with Catalog(lake) as found:
        yield found


def answer(catalog: Catalog, name: str, **given: str) -> list[dict[str, Any]]:
    saved = saved_query(name)
    return catalog.frame(saved.sql, saved.bound(given)).to_dicts()


def test_who_of_a_country_played_a_game_on_a_night(catalog: Catalog) -> None:
    [newest] = answer(catalog, "online-night")
    assert newest | {"stakes": float(newest["stakes"]), "ggr": float(newest["ggr"])} == {
        "night": D, "players": 2, "rounds": 2, "stakes": 30, "wins": 4, "ggr": 26,
    }  # fmt: skip
    [before] = answer(catalog, "online-night", night="2025-01-02")
    assert (before["players"], float(before["stakes"])) == (1, 7)
    [sweden] = answer(catalog, "online-night", country="se", game="Poker")
    assert sweden["players"] == 1
    assert answer(catalog, "online-night", night="2025-01-01") == []
    assert answer(catalog, "online-night", game="roulette") == []


def test_large_stakes_unusually_often(catalog: Catalog) -> None:
    found = answer(catalog, "online-large-stakes", fewest="3")
    assert [(r["user_id"], r["rounds"], r["large_stakes"]) for r in found] == [("U7", 3, 3)]
    assert answer(catalog, "online-large-stakes") == []
    some = answer(catalog, "online-large-stakes", stake="80", fewest="1")
    assert {r["user_id"] for r in some} == {"U4", "U5", "U7"}


def test_signs_of_problem_play_or_fraud(catalog: Catalog) -> None:
    found = {r["user_id"]: r["reasons"] for r in answer(catalog, "online-care")}
    assert found == {
        "U2": "50 sessions on one day; played on 20 days of 30",
    }
    assert [r["user_id"] for r in answer(catalog, "online-care", signs="2")] == ["U2"]
    assert answer(catalog, "online-care", day="2025-01-02") == []


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("game", [("slots", 35, 0.7778), ("poker", 10, 0.2222)]),
        ("device", [("mobile", 40, 0.8889), ("tablet", 5, 0.1111)]),
        ("country", [("EE", 35, 0.7778), ("SE", 10, 0.2222)]),
    ],
)
def test_what_is_most_popular(
    catalog: Catalog, by: str, expected: list[tuple[str, int, float]]
) -> None:
    found = answer(catalog, "online-popular", by=by)
    assert [(r["name"], r["rounds"], float(r["share"])) for r in found] == expected
    assert {r["since"] for r in found} == {dt.date(2024, 12, 30)}
    one = answer(catalog, "online-popular", by=by, days="1", every="day")
    assert {r["since"] for r in one} == {D}


def test_hold_is_held_against_what_games_return(catalog: Catalog) -> None:
    slots, poker = answer(catalog, "online-popular")
    assert (float(slots["hold"]), float(slots["expected_hold"])) == (0.0714, 0.04)
    assert (float(poker["hold"]), poker["expected_hold"]) == (0.1, None)
