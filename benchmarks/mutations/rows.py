"""Rows made from contracts: one that keeps every rule, and for each rule rows that break it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import dataframely as dy
import polars as pl

from lakehouse.contracts import contract
from lakehouse.quality.conformance import stored_rules
from lakehouse.storage import stored_schema

Row = dict[str, Any]

GIVEN: dict[str, Row] = {
    "slot_telemetry": {"denomination": Decimal("0.25"), "coin_in": Decimal(1)},
    "table_games": {"event_type": "SHIFT_START"},
    "financial_txn": {"currency": "USD"},
    "sar_filings": {"report_type": "SAR"},
    "table_performance": {"win_basis": "ratings"},
    "detection_quality": {"strength": "all"},
    "online_accounts": {"country": "EE"},
    "clickstream": {"country": "EE"},
    "refunds": {"is_covered": True},
    "shop_orders": {"country": "EE", "currency": "USD"},
    "purchases": {"currency": "USD"},
    "fraud_alerts": {"rules": [{"rule": "made", "score": 1.0}]},
}
"""What a sound row needs beyond types, bounds and domains."""

RELATIONS: dict[str, Row] = {
    "filed_has_its_date": {"status": "Filed", "filing_date": None},
    "amendment_names_its_record": {"status": "Amended", "amended_from": None},
    "is_no_sar": {"report_type": "SAR"},
    "is_a_sar": {"report_type": "CTR"},
    "bets_are_ordered": {"min_bet": Decimal(25), "max_bet": Decimal(10)},
    "chip_movement_has_its_amount": {"event_type": "FILL", "amount": None},
    "rating_names_its_number": {"event_type": "RATING_END", "player_rating_id": None},
    "marker_is_named": {"transaction_type": "MARKER_ISSUE", "marker_number": None},
    "foreign_currency_names_its_country": {"currency": "CAD", "currency_country": None},
    "denomination_is_known": {"denomination": Decimal("0.03")},
    "play_has_its_wager": {"event_type": "GAME_PLAY", "coin_in": None},
    "money_event_has_its_amount": {"event_type": "TICKET_OUT", "amount": None},
    "excluded_are_not_marketed_to": {"self_excluded": True, "marketing_opt_in": True},
    "visit_is_not_after_the_extract": {"last_visit_date": dt.date(2099, 1, 1)},
    "denied_door_says_why": {"event_type": "ACCESS_DENIED", "access_denied_reason": None},
    "paid_after_won": {"paid_at": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)},
    "score_is_a_share": {"score": 1.5},
    "fraud_score_is_a_share": {"fraud_score": 1.5},
    "an_alert_names_its_rules": {"rules": []},
    "levels_add_up": {"total_alerts": 7},
    "window_ends_on_its_day": {"window_end": dt.date(2099, 1, 1)},
    "theo_is_the_sum_of_its_parts": {"theo": Decimal(7)},
    "actual_is_the_sum_of_its_parts": {"actual": Decimal(7)},
    "play_is_a_trip": {"is_play_day": True, "visits": 0},
    "protected_receive_nothing": {"is_protected": True, "reinvestment_budget": Decimal(1)},
    "excluded_are_protected": {"is_excluded": True, "is_protected": False},
    "windows_nest": {"theo_30": Decimal(1)},
    "win_is_what_was_not_paid": {"win": Decimal(7)},
    "drop_is_the_sum_of_its_parts": {"drop": Decimal(7)},
    "inventory_win_has_its_counts": {"win_basis": "inventory"},
    "counts_are_of_what_they_count": {"slot_sessions": 7},
    "without_a_baseline_there_is_no_deviation": {"baseline": "none", "minutes_deviation": 1.0},
    "training_is_past": {"trained_until": dt.date(2099, 1, 1)},
    "a_level_has_its_reasons": {"level": "watch", "reasons": []},
    "parts_are_within_the_whole": {"overrides": 7},
    "what_is_found_is_part_of_all": {"alerts_true": 7},
    "episode_begins_first": {"first_day": dt.date(2099, 1, 1)},
    "strength_is_known": {"strength": "bold"},
    "raised_is_not_marketed_to": {"level": "none", "is_marketing_suppressed": True},
    "excluded_accounts_are_closed_and_not_marketed_to": {"account_status": "excluded"},
    "account_was_opened_by_then": {"registered_on": dt.date(2099, 1, 1)},
    "only_a_bet_has_a_stake": {"event_type": "game_start", "bet_amount": Decimal(1)},
    "only_a_result_has_a_win": {"event_type": "game_start", "win_amount": Decimal(1)},
    "ggr_is_stakes_less_wins": {"ggr": Decimal(7)},
    "bonus_is_a_part_of_stakes": {"bonus": Decimal(7), "ngr": Decimal(-7)},
    "parts_of_rounds": {"night_rounds": 7},
    "difficulty_is_at_most_100": {"difficulty": 101},
    "load_is_a_percentage": {"cpu_load": 100.5},
    "times_are_not_negative": {"latency": -1.0},
    "stuck_is_a_score_of_3": {"stuck_score": 3.5},
    "suspicious_are_purchases": {"suspicious_purchases": 7},
    "percentiles_are_ordered": {"latency_p95": -1.0, "latency_p99": -2.0},
}
"""Rules that relate columns: what breaks each."""


def sound_row(layer: str, table: str, day: dt.date, number: int = 0) -> Row:
    """A row that keeps every rule. Columns that may be empty are."""
    c = contract(table)
    row: Row = {}
    for name, dtype in stored_schema(layer, table).items():
        column = c.columns.get(name)
        if name in c.key and isinstance(column, dy.String):
            row[name] = f"made-{number}"
        elif name == "gaming_day" or (column is not None and not column.nullable):
            row[name] = _sound(column, dtype, day)
        else:
            row[name] = None
    history = {"valid_from": day, "is_current": True} if "valid_from" in row else {}
    return row | GIVEN.get(table, {}) | history


def _sound(column: Any, dtype: Any, day: dt.date) -> Any:
    if isinstance(column, dy.Enum):
        return column.categories[0]
    if dtype.is_numeric():
        least = getattr(column, "min", None) or 0
        return float(least) if dtype.is_float() else Decimal(least) if dtype.is_decimal() else least
    noon = dt.datetime.combine(day, dt.time(20), tzinfo=dt.UTC)
    plain = {pl.Date: day, pl.Datetime: noon, pl.Boolean: False, pl.List: [], pl.String: "made"}
    return plain[dtype.base_type()]


def breaking(layer: str, table: str, rule: str, row: Row) -> list[Row]:
    """`row`, or two of it, so that it breaks `rule`. Raises KeyError for a rule on several columns
    that nothing here breaks."""
    column, _, kind = rule.partition("|")
    if rule == "primary_key":
        return [row, row]
    if not kind:
        return [row | RELATIONS[rule]]
    about = contract(table).columns[column]
    if kind.startswith("inner_"):
        return [row | {column: [_hollow(stored_schema(layer, table)[column], kind, row)]}]
    if kind in ("min", "max"):
        by = -1 if kind == "min" else 1
        return [row | {column: type(row[column] or Decimal())(getattr(about, kind) + by)}]
    wrong = {
        "nullability": None,
        "min_length": "",
        "regex": "?",
        "domain": "none of them",
        "inf": float("inf"),
        "nan": float("nan"),
    }
    return [row | {column: wrong[kind]}]


def _hollow(dtype: Any, kind: str, row: Row) -> Any:
    """An element of a list that is nothing, or whose field that the rule names is."""
    if kind == "inner_nullability":
        return None
    field, _, wrong = kind.removeprefix("inner_inner_").rpartition("_")
    given = {f.name: _sound(None, f.dtype, row["gaming_day"]) for f in dtype.inner.fields}
    return given | {field: {"inf": float("inf"), "nan": float("nan")}.get(wrong)}


def may_break_too(layer: str, table: str, rule: str) -> set[str]:
    """Other rules that read a column that this one reads: no row can break it and surely keep
    them."""
    rules = stored_rules(layer, table)
    mine = set(rules[rule].meta.root_names())
    return {n for n, expr in rules.items() if n != rule and mine & set(expr.meta.root_names())}


def framed(layer: str, table: str, rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=stored_schema(layer, table), orient="row")
