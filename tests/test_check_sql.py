"""The SQL that a result gives finds the rows that the check counted."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import small_lake

from lakehouse.contracts import contract, contracts
from lakehouse.gold.marts import marts
from lakehouse.quality import contract_checks, truth_checks
from lakehouse.quality.conformance import stored_rules
from lakehouse.quality.results import Judgement
from lakehouse.quality.rule_sql import failing, in_sql
from lakehouse.quality.truth_sql import breaches
from lakehouse.quality.truths import TRUTHS
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.storage import Lake, stored_schema

FIRST, SECOND, LAST = small_lake.DAYS
D = Decimal
EDGES: dict[type[pl.DataType], list[Any]] = {
    pl.String: [None, "", "A", "GAME_PLAY", "BUY_IN", "Filed", "SAR", "é", "inventory", "USD"],
    pl.Boolean: [None, True, False],
    pl.Date: [None, FIRST, SECOND],
    pl.Int64: [None, -1, 0, 1, 2, 7],
    pl.Float64: [None, -1.0, 0.0, 1.0, float("nan"), float("inf")],
    pl.Decimal: [None, D("-1.00"), D("0.00"), D("0.01"), D("1.00"), D("2.00"), D("100.00")],
    pl.Datetime: [
        None,
        dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2025, 1, 2, tzinfo=dt.UTC),
    ],
}
TABLES = [("silver", t) for t in contracts("source")] + [(m.layer, n) for n, m in marts().items()]


def edge_rows(layer: str, table: str) -> pl.DataFrame:
    """Rows that walk through the edges of every column's type and domain, out of step."""
    c = contract(table)
    columns = {}
    for n, (name, dtype) in enumerate(stored_schema(layer, table).items()):
        column = c.columns.get(name)
        values = list(getattr(column, "categories", ())) + EDGES.get(type(dtype), [None])
        turning = itertools.cycle(values)
        for _ in range(n):
            next(turning)
        columns[name] = pl.Series([next(turning) for _ in range(360)], dtype=dtype)
    return pl.DataFrame(columns).with_columns(gaming_day=pl.lit(FIRST))


@pytest.mark.parametrize(("layer", "table"), TABLES, ids=".".join)
def test_every_rule_is_the_same_in_sql(layer: str, table: str) -> None:
    rows = edge_rows(layer, table)
    rules = stored_rules(layer, table)
    assert [name for name, rule in rules.items() if in_sql(rule) is None] == []
    expected = rows.select(**{n: (~rule.fill_null(value=True)).sum() for n, rule in rules.items()})
    broken = {}
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE stored AS FROM rows")
        for name, rule in rules.items():
            query = failing(layer, table, FIRST, {name: rule})
            assert query is not None
            query = query.replace(f"{layer}.{table}", "stored")
            found = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()
            assert found is not None
            broken[name] = (expected[name].item(), found[0])
    assert {n: b for n, b in broken.items() if b[0] != b[1]} == {}
    assert sum(b[0] > 0 for b in broken.values()) > len(rules) / 2, "most rules are broken"


def test_the_catalog_admits_every_query(tmp_path: Path) -> None:
    """Of a lake with no rows: each runs and finds none."""
    with Catalog(Lake(str(tmp_path / "lake"))) as catalog:
        for layer, table in TABLES:
            if not contract(table).is_restricted:
                query = failing(layer, table, FIRST, stored_rules(layer, table))
                assert query is not None
                assert catalog.frame(query).is_empty()


def asked(lake: Lake, judgement: Judgement) -> pl.DataFrame:
    assert judgement.sql is not None
    with Catalog(lake) as catalog:
        return catalog.frame(judgement.sql)


def test_a_broken_contract_names_keys_and_rows(tmp_path: Path) -> None:
    """Of three rows one has theo that is no sum, one no key that is its own."""
    lake = Lake(str(tmp_path / "lake"))
    stored = stored_schema("gold", "player_day").items()
    blank = {pl.Decimal: "0.00", pl.Int64: 0, pl.Boolean: False}
    given = {n: [blank[type(t)]] * 3 for n, t in stored if type(t) in blank}
    given |= {"player_id": ["P1", "P2", "P2"], "gaming_day": [FIRST] * 3}
    small_lake.put(lake, "gold", "player_day", given | {"theo": ["5.00", "0.00", "0.00"]})
    found = contract_checks.judge("gold", "player_day", lake, (FIRST, SECOND))
    said = found[FIRST]
    assert (said.passed, said.failing_rows, said.checked_rows) == (False, 3, 3)
    assert said.keys == ("P1", "P2", "P2")
    assert "another row of the day has the same player_id, gaming_day (2)" in said.said
    assert "theo" in said.said
    assert sorted(asked(lake, said)["player_id"]) == ["P1", "P2", "P2"]
    assert found[SECOND].passed


