"""What the office must file, worked by hand, and what it makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.simulate.compliance import filings, obligations
from lakehouse.simulate.kernel import person
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.kernel.ids import players
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.labels.filings import truth_obligations, wrong_filings
from tests.handmade import Handmade, verified

CONFIG = WorldConfig(faults=NO_FAULTS)
A, B, C = verified(CONFIG, 3)


def txn(player: int, kind: str, dollars: str, **more: Any) -> dict[str, Any]:
    cents = int(Decimal(dollars) * 100)
    return {"player": player, "transaction_type": kind, "amount_cents": cents} | more


# rows → {player: (cents in, cents out)}; 31 CFR 1021.311, 1021.313
CTR_CASES = {
    "at the threshold nothing is due": ([txn(A, "CHIP_PURCHASE", "10000.00")], {}),
    "a cent over is": ([txn(A, "CHIP_PURCHASE", "10000.01")], {A: (1_000_001, None)}),
    "sides are not added": (
        [txn(A, "CHIP_PURCHASE", "6000"), txn(A, "CHIP_REDEMPTION", "6000")],
        {},
    ),
    "one side's rows are": (
        [txn(A, "CHIP_PURCHASE", "6000"), txn(A, "FRONT_MONEY_DEPOSIT", "4000.50")],
        {A: (1_000_050, None)},
    ),
    "both sides stand in one report": (
        [txn(A, "CHIP_PURCHASE", "11000"), txn(A, "CHIP_REDEMPTION", "12000")],
        {A: (1_100_000, 1_200_000)},
    ),
    "only currency counts": ([txn(A, "CHIP_PURCHASE", "20000", payment_method="Check")], {}),
    "the same notes bet again do not": (
        [txn(A, "MONEY_PLAY", "20000", is_new_currency=False)],
        {},
    ),
    "non-gaming payments do not": ([txn(A, "NON_GAMING_PAYMENT", "20000")], {}),
    "an exchange is both": (
        [txn(A, "CURRENCY_EXCHANGE", "10500")],
        {A: (1_050_000, 1_050_000)},
    ),
    "nobody known, nobody reported": ([txn(-1, "CHIP_PURCHASE", "20000")], {}),
    "the principal's report takes in the agent's": (
        [txn(A, "CHIP_PURCHASE", "6000", on_behalf_of=B), txn(B, "CHIP_PURCHASE", "5000")],
        {B: (1_100_000, None)},
    ),
    "an agent alone: the principal stays": (
        [txn(A, "CHIP_PURCHASE", "12000", on_behalf_of=B)],
        {B: (1_200_000, None)},
    ),
    "an agent with his own over it has his own too": (
        [txn(A, "CHIP_PURCHASE", "12000", on_behalf_of=B), txn(A, "CHIP_PURCHASE", "11000")],
        {A: (2_300_000, None)},
    ),
}


@pytest.mark.parametrize(("rows", "expected"), CTR_CASES.values(), ids=CTR_CASES)
def test_currency_reports(
    rows: list[dict[str, Any]], expected: dict[int, tuple[int | None, int | None]]
) -> None:
    owed = obligations.ctrs(Handmade(CONFIG, cash_rows={0: rows}), 0).owed
    found = zip(owed.in_cents.tolist(), owed.out_cents.tolist(), strict=True)
    sides = ((cents_in or None, cents_out or None) for cents_in, cents_out in found)
    assert dict(zip(owed.player.tolist(), sides, strict=True)) == expected


def test_a_slot_jackpot_is_exempt_and_another_win_is_not() -> None:
    paid = [
        txn(A, "JACKPOT_PAYOUT", "15000", transaction_id="slot"),
        txn(B, "JACKPOT_PAYOUT", "15000", transaction_id="keno"),
    ]
    wins = [
        {"player": A, "gross_cents": 1_500_000, "transaction_id": "slot"},
        {"player": B, "gross_cents": 1_500_000, "transaction_id": "keno", "game_type": "KENO"},
    ]
    owed = obligations.ctrs(Handmade(CONFIG, cash_rows={0: paid}, win_rows={0: wins}), 0).owed
    assert owed.player.tolist() == [B]


def test_without_an_identity_the_report_is_held() -> None:
    who = int(np.flatnonzero(~person.identity_verified(CONFIG, np.arange(2_000)))[0])
    w = Handmade(CONFIG, cash_rows={0: [txn(who, "CHIP_PURCHASE", "12000")]})
    assert obligations.ctrs(w, 0).owed.is_held.tolist() == [True]
    assert all(records(w, d).is_empty() for d in range(30))


# day of the window, win, winnings reported or None; domain facts on W-2G
W2G_CASES = {
    "slot below": (0, {"gross_cents": 119_999}, None),
    "slot at 1,200 in 2025": (0, {"gross_cents": 120_000}, 120_000),
    "slot at 1,999.99 in 2026": (365, {"gross_cents": 199_999}, None),
    "slot at 2,000 in 2026": (365, {"gross_cents": 200_000}, 200_000),
    # the gaming day 2025-12-31 runs to 06:00 of 2026-01-01: 68,400 s after opening is 01:00
    "paid after midnight of the new year": (
        364,
        {"gross_cents": 150_000, "paid_second": 68_400},
        None,
    ),
    "paid before midnight": (364, {"gross_cents": 150_000, "paid_second": 60_000}, 150_000),
    "keno is net of the wager": (
        0,
        {"game_type": "KENO", "gross_cents": 150_400, "wager_cents": 500},
        None,
    ),
    "keno net 1,500": (
        0,
        {"game_type": "KENO", "gross_cents": 150_500, "wager_cents": 500},
        150_000,
    ),
    "poker 5,000 net is not more than 5,000": (
        0,
        {"game_type": "POKER_TOURNAMENT", "gross_cents": 520_000, "wager_cents": 20_000},
        None,
    ),
    "a side bet of 299 to 1": (
        0,
        {"game_type": "TABLE_SIDE_BET", "gross_cents": 300_000, "wager_cents": 1_000},
        None,
    ),
    "a side bet of 300 to 1": (
        0,
        {"game_type": "TABLE_SIDE_BET", "gross_cents": 301_000, "wager_cents": 1_000},
        300_000,
    ),
}


@pytest.mark.parametrize(("day", "win", "reported"), W2G_CASES.values(), ids=W2G_CASES)
def test_tax_forms(day: int, win: dict[str, Any], reported: int | None) -> None:
    owed = obligations.w2gs(
        Handmade(CONFIG, win_rows={day: [{"player": A} | win]}), range(day, day + 1)
    )
    assert owed["winnings_cents"].to_list() == ([] if reported is None else [reported])
    assert owed["withheld_cents"].to_list() == ([] if reported is None else [0])


def test_backup_withholding_without_a_taxpayer_number() -> None:
    who = np.arange(2_000)
    no_tin = int(who[~person.tin_on_file(CONFIG, who) & ~person.non_resident(CONFIG, who)][0])
    owed = obligations.w2gs(
        Handmade(CONFIG, win_rows={0: [{"player": no_tin, "gross_cents": 123_456}]}), range(1)
    )
    assert owed["withheld_cents"].to_list() == [29_629]  # 24% of 1,234.56 is 296.2944


def busy(faults: Faults = NO_FAULTS, days: int = 4, persons: int = 120) -> Handmade:
    """Every day the same patrons buy chips for $11,000 and one cent; ten more for $9,000."""
    config = replace(CONFIG, faults=faults)
    who = verified(config, persons)
    rows = [txn(p, "CHIP_PURCHASE", "11000.01") for p in who[:-10]]
    rows += [txn(p, "CHIP_PURCHASE", "9000") for p in who[-10:]]
    return Handmade(
        config,
        cash_rows=dict.fromkeys(range(days), rows),
        here={d: list(who) for d in range(days)},
    )


def records(w: Handmade, day: int) -> pl.DataFrame:
    return filings.dress(w.config, filings.rows_of(w, day))


def all_records(w: Handmade, days: int = 26) -> pl.DataFrame:
    return pl.concat([records(w, d) for d in range(days)])


def test_without_faults_each_obligation_is_filed_once_right_and_in_time() -> None:
    w = busy(days=2)
    filed = all_records(w)
    assert filed.height == 2 * 110
    assert filed["report_id"].n_unique() == filed.height
    assert (filed["filing_date"] <= filed["due_date"]).all()
    assert (filed["filing_date"] > filed["transaction_date"]).all()
    assert filed["cash_in_amount"].unique().to_list() == [Decimal("11001.00")]  # rounded up
    assert filed["due_date"].unique().sort().to_list() == [
        dt.date(2025, 1, 16),
        dt.date(2025, 1, 17),
    ]
    assert contract("compliance").schema.is_valid(filed, cast=True)
    assert wrong_filings(w, 0).is_empty()


def one(fault: str, rate: float = 1.0) -> Faults:
    return replace(NO_FAULTS, **{f"filing_{fault}": rate})


def _late(f: pl.DataFrame) -> bool:
    return bool((f["filing_date"] > f["due_date"]).all()) and f.height == 110


def _wrong_amount(f: pl.DataFrame) -> bool:
    return f["cash_in_amount"].unique().to_list() == [Decimal("11901.00")]


def _wrong_person(f: pl.DataFrame) -> bool:
    return f.height == 110 and f["player_id"].n_unique() < 110


def _amended(f: pl.DataFrame) -> bool:
    second = f.filter(pl.col("status") == "Amended")
    first = f.filter(pl.col("status") == "Filed")
    both = second.join(first, left_on="amended_from", right_on="report_id", suffix="_first")
    return both.height == 110 and bool(
        (both["filing_date"] > both["filing_date_first"]).all()
        & (both["filing_date"] <= both["due_date"]).all()
        & (both["cash_in_amount"] == Decimal("11001.00")).all()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ("late", _late),
        ("missing", pl.DataFrame.is_empty),
        ("wrong_amount", _wrong_amount),
        ("wrong_person", _wrong_person),
        ("amended", _amended),
    ],
)
def test_each_fault_shows_in_the_records_and_in_the_truth(
    fault: str, holds: Callable[[pl.DataFrame], bool]
) -> None:
    w = busy(one(fault), days=1)
    filed, planted = all_records(w), wrong_filings(w, 0)
    assert holds(filed)
    assert planted["expected_rule"].unique().to_list() == [fault]
    assert planted.height == 110
    assert planted["plant_id"].n_unique() == 110
    if fault != "missing":
        assert set(planted["row_key"]) <= set(filed["report_id"])


def test_needless_reports_are_of_those_below_the_threshold() -> None:
    w = busy(one("needless", 0.05), days=1)
    filed, planted = all_records(w), wrong_filings(w, 0)
    needless = filed.filter(pl.col("report_id").is_in(planted["row_key"].implode()))
    # 5% of 110 obligations is 5.5
    assert needless.height in (5, 6)
    assert needless["cash_in_amount"].unique().to_list() == [Decimal("9000.00")]


def test_rates_are_those_configured() -> None:
    w = busy(Faults(), days=20, persons=210)
    faults = pl.concat([truth_obligations(w, d) for d in range(20)])["fault"]
    share = dict(faults.value_counts(normalize=True).iter_rows())
    # 4,000 obligations: three standard errors of 4% are 0.9 points
    assert share["late"] == pytest.approx(0.04, abs=0.0095)
    assert share["missing"] == pytest.approx(0.03, abs=0.0085)
    assert share["amended"] == pytest.approx(0.03, abs=0.0085)


def test_a_day_of_filings_is_the_same_alone() -> None:
    assert records(busy(Faults()), 9).equals(_after_all_others(9))


def _after_all_others(day: int) -> pl.DataFrame:
    w = busy(Faults())
    for other in range(25, -1, -1):
        records(w, other)
    return records(w, day)


def test_persons_named_are_those_of_the_records() -> None:
    w = busy(Faults(), days=3)
    named = players(filings.persons(w, 8)).to_list()
    assert named == records(w, 8)["player_id"].unique().sort().to_list()
    assert named


@pytest.mark.parametrize("more", [{"permille": 332}, {"is_look_alike": True}])
def test_what_is_faint_or_honest_is_not_reported(more: dict[str, Any]) -> None:
    scenario = Scenario(7, "structuring", (A,), first_day=0, last_day=0, **more)
    rows = {0: [txn(A, "CHIP_PURCHASE", "9500")]}
    w = Handmade(CONFIG, cash_rows=rows, planted={0: [scenario]})
    assert truth_obligations(w, 0).filter(form="SAR").is_empty()


def test_a_scenario_is_reported_when_it_is_over() -> None:
    scenario = Scenario(7, "structuring", (A,), first_day=0, last_day=2, permille=333)
    rows = {d: [txn(A, "CHIP_PURCHASE", "9500")] for d in range(3)}
    w = Handmade(CONFIG, cash_rows=rows, planted={d: [scenario] for d in range(3)})
    owed = pl.concat([truth_obligations(w, d) for d in range(4)])
    sar = owed.row(by_predicate=pl.col("form") == "SAR", named=True)
    assert sar["amount_cents"] == 2_850_000
    assert sar["subject"] == dt.date(2025, 1, 3)
    assert sar["due"] == dt.date(2025, 2, 2)  # 30 days
    filed = all_records(w).row(by_predicate=pl.col("report_type") == "SAR", named=True)
    assert filed["suspicious_activity_date"] == dt.date(2025, 1, 1)
    assert "$28,500.00" in filed["sar_narrative"]
