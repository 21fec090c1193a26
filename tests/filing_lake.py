"""A small lake of reports, cases and identities, for the tests of filings and cases."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
from fincen_people import DAY, identity

from lakehouse.storage import Commit, Lake, stored_schema

COMMIT = Commit("run", "test", "1")


def ctr_row(player: str, **changes: object) -> dict:
    row = {
        "filing_id": f"CTR-{DAY}-{player}",
        "player_id": player,
        "gaming_day": DAY,
        "cash_in": 12_401,
        "cash_out": None,
        "cash_in_exact": Decimal("12400.50"),
        "cash_out_exact": None,
        "due": DAY + dt.timedelta(days=15),
        "detail_codes_in": ["18", "55"],
        "detail_codes_out": [],
        "details": [
            {"direction": "in", "code": "18", "amount": 6_401},
            {"direction": "in", "code": "55", "amount": 6_000},
            {"direction": "out", "code": "28", "amount": 40},
        ],
        "multiple_transactions": True,
        "aggregate": False,
        "conducted_by": [],
        "on_behalf_of": [],
        "parties": [{"player_id": player, "role": "50", "cash_in": 12_401, "cash_out": 40}],
        "foreign": [{"currency": "EUR", "country": "DE", "direction": "in", "amount": 6_401}],
        "transaction_ids_in": ["t1", "t2"],
        "transaction_ids_out": [],
        "transaction_ids": ["t1", "t2"],
        "citation": "31 CFR 1021.311",
    }
    return row | changes


def case_row(case: str, player: str | None, **changes: object) -> dict:
    row = {
        "case_id": case,
        "gaming_day": DAY,
        "player_id": player,
        "player_ids": [player] if player else [],
        "typology": "structuring",
        "subtypes": ["114"],
        "mandatory": True,
        "filed": False,
        "amount": Decimal("28500.00"),
        "score": 0.9,
        "detected_on": DAY,
        "due": DAY + dt.timedelta(days=30 if player else 60),
        "first_activity_on": DAY - dt.timedelta(days=2),
        "last_activity_on": DAY,
        "transaction_ids": [f"{case}1"],
        "observation_ids": [],
        "evidence": [
            {
                "source": "financial_txn",
                "record_id": f"{case}1",
                "at": dt.datetime(2026, 11, 18, 20, tzinfo=dt.UTC),
                "what": "chips for cash",
                "amount": Decimal("9500.00"),
            }
        ],
        "narrative": f"Facts of case {case}.",
    }
    return row | changes


def frame(layer: str, table: str, rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=stored_schema(layer, table), orient="row")


def write(lake: Lake, layer: str, table: str, rows: list[dict]) -> None:
    lake.write_days(layer, table, frame(layer, table, rows), (DAY, DAY), commit=COMMIT)


def make(root: str) -> None:
    """Two reports, three cases, three identities of which the last lacks its number."""
    lake = Lake(root)
    captures = [identity("P1"), identity("P2"), identity("P3", tin=None)]
    write(lake, "restricted", "identity_vault", [vars(i) | {"gaming_day": DAY} for i in captures])
    write(lake, "gold", "ctr_filings", [ctr_row("P1"), ctr_row("P2")])
    cases = [
        case_row("A", "P1"),
        case_row("B", "P2", amount=Decimal("6000.01"), subtypes=["114", "1202"]),
        case_row("C", None),
    ]
    write(lake, "restricted", "sar_cases", cases)


def export_of(batch: str, filing: str, form: str, hour: int, *, real: bool = True) -> list[Any]:
    at = dt.datetime(2026, 11, 19, hour, tzinfo=dt.UTC)
    return [batch, 1, form, filing, at, "cora", real, 12_401, "facts"]


def answer_of(batch: str, filing: str, form: str, said: str, hour: int) -> list[Any]:
    at = dt.datetime(2026, 11, 19, hour, tzinfo=dt.UTC)
    return [batch, filing, form, said, None, [], at]


def log(table: str, *told: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(list(told), schema=stored_schema("restricted", table), orient="row")


def append(lake: Lake, table: str, *told: list[Any]) -> None:
    lake.append("restricted", table, log(table, *told), commit=COMMIT)
