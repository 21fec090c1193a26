"""The generators: exact counts, batches, one world behind them all."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

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

EXACT = [
    (SlotMachineGenerator, "slot_telemetry"),
    (TableGameGenerator, "table_games"),
    (PlayerGenerator, "player_profile"),
    (FinancialGenerator, "financial_txn"),
    (SecurityGenerator, "security_events"),
]
WEEK = {"start_date": dt.date(2025, 3, 1), "end_date": dt.date(2025, 3, 4)}


@pytest.mark.slow
@pytest.mark.parametrize(("generator", "table"), EXACT)
@pytest.mark.parametrize("n", [0, 1, 700])
def test_exactly_n_rows_of_the_contract(generator: type, table: str, n: int) -> None:
    made = generator(seed=3, **WEEK)
    df = made.generate(n)
    assert df.height == n
    assert df.schema == made.schema == contract(table).bronze_schema()
    assert df["gaming_day"].is_between(dt.date(2025, 3, 1), dt.date(2025, 3, 3)).all()


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 170, 500, 10_000])
def test_batches_are_of_their_size_and_make_the_same_rows(size: int) -> None:
    n = 500 if size > 1 else 20
    whole = FinancialGenerator(**WEEK).generate(n)
    parts = list(FinancialGenerator(**WEEK).generate_batches(n, size))
    assert [p.height for p in parts[:-1]] == [size] * (len(parts) - 1)
    assert pl.concat(parts).equals(whole)


def test_two_generators_describe_one_world() -> None:
    """A slot player of one is a profile of the other, with the same visits."""
    slots = SlotMachineGenerator(seed=8, faults=False, **WEEK).generate(50_000)
    profiles = PlayerGenerator(seed=8, faults=False, **WEEK).generate(1_000)
    played = slots.drop_nulls("player_id").group_by("player_id").agg(pl.col("gaming_day").max())
    assert played.height > 100
    met = played.join(profiles, on="player_id", how="left")
    assert (met["last_visit_date"] >= met["gaming_day"]).all()


def test_chips_bought_at_the_table_are_bought_at_the_cage() -> None:
    tables = TableGameGenerator(seed=8, faults=False, **WEEK).generate(10_000)
    cage = FinancialGenerator(seed=8, faults=False, **WEEK).generate(5_000)
    bought = tables.filter(pl.col("event_type") == "BUY_IN")["amount"].sum()
    at_the_pit = pl.col("cage_location").str.starts_with("Pit")
    sold = cage.filter((pl.col("transaction_type") == "CHIP_PURCHASE") & at_the_pit)["amount"].sum()
    assert bought == sold > 0


def test_the_same_seed_gives_the_same_rows_and_another_does_not() -> None:
    one, same, other = (SecurityGenerator(seed=s, **WEEK).generate(300) for s in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_generator_does_not_disturb_another() -> None:
    first = SecurityGenerator(seed=1, **WEEK)
    SlotMachineGenerator(seed=1, **WEEK).generate(100)
    assert first.generate(300).equals(SecurityGenerator(seed=1, **WEEK).generate(300))


NINE = {"start_date": dt.date(2025, 3, 1), "end_date": dt.date(2025, 3, 10)}


@pytest.mark.slow
@pytest.mark.parametrize("faults", [True, False])
def test_filings_are_exactly_as_many_as_were_asked_for(faults: bool) -> None:
    """Where the default world has fewer, of a larger one."""
    generator = ComplianceGenerator(seed=2, faults=faults, **NINE)
    usual = sum(1 for _ in _records(generator))
    assert 3 < usual < 400
    assert generator.generate(0).schema == generator.schema
    few, many = generator.generate(3), generator.generate(400)
    assert (few.height, many.height) == (3, 400)
    again = _records(ComplianceGenerator(seed=2, faults=faults, **NINE))
    assert few.to_dicts() == list(itertools.islice(again, 3))
    assert many["report_id"].n_unique() == 400 or faults


def _records(generator) -> Iterator[dict]:
    """All records that a generator hands out one by one."""
    while True:
        try:
            yield generator.generate_record()
        except BadInput:
            return


def test_more_filings_than_any_play_leads_to_are_refused() -> None:
    one_day = {"start_date": dt.date(2025, 3, 1), "end_date": dt.date(2025, 3, 2)}
    with pytest.raises(BadInput, match="leads to 0 rows of compliance"):
        ComplianceGenerator(num_players=200, **one_day).generate(5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (dt.datetime(2025, 3, 1, 15, tzinfo=dt.UTC), dt.date(2025, 3, 3), (3, 1), (3, 2)),
        (None, dt.date(2025, 3, 31), (3, 1), (3, 30)),
        (None, None, (1, 1), (1, 30)),
    ],
)
def test_windows(start, end, first: tuple[int, int], last: tuple[int, int]) -> None:
    days = SecurityGenerator(start_date=start, end_date=end).generate(600)["gaming_day"]
    assert (days.min(), days.max()) == (dt.date(2025, *first), dt.date(2025, *last))


def test_machines_and_tables_are_as_many_as_asked_for() -> None:
    slots = SlotMachineGenerator(num_machines=60, **WEEK, faults=False).generate(3_000)
    tables = TableGameGenerator(num_tables=12, **WEEK, faults=False).generate(3_000)
    assert slots["machine_id"].max() <= "SLOT-0060"
    assert tables["table_id"].n_unique() <= 12


def test_parquet_reads_back(tmp_path: Path) -> None:
    made = SlotMachineGenerator(**WEEK)
    df = made.generate(200)
    made.to_parquet(df, tmp_path / "deep" / "slots.parquet")
    assert pl.read_parquet(tmp_path / "deep" / "slots.parquet").equals(df)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: SlotMachineGenerator(seed=-1), "seed -1"),
        (lambda: SlotMachineGenerator(num_machines=0), "machines 0"),
        (lambda: SlotMachineGenerator().generate(-5), "-5"),
        (lambda: ComplianceGenerator().generate(-5), "-5"),
        (lambda: SlotMachineGenerator().generate_batches(5, 0), "batch_size 0"),
        (
            lambda: SlotMachineGenerator(
                start_date=dt.date(2025, 2, 1), end_date=dt.date(2025, 1, 1)
            ),
            "must be after",
        ),
        (lambda: PlayerGenerator(num_players=20, **WEEK).generate(1_000), "of 20 players"),
    ],
)
def test_bad_input_is_named(wrong, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        wrong()
