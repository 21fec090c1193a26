"""Hold by denomination, patrons who are excluded, and profiles beside the facts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lakehouse.quality.findings import judged
from lakehouse.quality.planted import kinds_behind
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Check, Judgement
from lakehouse.quality.truths import TRUTHS
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake, stored_schema

DAYS = [dt.date(2025, 1, n) for n in (6, 7, 8, 9)]
SPAN = (DAYS[0], DAYS[-1])
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def put(lake: Lake, layer: str, table: str, *rows: dict[str, Any]) -> None:
    schema = stored_schema(layer, table)
    given = [
        {n: Decimal(str(v)) if isinstance(schema[n], pl.Decimal) else v for n, v in row.items()}
        for row in rows
    ]
    frame = pl.DataFrame([{n: row.get(n) for n in schema} for row in given], schema=schema)
    lake.write_days(layer, table, frame, SPAN, commit=Commit("test", "test", "1"))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    checks(Settings(), NOW)
    return Lake(str(tmp_path / "lake"))


def found(lake: Lake, truth: str) -> list[tuple[Any, ...]]:
    rows = judged(TRUTHS[truth], partial(lake.scan, days=SPAN))
    return rows.select("gaming_day", "subject", "expected", "found").rows()


def machine(name: str, win: float, **more: Any) -> dict[str, Any]:
    """A quarter machine with $10,000 in, theo $800 and a standard deviation of $100: its own
    99% interval is 0.08 +- 2.5758 x 0.01."""
    return {
        "machine_id": name,
        "gaming_day": DAYS[0],
        "denomination": 0.25,
        "games_played": 10_000,
        "coin_in": 10_000,
        "theo": 800,
        "win": win,
        "jackpot_amount": 0,
        "theoretical_hold": 0.08,
        "hold_low": 0.08 - 0.025758293035489,
        **more,
    }


@pytest.mark.parametrize(
    ("wins", "is_inside"),
    [
        # Two machines: 1600 +- 3.2905 x 100 x sqrt(2) = 1600 +- 465.4 for 99.9%.
        ((1032.0, 1032.0), True),
        ((1033.0, 1033.0), False),
        ((568.0, 568.0), True),
        ((567.0, 567.0), False),
    ],
)
def test_hold_is_held_to_its_interval(
    lake: Lake, wins: tuple[float, float], is_inside: bool
) -> None:
    put(lake, "gold", "slot_performance", machine("A", wins[0]), machine("B", wins[1]))
    told = [] if is_inside else [(DAYS[0], "denomination 0.25", 1600, Decimal(str(sum(wins))))]
    assert found(lake, "hold_is_inside_its_interval") == told


def test_of_a_casino_without_machines_hold_says_nothing(lake: Lake) -> None:
    assert found(lake, "hold_is_inside_its_interval") == []


def test_denominations_of_a_day_share_its_confidence(lake: Lake) -> None:
    """Ten denominations: 3.8904 deviations each for 99.9% of all ten together."""
    others = [machine(f"M{k}", 800, denomination=k) for k in range(1, 10)]
    for win, many in ((1189.0, 0), (1190.0, 1)):
        put(lake, "gold", "slot_performance", machine("A", win), *others)
        assert len(found(lake, "hold_is_inside_its_interval")) == many


def test_a_hand_pay_does_not_count_against_the_machine(lake: Lake) -> None:
    put(lake, "gold", "slot_performance", machine("A", -4_000, jackpot_amount=4_800))
    assert found(lake, "hold_is_inside_its_interval") == []
    put(lake, "gold", "slot_performance", machine("A", -4_000, jackpot_amount=4_400))
    assert len(found(lake, "hold_is_inside_its_interval")) == 1


def test_the_excluded_do_not_play(lake: Lake) -> None:
    value = {"player_id": "P1", "gaming_day": DAYS[1], "is_excluded": True}
    put(lake, "gold", "player_value", value, value | {"player_id": "P2", "is_excluded": False})
    trips = [{"player_id": p, "gaming_day": DAYS[1], "visits": 1} for p in ("P1", "P2")]
    put(lake, "gold", "player_day", *trips, trips[0] | {"gaming_day": DAYS[0]})
    assert found(lake, "excluded_do_not_play") == [(DAYS[1], "P1", 0, 1)]
    put(lake, "gold", "player_day", trips[0] | {"visits": 0}, trips[1])
    assert found(lake, "excluded_do_not_play") == []


@pytest.mark.parametrize(
    ("profile", "is_wrong"),
    [
        ({"self_excluded": True, "marketing_opt_in": True, "marketing_channel": "None"}, True),
        ({"self_excluded": True, "marketing_opt_in": False, "marketing_channel": "SMS"}, True),
        ({"self_excluded": True, "marketing_opt_in": False, "marketing_channel": "None"}, False),
        ({"self_excluded": False, "marketing_opt_in": True, "marketing_channel": "SMS"}, False),
    ],
)
def test_the_excluded_are_not_marketed_to(
    lake: Lake, profile: dict[str, Any], is_wrong: bool
) -> None:
    put(lake, "silver", "player_profile", {"player_id": "P1", "gaming_day": DAYS[2]} | profile)
    told = [(DAYS[2], "P1", 0, 1)] if is_wrong else []
    assert found(lake, "excluded_are_not_marketed_to") == told


def totals(day: dt.date, visits: int, theo: float, actual: float) -> dict[str, Any]:
    return {
        "player_id": "P1",
        "gaming_day": day,
        "total_visits": visits,
        "total_theo": theo,
        "total_actual_win_loss": actual,
    }


def fact(day: dt.date, theo: float, actual: float) -> dict[str, Any]:
    return {"player_id": "P1", "gaming_day": day, "visits": 1, "theo": theo, "actual": actual}


def profiled(lake: Lake, *, last: dict[str, Any]) -> Judgement:
    """P1 came with 10 visits, and came on two more days before the last extract: 12 visits,
    theo 100 + 20 + 5.50, win -40 + 30 - 8."""
    put(lake, "silver", "player_profile", totals(DAYS[0], 10, 100, -40), last)
    facts = (fact(DAYS[0], 7, 7), fact(DAYS[1], 20, 30), fact(DAYS[3], 5.5, -8))
    put(lake, "gold", "player_day", *facts)
    said = {d: j for d, j in totals_check().judge(lake, SPAN).items() if j.checked_rows}
    assert set(said) == {DAYS[3]}
    return said[DAYS[3]]


def totals_check() -> Check:
    return checks(Settings(), NOW)[("gold", "player_day", "profile_totals_are_the_facts")]


@pytest.mark.parametrize(
    ("visits", "theo", "actual", "passes"),
    [
        (12, 125.50, -18, True),
        (12, 125.53, -18, True),
        (12, 125.54, -18, False),
        (13, 125.50, -18, False),
        (12, 125.50, -17.99, False),
    ],
)
def test_profiles_grow_by_the_facts(
    lake: Lake, visits: int, theo: float, actual: float, passes: bool
) -> None:
    said = profiled(lake, last=totals(DAYS[3], visits, theo, actual))
    assert (said.passed, said.checked_rows) == (passes, 1)
    assert said.keys == (() if passes else ("P1",))


def rejected(**more: Any) -> dict[str, Any]:
    return {
        "event_id": "e1",
        "gaming_day": DAYS[3],
        "event_type": "GAME_PLAY",
        "coin_in": 9,
        "coin_out": 4,
        "session_id": "s1",
        "theoretical_hold": 0.1,
        "_stage": "silver",
        "_rules": ["zone|domain"],
        **more,
    }


@pytest.mark.parametrize(
    ("row", "passes"),
    [
        (rejected(player_id="P1"), True),
        (rejected(player_id="P2"), False),
        (rejected(player_id="P1", gaming_day=DAYS[0]), False),
        (rejected(player_id="P99", _rules=["player_id|orphan"]), True),
        (rejected(player_id="P99", _rules=["player_id|orphan"], coin_out=3), False),
    ],
)
def test_rows_kept_out_explain_a_difference(lake: Lake, row: dict[str, Any], passes: bool) -> None:
    """The profile knows of $5 won from P1 by a row that silver does not have."""
    put(lake, "quarantine", "slot_telemetry", row)
    assert profiled(lake, last=totals(DAYS[3], 12, 125.50, -13)).passed == passes


def plant(**more: Any) -> dict[str, Any]:
    return {
        "plant_id": "p",
        "kind": "self_excluded_play",
        "entity_type": "player",
        "entity_id": "P1",
        "window_start": DAYS[1],
        "window_end": DAYS[1],
        "table_name": "slot_telemetry",
        "gaming_day": DAYS[1],
        "is_look_alike": False,
        **more,
    }


@pytest.mark.parametrize(
    ("planted", "kinds"),
    [
        (plant(), ["self_excluded_play"]),
        (plant(entity_id="P2"), []),
        (plant(is_look_alike=True), []),
        (plant(window_start=DAYS[2], window_end=DAYS[2]), []),
        (
            plant(kind="orphan", entity_type="row", entity_id="e9", row_key="e9"),
            ["defect on slot_telemetry"],
        ),
        (plant(kind="orphan", entity_type="row", entity_id="e8", row_key="e8"), []),
    ],
)
def test_a_warning_is_true_where_its_own_subject_was_planted(
    lake: Lake, planted: dict[str, Any], kinds: list[str]
) -> None:
    put(lake, "truth", "plants", planted)
    play = {"event_id": "e1", "gaming_day": DAYS[1], "player_id": "P1", "session_id": "s1"}
    own = play | {"event_id": "e9", "player_id": "P99"}
    put(lake, "bronze", "slot_telemetry", play, own, own | {"event_id": "e8", "session_id": "s2"})
    said = Judgement(False, keys=("P1",))
    assert kinds_behind(lake, totals_check(), DAYS[1], said) == kinds


@pytest.mark.parametrize(
    ("planted", "kinds"),
    [
        (plant(kind="chip_walking", is_look_alike=True), ["chip_walking"]),
        (plant(kind="pooling", is_look_alike=True), ["pooling"]),
        (plant(kind="chip_walking", is_look_alike=True, entity_id="P2"), []),
        (plant(kind="structuring", is_look_alike=True), []),
    ],
)
def test_chips_that_an_honest_patron_kept_are_the_cause_of_a_warning(
    lake: Lake, planted: dict[str, Any], kinds: list[str]
) -> None:
    """P1 carried $8,000 off a table and redeemed nothing on the day."""
    put(lake, "truth", "plants", planted)
    kept = {"event_id": "g1", "event_type": "CASH_OUT", "player_id": "P1", "amount": 8000}
    put(lake, "silver", "table_games", kept | {"gaming_day": DAYS[1]})
    put(lake, "silver", "financial_txn")
    check = checks(Settings(), NOW)[("silver", "financial_txn", "cash_outs_have_their_cage_row")]
    said = check.judge(lake, (DAYS[1], DAYS[1]))[DAYS[1]]
    assert not said.passed
    assert kinds_behind(lake, check, DAYS[1], said) == kinds


@pytest.mark.parametrize(("session", "kinds"), [("s1", ["defect on slot_telemetry"]), ("s2", [])])
def test_a_play_that_lost_its_machine_is_the_cause_of_its_meters_warning(
    lake: Lake, session: str, kinds: list[str]
) -> None:
    """M1's meter went 30 ahead, and 20 of coin-in were reported: 10 came without a machine."""
    at = dt.datetime.combine(DAYS[1], dt.time(20), dt.UTC)
    row = {"gaming_day": DAYS[1], "machine_id": "M1", "session_id": "s1"}
    read = row | {"event_type": "METER_UPDATE"}
    rows = [
        read | {"event_id": "e1", "event_timestamp": at, "meter_coin_in": "100.00"},
        row | {"event_id": "e2", "event_type": "GAME_PLAY", "coin_in": "20.00",
               "event_timestamp": at + dt.timedelta(minutes=1)},
        read | {"event_id": "e3", "event_timestamp": at + dt.timedelta(minutes=9),
                "meter_coin_in": "130.00"},
    ]  # fmt: skip
    lost = row | {"event_id": "e4", "machine_id": None, "session_id": session}
    put(lake, "silver", "slot_telemetry", *rows)
    put(lake, "bronze", "slot_telemetry", *rows, lost)
    defect = plant(kind="null_required", entity_type="row", entity_id="e4", row_key="e4",
                   table_name="slot_telemetry", gaming_day=DAYS[1])  # fmt: skip
    put(lake, "truth", "plants", defect)
    check = checks(Settings(), NOW)[("silver", "slot_telemetry", "meters_equal_the_play")]
    said = check.judge(lake, (DAYS[1], DAYS[1]))[DAYS[1]]
    assert not said.passed
    assert kinds_behind(lake, check, DAYS[1], said) == kinds


