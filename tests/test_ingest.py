"""From files to bronze, quarantine and ledger: what lands where, and why."""

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import BadInput
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.land import land
from lakehouse.ingest.files.rejects import rejects, retry
from lakehouse.ingest.files.run import ingest
from lakehouse.ingest.files.zone import landing_zone
from lakehouse.settings import Settings
from lakehouse.storage import Lake
from tests.landed import (
    AS_OF,
    CAGE,
    HEADER,
    LANDING_DAY,
    bronze,
    cage_csv,
    cage_row,
    drop,
    lake_at,
    quarantined,
    take_in,
)


def test_a_row_lands_whole_with_its_day_and_origin(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    # 05:59 in Los Angeles still belongs to the gaming day before.
    drop(lake, f"{CAGE}/2025/a.csv", cage_csv("t1,2025-01-06T05:59:00-08:00,10.01"))
    (done,) = take_in(lake, settings).outcomes
    assert (done.rows, done.bronze_rows, done.days) == (1, 1, (dt.date(2025, 1, 5),))
    row = lake.scan("bronze", CAGE).collect().row(0, named=True)
    assert row["transaction_timestamp"] == dt.datetime(2025, 1, 6, 13, 59, tzinfo=dt.UTC)
    assert row["amount"] == Decimal("10.01")
    assert row["gaming_day"] == dt.date(2025, 1, 5)
    assert row["_ingested_at"] == AS_OF
    assert row["_source"] == f"landing:{CAGE}/2025/a.csv"
    assert row["player_id"] is None


def test_a_row_that_cannot_be_typed_is_kept_with_its_text_file_line_and_rules(
    tmp_path: Path,
) -> None:
    lake, settings = lake_at(tmp_path)
    drop(
        lake,
        f"{CAGE}/a.csv",
        cage_csv(
            cage_row(1),
            "t2,2025-01-05T12:00:00-08:00,10.005",
            "t3,yesterday,ten",
            "t4,,1.00",
            "t5,2025-01-05T12:00:00-08:00",
        ),
    )
    (done,) = take_in(lake, settings).outcomes
    assert (done.rows, done.bronze_rows, done.quarantine_rows) == (5, 1, 4)
    day = dt.date(2025, 1, 5)
    file = f"{CAGE}/a.csv"
    found = quarantined(lake, "transaction_id", "gaming_day", "_rules", "_raw", "_file", "_line")
    assert found == [
        (
            "t2",
            day,
            ["amount|more_than_two_decimals"],
            "t2,2025-01-05T12:00:00-08:00,10.005",
            file,
            3,
        ),
        (
            "t3",
            LANDING_DAY,
            ["transaction_timestamp|unreadable", "amount|not_a_number"],
            "t3,yesterday,ten",
            file,
            4,
        ),
        ("t4", LANDING_DAY, ["transaction_timestamp|missing"], "t4,,1.00", file, 5),
        (None, LANDING_DAY, ["_row|too_few_fields"], "t5,2025-01-05T12:00:00-08:00", file, 6),
    ]
    assert conservation(lake, CAGE).holds


def test_json_rows_may_be_partial_and_a_bad_one_stops_no_other(tmp_path: Path) -> None:
    rows = [
        {
            "transaction_id": "t1",
            "transaction_timestamp": "2026-11-10T20:00:00-08:00",
            "amount": "10000.01",
            "player_id": "P1",
        },
        {
            "transaction_id": "t1",
            "transaction_timestamp": "2026-11-10T20:00:00-08:00",
            "amount": "10000.01",
            "player_id": "P1",
        },
        {
            "transaction_id": "t2",
            "transaction_timestamp": "2026-11-11T04:00:00Z",
            "amount": 7.1,
            "ctr_required": False,
            "payment_method": "Wampum",
        },
        {
            "transaction_id": "t3",
            "transaction_timestamp": "2026-11-10T20:00:00-08:00",
            "amount": "0.005",
        },
    ]
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/case.json", json.dumps(rows))
    take_in(lake, settings)
    kept = bronze(lake, "transaction_id", "amount", "gaming_day", "ctr_required", "payment_method")
    day = dt.date(2026, 11, 10)
    assert kept == [
        ("t1", Decimal("10000.01"), day, None, None),
        ("t1", Decimal("10000.01"), day, None, None),
        ("t2", Decimal("7.10"), day, False, "Wampum"),
    ]
    assert quarantined(lake, "transaction_id", "_rules") == [
        ("t3", ["amount|more_than_two_decimals"])
    ]


def test_a_profile_has_its_own_day_or_the_day_it_landed(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, "player_profile/a.csv", "player_id,gaming_day\nP1,2025-01-03\nP2,\n")
    take_in(lake, settings)
    assert bronze(lake, "player_id", "gaming_day", table="player_profile") == [
        ("P1", dt.date(2025, 1, 3)),
        ("P2", LANDING_DAY),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "financial_txn/a.csv",
            "x,y\n1,2\n",
            "lacks column transaction_id, transaction_timestamp; the file has 2, of which we know",
        ),
        ("financial_txn/a.csv", "", "is empty"),
        ("nowhere/a.csv", cage_csv(), "lies in no table's folder"),
        ("a.csv", cage_csv(), "lies in no table's folder"),
        ("financial_txn/a\x07b.csv", cage_csv(), "control characters"),
        ("financial_txn/a.csv.gz", "no gzip", "cannot be read as gzip"),
    ],
)
def test_an_unreadable_file_is_put_aside_with_its_reason(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    lake, settings = lake_at(tmp_path)
    path = drop(lake, name, content)
    drop(lake, f"{CAGE}/good.csv", cage_csv(cage_row(1)))
    report = take_in(lake, settings)
    (refused,) = report.failed
    assert refused.state == "rejected"
    assert said in refused.reason
    assert not path.exists()
    aside = Path(lake.root) / "landing/_rejected" / name.replace("\x07", "%07")
    assert aside.read_text() == content
    assert said in aside.with_name(aside.name + ".reason.txt").read_text()
    assert bronze(lake, "transaction_id") == [("t1",)]
    assert take_in(lake, settings).failed == []


def test_links_and_devices_are_refused_and_not_followed(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    secret = tmp_path / "secret.csv"
    secret.write_text(cage_csv(cage_row(1)))
    folder = Path(lake.root) / "landing" / CAGE
    folder.mkdir(parents=True)
    (folder / "link.csv").symlink_to(secret)
    (folder / "all").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    report = take_in(lake, settings)
    assert sorted((o.name, o.reason) for o in report.failed) == [
        (f"{CAGE}/all", "is a symbolic link; copy the file itself"),
        (f"{CAGE}/link.csv", "is a symbolic link; copy the file itself"),
        (f"{CAGE}/pipe.csv", "is no regular file"),
    ]
    assert secret.exists()
    assert bronze(lake, "transaction_id") == []


@pytest.mark.parametrize("name", ["a.csv.part", ".a.csv", "a.csv.tmp", "_old/a.csv"])
def test_unfinished_and_hidden_files_are_left_alone(tmp_path: Path, name: str) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/{name}", cage_csv(cage_row(1)))
    assert take_in(lake, settings).outcomes == ()


def test_a_file_is_read_when_it_has_settled_or_is_declared_done(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    path = drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1)))
    done = path.with_name("a.csv.done")
    done.unlink()
    written = AS_OF.timestamp()
    os.utime(path, (written, written))

    def state(seconds: int) -> list[str]:
        as_of = AS_OF + dt.timedelta(seconds=seconds)
        return [o.state for o in ingest(lake, settings, as_of=as_of).outcomes]

    assert state(9) == ["waiting"]
    done.touch()
    os.utime(done, (written - 1, written - 1))  # of an earlier file of this name
    assert state(9) == ["waiting"]
    assert state(10) == ["ingested"]


