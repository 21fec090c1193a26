"""What was filed against what was owed: each verdict, by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest
from law_rows import AS_OF, ZONE, cash, local, people, rows

from lakehouse.gold.compliance.ctr_filings import ctr_exceptions, ctr_filings
from lakehouse.gold.compliance.filing_calendar import filing_calendar
from lakehouse.gold.compliance.filing_reconciliation import filing_reconciliation
from lakehouse.gold.compliance.logs import filing_retention, form_8300_notices, sar_retention
from lakehouse.gold.compliance.obligations import OVERDUE_DAYS, Required, following
from lakehouse.gold.compliance.tax_forms import form_1042s, w2g_exceptions, w2g_forms
from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.regulation.law import load

LAW = load("us-federal")
DAY = dt.date(2026, 11, 10)
DAYS = (DAY, DAY)


def required(txns=(), wins=(), known=(), **of_known):
    """The marts of the law of DAY, from cage rows, wins and persons."""
    cage, won = rows("financial_txn", *txns), rows("gaming_wins", *wins)
    who = people(*known, **of_known)
    asked = {"days": DAYS, "law": LAW, "timezone": ZONE}
    exceptions = [
        ctr_exceptions(cage, won, None, who, **asked, as_of=AS_OF),
        w2g_exceptions(won, who, **asked),
    ]
    return Required(
        ctr_filings(cage, won, None, who, **asked, as_of=AS_OF),
        pl.concat(exceptions),
        w2g_forms(won, who, **asked),
        form_1042s(won, who, **asked),
        form_8300_notices(cage, days=DAYS, law=LAW),
    )


def marts(*owing: str, held: str = "", wins=()):
    """Silver in which each person of `owing` bought chips for 12,000.01 on one day."""
    buys = [cash(f"t{p}", "CHIP_PURCHASE", "2026-11-10 20:00", "12000.01", p) for p in owing]
    return required(buys, wins, [p for p in (*owing, "W") if p != held])


def win(key, amount="2500.00", player="W"):
    return {
        "win_id": key,
        "player_id": player,
        "game_type": "SLOT",
        "won_at": "2026-11-10 20:00",
        "paid_at": "2026-11-10 20:00",
        "gross_amount": amount,
        "wager": "1.00",
    }


def record(key, player, amount="12001.00", on="2026-11-20", **more):
    return {
        "report_id": key,
        "report_type": "CTR",
        "report_timestamp": f"{on} 10:00",
        "filing_date": dt.date.fromisoformat(on),
        "status": "Filed",
        "player_id": player,
        "transaction_date": DAY,
        "transaction_amount": amount,
        "cash_in_amount": amount,
    } | more


def verdicts(owed, *filed, as_of=AS_OF):
    found = filing_reconciliation(
        rows("compliance", *filed), days=DAYS, law=LAW, timezone=ZONE, as_of=as_of, **vars(owed)
    )
    return {r["player_id"]: r for r in found.collect().to_dicts()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filed", "verdict", "days_late"),
    [
        ([record("R", "P")], "matched", 0),
        ([record("R", "P", "12000.01")], "matched", 0),  # the form rounds up
        ([record("R", "P", on="2026-11-25")], "matched", 0),
        ([record("R", "P", on="2026-11-26")], "late", 1),
        ([record("R", "P", "12002.00")], "wrong_amount", 0),
        ([record("R", "P", "12002.00", on="2026-11-30")], "wrong_amount", 5),
        ([record("R", "Q")], "wrong_person", 0),
        ([], "missing", 36),
        ([record("R", "P", status="Draft")], "missing", 36),
        ([record("R", "P", status="Rejected")], "missing", 36),
        (
            [
                record("R", "P", "1200.00"),
                record("S", "P", on="2026-12-24", status="Amended", amended_from="R"),
            ],
            "amended",
            0,
        ),
        (
            [
                record("R", "P", "1200.00"),
                record("S", "P", "1300.00", on="2026-11-21", status="Amended", amended_from="R"),
                record("T", "P", on="2026-11-22", status="Amended", amended_from="S"),
            ],
            "amended",
            0,
        ),
        ([record("R", "P", report_type="SAR")], "missing", 36),
    ],
)
def test_one_obligation(filed, verdict, days_late):
    found = verdicts(marts("P"), *filed)["P"]
    assert (found["verdict"], found["days_late"]) == (verdict, days_late)
    assert found["transaction_ids"] == ["tP"]
    assert found["required_cash_in"] == 12001


def test_each_filing_answers_one_obligation():
    found = verdicts(
        marts("A", "B", "C", "D"),
        record("R1", "A"),
        record("R2", "B", "13000.00"),
        record("R3", "X"),
        record("R4", "N", "10500.00"),
        record("R5", "A"),
    )
    assert {p: r["verdict"] for p, r in found.items() if p not in ("A", "N")} == {
        "B": "wrong_amount",
        "C": "wrong_person",
        "D": "wrong_person",
    }
    assert found["N"]["verdict"] == "needless"
    assert (found["N"]["required_amount"], found["N"]["filed_amount"]) == (
        None,
        Decimal("10500.00"),
    )


@pytest.mark.parametrize(
    ("as_of", "verdict", "days_late"),
    [
        ("2026-11-15 09:00", "open", 0),
        ("2026-11-25 23:59", "open", 0),
        ("2026-11-26 00:00", "missing", 1),
    ],
)
def test_unfiled_is_open_until_the_due_day_has_passed(as_of, verdict, days_late):
    filed_later = record("R", "P", on="2026-12-01")
    found = verdicts(marts("P"), filed_later, as_of=local(as_of))["P"]
    assert (found["verdict"], found["days_late"]) == (verdict, days_late)


def test_what_an_identity_holds_back_is_told_apart():
    found = verdicts(marts("P", held="P"))["P"]
    assert (found["verdict"], found["is_held_back"]) == ("held_back", True)


def test_tax_forms_of_one_day_are_told_apart_by_amount():
    wins = [win("a", "2500.00"), win("b", "3500.00")]
    slip = record("R", "W", "3500.00", report_type="W2G", cash_in_amount=None) | {
        "jackpot_amount": "3500.00"
    }
    found = filing_reconciliation(
        rows("compliance", slip),
        days=DAYS,
        law=LAW,
        timezone=ZONE,
        as_of=AS_OF,
        **vars(marts(wins=wins)),
    ).collect()
    told = {r["reconciliation_id"]: r["verdict"] for r in found.to_dicts()}
    assert told == {"W-2G-a": "open", "W-2G-b": "matched"}
    assert found["due"].unique().to_list() == [dt.date(2027, 2, 1)]


def test_two_wins_of_one_number_owe_two_forms():
    """On two gaming days and one date, as the first was paid after midnight; one was filed."""
    two = (DAY - dt.timedelta(days=1), DAY)
    wins = [win("7"), win("7") | {"won_at": "2026-11-10 02:00", "paid_at": "2026-11-10 02:00"}]
    forms = w2g_forms(rows("gaming_wins", *wins), people("W"), days=two, law=LAW, timezone=ZONE)
    slip = record("R", "W", "2500.00", report_type="W2G", cash_in_amount=None) | {
        "jackpot_amount": "2500.00"
    }
    owed = replace(required(known=["W"]), w2g_forms=forms)
    found = filing_reconciliation(
        rows("compliance", slip), days=two, law=LAW, timezone=ZONE, as_of=AS_OF, **vars(owed)
    ).collect()
    assert sorted(found["verdict"]) == ["matched", "open"]
    assert found["gaming_day"].n_unique() == 2


def calendar(owed, filed, days):
    return filing_calendar(filed, days=days, law=LAW, timezone=ZONE, **vars(owed)).collect()


def test_the_calendar_shows_what_was_unfiled_at_each_close():
    owed = marts("P", "Q")
    filed = rows("compliance", record("R", "P", on="2026-11-12"))
    days = (dt.date(2026, 11, 10), dt.date(2026, 11, 26))
    found = calendar(owed, filed, days).to_dicts()
    of_p = [r["gaming_day"].day for r in found if r["player_id"] == "P"]
    of_q = {
        r["gaming_day"].day: (r["days_left"], r["is_overdue"])
        for r in found
        if r["player_id"] == "Q"
    }
    assert of_p == [10, 11]
    assert (of_q[10], of_q[25], of_q[26]) == ((15, False), (0, False), (-1, True))


@pytest.mark.slow
def test_each_close_stands_alone():
    """A day's snapshot is the same alone and in a range, whatever was filed and amended after."""
    owed = marts("P", "Q", "S", held="S", wins=[win("a"), win("b")])
    filed = rows(
        "compliance",
        record("R", "Q", on="2026-11-12"),
        record("T", "Q", "12000.00", on="2026-11-14"),
        record("U", "Q", on="2026-11-16", status="Amended", amended_from="T"),
        record("V", "P", on="2026-11-18"),
        record("W", "W", "2500.00", on="2026-11-13", report_type="W2G"),
    )
    days = [DAY + dt.timedelta(days=n) for n in range(12)]
    whole = calendar(owed, filed, (days[0], days[-1]))
    alone = pl.concat([calendar(owed, filed, (day, day)) for day in days])
    assert whole.equals(alone)
    for day in days:
        close = day_bounds(day, ZONE)[1]
        then = filing_reconciliation(
            filed, days=DAYS, law=LAW, timezone=ZONE, as_of=close, **vars(owed)
        ).collect()
        unfiled = then.filter(pl.col("verdict").is_in(["open", "missing", "held_back"]))
        today = whole.filter(gaming_day=day)
        assert set(today["obligation_id"]) == set(unfiled["reconciliation_id"])
    shown = whole.group_by("gaming_day").agg(pl.col("obligation_id")).sort("gaming_day")
    told = {r["gaming_day"].day: set(r["obligation_id"]) for r in shown.to_dicts()}
    ctr = "CTR-2026-11-10-"
    assert told[10] == {f"{ctr}P", f"{ctr}Q", f"{ctr}S", "W-2G-a", "W-2G-b"}
    assert told[13] == {f"{ctr}P", f"{ctr}S", "W-2G-b"}  # Q by R, one win by W
    assert told[15] == told[13]  # T is about Q again, and of another amount
    assert told[16] == {f"{ctr}S", "W-2G-b"}  # amended, it stands for P: a wrong person
    assert told[18] == {"W-2G-b"}  # V is about P itself, so U stands for S
    assert told[21] == told[18]


