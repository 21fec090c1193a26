"""Days of other people's files: dates alone, years of two digits, and columns nobody has."""

import datetime as dt
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.errors import BadInput
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.inference import infer
from lakehouse.ingest.files.mapping import checked_mapping, has_short_years
from lakehouse.pipeline.silver import refresh_silver
from tests.landed import CAGE, bronze, drop, lake_at, mapped, quarantined, take_in
from tests.small_lake import COMMIT

MOMENT = "transaction_timestamp"


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("", ("2025-01-05", "2025-01-05 00:00:00")),
        ('format = "%m/%d/%Y"\n', ("01/05/2025", "1/5/2025")),
        ('format = "%m/%d/%Y %H:%M"\n', ("01/05/2025 00:00", "1/5/2025 00:00")),
        ('format = "%d.%m.%y"\nlatest_year = 2030\n', ("05.01.25", "5.1.25")),
    ],
)
def test_a_date_alone_is_the_gaming_day_of_that_date(
    tmp_path: Path, form: str, texts: tuple[str, str]
) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, f'timezone = "UTC"\n[columns.{MOMENT}]\ndate_only = true\n{form}')
    rows = "".join(f"t{i},{text},1\n" for i, text in enumerate(texts))
    drop(lake, f"{CAGE}/a.csv", f"transaction_id,{MOMENT},amount\n{rows}")
    (done,) = take_in(lake, settings).outcomes
    assert [d.isoformat() for d in done.days] == ["2025-01-05"]
    opens = dt.datetime(2025, 1, 5, 14, tzinfo=dt.UTC)  # 06:00 in Los Angeles
    assert bronze(lake, "gaming_day", MOMENT) == [(day("2025-01-05"), opens)] * 2


def test_a_time_is_no_date_alone(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, f'[columns.{MOMENT}]\ndate_only = true\nformat = "%m/%d/%Y %H:%M"\n')
    drop(lake, f"{CAGE}/a.csv", f"transaction_id,{MOMENT},amount\nt1,01/05/2025 13:30,1\n")
    take_in(lake, settings)
    assert quarantined(lake, "_rules") == [([f"{MOMENT}|unreadable"],)]


@pytest.mark.parametrize(
    ("given", "wanted", "at"),
    [
        ("2025-01-05", "2025-01-05", dt.datetime(2025, 1, 5, 14, tzinfo=dt.UTC)),
        # After midnight and before the opening: still the day before.
        ("2025-01-04", "2025-01-04", dt.datetime(2025, 1, 5, 13, 59, 59, 999999, tzinfo=dt.UTC)),
        ("", "2025-01-05", dt.datetime(2025, 1, 5, 14, tzinfo=dt.UTC)),
    ],
)
def test_the_gaming_day_may_be_mapped_too(
    tmp_path: Path, given: str, wanted: str, at: dt.datetime
) -> None:
    lake, settings = lake_at(tmp_path)
    text = f'[columns.gaming_day]\nfrom = "Books"\n[columns.{MOMENT}]\nfrom = "Day"\n'
    mapped(lake, text + "date_only = true\n")
    drop(lake, f"{CAGE}/a.csv", f"transaction_id,Day,Books,amount\nt1,2025-01-05,{given},1\n")
    take_in(lake, settings)
    assert bronze(lake, "gaming_day", MOMENT) == [(day(wanted), at)]
    refresh_silver(lake, settings, CAGE, (day("2025-01-03"), day("2025-01-06")), COMMIT)
    (rules,) = lake.scan("quarantine", CAGE).collect()["_rules"].to_list()
    assert "event_in_gaming_day" not in rules


def test_a_gaming_day_that_the_date_cannot_have_is_rejected(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, f"[columns.{MOMENT}]\ndate_only = true\n")
    text = f"transaction_id,{MOMENT},gaming_day,amount\nt1,2025-01-05,2025-01-06,1\n"
    drop(lake, f"{CAGE}/a.csv", text)
    take_in(lake, settings)
    refresh_silver(lake, settings, CAGE, (day("2025-01-06"), day("2025-01-06")), COMMIT)
    (rules,) = lake.scan("quarantine", CAGE).collect()["_rules"].to_list()
    assert "event_in_gaming_day" in rules


BIRTHS = {
    # The file lands on 1 February 2025: the youngest patron was born on 1 February 2007.
    "01.02.07": "2007-02-01",
    "02.02.07": "1907-02-02",
    "31.12.68": "1968-12-31",
    "15.06.50": "1950-06-15",
    "29.02.00": "2000-02-29",
    "01.01.70": "1970-01-01",
    "15.06.26": "1926-06-15",
}


def test_a_birth_of_two_digits_makes_nobody_a_child(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, '[columns.date_of_birth]\nformat = "%d.%m.%y"\n', "player_profile")
    rows = [f"P{i},{text}" for i, text in enumerate(BIRTHS)]
    drop(lake, "player_profile/a.csv", "\n".join(["player_id,date_of_birth", *rows]) + "\n")
    take_in(lake, settings)
    found = bronze(lake, "player_id", "date_of_birth", table="player_profile")
    assert [str(born) for _, born in found] == list(BIRTHS.values())


@pytest.mark.parametrize(
    ("latest", "text", "wanted"),
    [(1999, "24", "1924"), (1999, "99", "1999"), (2030, "30", "2030"), (2030, "31", "1931")],
)
def test_the_pivot_can_be_said(tmp_path: Path, latest: int, text: str, wanted: str) -> None:
    lake, settings = lake_at(tmp_path)
    said = f'format = "%d/%m/%y"\nlatest_year = {latest}\n'
    mapped(lake, f"[columns.date_of_birth]\n{said}", "player_profile")
    drop(lake, "player_profile/a.csv", f"player_id,date_of_birth\nP1,01/02/{text}\n")
    take_in(lake, settings)
    ((_, born),) = bronze(lake, "player_id", "date_of_birth", table="player_profile")
    assert str(born) == f"{wanted}-02-01"


