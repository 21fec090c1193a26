"""Patterns that open a review case, and the ordinary play that opens none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from law_rows import cash, people
from suspicion_rows import IN, OUT, buys, derived, lost_in_play, rated, silver


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spent", "cases"),
    [
        ([("10", "9900.00")], []),
        ([("10", "9500.00"), ("11", "9500.00")], ["19000.00"]),
        ([("10", "8000.00"), ("11", "10000.00")], ["18000.00"]),
        ([("10", "7999.99"), ("11", "9500.00")], []),
        ([("10", "10000.01"), ("11", "9500.00")], []),
        ([("02", "9500.00"), ("09", "9500.00")], ["19000.00"]),
        ([("02", "9500.00"), ("10", "9500.00")], []),
        # A report between them: nothing was kept from anybody
        ([("10", "9500.00"), ("11", "12000.00"), ("12", "9500.00")], []),
    ],
)
def test_structuring_is_several_totals_near_the_threshold(spent, cases):
    found = derived(silver(buys(*spent), lost_in_play(*spent)))
    assert [c["amount"] for c in found] == [Decimal(a) for a in cases]
    assert {c["typology"] for c in found} <= {"structuring"}


def test_structuring_is_detected_once_and_grows():
    spent = [("10", "9500.00"), ("11", "9500.00"), ("12", "9500.00")]
    world = silver(buys(*spent), lost_in_play(*spent))
    [case] = derived(world)
    assert (case["detected_on"], case["due"]) == (dt.date(2026, 11, 11), dt.date(2026, 12, 11))
    assert (case["amount"], case["filed"], case["mandatory"]) == (Decimal("28500.00"), False, True)
    assert case["transaction_ids"] == [f"CHIP_PURCHASE{d}" for d in (10, 11, 12)]
    noted = case["narrative"]
    for part in ("Who: patron P1", "USD 28500.00", "2026-11-10 to 2026-11-12", "Main cage"):
        assert part in noted
    kinds = [(a["rule"], a["gaming_day"].day) for a in derived(world, of="alerts")]
    assert kinds == [("structuring", 11), ("structuring", 12)]


def test_what_was_not_yet_known_is_not_in_the_case():
    spent = [("10", "9500.00"), ("11", "9500.00"), ("12", "9500.00")]
    world = silver(buys(*spent), lost_in_play(*spent))
    morning = dt.datetime(2026, 11, 12, 15, tzinfo=dt.UTC)
    assert [c["amount"] for c in derived(world, as_of=morning)] == [Decimal("19000.00")]


def test_two_sides_make_one_case_and_each_dollar_counts_once():
    spent = [("10", "9500.00"), ("11", "9500.00")]
    both = buys(*spent) + buys(*spent, kind=OUT)
    cases = derived(silver(both, lost_in_play(*spent)))
    assert [(c["typology"], c["amount"]) for c in cases] == [("structuring", Decimal("19000.00"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("came", "went", "bet", "hands", "typology"),
    [
        ("8000.00", "7900.00", "25.00", 1, "minimal_play"),
        ("8000.00", "7900.00", "25.00", 31, "minimal_play"),
        ("8000.00", "7900.00", "25.00", 32, None),  # 800 is a tenth of 8,000
        ("8000.00", "3000.00", "25.00", 1, "minimal_play"),
        ("8000.00", "2999.99", "25.00", 1, "chip_walking"),
        ("6000.00", None, "25.00", 4, "chip_walking"),
        ("6000.00", None, "25.00", 280, None),
        ("4999.99", None, "25.00", 4, None),
    ],
)
def test_little_play(came, went, bet, hands, typology):
    txns = [cash("t1", IN, "2026-11-10 20:00", came)]
    if went:
        txns.append(cash("t2", OUT, "2026-11-10 20:40", went))
    found = derived(silver(txns, [rated("10", bet, hands, "25.00")]))
    assert [c["typology"] for c in found] == ([] if typology is None else [typology])


def test_redeemed_by_cheque_is_money_out_all_the_same():
    txns = [
        cash("t1", IN, "2026-11-10 20:00", "8000.00"),
        cash("t2", OUT, "2026-11-10 20:40", "7900.00", payment_method="Check"),
    ]
    assert [c["typology"] for c in derived(silver(txns))] == ["minimal_play"]


def test_an_account_as_a_passage():
    txns = [
        cash("t1", "FRONT_MONEY_DEPOSIT", "2026-11-10 20:00", "9000.00"),
        cash("t2", "FRONT_MONEY_WITHDRAWAL", "2026-11-11 20:00", "9000.00"),
    ]
    [case] = derived(silver(txns))
    assert (case["typology"], case["detected_on"]) == ("minimal_play", dt.date(2026, 11, 11))
    late = [txns[0], txns[1] | {"transaction_timestamp": "2026-11-12 20:00"}]
    assert derived(silver(late)) == []


def slot(key, kind, at, **more):
    return {
        "event_id": key,
        "event_type": kind,
        "event_timestamp": f"2026-11-10 {at}",
        "player_id": "P1",
        "machine_id": "SLOT-0001",
        "session_id": "S1",
    } | more


@pytest.mark.parametrize(
    ("bet", "ticket_at", "is_case"),
    [("60.00", "20:06", True), ("60.00", "20:31", False), ("9000.00", "20:06", False)],
    ids=["stuffed", "played on", "played through"],
)
def test_bill_stuffing(bet, ticket_at, is_case):
    slots = [
        slot("e1", "BILL_IN", "20:00", amount="4000.00"),
        slot("e2", "GAME_PLAY", "20:03", coin_in=bet),
        slot("e3", "TICKET_OUT", ticket_at, amount="3940.00"),
    ]
    found = [(c["typology"], c["amount"]) for c in derived(silver(slots=slots))]
    assert found == ([("bill_stuffing", Decimal("4000.00"))] if is_case else [])


@pytest.mark.parametrize(
    ("drawn", "paid", "typologies"),
    [
        (["8000.00"] * 3, ["8000.00"] * 3, ["marker_cycle"]),
        (["8000.00"] * 3, ["7000.00", "7000.00", "6000.00"], []),  # exactly 20,000
        (["30000.00"], ["10000.01", "10000.00"], []),
    ],
)
def test_marker_cycle(drawn, paid, typologies):
    txns = [
        cash(f"m{i}", "MARKER_ISSUE", f"2026-11-10 2{i}:00", a, payment_method="Chip")
        for i, a in enumerate(drawn)
    ] + [cash(f"p{i}", "MARKER_PAYMENT", f"2026-11-1{i + 1} 20:00", a) for i, a in enumerate(paid)]
    found = derived(silver(txns, [rated("10", "100.00", 280, "24000.00")]))
    assert [c["typology"] for c in found] == typologies
    if found:
        assert (found[0]["amount"], found[0]["detected_on"]) == (
            Decimal("24000.00"),
            dt.date(2026, 11, 13),
        )


def test_pooling_names_all_and_opens_no_case_on_each():
    txns = [cash(f"t{p}", IN, f"2026-11-10 20:0{p}", "5000.00", f"P{p}") for p in (1, 2, 3)]
    cheque = cash("t9", OUT, "2026-11-10 21:30", "15000.00", "P3", payment_method="Check")
    [case] = derived(silver([*txns, cheque]))
    assert (case["typology"], case["player_id"], case["amount"]) == (
        "pooling",
        "P3",
        Decimal("15000.00"),
    )
    assert sorted(case["player_ids"]) == ["P1", "P2", "P3"]
    own = cash("t9", OUT, "2026-11-10 21:30", "5000.00", "P3", payment_method="Check")
    assert "pooling" not in {c["typology"] for c in derived(silver([*txns, own]))}


def seen(key, kind, at="2026-11-11 00:58", **more):
    return {
        "observation_id": key,
        "kind": kind,
        "observed_at": at,
        "player_id": "P1",
        "transaction_id": "t1",
    } | more


@pytest.mark.parametrize(
    ("observed", "subtypes", "amount"),
    [
        ([seen("o1", "THRESHOLD_ENQUIRY")], ["106"], "2900.00"),
        (
            [seen("o1", "TRANSACTION_REDUCED", amount_before="11000.00", amount_after="9500.00")],
            ["112"],
            "11000.00",
        ),
        (
            [seen("o1", "TRANSACTION_REDUCED", amount_before="3200.00", amount_after="2900.00")],
            ["111"],
            "3200.00",
        ),
        (
            [
                seen("o1", "THRESHOLD_ENQUIRY"),
                seen("o2", "TRANSACTION_REDUCED", amount_before="11000.00", amount_after="9500.00"),
                seen("o3", "OTHER"),
            ],
            ["106", "112"],
            "11000.00",
        ),
        (
            [seen("o1", "TRANSACTION_REDUCED", amount_before="900.00", amount_after="800.00")],
            None,
            "",
        ),
        ([seen("o1", "ID_REFUSED"), seen("o2", "AGENT_DISCLOSED")], None, ""),
    ],
    ids=["asked", "below the report", "below the record", "both", "below nothing", "no question"],
)
def test_observations_of_one_transaction_make_one_case(observed, subtypes, amount):
    paid = cash("t1", IN, "2026-11-11 01:00", "2900.00")
    found = derived(silver([paid], seen=observed))
    if subtypes is None:
        assert found == []
        return
    [case] = found
    assert (case["subtypes"], case["amount"]) == (subtypes, Decimal(amount))
    assert (case["gaming_day"], case["detected_on"]) == (
        dt.date(2026, 11, 10),
        dt.date(2026, 11, 11),
    )
    assert case["mandatory"] is (Decimal(amount) >= 5000)


@pytest.mark.parametrize(
    ("player", "due"), [("P1", dt.date(2026, 12, 2)), (None, dt.date(2027, 1, 1))]
)
def test_the_clock_is_longer_where_nobody_is_known(player, due):
    asked = seen("o1", "THRESHOLD_ENQUIRY", "2026-11-02 13:58", player_id=player)
    paid = cash("t1", IN, "2026-11-02 14:00", "4000.00", player)
    [case] = derived(silver([paid], seen=[asked]))
    assert (case["player_id"], case["due"]) == (player, due)


def of_two_addresses() -> pl.DataFrame:
    """P1 and P2 live at one address, P3 at another."""
    return people("P1", "P2", "P3").with_columns(
        pl.when(pl.col("player_id") != "P3").then(pl.lit("tok:a")).otherwise(pl.lit("tok:b"))
        .alias("address_line1"),
        city=pl.lit("Reno"), state=pl.lit("NV"), zip_code=pl.lit("895"),
    )  # fmt: skip


def test_one_address_in_and_out_is_one_alert():
    """Persons and day are the key of an alert."""
    txns = [cash(f"i{p}", IN, "2026-11-10 20:00", "6000.00", f"P{p}") for p in (1, 2)]
    txns += [cash(f"o{p}", OUT, "2026-11-10 22:00", "5500.00", f"P{p}") for p in (1, 2)]
    play = [rated("10", "75.00", 280, "500.00", f"P{p}") for p in (1, 2)]
    [alert] = derived(silver(txns, play, profiles=of_two_addresses()), of="alerts")
    assert alert["amount"] == Decimal("12000.00")
    assert alert["evidence"] == [
        {"table_name": "financial_txn", "record_id": key, "gaming_day": dt.date(2026, 11, 10)}
        for key in ("i1", "i2", "o1", "o2")
    ]
    assert alert["said"] == "one address, currency in and out together over the threshold"


def test_one_address_is_a_link_and_no_case():
    profiles = of_two_addresses()
    txns = [cash(f"t{p}", IN, "2026-11-10 20:00", "6000.00", f"P{p}") for p in (1, 2, 3)]
    play = [rated("10", "75.00", 280, "6000.00", f"P{p}") for p in (1, 2, 3)]
    world = silver(txns, play, profiles=profiles)
    assert derived(world) == []
    [alert] = derived(world, of="alerts")
    assert (alert["rule"], alert["player_ids"], alert["amount"]) == (
        "shared_address",
        ["P1", "P2"],
        Decimal("12000.00"),
    )


@pytest.mark.slow
def test_a_day_alone_gives_what_the_whole_range_gives():
    spent = [("10", "9500.00"), ("11", "9500.00"), ("13", "9500.00"), ("25", "9000.00")]
    world = silver(buys(*spent), lost_in_play(*spent))
    # From the day before the first of them to the day after the last, and all in between.
    days = [dt.date(2026, 11, 9) + dt.timedelta(days=n) for n in range(18)]
    for of in ("sar_cases", "alerts"):
        alone = [r for d in days for r in derived(world, of=of, days=(d, d))]
        assert alone == derived(world, of=of, days=(days[0], days[-1]))