def test_annual_forms_stay_until_they_are_long_overdue():
    owed = marts(wins=[win("a")])
    due = dt.date(2027, 2, 1)  # 31 January is a Sunday
    last = due + dt.timedelta(days=OVERDUE_DAYS)
    found = calendar(owed, rows("compliance"), (last, last + dt.timedelta(days=1)))
    assert found.select("gaming_day", "due", "days_left").rows() == [(last, due, -60)]


def test_the_calendar_reaches_back_over_the_longest_term():
    """A win of nobody, paid in the small hours of 1 January 2028, on the gaming day before: its
    W-2G is to be filed by 31 March 2029, a Saturday, so by Monday 2 April, 458 days later."""
    assert following(LAW) == 458 + 60
    assert (dt.date(2029, 4, 2) - dt.date(2027, 12, 31)).days == 458


FOREIGNER = {"tax_residency": "NRA"}


@pytest.mark.parametrize(
    ("filed", "verdict"),
    [
        ([], "open"),
        ([record("R", "W", "5000.00", report_type="1042S")], "matched"),
        ([record("R", "W", "5000.01", report_type="1042S")], "wrong_amount"),
        ([record("R", "V", "5000.00", report_type="1042S")], "wrong_person"),
        ([record("R", "W", "5000.00", report_type="W2G")], "open"),
    ],
)
def test_winnings_of_aliens_are_reconciled(filed, verdict):
    poker = win("a", "5000.00") | {"game_type": "POKER_TOURNAMENT", "wager": "0.00"}
    owed = required(wins=[poker], known=["W"], **FOREIGNER)
    found = {r["form"]: r for r in reconciled(owed, *filed)}
    assert (found["1042-S"]["verdict"], found["1042-S"]["due"]) == (verdict, dt.date(2027, 3, 15))