def slots(*readings: tuple[str, int, str | None, str | None]) -> dict[str, list[Any]]:
    """(machine, minute, played, meter)."""
    return {
        "event_id": [f"E{n}" for n in range(len(readings))],
        "machine_id": [r[0] for r in readings],
        "event_type": ["GAME_PLAY" if r[2] else "METER_UPDATE" for r in readings],
        "event_timestamp": [dt.datetime(2025, 1, 1, 20, r[1], tzinfo=dt.UTC) for r in readings],
        "coin_in": [r[2] for r in readings],
        "meter_coin_in": [r[3] for r in readings],
        "gaming_day": [FIRST] * len(readings),
    }


METERS = slots(
    ("M1", 1, None, "100.00"),
    ("M1", 2, "10.00", None),
    ("M1", 3, None, "110.00"),
    ("M1", 4, "5.00", None),
    ("M1", 5, None, "130.00"),  # 20 of 5
    ("M1", 6, None, "90.00"),  # falls
    ("M2", 1, "1.00", None),
    ("M2", 2, None, "50.00"),
    ("M2", 3, None, "60.00"),  # 10 of nothing
)
PLAYED = {
    "machine_id": ["M1", "M2", "M3"],
    "gaming_day": [FIRST] * 3,
    "coin_in": ["10.00", "10.00", "10.00"],
    "carded_coin_in": ["4.00", "0.00", "0.00"],
    "win": ["3.00", "0.00", "0.00"],
    "meter_variance": ["40.00", "-9.00", None],
    "denomination": ["0.25"] * 3,
    "games_played": [1000] * 3,
    "theo": ["1.00", "0.00", "0.00"],  # 2.00 less than the win, of next to no spread
    "jackpot_amount": ["0.00"] * 3,
    "theoretical_hold": [0.1] * 3,
    "hold_low": [0.0999] * 3,
}
PEOPLE = {
    "player_id": ["P1", "P2", "P3"],
    "gaming_day": [FIRST] * 3,
    "coin_in": ["4.01", "0.00", "0.00"],
    "actual": ["2.00", "0.00", "-1.00"],
    "table_theo": ["9.00", "0.00", "0.00"],
    "visits": [1, 1, 0],
}
VALUES = {
    "player_id": ["P1", "P2"],
    "gaming_day": [FIRST] * 2,
    "last_visit": [FIRST, dt.date(2024, 12, 1)],
    "is_excluded": [True, False],
    "is_protected": [False, False],
    "account_status": ["Active", "Closed"],
    "may_be_marketed_to": [True, True],
    "reinvestment_budget": ["1.00", "2.00"],
}
PROFILES = {
    "player_id": ["P1", "P2"],
    "gaming_day": [FIRST] * 2,
    "self_excluded": [True, True],
    "marketing_opt_in": [False, False],
    "marketing_channel": ["SMS", "None"],
}
MOMENT = dt.datetime(2025, 1, 1, 20, tzinfo=dt.UTC)
# U1 loses 6 of 10 on slots (a), is paid a round that nobody staked (b), and plays on an account
# of two people (s3). U2's rounds at poker: two results (c), twice staked and settled (d); 31
# minutes of silence in s4, and not quite 30 in s5.
_CLICKS = [
    ("U1", "slots", "bet_placed", "10.00", "0.00", "a", "s1", 0),
    ("U1", "slots", "bet_result", "0.00", "4.00", "a", "s1", 10),
    ("U1", "slots", "bet_result", "0.00", "0.00", "b", "s3", 20),
    ("U2", "poker", "game_start", "0.00", "0.00", None, "s3", 30),
    ("U2", "poker", "bet_placed", "5.00", "0.00", "c", "s4", 40),
    ("U2", "poker", "bet_result", "0.00", "1.00", "c", "s4", 1_900),
    ("U2", "poker", "bet_result", "0.00", "1.00", "c", "s5", 1_900),
    ("U2", "poker", "bet_placed", "1.00", "0.00", "d", "s5", 3_699),
    ("U2", "poker", "bet_placed", "1.00", "0.00", "d", "s5", 3_699),
    ("U2", "poker", "bet_result", "0.00", "0.00", "d", "s5", 3_700),
    ("U2", "poker", "bet_result", "0.00", "0.00", "d", "s5", 3_700),
    ("U2", "poker", "bet_placed", "2.00", "0.00", "e", None, 3_701),
]
_COLUMNS = ("user_id", "game_name", "event_type", "bet_amount", "win_amount", "round_id",
            "session_id")  # fmt: skip
