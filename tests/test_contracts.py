"""Contracts are whole: the POC's columns in its order, then the law's, then provenance."""

import dataframely as dy
import polars as pl
import pytest

from lakehouse.contracts import PROVENANCE, contract, contracts
from lakehouse.contracts import columns as kinds
from lakehouse.errors import BadInput, ContractError
from lakehouse.serve.dictionary.describe import columns

POC = {
    "slot_telemetry": """event_id machine_id asset_number location_id zone event_type
        event_timestamp denomination coin_in coin_out jackpot_amount games_played
        theoretical_hold actual_hold player_id session_id machine_type manufacturer game_theme
        error_code error_message""",
    "table_games": """event_id table_id game_type table_number zone event_type event_timestamp
        player_id player_rating_id dealer_id shift amount chip_denomination min_bet max_bet
        average_bet hands_played hours_played theoretical_win actual_win_loss marker_number
        fill_slip_number drop_amount""",
    "player_profile": """player_id loyalty_number first_name last_name email phone date_of_birth
        ssn_hash ssn_masked address_line1 city state zip_code country loyalty_tier points_balance
        lifetime_points tier_credits enrollment_date last_visit_date total_visits total_theo
        total_actual_win_loss average_daily_theo preferred_game communication_preference
        marketing_opt_in marketing_channel host_assigned vip_flag self_excluded
        account_status""",
    "financial_txn": """transaction_id transaction_type transaction_timestamp cage_location
        cashier_id supervisor_id player_id amount currency payment_method check_number
        wire_reference marker_number id_type id_number_hash ctr_required ctr_filed ctr_reference
        suspicious_activity_flag notes shift business_date""",
    "security_events": """event_id event_type event_timestamp location_id zone location_detail
        security_level severity_level employee_id badge_number visitor_id camera_id access_granted
        access_denied_reason incident_number incident_category incident_severity
        incident_description responding_officer_id resolution_status vehicle_license_plate
        alarm_type patrol_route shift""",
    "compliance": """report_id report_type report_timestamp filing_date due_date status player_id
        player_name_hash ssn_hash ssn_masked date_of_birth address_hash id_type id_number_hash
        transaction_date transaction_amount cash_in_amount cash_out_amount game_type machine_id
        table_id jackpot_amount withholding_amount withholding_rate sar_category sar_narrative
        suspicious_activity_date fincen_reference irs_reference compliance_officer_id review_notes
        amended_from property_code""",
}
POC["sar_filings"] = POC["compliance"]
"""The POC has them in one; its file is what the office hands in."""
LAW = {
    "slot_telemetry": "amount meter_coin_in",
    "table_games": "",
    "player_profile": "tin_on_file tax_residency identity_verified",
    "financial_txn": "on_behalf_of_player_id currency_country is_new_currency",
    "security_events": "player_id",
    "compliance": "",
    "sar_filings": "",
    "gaming_wins": """win_id player_id game_type won_at paid_at gross_amount wager is_free_play
        table_game prize_type paid_in_currency machine_id table_id transaction_id""",
    "staff_observations": """observation_id observed_at player_id employee_id kind transaction_id
        amount_before amount_after text""",
}
CLOSED = {
    ("slot_telemetry", "event_type"): """GAME_PLAY METER_UPDATE BILL_IN TICKET_OUT TILT JACKPOT
        DOOR_OPEN DOOR_CLOSE POWER_ON POWER_OFF""",
    ("table_games", "event_type"): """BUY_IN CASH_OUT RATING_START RATING_END FILL CREDIT
        MARKER_ISSUED MARKER_PAID SHIFT_START SHIFT_END""",
    ("table_games", "shift"): "Day Swing Grave",
    ("player_profile", "loyalty_tier"): "Bronze Silver Gold Platinum Diamond",
    ("player_profile", "communication_preference"): "Email SMS Mail Phone None",
    ("player_profile", "account_status"): "Active Inactive Suspended Closed",
    ("player_profile", "tax_residency"): "US NRA",
    ("financial_txn", "transaction_type"): """CASH_IN CASH_OUT CHIP_PURCHASE CHIP_REDEMPTION
        WIRE_TRANSFER_IN WIRE_TRANSFER_OUT CHECK_CASHING MARKER_ISSUE MARKER_PAYMENT
        FRONT_MONEY_DEPOSIT FRONT_MONEY_WITHDRAWAL JACKPOT_PAYOUT SAFEKEEPING_DEPOSIT
        SAFEKEEPING_WITHDRAWAL TICKET_REDEMPTION CANCELLED_CREDIT_HANDPAY MONEY_PLAY
        CURRENCY_EXCHANGE INSTRUMENT_SALE CHECK_PURCHASE NON_GAMING_PAYMENT""",
    ("financial_txn", "payment_method"): "Cash Check Wire Chip Marker",
    ("compliance", "report_type"): "CTR SAR W2G 1042S 8300",
    ("gaming_wins", "game_type"): "SLOT KENO BINGO POKER_TOURNAMENT TABLE TABLE_SIDE_BET OTHER",
    ("gaming_wins", "prize_type"): "CASH CHIPS GOODS",
    ("staff_observations", "kind"): """THRESHOLD_ENQUIRY TRANSACTION_REDUCED ID_REFUSED
        AGENT_DISCLOSED SUSPECT_UNKNOWN OTHER""",
}
POC_WIDTHS = {
    "slot_telemetry": 24,
    "table_games": 26,
    "player_profile": 35,
    "financial_txn": 25,
    "security_events": 27,
    "compliance": 36,
    "sar_filings": 36,
}
"""As the POC counts them: with the three columns of provenance; of security events, with the
two that it emits beyond its list."""