def test_a_broken_mapping_leaves_the_file_where_it_is(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    path = drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1)))
    mapping = path.with_name("mapping.toml")
    mapping.write_text("[columns.amonut]\nfrom = 'x'\n")
    (failed,) = take_in(lake, settings).failed
    assert failed.state == "unmapped"
    assert "financial_txn has no column amonut" in failed.reason
    mapping.unlink()
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]


def test_land_copies_and_declares_done(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    given = tmp_path / "a.csv"
    given.write_text(cage_csv(cage_row(1)))
    copied: list[int] = []
    (path,) = land([given], CAGE, lake, progress=copied.append)
    assert path == Path(lake.root) / "landing" / CAGE / "a.csv"
    assert sum(copied) == given.stat().st_size
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.csv", "a.csv.done"]


def test_land_refuses_what_it_cannot_do_and_copies_nothing(tmp_path: Path) -> None:
    lake, _ = lake_at(tmp_path)
    given = tmp_path / "a.csv"
    given.write_text(cage_csv())
    bad = tmp_path / "bad.toml"
    bad.write_text("delimiter = 'ab'")
    for files, table, mapping, said in [
        ([given], "player_value", None, "no rows can be landed in 'player_value'"),
        ([tmp_path / "nope.csv"], CAGE, None, "nope.csv is no file"),
        ([given, given], CAGE, None, "two files are called a.csv"),
        ([given], CAGE, bad, "delimiter"),
    ]:
        with pytest.raises(BadInput, match=said):
            land(files, table, lake, mapping)
    assert not (Path(lake.root) / "landing").exists()


def test_files_of_a_lake_in_an_object_store_land_on_this_machine(tmp_path: Path) -> None:
    there = Settings(root="s3://bucket/lake", local_root=tmp_path / "office")
    assert landing_zone(Lake.open(there)) == tmp_path / "office.landing"
    with pytest.raises(BadInput, match="nothing says where its files land"):
        land([], CAGE, Lake("s3://bucket/lake"))


@pytest.mark.slow
def test_a_retry_with_a_mapping_heals_rows_and_the_ledger_says_when(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    text = f'{HEADER}\nt1,2025-01-05T12:00:00,1.00\nt2,2025-01-05T12:00:00,"1,000.005"\nt3,"2,3\n'
    drop(lake, f"{CAGE}/a.csv", text)
    drop(
        lake,
        f"{CAGE}/b.json",
        '[{"transaction_id":"t4","transaction_timestamp":"2025-01-05T12:00:00"}]',
    )
    take_in(lake, settings)
    assert bronze(lake, "transaction_id") == []
    listed = rejects(lake, tables=[CAGE], rule="no_offset").select("rule", "source", "rows").rows()
    assert listed == [
        ("transaction_timestamp|no_offset_and_no_timezone", f"{CAGE}/a.csv", 2),
        ("transaction_timestamp|no_offset_and_no_timezone", f"{CAGE}/b.json", 1),
    ]
    (Path(lake.root) / f"landing/{CAGE}/mapping.toml").write_text("timezone = 'America/Denver'")
    later = AS_OF + dt.timedelta(days=1)
    done = retry(lake, settings, CAGE, as_of=later)
    assert (done.tried, done.healed, done.days) == (4, 2, (dt.date(2025, 1, 5),))
    noon_in_denver = dt.datetime(2025, 1, 5, 19, tzinfo=dt.UTC)
    assert bronze(lake, "transaction_id", "transaction_timestamp", "_ingested_at") == [
        ("t1", noon_in_denver, later),
        ("t4", noon_in_denver, later),
    ]
    assert quarantined(lake, "_line") == [(3,), (4,)]
    noted = lake.scan("ops", "ingest_ledger").filter(state="retried").collect()
    assert noted.select("at", "rows", "bronze_rows", "quarantine_rows").rows() == [(later, 4, 2, 2)]
    assert conservation(lake, CAGE).holds
    assert retry(lake, settings, CAGE, as_of=later + dt.timedelta(days=1)).healed == 0


def test_every_file_is_accounted_for_in_the_ledger(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", f"{HEADER},extra\n{cage_row(1)},x\n{cage_row(2)}\n")
    take_in(lake, settings)
    (row,) = lake.scan("ops", "ingest_ledger").filter(state="ingested").collect().to_dicts()
    assert (row["rows"], row["bronze_rows"], row["quarantine_rows"]) == (2, 1, 1)
    assert (row["ignored_columns"], "extra" in row["file_columns"]) == ("4", False)
    assert row["gaming_days"] == "2025-01-05 2025-02-01"
    assert (row["first_day"], row["last_day"]) == (dt.date(2025, 1, 5), LANDING_DAY)
    assert pl.Series([row["mapping"]]).str.contains("delimiter").all()


@pytest.mark.slow
def test_days_to_derive_are_those_whose_bronze_changed(tmp_path: Path) -> None:
    """Not the landing day of rows that name none; but the day that a corrected row has left."""
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1), cage_row(2), "cut off"))
    (first,) = take_in(lake, settings).outcomes
    assert first.days == (dt.date(2025, 1, 5),)
    drop(lake, f"{CAGE}/a.csv", cage_csv("t1,2025-01-06T12:00:00-08:00,1.00"))
    (second,) = take_in(lake, settings).outcomes
    assert second.days == (dt.date(2025, 1, 5), dt.date(2025, 1, 6))
