"""Rules of machines: meters, what is paid over weeks, hand-pays; each at its bounds, by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from floor_witnesses import event, read
from found_alerts import alerts, at, day, days_named, keys

Row = dict[str, Any]
M = "SLOT-0001"


def reading(key: str, when: str, usd: str, **more: Any) -> Row:
    return event(key, M, "METER_UPDATE", when, **({"meter_coin_in": usd} | more))


def play(key: str, when: str, usd: str, games: int | None = 10) -> Row:
    return event(key, M, "GAME_PLAY", when, coin_in=usd, games_played=games)


def off(*rows: Row, on: int = 0) -> list[tuple[str, float, str]]:
    found = alerts("meter_against_play", on=on, slot_telemetry=list(rows))
    return [(r["severity"], r["score"], r["said"]) for r in found.to_dicts()]


def stretches(*pairs: tuple[float, float], plays: int = 5) -> list[Row]:
    """Readings from 12:00 on, hourly; between two the play (in so many rows of $10 games at the
    least) and what the meter advanced."""
    rows, meter = [reading("r0", at("12:00"), "1000.00")], 1000.0
    for n, (played, advance) in enumerate(pairs, start=1):
        each = round(played / plays, 2)
        rows += [play(f"p{n}{k}", at(f"{11 + n}:{10 + k}"), f"{each:.2f}") for k in range(plays)]
        meter += advance
        rows.append(reading(f"r{n}", at(f"{12 + n}:00"), f"{meter:.2f}"))
    return rows


def test_a_meter_behind_the_play_is_told_with_its_readings() -> None:
    """$250 less than $500 is half, which is all of what the score counts to."""
    rows = stretches((500, 250), (100, 100))
    [(severity, score, said)] = off(*rows)
    assert (severity, score) == ("CRITICAL", 1.0)
    assert said == (
        "In 1 of 2 stretches between readings the meter advanced $250.0 less than the play "
        "reported, $500.0: 50.0%."
    )
    found = alerts("meter_against_play", slot_telemetry=rows)
    assert keys(found) == [("slot_telemetry", "r0"), ("slot_telemetry", "r1")]


def test_a_meter_a_cent_behind_is_told() -> None:
    assert [s for s, _, _ in off(*stretches((500, 499.99)))] == ["INFO"]
    assert off(*stretches((500, 500), (0, 0))) == []


def test_a_meter_that_fell_without_play_is_told() -> None:
    assert len(off(reading("a", at("12:00"), "100.00"), reading("b", at("13:00"), "99.00"))) == 1


@pytest.mark.parametrize(
    ("pairs", "is_told"),
    [
        # Ten games of $10 (a bet of $10) are one lost row of the five of $100.
        ([(500, 600)], False),
        ([(500, 700)], False),
        # No whole bets, and more than 15% of the play; just at it, two small rows might be it.
        ([(500, 577)], True),
        ([(500, 575)], False),
        # More than two of the largest rows.
        ([(500, 710)], True),
        # Ahead in each of two stretches by one share (20%), but for a credit; by 20% and 40%.
        ([(500, 600), (300, 360)], True),
        ([(500, 600), (300, 362)], True),
        ([(500, 600), (300, 420)], False),
        # In all of three; and in three of four, where the fourth is even.
        ([(500, 600), (300, 420), (400, 440)], True),
        ([(500, 600), (300, 420), (400, 440), (500, 500)], False),
        # No whole bets, but even in another stretch of the day.
        ([(500, 577), (500, 500)], False),
        # Behind in one is more than any lost row explains.
        ([(500, 600), (500, 490)], True),
    ],
)
def test_ahead_is_told_only_where_no_lost_row_explains_it(
    pairs: list[tuple[float, float]], is_told: bool
) -> None:
    assert bool(off(*stretches(*pairs))) is is_told


def test_readings_of_the_day_before_with_the_same_numbers_are_others() -> None:
    """Those were ahead by what no lost row explains, and the day's own by ten games of $10."""
    before = [
        reading("r0", at("12:00", -1), "423.00"),
        *(play(f"p1{k}", at(f"12:{10 + k}", -1), "100.00") for k in range(5)),
        reading("r1", at("13:00", -1), "1000.00"),
    ]
    assert off(*before, *stretches((500, 600))) == []
    assert len(off(*before, *stretches((500, 577)))) == 1


def test_ahead_of_few_rows_of_play_is_not_told() -> None:
    assert off(*stretches((300, 355), plays=3)) == []
    assert len(off(*stretches((400, 477), plays=4))) == 1


