"""Rejects that a corrected file made void leave the list, and are still counted."""

from __future__ import annotations

from pathlib import Path

from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.rejects import rejects
from lakehouse.storage import Lake
from tests.landed import CAGE, bronze, cage_csv, cage_row, drop, lake_at, quarantined, take_in

DAMAGED = cage_csv(cage_row(1), "t2", ",2025-01-05T12:00:00-08:00,3.00", cage_row(4, "lots"))


def open_rules(lake: Lake) -> list[str]:
    return sorted(rejects(lake, tables=[CAGE])["rule"])


def test_a_corrected_file_closes_what_was_rejected_of_the_first(tmp_path: Path) -> None:
    """Rows without a key too, of which no row of the new file can say that it is theirs."""
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", DAMAGED)
    take_in(lake, settings)
    before = lake.version("quarantine", CAGE)
    three = ["_row|too_few_fields", "amount|not_a_number", "transaction_id|missing"]
    assert open_rules(lake) == three
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in (1, 2, 3, 4))))
    take_in(lake, settings)
    assert open_rules(lake) == []
    assert len(bronze(lake, "transaction_id")) == 4
    found = conservation(lake, CAGE)
    assert (found.holds, found.said_bronze, found.said_quarantine) == (True, 4, 0)
    ended = lake.scan("ops", "ingest_ledger").filter(state="ingested").collect()
    assert sorted(ended["healed_rows"]) == [0, 3]
    held = lake.scan("quarantine", CAGE, as_of=before).collect()
    assert held.height == 3  # the history has them


def test_what_the_corrected_file_rejects_stays_open(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", DAMAGED)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1), "t2", cage_row(3)))
    take_in(lake, settings)
    assert open_rules(lake) == ["_row|too_few_fields", "amount|not_a_number"]
    assert quarantined(lake, "transaction_id") == [(None,), ("t4",)]
    assert conservation(lake, CAGE).holds


def test_another_file_closes_nothing(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", DAMAGED)
    drop(lake, f"{CAGE}/b.csv", cage_csv(cage_row(7)))
    take_in(lake, settings)
    assert len(open_rules(lake)) == 3
    assert conservation(lake, CAGE).holds


def test_the_first_file_read_again_stays_closed(tmp_path: Path) -> None:
    """With another mapping its own rejects are new, and as void as the old ones were."""
    lake, settings = lake_at(tmp_path)
    first = drop(lake, f"{CAGE}/a.csv", DAMAGED)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in (1, 2, 3, 4))))
    take_in(lake, settings)
    drop(lake, f"{CAGE}/old/a.csv", DAMAGED)
    (first.parent / "old" / "a.csv.mapping.toml").write_text('timezone = "America/Denver"\n')
    take_in(lake, settings)
    assert open_rules(lake) == []
    assert conservation(lake, CAGE).holds
