"""What the cage's own flags say: reports that were filed, and ticks that tell of no case."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from lakehouse.simulate.compliance.filings import LOOKBACK
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.world import World

DAYS = range(8)
CASH_IN = ("CASH_IN", "CHIP_PURCHASE", "FRONT_MONEY_DEPOSIT", "SAFEKEEPING_DEPOSIT")
CASH_IN += ("MARKER_PAYMENT", "INSTRUMENT_SALE", "CHECK_PURCHASE", "WIRE_TRANSFER_OUT")


def made(faults: Faults) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(cage rows of the days before defects, whatever was filed on them then or later)."""
    world = World(WorldConfig(faults=faults))
    cage = pl.concat([world.clean("financial_txn", world.config.date(d)) for d in DAYS])
    later = (world.clean("compliance", world.config.date(d)) for d in range(8 + LOOKBACK))
    return cage, pl.concat(later)


@pytest.fixture(scope="module")
def honest() -> tuple[pl.DataFrame, pl.DataFrame]:
    return made(NO_FAULTS)


@pytest.mark.slow
def test_a_filed_row_names_a_report_on_its_person_and_day(honest) -> None:
    cage, filed = honest
    assert cage["ctr_filed"].equals(cage["ctr_reference"].is_not_null().alias("ctr_filed"))
    assert 20 < cage["ctr_filed"].sum() < cage.height / 10
    rows = cage.filter("ctr_filed")
    met = rows.join(filed, left_on="ctr_reference", right_on="report_id", suffix="_filed")
    assert met.height == rows.height
    assert (met["report_type"] == "CTR").all()
    assert (met["transaction_date"] == met["gaming_day"]).all()
    whose = (pl.col("player_id") == pl.col("player_id_filed")) | (
        pl.col("on_behalf_of_player_id") == pl.col("player_id_filed")
    )
    assert met.select(whose.all()).item()


@pytest.mark.slow
def test_rows_of_a_report_add_up_to_it(honest) -> None:
    """Cash in, of those who brought dollars for themselves: in whole dollars, rounded up."""
    cage, filed = honest
    own = cage.filter(pl.col("on_behalf_of_player_id").is_null() & pl.col("ctr_filed"))
    brought = (
        own.filter(pl.col("transaction_type").is_in(CASH_IN))
        .group_by("ctr_reference")
        .agg(pl.col("amount").sum())
    )
    exchanged = cage.filter(
        pl.col("transaction_type").is_in(["CURRENCY_EXCHANGE", "MONEY_PLAY"])
        | pl.col("on_behalf_of_player_id").is_not_null()
    )["player_id"]
    plain = filed.filter(~pl.col("player_id").is_in(exchanged.drop_nulls().implode()))
    met = plain.drop_nulls("cash_in_amount").join(
        brought, left_on="report_id", right_on="ctr_reference"
    )
    assert met.height > 3
    over = met["cash_in_amount"] - met["amount"]
    assert over.min() >= 0
    assert over.max() < 1


@pytest.mark.slow
def test_every_report_has_its_rows(honest) -> None:
    cage, filed = honest
    days = set(cage["gaming_day"])
    ctrs = filed.filter(pl.col("report_type") == "CTR", pl.col("transaction_date").is_in(days))
    assert set(ctrs["report_id"]) == set(cage["ctr_reference"].drop_nulls())


@pytest.mark.slow
def test_what_the_office_forgot_is_not_filed() -> None:
    cage, _ = made(Faults(**dict.fromkeys(Faults.__dataclass_fields__, 0.0) | FORGETFUL))
    assert not cage["ctr_filed"].any()
    assert cage["ctr_reference"].null_count() == cage.height


FORGETFUL = {"filing_missing": 1.0}


@pytest.mark.slow
def test_ticks_are_on_currency_a_little_under_the_limit_and_on_no_other(honest) -> None:
    cage, _ = honest
    ticked = cage.filter("suspicious_activity_flag")
    near = cage.filter(
        pl.col("amount").is_between(Decimal(8_000), Decimal(10_000)),
        pl.col("payment_method") == "Cash",
    )
    assert 0 < ticked.height < near.height
    assert set(ticked["transaction_id"]) < set(near["transaction_id"])


@pytest.mark.slow
def test_ticks_do_not_tell_of_whom_a_case_was_opened() -> None:
    """Among amounts near the limit, the planted are ticked no more often than the others."""
    world = World(WorldConfig(faults=Faults(misconduct=4.0)))
    rows = pl.concat([world.clean("financial_txn", world.config.date(d)) for d in range(30)])
    near = rows.filter(
        pl.col("amount").is_between(Decimal(8_000), Decimal(10_000)),
        pl.col("payment_method") == "Cash",
    )
    planted = {f"P{q:08d}" for d in range(30) for s in world.scenarios(d) for q in s.players}
    rate = {
        side: part["suspicious_activity_flag"].mean()
        for (side,), part in near.with_columns(planted=pl.col("player_id").is_in(planted))
        .partition_by("planted", as_dict=True)
        .items()
    }
    assert abs(rate[True] - rate[False]) < 0.2
