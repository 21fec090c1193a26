"""From cage rows through the law to FinCEN's XML: what the law derives is what the form says."""

import datetime as dt
from pathlib import Path

import pytest
from fincen_people import identity
from law_rows import cash, people, rows
from lxml import etree

from lakehouse.compliance.filing import batch as b
from lakehouse.compliance.filing.due import ctr_filings as records
from lakehouse.compliance.filing.filer import FilerSettings
from lakehouse.compliance.filing.identity import Vault
from lakehouse.gold.compliance.ctr_filings import ctr_filings
from lakehouse.regulation.law import load

REFERENCE = Path(__file__).parents[2] / "shared/reference/fincen"
DAY = dt.date(2026, 11, 10)
AT = "2026-11-10T20:00:00-08:00"
VAULT = Vault({p: [(DAY, identity(p, first_name=p))] for p in ("P1", "PA", "PB")})


def form(*transactions: dict) -> etree._Element:
    """The one form that follows from these rows, valid against the schema where it is at hand."""
    found = ctr_filings(
        rows("financial_txn", *transactions),
        rows("gaming_wins"),
        None,
        people("P1", "PA", "PB"),
        days=(DAY, DAY),
        law=load("us-federal"),
        timezone="America/Los_Angeles",
        as_of=dt.datetime(2026, 12, 31, 20, tzinfo=dt.UTC),
    ).collect()
    made = b.ctr_batch(records(found), VAULT, FilerSettings(), filed_on=dt.date(2026, 11, 20))
    if REFERENCE.is_dir():
        b.validate(made.content, REFERENCE / b.SCHEMA_FILES["CTR"])
    (activity,) = etree.fromstring(made.content).findall("{*}Activity")
    return activity


def said(activity: etree._Element) -> tuple[dict, list, list]:
    """Totals; detail lines as (code, amount, country); people as (role, name, in, out)."""
    totals = {
        side: activity.findtext(f".//{{*}}{name}")
        for side, name in (
            ("in", "TotalCashInReceiveAmountText"),
            ("out", "TotalCashOutAmountText"),
        )
    }
    lines = [
        tuple(e.text or "" for e in (d[0], d[1], d[3]))
        for d in activity.iterfind(".//{*}CurrencyTransactionActivityDetail")
    ]
    persons = [
        (
            p.findtext("{*}ActivityPartyTypeCode"),
            p.findtext(".//{*}RawIndividualFirstName"),
            p.findtext("{*}IndividualEntityCashInAmountText"),
            p.findtext("{*}IndividualEntityCashOutAmountText"),
        )
        for p in activity.findall("{*}Party")[5:]
    ]
    return totals, lines, persons


CASES = [
    pytest.param(
        [cash("t1", "CHIP_PURCHASE", AT, "10000.01")],
        {"in": "10001", "out": ""},
        [("18", "10001", "")],
        [("50", "P1", "10001", None)],
        id="one cent over (1021.311)",
    ),
    pytest.param(
        [
            cash("t1", "CHIP_PURCHASE", AT, "6000.40"),
            cash("t2", "FRONT_MONEY_DEPOSIT", AT, "6000.40"),
            cash("t3", "CHIP_REDEMPTION", AT, "9000.00"),
        ],
        {"in": "12001", "out": ""},
        [("18", "6001", ""), ("55", "6001", "")],
        [("50", "P1", "12001", None)],
        id="lines and total rounded up apart; the other side is not over",
    ),
    pytest.param(
        [
            cash("t1", "CHIP_PURCHASE", AT, "6000.00", "PB", on_behalf_of_player_id="PA"),
            cash("t2", "CHIP_PURCHASE", AT, "5000.00", "PA"),
        ],
        {"in": "11000", "out": ""},
        [("18", "11000", "")],
        [("23", "PA", "6000", None), ("50", "PA", "5000", None), ("17", "PB", "6000", None)],
        id="an agent and a principal who also acted alone (1021.313)",
    ),
    pytest.param(
        [cash("t1", "CURRENCY_EXCHANGE", AT, "10300.00", currency="EUR", currency_country="DE")],
        {"in": "10300", "out": "10300"},
        [("14", "10300", ""), ("15", "10300", ""), ("53", "10300", "DE")],
        [("50", "P1", "10300", "10300")],
        id="euros in, dollars out (1021.311(a)(8), (b)(8))",
    ),
]


@pytest.mark.parametrize(("transactions", "totals", "lines", "persons"), CASES)
def test_the_form_says_what_the_law_derives(transactions, totals, lines, persons) -> None:
    assert said(form(*transactions)) == (totals, lines, persons)