CLICKS = {name: [row[n] for row in _CLICKS] for n, name in enumerate(_COLUMNS)} | {
    "event_id": [str(n) for n in range(len(_CLICKS))],
    "timestamp": [MOMENT + dt.timedelta(seconds=row[-1]) for row in _CLICKS],
    "gaming_day": [FIRST] * len(_CLICKS),
}
# O1 is paid; O2 is paid a dollar less than was bought; O3 is pending; O4 was refused.
_PAYMENTS = [
    ("t1", "O1", "20.00", "completed"),
    ("t2", "O2", "9.00", "completed"),
    ("t3", "O3", "5.00", "pending"),
    ("t4", "O4", "7.00", "failed"),
    ("t5", "O9", "3.00", "refunded"),
]
ORDERS = {
    name: [row[n] for row in _PAYMENTS]
    for n, name in enumerate(("transaction_id", "order_id", "amount", "status"))
} | {"gaming_day": [FIRST] * len(_PAYMENTS)}
BOUGHT = {
    "event_id": ["e1", "e2", "e3", "e4", "e5"],
    "order_id": ["O1", "O2", "O3", "O4", None],
    "action": ["purchase"] * 5,
    "amount": ["20.00", "10.00", "5.00", "7.00", "8.00"],
    "gaming_day": [FIRST] * 5,
}
LAKE = {
    ("silver", "shop_actions"): BOUGHT,
    ("silver", "shop_orders"): ORDERS,
    ("gold", "product_performance"): {
        "product_category": ["Books", "Toys"],
        "product_name": ["Atlas", "Kite"],
        "total_revenue": ["20.00", "9.00"],
        "gaming_day": [FIRST] * 2,
    },
    ("gold", "daily_sales_summary"): {
        "sale_date": [FIRST],
        "total_revenue": ["34.00"],
        "gaming_day": [FIRST],
    },
    ("gold", "kpi"): {"gaming_day": [FIRST], "gross_revenue": ["29.00"]},
    ("gold", "refunds"): {
        "transaction_id": ["t5", "t6"],
        "amount": ["3.00", "1.00"],
        "paid_amount": ["3.00", None],
        "refunded_before": ["0.00", "0.00"],
        "is_covered": [True, False],
        "gaming_day": [FIRST] * 2,
    },
    ("silver", "clickstream"): CLICKS,
    ("gold", "player_metrics"): {
        "user_id": ["U1", "U2", "U3"],
        "gaming_day": [FIRST] * 3,
        "ggr": ["6.00", "6.99", "1.00"],
    },
    ("gold", "game_day"): {
        "game_name": ["slots", "poker"],
        "gaming_day": [FIRST] * 2,
        "ggr": ["6.00", "7.01"],
    },
    ("silver", "player_profile"): PROFILES,
    ("silver", "player_events"): {
        "event_id": ["E1", "E2", "E3", "E4"],
        "player_id": ["A1", "A1", "A2", "A2"],
        "session_id": ["S1", "S1", "S2", "S2"],
        "event_type": ["level_start", "disconnect", "move", "disconnect"],
        "level_id": ["L1", "L1", "L2", "L2"],
        "map_id": ["M1"] * 4,
        "server_id": ["V1", "V1", "V2", "V2"],
        "timestamp": [dt.datetime(2025, 1, 1, 20, m, tzinfo=dt.UTC) for m in (0, 5, 0, 5)],
        "gaming_day": [FIRST] * 4,
    },
    ("silver", "server_metrics"): {  # V2 knows of no disconnection, V3 of one that nobody had
        "metric_id": ["m1", "m2", "m3"],
        "server_id": ["V1", "V2", "V3"],
        "disconnections": [1, None, 1],
        "gaming_day": [FIRST] * 3,
    },
    ("silver", "purchases"): {  # X2 half an hour and a second late, X3 in nobody's session
        "transaction_id": ["X1", "X2", "X3"],
        "player_id": ["A1", "A1", "A2"],
        "session_id": ["S1", "S1", "S1"],
        "item_id": ["sword", "sword", "shield"],
        "price": ["1.99", "2.00", "5.00"],
        "purchase_timestamp": [
            dt.datetime(2025, 1, 1, 20, 35, s, tzinfo=dt.UTC) for s in (0, 1, 0)
        ],
        "gaming_day": [FIRST] * 3,
    },
    ("gold", "item_sales"): {
        "item_id": ["sword", "shield"],
        "revenue": ["3.99", "4.99"],
        "gaming_day": [FIRST] * 2,
    },
    ("gold", "player_levels"): {  # an event of L2 is missing
        "player_id": ["A1", "A2"],
        "level_id": ["L1", "L2"],
        "map_id": ["M1", "M1"],
        "events": [2, 1],
        "gaming_day": [FIRST] * 2,
    },
    ("gold", "level_engagement"): {  # two at L1, where one was
        "level_id": ["L1", "L2"],
        "map_id": ["M1", "M1"],
        "active_players": [2, 1],
        "gaming_day": [FIRST] * 2,
    },
    ("gold", "server_health"): {  # V3 has no day
        "server_id": ["V1", "V1", "V2", "V2", "V3"],
        "period": ["five_minutes", "day", "five_minutes", "day", "five_minutes"],
        "measurements": [1] * 5,
        "disconnections": [1, 1, 0, 0, 1],
        "gaming_day": [FIRST] * 5,
    },
    ("silver", "slot_telemetry"): METERS,
    ("gold", "slot_performance"): PLAYED,
    ("gold", "table_performance"): {
        "table_id": ["T1"],
        "gaming_day": [FIRST],
        "win": ["2.00"],
        "theo": ["8.99"],
    },
    ("gold", "property_day"): {
        "gaming_day": [FIRST],
        "win": ["5.01"],
        "drop_difference": ["0.00"],
        "coin_in_difference": ["0.01"],
        "cash_difference": ["-1.00"],
    },
    ("gold", "player_day"): PEOPLE,
    ("gold", "player_value"): VALUES,
    ("gold", "player_protection"): {
        "player_id": ["P1", "P2"],
        "gaming_day": [FIRST] * 2,
        "is_marketing_suppressed": [True, False],
    },
    ("gold", "player_behaviour"): {
        "player_id": ["P1", "P3"],
        "gaming_day": [FIRST] * 2,
        "coin_in": ["4.01", "0.00"],
        "loss": ["2.00", "-1.01"],
    },
}
BREACHES = {
    "meters_never_fall": 1,
    "meters_equal_the_play": 3,
    "play_is_what_meters_advanced": 1,
    "property_day_reconciles": 2,
    "win_of_the_day_adds_up": 1,
    "carded_play_is_in_both_marts": 1,
    "rated_theo_is_in_both_marts": 1,
    "value_ends_in_the_day": 1,
    "protected_receive_nothing": 2,
    "hold_is_inside_its_interval": 1,
    "excluded_do_not_play": 1,
    "excluded_are_not_marketed_to": 1,
    "raised_are_protected": 1,
    "behaviour_is_of_the_day": 1,
    "purchases_are_paid": 2,
    "refunds_are_of_a_payment": 1,
    "shop_revenue_is_in_every_mart": 2,
    "online_play_is_its_accounts": 2,
    "online_play_is_its_games": 1,
    "rounds_are_settled_once": 3,
    "told_sessions_hold_together": 2,
    "disconnections_are_in_the_metrics": 2,
    "purchases_lie_in_their_session": 2,
    "sales_are_the_purchases": 1,
    "events_are_of_a_level": 1,
    "active_players_are_of_the_day": 1,
    "health_is_of_every_minute": 1,
}
"""Counted by hand in the rows above."""


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("wrong") / "lake"))
    for (layer, table), rows in LAKE.items():
        small_lake.put(lake, layer, table, rows)
    return lake


def test_the_table_of_breaches_is_whole() -> None:
    """Truths of patrons have no SQL: whose books differ is told to those with the grant."""
    open_ones = {name for name, truth in TRUTHS.items() if not truth.of_patrons}
    assert open_ones == BREACHES.keys()
    assert [n for n, t in TRUTHS.items() if (breaches(t, FIRST) is None) != t.of_patrons] == []


@pytest.mark.parametrize("name", BREACHES)
def test_the_breaches_of_a_truth_are_found_in_sql(wrong: Lake, name: str) -> None:
    said = truth_checks.judge(TRUTHS[name], wrong, (FIRST, FIRST))[FIRST]
    many = f"{BREACHES[name]} differences" if BREACHES[name] > 1 else "1 difference"
    assert said.said.startswith(f"{many}, first ")
    assert said.failing_rows == BREACHES[name]
    assert asked(wrong, said).height == BREACHES[name]
    assert said.keys
    assert not said.passed
