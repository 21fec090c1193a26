"""Several catalogs that share what they know of a lake's files, and the pages that ask of them."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from deltalake import write_deltalake

from lakehouse.errors import BadInput
from lakehouse.serve.pages.asking import AT_ONCE, Asking
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.serve.sql.limits import Runaway
from lakehouse.serve.sql.shared import Shared
from lakehouse.settings import Settings
from lakehouse.storage import Lake
from lakehouse.storage.files import DataFiles
from tests.small_lake import COMMIT, DAYS, FIRST, LAST, fill, put, rows

THEO = "SELECT sum(theo)::VARCHAR FROM gold.player_day"
REJECTED = "SELECT transaction_id FROM quarantine.financial_txn ORDER BY ALL"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    fill(made)
    return made


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Paths of the footers that are read."""
    seen: list[str] = []
    columns = DataFiles.columns

    def watched(files: DataFiles, path: str) -> frozenset[tuple[str, str]]:
        seen.append(path)
        return columns(files, path)

    with patch.object(DataFiles, "columns", watched):
        yield seen


def reject(lake: Lake, *, ids: dict[int, str]) -> None:
    """Rejected rows of the cage on the days of these numbers; other days stay."""
    for n, name in ids.items():
        day = DAYS[n]
        given: dict[str, list[Any]] = {"transaction_id": [name], "gaming_day": [day]}
        given |= {"_stage": ["silver"], "_rules": [["amount|min"]]}
        frame = rows("quarantine", "financial_txn", given)
        lake.write_days("quarantine", "financial_txn", frame, (day, day), commit=COMMIT)


def test_a_footer_is_read_once_for_all_catalogs(lake: Lake, opened: list[str]) -> None:
    shared = Shared()
    with Catalog(lake, shared=shared) as one, Catalog(lake, shared=shared) as other:
        assert one.frame(THEO).item() == other.frame(THEO).item() == "112.75"
        assert len(opened) == len(set(opened)) == 3, "a file a day"
        day: dict[str, list[Any]] = {"player_id": ["P1"], "gaming_day": [LAST], "theo": ["200.00"]}
        put(lake, "gold", "player_day", day)
        assert one.frame(THEO).item() == other.frame(THEO).item() == "200.00"
        assert len(opened) == 4


def test_files_from_before_a_column_was_added_are_read_beside_those_after(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "gold", "player_day", {"player_id": ["P1"], "gaming_day": [FIRST], "visits": [1]})
    place = lake.uri("gold", "player_day")
    old = pl.read_delta(place).drop("theo")
    write_deltalake(place, old.to_arrow(), mode="overwrite", schema_mode="overwrite",
                    partition_by=["gaming_day"])  # fmt: skip
    new: dict[str, list[Any]] = {
        "player_id": ["P2"],
        "gaming_day": [DAYS[1]],
        "visits": [2],
        "theo": ["2.50"],
    }
    write_deltalake(place, rows("gold", "player_day", new).to_arrow(), mode="append",
                    schema_mode="merge")  # fmt: skip
    with Catalog(Lake(lake.root)) as catalog:
        found = catalog.frame(
            "SELECT player_id, theo::VARCHAR, visits FROM gold.player_day ORDER BY ALL"
        )
    assert found.rows() == [("P1", None, 1), ("P2", "2.50", 2)]


def test_a_copy_follows_days_that_come_change_and_go(lake: Lake) -> None:
    shared = Shared()
    with Catalog(lake, shared=shared) as one, Catalog(lake, shared=shared) as other:
        reject(lake, ids={0: "T1", 1: "T2"})
        assert one.frame(REJECTED).rows() == [("T1",), ("T2",)]
        reject(lake, ids={1: "T3", 2: "T4"})
        assert other.frame(REJECTED).rows() == [("T1",), ("T3",), ("T4",)]
        assert one.frame(REJECTED).rows() == [("T1",), ("T3",), ("T4",)]
        assert "_of_file" not in one.frame("SELECT * FROM quarantine.financial_txn").columns
        put(lake, "quarantine", "financial_txn", {"transaction_id": [], "gaming_day": []})
        assert one.frame(REJECTED).is_empty()
        assert other.frame(REJECTED).is_empty()


def test_pages_ask_of_few_catalogs_however_many_look(lake: Lake) -> None:
    asking, made = Asking(lake, Settings(root=lake.root)), []
    start = Catalog.__init__

    def counted(self: Catalog, *given: object, **named: object) -> None:
        made.append(self)
        start(self, *given, **named)  # type: ignore[arg-type]

    with patch.object(Catalog, "__init__", counted):
        ask = [f"SELECT {n} + count(*) AS n FROM gold.player_day" for n in range(20)]
        found: dict[int, int] = {}
        threads = [
            threading.Thread(target=lambda n=n: found.update({n: asking.ask(ask[n], {}).item()}))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
    assert found == {n: n + 4 for n in range(20)}
    assert 1 <= len(made) <= AT_ONCE


def test_a_question_that_does_not_end_or_fails_takes_no_turn_away(lake: Lake) -> None:
    asking = Asking(lake, Settings(root=lake.root))
    for _ in range(AT_ONCE + 1):
        with pytest.raises(BadInput):
            asking.ask("SELECT nothing FROM gold.player_day", {})
        with (
            patch.object(Catalog, "frame", side_effect=Runaway(TimeoutError("stopped"))),
            pytest.raises(Runaway),
        ):
            asking.ask(THEO, {})
    assert asking.ask(THEO, {}).item() == "112.75"
