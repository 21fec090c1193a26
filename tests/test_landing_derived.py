"""Derived columns, filters and generated keys, from a landed file to the ledger and back."""

import json
from decimal import Decimal
from pathlib import Path

from lakehouse.ingest.files import json_rows
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.rejects import retry
from tests.landed import AS_OF, CAGE, bronze, drop, lake_at, mapped, quarantined, take_in

MAPPING = """
where = "Status == 'OK'"
decimal_comma = true
[columns]
transaction_id = "'B-' + row_key()"
amount = "Bet + Profit"
transaction_type = "'CASH_IN' if Profit > 0 else 'CASH_OUT'"
[columns.transaction_timestamp]
value = "Day + ' ' + Time"
format = "%d.%m.%Y %H:%M"
timezone = "America/Los_Angeles"
"""
FILE = """Day;Time;Bet;Profit;Status
05.01.2025;12:00;10,00;-2,50;OK
05.01.2025;12:01;10,00;x;OK
05.01.2025;12:02;1.000,00;0,25;OK
05.01.2025;12:03;ten;1,00;TEST
05.01.2025;12:04;5,00;1,00;
"""


def ledger_row(lake, **of: object) -> dict[str, object]:
    rows = lake.scan("ops", "ingest_ledger").filter(**of).collect()
    return rows.to_dicts()[-1]


def test_rows_that_the_mapping_leaves_out_are_counted_and_nothing_is_lost(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, MAPPING)
    drop(lake, f"{CAGE}/bets.csv", FILE)
    (done,) = take_in(lake, settings).outcomes
    counts = (done.rows, done.bronze_rows, done.quarantine_rows, done.left_out_rows)
    assert counts == (5, 2, 1, 2)
    assert done.reason == "left out by where: 2"
    said = ledger_row(lake, state="ingested")
    assert (said["rows"], said["left_out_rows"], said["ignored_columns"]) == (5, 2, "")
    assert conservation(lake, CAGE).holds
    assert bronze(lake, "amount", "transaction_type") == [
        (Decimal("7.50"), "CASH_OUT"),
        (Decimal("1000.25"), "CASH_IN"),
    ]
    ((rules, line, raw),) = quarantined(lake, "_rules", "_line", "_raw")
    assert rules == ["amount|not_a_number", "transaction_type|not_a_number"]
    assert (line, raw) == (3, "05.01.2025;12:01;10,00;x;OK")


def test_a_generated_key_is_of_the_content_and_the_line(tmp_path: Path) -> None:
    keys = []
    for folder, name in (("a", "bets.csv"), ("b", "other/name.csv")):
        lake, settings = lake_at(tmp_path / folder)
        mapped(lake, MAPPING)
        drop(lake, f"{CAGE}/{name}", FILE)
        take_in(lake, settings)
        keys.append([k for (k,) in bronze(lake, "transaction_id")])
    assert keys[0] == keys[1]
    digest = str(ledger_row(lake, state="ingested")["file_id"]).partition(":")[2]
    assert keys[0] == [f"B-{digest[:16]}-2", f"B-{digest[:16]}-4"]


def test_a_mended_row_has_the_key_that_it_would_have_had(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, MAPPING)
    drop(lake, f"{CAGE}/bets.csv", FILE)
    take_in(lake, settings)
    before = bronze(lake, "transaction_id")
    mapped(lake, 'nulls = ["x"]\n' + MAPPING.replace("Bet + Profit", "Bet + coalesce(Profit, 0)"))
    done = retry(lake, settings, CAGE, as_of=AS_OF)
    assert (done.tried, done.healed) == (1, 1)
    key = str(before[0][0]).rpartition("-")[0] + "-3"
    assert bronze(lake, "transaction_id") == sorted([*before, (key,)])
    assert conservation(lake, CAGE).holds


def test_rows_of_one_line_have_keys_of_their_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(json_rows, "PIECE_ROWS", 3)
    lake, settings = lake_at(tmp_path)
    mapped(
        lake,
        '[columns]\ntransaction_id = "row_key()"\namount = "a"\n'
        '[columns.transaction_timestamp]\nconstant = "2025-01-05T20:00:00Z"\n',
    )
    drop(lake, f"{CAGE}/a.json", json.dumps([{"a": n} for n in (0, 1, 2, "x", 2, 3, "x", 2)]))
    (done,) = take_in(lake, settings).outcomes
    assert (done.state, done.bronze_rows, done.quarantine_rows) == ("ingested", 6, 2)
    keys = [str(k).split("-", 1)[1] for (k,) in bronze(lake, "transaction_id")]
    assert len({k[:14] for k in keys}) == 4
    assert sorted(k[14:] for k in keys) == ["", "", "", "", "-2", "-3"]  # two equal, and a third


def test_a_retried_row_has_the_key_that_it_would_have_had(tmp_path: Path) -> None:
    told = '[columns]\ntransaction_id = "row_key()"\n{}\n[columns.transaction_timestamp]\n'
    told += 'constant = "2025-01-05T20:00:00Z"\n'
    content = json.dumps([{"a": n} for n in (1, "2,5", 1, "3,5", "2,5")])
    keys = []
    for part, first in (("once", "a"), ("later", "number(a) + 0")):
        lake, settings = lake_at(tmp_path / part)
        well = told.format("amount = \"replace(a, ',', '.')\"")
        mapped(lake, well if part == "once" else told.format(f'amount = "{first}"'))
        drop(lake, f"{CAGE}/a.json", content)
        take_in(lake, settings)
        if part == "later":
            assert len(bronze(lake, "transaction_id")) == 2
            mapped(lake, well)
            assert retry(lake, settings, CAGE, as_of=AS_OF).healed == 3
        keys.append(sorted(str(k) for (k,) in bronze(lake, "transaction_id")))
    assert len(keys[0]) == len(set(keys[0])) == 5
    assert keys[0] == keys[1]


def test_a_file_without_a_column_of_an_expression_is_rejected(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, MAPPING.replace("Bet + Profit", "Bet + Gain"))
    drop(lake, f"{CAGE}/bets.csv", FILE)
    rows = [{"Day": "05.01.2025", "Time": "12:00", "Bet": "1", "Profit": "1", "Status": "OK"}]
    drop(lake, f"{CAGE}/bets.ndjson", "\n".join(map(json.dumps, rows)))
    found = {o.name: o for o in take_in(lake, settings).outcomes}
    assert [o.state for o in found.values()] == ["rejected", "rejected"]
    assert "lacks column Gain" in found[f"{CAGE}/bets.csv"].reason
    assert "no record with Gain" in found[f"{CAGE}/bets.ndjson"].reason
    assert bronze(lake, "transaction_id") == []


def test_another_condition_reads_the_file_again(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, MAPPING)
    drop(lake, f"{CAGE}/bets.csv", FILE)
    take_in(lake, settings)
    mapped(lake, MAPPING.replace("Status == 'OK'", "Status is not None"))
    (done,) = take_in(lake, settings).outcomes
    assert (done.bronze_rows, done.quarantine_rows, done.left_out_rows) == (2, 2, 1)
    assert conservation(lake, CAGE).holds
    assert len(bronze(lake, "transaction_id")) == 2
