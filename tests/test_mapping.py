"""Mappings: read strictly, applied to names, and proposed for foreign files."""

from pathlib import Path

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.columns import match_columns, our_columns
from lakehouse.ingest.files.inference import infer
from lakehouse.ingest.files.mapping import Mapping, checked_mapping, mapping_from_text
from lakehouse.ingest.files.mapping_files import load_mapping, mapping_of
from lakehouse.ingest.files.rows import LINE
from tests.landed import CAGE, drop, lake_at, take_in

EXAMPLES = Path(__file__).parent.parent / "examples"
ZONE = "America/Los_Angeles"


def mapped(mapping: dict[str, object], rows: dict[str, list[str | None]]) -> pl.DataFrame:
    c = contract(CAGE)
    used = checked_mapping(mapping, CAGE, "test")
    frame = pl.DataFrame({**rows, LINE: list(range(len(next(iter(rows.values())))))})
    match = match_columns(c, used, list(rows))
    return our_columns(frame, c, used, match, {})


@pytest.mark.parametrize(
    ("column", "rule", "given", "wanted"),
    [
        ("notes", {"from": "Remark"}, {"Remark": ["x"]}, ["x"]),
        ("notes", {}, {" NOTES ": ["x"]}, ["x"]),  # case and outer blanks do not matter
        ("notes", {"constant": "web"}, {"a": ["x", "y"]}, ["web", "web"]),
        ("ctr_filed", {"constant": False}, {"a": ["x"]}, ["false"]),
        (
            "payment_method",
            {"codes": {"1": "Cash"}},
            {"payment_method": ["1", "2", None]},
            ["Cash", "2", None],
        ),
        ("player_id", {"from": "Card", "prefix": "NV-"}, {"Card": ["7", None]}, ["NV-7", None]),
        ("notes", {}, {"other": ["x"]}, [None]),
    ],
)
def test_a_column_comes_from_where_the_mapping_says(
    column: str, rule: dict[str, object], given: dict[str, list[str | None]], wanted: list[object]
) -> None:
    assert mapped({"columns": {column: rule}}, given)[column].to_list() == wanted


def test_texts_that_stand_for_nothing_are_null() -> None:
    found = mapped({"nulls": ["NULL", "N/A"]}, {"notes": ["NULL", " N/A ", "x"]})
    assert found["notes"].to_list() == [None, None, "x"]


def test_columns_that_nothing_takes_are_named_but_for_provenance() -> None:
    match = match_columns(contract(CAGE), Mapping(), ["amount", "extra", "_source"])
    assert match.taken == {"amount": "amount"}
    assert match.ignored == ["extra"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[columns.amonut]\nfrom = 'x'", "financial_txn has no column amonut; it has"),
        ("[columns._source]\nfrom = 'x'", "has no column _source"),
        ("[columns.amount]\nunit = 'euros'", "columns.amount.unit: Input should be 'cents'"),
        ("[columns.amount]\nfrom = 'x'\nconstant = 1", "either from or constant"),
        ("delimiter = 'ab'", "one ASCII character"),
        ("encoding = 'klingon'", "is no encoding"),
        ("timezone = 'Mars/Base'", "is no time zone"),
        ("table = 'compliance'", "is for table 'compliance', not 'financial_txn'"),
        ("colums = 1", "Extra inputs are not permitted"),
        ("not toml", "mapping"),
    ],
)
def test_a_wrong_mapping_is_one_line_that_names_the_entry(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said) as caught:
        load_mapping(path, CAGE)
    assert "\n" not in str(caught.value)


def test_a_mapping_survives_the_ledger() -> None:
    mapping = load_mapping(EXAMPLES / "mappings/web_shop.toml", CAGE)
    assert mapping_from_text(mapping.text(), CAGE) == mapping