def test_a_patron_who_is_a_child_is_rejected_with_the_rule(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    born = {"P1": "2007-02-01", "P2": "2007-02-02", "P3": "2055-01-01"}
    rows = [f"{p},{text},2025-02-01" for p, text in born.items()]
    text = "\n".join(["player_id,date_of_birth,gaming_day", *rows]) + "\n"
    drop(lake, "player_profile/a.csv", text)
    take_in(lake, settings)
    only = (day("2025-02-01"), day("2025-02-01"))
    refresh_silver(lake, settings, "player_profile", only, COMMIT)
    held = lake.scan("quarantine", "player_profile").select("player_id", "_rules").collect()
    rules = dict(held.iter_rows())
    assert {p: "patron_is_of_age" in r for p, r in rules.items()} == {
        "P1": False, "P2": True, "P3": True
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "short"),
    [("%d.%m.%y", True), ("%D", True), ("%-y", True), ("%Y-%m-%d", False), ("%%y", False)],
)
def test_which_forms_have_years_of_two_digits(form: str, short: bool) -> None:
    assert has_short_years(form) == short


ROWS = [
    '{"id": "t1", "when": "2025-01-05T20:00:00Z", "sum": {"usd": "1.00"}}',
    '{"id": "t2", "when": "2025-01-05T20:00:00Z", "note": null}',
]
BASE = {
    "transaction_id": {"from": "id"},
    MOMENT: {"from": "when"},
}


def toml(**columns: str) -> str:
    named = {n: f'from = "{rule["from"]}"' for n, rule in BASE.items()} | columns
    return "".join(f"[columns.{n}]\n{text}\n" for n, text in named.items())


@pytest.mark.parametrize("name", ["a.ndjson", "a.json"])
@pytest.mark.parametrize("source", ["amuont", "sum.usd.cents", "sum.eur"])
def test_a_column_that_no_record_has_rejects_the_file(
    tmp_path: Path, name: str, source: str
) -> None:
    lake, settings = lake_at(tmp_path)
    content = "\n".join(ROWS) if name == "a.ndjson" else f"[{','.join(ROWS)}]"
    mapped(lake, toml(amount=f'from = "{source}"'))
    drop(lake, f"{CAGE}/{name}", content + "\n")
    (done,) = take_in(lake, settings).outcomes
    assert done.state == "rejected"
    assert f"has no record with {source}, which the mapping names" in done.reason
    assert (bronze(lake, "transaction_id"), quarantined(lake, "transaction_id")) == ([], [])
    assert conservation(lake, CAGE).holds
    assert take_in(lake, settings).outcomes == ()
    mapped(lake, toml(amount=f'from = "{source}"\noptional = true'))
    drop(lake, f"{CAGE}/{name}", content + "\n")
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]
    assert bronze(lake, "transaction_id", "amount") == [("t1", None), ("t2", None)]
    assert conservation(lake, CAGE).holds


def test_one_record_that_has_it_is_enough_even_with_nothing_in_it(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, toml(notes='from = "note"'))
    drop(lake, f"{CAGE}/a.ndjson", "\n".join(ROWS) + "\n")
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]


def test_a_csv_may_lack_what_is_optional_alone(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, toml(amount='from = "sum"\noptional = true'))
    drop(lake, f"{CAGE}/a.csv", "id,when\nt1,2025-01-05T20:00:00Z\n")
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]
    mapped(lake, toml(amount='from = "sum"'))
    drop(lake, f"{CAGE}/b.csv", "id,when\nt2,2025-01-05T20:00:00Z\n")
    reasons = [o.reason for o in take_in(lake, settings).failed]
    assert reasons
    assert all("lacks column sum" in r for r in reasons)


@pytest.mark.parametrize(
    ("column", "rule", "said"),
    [
        (MOMENT, {"date_only": True, "timezone": "UTC"}, "date_only has no time"),
        ("amount", {"date_only": True}, "date_only: is for a moment: transaction_timestamp"),
        ("business_date", {"format": "%Y-%m-%d", "latest_year": 2020}, "two-digit years"),
        ("business_date", {"format": "%y", "latest_year": 20}, "greater than or equal to 1900"),
        ("amount", {"optional": True}, "optional is for a column that from or value names"),
    ],
)
def test_what_a_column_cannot_be_is_said(column: str, rule: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked_mapping({"columns": {column: rule}}, CAGE, "test")


def test_what_is_said_of_shared_keys_is_one_of_three() -> None:
    with pytest.raises(BadInput, match="on_same_key: Input should be 'quarantine', 'replace' or"):
        checked_mapping({"on_same_key": "ignore"}, CAGE, "test")


def test_dates_alone_and_short_years_are_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    file = tmp_path / "x.csv"
    text = "transaction_id,transaction_timestamp,business_date,amount\nt1,31/12/24,31.12.24,1\n"
    file.write_text(text)
    proposed = infer(file, CAGE, timezone="UTC").toml
    assert f'[columns.{MOMENT}]\nformat = "%d/%m/%y"\ndate_only = true' in proposed
    assert '[columns.business_date]\nformat = "%d.%m.%y"' in proposed
    assert cli.run(["land", str(file), "--infer", "--table", CAGE]) == 0
    assert capsys.readouterr().out == proposed