def evening(*pairs: tuple[float, float], on: int = -1) -> tuple[list[Row], float]:
    """As `stretches`, of the day before; and what the meter ends at."""
    rows, meter = [reading(f"e{on}", at("12:00", on), "1000.00")], 1000.0
    for n, (played, advance) in enumerate(pairs, start=1):
        rows += [play(f"e{on}{n}{k}", at(f"{11 + n}:{10 + k}", on), f"{played / 5:.2f}")
                 for k in range(5)]  # fmt: skip
        meter += advance
        rows.append(reading(f"e{on}{n}", at(f"{12 + n}:00", on), f"{meter:.2f}"))
    return rows, meter


def overnight(meter: float, played: float, advance: float) -> list[Row]:
    rows = [play(f"n{k}", at(f"23:0{k}", -1), f"{played / 5:.2f}") for k in range(5)]
    return [*rows, reading("m", at("10:00"), f"{meter + advance:.2f}")]


@pytest.mark.parametrize(
    ("before", "advance", "is_told"),
    [
        # 15.4% ahead overnight, as on the day before, but for two credits of $1 each.
        ([(500, 577)], 577, True),
        ([(500, 577), (300, 346.20)], 577, True),
        ([(500, 590)], 577, False),
        # By 15% at the least: a lost row on each of two days may be in step.
        ([(500, 576)], 576, True),
        ([(500, 575)], 575, False),
        # The day before was even, in part or whole: a session that got lost.
        ([(500, 500)], 577, False),
        ([(500, 577), (300, 300)], 577, False),
        # Nothing but the night: a session may have got lost whole, even a large one.
        ([], 577, False),
        ([], 2000, False),
    ],
)
def test_ahead_overnight_is_told_where_the_day_before_was_by_as_much(
    before: list[tuple[float, float]], advance: float, is_told: bool
) -> None:
    rows, meter = evening(*before)
    assert bool(off(*rows, *overnight(meter, 500, advance))) is is_told


def test_two_nights_ahead_by_one_share_are_told() -> None:
    first, meter = evening((0, 0), on=-2)
    night = [play(f"a{k}", at(f"23:0{k}", -2), "60.00") for k in range(5)]
    morning = reading("b", at("10:00", -1), f"{meter + 346.2:.2f}")
    told = off(*first, *night, morning, *overnight(meter + 346.2, 500, 577))
    assert len(told) == 1
    assert off(*first, *night, morning, *overnight(meter + 346.2, 500, 590)) == []


def test_a_row_may_be_lost_of_any_bettor_of_the_days_of_a_stretch() -> None:
    """$77 are eleven games of $7, which somebody played before the first reading."""
    rows = stretches((500, 577))
    assert len(off(*rows)) == 1
    assert off(play("other", at("10:00"), "70.00"), *rows) == []


def test_a_stretch_may_begin_on_the_day_before_but_no_earlier() -> None:
    play_of_day = play("p", at("10:00"), "100.00")
    end = reading("b", at("12:00"), "1050.00")
    for days, told in ((-1, 1), (-2, 0)):
        rows = [reading("a", at("20:00", days), "1000.00"), play_of_day, end]
        assert len(off(*rows)) == told
    found = alerts(
        "meter_against_play",
        slot_telemetry=[reading("a", at("20:00", -1), "1000.00"), play_of_day, end],
    )
    assert (found["window_start"][0], found["window_end"][0]) == (day(-1), day(0))
    assert days_named(found) == [day(-1), day(0)]


def test_play_of_the_instant_of_a_reading_comes_before_it() -> None:
    rows = [
        reading("a", at("12:00"), "1000.00"),
        play("p", at("12:00"), "100.00"),
        play("q", at("13:00"), "50.00"),
        reading("b", at("13:00"), "1050.00"),
    ]
    assert off(*rows) == []


def test_the_meter_may_stand_as_coin_in_and_games_may_be_unknown() -> None:
    rows = [
        reading("a", at("12:00"), "", meter_coin_in=None, coin_in="1000.00"),
        play("p", at("12:30"), "100.00", games=None),
        reading("b", at("13:00"), "", meter_coin_in=None, coin_in="1090.00"),
    ]
    assert len(off(*rows)) == 1


def test_without_readings_or_rows_nothing_is_told() -> None:
    assert off() == []
    assert off(play("p", at("12:00"), "100.00"), reading("a", at("13:00"), "1.00")) == []


