"""Houses that count from one again each gaming day, and in each table: a number names a row of its
day alone, and every mart says what it would of rows whose numbers never come again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl
import pytest
from floor_witnesses import event, read
from found_alerts import at, day
from law_rows import cash, people, rows
from mart_rows import ALWAYS, NOW, SETTINGS, rows_of
from mart_witnesses import DAYS, silver_rows
from polars.testing import assert_frame_equal
from suspicion_rows import IN, derived, rated, silver

from lakehouse.contracts import contract
from lakehouse.detection.registry import rules
from lakehouse.gold.marts import marts
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.suspicion.cases import absorbed
from lakehouse.regulation.suspicion.hits import RECORD

NUMBERED = (
    "clickstream", "financial_txn", "gaming_wins", "player_events", "purchases", "security_events",
    "shop_orders", "slot_telemetry", "staff_observations", "table_games",
)  # fmt: skip
"""Not the filings: theirs are numbers of the filing system, which follow each other for years."""
UNLIKE_ANY = r"#[a-z_]+-(\d{4})-\d{8}#"


@cache
def world(*, recurs: bool) -> dict[str, pl.LazyFrame]:
    """The rows of every mart's witnesses, numbered anew from each gaming day on; unless the number
    `recurs`, table and day stand around it, so that it is unlike any other."""
    given = {name: frame.collect() for name, frame in silver_rows().items()}
    names: dict[str, dict[str, str]] = {}
    for table in NUMBERED:
        (key,) = contract(table).key
        place = pl.int_range(pl.len()).over("gaming_day").cast(pl.String).str.zfill(4)
        apart = pl.format(
            "#{}-{}-{}#", pl.lit(table), place, pl.col("gaming_day").dt.strftime("%Y%m%d")
        )
        of_rows = given[table].sort(key).select(key, place if recurs else apart)
        names[table] = dict(of_rows.rows())
        assert len(set(names[table])) == given[table].height
    for table, frame in given.items():
        refs = {c: of for c, (of, _) in contract(table).references().items() if of in names}
        if table in names:
            refs[contract(table).key[0]] = table
        new = [pl.col(c).replace(names[of]) for c, of in refs.items() if c in frame.columns]
        given[table] = frame.with_columns(new)
    return {name: frame.lazy() for name, frame in given.items()}


@cache
def made(name: str, *, recurs: bool, days: Days = ALWAYS) -> pl.DataFrame:
    def table(given: str) -> pl.LazyFrame:
        source = world(recurs=recurs)
        return source[given] if given in source else made(given, recurs=recurs).lazy()

    return rows_of(name, table, days, None if days == ALWAYS else sorted(DAYS))


def as_texts(found: pl.DataFrame) -> pl.DataFrame:
    """Each value as JSON, without what sets a number apart; in any order."""
    texts = found.select(
        pl.struct(pl.col(c)).struct.json_encode().str.replace_all(UNLIKE_ANY, "$1").alias(c)
        for c in found.columns
    )
    return texts.sort(texts.columns)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(marts()))
def test_a_mart_goes_by_number_and_day(name: str) -> None:
    days = (min(DAYS), max(DAYS))
    expected = made(name, recurs=False, days=days)
    assert_frame_equal(as_texts(made(name, recurs=True, days=days)), as_texts(expected))


def test_numbers_do_recur() -> None:
    for table in NUMBERED:
        (key,) = contract(table).key
        numbers = world(recurs=True)[table].collect()
        assert numbers[key].n_unique() < numbers.height, table
        assert numbers.select(pl.struct("gaming_day", key).is_unique().all()).item(), table


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anomalies", "alerts", "fraud_alerts"])
def test_every_row_that_an_alert_names_is_there_on_its_day(name: str) -> None:
    found = made(name, recurs=True, days=(min(DAYS), max(DAYS)))
    named = found.select(pl.col("evidence").explode()).drop_nulls().unnest("evidence").unique()
    assert named.height
    for (table,), mine in named.partition_by("table_name", as_dict=True).items():
        source = world(recurs=True)
        rows = source[table] if table in source else made(table, recurs=True).lazy()
        key = [pl.col(k).cast(pl.String) for k in contract(table).key]
        there = rows.select("gaming_day", record_id=pl.concat_str(key, separator="/")).collect()
        assert mine.join(there, on=["record_id", "gaming_day"], how="anti").is_empty(), table


def payouts(*more: dict[str, Any], winner: str | None = "W") -> list[tuple[int, str]]:
    """Day and person of the currency that counts as paid out: jackpots of number 7 on the 10th to
    W and on the 11th to X, and a slot's win of the 10th that is booked on the 10th, or `more`."""
    txns = [
        cash("7", "JACKPOT_PAYOUT", "2026-11-10 20:00", "12000.00", "W"),
        cash("7", "JACKPOT_PAYOUT", "2026-11-11 20:00", "12000.00", "X"),
    ]
    won = {
        "win_id": "w",
        "player_id": winner,
        "game_type": "SLOT",
        "transaction_id": "7",
        "paid_at": "2026-11-10 20:00",
        "won_at": "2026-11-10 20:00",
    }
    wins = [won | m for m in more] or [won]
    found = currency_ledger(rows("financial_txn", *txns), rows("gaming_wins", *wins)).collect()
    return sorted((d.day, p) for d, p in found.select("gaming_day", "player_id").rows())


