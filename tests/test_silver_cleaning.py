"""Bronze becomes good, quarantined or duplicate rows; every broken rule is named."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from source_rows import DAY, KEY_OF, NOON, TABLES, ZONE, as_text, bronze, changed, row

from lakehouse import silver
from lakehouse.contracts import contract
from lakehouse.errors import BadInput, ContractError
from lakehouse.storage import stored_schema

KNOWN = {
    "player_profile": pl.LazyFrame({"player_id": ["P1", "P2"]}),
    "financial_txn": pl.LazyFrame({"transaction_id": ["T1"]}),
}
UTC = dt.UTC


def clean(table, frame, parents=KNOWN):
    return silver.clean(table, frame, timezone=ZONE, parents=parents)


def rejects(table, frame, parents=KNOWN):
    """key → names of the rules it broke."""
    rows = clean(table, frame, parents).quarantined
    return dict(zip(rows[KEY_OF[table]], rows["_rules"].to_list(), strict=True))


@pytest.mark.parametrize("table", TABLES)
def test_a_valid_row_is_good_as_it_is(table):
    frame = bronze(table, row(table))
    result = clean(table, frame)
    assert_frame_equal(result.good, frame)
    assert result.quarantined.schema == stored_schema("quarantine", table)
    assert (result.quarantined.height, result.duplicates.height) == (0, 0)


@pytest.mark.parametrize("table", TABLES)
def test_no_rows_give_no_rows_in_the_right_shapes(table):
    result = clean(table, contract(table).empty())
    assert result.good.schema == contract(table).bronze_schema() == result.duplicates.schema
    assert result.quarantined.schema == stored_schema("quarantine", table)


CODES = [
    ("slot_telemetry", "event_type", "game_play", "GAME_PLAY"),
    ("slot_telemetry", "event_type", " Game Play ", "GAME_PLAY"),
    ("slot_telemetry", "zone", "HIGH LIMIT", "High Limit"),
    ("slot_telemetry", "zone", "high_limit", "High Limit"),
    ("slot_telemetry", "machine_type", "video slot", "Video Slots"),
    ("table_games", "game_type", "PAI-GOW", "Pai Gow"),
    ("table_games", "game_type", "BJ", "Blackjack"),
    ("table_games", "shift", "Graveyard", "Grave"),
    ("security_events", "shift", "SWING-SHIFT", "Swing"),
    ("slot_telemetry", "machine_type", "mechanical-reel", "Mechanical Reels"),
    ("player_profile", "tax_residency", "nonresident alien", "NRA"),
    ("player_profile", "loyalty_tier", "dIAMOND", "Diamond"),
    ("player_profile", "country", " us", "US"),
    ("financial_txn", "payment_method", "cheque", "Check"),
    ("financial_txn", "currency", "usd", "USD"),
    ("compliance", "report_type", "W-2G", "W2G"),
    ("compliance", "report_type", "form 8300", "8300"),
    ("compliance", "status", "filed", "Filed"),
    ("compliance", "status", "pending", "Pending Review"),
    ("gaming_wins", "game_type", "slots", "SLOT"),
    ("staff_observations", "kind", "id refused", "ID_REFUSED"),
]


@pytest.mark.parametrize(("table", "column", "given", "code"), CODES)
def test_codes_are_mapped_to_their_domain(table, column, given, code):
    result = clean(table, bronze(table, row(table, **{column: given})))
    assert result.good[column].to_list() == [code]


@pytest.mark.parametrize("table", TABLES)
def test_no_two_codes_of_a_column_fold_to_one(table):
    for column, definition in contract(table).columns.items():
        if isinstance(definition.dtype, pl.Enum):
            codes = definition.dtype.categories.to_list()
            series = pl.Series(column, codes).str.to_uppercase()
            folded = {"".join(c for c in s if c.isalnum()) for s in series}
            assert len(folded) == len(codes), column


def test_blanks_go_and_empty_text_is_no_value():
    frame = bronze("financial_txn", row("financial_txn", cage_location="  W1\t", notes="  "))
    good = clean("financial_txn", frame).good
    assert good.select("cage_location", "notes").row(0) == ("W1", None)


BROKEN = [
    ("slot_telemetry", {"event_type": "SPIN"}, ["event_type|domain"]),
    ("slot_telemetry", {"event_type": None}, ["event_type|nullability"]),
    ("slot_telemetry", {"event_type": "  "}, ["event_type|nullability"]),
    ("slot_telemetry", {"machine_id": None}, ["machine_id|nullability"]),
    ("slot_telemetry", {"coin_in": Decimal("-5.00")}, ["coin_in|min"]),
    ("slot_telemetry", {"coin_in": None}, ["play_has_its_wager"]),
    ("slot_telemetry", {"denomination": Decimal("0.30")}, ["denomination_is_known"]),
    ("slot_telemetry", {"player_id": "P9"}, ["player_id|orphan"]),
    ("slot_telemetry", {"event_timestamp": None}, ["event_timestamp|nullability"]),
    ("table_games", {"event_type": "FILL", "amount": None}, ["chip_movement_has_its_amount"]),
    ("table_games", {"min_bet": Decimal("600.00")}, ["bets_are_ordered"]),
    ("player_profile", {"self_excluded": True}, ["excluded_are_not_marketed_to"]),
    (
        "player_profile",
        {"last_visit_date": dt.date(2025, 1, 2)},
        ["visit_is_not_after_the_extract"],
    ),
    ("financial_txn", {"amount": Decimal("-0.01")}, ["amount|min"]),
    ("financial_txn", {"currency": "EUR"}, ["foreign_currency_names_its_country"]),
    ("financial_txn", {"on_behalf_of_player_id": "P9"}, ["on_behalf_of_player_id|orphan"]),
    ("security_events", {"security_level": "Secret"}, ["security_level|domain"]),
    ("compliance", {"filing_date": None}, ["filed_has_its_date"]),
    ("gaming_wins", {"transaction_id": "T9"}, ["transaction_id|orphan"]),
    ("gaming_wins", {"won_at": dt.datetime(2025, 1, 2, 1, tzinfo=UTC)}, ["paid_after_won"]),
    (
        "staff_observations",
        {"transaction_id": "T9", "player_id": "P9", "kind": "?"},
        ["kind|domain", "player_id|orphan", "transaction_id|orphan"],
    ),
    (
        "financial_txn",
        {"transaction_type": "?", "amount": Decimal("-1.00"), "cashier_id": None, "currency": "X1"},
        [
            "amount|min",
            "cashier_id|nullability",
            "currency|regex",
            "foreign_currency_names_its_country",
            "transaction_type|domain",
        ],
    ),
]


@pytest.mark.parametrize(("table", "change", "rules"), BROKEN)
def test_every_broken_rule_is_named_and_the_row_kept_whole(table, change, rules):
    frame = changed(table, change, {})
    result = clean(table, frame)
    assert result.quarantined["_rules"].to_list() == [rules]
    assert_frame_equal(result.quarantined.select(frame.columns), frame.head(1))
    assert_frame_equal(result.good, frame.tail(1))
    assert result.quarantined["_stage"].to_list() == ["silver"]


DAYS = [
    # 06:00 in Los Angeles is 14:00 UTC in winter.
    (dt.datetime(2025, 1, 1, 14, tzinfo=UTC), dt.date(2025, 1, 1), True),
    (dt.datetime(2025, 1, 1, 13, 59, 59, 999_999, tzinfo=UTC), dt.date(2025, 1, 1), False),
    (dt.datetime(2025, 1, 2, 13, 59, 59, tzinfo=UTC), dt.date(2025, 1, 1), True),
    (dt.datetime(2025, 1, 2, 14, tzinfo=UTC), dt.date(2025, 1, 1), False),
    # 9 March 2025 begins at 13:00 UTC, its eve had 23 hours.
    (dt.datetime(2025, 3, 9, 12, 59, tzinfo=UTC), dt.date(2025, 3, 8), True),
    (dt.datetime(2025, 3, 9, 13, tzinfo=UTC), dt.date(2025, 3, 9), True),
    # 2 November 2025 begins at 14:00 UTC, its eve had 25 hours.
    (dt.datetime(2025, 11, 2, 13, 59, tzinfo=UTC), dt.date(2025, 11, 1), True),
    (dt.datetime(2025, 11, 2, 13, 59, tzinfo=UTC), dt.date(2025, 11, 2), False),
]


@pytest.mark.parametrize(("moment", "day", "inside"), DAYS)
def test_an_event_lies_in_its_gaming_day(moment, day, inside):
    frame = changed("security_events", {"event_timestamp": moment, "gaming_day": day})
    expected = {} if inside else {"K1": ["event_in_gaming_day"]}
    assert rejects("security_events", frame) == expected


def test_gaming_day_follows_from_the_event_where_it_is_not_given():
    moments = ["2025-01-02T05:59:00-08:00", "2025-01-02T06:00:00-08:00"]
    frame = as_text(changed("security_events", {}, {}), event_timestamp=moments)
    good = clean("security_events", frame.drop("gaming_day")).good
    assert good["gaming_day"].to_list() == [dt.date(2025, 1, 1), dt.date(2025, 1, 2)]


def test_a_gaming_day_that_cannot_be_read_is_named_and_shelved_under_the_event_s():
    frame = as_text(changed("security_events", {}, {}), gaming_day=["someday", None])
    result = clean("security_events", frame)
    assert result.quarantined.select("gaming_day", "_raw", "_rules").row(0) == (
        DAY,
        '{"gaming_day":"someday"}',
        ["gaming_day|unreadable"],
    )
    assert result.good["gaming_day"].to_list() == [DAY]


def test_codes_may_come_as_categories():
    frame = changed("security_events", {}, {"shift": "Dusk"})
    typed = frame.with_columns(pl.col("shift").cast(pl.Enum(["Day", "Dusk"])))
    assert rejects("security_events", typed) == {"K2": ["shift|domain"]}


LATER, LAST = NOON + dt.timedelta(hours=1), NOON + dt.timedelta(hours=2)


def test_retransmissions_keep_the_first_by_ingestion():
    table = "financial_txn"
    copy = {"transaction_id": "T1"}
    frame = changed(
        table,
        copy | {"_ingested_at": LAST, "_batch_id": "b3"},
        copy | {"_ingested_at": LATER, "_batch_id": "b2", "payment_method": " CASH"},
        copy | {"_ingested_at": LATER, "_batch_id": "b1", "_source": "other"},
    )
    result = clean(table, frame)
    assert result.good["_batch_id"].to_list() == ["b1"]
    assert result.duplicates["_batch_id"].to_list() == ["b3", "b2"]
    assert result.duplicates["payment_method"].to_list() == ["Cash", " CASH"]


def test_a_key_with_two_contents_goes_to_quarantine_with_both():
    table = "financial_txn"
    frame = changed(
        table,
        {"transaction_id": "T1"},
        {"transaction_id": "T1", "amount": Decimal("100.01")},
        {"transaction_id": "T1", "_ingested_at": LATER},
        {"transaction_id": "T2"},
    )
    result = clean(table, frame)
    assert result.quarantined["amount"].to_list() == [Decimal("100.00"), Decimal("100.01")]
    assert result.quarantined["_rules"].to_list() == [["key_clash"], ["key_clash"]]
    assert result.duplicates["_ingested_at"].to_list() == [LATER]
    assert result.good["transaction_id"].to_list() == ["T2"]


def test_contents_that_cannot_be_read_still_tell_rows_apart():
    table = "financial_txn"
    frame = changed(
        table,
        {"transaction_id": "T1", "transaction_type": "X"},
        {"transaction_id": "T1", "transaction_type": "Y"},
        {"transaction_id": "T2", "transaction_type": "X"},
        {"transaction_id": "T2", "transaction_type": "X "},
    )
    result = clean(table, frame)
    assert result.quarantined["_rules"].to_list() == [
        ["key_clash", "transaction_type|domain"],
        ["key_clash", "transaction_type|domain"],
        ["transaction_type|domain"],
    ]
    assert result.duplicates.height == 1


def test_rows_without_a_key_are_no_copies_of_each_other():
    frame = changed("financial_txn", {"transaction_id": None}, {"transaction_id": None})
    result = clean("financial_txn", frame)
    assert result.quarantined["_rules"].to_list() == [["transaction_id|nullability"]] * 2


def test_copies_and_clashes_are_judged_within_a_gaming_day():
    next_day = {"gaming_day": dt.date(2025, 1, 2), "transaction_timestamp": NOON + dt.timedelta(1)}
    frame = changed("financial_txn", {"transaction_id": "T1"}, {"transaction_id": "T1"} | next_day)
    assert clean("financial_txn", frame).good.height == 2


def test_orphans_heal_when_their_parent_has_arrived():
    frame = changed("gaming_wins", {"player_id": "P9"}, {"player_id": None})
    before = clean("gaming_wins", frame)
    assert before.quarantined["_rules"].to_list() == [["player_id|orphan"]]
    arrived = KNOWN | {"player_profile": pl.LazyFrame({"player_id": ["P1", "P9"]})}
    assert clean("gaming_wins", frame, arrived).good.height == 2


def test_a_parent_table_that_is_not_given_is_not_asked():
    assert clean("gaming_wins", changed("gaming_wins", {"player_id": "P9"}), {}).good.height == 1


TEXTS = [
    ("transaction_timestamp", "2025-01-01T12:00:00-08:00", NOON, None),
    ("transaction_timestamp", "yesterday", None, "transaction_timestamp|unreadable"),
    ("transaction_timestamp", "", None, "transaction_timestamp|nullability"),
    ("business_date", "2025-W01-3", DAY, None),
    ("business_date", "1/2/2025", None, "business_date|unreadable"),
    ("amount", "10000.01", Decimal("10000.01"), None),
    ("amount", "100", Decimal("100.00"), None),
    ("amount", "1.50000", Decimal("1.50"), None),
    ("amount", "10000.015", None, "amount|more_than_two_decimals"),
    ("amount", "ten", None, "amount|dtype"),
    ("amount", "1e3", None, "amount|dtype"),
    ("ctr_required", "Yes", True, None),
    ("ctr_required", "maybe", None, "ctr_required|dtype"),
]


@pytest.mark.parametrize(("column", "text", "value", "rule"), TEXTS)
def test_text_in_place_of_a_value_is_read_or_named(column, text, value, rule):
    frame = as_text(changed("financial_txn", {}), **{column: [text]})
    result = clean("financial_txn", frame)
    if rule is None:
        assert result.good[column].to_list() == [value]
    else:
        assert result.quarantined["_rules"].to_list() == [[rule]]
        kept = result.quarantined["_raw"].item()
        assert (kept or "") == ("" if text == "" else f'{{"{column}":"{text}"}}')


def test_whole_numbers_are_read_and_fractions_named():
    frame = as_text(changed("slot_telemetry", {}, {}), games_played=["7", "7.5"])
    result = clean("slot_telemetry", frame)
    assert result.good["games_played"].to_list() == [7]
    assert result.quarantined["_rules"].to_list() == [["games_played|dtype"]]


def test_a_frame_of_other_columns_is_refused():
    frame = changed("gaming_wins", {})
    with pytest.raises(ContractError, match=r"gaming_wins.*lacks wager.*adds stake"):
        clean("gaming_wins", frame.rename({"wager": "stake"}))
    with pytest.raises(ContractError, match="wager is Float64"):
        clean("gaming_wins", frame.with_columns(pl.col("wager").cast(pl.Float64)))


def test_only_source_tables_can_be_cleaned():
    with pytest.raises(BadInput, match="plants"):
        clean("plants", pl.DataFrame())
    with pytest.raises(BadInput, match="unknown table 'wins'"):
        clean("wins", pl.DataFrame())
