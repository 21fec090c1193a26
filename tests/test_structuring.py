"""Structuring, a cent and a minute either side of where it begins."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import polars as pl
import pytest
from law_rows import cash, rows
from suspicion_rows import IN, OUT, derived, silver

from benchmarks.structuring import Month, per_10_000
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.law import Law, load
from lakehouse.regulation.suspicion.structuring import structuring

LAW = load("us-federal")
Amount = tuple[str, str, str]
"""Key, moment, dollars."""


def hits(*txns: dict, law: Law = LAW) -> dict[tuple[str, int], list[str]]:
    """(Person, day of the month) → keys of the rows that the hit rests on."""
    ledger = currency_ledger(rows("financial_txn", *txns), rows("gaming_wins"))
    found = structuring(ledger, law).collect().sort("player_id", "hit_day", "at", "record_id")
    return {
        (person, day.day): group["record_id"].to_list()
        for (person, day), group in found.group_by("player_id", "hit_day", maintain_order=True)
    }


def bought(*amounts: Amount, kind: str = IN) -> list[dict]:
    return [cash(key, kind, f"2026-{at}", usd) for key, at, usd in amounts]


def three(usd: str, last: str = "9500.00") -> list[dict]:
    """On one gaming day, so that no day's total is in the band."""
    return bought(
        ("a", "11-10 19:00", "9500.00"), ("b", "11-10 20:00", usd), ("c", "11-10 21:00", last)
    )


ON_ONE_DAY = {("P1", 10): ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("txns", "found"),
    [
        (three("9500.00"), ON_ONE_DAY),
        (three("8000.00"), ON_ONE_DAY),
        (three("7999.99"), {}),
        (three("10000.00"), ON_ONE_DAY),
        (three("10000.01"), {}),
        (three("9500.00")[:2], {}),
        (three("9500.00", last="10000.01"), {}),
    ],
    ids=["three", "from", "a cent less", "to", "a cent more", "two", "the third is open"],
)
def test_single_amounts_are_in_the_band_and_enough(txns, found):
    assert hits(*txns) == found


def apart(first: str, last: str) -> list[dict]:
    return bought(("a", first, "9500.00"), ("b", first, "9500.00"), ("c", last, "9500.00"))


@pytest.mark.parametrize(
    ("first", "last", "is_hit"),
    [
        ("11-10 20:00", "11-13 20:00", True),
        ("11-10 20:00", "11-13 20:01", False),
        # On 1 November 2026 the clocks go back: 72 hours end at 19:00; on 8 March, at 21:00.
        ("10-31 20:00", "11-03 19:00", True),
        ("10-31 20:00", "11-03 19:01", False),
        ("03-07 20:00", "03-10 21:00", True),
        ("03-07 20:00", "03-10 21:01", False),
    ],
)
def test_single_amounts_lie_within_72_hours(first, last, is_hit):
    assert [*hits(*apart(first, last)).values()] == ([["a", "b", "c"]] if is_hit else [])


def test_sides_are_not_mixed():
    paid = bought(
        ("x", "11-10 22:00", "9500.00"),
        ("y", "11-10 22:10", "9500.00"),
        ("z", "11-10 22:20", "9500.00"),
        kind=OUT,
    )
    assert hits(*three("9500.00")[:2], paid[0]) == {}
    assert hits(*three("9500.00"), *paid[:2]) == ON_ONE_DAY
    assert hits(*three("9500.00"), *paid) == {("P1", 10): ["a", "b", "c", "x", "y", "z"]}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ([("o", "11-10 20:30", "10000.01")], {}),
        ([("o", "11-10 18:59", "12000.00")], ON_ONE_DAY),
        ([("o", "11-10 21:01", "12000.00")], ON_ONE_DAY),
        # Added up, they are reported; no one of them is.
        ([("o", "11-10 20:30", "6000.00"), ("p", "11-10 20:31", "6000.00")], ON_ONE_DAY),
    ],
    ids=["between", "before", "after", "the casino's own adding up"],
)
def test_an_amount_shown_openly_begins_anew(more, found):
    assert hits(*three("9500.00"), *bought(*more)) == found


def test_what_follows_an_open_amount_counts_by_itself():
    more = bought(("o", "11-10 19:30", "12000.00"), ("d", "11-10 22:00", "9500.00"))
    assert hits(*three("9500.00"), *more) == {("P1", 10): ["b", "c", "d"]}
    shown = bought(("o", "11-10 20:30", "12000.00"), kind=OUT)
    assert hits(*three("9500.00"), *shown) == ON_ONE_DAY


def total(day: int, *parts: str) -> list[dict]:
    return bought(*((f"{day}{k}", f"11-{day} 2{k}:00", usd) for k, usd in enumerate(parts)))


@pytest.mark.parametrize(
    ("between", "found"),
    [
        (["6000.00", "6000.00"], {("P1", 12): ["100", "120"]}),
        (["5000.00", "5000.01"], {("P1", 12): ["100", "120"]}),
        (["10000.01"], {}),
        (["10000.01", "500.00"], {}),
    ],
)
def test_a_report_of_parts_ends_no_run_of_totals(between, found):
    assert hits(*total(10, "9500.00"), *total(11, *between), *total(12, "9500.00")) == found


def test_totals_after_an_open_amount_count_by_themselves():
    spent = {10: "9500.00", 11: "12000.00", 12: "9500.00", 13: "9500.00"}
    assert hits(*(row for day, usd in spent.items() for row in total(day, usd))) == {
        ("P1", 13): ["120", "130"]
    }


