"""The audit of the restricted zone: written first, sealed, broken by any change."""

import concurrent.futures
import datetime as dt
import hashlib

import polars as pl
import pytest

from lakehouse.compliance import access_log
from lakehouse.contracts import contract
from lakehouse.errors import BadInput, LakehouseError

AT = dt.datetime(2026, 11, 20, 17, 30, tzinfo=dt.UTC)


def chain(length: int) -> pl.DataFrame:
    rows = contract("access_log").empty()
    for n in range(1, length + 1):
        at = AT + dt.timedelta(minutes=n)
        rows.extend(
            access_log.entry(rows, who="ada", purpose="annual review", query=f"q{n}", at=at)
        )
    return rows


def test_the_seal_is_the_hash_of_the_fields_written_out_by_hand() -> None:
    row = access_log.entry(chain(0), who="ada", purpose="annual review", query="SELECT 1", at=AT)
    text = '[1, "2026-11-20T17:30:00.000000+00:00", "ada", "annual review", "SELECT 1", "' + (
        "0" * 64 + '"]'
    )
    assert row["hash"].item() == hashlib.sha256(text.encode()).hexdigest()
    assert contract("access_log").schema.is_valid(row)


def test_a_sound_chain_has_no_fault_in_any_order_of_its_rows() -> None:
    rows = chain(4)
    assert access_log.verify(rows) == []
    assert access_log.verify(rows.reverse(), head=rows["hash"][-1]) == []
    assert access_log.verify(chain(0)) == []


@pytest.mark.parametrize(
    ("tampered", "fault"),
    [
        (
            lambda r: r.with_columns(
                query=pl.when(entry=2).then(pl.lit("x")).otherwise(pl.col("query"))
            ),
            "entry 2 was changed after it was written",
        ),
        (lambda r: r.filter(pl.col("entry") != 2), "entry 2 is missing or there twice"),
        (lambda r: pl.concat([r, r.slice(1, 1)]), "entry 3 is missing or there twice"),
        (
            lambda r: r.with_columns(
                previous_hash=pl.when(entry=3)
                .then(pl.lit("0" * 64))
                .otherwise(pl.col("previous_hash"))
            ),
            "entry 3 does not follow the entry before it",
        ),
    ],
)
def test_a_changed_removed_or_inserted_row_breaks_the_chain(tampered, fault) -> None:
    assert fault in access_log.verify(tampered(chain(4)))


def test_a_rewritten_row_with_a_fresh_seal_is_found_by_the_row_after_it() -> None:
    rows = chain(3)
    forged = access_log.entry(rows.head(1), who="eve", purpose="annual review", query="q2", at=AT)
    faults = access_log.verify(pl.concat([rows.head(1), forged, rows.tail(1)]))
    assert faults == ["entry 3 does not follow the entry before it"]


def test_a_cut_at_the_end_shows_against_a_noted_head() -> None:
    rows = chain(3)
    assert access_log.verify(rows.head(2)) == []
    (fault,) = access_log.verify(rows.head(2), head=rows["hash"][-1])
    assert fault.startswith("the chain ends in")


@pytest.mark.parametrize(
    ("who", "purpose", "said"),
    [
        ("ada", "why", "the purpose 'why' says too little; give at least 8 characters"),
        (" ", "annual review", "needs to say who"),
    ],
)
def test_an_access_names_a_person_and_a_purpose(who, purpose, said) -> None:
    with pytest.raises(BadInput, match=said):
        access_log.entry(chain(0), who=who, purpose=purpose, query="q", at=AT)


class TestStored:
    @pytest.fixture
    def lake(self, tmp_path):
        from lakehouse.storage import Lake

        return Lake(str(tmp_path / "lake"))

    def test_rows_are_appended_and_the_chain_holds(self, lake) -> None:
        for n in range(3):
            access_log.record(lake, "ada", "annual review", f"q{n}", AT + dt.timedelta(seconds=n))
        rows = access_log.read(lake)
        assert rows["entry"].to_list() == [1, 2, 3]
        assert access_log.verify(rows) == []
        assert {v.operation for v in lake.history("restricted", "access_log")} <= {
            "WRITE",
            "CREATE TABLE",
        }

    def test_writers_at_the_same_time_take_turns(self, lake) -> None:
        access_log.record(lake, "ada", "annual review", "first", AT)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [
                pool.submit(access_log.record, lake, f"user{n}", "annual review", f"q{n}", AT)
                for n in range(8)
            ]
        assert [j.exception() for j in jobs] == [None] * 8
        rows = access_log.read(lake)
        assert access_log.verify(rows) == []
        assert sorted(rows["query"]) == ["first", *(f"q{n}" for n in range(8))]

    def test_a_log_that_cannot_be_written_stops_the_access(self, tmp_path) -> None:
        from lakehouse.storage import Lake

        (tmp_path / "lake").write_text("a file, not a folder")
        with pytest.raises(LakehouseError):
            access_log.record(Lake(str(tmp_path / "lake")), "ada", "annual review", "q", AT)