@pytest.mark.parametrize("name", LAW)
def test_source_columns_stand_in_the_order_of_the_poc(name: str) -> None:
    expected = [*POC.get(name, "").split(), *LAW[name].split(), "gaming_day", *PROVENANCE]
    assert list(contract(name).columns) == expected


@pytest.mark.parametrize("name", POC)
def test_the_poc_has_as_many_columns_as_it_says(name: str) -> None:
    assert len(POC[name].split()) + len(PROVENANCE) == POC_WIDTHS[name]


def test_the_source_tables_of_the_poc_and_the_law_are_there() -> None:
    assert set(LAW) <= set(contracts("source"))


@pytest.mark.parametrize(("name", "column"), CLOSED)
def test_domains_are_closed(name: str, column: str) -> None:
    declared = contract(name).columns[column]
    assert isinstance(declared, dy.Enum)
    assert list(declared.categories) == CLOSED[name, column].split()


@pytest.mark.parametrize("name", contracts())
def test_everything_has_a_meaning(name: str) -> None:
    c = contract(name)
    assert c.description, "the table has no docstring"
    assert c.grain.startswith("one row per")
    assert [n for n, text in c.descriptions().items() if not text.strip()] == []


@pytest.mark.parametrize("name", contracts())
def test_references_exist_and_have_the_same_type(name: str) -> None:
    c = contract(name)
    for column, (parent, target) in c.references().items():
        assert contract(parent).columns[target].dtype == c.columns[column].dtype, column


@pytest.mark.parametrize("name", contracts())
def test_units_and_types_are_the_same_everywhere(name: str) -> None:
    c = contract(name)
    for column, declared in c.columns.items():
        dtype = declared.dtype
        if isinstance(dtype, pl.Datetime):
            assert (dtype.time_unit, dtype.time_zone) == ("us", "UTC"), column
        if column.startswith("is_"):
            assert dtype == pl.Boolean(), column
        if column == "gaming_day":
            assert dtype == pl.Date(), column
        if c.metadata(column).get("unit") == "USD":
            whole_dollars_of_a_form = pl.Int64()
            assert dtype in (pl.Decimal(18, 2), whole_dollars_of_a_form), column


@pytest.mark.parametrize("name", [n for n, c in contracts().items() if c.partitioned])
def test_partitioned_tables_have_a_gaming_day(name: str) -> None:
    assert contract(name).columns["gaming_day"].nullable is False


@pytest.mark.parametrize("name", contracts("source"))
def test_direct_identifiers_are_protected(name: str) -> None:
    c = contract(name)
    open_ = [n for n in c.columns if c.metadata(n).get("pii") == "direct"]
    assert [n for n in open_ if "protect" not in c.metadata(n)] == []


@pytest.mark.parametrize("name", contracts("source"))
def test_bronze_states_shape_only(name: str) -> None:
    c = contract(name)
    row = pl.DataFrame({n: [None] for n in c.columns}, schema=c.bronze_schema())
    assert row.height == 1
    assert not any(isinstance(t, pl.Enum) for t in c.bronze_schema().values())


@pytest.mark.parametrize("name", contracts())
def test_rules_hold_on_rows_made_to_the_contract(name: str) -> None:
    schema = contract(name).schema
    assert schema.is_valid(schema.create_empty())


def test_a_column_says_what_files_may_write_and_call_it() -> None:
    kind = kinds.code(["BILL_IN"], "Kind.", also={"Bill inserted": "BILL_IN"}, names=("what",))
    assert kinds.spellings(kind) == {"billin": "BILL_IN", "billinserted": "BILL_IN"}
    assert contract("compliance").names("transaction_amount") == ["transaction_amount", "amount"]
    assert contract("slot_telemetry").second_names == ()


@pytest.mark.parametrize(
    "also",
    [
        {"Bill inserted": "BILLS"},
        {"Bill-in": "TICKET_OUT"},
        {"Voucher out": "TICKET_OUT", "voucher-out": "BILL_IN"},
    ],
)
def test_a_spelling_stands_for_one_code(also: dict[str, str]) -> None:
    with pytest.raises(ContractError, match="each needs a code of its own, of BILL_IN, TICKET_OUT"):
        kinds.code(["BILL_IN", "TICKET_OUT"], "Kind.", also=also)


def test_the_dictionary_tells_what_else_is_read() -> None:
    told = dict(columns("silver", "compliance").select("column", "meaning").iter_rows())
    assert told["status"].endswith(
        "One of Draft, Pending Review, Filed, Rejected, Amended. Also read: Pending as "
        "Pending Review."
    )
    assert told["report_id"] == "Record number, unique. Files may call it filing_id."
    cage = dict(columns("silver", "financial_txn").select("column", "meaning").iter_rows())
    assert cage["currency"] == "ISO 4217 currency handed over. In upper case."


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(BadInput, match=r"unknown table 'slots'; nearest: .*slot_"):
        contract("slots")