def by(agent: str, *principals: str | None) -> list[dict]:
    return [
        cash(f"t{n}", IN, f"2026-11-10 2{n}:00", "9500.00", agent, on_behalf_of_player_id=who)
        for n, who in enumerate(principals)
    ]


@pytest.mark.parametrize(
    ("txns", "persons"),
    [
        (by("P2", "P1", "P1", "P1"), ["P1"]),
        (by("P2", "P1", "P3", "P4"), ["P2"]),
        (by("P2", "P1", "P1", None), ["P2"]),
        (by(None, "P1", "P1", "P1"), ["P1"]),
        (by(None, None, None, None), []),
    ],
    ids=["one principal", "three principals", "two and his own", "runners", "nobody known"],
)
def test_agents_and_principals(txns, persons):
    assert [person for person, _ in hits(*txns)] == persons


def test_what_is_no_currency_is_no_part():
    cheque = cash("c", IN, "2026-11-10 21:00", "9500.00", payment_method="Check")
    assert hits(*three("9500.00")[:2], cheque) == {}


def test_the_third_amount_completes():
    ledger = currency_ledger(
        rows("financial_txn", *three("9500.00"), *bought(("d", "11-10 22:00", "8000.00"))),
        rows("gaming_wins"),
    )
    found = structuring(ledger, LAW).collect()
    assert found["completed_at"].unique().to_list() == [
        dt.datetime(2026, 11, 11, 5, tzinfo=dt.UTC)  # 21:00 at the property
    ]


def test_the_score_counts_gaming_days():
    """One is a half, two are two thirds, three are three quarters."""
    amounts = [("a", "11-10 19:00"), ("b", "11-10 20:00"), ("c", "11-10 21:00"),
               ("d", "11-10 22:00"), ("e", "11-11 20:00"), ("f", "11-12 20:00")]  # fmt: skip
    txns = bought(*((key, at, "9000.00") for key, at in amounts))
    found = structuring(currency_ledger(rows("financial_txn", *txns), rows("gaming_wins")), LAW)
    scores = found.select(pl.col("hit_day").dt.day(), pl.col("score").round(4)).unique().sort("*")
    assert scores.collect().rows() == [(10, 0.5), (11, 0.6667), (12, 0.75)]


def test_where_the_law_reports_10000_it_is_not_in_the_band():
    assert hits(*three("10000.00"), law=load("fabric-poc")) == {}
    assert hits(*three("9999.99"), law=load("fabric-poc")) == ON_ONE_DAY


def dated(**from_the_11th: object) -> Law:
    """The house's parameters until 10 November 2026, and others from the day after."""
    [before] = LAW.periods("structuring")
    change = dt.date(2026, 11, 11)
    params = {**(before.params or {}), **from_the_11th}
    periods = (
        replace(before, effective_to=change - dt.timedelta(1)),
        replace(before, effective_from=change, params=params),
    )
    return replace(LAW, rules={**LAW.rules, "structuring": periods})


@pytest.mark.parametrize(
    ("changed", "days"),
    [
        ({}, [10, 11]),
        ({"amounts": 4}, [10]),
        ({"hours": 1.9}, [10]),
        ({"to_usd": 9499}, [10]),
        ({"from_usd": 9501}, [10]),
    ],
)
def test_parameters_hold_from_their_day(changed, days):
    next_day = [
        r | {"transaction_id": f"n{r['transaction_id']}", "player_id": "P2",
             "transaction_timestamp": str(r["transaction_timestamp"]).replace("11-10", "11-11")}
        for r in three("9500.00")
    ]  # fmt: skip
    found = hits(*three("9500.00"), *next_day, law=dated(**changed))
    assert sorted(day for _, day in found) == days


def test_order_of_rows_is_nothing_to_a_hit():
    txns = [
        *three("9500.00"),
        *bought(("o", "11-10 21:00", "12000.00"), ("d", "11-11 02:00", "8000.00")),
        *bought(("e", "11-11 20:00", "9000.00"), ("f", "11-12 20:00", "9000.00")),
        *bought(("g", "11-12 21:00", "9000.00"), ("h", "11-13 21:00", "9999.99")),
    ]
    right = hits(*txns)
    assert right
    for seed in range(5):
        assert hits(*random.Random(seed).sample(txns, len(txns))) == right


def test_false_alarms_are_of_those_of_whom_nothing_was_planted():
    """P1 brings three and was planted, P2 as many and was not, P3 was planted and brings two."""
    txns = [
        row | {"transaction_id": f"{who}{row['transaction_id']}", "player_id": who}
        for who, count in (("P1", 3), ("P2", 3), ("P3", 2))
        for row in three("9500.00")[:count]
    ]
    month = Month(
        currency_ledger(rows("financial_txn", *txns), rows("gaming_wins")),
        1000,
        pl.DataFrame({"entity_id": ["P1", "P3"]}),
    )
    assert sorted(month.hits(LAW)["player_id"]) == ["P1", "P2"]
    assert month.honest(month.hits(LAW)) == 1
    assert per_10_000(1, [month]) == "10.0"


@pytest.mark.slow
def test_single_amounts_of_a_day_alone_are_those_of_the_range():
    world = silver(
        [
            *apart("11-10 20:00", "11-13 20:00"),
            *bought(("d", "11-14 01:00", "9500.00"), ("e", "11-20 20:00", "9500.00")),
        ]
    )
    days = [dt.date(2026, 11, 8) + dt.timedelta(n) for n in range(15)]
    for of in ("sar_cases", "alerts"):
        alone = [r for d in days for r in derived(world, of=of, days=(d, d))]
        whole = derived(world, of=of, days=(days[0], days[-1]))
        assert sorted(alone, key=str) == sorted(whole, key=str) != []