def session(key: str, days: int, out: float, coin_in: float = 1000, **more: Any) -> Row:
    """$1,000 wagered at 8% hold, so that $920 are expected; hardly any chance in it."""
    return {
        "machine_id": M,
        "gaming_day": day(days),
        "session_id": key,
        "coin_in": f"{coin_in:.2f}",
        "coin_out": f"{out:.2f}",
        "theo": f"{coin_in * 0.08:.2f}",
        "payout_deviation": f"{coin_in * 0.092:.2f}",
    } | more


def drift(*rows: Row) -> list[tuple[str, float]]:
    found = alerts("hold_drift", slot_sessions=list(rows))
    return [(r["severity"], r["score"]) for r in found.to_dicts()]


def test_sessions_that_pay_double_add_up() -> None:
    """Deviation $92 of $920 is 0.1; the stake min(0.8, 0.5 / (0.01 + 0.25)) = 0.8. Paid double,
    a session tells ln(1 + 0.8) = 0.5878: five make 2.94, six 3.53, which is over 3.5."""
    six = [session(f"s{n}", -n, 1840) for n in range(6)]
    assert drift(*six[:5]) == []
    [(severity, score)] = drift(*six)
    assert (severity, score) == ("WARNING", pytest.approx(3.526720 / 7, abs=1e-6))
    found = alerts("hold_drift", slot_sessions=six)
    assert keys(found) == [("slot_performance", f"{M}/{day(-n)}") for n in range(5, -1, -1)]
    assert found["window_start"][0] == day(-5)
    assert found["said"][0] == (
        f"Since {day(-5)} 6 sessions wagered $6000.00 and were paid 184.0%, hand-pays apart, by a "
        "machine built to pay 92.0% with them: evidence of a higher pay of 3.53 (an alert needs "
        "3.5)."
    )


def test_what_is_paid_beyond_double_counts_as_double_and_hand_pays_not_at_all() -> None:
    assert drift(*(session(f"s{n}", -n, 90_000) for n in range(5))) == []
    paid = [session(f"s{n}", -n, 920, jackpot_amount="9000.00") for n in range(20)]
    assert drift(*paid) == []


def test_sessions_that_pay_nothing_add_up_to_the_other_side() -> None:
    """ln(1 + 0.8) = 0.5878 again, as nothing is paid."""
    six = [session(f"s{n}", -n, 0) for n in range(6)]
    assert drift(*six[:5]) == []
    assert len(drift(*six)) == 1
    assert "of a lower pay" in alerts("hold_drift", slot_sessions=six)["said"][0]


def test_chance_weighs_less() -> None:
    """With a deviation as large as what is expected the stake is 0.5 / 1.25 = 0.4: ln 1.4 is
    0.3365, and ten sessions make 3.36, eleven 3.70."""
    wide = [session(f"s{n}", -n, 1840, payout_deviation="920.00") for n in range(11)]
    assert drift(*wide[:10]) == []
    assert len(drift(*wide)) == 1


def test_a_machine_that_pays_as_built_or_was_not_played_is_not_told() -> None:
    assert drift(*(session(f"s{n}", -n, 920) for n in range(28))) == []
    assert drift(*(session(f"s{n}", -n, 0, coin_in=0) for n in range(28))) == []
    assert drift() == []


def test_a_run_of_before_is_not_told_again_when_it_is_over() -> None:
    over = [session(f"s{n}", -n, 1840) for n in range(1, 7)] + [session("t", 0, 900)]
    assert drift(*over) == []


def from_opening(double: int, opened_on: int, *, known: bool = False) -> pl.DataFrame:
    """Sessions that pay double on each of so many days up to the day, and an opening."""
    door = event("door", M, "DOOR_OPEN", at("12:00", opened_on))
    badge = "SLOT-0001" if known else "SLOT-0400"
    read_at = read("b", "BDG-00800", "ACCESS_GRANTED", at("11:55", opened_on), badge)
    return alerts(
        "hold_drift",
        slot_sessions=[session(f"s{n}", -n, 1840) for n in range(double)],
        slot_telemetry=[door],
        security_events=[read_at],
    )


