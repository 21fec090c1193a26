"""Personal data in open tables is found wherever it stands, and what only looks like it is not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from lakehouse.quality.personal import CARD, VAULT, found_texts, luhn, text_columns, vault_texts
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Judgement
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake, stored_schema

DAY, NEXT = dt.date(2025, 1, 6), dt.date(2025, 1, 7)
COMMIT = Commit("test", "test", "1")
VAULT_ROW = {
    "player_id": "P00000001",
    "first_name": "Kendra",
    "last_name": "West",
    "tin": "900007785",
    "address_line1": "901 Hart Blvd",
    "id_number": "D85283521",
    "phone": "619-555-0167",
    "gaming_day": DAY,
}


def frame(layer: str, table: str, *rows: dict[str, object]) -> pl.DataFrame:
    schema = stored_schema(layer, table)
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in rows], schema=schema)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SSN 900-12-3456 on file", "SSN"),
        ("123-45-6789", "SSN"),
        ("write to j.doe+vip@mail.example.com.", "e-mail address"),
        ("(702) 555-0144", "phone number"),
        ("702-555-0144", "phone number"),
        ("call 702.555.0144 now", "phone number"),
        ("+17025550144", "phone number"),
        ("4111 1111 1111 1111", CARD),
        ("paid with 4111111111111111", CARD),
        ("3782-822463-10005", CARD),
        ("Kendra", VAULT),
        ("Kendra West", VAULT),
        ("West, Kendra", VAULT),
        ("900007785", VAULT),
        ("900-00-7785", "SSN"),
        ("901 Hart Blvd", VAULT),
        ("D85283521", VAULT),
    ],
)
def test_what_tells_of_a_person(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "***-**-7785",
        "16e93037:fc1edc2b116946853d7f824842a9e0a4337c8917",
        "2025-01-22",
        "CTR-2025-01-22-P00004718",
        "4111 1111 1111 1112",
        "1234567812345670",
        "31 CFR 1021.311, 1021.313, 1010.306(a)(1)",
        "slot_telemetry-2025012214",
        "financial_txn 20345.00 USD",
        "West",
        "P00000001",
        "SLOT-0001",
        "",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert kinds(text) == set()


def kinds(text: str) -> set[str]:
    vault = vault_texts(frame("restricted", "identity_vault", VAULT_ROW).lazy())
    rows = pl.LazyFrame({"notes": [text, "sound", None]})
    return set(found_texts(rows, text_columns(rows.collect_schema()), vault)["kind"])


@pytest.mark.parametrize(
    ("number", "valid"),
    [("79927398713", True), ("79927398710", False), ("4111111111111111", True), ("18", True)],
)
def test_the_check_digit(number: str, valid: bool) -> None:
    """79927398713 is the standard's usual example."""
    assert pl.select(luhn(pl.lit(number))).item() is valid


def test_hashes_that_chance_made_of_digits_are_no_cards() -> None:
    vault = pl.Series([], dtype=pl.String)
    hashes = [f"{k:015x}a" for k in range(10**9, 10**9 + 30)]
    rows = pl.LazyFrame({"event_id": [*hashes, "4111111111111111"]})
    columns = text_columns(rows.collect_schema())
    assert found_texts(rows, columns, vault).is_empty()
    spaced = pl.concat([rows, pl.LazyFrame({"event_id": ["4111 1111 1111 1111"]})])
    assert found_texts(spaced, columns, vault)["text"].to_list() == ["4111 1111 1111 1111"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "restricted", "identity_vault", VAULT_ROW)
    events = [{"event_id": f"e{k}", "gaming_day": (DAY, NEXT)[k > 4]} for k in range(9)]
    put(lake, "silver", "security_events", *events)
    return lake


def put(lake: Lake, layer: str, table: str, *rows: dict[str, object]) -> None:
    lake.write_days(layer, table, frame(layer, table, *rows), (DAY, NEXT), commit=COMMIT)


def said(lake: Lake, layer: str, table: str) -> dict[dt.date, Judgement]:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    check = checks(Settings(), now)[(layer, table, "no_personal_data")]
    assert check.severity == "error"
    return dict(check.judge(lake, (DAY, NEXT)))


def test_sound_days_pass(lake: Lake) -> None:
    found = said(lake, "silver", "security_events")
    assert [(d, one.passed, one.checked_rows) for d, one in found.items()] == [
        (DAY, True, 5),
        (NEXT, True, 4),
    ]


def test_a_leak_is_told_by_column_kind_and_key_and_never_itself(lake: Lake) -> None:
    leak = {"event_id": "e'1", "gaming_day": NEXT, "incident_description": "ask 702-555-0144"}
    put(lake, "silver", "security_events", {"event_id": "e0", "gaming_day": DAY}, leak)
    found = said(lake, "silver", "security_events")
    assert found[DAY].passed
    assert found[NEXT].said == "incident_description holds a phone number in 1 rows."
    assert (found[NEXT].keys, found[NEXT].failing_rows) == (("e'1",), 1)
    assert "'e''1'" in str(found[NEXT].sql)
    assert "0144" not in repr(found)


def test_a_leak_within_a_list_of_structs_is_found(lake: Lake) -> None:
    party = {"player_id": "D85283521", "role": "50", "cash_in": 1, "cash_out": 0}
    row = {"filing_id": "f", "player_id": "P00000001", "gaming_day": DAY, "parties": [party]}
    put(lake, "gold", "ctr_filings", row)
    found = said(lake, "gold", "ctr_filings")[DAY]
    assert found.said == f"parties.player_id holds a {VAULT} in 1 rows."
    assert found.keys == (f"P00000001 {DAY}",)


def test_what_the_contract_shows_is_not_held_against_the_vault(lake: Lake) -> None:
    """Houston is a city, and here also a family's name."""
    put(lake, "restricted", "identity_vault", VAULT_ROW | {"last_name": "Houston"})
    row = {"player_id": "P00000001", "gaming_day": DAY, "city": "Houston"}
    put(lake, "silver", "player_profile", row)
    assert said(lake, "silver", "player_profile")[DAY].passed
    put(lake, "silver", "player_profile", row | {"host_assigned": "Houston"})
    assert not said(lake, "silver", "player_profile")[DAY].passed


def test_every_open_table_with_text_is_looked_at() -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    tables = {c.table for c in checks(Settings(), now).values() if c.name == "no_personal_data"}
    assert ("gold", "ctr_filings") in tables
    assert ("silver", "slot_telemetry") in tables
    assert not {table for table in tables if table[0] in ("bronze", "restricted", "truth")}
