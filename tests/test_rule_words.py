"""Each rule is explained where it is met: a sentence, the value, the file and the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.contracts import contract, contracts
from lakehouse.ingest.files.delimited import RULES
from lakehouse.ingest.files.evidence import form_of
from lakehouse.quality.rule_words import explained, in_words, known_rules
from lakehouse.storage import Lake
from tests.landed import CAGE, cage_csv, cage_row, drop, mapped, up_to_silver
from tests.test_rejection import WHOLE, lake, said, whole_lake  # noqa: F401

PROFILES = "player_profile"
RAW = ("--raw", "--purpose", "mend the export")


@pytest.mark.parametrize("name", contracts())
def test_every_rule_of_a_contract_says_what_must_hold(name: str) -> None:
    c = contract(name)
    rules = known_rules(c)
    assert [r for r in rules if explained(c, r) is None] == []
    declared = [r for r in rules if "|" not in r and hasattr(c.schema, r)]
    assert [r for r in declared if not getattr(c.schema, r).validation_fn.__doc__] == []


@pytest.mark.parametrize("kind", [*filter(None, RULES), "not_json", "field_named_twice"])
def test_damage_of_a_whole_row_is_explained(kind: str) -> None:
    assert explained(contract(CAGE), f"_row|{kind}") is not None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("amount|min", "amount is under 0"),
        ("amount|not_a_number", "amount has letters, or separators that cannot stand there"),
        ("player_id|orphan", "player_profile has no such player_id"),
        ("shift|domain", "shift is none of Day, Swing, Grave"),
        ("transaction_timestamp|missing", "transaction_timestamp is empty"),
        ("_row|too_few_fields", "the row has fewer fields than the header"),
        ("_row|no_rows_inside", "the object has no array where the mapping says that its rows are"),
        ("amount|divided_by_zero", "the mapping's expression for amount divides by zero"),
        ("amount|no_rate", "the mapping has no rate of that currency for the day"),
        (
            "business_date|read_in_two_ways",
            "two forms of the mapping read business_date as different times",
        ),
        (
            "amount|unreadable",
            "what the mapping's expression for amount reads is in another form, or there is no "
            "such day or time",
        ),
        (
            "where|not_a_number",
            "what the mapping's where reads has letters, or separators that cannot stand there",
        ),
        ("key_clash", "another row has the same key (transaction_id) and other content"),
        (
            "marker_is_named",
            "it is not so that a MARKER_ISSUE or MARKER_PAYMENT row names its marker",
        ),
    ],
)
def test_a_rule_in_words(rule: str, words: str) -> None:
    assert in_words(contract(CAGE), rule) == words


@pytest.mark.parametrize("rule", ["amount|regex", "amount|domain", "shift|min", "nope|min", "nope"])
def test_a_rule_that_a_table_has_not_is_not_explained(rule: str) -> None:
    assert explained(contract(CAGE), rule) is None


def test_describe_explains_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "describe", "--rule", "patron_is_of_age")
    assert told.splitlines() == [
        "rule       patron_is_of_age, of player_profile",
        "holds      A patron was born 18 years or more before the gaming day of the extract",
        "broken by  it is not so that a patron was born 18 years or more before the gaming day of "
        "the extract",
        "mend       mend date_of_birth, gaming_day in the file, or in the mapping, and read it "
        "again",
        "",
    ]
    told = said(capsys, "describe", CAGE, "--rule", "amount|more_than_two_decimals")
    assert "holds      amount has at most two decimals: money is never rounded\n" in told
    assert "mend       say in the mapping how the file writes it (unit, decimal_comma)" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rule", "patron_is_of_ag"], "no table has a rule 'patron_is_of_ag'; such as patron_is"),
        ([CAGE, "--rule", "patron_is_of_age"], "financial_txn has no rule 'patron_is_of_age'; "),
        ([], "Missing argument 'TABLE', such as gold.player_value, or a rule with --rule"),
    ],
)
def test_describe_refuses_what_is_no_rule(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert told in said(capsys, "describe", *arguments, status=2)


def ingested(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    """Two files of two days, five rows of each rejected for three causes, by silver and before."""
    mapped(lake, WHOLE)
    for day, name in ((5, "a"), (7, "b")):
        rows = [cage_row(n, "-5.00") for n in (2, 3, 4)] + [cage_row(5, '"1,5"')]
        text = cage_csv(cage_row(1), *rows, "t6").replace("2025-01-05", f"2025-01-{day:02}")
        drop(lake, f"{CAGE}/{name}.csv", text.replace("\nt", f"\n{name}"))
    said(capsys, "ingest", status=1)


@pytest.mark.slow
def test_the_list_is_by_cause_and_the_rows_have_value_file_and_line(
    lake: Lake,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    ingested(lake, capsys)
    assert cli.run(["quarantine", "list", "-o", "json"]) == 0
    done = capsys.readouterr()
    assert "lakehouse describe --rule 'RULE'" in done.err
    found = json.loads(done.out)
    told = [(r["rule"], r["stage"], r["rows"], r["days"], len(r["sources"])) for r in found]
    assert told == [
        ("amount|min", "silver", 6, 2, 2),
        ("_row|too_few_fields", "ingest", 2, 1, 2),
        ("amount|not_a_number", "ingest", 2, 2, 2),
    ]
    assert (found[0]["because"], found[0]["first_day"]) == ("amount is under 0", "2025-01-05")
    assert found[0]["sources"] == [f"{CAGE}/a.csv", f"{CAGE}/b.csv"]
    assert "financial_txn/a.csv and 1 more" in said(capsys, "quarantine", "list", "-o", "csv")
    out = said(capsys, "quarantine", "show", CAGE, "-o", "csv", "--from", "2025-01-07")
    rows = out.splitlines()[1:]
    silver = (
        "2025-01-07,b2,silver,amount is under 0,amount = -5.00,amount|min,financial_txn/b.csv,3"
    )
    assert rows[0] == silver
    assert [row.rpartition(",")[2] for row in rows[:4]] == ["3", "4", "5", "6"]
    assert '"amount = 9,9"' in rows[3]  # landed text is told by its form
    assert "1,5" not in out
    said(capsys, "access", "init")
    told = said(capsys, "quarantine", "show", CAGE, *RAW, "--rule", "not_a_number", "-o", "csv")
    assert '"amount = 1,5"' in told


@pytest.mark.slow
def test_personal_values_are_not_shown_without_the_grant(
    whole_lake: Lake,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    up_to_silver(monkeypatch, PROFILES)
    text = "player_id,gaming_day,date_of_birth,first_name\nP1,2025-01-05,2019-02-03,Zoe\n"
    drop(whole_lake, f"{PROFILES}/a.csv", text + "P2,2025-01-05,3 Feb 1980,Ann\n")
    said(capsys, "ingest", status=1)
    told = said(capsys, "quarantine", "show", PROFILES, "-o", "csv")
    assert "date_of_birth = (personal)" in told
    assert not any(value in told for value in ("2019", "Zoe", "1980", "Feb", "Ann"))
    said(capsys, "access", "init")
    told = said(capsys, "quarantine", "show", PROFILES, "-o", "csv", *RAW)
    assert "date_of_birth = 2019-02-03" in told
    assert "date_of_birth = 3 Feb 1980" in told


@pytest.mark.slow
def test_a_file_that_is_gone_leaves_the_line_open(
    lake: Lake,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    ingested(lake, capsys)
    (Path(lake.root) / f"landing/{CAGE}/b.csv").write_text("another\n")
    told = said(capsys, "quarantine", "show", CAGE, "-o", "csv", "--rule", "amount|min")
    assert [row.rpartition(",")[2] for row in told.splitlines()[1:]] == ["3", "4", "5", "", "", ""]


def test_the_form_of_a_text_tells_nothing_of_it() -> None:
    assert form_of("1.234,50 € Élan") == "9.999,99 € aaaa"
