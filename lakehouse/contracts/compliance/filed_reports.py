"""What the compliance office filed; not what the law required (that is derived in gold).

The office's records come in together and are told apart before they are stored: nothing that
is or may be a SAR stands beside the others, at any layer (31 U.S.C. 5318(g)(2)).
"""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

REPORT_TYPES = ("CTR", "SAR", "W2G", "1042S", "8300")
FORMS = {
    "FinCEN 112": "CTR",
    "FinCEN 111": "SAR",
    "Form W-2G": "W2G",
    "Form 1042-S": "1042S",
    "Form 8300": "8300",
    "FinCEN 8300": "8300",
}
OF_SARS = ("sar_category", "sar_narrative", "suspicious_activity_date")
STATUSES = ("Draft", "Pending Review", "Filed", "Rejected", "Amended")


class Records(dy.Schema):
    """What the office writes of a filing, of whatever form."""

    report_id = c.text("Record number, unique.", key=True, names=("filing_id",))
    report_type = c.code(REPORT_TYPES, "Form.", also=FORMS, names=("filing_type",))
    report_timestamp = c.utc("When the record was written.", names=("filing_timestamp",))
    filing_date = c.day("Local day of filing.", nullable=True)
    due_date = c.day("Last lawful day, as the office reckoned it.")
    status = c.code(STATUSES, "State of the record.", also={"Pending": "Pending Review"})
    player_id = c.player("Patron named on the form.")
    player_name_hash = c.text(
        "Hash of the name.", nullable=True, pii="direct", protect="token", token_field="name"
    )
    ssn_hash = c.text(
        "Hash of the SSN.", nullable=True, pii="direct", protect="token", token_field="ssn"
    )
    ssn_masked = c.text("XXX-XX-1234.", nullable=True, pii="direct", protect="mask")
    date_of_birth = c.day(
        "Date of birth.", nullable=True, pii="quasi", protect="year_band", youngest=0
    )
    address_hash = c.text(
        "Hash of the address.",
        nullable=True,
        pii="direct",
        protect="token",
        token_field="address_hash",
    )
    id_type = c.text("Document shown.", nullable=True)
    id_number_hash = c.text(
        "Hash of the document's number.",
        nullable=True,
        pii="direct",
        protect="token",
        token_field="id_number",
    )
    transaction_date = c.day("Gaming day (CTR, SAR, 8300) or payment day (W-2G, 1042-S) reported.")
    transaction_amount = c.money("Amount reported.", names=("amount",))
    cash_in_amount = c.money("CTR: cash in reported.", nullable=True)
    cash_out_amount = c.money("CTR: cash out reported.", nullable=True)
    game_type = c.text("W-2G: kind of game.", nullable=True)
    machine_id = c.text("W-2G: machine.", nullable=True)
    table_id = c.text("W-2G: table.", nullable=True)
    jackpot_amount = c.money("W-2G: winnings reported.", nullable=True)
    withholding_amount = c.money("W-2G: tax withheld.", nullable=True)
    withholding_rate = c.rate("W-2G: rate of tax withheld.", nullable=True)
    sar_category = c.text("SAR: category.", nullable=True)
    sar_narrative = c.text("SAR: narrative.", nullable=True)
    suspicious_activity_date = c.day("SAR: first activity.", nullable=True)
    fincen_reference = c.text("FinCEN's acknowledgement.", nullable=True)
    irs_reference = c.text("IRS's acknowledgement.", nullable=True)
    compliance_officer_id = c.text("Officer who signed.")
    review_notes = c.text("Officer's note.", nullable=True)
    amended_from = c.text("Record that this one amends.", nullable=True)
    property_code = c.text("Property.")
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def filed_has_its_date(cls) -> pl.Expr:
        """A filed report has its filing date."""
        return (pl.col("status") != "Filed") | pl.col("filing_date").is_not_null()

    @dy.rule()
    def amendment_names_its_record(cls) -> pl.Expr:
        """An amendment names the record that it amends."""
        return (pl.col("status") != "Amended") | pl.col("amended_from").is_not_null()


@table(
    "compliance",
    layer="source",
    grain="one row per filed record",
    event_time="report_timestamp",
    confidential=True,
)
class ComplianceFilings(Records):
    """Filings as the office recorded them: most right and on time, some late or wrong. SARs are
    in `sar_filings`; the columns that are theirs stay empty here."""

    @dy.rule()
    def is_no_sar(cls) -> pl.Expr:
        """No SAR stands here: they are kept in sar_filings."""
        return pl.col("report_type") != "SAR"


def is_open(records: pl.DataFrame) -> pl.Series:
    """Records of another form than a SAR for sure: the form can be read, and nothing stands
    where only a SAR has something."""
    form = c.coded(records["report_type"], Records.columns()["report_type"]) != "SAR"
    blank = [pl.col(n).cast(pl.String).str.strip_chars().fill_null("") == "" for n in OF_SARS]
    return records.select(
        pl.all_horizontal(pl.lit(form).fill_null(value=False), *blank)
    ).to_series()


@table(
    "sar_filings",
    layer="source",
    grain="one row per filed SAR, or record that may be one",
    event_time="report_timestamp",
    confidential=True,
    restricted=True,
    door="compliance",
    is_open=is_open,
)
class SarFilings(Records):
    """SARs as the office recorded them. A record whose form cannot be read may be one: it is
    rejected here (31 U.S.C. 5318(g)(2))."""

    @dy.rule()
    def is_a_sar(cls) -> pl.Expr:
        """Only SARs stand here: other reports are kept in compliance."""
        return pl.col("report_type") == "SAR"
