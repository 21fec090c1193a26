"""Alerts of the restricted zone: each pattern on its day, told as anomalies are."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest
from law_rows import cash, people
from suspicion_rows import IN, OUT, buys, derived, lost_in_play, rated, silver

from lakehouse.contracts import contract
from lakehouse.gold.marts import marts
from lakehouse.regulation.law import load
from lakehouse.regulation.suspicion.alerts import ACTIONS, ALERT, graded
from lakehouse.regulation.suspicion.hits import watched
from lakehouse.settings import load_settings

WATCHED = watched(load("us-federal"))


def alerts(*txns, **tables) -> list[dict]:
    return derived(silver(txns, **tables), of="alerts")


def slot(key: str, kind: str, at: str, player: str = "P1", **more) -> dict:
    return {
        "event_id": key,
        "event_type": kind,
        "event_timestamp": f"2026-11-{at}",
        "player_id": player,
        "machine_id": "SLOT-0001",
        "session_id": "S1",
    } | more


def stuffed(bills: str = "6000.00") -> list[dict]:
    return [
        slot("e1", "BILL_IN", "10 20:00", amount=bills),
        slot("e2", "GAME_PLAY", "10 20:03", coin_in="60.00"),
        slot("e3", "TICKET_OUT", "10 20:06", amount=bills),
    ]


MARKERS = [
    cash(f"m{n}", "MARKER_ISSUE", f"2026-11-09 2{n}:00", "8000.00", payment_method="Chip")
    for n in range(3)
] + [cash(f"p{n}", "MARKER_PAYMENT", f"2026-11-1{n} 20:00", "8000.00") for n in range(3)]
POOLED = [
    *(cash(f"t{p}", IN, f"2026-11-10 20:0{p}", "5000.00", f"P{p}") for p in (1, 2, 3)),
    cash("t9", OUT, "2026-11-10 21:30", "15000.00", "P3", payment_method="Check"),
]


@pytest.mark.parametrize(
    ("txns", "tables", "told"),
    [
        (
            [cash("i", IN, "2026-11-10 20:00", "8000.00"),
             cash("o", OUT, "2026-11-10 20:40", "7900.00")],
            {},
            [("minimal_play", 10, ["P1"], "8000.00", 10, "CRITICAL", ["i", "o"])],
        ),
        (
            [cash("i", IN, "2026-11-10 20:00", "6000.00")],
            {},
            [("chip_walking", 10, ["P1"], "6000.00", 10, "CRITICAL", ["i"])],
        ),
        (
            [],
            {"slots": stuffed()},
            [("bill_stuffing", 10, ["P1"], "6000.00", 10, "CRITICAL", ["e1", "e3"])],
        ),
        # A report of suspicion is due from $5,000: below it nothing is critical.
        (
            [],
            {"slots": stuffed("4999.99")},
            [("bill_stuffing", 10, ["P1"], "4999.99", 10, "WARNING", ["e1", "e3"])],
        ),
        # From the 11th on the payments are both patterns; the cycle says all that they do.
        (
            MARKERS,
            {"ratings": [rated("09", "100.00", 280, "24000.00")]},
            [
                ("marker_cycle", 10, ["P1"], "24000.00", 9, "INFO", ["m0", "m1", "m2", "p0"]),
                ("marker_cycle", 11, ["P1"], "24000.00", 9, "WARNING",
                 ["m0", "m1", "m2", "p0", "p1"]),
                ("marker_cycle", 12, ["P1"], "24000.00", 9, "CRITICAL",
                 ["m0", "m1", "m2", "p0", "p1", "p2"]),
            ],
        ),
        # The givers walked with their chips; the cheque says so.
        (
            POOLED,
            {},
            [("pooling", 10, ["P3", "P1", "P2"], "15000.00", 10, "CRITICAL",
              ["t1", "t2", "t3", "t9"])],
        ),
    ],
    ids=["minimal play", "chip walking", "bill stuffing", "little of it", "markers", "pooling"],
)  # fmt: skip
def test_each_pattern_is_told_once_on_its_day(txns, tables, told):
    found = alerts(*txns, **tables)
    assert [
        (
            a["rule"],
            a["gaming_day"].day,
            a["player_ids"],
            str(a["amount"]),
            a["window_start"].day,
            a["severity"],
            [e["record_id"] for e in a["evidence"]],
        )
        for a in sorted(found, key=lambda a: a["rule"])
    ] == told
    for a in found:
        assert a["alert_id"] == f"{a['rule']}-{a['gaming_day']}-{a['player_ids'][0]}"
        assert (a["family"], a["entity_type"], a["window_end"]) == (
            "cash",
            "player",
            a["gaming_day"],
        )
        assert (a["evidence_rows"], a["suggested_action"]) == (
            len(a["evidence"]),
            ACTIONS[a["rule"]],
        )


def test_alerts_have_what_anomalies_have():
    """So that an analyst lays both together, and works in both alike."""
    mine, open_ones = contract("alerts"), contract("anomalies")
    shapes = mine.bronze_schema(), open_ones.bronze_schema()
    for name, dtype in shapes[1].items():
        if name not in ("rule", "family", "entity_type", "severity"):
            assert shapes[0][name] == dtype, name
    severities = [c.columns["severity"].categories for c in (mine, open_ones)]
    assert severities[0] == severities[1]
    assert mine.key == open_ones.key
    assert set(mine.columns["family"].categories) < set(open_ones.columns["family"].categories)
    assert set(mine.columns["entity_type"].categories) < set(
        open_ones.columns["entity_type"].categories
    )
    assert set(mine.columns["rule"].categories) == set(ACTIONS)


def scored(rule: str, score: float, usd: str, day: dt.date) -> str:
    one = {n: None for n in ALERT} | {
        "rule": rule,
        "gaming_day": day,
        "entity_id": "P1",
        "score": score,
        "amount": Decimal(usd),
        "evidence": [],
    }
    law = replace(WATCHED, rules=WATCHED.rules | {rule: _stricter(rule)})
    [severity] = graded(pl.DataFrame([one], schema=ALERT), law)["severity"]
    return str(severity)


CHANGE = dt.date(2026, 1, 1)


def _stricter(rule: str):
    [before] = WATCHED.periods(rule)
    params = {**(before.params or {}), "warning": 0.6, "critical": 0.9}
    last = CHANGE - dt.timedelta(1)
    return (
        replace(before, effective_to=last),
        replace(before, effective_from=CHANGE, params=params),
    )


@pytest.mark.parametrize(
    ("score", "usd", "before", "since"),
    [
        (0.9, "5000.00", "CRITICAL", "CRITICAL"),
        (0.9, "4999.99", "WARNING", "WARNING"),
        (0.66, "5000.00", "CRITICAL", "WARNING"),
        (0.6599, "5000.00", "WARNING", "WARNING"),
        (0.5, "5000.00", "WARNING", "INFO"),
        (0.4999, "5000.00", "INFO", "INFO"),
    ],
)
def test_severity_follows_the_house_of_the_day(score, usd, before, since):
    """0.5 and 0.66 for structuring; from CHANGE, 0.6 and 0.9."""
    assert scored("structuring", score, usd, CHANGE - dt.timedelta(1)) == before
    assert scored("structuring", score, usd, CHANGE) == since


def test_an_alert_keeps_its_id_when_more_comes_to_light():
    spent = [("10", "9500.00"), ("11", "9500.00")]
    first = alerts(*buys(*spent), ratings=lost_in_play(*spent))
    late = cash("late", IN, "2026-11-11 21:00", "400.00")
    later = alerts(*buys(*spent), late, ratings=lost_in_play(*spent))
    assert [a["alert_id"] for a in first] == ["structuring-2026-11-11-P1"]
    assert [a["alert_id"] for a in later] == ["structuring-2026-11-11-P1"]
    assert [a["amount"] for a in (*first, *later)] == [Decimal("19000.00"), Decimal("19400.00")]


@pytest.mark.parametrize(
    ("kind", "is_played"), [("slots", True), ("slots", False), ("tables", True)]
)
def test_play_on_the_day_of_the_deposit_counts_on_the_next(kind, is_played):
    """Asked for that day alone, too."""
    txns = [
        cash("d", "FRONT_MONEY_DEPOSIT", "2026-11-10 20:00", "9000.00"),
        cash("w", "FRONT_MONEY_WITHDRAWAL", "2026-11-11 20:00", "9000.00"),
    ]
    play = slot("g", "GAME_PLAY", "10 21:00", coin_in="9000.00" if is_played else "1.00")
    tables = {"slots": [play]} if kind == "slots" else {"ratings": [rated("10", "100.00", 90, "0")]}
    day = (dt.date(2026, 11, 11), dt.date(2026, 11, 11))
    found = derived(silver(txns, **tables), of="alerts", days=day)
    assert [a["rule"] for a in found] == ([] if is_played else ["minimal_play"])


def test_a_bill_in_a_machine_is_a_row_of_telemetry():
    """Where carded bills are the casino's knowledge (FinCEN Ruling 2005-1)."""
    settings = load_settings(carded_bill_in_knowledge=True)
    world = silver(
        buys(("10", "7000.00"), ("11", "9000.00")),
        lost_in_play(("10", "7000.00"), ("11", "9000.00")),
        [slot("b", "BILL_IN", "10 21:00", amount="2000.00", session_id=None)],
        profiles=people("P1"),
    )
    keys = {}
    for name in ("alerts", "sar_cases"):
        mart = marts()[name]
        frames = {i.table: world[i.table] for i in mart.reads(settings)}
        days = (dt.date(2026, 11, 10), dt.date(2026, 11, 11))
        as_of = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
        [row] = mart.rows(frames, settings=settings, days=days, as_of=as_of).collect().to_dicts()
        keys[name] = {(e.get("table_name") or e["source"], e["record_id"]) for e in row["evidence"]}
    assert keys["alerts"] == keys["sar_cases"]
    assert keys["alerts"] == {
        ("slot_telemetry", "b"),
        ("financial_txn", "CHIP_PURCHASE10"),
        ("financial_txn", "CHIP_PURCHASE11"),
    }


def test_one_address_says_how_far_over_it_is():
    """Two of 6,000 are 12,000, a sixth of it beyond the limit: a link, told as information."""
    home = people("P1", "P2", address_line1="one").with_columns(
        city=pl.lit("Reno"), state=pl.lit("NV"), zip_code=pl.lit("895")
    )
    txns = [cash(f"t{p}", IN, "2026-11-10 20:00", "6000.00", f"P{p}") for p in (1, 2)]
    play = [rated("10", "75.00", 280, "6000.00", f"P{p}") for p in (1, 2)]
    [alert] = alerts(*txns, ratings=play, profiles=home)
    assert (alert["rule"], alert["entity_id"], alert["entity_type"]) == (
        "shared_address",
        "P1+P2",
        "pair",
    )
    assert (alert["score"], alert["severity"]) == (0.166667, "INFO")