@pytest.mark.parametrize(
    ("redeemed", "passes"), [("500.00", True), ("499.99", False), ("3000.00", True)]
)
def test_patrons_may_keep_chips_for_2500_dollars_of_a_day(
    lake: Lake, redeemed: str, passes: bool
) -> None:
    """P1 carried $3,000 off a table."""
    carried = {"event_id": "g1", "event_type": "CASH_OUT", "player_id": "P1", "amount": 3000}
    put(lake, "silver", "table_games", carried | {"gaming_day": DAYS[1]})
    paid = {"transaction_id": "t1", "transaction_type": "CHIP_REDEMPTION", "player_id": "P1"}
    put(lake, "silver", "financial_txn", paid | {"amount": redeemed, "gaming_day": DAYS[1]})
    check = checks(Settings(), NOW)[("silver", "financial_txn", "cash_outs_have_their_cage_row")]
    assert check.judge(lake, (DAYS[1], DAYS[1]))[DAYS[1]].passed is passes


@pytest.mark.parametrize(("plants", "is_true"), [(30, True), (20, False)])
def test_a_warning_of_sizes_needs_half_its_rows_planted(
    lake: Lake, plants: int, is_true: bool
) -> None:
    rows = [
        plant(kind="retransmit", entity_type="row", entity_id=f"e{k}", row_key=f"e{k}")
        for k in range(plants)
    ]
    put(lake, "truth", "plants", *rows)
    check = checks(Settings(), NOW)[("bronze", "slot_telemetry", "volume")]
    said = Judgement(False, measure=150, checked_rows=150, more={"usual": 100.0})
    assert bool(kinds_behind(lake, check, DAYS[1], said)) == is_true


@pytest.mark.parametrize(
    ("of", "look_alike", "kinds"),
    [("M1", False, ["hold_drift"]), ("M2", False, []), ("M1", True, []), ("M9", False, [])],
)
def test_a_warning_of_hold_needs_half_the_gap_from_machines_that_drift(
    lake: Lake, of: str, look_alike: bool, kinds: list[str]
) -> None:
    """M1 wins $600 less than its theo and M2 $10: of the gap of $610, M1's is most."""
    put(lake, "gold", "slot_performance", machine("M1", 200), machine("M2", 790))
    drift = plant(
        kind="hold_drift", entity_type="machine", entity_id=of, is_look_alike=look_alike,
        window_start=DAYS[0], window_end=DAYS[0],
    )  # fmt: skip
    put(lake, "truth", "plants", drift)
    check = checks(Settings(), NOW)[("gold", "slot_performance", "hold_is_inside_its_interval")]
    said = check.judge(lake, (DAYS[0], DAYS[0]))[DAYS[0]]
    assert not said.passed
    assert kinds_behind(lake, check, DAYS[0], said) == kinds
