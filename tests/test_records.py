"""What the generators offer beside frames: records, JSON, people with versions, a pattern."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import stat
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.generators import (
    ComplianceGenerator,
    FinancialGenerator,
    PlayerGenerator,
    SecurityGenerator,
    SlotMachineGenerator,
    TableGameGenerator,
)
from lakehouse.simulate.kernel.files import json_lines

GENERATORS = (
    ComplianceGenerator,
    FinancialGenerator,
    PlayerGenerator,
    SecurityGenerator,
    SlotMachineGenerator,
    TableGameGenerator,
)
WEEK = {"start_date": dt.date(2025, 3, 1), "end_date": dt.date(2025, 3, 8)}
SECOND = {
    "filing_id": "report_id",
    "filing_type": "report_type",
    "filing_timestamp": "report_timestamp",
    "amount": "transaction_amount",
}


@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATORS)
def test_records_come_one_after_another(generator: type) -> None:
    made, again = generator(faults=False, **WEEK), generator(faults=False, **WEEK)
    records = [made.generate_record() for _ in range(9)]
    assert all(list(r) == list(made.schema) for r in records)
    key = contract(made.table).key[0]
    assert len({r[key] for r in records}) == 9
    assert records == [again.generate_record() for _ in range(9)]


@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATORS)
def test_a_batch_is_a_list_of_records(generator: type) -> None:
    made = generator(**WEEK)
    assert made.generate_batch(7) == made.generate(7).to_dicts()
    assert made.generate_batch(0) == []


def test_records_end_with_the_window() -> None:
    made = PlayerGenerator(num_players=5, **WEEK)
    assert len({made.generate_record()["player_id"] for _ in range(5)}) == 5
    with pytest.raises(BadInput, match="ask for a longer window"):
        made.generate_record()


@pytest.mark.parametrize("lines", [True, False])
def test_json_has_decimals_as_numbers(tmp_path: Path, lines: bool) -> None:
    made = FinancialGenerator(**WEEK)
    df = made.generate(40)
    made.to_json(df, tmp_path / "deep" / "cage.json", lines=lines)
    text = (tmp_path / "deep" / "cage.json").read_text()
    assert stat.S_IMODE((tmp_path / "deep" / "cage.json").stat().st_mode) == 0o600
    found = [json.loads(n, parse_float=Decimal) for n in text.splitlines()] if lines else None
    rows = found or json.loads(text, parse_float=Decimal)
    assert [r["amount"] for r in rows] == df["amount"].to_list()
    assert all(isinstance(r["amount"], Decimal) for r in rows)
    assert [r["transaction_id"] for r in rows] == df["transaction_id"].to_list()


def test_an_empty_frame_is_an_empty_list(tmp_path: Path) -> None:
    made = FinancialGenerator(**WEEK)
    made.to_json(made.generate(0), tmp_path / "none.json", lines=False)
    assert json.loads((tmp_path / "none.json").read_text()) == []


@settings(max_examples=60, deadline=None)
@given(
    cents=st.integers(-(10**18) + 1, 10**18 - 1),
    text=st.one_of(st.text(), st.sampled_from(['"amount":"1.00"', '{"amount":"1"}', '\\"amount'])),
)
def test_json_keeps_every_digit_and_every_text(cents: int, text: str) -> None:
    """A float has 53 bits: $92,233,720,368,547,758.07 would lose its cents."""
    amount = Decimal(cents) / 100
    schema = {"note": pl.String, "amount": pl.Decimal(18, 2)}
    frame = pl.DataFrame({"note": [text, None], "amount": [amount, None]}, schema=schema)
    first, second = json_lines(frame).decode().split("\n")[:2]
    assert json.loads(first, parse_float=Decimal) == {"note": text, "amount": amount}
    assert json.loads(second) == {"note": None, "amount": None}


def test_filings_have_their_second_names() -> None:
    made = ComplianceGenerator(**WEEK).generate(9)
    assert list(made.schema)[-4:] == list(SECOND)
    for second, first in SECOND.items():
        assert made[second].alias(first).equals(made[first])
        assert second not in contract("compliance").columns


def test_players_are_masked_unless_asked_for() -> None:
    masked = PlayerGenerator(num_players=300, faults=False, **WEEK).generate(300)
    whole = PlayerGenerator(num_players=300, faults=False, include_pii=True, **WEEK).generate(300)
    assert masked["player_id"].equals(whole["player_id"])
    assert masked["first_name"].str.contains(r"^.\*\*\*$").all()
    assert not whole["first_name"].str.contains("*", literal=True).any()
    for hashed in ("ssn_hash", "address_line1"):
        assert masked[hashed].drop_nulls().str.contains(r"^[0-9a-f]{64}$").all()
        assert not set(masked[hashed].drop_nulls()) & set(whole[hashed].drop_nulls())
    assert whole["ssn_hash"].drop_nulls().str.contains(r"^[0-9a-f]{64}$").all()


@pytest.mark.slow
@pytest.mark.parametrize("include_pii", [True, False])
def test_hashes_are_64_digits_and_tables_agree_on_them(include_pii: bool) -> None:
    asked = {"faults": False, "include_pii": include_pii, **WEEK}
    filed = ComplianceGenerator(**asked).generate(8)
    for column in ("player_name_hash", "address_hash", "id_number_hash", "ssn_hash"):
        assert filed[column].drop_nulls().str.contains(r"^[0-9a-f]{64}$").all(), column
        assert filed[column].drop_nulls().len() >= 6
    named = PlayerGenerator(**asked).generate(10_000)
    met = filed.join(named, on="player_id", suffix="_of_profile")
    assert met.height == 8
    assert met["ssn_hash"].equals(met["ssn_hash_of_profile"].alias("ssn_hash"))
    cage = FinancialGenerator(**asked).generate(11_667).drop_nulls("id_number_hash")
    assert cage["id_number_hash"].str.contains(r"^[0-9a-f]{64}$").all()
    shown = filed.join(cage, on="player_id", suffix="_at_cage").drop_nulls("id_number_hash")
    assert shown.height > 0
    assert (shown["id_number_hash"] == shown["id_number_hash_at_cage"]).all()


@pytest.mark.slow
def test_another_key_gives_other_hashes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name * 64)
        (tmp_path / name).chmod(0o600)
    a, same, b, usual = (
        PlayerGenerator(num_players=50, key_file=key, **WEEK).generate(50)["ssn_hash"]
        for key in (tmp_path / "a", tmp_path / "a", tmp_path / "b", None)
    )
    assert a.equals(same)
    for one, other in itertools.combinations((a, b, usual), 2):
        assert not set(one.drop_nulls()) & set(other.drop_nulls())


class TestPeople:
    @pytest.mark.parametrize("faults", [True, False])
    @pytest.mark.parametrize(
        ("n", "window", "last"),
        [(n, WEEK, dt.date(2025, 3, 7)) for n in (0, 1, 400)]
        + [(10_000, {}, dt.date(2025, 1, 30))],
    )
    def test_one_row_for_each_of_n_people(
        self, n: int, window: dict[str, dt.date], last: dt.date, faults: bool
    ) -> None:
        made = PlayerGenerator(faults=faults, **window).generate(n)
        assert made.height == made["player_id"].n_unique() == n
        assert set(made["gaming_day"]) == ({last} if n else set())

    @pytest.mark.slow
    def test_more_people_than_the_usual_book_are_found(self) -> None:
        long = {"start_date": dt.date(2025, 1, 1), "end_date": dt.date(2025, 4, 1)}
        made = PlayerGenerator(faults=False, **long).generate(12_000)
        assert made["player_id"].n_unique() == 12_000

    def test_versions_end_as_the_file_of_people_stands(self) -> None:
        people, versions = PlayerGenerator(**WEEK).generate_with_history(800)
        assert people.height == people["player_id"].n_unique() == 800
        assert versions.select("player_id", "gaming_day").is_unique().all()
        assert set(versions["player_id"]) == set(people["player_id"])
        last = versions.filter(gaming_day=dt.date(2025, 3, 7))
        assert last.sort("player_id").equals(people.sort("player_id"))

    def test_a_version_for_each_day_that_a_player_came(self) -> None:
        _, versions = PlayerGenerator(faults=False, **WEEK).generate_with_history(800)
        grown = versions.sort("player_id", "gaming_day").with_columns(
            more=pl.col("total_visits").diff().over("player_id")
        )
        assert grown["more"].drop_nulls().min() >= 0
        came = grown.filter(pl.col("more") > 0)
        assert came.height > 100
        assert (came["last_visit_date"] == came["gaming_day"]).all()

    @pytest.mark.slow
    def test_nobody_is_in_the_book_before_his_first_visit(self) -> None:
        _, versions = PlayerGenerator(faults=False, **WEEK).generate_with_history(10_000)
        assert (versions["enrollment_date"] <= versions["gaming_day"]).all()
        assert versions.filter(gaming_day=WEEK["start_date"]).height < 10_000

    def test_the_last_days_alone(self) -> None:
        people, versions = PlayerGenerator(**WEEK).generate_with_history(300, history_days=2)
        assert set(versions["gaming_day"]) == {dt.date(2025, 3, 6), dt.date(2025, 3, 7)}
        assert PlayerGenerator(**WEEK).generate_with_history(300, 1)[1].equals(people)
        for wrong in (0, 8):
            with pytest.raises(BadInput, match=f"history_days {wrong}"):
                PlayerGenerator(**WEEK).generate_with_history(300, wrong)


class TestStructuring:
    def test_each_is_below_the_limit_and_together_they_are_the_total(self) -> None:
        made = ComplianceGenerator(**WEEK)
        records = made.generate_structuring_pattern("P00000123", 5, 40_000)
        assert sum(r["amount"] for r in records) == Decimal("40000.00")
        assert all(0 < r["amount"] < 10_000 for r in records)
        assert len({r["gaming_day"] for r in records}) == 5
        assert len({r["transaction_id"] for r in records}) == 5
        assert {r["player_id"] for r in records} == {"P00000123"}
        assert {(r["transaction_type"], r["payment_method"]) for r in records} == {
            ("CHIP_PURCHASE", "Cash")
        }
        assert list(records[0]) == list(contract("financial_txn").bronze_schema())

    def test_the_usual_pattern(self) -> None:
        records = ComplianceGenerator(**WEEK).generate_structuring_pattern("P00000123")
        assert (len(records), sum(r["amount"] for r in records)) == (5, Decimal("25000.00"))
        assert records == ComplianceGenerator(**WEEK).generate_structuring_pattern("P00000123")

    @settings(max_examples=25, deadline=None)
    @given(n=st.integers(1, 40), cents=st.integers(1, 10**7))
    def test_any_split_is_exact_or_refused(self, n: int, cents: int) -> None:
        made, total = ComplianceGenerator(**WEEK), Decimal(cents) / 100
        if not n <= cents < n * 1_000_000:
            with pytest.raises(BadInput, match="below"):
                made.generate_structuring_pattern("P00000001", n, total)
            return
        amounts = [r["amount"] for r in made.generate_structuring_pattern("P00000001", n, total)]
        assert (len(amounts), sum(amounts)) == (n, total)
        assert all(0 < a < 10_000 for a in amounts)

    @pytest.mark.parametrize("who", ["", "P", "P99999999", "X00000001", "P-0000001", "P1½"])
    def test_a_player_nobody_knows_is_refused(self, who: str) -> None:
        with pytest.raises(BadInput, match="player_id"):
            ComplianceGenerator(**WEEK).generate_structuring_pattern(who)

    @pytest.mark.parametrize("total", [float("nan"), float("inf"), -5, 0, 10.001])
    def test_an_amount_that_is_none_is_refused(self, total: float) -> None:
        with pytest.raises(BadInput, match="transactions of"):
            ComplianceGenerator(**WEEK).generate_structuring_pattern("P00000001", 2, total)


def test_every_security_event_has_its_place_and_its_severity() -> None:
    made = SecurityGenerator(faults=False, **WEEK).generate(5_000)
    assert made["location_id"].str.contains(r"^LOC-[A-Z0-9]{3,10}$").all()
    places = made.select("location_id", "location_detail").unique()
    assert places["location_id"].is_unique().all()
    assert places["location_detail"].is_unique().all()
    assert set(made["severity_level"]) <= {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
    incidents = made.drop_nulls("incident_severity")
    assert incidents.height > 10
    assert (incidents["severity_level"] == incidents["incident_severity"].str.to_uppercase()).all()
    kinds = dict(made.unique("event_type").select("event_type", "severity_level").iter_rows())
    assert (kinds["ACCESS_DENIED"], kinds["BADGE_SWIPE"]) == ("MEDIUM", "LOW")
