"""Where alerts of currency begin: each bound just met and just missed, with amounts by hand.

A case has bounds of its own (test_suspicion.py); an alert may be told earlier, or of less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from law_rows import cash, people
from suspicion_rows import IN, OUT, derived, rated, silver

from lakehouse.errors import LawError
from lakehouse.regulation.law import Law, load, profiles
from lakehouse.regulation.suspicion.hits import house, watched

Told = tuple[str, int, float, str]
"""Rule, day of the month, score, severity."""


def told(*txns: dict, **tables) -> list[Told]:
    found = derived(silver(txns, profiles=people("P1", "P2", "P3"), **tables), of="alerts")
    rows = [(a["rule"], a["gaming_day"].day, a["score"], a["severity"]) for a in found]
    return sorted(rows)


def through(came: str, went: str) -> list[dict]:
    return [cash("i", IN, "2026-11-10 20:00", came), cash("o", OUT, "2026-11-10 20:40", went)]


@pytest.mark.parametrize(
    ("came", "went", "hands", "expected"),
    [
        # 2,700 of 4,000 played: 0.675.
        ("4000.00", "4000.00", 27, [("minimal_play", 10, 0.325, "INFO")]),
        ("4000.00", "4000.00", 28, []),
        # Played 0.5 of it.
        ("4000.00", "4000.00", 20, [("minimal_play", 10, 0.5, "WARNING")]),
        ("4000.00", "2999.99", 1, []),
        # A winner: won 35% of it, and a cent more than that.
        ("4000.00", "5400.00", 0, [("minimal_play", 10, 0.3, "INFO")]),
        ("4000.00", "5400.04", 0, []),
        # He is a case by the house's definition, and what he won says why he leaves.
        ("3000.00", "9000.00", 2, []),
        # Played 0.2: 0.8 is CRITICAL from $5,000.
        ("5000.00", "5000.00", 10, [("minimal_play", 10, 0.8, "CRITICAL")]),
        ("4999.99", "4999.99", 9, [("minimal_play", 10, 0.82, "WARNING")]),
    ],
)
def test_minimal_play_grows_with_what_was_not_played(came, went, hands, expected):
    assert told(*through(came, went), ratings=[rated("10", "100.00", hands, "0")]) == expected


@pytest.mark.parametrize(
    ("bought", "hands", "lost", "expected"),
    [
        ("3000.00", 0, "0", [("chip_walking", 10, 1.0, "WARNING")]),
        ("2999.99", 0, "0", []),
        ("1500.00", 0, "0", []),
        # 2,700 of 4,000 played, nothing lost; and 2,800.
        ("4000.00", 27, "0", [("chip_walking", 10, 0.325, "INFO")]),
        ("4000.00", 28, "0", []),
        # Half of it played, half of it left: a quarter; a cent more lost is less than half left.
        ("4000.00", 20, "2000.00", [("chip_walking", 10, 0.25, "INFO")]),
        ("4000.00", 20, "2000.01", []),
        # Played as others do, and 90% carried out: chips that somebody keeps.
        ("4000.00", 80, "400.00", []),
    ],
)
def test_chips_are_carried_out_hardly_played(bought, hands, lost, expected):
    row = cash("i", IN, "2026-11-10 20:00", bought)
    assert told(row, ratings=[rated("10", "100.00", hands, lost)]) == expected


def session(bills: str, bet: str, ticket: str) -> list[dict]:
    told_of = {"player_id": "P1", "machine_id": "SLOT-0001", "session_id": "S1"}
    rows = [
        {"event_id": "e1", "event_type": "BILL_IN", "amount": bills, "minute": "00"},
        {"event_id": "e2", "event_type": "GAME_PLAY", "coin_in": bet, "minute": "03"},
        {"event_id": "e3", "event_type": "TICKET_OUT", "amount": ticket, "minute": "06"},
    ]
    return [told_of | {"event_timestamp": f"2026-11-10 20:{r['minute']}"} | r for r in rows]


@pytest.mark.parametrize(
    ("bills", "bet", "ticket", "expected"),
    [
        ("1500.00", "0.00", "1500.00", [("bill_stuffing", 10, 1.0, "WARNING")]),
        ("1499.99", "0.00", "1499.99", []),
        ("2000.00", "1200.00", "2000.00", [("bill_stuffing", 10, 0.4, "INFO")]),
        ("2000.00", "1200.01", "2000.00", []),
        # Played through once: the machine was for playing.
        ("6000.00", "6000.00", "5000.00", []),
        ("5000.00", "750.00", "5000.00", [("bill_stuffing", 10, 0.85, "CRITICAL")]),
    ],
)
def test_bills_come_out_again_unplayed(bills, bet, ticket, expected):
    assert told(slots=session(bills, bet, ticket)) == expected


def credit(drawn: str, *paid: tuple[str, str]) -> list[dict]:
    issue = cash("m", "MARKER_ISSUE", "2026-11-09 20:00", drawn, payment_method="Chip")
    rest = [cash(f"p{day}", "MARKER_PAYMENT", f"2026-11-{day} 20:00", usd) for day, usd in paid]
    return [issue, *rest]


@pytest.mark.parametrize(
    ("drawn", "paid", "expected"),
    [
        ("16500.01", [("10", "4000.02")], [("marker_cycle", 10, 0.200001, "INFO")]),
        ("16500.00", [("10", "4000.02")], []),
        ("16500.01", [("10", "4000.00")], []),
        ("1000.00", [("10", "1000.00")], []),
        # The seventh day from the first is the last on which both are seen together.
        ("17000.00", [("15", "5000.00")], [("marker_cycle", 15, 0.25, "INFO")]),
        ("17000.00", [("16", "5000.00")], []),
        # More than $10,000 in one day is reported.
        ("17000.00", [("10", "10000.00")], [("marker_cycle", 10, 0.5, "WARNING")]),
        ("17000.00", [("10", "10000.01")], []),
        (
            "18000.00",
            [("10", "9000.00"), ("13", "9000.00")],
            [("marker_cycle", 10, 0.45, "INFO"), ("marker_cycle", 13, 0.9, "CRITICAL")],
        ),
    ],
)  # fmt: skip
def test_markers_are_watched_from_the_first_part_paid_in_currency(drawn, paid, expected):
    assert told(*credit(drawn, *paid), ratings=[rated("09", "100.00", 200, drawn)]) == expected


def amounts(day: str, *usd: str, kind: str = IN) -> list[dict]:
    return [
        cash(f"{kind}{day}{n}", kind, f"2026-11-{day} 2{n}:00", one) for n, one in enumerate(usd)
    ]


@pytest.mark.parametrize(
    ("txns", "expected"),
    [
        # Two in one day: half, by how near the threshold they are.
        (amounts("10", "8600.00", "8600.00"), [("structuring", 10, 0.43, "INFO")]),
        # At the foot of the band, all of the day's currency: the definition, and no more.
        (amounts("10", "8000.00", "8000.00"), [("structuring", 10, 0.4, "INFO")]),
        (amounts("10", "8000.00", "7999.99"), []),
        # 18,000 of the 21,000 of a day: 0.5 x 0.9 x 6/7 is 0.386.
        (amounts("10", "9000.00", "9000.00", "3000.00"), []),
        # On two days, each in one piece: two thirds of 0.8; and of 0.9.
        (
            [*amounts("10", "8000.00"), *amounts("11", "8000.00")],
            [("structuring", 11, 0.533333, "WARNING")],
        ),
        ([*amounts("10", "7999.99"), *amounts("11", "8000.00")], []),
        # In four pieces a day, as who buys in again: a quarter of that.
        ([*amounts("10", *["2250.00"] * 4), *amounts("11", *["2250.00"] * 4)], []),
        # Three days of 8,800: three quarters of 0.88.
        (
            [row for day in ("10", "11", "12") for row in amounts(day, "8800.00")],
            [("structuring", 11, 0.586667, "WARNING"), ("structuring", 12, 0.66, "CRITICAL")],
        ),
        # Paid out: seven tenths of two thirds of 0.8574, and of 0.8571.
        (
            [*amounts("10", "8574.00", kind=OUT), *amounts("11", "8574.00", kind=OUT)],
            [("structuring", 11, 0.40012, "INFO")],
        ),
        ([*amounts("10", "8571.00", kind=OUT), *amounts("11", "8571.00", kind=OUT)], []),
    ],
)
def test_structuring_is_plainer_in_one_piece_near_the_threshold(txns, expected):
    play = [rated(day, "100.00", 400, "30000.00") for day in ("10", "11", "12")]
    assert told(*txns, ratings=play) == expected


def shared(given: str, own: str, cheque: str) -> list[dict]:
    return [
        cash("g", IN, "2026-11-10 20:00", given, "P1"),
        cash("t", IN, "2026-11-10 20:01", own, "P2"),
        cash("c", OUT, "2026-11-10 21:00", cheque, "P2", payment_method="Check"),
    ]


@pytest.mark.parametrize(
    ("given", "own", "cheque", "expected"),
    [
        # 100 of others' is a hundredth of 10,000.
        ("100.00", "100.01", "200.01", [("pooling", 10, 0.01, "INFO")]),
        ("100.00", "100.00", "200.00", []),
        ("99.99", "150.00", "249.99", []),
        # A quarter of the cheque is others', and less.
        ("300.00", "900.00", "1200.00", [("pooling", 10, 0.03, "INFO")]),
        ("300.00", "901.00", "1201.00", []),
        ("2500.00", "2500.00", "5000.00", [("pooling", 10, 0.25, "WARNING")]),
    ],
)
def test_pooling_grows_with_what_others_gave(given, own, cheque, expected):
    assert told(*shared(given, own, cheque)) == expected


def changed(**alerts: float) -> Law:
    law = load("us-federal")
    [period] = law.periods("pooling")
    params = {**(period.params or {}), "alerts": alerts}
    return replace(law, rules=law.rules | {"pooling": (replace(period, params=params),)})


@pytest.mark.parametrize("profile", profiles())
def test_cases_keep_their_own_parameters(profile):
    law = load(profile)
    amounts = [of.periods("pooling")[-1].params["over_usd"] for of in (law, watched(law))]
    assert amounts == [10_000, 200]


def test_a_misspelt_or_missing_parameter_is_named():
    with pytest.raises(LawError, match="rule 'pooling': alerts have no over; they have: over_usd,"):
        watched(changed(over=200, info=0, warning=0.2, critical=0.5))
    with pytest.raises(LawError, match="rule 'pooling' of 2007-01-01 has no 'critical'; it has:"):
        house(watched(changed(info=0)), "pooling", "critical")
