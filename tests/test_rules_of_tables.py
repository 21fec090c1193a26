"""Rules of tables: win against theory, chips against ratings, counts against counts; by hand."""

from __future__ import annotations

from typing import Any

import pytest
from floor_witnesses import tray
from found_alerts import alerts, at, day, keys

Row = dict[str, Any]
T = "TBL-BJ-001"
Z99 = 2.5758293035489004


def played(days: int, off: float, **more: Any) -> Row:
    """A day with a deviation of $1,000 / 1.1, so that the rule reckons with $1,000, and so many
    of these above the theoretical win of $100."""
    return {
        "table_id": T,
        "gaming_day": day(days),
        "theo": "100.00",
        "rated_win": f"{100 + 1000 * off:.2f}",
        "win_high": f"{100 + 1000 / 1.1 * Z99:.2f}",
        "win_basis": "ratings",
    } | more


def drift(*rows: Row) -> list[tuple[str, float]]:
    found = alerts("table_win_drift", table_performance=list(rows))
    return [(r["severity"], r["score"]) for r in found.to_dicts()]


@pytest.mark.parametrize("side", [1, -1])
def test_days_off_by_two_deviations_add_up_to_either_side(side: int) -> None:
    """0.8 x 2 - 0.32 = 1.28 a day: five days make 6.4, six 7.68, which is over 6.5."""
    six = [played(-n, 2 * side) for n in range(6)]
    assert drift(*six[:5]) == []
    [(severity, score)] = drift(*six)
    assert (severity, score) == ("WARNING", pytest.approx(7.68 / 13, abs=1e-4))
    found = alerts("table_win_drift", table_performance=six)
    assert keys(found) == [("table_performance", f"{T}/{day(-n)}") for n in range(5, -1, -1)]
    assert found["said"][0].startswith(f"On 6 days since {day(-5)} rated play won the house $")


def test_a_day_counts_up_to_three_deviations() -> None:
    """0.8 x 3 - 0.32 = 2.08: three days make 6.24, four 8.32."""
    four = [played(-n, 50) for n in range(4)]
    assert drift(*four[:3]) == []
    assert len(drift(*four)) == 1


def test_days_by_chance_and_without_rated_play_are_not_told() -> None:
    assert drift(*(played(-n, 0.4) for n in range(28))) == []
    assert drift(*(played(-n, 9, win_high="100.00") for n in range(28))) == []
    assert drift(*(played(-n, 9, win_high=None) for n in range(28))) == []
    assert drift() == []


def counted(days: int, missing: str, **more: Any) -> Row:
    return {
        "table_id": T,
        "gaming_day": day(days),
        "rated_win": missing,
        "win": "0.00",
        "win_basis": "inventory",
    } | more


def short(*rows: Row) -> list[tuple[str, float]]:
    found = alerts("table_short", table_performance=list(rows))
    return [(r["severity"], r["score"]) for r in found.to_dicts()]


def test_five_short_days_of_seven_are_told() -> None:
    five = [counted(-n, "25.00") for n in (0, 1, 2, 4, 6)]
    assert short(*five) == [("WARNING", 0.714286)]
    assert short(*five, counted(-3, "30.00")) == [("CRITICAL", 0.857143)]
    assert short(*five[:4]) == short(*five[:4], counted(-7, "25.00")) == []
    found = alerts("table_short", table_performance=five)
    assert keys(found) == [("table_performance", f"{T}/{day(-n)}") for n in (6, 4, 2, 1, 0)]
    assert found["said"][0].endswith("call for, by $125.00 together.")


def test_a_day_is_short_from_25_dollars_by_counted_chips_on() -> None:
    four = [counted(-n, "100.00") for n in (1, 2, 3, 4)]
    assert short(*four, counted(0, "25.00"))
    assert short(*four, counted(0, "24.99")) == []
    assert short(*four, counted(0, "-100.00")) == []
    assert short(*four, counted(0, "100.00", win_basis="ratings")) == []
    assert short() == []


def between(*rows: Row) -> list[tuple[str, float]]:
    found = alerts("chips_between_counts", table_games=list(rows))
    return [(r["severity"], r["score"]) for r in found.to_dicts()]


def end(usd: str, when: str = "14:00") -> Row:
    return tray("e", T, "SHIFT_END", at(when), usd)


def start(usd: str, when: str = "14:01") -> Row:
    return tray("s", T, "SHIFT_START", at(when), usd)


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        ("10000.00", []),
        ("9995.01", []),
        ("9995.00", [("INFO", 0.001)]),
        ("10005.00", [("INFO", 0.001)]),
        ("9000.00", [("CRITICAL", 0.2)]),
    ],
)
def test_a_shift_opens_with_the_chips_that_the_last_one_left(
    opened: str, told: list[tuple[str, float]]
) -> None:
    assert between(end("10000.00"), start(opened)) == told


def test_a_fill_between_or_a_count_that_is_lost_says_nothing() -> None:
    fill = tray("f", T, "FILL", at("14:00"), "500.00")
    assert between(end("10000.00", "13:59"), fill, start("10500.00")) == []
    assert between(start("10000.00", "06:00"), start("9000.00")) == []
    assert between(start("9000.00")) == between() == []
    assert between(end("10000.00"), start("9000.00") | {"table_id": "TBL-BJ-002"}) == []


def test_counts_of_one_instant_are_the_end_and_then_the_start() -> None:
    assert between(start("9000.00", "14:00"), end("10000.00", "14:00")) == [("CRITICAL", 0.2)]


def test_the_count_before_is_of_the_day_or_the_day_before() -> None:
    for days, told in ((0, 1), (-1, 1), (-2, 0)):
        left = tray("e", T, "SHIFT_END", at("14:00", days), "10000.00")
        assert len(between(left, start("9000.00"))) == told


def test_an_alert_opens_both_counts() -> None:
    found = alerts("chips_between_counts", table_games=[end("10000.00"), start("9000.00")])
    assert keys(found) == [("table_games", "e"), ("table_games", "s")]
    assert found["said"][0] == "Closed with $10000.00, opened with $9000.00."