def test_the_nearest_mapping_holds(tmp_path: Path) -> None:
    top = tmp_path / CAGE
    (top / "deep").mkdir(parents=True)
    file = top / "deep" / "a.csv"
    assert mapping_of(file, top, CAGE) == Mapping()
    for path, mark in (
        ("mapping.toml", ";"),
        ("deep/mapping.toml", "|"),
        ("deep/a.csv.mapping.toml", "~"),
    ):
        (top / path).write_text(f"delimiter = '{mark}'")
        assert mapping_of(file, top, CAGE).delimiter == mark


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "data", "mapping", "wanted"),
    [
        (
            "slot_telemetry",
            "slot_accounting.csv",
            "slot_accounting.toml",
            [
                ("100001", "NV-7001", "5.00"),
                ("100002", "NV-7001", "12.50"),
                ("100003", None, "0.88"),
            ],
        ),
        (
            "financial_txn",
            "web_shop.ndjson",
            "web_shop.toml",
            [("w-1", "WEB-81", "2500.00"), ("w-3", "WEB-82", "100.50")],
        ),
    ],
)
def test_the_shipped_examples_land(
    tmp_path: Path, table: str, data: str, mapping: str, wanted: list[tuple[str, ...]]
) -> None:
    lake, settings = lake_at(tmp_path)
    path = drop(lake, f"{table}/{data}", (EXAMPLES / "data" / data).read_bytes())
    beside = path.with_name(f"{data}.mapping.toml")
    beside.write_bytes((EXAMPLES / "mappings" / mapping).read_bytes())
    (done,) = take_in(lake, settings).outcomes
    assert (done.quarantine_rows, {str(d) for d in done.days}) == (1, {"2025-01-05"})
    key = contract(table).key[0]
    money = {"slot_telemetry": "coin_in", "financial_txn": "amount"}[table]
    rows = lake.scan("bronze", table, columns=[key, "player_id", money]).collect().sort(key)
    assert [(k, p, str(m)) for k, p, m in rows.rows()] == wanted


def test_a_mapping_is_proposed_from_header_and_sample() -> None:
    proposed = infer(EXAMPLES / "data/slot_accounting.csv", None, timezone=ZONE)
    assert proposed.table == "slot_telemetry"
    assert 'delimiter = ";"' in proposed.toml
    for lines in (
        '[columns.machine_id]\nfrom = "MachNo"',
        '[columns.coin_in]\nfrom = "CoinInCents"\nunit = "cents"',
        f'format = "%m/%d/%Y %I:%M:%S %p"\ntimezone = "{ZONE}"',
        '[columns.zone]\nfrom = "Area"\ncodes = { N = "North", P = "Penny" }',
        '[columns.machine_type]\nfrom = "Class"\n# codes = { "R" = "?", "V" = "?" }',
        '[columns.location_id]\nfrom = "FloorLoc"',
    ):
        assert lines in proposed.toml
    said = "coin_out is set aside: a trial reading rejects 25% of the sample: "
    assert f"{said}more_than_two_decimals" in proposed.unmatched
    assert any("for manufacturer, which" in line for line in proposed.unmatched)


def test_a_proposed_mapping_can_be_read_back(tmp_path: Path) -> None:
    for name in ("slot_accounting.csv", "web_shop.ndjson"):
        proposed = infer(EXAMPLES / "data" / name, None, timezone=ZONE)
        path = tmp_path / "m.toml"
        path.write_text(proposed.toml)
        assert load_mapping(path, proposed.table).table == proposed.table


def test_a_file_that_resembles_no_table_is_said_to(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("foo,bar\n1,2\n")
    with pytest.raises(BadInput, match="resemble no table; say which with --table"):
        infer(path, None, timezone=ZONE)


@pytest.mark.parametrize("columns", [["filing_id", "report_type"], ["FILING_ID", "Filing_Type"]])
def test_a_file_may_give_a_column_its_second_name(columns: list[str]) -> None:
    found = match_columns(contract("compliance"), Mapping(table="compliance"), columns)
    assert found.taken == {"report_id": columns[0], "report_type": columns[1]}
    assert found.ignored == []


def test_the_first_name_is_taken_before_the_second() -> None:
    both = ["filing_id", "report_id", "amount", "transaction_amount"]
    found = match_columns(contract("compliance"), Mapping(table="compliance"), both)
    assert found.taken == {"report_id": "report_id", "transaction_amount": "transaction_amount"}
    assert found.ignored == ["filing_id", "amount"]
