"""Currency reports on hand-made silver: who, which side, which day, and at which cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_rows import AS_OF, ZONE, cash, local, people, rows

from lakehouse.gold.compliance.ctr_filings import ctr_exceptions, ctr_filings
from lakehouse.gold.compliance.logs import (
    form_8300_notices,
    instrument_log,
    multiple_transaction_log,
)
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.law import load

LAW = load("us-federal")
DAY = dt.date(2026, 11, 10)
EVERYONE = people("P1", "PA", "PB", "PC")
ALL_DAYS = (dt.date(2020, 1, 1), dt.date(2029, 12, 31))


def reports(*txns, wins=(), slots=None, profiles=EVERYONE, days=ALL_DAYS, of=ctr_filings):
    found = of(
        rows("financial_txn", *txns),
        rows("gaming_wins", *wins),
        slots,
        profiles,
        days=days,
        law=LAW,
        timezone=ZONE,
        as_of=AS_OF,
    )
    return found.collect().to_dicts()


@pytest.mark.parametrize(
    ("amounts", "cash_in"),
    [
        (["10000.00"], None),
        (["10000.01"], 10001),
        (["5000.40", "5000.40"], 10001),
        (["12962.26"], 12963),  # FinCEN CTR FAQ 28
        (["0.01"] * 3 + ["9999.98"], 10001),
        (["0.00", "10000.00"], None),
    ],
)
def test_the_threshold_is_passed_by_a_cent_and_the_total_is_rounded_up(amounts, cash_in):
    found = reports(
        *(cash(f"t{i}", "CHIP_PURCHASE", "2026-11-10 20:00", a) for i, a in enumerate(amounts))
    )
    assert [r["cash_in"] for r in found] == ([] if cash_in is None else [cash_in])


@pytest.mark.parametrize("of", [ctr_filings, ctr_exceptions])
def test_the_cage_is_read_for_a_mart_as_often_as_for_its_ledger(of):
    read = []

    def seen(part: pl.DataFrame) -> pl.DataFrame:
        read.append(part.height)
        return part

    given = rows("financial_txn", cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "12000.00"))
    told = {"days": ALL_DAYS, "law": LAW, "timezone": ZONE, "as_of": AS_OF}
    given, wins = given.map_batches(seen), rows("gaming_wins")
    currency_ledger(given, wins).collect()
    once = list(read)
    of(given, wins, None, EVERYONE, **told).collect()
    assert once
    assert read == once * 2


@pytest.mark.parametrize(
    ("kind", "side", "code"),
    [
        ("CHIP_PURCHASE", "in", "18"),
        ("MONEY_PLAY", "in", "21"),
        ("FRONT_MONEY_DEPOSIT", "in", "55"),
        ("SAFEKEEPING_DEPOSIT", "in", "55"),
        ("MARKER_PAYMENT", "in", "46"),
        ("INSTRUMENT_SALE", "in", "12"),
        ("CHECK_PURCHASE", "in", "12"),
        ("WIRE_TRANSFER_OUT", "in", "23"),
        ("CASH_IN", "in", "997"),
        ("CHIP_REDEMPTION", "out", "28"),
        ("TICKET_REDEMPTION", "out", "28"),
        ("CANCELLED_CREDIT_HANDPAY", "out", "28"),
        ("FRONT_MONEY_WITHDRAWAL", "out", "56"),
        ("SAFEKEEPING_WITHDRAWAL", "out", "56"),
        ("MARKER_ISSUE", "out", "30"),
        ("CHECK_CASHING", "out", "13"),
        ("WIRE_TRANSFER_IN", "out", "32"),
        ("JACKPOT_PAYOUT", "out", "31"),
        ("CASH_OUT", "out", "998"),
    ],
)
def test_each_kind_counts_on_its_side_under_its_code(kind, side, code):
    [report] = reports(cash("t1", kind, "2026-11-10 20:00", "11000.00"))
    other = "out" if side == "in" else "in"
    assert (report[f"cash_{side}"], report[f"detail_codes_{side}"]) == (11000, [code])
    assert (report[f"cash_{other}"], report[f"detail_codes_{other}"]) == (None, [])
    assert report[f"cash_{side}_exact"] == Decimal("11000.00")


@pytest.mark.parametrize(
    "more",
    [
        {"payment_method": "Check"},
        {"payment_method": "Wire"},
        {"payment_method": "Chip"},
        {"transaction_type": "NON_GAMING_PAYMENT"},
        {"transaction_type": "MONEY_PLAY", "is_new_currency": False},
    ],
)
def test_what_is_not_new_gaming_currency_never_counts(more):
    assert reports(cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "50000.00") | more) == []


def test_a_slot_jackpot_is_exempt_and_another_win_is_not():
    def win(game):
        return {
            "win_id": "w",
            "player_id": "P1",
            "game_type": game,
            "won_at": "2026-11-10 20:00",
            "paid_at": "2026-11-10 20:00",
            "transaction_id": "t1",
        }

    payout = cash("t1", "JACKPOT_PAYOUT", "2026-11-10 20:00", "15000.00")
    assert reports(payout, wins=[win("SLOT")]) == []
    assert [r["cash_out"] for r in reports(payout, wins=[win("KENO")])] == [15000]


def test_carded_bills_count_only_where_they_are_known():
    bills = rows(
        "slot_telemetry",
        *(
            {
                "event_id": f"e{i}",
                "event_type": "BILL_IN",
                "event_timestamp": "2026-11-10 20:00",
                "player_id": player,
                "amount": "5500.00",
            }
            for i, player in enumerate(["P1", "P1", None, None])
        ),
    )
    assert reports(slots=None) == []
    [report] = reports(slots=bills)
    assert (report["player_id"], report["cash_in"], report["detail_codes_in"]) == (
        "P1",
        11000,
        ["25"],
    )


@pytest.mark.parametrize(
    ("first", "second", "day"),
    [
        ("2026-11-10 23:30", "2026-11-11 00:30", dt.date(2026, 11, 10)),
        ("2026-11-10 06:00", "2026-11-11 05:59", dt.date(2026, 11, 10)),
        # 25 hours: 01:30 comes twice, and 05:59 is still of the day before
        ("2026-10-31 06:00", "2026-11-01 05:59", dt.date(2026, 10, 31)),
        ("2026-11-01T01:30:00-07:00", "2026-11-01T01:30:00-08:00", dt.date(2026, 10, 31)),
        # 23 hours
        ("2026-03-07 06:00", "2026-03-08 05:59", dt.date(2026, 3, 7)),
        ("2024-02-29 23:00", "2024-03-01 05:00", dt.date(2024, 2, 29)),
        ("2025-12-31 23:59", "2026-01-01 00:01", dt.date(2025, 12, 31)),
    ],
)
def test_one_gaming_day_makes_one_report(first, second, day):
    [report] = reports(
        cash("t1", "CHIP_PURCHASE", first, "6000.00"), cash("t2", "CASH_IN", second, "5000.00")
    )
    assert (report["gaming_day"], report["cash_in"]) == (day, 11000)
    assert report["due"] == day + dt.timedelta(days=15)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-11-10 05:59", "2026-11-10 06:00"),
        ("2026-11-01 05:59", "2026-11-01 06:00"),
        ("2026-03-08 05:59", "2026-03-08 06:00"),
    ],
)
def test_two_gaming_days_are_never_added_up(first, second):
    assert not reports(
        cash("t1", "CHIP_PURCHASE", first, "6000.00"), cash("t2", "CASH_IN", second, "6000.00")
    )


def acting(key, agent, principal, amount):
    return cash(
        key, "CHIP_PURCHASE", "2026-11-10 20:00", amount, agent, on_behalf_of_player_id=principal
    )


@pytest.mark.parametrize(
    ("txns", "expected"),
    [
        ([acting("t1", "PB", "PA", "11000.00")], [("PA", 11000, ["PB"], ["PA"])]),
        (
            [acting("t1", "PB", "PA", "6000.00"), acting("t2", "PB", "PC", "6000.00")],
            [("PB", 12000, ["PB"], ["PA", "PC"])],
        ),
        (
            # PA's rows all stand in PB's report, PC's own purchase does not
            [
                acting("t1", "PB", "PA", "11000.00"),
                acting("t2", "PB", "PC", "11000.00"),
                cash("t3", "CHIP_PURCHASE", "2026-11-10 21:00", "1.00", "PC"),
            ],
            [("PB", 22000, ["PB"], ["PA", "PC"]), ("PC", 11001, ["PB"], ["PC"])],
        ),
        ([acting("t1", "PA", "PA", "11000.00")], [("PA", 11000, [], [])]),
        (
            # Each for the other: equal sets, so the lower number stays
            [acting("t1", "PA", "PB", "6000.00"), acting("t2", "PB", "PA", "6000.00")],
            [("PA", 12000, ["PA", "PB"], ["PA", "PB"])],
        ),
    ],
    ids=["for one", "for two", "one covered", "for oneself", "for each other"],
)
def test_agents_and_principals(txns, expected):
    found = [
        (r["player_id"], r["cash_in"], r["conducted_by"], r["on_behalf_of"]) for r in reports(*txns)
    ]
    assert found == expected


def test_parties_carry_role_and_dollars():
    [report] = reports(
        acting("t1", "PB", "PA", "6000.00"),
        cash("t2", "CHIP_PURCHASE", "2026-11-10 20:10", "5000.01", "PA"),
    )
    parties = [(p["player_id"], p["role"], p["cash_in"]) for p in report["parties"]]
    assert parties == [("PA", "23", 6000), ("PA", "50", 5001), ("PB", "17", 6000)]


@pytest.mark.parametrize(
    ("place", "amounts", "aggregate"),
    [
        ("Main cage", ["4000.00"] * 3, True),
        ("Kiosk 7", ["4000.00"] * 3, False),
        ("Main cage", ["4000.00", "10000.01"], False),
    ],
    ids=["at a window", "no face", "one over alone"],
)
def test_the_aggregate_box_needs_all_three(place, amounts, aggregate):
    txns = [
        acting(f"t{i}", None, "PA", a) | {"cage_location": place} for i, a in enumerate(amounts)
    ]
    filed, held = reports(*txns), reports(*txns, of=ctr_exceptions)
    assert [r["aggregate"] for r in filed] == ([True] if aggregate else [])
    assert len(held) == (0 if aggregate else 1)


def test_a_missing_identity_holds_the_report_back():
    unknown = people("P1", identity_verified=False)
    buy = cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "11000.00")
    assert reports(buy, profiles=unknown) == []
    [held] = reports(buy, profiles=unknown, of=ctr_exceptions)
    assert (held["player_id"], held["reason"], held["amount"]) == (
        "P1",
        "identity_missing",
        Decimal("11000.00"),
    )
    nobody = cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "11000.00", None)
    assert [h["player_id"] for h in reports(nobody, of=ctr_exceptions)] == [None]


def test_a_document_shown_later_releases_the_report():
    buy = cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "11000.00")
    shown = people("P1", gaming_day=dt.date(2026, 11, 12))
    profiles = pl.concat([people("P1", identity_verified=False), shown])
    assert len(reports(buy, profiles=profiles)) == 1


def test_foreign_currency_names_its_country_and_side():
    exchange = cash(
        "t1", "CURRENCY_EXCHANGE", "2026-11-10 20:00", "10300.00", currency="EUR",
        currency_country="DE",
    )  # fmt: skip
    [report] = reports(exchange)
    assert report["foreign"] == [
        {"currency": "EUR", "country": "DE", "direction": "in", "amount": 10300}
    ]
    assert (report["cash_in"], report["cash_out"]) == (10300, 10300)
    assert report["multiple_transactions"] is False


TXNS = st.lists(
    st.tuples(
        st.sampled_from(["CHIP_PURCHASE", "CHIP_REDEMPTION", "CURRENCY_EXCHANGE"]),
        st.integers(0, 1_200_000),
        st.sampled_from(["PA", "PB", None]),
        st.sampled_from([None, None, "PC"]),
        st.integers(0, 3 * 24 * 60 - 1),
    ),
    max_size=12,
)


def made(txns):
    start = local("2026-10-31 06:00")
    return [
        cash(f"t{i:02}", kind, "", str(Decimal(cents) / 100), who, on_behalf_of_player_id=whom)
        | {"transaction_timestamp": (start + dt.timedelta(minutes=minute)).isoformat()}
        for i, (kind, cents, who, whom, minute) in enumerate(txns)
    ]


@settings(max_examples=25, deadline=None)
@given(TXNS)
def test_listed_rows_add_up_and_no_side_is_at_or_below_the_threshold(txns):
    given_rows = {r["transaction_id"]: Decimal(r["amount"]) for r in made(txns)}
    for r in reports(*made(txns)):
        for side in ("in", "out"):
            total = sum(given_rows[t] for t in r[f"transaction_ids_{side}"])
            if r[f"cash_{side}"] is None:
                assert r[f"transaction_ids_{side}"] == []
                continue
            assert total == r[f"cash_{side}_exact"] > 10_000
            assert 0 <= r[f"cash_{side}"] - total < 1
        assert set(r["transaction_ids"]) == {*r["transaction_ids_in"], *r["transaction_ids_out"]}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(TXNS, st.randoms(use_true_random=False))
def test_days_alone_and_in_any_order_give_the_same_reports(txns, random):
    whole = made(txns)
    shuffled = random.sample(whole, len(whole))
    days = [dt.date(2026, 10, 31) + dt.timedelta(days=n) for n in range(4)]
    alone = [r for d in days for r in reports(*shuffled, days=(d, d))]
    assert sorted(alone, key=lambda r: r["filing_id"]) == sorted(
        reports(*whole), key=lambda r: r["filing_id"]
    )


@pytest.mark.parametrize(
    ("more", "logged"),
    [
        ({"amount": "2999.99"}, False),
        ({"amount": "3000.00"}, True),
        ({"payment_method": "Cash"}, False),
        ({"transaction_type": "CHECK_CASHING", "payment_method": "Cash"}, True),
        ({"transaction_type": "CHIP_REDEMPTION"}, True),
        ({"transaction_type": "MARKER_ISSUE"}, False),
        ({"payment_method": "Wire"}, False),
    ],
)
def test_instruments_are_logged_from_three_thousand(more, logged):
    cheque = {"payment_method": "Check", "amount": "3000.00", "check_number": "1"}
    txn = cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "0.00") | cheque | more
    found = instrument_log(rows("financial_txn", txn), days=ALL_DAYS, law=LAW).collect()
    assert found["transaction_id"].to_list() == (["t1"] if logged else [])


@pytest.mark.parametrize(
    ("over", "logged"), [(None, []), ("2500.00", ["t2", "t3"]), ("2499.99", ["t1", "t2", "t3"])]
)
def test_the_house_logs_over_its_own_limit(over, logged):
    txns = rows(
        "financial_txn",
        cash("t1", "CHIP_PURCHASE", "2026-11-10 20:00", "2500.00"),
        cash("t2", "CURRENCY_EXCHANGE", "2026-11-10 20:00", "2500.01"),
        cash("t3", "CASH_OUT", "2026-11-10 20:00", "2500.01", None),
        cash("t4", "CASH_OUT", "2026-11-10 20:00", "9000.00", payment_method="Check"),
    )
    found = multiple_transaction_log(
        txns, rows("gaming_wins"), days=ALL_DAYS, multiple_transaction_log_over=over
    )
    assert found.collect()["transaction_id"].to_list() == logged


def test_a_log_of_two_days_holds_what_those_of_each_do() -> None:
    """T1 is over the limit on the first day; what goes by its number on the next is not."""
    txns = rows(
        "financial_txn",
        cash("T1", "CHIP_PURCHASE", "2026-11-10 20:00", "2500.01"),
        cash("T1", "CHIP_PURCHASE", "2026-11-11 20:00", "100.00"),
    )
    logged = multiple_transaction_log(
        txns, rows("gaming_wins"), days=ALL_DAYS, multiple_transaction_log_over="2500"
    )
    assert logged.select("gaming_day", "amount").collect().rows() == [(DAY, Decimal("2500.01"))]


def test_non_gaming_currency_is_added_up_by_payer_and_day():
    txns = rows(
        "financial_txn",
        cash("t1", "NON_GAMING_PAYMENT", "2026-11-10 20:00", "6000.00"),
        cash("t2", "NON_GAMING_PAYMENT", "2026-11-10 22:00", "4000.01"),
        cash("t3", "NON_GAMING_PAYMENT", "2026-11-11 20:00", "10000.00"),
        cash("t4", "NON_GAMING_PAYMENT", "2026-11-10 20:00", "9000.00", None),
        cash("t5", "NON_GAMING_PAYMENT", "2026-11-10 20:00", "9000.00", None),
    )
    [notice] = form_8300_notices(txns, days=ALL_DAYS, law=LAW).collect().to_dicts()
    assert (notice["player_id"], notice["amount"]) == ("P1", Decimal("10000.01"))
    assert notice["transaction_ids"] == ["t1", "t2"]
    assert (notice["due"], notice["customer_notice_due"]) == (
        dt.date(2026, 11, 25),
        dt.date(2027, 1, 31),
    )