def test_from_an_opening_by_nobody_known_less_is_needed() -> None:
    """Two sessions paid double make 1.18, which is over 1; one makes 0.59."""
    found = from_opening(2, -1)
    assert found["score"].to_list() == [pytest.approx(1.175573 / 2, abs=1e-6)]
    assert found["window_start"].to_list() == [day(-1)]
    said = found["said"][0]
    assert said.startswith(f"Since {day(-1)}, when nobody known opened it, 2 sessions")
    assert said.endswith("of 1.18 (an alert needs 1.0).")
    assert keys(found)[-1] == ("slot_telemetry", "door")
    assert days_named(found)[-1] == day(-1)
    assert from_opening(1, -1).is_empty()


@pytest.mark.parametrize(
    ("opened_on", "is_told"), [(-27, True), (-28, False), (0, False), (1, False)]
)
def test_an_opening_counts_for_28_days_and_for_what_comes_after_it(
    opened_on: int, is_told: bool
) -> None:
    assert (not from_opening(2, opened_on).is_empty()) is is_told


def test_an_opening_by_a_technician_changes_nothing() -> None:
    assert from_opening(5, -4, known=True).is_empty()
    assert from_opening(6, -4, known=True).height == 1


def jackpot(when: str, usd: str | None = "2000.00", **more: Any) -> Row:
    return event("j", M, "JACKPOT", when, **({"jackpot_amount": usd} | more))


def won(*rows: Row, wins: list[Row] | None = None) -> list[tuple[str, float, str]]:
    found = alerts("jackpot_without_play", slot_telemetry=list(rows), gaming_wins=wins or [])
    return [(r["severity"], r["score"], r["said"]) for r in found.to_dicts()]


@pytest.mark.parametrize(
    ("played_at", "is_told"),
    [("11:55", False), ("11:54", True), ("12:01", False), ("12:02", True), ("12:00", False)],
)
def test_a_hand_pay_needs_play_within_five_minutes_before(played_at: str, is_told: bool) -> None:
    """A minute after is the clocks'."""
    assert bool(won(jackpot(at("12:00")), play("p", at(played_at), "10.00"))) is is_told


def test_a_hand_pay_without_play_is_critical_and_opens_its_rows() -> None:
    win = {
        "win_id": "w",
        "machine_id": M,
        "game_type": "SLOT",
        "won_at": at("12:00"),
        "paid_at": at("12:10"),
        "gross_amount": "2000.00",
        "wager": "1.00",
    }
    assert won(jackpot(at("12:00")), wins=[win]) == [
        ("CRITICAL", 1.0, "$2000.0 paid by hand: no play on the machine in the 5.0 minutes before.")
    ]
    found = alerts("jackpot_without_play", slot_telemetry=[jackpot(at("12:00"))], gaming_wins=[win])
    assert keys(found) == [("gaming_wins", "w"), ("slot_telemetry", "j")]
    assert won(wins=[win | {"game_type": "KENO"}]) == won(wins=[win | {"machine_id": None}]) == []


def test_play_before_a_hand_pay_of_another_day_does_not_count_for_its_number() -> None:
    before = [play("p", at("11:59", -1), "10.00"), jackpot(at("12:00", -1))]
    assert len(won(*before, jackpot(at("12:00")))) == 1


def test_play_on_another_machine_or_without_a_wager_does_not_count() -> None:
    other = play("p", at("11:59"), "10.00") | {"machine_id": "SLOT-0002"}
    assert len(won(jackpot(at("12:00")), other)) == 1
    assert len(won(jackpot(at("12:00")), play("p", at("11:59"), "0.00"))) == 1


@pytest.mark.parametrize(
    ("usd", "kind", "is_told"),
    [
        ("25000.00", "Video Slots", False),
        ("25000.01", "Video Slots", True),
        ("99000.00", "Progressive", False),
    ],
)
def test_a_hand_pay_beyond_what_the_bet_could_win(usd: str, kind: str, is_told: bool) -> None:
    """Ten games for $10: a bet of $1, and at the most $25,000, but of a progressive."""
    before = play("p", at("11:59"), "10.00") | {"machine_type": kind}
    assert bool(won(jackpot(at("12:00"), usd), before)) is is_told


def test_the_score_of_a_pay_beyond_the_bet_is_what_is_beyond() -> None:
    """$100,000 of a bet of $1: three quarters are beyond the most."""
    [(_, score, said)] = won(jackpot(at("12:00"), "100000.00"), play("p", at("11:59"), "10.00"))
    assert score == 0.75
    assert said == "$100000.0 paid by hand: 100000.0 times the largest bet before, $1.0."


def test_a_hand_pay_may_be_told_as_the_amount_only() -> None:
    assert len(won(jackpot(at("12:00"), None, amount="500.00"))) == 1