@pytest.mark.parametrize(
    ("player", "filed", "verdict"),
    [
        ("P", [], "missing"),
        ("P", [record("R", "P", "10000.01", report_type="8300", on="2026-11-25")], "matched"),
        ("P", [record("R", "P", "10000.01", report_type="8300", on="2026-11-26")], "late"),
        (None, [], "held_back"),
    ],
)
def test_currency_outside_gaming_is_reconciled(player, filed, verdict):
    paid = cash("t", "NON_GAMING_PAYMENT", "2026-11-10 20:00", "10000.01", player)
    [found] = reconciled(required([paid], known=["P"]), *filed)
    assert (found["form"], found["verdict"]) == ("8300", verdict)
    assert (found["due"], found["transaction_ids"]) == (dt.date(2026, 11, 25), ["t"])


def test_a_win_of_nobody_is_held_back():
    [found] = reconciled(required(wins=[win("a", player=None)]))
    assert (found["form"], found["verdict"]) == ("W-2G", "held_back")


def reconciled(owed, *filed):
    found = filing_reconciliation(
        rows("compliance", *filed), days=DAYS, law=LAW, timezone=ZONE, as_of=AS_OF, **vars(owed)
    )
    return found.collect().to_dicts()


def test_filed_records_are_kept_and_sars_apart():
    filed = rows(
        "compliance",
        record("R", "P"),
        record("T", "P", status="Draft"),
        record("U", "P", report_type="1042S"),
        record("V", "P", report_type="8300"),
    )
    days = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    kept = filing_retention(filed, days=days, law=LAW).collect()
    sars = rows("sar_filings", record("S", "P", report_type="SAR"))
    apart = sar_retention(sars, days=days, law=LAW).collect()
    assert kept.select("record_id", "retain_until").rows() == [
        ("R", dt.date(2031, 11, 20)),
        ("U", dt.date(2030, 11, 20)),
        ("V", dt.date(2031, 11, 20)),
    ]
    assert apart["record_id"].to_list() == ["S"]
