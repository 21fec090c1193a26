"""What was filed against what was owed: each verdict, by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from law_rows import AS_OF, ZONE, cash, local, people, rows

from lakehouse.gold.ctr_filings import ctr_exceptions, ctr_filings
from lakehouse.gold.filing_calendar import filing_calendar
from lakehouse.gold.filing_reconciliation import filing_reconciliation
from lakehouse.gold.logs import filing_retention, sar_retention
from lakehouse.gold.tax_forms import w2g_forms
from lakehouse.regulation.law import load

LAW = load("us-federal")
DAY = dt.date(2026, 11, 10)
DAYS = (DAY, DAY)


def marts(*owing: str, held: str = "", wins=()):
    """Silver in which each person of `owing` bought chips for 12,000.01 on one day."""
    buys = [cash(f"t{p}", "CHIP_PURCHASE", "2026-11-10 20:00", "12000.01", p) for p in owing]
    txns, won = rows("financial_txn", *buys), rows("gaming_wins", *wins)
    known = people(*(p for p in (*owing, "W") if p != held))
    asked = {"days": DAYS, "law": LAW, "timezone": ZONE}
    return (
        ctr_filings(txns, won, None, known, **asked, as_of=AS_OF),
        ctr_exceptions(txns, won, None, known, **asked, as_of=AS_OF),
        w2g_forms(won, known, **asked),
    )


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
        *owed, rows("compliance", *filed), days=DAYS, timezone=ZONE, as_of=as_of
    )
    return {r["player_id"]: r for r in found.collect().to_dicts()}


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
    wins = [
        {
            "win_id": key,
            "player_id": "W",
            "game_type": "SLOT",
            "won_at": "2026-11-10 20:00",
            "paid_at": "2026-11-10 20:00",
            "gross_amount": amount,
            "wager": "1.00",
        }
        for key, amount in (("a", "2500.00"), ("b", "3500.00"))
    ]
    slip = record("R", "W", "3500.00", report_type="W2G", cash_in_amount=None) | {
        "jackpot_amount": "3500.00"
    }
    found = filing_reconciliation(
        *marts(wins=wins), rows("compliance", slip), days=DAYS, timezone=ZONE, as_of=AS_OF
    ).collect()
    told = {r["reconciliation_id"]: r["verdict"] for r in found.to_dicts()}
    assert told == {"W-2G-a": "open", "W-2G-b": "matched"}
    assert found["due"].unique().to_list() == [dt.date(2027, 2, 1)]


def test_the_calendar_shows_what_was_unfiled_at_each_close():
    owed = marts("P", "Q")
    filed = rows("compliance", record("R", "P", on="2026-11-12"))
    days = (dt.date(2026, 11, 10), dt.date(2026, 11, 26))
    found = filing_calendar(*owed, filed, days=days, timezone=ZONE).collect().to_dicts()
    of_p = [r["gaming_day"].day for r in found if r["player_id"] == "P"]
    of_q = {
        r["gaming_day"].day: (r["days_left"], r["is_overdue"])
        for r in found
        if r["player_id"] == "Q"
    }
    assert of_p == [10, 11]
    assert (of_q[10], of_q[25], of_q[26]) == ((15, False), (0, False), (-1, True))


def test_filed_records_are_kept_and_sars_apart():
    filed = rows(
        "compliance",
        record("R", "P"),
        record("S", "P", report_type="SAR"),
        record("T", "P", status="Draft"),
    )
    days = (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    kept = filing_retention(filed, days=days, law=LAW).collect()
    apart = sar_retention(filed, days=days, law=LAW).collect()
    assert kept.select("record_id", "retain_until").rows() == [("R", dt.date(2031, 11, 20))]
    assert apart["record_id"].to_list() == ["S"]
