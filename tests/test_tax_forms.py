"""W-2G and 1042-S: thresholds at the cent, by the day of payment, and the tax withheld."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_rows import ZONE, people, rows

from lakehouse.gold.compliance.tax_forms import form_1042s, w2g_exceptions, w2g_forms
from lakehouse.regulation.law import load

LAW = load("us-federal")
ALL_DAYS = (dt.date(2020, 1, 1), dt.date(2029, 12, 31))
OLD, NEW = "2025-12-31 20:00", "2026-01-01 20:00"


def win(game, paid, gross, wager="1.00", **more):
    return {
        "win_id": "w",
        "player_id": "P1",
        "game_type": game,
        "won_at": paid,
        "paid_at": paid,
        "gross_amount": gross,
        "wager": wager,
    } | more


def forms(*wins, of=w2g_forms, **profile):
    profiles = people("P1", **profile)
    found = of(
        rows("gaming_wins", *wins), profiles, days=ALL_DAYS, law=LAW, timezone=ZONE
    ).collect()
    return found.to_dicts()


@pytest.mark.parametrize(
    ("game", "paid", "gross", "wager", "reportable"),
    [
        ("SLOT", OLD, "1199.99", "1.00", None),
        ("SLOT", OLD, "1200.00", "1.00", "1200.00"),
        ("SLOT", NEW, "1999.99", "1.00", None),
        ("SLOT", NEW, "2000.00", "500.00", "2000.00"),
        ("BINGO", OLD, "1199.99", "50.00", None),
        ("BINGO", OLD, "1200.00", "50.00", "1200.00"),
        ("BINGO", NEW, "2000.00", "50.00", "2000.00"),
        ("KENO", OLD, "1519.99", "20.00", None),
        ("KENO", OLD, "1520.00", "20.00", "1500.00"),
        ("KENO", NEW, "2019.99", "20.00", None),
        ("KENO", NEW, "2020.00", "20.00", "2000.00"),
        ("POKER_TOURNAMENT", OLD, "5500.00", "500.00", None),
        ("POKER_TOURNAMENT", OLD, "5500.01", "500.00", "5000.01"),
        ("POKER_TOURNAMENT", NEW, "2499.99", "500.00", None),
        ("POKER_TOURNAMENT", NEW, "2500.00", "500.00", "2000.00"),
        ("TABLE_SIDE_BET", OLD, "602.00", "2.00", "600.00"),
        ("TABLE_SIDE_BET", OLD, "602.01", "2.01", None),
        ("TABLE_SIDE_BET", OLD, "601.99", "2.00", None),
        ("TABLE_SIDE_BET", NEW, "2005.00", "5.00", "2000.00"),
        ("TABLE_SIDE_BET", NEW, "2010.00", "10.00", None),
        ("OTHER", NEW, "2005.00", "5.00", "2000.00"),
        ("TABLE", NEW, "40000.00", "20000.00", None),
    ],
)
def test_threshold_by_game_and_day_of_payment(game, paid, gross, wager, reportable):
    found = [f["reportable_winnings"] for f in forms(win(game, paid, gross, wager))]
    assert found == ([] if reportable is None else [Decimal(reportable)])


def test_the_year_is_that_of_the_payment_on_the_calendar():
    [form] = forms(win("SLOT", "2026-01-01 00:20", "2000.00", won_at="2025-12-31 23:58"))
    assert (form["won_on"], form["paid_on"]) == (dt.date(2025, 12, 31), dt.date(2026, 1, 1))
    assert (form["gaming_day"], form["tax_year"]) == (dt.date(2025, 12, 31), 2026)
    assert forms(win("SLOT", "2026-01-01 00:20", "1500.00", won_at="2025-12-31 23:58")) == []


def test_free_play_stakes_nothing():
    [form] = forms(win("KENO", OLD, "1500.00", "20.00", is_free_play=True))
    assert (form["wager"], form["reportable_winnings"]) == (Decimal("0.00"), Decimal("1500.00"))


@pytest.mark.parametrize(
    ("game", "gross", "wager", "tin", "more", "withheld", "kind"),
    [
        ("SLOT", "50000.00", "5.00", True, {}, "0.00", None),
        ("SLOT", "2500.00", "1.00", False, {}, "600.00", "backup"),
        ("KENO", "3020.00", "20.00", False, {}, "720.00", "backup"),
        ("POKER_TOURNAMENT", "9000.00", "500.00", True, {}, "0.00", None),
        ("POKER_TOURNAMENT", "3000.55", "500.00", False, {}, "600.13", "backup"),
        ("OTHER", "5010.00", "10.00", True, {}, "0.00", None),
        ("OTHER", "5010.01", "10.00", True, {}, "1200.00", "regular"),
        ("OTHER", "5010.00", "10.00", False, {}, "1200.00", "backup"),
        ("TABLE_SIDE_BET", "6010.00", "10.00", False, {}, "1440.00", "regular"),
        ("SLOT", "30000.00", "5.00", False, {"prize_type": "GOODS"}, "9474.00", "backup"),
        ("SLOT", "30000.00", "5.00", True, {"prize_type": "GOODS"}, "0.00", None),
    ],
)
def test_withholding(game, gross, wager, tin, more, withheld, kind):
    [form] = forms(win(game, NEW, gross, wager, **more), tin_on_file=tin)
    assert (form["withholding"], form["withholding_kind"]) == (Decimal(withheld), kind)


@pytest.mark.parametrize(
    ("wins", "expected"),
    [
        (win("SLOT", NEW, "3000.00"), [("3000.00", "900.00")]),
        (win("SLOT", NEW, "1500.00"), [("1500.00", "450.00")]),
        (win("TABLE", NEW, "9000.00", "10.00", table_game="Blackjack"), []),
        (win("TABLE_SIDE_BET", NEW, "9000.00", "10.00", table_game="Big Six"), []),
        (
            win("TABLE_SIDE_BET", NEW, "9000.00", "10.00", table_game="Pai Gow"),
            [("9000.00", "2700.00")],
        ),
    ],
    ids=["slot", "below the W-2G", "blackjack", "big six", "pai gow"],
)
def test_non_resident_aliens(wins, expected):
    found = forms(wins, of=form_1042s, tax_residency="NRA")
    assert [(f["amount"], f["withholding"]) for f in found] == [
        (Decimal(a), Decimal(h)) for a, h in expected
    ]
    assert forms(wins, tax_residency="NRA") == []


def test_the_winner_as_known_when_paid():
    later = people("P1", gaming_day=dt.date(2026, 2, 1)).collect()
    profiles = people("P1", tin_on_file=False).collect().vstack(later).lazy()
    wins = rows(
        "gaming_wins",
        win("SLOT", NEW, "2500.00") | {"win_id": "a"},
        win("SLOT", "2026-03-01 20:00", "2500.00") | {"win_id": "b"},
    )
    found = w2g_forms(wins, profiles, days=ALL_DAYS, law=LAW, timezone=ZONE).collect()
    assert found["withholding_kind"].to_list() == ["backup", None]


def test_a_win_of_nobody_known_is_held_back():
    unknown = win("SLOT", NEW, "2500.00", player_id=None)
    assert forms(unknown) == []
    [held] = forms(unknown, of=w2g_exceptions)
    assert (held["form"], held["reason"], held["amount"]) == (
        "W-2G",
        "identity_missing",
        Decimal("2500.00"),
    )


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["SLOT", "BINGO", "KENO", "POKER_TOURNAMENT", "TABLE_SIDE_BET", "OTHER"]),
    st.integers(0, 2_000_000),
    st.integers(0, 100_000),
    st.booleans(),
)
def test_a_cent_more_never_ends_a_form_and_tax_never_exceeds_the_winnings(game, net, wager, tin):
    def paid(cents):
        amount = str(Decimal(cents + wager) / 100)
        return forms(win(game, NEW, amount, str(Decimal(wager) / 100)), tin_on_file=tin)

    less, more = paid(net), paid(net + 1)
    assert len(less) <= len(more)
    for form in less + more:
        assert 0 <= form["withholding"] <= form["reportable_winnings"]
        assert form["withholding_kind"] is not None or form["withholding"] == 0