def test_a_slots_jackpot_does_not_hide_another_payout_of_its_number() -> None:
    """31 CFR 1021.311(c)(4) exempts jackpots of slot machines and no others."""
    assert payouts() == [(11, "X")]
    assert payouts(winner=None) == []  # it may be either
    assert payouts({"gaming_day": dt.date(2026, 11, 11), "player_id": "X"}) == [(10, "W")]


def test_an_account_as_a_passage_is_both_its_transactions() -> None:
    """9,000 in on one day and out on the next, each the first transaction of its day."""
    txns = [
        cash("1", "FRONT_MONEY_DEPOSIT", "2026-11-10 20:00", "9000.00"),
        cash("1", "FRONT_MONEY_WITHDRAWAL", "2026-11-11 20:00", "9000.00"),
    ]
    [case] = derived(silver(txns))
    assert case["typology"] == "minimal_play"
    assert (case["first_activity_on"].day, case["last_activity_on"].day) == (10, 11)
    assert case["transaction_ids"] == ["1", "1"]
    [alert] = derived(silver(txns), of="alerts")
    assert [r["gaming_day"].day for r in alert["evidence"]] == [10, 11]
    assert (alert["window_start"].day, alert["evidence_rows"]) == (10, 2)


def played(on: int, player: str = "P1") -> dict[str, Any]:
    """All of 9,500 lost at a table, so that it did not just pass through."""
    return rated(str(on), "100.00", 280, "9500.00", player) | {"event_id": player}


def test_amounts_near_the_threshold_add_up_over_days() -> None:
    """9,000, 9,500 with 300 more, and 9,900; the first of each day is number 1. Alerts are as
    strong as if no number came again."""

    def spent(*numbers: str) -> dict[str, pl.LazyFrame]:
        amounts = zip(numbers, (10, 11, 12), ("9000.00", "9500.00", "9900.00"), strict=True)
        txns = [cash(n, IN, f"2026-11-{d} 20:00", usd) for n, d, usd in amounts]
        small = cash("2", IN, "2026-11-11 21:00", "300.00")
        return silver([*txns, small], [played(d) for d in (10, 11, 12)])

    [case] = derived(spent("1", "1", "1"))
    assert (case["typology"], case["amount"]) == ("structuring", Decimal("28700.00"))
    same, apart = (derived(spent(*n), of="alerts") for n in ("111", "134"))
    assert [a["score"] for a in same] == [a["score"] for a in apart]


def test_an_agent_with_rows_of_his_own_is_not_hidden_behind_his_principal() -> None:
    """P1 buys in for P2 as the first of the 10th, and for himself as the first of the 11th; P2
    himself as the second. Each has two totals near the threshold."""
    txns = [
        cash("1", IN, "2026-11-10 20:00", "9500.00", "P1", on_behalf_of_player_id="P2"),
        cash("1", IN, "2026-11-11 20:00", "9500.00", "P1"),
        cash("2", IN, "2026-11-11 21:00", "9500.00", "P2"),
    ]
    play = [played(d, p) for d in (10, 11) for p in ("P1", "P2")]
    cases = derived(silver(txns, play))
    found = [(c["player_id"], c["amount"]) for c in cases if c["typology"] == "structuring"]
    assert sorted(found) == [("P1", Decimal("19000.00")), ("P2", Decimal("19000.00"))]


