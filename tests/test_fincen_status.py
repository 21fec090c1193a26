"""Which filings are to go, and where those that went stand."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from filing_lake import case_row, frame

from lakehouse.compliance import review_cases
from lakehouse.compliance.filing import acknowledgement as ack
from lakehouse.compliance.filing.due import sar_filings
from lakehouse.compliance.filing.status import status
from lakehouse.contracts import contract
from lakehouse.errors import BadInput

START = dt.datetime(2026, 11, 20, 18, tzinfo=dt.UTC)
END = START + dt.timedelta(days=365)
ZONE = "America/Los_Angeles"


def hours(n: float) -> dt.datetime:
    return START + dt.timedelta(hours=n)


def exports(*rows: tuple[str, float, bool]) -> pl.DataFrame:
    """(batch, hours after the start, production) of the one filing F."""
    return pl.DataFrame(
        [[b, 1, "CTR", "F", hours(h), "ada", p, 10_001, b * 32] for b, h, p in rows],
        schema=contract("filing_exports").bronze_schema(),
        orient="row",
    )


def answers(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """(batch, answer, hours after the start)."""
    return pl.DataFrame(
        [
            [b, "F", "CTR", said, None if said == "Rejected" else f"bsa-{b}", [], hours(h)]
            for b, said, h in rows
        ],
        schema=contract("filing_acknowledgements").bronze_schema(),
        orient="row",
    )


TODAY = dt.date(2026, 11, 20)
CASES = [
    pytest.param([("b1", 0, True)], [], ("b1", "Exported", None, "b1"), id="sent"),
    pytest.param(
        [("b1", 0, True)],
        [("b1", "Accepted", 1)],
        ("b1", "Accepted", TODAY, "b1"),
        id="accepted",
    ),
    pytest.param(
        [("b1", 0, True)],
        [("b1", "Rejected", 1), ("b1", "Accepted with warnings", 2)],
        ("b1", "Accepted with warnings", TODAY, "b1"),
        id="the last answer holds",
    ),
    pytest.param(
        [("b1", 0, True), ("b2", 2, True)],
        [("b1", "Rejected", 1)],
        ("b2", "Exported", None, "b2"),
        id="sent again after a rejection",
    ),
    pytest.param(
        [("b1", 0, True), ("b2", 2, True)],
        [("b1", "Accepted", 1)],
        ("b1", "Accepted", TODAY, "b2"),
        id="a correction on its way does not undo what was accepted, yet its facts count",
    ),
    pytest.param(
        [("b1", 0, True), ("b2", 2, True)],
        [("b1", "Accepted", 1), ("b2", "Rejected", 3)],
        ("b1", "Accepted", TODAY, "b1"),
        id="a rejected correction leaves the accepted facts",
    ),
    pytest.param(
        [("b1", 0, True), ("b2", 2, False)],
        [("b2", "Accepted", 3)],
        ("b1", "Exported", None, "b1"),
        id="a test never stands before a production batch",
    ),
    pytest.param(
        [("b1", 0, False)], [("b1", "Accepted", 1)], ("b1", "Accepted", None, "b1"), id="a test"
    ),
    pytest.param(
        # 18:00 UTC and 13 hours: 23:00 at the property, still the 20th; an hour later the 21st.
        [("b1", 13, True)],
        [("b1", "Accepted", 20)],
        ("b1", "Accepted", TODAY, "b1"),
        id="the day of filing is the property's",
    ),
]


@pytest.mark.parametrize(("sent", "said", "expected"), CASES)
def test_a_filing_stands_where_its_batches_and_answers_put_it(sent, said, expected) -> None:
    (row,) = status(exports(*sent), answers(*said), END, ZONE).iter_rows(named=True)
    batch, state, filed_on, facts = expected
    assert (row["batch_id"], row["status"], row["filed_on"]) == (batch, state, filed_on)
    assert row["facts"] == facts * 32


def test_what_was_not_yet_known_does_not_count() -> None:
    sent, said = exports(("b1", 1, True)), answers(("b1", "Accepted", 5))
    seen = [status(sent, said, hours(h), ZONE) for h in (0, 2, 6)]
    assert [s["status"].to_list() for s in seen] == [[], ["Exported"], ["Accepted"]]


def worked(*cases: dict, decisions: list[tuple]) -> pl.DataFrame:
    log = pl.concat(
        [
            review_cases.decision(case, kind, who="ada", at=hours(n), **given)
            for n, (case, kind, given) in enumerate(decisions)
        ]
    )
    nothing = status(exports(), answers(), END, ZONE)
    rows = frame("restricted", "sar_cases", list(cases))
    return review_cases.worklist(rows, log, nothing, as_of=END, today=END.date())


INTO_A = ("B", "merge", {"merged_into": "A"})


@pytest.mark.parametrize(
    ("rows_of_b", "amount"),
    [
        ([("B1", 0)], 28_500 + 6_001),
        ([("A1", 0), ("B1", 0)], 28_500),
        ([("A1", 24)], 28_500 + 6_001),
    ],
    ids=["other rows add up", "shared rows count once", "a number of another day is another row"],
)
def test_a_dollar_of_merged_cases_is_reported_once(rows_of_b, amount) -> None:
    b = case_row("B", "P2", amount=Decimal("6000.01"), transaction_ids=[r for r, _ in rows_of_b])
    (one,) = b["evidence"]
    later = {n: one["at"] + dt.timedelta(hours=n) for _, n in rows_of_b}
    b["evidence"] = [one | {"record_id": r, "at": later[n]} for r, n in rows_of_b]
    cases = worked(case_row("A", "P1"), b, decisions=[INTO_A, ("A", "file", {})])
    (filing,) = sar_filings(cases)
    assert filing.amount == amount
    assert filing.player_ids == ("P1", "P2")
    assert filing.narrative == "Facts of case A. Facts of case B."


@pytest.mark.parametrize(
    "decisions",
    [[INTO_A], [("A", "no_file", {"reason": "x"})], [("A", "escalate", {"assignee": "dee"})]],
)
def test_a_case_goes_only_when_an_officer_decided_to_file(decisions) -> None:
    assert sar_filings(worked(case_row("A", "P1"), case_row("B", "P2"), decisions=decisions)) == []


def test_an_unknown_suspect_has_no_person_on_the_form() -> None:
    (filing,) = sar_filings(worked(case_row("C", None), decisions=[("C", "file", {})]))
    assert filing.player_ids == ()


def test_an_acknowledgement_is_matched_by_its_length_or_by_name() -> None:
    one = ack.Answer("31000000000001", (), refused=False)
    sent = exports(("b1", 0, True), ("b2", 1, True))
    assert ack.match([one], sent, "b2")["batch_id"].to_list() == ["b2"]
    with pytest.raises(BadInput, match="2 exported batches have 1 filings; name one with --batch"):
        ack.match([one], sent, None)
    with pytest.raises(BadInput, match="no exported batch 'b2' with 2 filings"):
        ack.match([one, one], sent, "b2")


def test_warnings_are_told_and_errors_reject() -> None:
    content = b"""<EFilingBatchXML StatusCode="A" xmlns="www.fincen.gov/base">
      <EFilingSubmissionXML StatusCode="A">
        <EFilingActivityXML><BSAID>31000000000001</BSAID><EFilingActivityErrorXML>
          <ErrorElementNameText>RawZIPCode</ErrorElementNameText>
          <ErrorLevelText>WARN</ErrorLevelText><ErrorText>Odd format.</ErrorText>
          <ErrorTypeCode>F18</ErrorTypeCode></EFilingActivityErrorXML></EFilingActivityXML>
        <EFilingActivityXML><BSAID/><EFilingActivityErrorXML>
          <ErrorLevelText>FATAL</ErrorLevelText></EFilingActivityErrorXML></EFilingActivityXML>
      </EFilingSubmissionXML></EFilingBatchXML>"""
    warned, refused = ack.read(content)
    assert (warned.said, warned.bsa_id) == ("Accepted with warnings", "31000000000001")
    assert warned.messages == ("WARN F18 RawZIPCode Odd format.",)
    assert (refused.said, refused.bsa_id) == ("Rejected", None)


def test_an_acknowledgement_reads_no_other_file() -> None:
    content = b"""<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>
      <EFilingBatchXML><EFilingSubmissionXML><EFilingActivityXML><BSAID>&e;</BSAID>
      </EFilingActivityXML></EFilingSubmissionXML></EFilingBatchXML>"""
    (answer,) = ack.read(content)
    assert (answer.bsa_id, answer.said) == (None, "Rejected")
