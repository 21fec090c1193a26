"""What silver and the catalog show of personal data, by contract."""

import datetime as dt

import pytest
from source_rows import TABLES, bronze, changed, row

from lakehouse.contracts import contract
from lakehouse.errors import ContractError
from lakehouse.privacy import TokenKey, needs_key, protect

KEY = TokenKey.of(bytes(range(32)))
PERSONAL = {
    "first_name": "Ann",
    "last_name": "Lee",
    "email": "ann@example.com",
    "phone": "702-555-0100",
    "ssn_hash": "a1b2",
    "address_line1": "1 Main St",
}


@pytest.mark.parametrize("table", TABLES)
def test_protected_frames_have_the_silver_shape(table):
    made = protect(table, bronze(table, row(table)), KEY)
    assert made.schema == contract(table).silver_schema()


def test_a_profile_keeps_no_identity():
    before = row("player_profile")
    after = protect("player_profile", bronze("player_profile", before), KEY).row(0, named=True)
    for column, value in PERSONAL.items():
        assert after[column].startswith("d78a4a48:"), column
        assert value.lower() not in after[column].lower()
    assert after["ssn_masked"] == "***-**-1234"
    assert after["date_of_birth"] == "1980-1984"
    assert after["zip_code"] == "891"
    shielded = {*PERSONAL, "ssn_masked", "date_of_birth", "zip_code"}
    assert all(after[n] == v for n, v in before.items() if n not in shielded)


def test_every_direct_identifier_is_protected_by_its_contract():
    for table in TABLES:
        c = contract(table)
        for column in c.columns:
            about = c.metadata(column)
            assert about.get("pii") != "direct" or about.get("protect"), f"{table}.{column}"


def test_equal_identities_stay_joinable_across_tables():
    profile = protect("player_profile", changed("player_profile", {"ssn_hash": "a1b2"}), KEY)
    filed = protect("compliance", changed("compliance", {"ssn_hash": " A1B2 "}), KEY)
    assert profile["ssn_hash"].item() == filed["ssn_hash"].item()


def test_equal_addresses_have_equal_tokens_and_null_stays_null():
    frame = changed(
        "player_profile",
        {"address_line1": "1 Main St", "phone": None},
        {"address_line1": "1 MAIN ST"},
        {"address_line1": "2 Main St"},
    )
    made = protect("player_profile", frame, KEY)
    first, second, third = made["address_line1"]
    assert first == second != third
    assert made["phone"].is_null().to_list() == [True, False, False]


def test_tables_without_identities_need_no_key():
    needing = {t for t in TABLES if needs_key(t)}
    assert needing == {"player_profile", "financial_txn", "security_events", "compliance"}


def test_a_frame_that_cannot_be_protected_is_refused():
    frame = bronze("player_profile", row("player_profile"))
    with pytest.raises(ContractError, match="email is missing, not String"):
        protect("player_profile", frame.drop("email"), KEY)
    once = protect("player_profile", frame, KEY)
    with pytest.raises(ContractError, match="date_of_birth is String, not Date"):
        protect("player_profile", once, KEY)


def test_the_day_of_birth_is_gone_from_the_whole_row():
    made = protect("player_profile", bronze("player_profile", row("player_profile")), KEY)
    assert dt.date(1984, 12, 31) not in made.row(0)