@pytest.mark.parametrize(("on", "is_absorbed"), [(10, ["s"]), (11, [])])
def test_a_case_is_absorbed_by_one_of_the_same_records_alone(
    on: int, is_absorbed: list[str]
) -> None:
    """Structuring of the 10th and a marker cycle, both of numbers 1 and 2."""
    cases = [("s", "structuring", 10), ("m", "marker_cycle", on)]
    rows = [
        (case, typology, "financial_txn", number, dt.date(2026, 11, d))
        for case, typology, d in cases
        for number in ("1", "2")
    ]
    found = pl.DataFrame(rows, schema=["case_key", "typology", *RECORD], orient="row")
    assert absorbed(found)["case_key"].to_list() == is_absorbed


def observed(n: int, on: int, txn: str) -> dict[str, Any]:
    return {
        "observation_id": str(n),
        "observed_at": f"2026-11-{on} 21:00",
        "kind": "TRANSACTION_REDUCED",
        "player_id": None,
        "transaction_id": txn,
        "amount_before": "12000.00",
    }


def seen_by_staff(txns: list[dict[str, Any]], *seen: dict[str, Any]) -> list[dict[str, Any]]:
    found = derived(silver(txns, seen=seen))
    return [case for case in found if case["typology"] == "threshold_avoidance"]


@pytest.mark.parametrize(("on", "player"), [(10, "P1"), (11, "P2"), (12, "P2")])
def test_what_staff_saw_is_about_the_transaction_of_the_nearest_day(on: int, player: str) -> None:
    """Of number 5 of the 10th and of the 11th; each was reduced from 12,000 to below the report."""
    txns = [
        cash("5", IN, "2026-11-10 20:00", "9000.00", "P1"),
        cash("5", IN, "2026-11-11 20:00", "8000.00", "P2"),
    ]
    [case] = seen_by_staff(txns, observed(1, on, "5"))
    assert case["player_id"] == player
    assert [e["amount"] for e in case["evidence"] if e["source"] == "financial_txn"] == [
        {"P1": Decimal("9000.00"), "P2": Decimal("8000.00")}[player]
    ]
    assert case["amount"] == Decimal("12000.00")


def test_two_transactions_that_staff_saw_are_two_cases() -> None:
    txns = [
        cash("5", IN, "2026-11-10 20:00", "9000.00", "P1"),
        cash("5", IN, "2026-11-11 20:00", "8000.00", "P2"),
    ]
    cases = seen_by_staff(txns, observed(1, 10, "5"), observed(1, 11, "5"))
    assert [(c["player_id"], c["gaming_day"].day) for c in cases] == [("P1", 10), ("P2", 11)]
    assert [len(c["evidence"]) for c in cases] == [2, 2]
    assert len({c["case_id"] for c in cases}) == 2


def test_a_bill_and_a_transaction_of_one_number_are_two() -> None:
    """9,000 at the cage and 2,000 in a machine, both number 3 of the day: 11,000 in two."""
    bill = {
        "event_id": "3",
        "event_type": "BILL_IN",
        "event_timestamp": "2026-11-10 21:00",
        "amount": "2000.00",
        "player_id": "P1",
        "machine_id": "SLOT-0001",
    }
    mart = marts()["ctr_filings"]
    given = {
        "financial_txn": rows("financial_txn", cash("3", IN, "2026-11-10 20:00", "9000.00")),
        "gaming_wins": rows("gaming_wins"),
        "slot_telemetry": rows("slot_telemetry", bill),
        "player_profile": people("P1"),
    }
    asked = (dt.date(2026, 11, 10), dt.date(2026, 11, 10))
    [report] = mart.rows(given, settings=SETTINGS, days=asked, as_of=NOW).collect().to_dicts()
    assert (report["cash_in"], report["multiple_transactions"]) == (11_000, True)
    assert report["transaction_ids"] == ["3", "3"]


def test_a_badge_of_one_day_excuses_no_opening_of_another() -> None:
    """Opening number 1 of the day before had a badge; that of the day has none."""
    opened = [
        event("1", "SLOT-0100", "DOOR_OPEN", at("12:00", -1)),
        event("1", "SLOT-0100", "DOOR_OPEN", at("12:00")),
    ]
    reads = [
        read("1", "BDG-00800", "ACCESS_GRANTED", at("11:55", -1), "SLOT-0100"),
        read("1", "BDG-00800", "ACCESS_GRANTED", at("20:00"), "SLOT-0400"),
    ]
    rule = rules()["door_without_badge"]
    given = {
        "slot_telemetry": rows("slot_telemetry", *opened),
        "security_events": rows("security_events", *reads),
    }
    found = rule.alerts(given, (day(-1), day(0))).collect()
    assert found["evidence"].to_list() == [
        [{"table_name": "slot_telemetry", "record_id": "1", "gaming_day": day(0)}]
    ]
