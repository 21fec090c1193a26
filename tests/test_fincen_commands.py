"""Filings and cases through the command line, on a small lake."""

import datetime as dt
import itertools
import json
import shutil
from pathlib import Path

import pytest
from filing_lake import case_row, ctr_row, make, write
from lxml import etree

from lakehouse.cli import run
from lakehouse.commands import caller
from lakehouse.compliance import access_log
from lakehouse.compliance.filing.filer import FilerSettings, fictitious_fields
from lakehouse.storage import Lake

REFERENCE = Path(__file__).parents[2] / "shared/reference/fincen"
REAL = {
    "NAME": "Demo Casino LLC",
    "TIN": "900000001",
    "TRANSMITTER_CONTROL_CODE": "PTCC0000",
    "STREET": "1 Casino Way",
    "CITY": "Reno",
    "ZIP_CODE": "89501",
    "PHONE": "7755550123",
}
PERIOD = ("--from", "2026-11-18", "--to", "2026-11-18")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Made once and copied for each test."""
    root = tmp_path_factory.mktemp("made") / "lake"
    make(str(root))
    return root


@pytest.fixture
def lake(made, tmp_path, monkeypatch) -> Lake:
    shutil.copytree(made, tmp_path / "lake")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    minutes = itertools.count()
    start = dt.datetime(2026, 11, 20, 18, tzinfo=dt.UTC)
    monkeypatch.setattr(caller, "now", lambda: start + dt.timedelta(minutes=next(minutes)))
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def real_filer(monkeypatch) -> None:
    for name, value in REAL.items():
        monkeypatch.setenv(f"LAKEHOUSE_FILER__{name}", value)


def export(*more: str, form: str = "ctr", out: str = "batch.xml") -> int:
    return run(["filings", "export", "--type", form, *PERIOD, "--out", out, *more])


def answer(*bsa_ids: str | None, level: str = "WARN") -> None:
    activities = "".join(
        f"<EFilingActivityXML SeqNum='{n}'>"
        + (f"<BSAID>{b}</BSAID><EFilingActivityErrorXML SeqNum='9'/>" if b else "")
        + (
            ""
            if b
            else "<EFilingActivityErrorXML><ErrorLevelText>ERROR</ErrorLevelText>"
            "<ErrorText>bad</ErrorText></EFilingActivityErrorXML>"
        )
        + "</EFilingActivityXML>"
        for n, b in enumerate(bsa_ids)
    )
    Path("ack.xml").write_text(
        f"<EFilingBatchXML StatusCode='A'><EFilingSubmissionXML StatusCode='A'>{activities}"
        "</EFilingSubmissionXML></EFilingBatchXML>"
    )


def listed(capsys, *more: str) -> dict:
    capsys.readouterr()
    assert run(["cases", "list", "--format", "json", *more]) == 0
    return {c["case_id"]: c for c in json.loads(capsys.readouterr().out)}


class TestExport:
    def test_a_test_batch_is_written_privately_and_says_so(self, lake, capsys) -> None:
        assert export() == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert "test batch" in said.err
        assert "2 CTRs, 24,802 USD, not validated: name --xsd -> batch.xml" in said.err
        assert Path("batch.xml").stat().st_mode & 0o777 == 0o600
        root = etree.parse("batch.xml").getroot()
        assert (root.get("TotalAmount"), root.get("ActivityCount")) == ("24802", "2")

    @pytest.mark.skipif(not REFERENCE.is_dir(), reason="FinCEN's schemas are not at hand")
    def test_it_is_validated_by_file_or_folder_or_setting(self, lake, capsys, monkeypatch) -> None:
        assert export("--xsd", str(REFERENCE)) == 0
        assert export("--xsd", str(REFERENCE / "EFL_CTRXBatchSchema.xsd")) == 0
        monkeypatch.setenv("LAKEHOUSE_FILER__SCHEMAS", str(REFERENCE))
        assert export() == 0
        assert capsys.readouterr().err.count("valid against the schema") == 3
        assert export("--xsd", str(REFERENCE / "EFL_SARXBatchSchema.xsd"), out="x.xml") == 1
        assert "breaks EFL_SARXBatchSchema.xsd" in capsys.readouterr().err
        assert not Path("x.xml").exists()

    def test_a_side_under_the_threshold_is_left_out_with_its_lines(self, lake) -> None:
        export()
        codes = etree.parse("batch.xml").findall(".//{*}CurrencyTransactionActivityDetailTypeCode")
        assert [c.text for c in codes] == ["18", "55", "53"] * 2
        assert etree.parse("batch.xml").find(".//{*}IndividualEntityCashOutAmountText") is None

    def test_an_incomplete_identity_holds_the_batch_or_is_left_out(self, lake, capsys) -> None:
        write(lake, "gold", "ctr_filings", [ctr_row("P1"), ctr_row("P3")])
        assert export() == 1
        message = capsys.readouterr().err
        assert message == "lakehouse: 1 of 2 CTRs are blocked: CTR-2026-11-18-P3: P3 lacks tin\n"
        assert not Path("batch.xml").exists()
        assert export("--skip-blocked") == 0
        assert "1 CTRs, 12,401 USD" in capsys.readouterr().err

    def test_production_is_refused_while_the_filer_is_fictitious(self, lake, capsys) -> None:
        assert export("--production") == 2
        assert "LAKEHOUSE_FILER__TIN" in capsys.readouterr().err
        assert not Path("batch.xml").exists()
        assert access_log.read(lake).height == 0

    def test_what_was_sent_is_not_sent_twice_by_accident(self, lake, real_filer, capsys) -> None:
        assert export("--production") == 0
        assert export("--production") == 2
        assert "no CTR to export" in capsys.readouterr().err
        assert export("--production", "--again") == 0
        answer("31000000000001", None)
        assert run(["filings", "acknowledge", "ack.xml"]) == 0
        assert export("--production", "--again") == 0
        assert "1 CTRs, 12,401 USD" in capsys.readouterr().err.splitlines()[-1]

    @pytest.mark.slow
    def test_late_rows_make_a_correction_of_what_was_accepted(
        self, lake, real_filer, capsys
    ) -> None:
        export("--production")
        answer("31000000000001", "31000000000002")
        run(["filings", "acknowledge", "ack.xml"])
        assert export("--production", "--amend") == 2
        late = ctr_row("P1", cash_in=12_501)
        late["details"] = [{"direction": "in", "code": "18", "amount": 12_501}]
        write(lake, "gold", "ctr_filings", [late, ctr_row("P2")])
        assert export("--production") == 2
        assert export("--production", "--amend") == 0
        root = etree.parse("batch.xml").getroot()
        assert root.get("TotalAmount") == "12501"
        (activity,) = root.findall("{*}Activity")
        assert activity[0].text == "31000000000001"
        assert activity.findtext(".//{*}CorrectsAmendsPriorReportIndicator") == "Y"
        assert not activity.findtext(".//{*}InitialReportIndicator")
        assert export("--production", "--amend") == 2
        answer("31000000000003")
        run(["filings", "acknowledge", "ack.xml"])
        assert export("--production", "--amend") == 2

    def test_every_export_is_in_the_access_log_first(self, lake) -> None:
        export()
        export(form="sar")
        rows = access_log.read(lake)
        assert rows["purpose"].to_list() == ["FinCEN CTR export", "FinCEN SAR export"]
        assert access_log.verify(rows) == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--from", "2026-11-19", "--to", "2026-11-18"], "--to 2026-11-18 is before --from"),
            (["--from", "18.11.2026", "--to", "2026-11-18"], "--from '18.11.2026' is no day"),
            (["--from", "2026-11-19", "--to", "2026-11-20"], "no CTR to export for 2026-11-19"),
        ],
    )
    def test_bad_input_is_one_line(self, lake, capsys, arguments, said) -> None:
        status = run(["filings", "export", "--type", "ctr", *arguments, "--out", "b.xml"])
        message = capsys.readouterr().err
        assert (status, message.count("\n")) == (2, 1)
        assert said in message


class TestAcknowledgement:
    def test_it_sets_each_filing_status_by_position(self, lake, real_filer, capsys) -> None:
        export("--production")
        answer("31000000000001", None)
        assert run(["filings", "acknowledge", "ack.xml"]) == 0
        assert run(["filings", "acknowledge", "ack.xml"]) == 0
        assert lake.scan("restricted", "filing_acknowledgements").collect().height == 2
        capsys.readouterr()
        assert run(["filings", "list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        first = next(line for line in lines if "P1" in line)
        second = next(line for line in lines if "P2" in line)
        assert "Accepted" in first
        assert "31000000000001" in first
        assert "Rejected" in second

    def test_a_refused_batch_rejects_all_its_filings(self, lake, real_filer, capsys) -> None:
        export("--production")
        Path("ack.xml").write_text(
            "<EFilingBatchXML StatusCode='R'><EFilingSubmissionXML StatusCode='R'/>"
            "</EFilingBatchXML>"
        )
        assert run(["filings", "acknowledge", "ack.xml"]) == 0
        assert "Rejected: 2" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("no xml", "the acknowledgement is not XML"),
            ("<a/>", "expected EFilingBatchXML"),
            ("<EFilingBatchXML><EFilingSubmissionXML/></EFilingBatchXML>", "neither answers"),
            (None, "cannot read"),
        ],
    )
    def test_another_file_is_refused(self, lake, capsys, content, said) -> None:
        if content is not None:
            Path("ack.xml").write_text(content)
        assert run(["filings", "acknowledge", "ack.xml"]) == 2
        assert said in capsys.readouterr().err

    def test_an_answer_of_another_length_matches_no_batch(self, lake, capsys) -> None:
        export()
        answer("31000000000001")
        assert run(["filings", "acknowledge", "ack.xml"]) == 2
        assert "0 exported batches have 1 filings" in capsys.readouterr().err


class TestCases:
    @pytest.mark.slow
    def test_a_case_from_detection_to_acceptance(self, lake, real_filer, capsys) -> None:
        assert {c["state"] for c in listed(capsys).values()} == {"open"}
        assert run(["cases", "assign", "A", "--to", "bo"]) == 0
        assert run(["cases", "decide", "B", "merge", "--into", "A"]) == 0
        assert run(["cases", "decide", "C", "no-file", "--reason", "a known tourist"]) == 0
        assert export("--production", form="sar") == 2
        assert run(["cases", "decide", "A", "file"]) == 0
        capsys.readouterr()
        assert export("--production", form="sar") == 1
        assert "1 of 1 SARs are blocked: A: its narrative is a draft" in capsys.readouterr().err
        Path("a.txt").write_text("The patron came\nthree times.")
        assert run(["cases", "decide", "A", "file", "--narrative", "a.txt"]) == 0
        states = {k: c["state"] for k, c in listed(capsys).items()}
        assert states == {"A": "to_file", "B": "merged", "C": "no_file"}

        assert export("--production", form="sar") == 0
        root = etree.parse("batch.xml").getroot()
        # 28,500.00 and 6,000.01 rest on different rows: 28,500 + 6,001.
        assert root.get("TotalAmount") == "34501"
        codes = root.findall(".//{*}SuspiciousActivitySubtypeID")
        assert [c.text for c in codes] == ["114", "1202"]
        assert root.findtext(".//{*}ActivityNarrativeText") == "The patron came three times."
        answer("31000000000009")
        assert run(["filings", "acknowledge", "ack.xml"]) == 0
        case = listed(capsys)["A"]
        assert (case["state"], case["assignee"], case["days_left"]) == ("filed", "bo", None)

    def test_a_test_batch_files_nothing(self, lake, capsys) -> None:
        run(["cases", "decide", "A", "file"])
        assert export(form="sar") == 0
        answer("31000000000009")
        assert run(["filings", "acknowledge", "ack.xml"]) == 0
        assert listed(capsys)["A"]["state"] == "to_file"

    def test_the_past_is_seen_as_it_was(self, lake, capsys) -> None:
        run(["cases", "decide", "A", "file"])
        assert listed(capsys, "--as-of", "2026-11-19T12:00:00Z")["A"]["state"] == "open"
        assert listed(capsys, "--as-of", "2026-11-10T12:00:00Z") == {}

    def test_the_audit_has_each_decision_before_it_is_noted(self, lake, capsys) -> None:
        assert run(["cases", "decide", "A", "file"]) == 0
        assert run(["cases", "assign", "Z", "--to", "bo"]) == 2
        looks = access_log.read(lake).tail(2).select("purpose", "query")
        assert looks.rows() == [
            ("work on review cases", "decide file on review case A"),
            ("work on review cases", "decide assign on review case Z"),
        ]

    def test_show_tells_facts_evidence_narrative_and_decisions(self, lake, capsys) -> None:
        run(["cases", "decide", "A", "escalate", "--to", "dee", "--reason", "large"])
        capsys.readouterr()
        assert run(["cases", "show", "A"]) == 0
        shown = capsys.readouterr().out
        for part in ("escalated", "chips for cash", "Facts of case A.", "dee", "large"):
            assert part in shown
        assert run(["cases", "show", "A", "--format", "json"]) == 0
        (whole,) = json.loads(capsys.readouterr().out)
        assert whole["decisions"][0]["decision"] == "escalate"

    def test_the_calendar_lists_what_is_next(self, lake, capsys) -> None:
        run(["cases", "decide", "B", "no_file", "--reason", "explained"])
        capsys.readouterr()
        assert run(["cases", "calendar", "--format", "csv"]) == 0
        rows = capsys.readouterr().out.splitlines()
        assert rows[1:] == ["A,decide,2026-12-18,", "C,decide,2027-01-17,"]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["show", "Z"], "unknown case 'Z'"),
            (["decide", "A", "no_file"], "needs 'reason'"),
            (["decide", "A", "close"], "unknown decision 'close'"),
            (["decide", "A", "merge", "--into", "A"], "cannot be merged into itself"),
            (["decide", "A", "file", "--narrative", "absent.txt"], "cannot read the narrative"),
            (["assign", "Z", "--to", "bo"], "unknown case 'Z'"),
            (["list", "--state", "shut"], "unknown state 'shut'; allowed: open"),
        ],
    )
    def test_bad_input_is_one_line(self, lake, capsys, arguments, said) -> None:
        status = run(["cases", *arguments])
        message = capsys.readouterr().err
        assert (status, message.count("\n")) == (2, 1)
        assert said in message

    @pytest.mark.slow
    def test_once_the_zone_is_locked_the_key_is_needed(self, lake, capsys) -> None:
        assert run(["access", "init"]) == 0
        assert set(listed(capsys)) == {"A", "B", "C"}
        Path("lake.keys/restricted-key").unlink()
        for command in (
            ["cases", "list"],
            ["cases", "decide", "A", "file"],
            ["filings", "list", "--type", "sar"],
            ["filings", "export", "--type", "sar", *PERIOD, "--out", "b.xml"],
        ):
            assert run(command) == 2
            assert "needs the key file" in capsys.readouterr().err
        assert export() == 0

    def test_a_decided_case_that_late_rows_removed_is_told(self, lake, capsys) -> None:
        run(["cases", "decide", "A", "file"])
        write(lake, "restricted", "sar_cases", [case_row("B", "P2")])
        capsys.readouterr()
        assert run(["cases", "list"]) == 0
        assert "no longer derived from the rows: A" in capsys.readouterr().err

    def test_every_look_is_in_the_access_log(self, lake, capsys) -> None:
        listed(capsys)
        run(["cases", "show", "A"])
        assert access_log.read(lake)["query"].to_list() == ["cases list", "cases show A"]


def test_the_defaults_are_all_fictitious_and_the_real_ones_none() -> None:
    assert fictitious_fields(FilerSettings()) == [
        "name", "tin", "transmitter_control_code", "street", "city", "zip_code", "phone",
    ]  # fmt: skip
    real = FilerSettings(**{k.lower(): v for k, v in REAL.items()})
    assert fictitious_fields(real) == []
