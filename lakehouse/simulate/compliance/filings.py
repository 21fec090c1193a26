"""The compliance office: it files what a day's obligations ask for, mostly right.

Everything follows from the obligation: when it is filed, and which fault the filing has.
The filings of a day are found by looking back over the days whose obligations can still
be filed on it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.simulate.compliance import obligations
from lakehouse.simulate.compliance.compliance_office import RECORD_SCHEMA, office, same
from lakehouse.simulate.kernel import frames, person
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below
from lakehouse.simulate.kernel.ids import employees, hexadecimal, players
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

LOOKBACK = 42
"""Days after which nothing of a day is filed any more."""
PROPERTY = "PROP-001"
_OFFICERS = 4
_FIRST_OFFICER = 900
_OPENS, _OPEN_SECONDS = 3 * 3600, 8 * 3600


def dress(config: WorldConfig, filed: pl.DataFrame) -> pl.DataFrame:
    """compliance in bronze shape: one row per record."""
    if filed.is_empty():
        return contract("compliance").empty()
    who, event, h = (filed[c].to_numpy() for c in ("player", "event", "report"))
    days = gaming_days(config.start, filed["filed_day"].to_numpy())
    given = _subject_columns(config, who, filed["visits"].to_numpy()) | _form_columns(filed)
    given |= {
        "report_timestamp": frames.utc(event),
        "filing_date": days,
        "compliance_officer_id": employees(_FIRST_OFFICER + below(h >> np.uint64(7), _OFFICERS)),
        "property_code": same(PROPERTY, len(h)),
    }
    return frames.frame("compliance", given | stamp("compliance", days, event))


@producer("compliance", dress=dress)
def rows_of(world: World, day: int) -> pl.DataFrame:
    """Records written on a day, in order of time, with when (`event`, microseconds) and how
    often the person named had come (`visits`)."""
    filed = filed_on(world, day)
    who, h = filed["player"].to_numpy(), filed["report"].to_numpy()
    event = world.utc(day, _OPENS + below(h, _OPEN_SECONDS))
    visits = world.totals(day, who).visits
    timed = filed.with_columns(event=pl.Series(event), visits=pl.Series(visits))
    return timed.sort("event", maintain_order=True)


def filed_on(world: World, day: int) -> pl.DataFrame:
    """Records written on a day, whatever day they are about (RECORD_SCHEMA)."""
    first = max(0, day - LOOKBACK) // world.block * world.block
    found = [office(world, d).filed.get(day) for d in range(first, day, world.block)]
    return pl.concat([RECORD_SCHEMA.to_frame(), *(f for f in found if f is not None)])


def persons(world: World, day: int) -> I64:
    """Sorted players whom a record of that day names."""
    return np.unique(filed_on(world, day)["player"].to_numpy()).astype(np.int64)


def obliged(world: World, day: int) -> I64:
    """Sorted players on whose rows of that day a currency report rests, agents included."""
    return obligations.ctrs(world, day).persons


def reported_rows(world: World, day: int) -> U64:
    """By position in the day's `Cash`, the currency report that the office filed on the row,
    whomever the form names by mistake; 0: none."""
    here = office(world, day)
    none = RECORD_SCHEMA.to_frame()
    owed = here.decided.get(day, none).select("obligation", pl.col("player").alias("person"))
    filed = here.records.get(day, none).filter(form="CTR", status="Filed")
    reports = filed.join(owed, on="obligation", how="left").select(
        pl.coalesce("person", "player").alias("person"),
        "report",
        (pl.col("in_cents") > 0).fill_null(value=False).alias("is_in"),
        (pl.col("out_cents") > 0).fill_null(value=False).alias("is_out"),
    )
    return obligations.resting_rows(world, day, reports)


def _subject_columns(config: WorldConfig, who: I64, visits: I64) -> dict[str, pl.Series]:
    """The person named, as the office knows them."""
    tax, paper = person.tax_number(config, who), person.papers(config, who)
    born = person.birth_days(config, who)
    homes = person.version(config, "address", who, visits, 60)
    return {
        "player_id": players(who),
        "player_name_hash": person.digest(config, "name", who),
        "ssn_hash": tax["ssn_hash"],
        "ssn_masked": tax["ssn_masked"],
        "date_of_birth": pl.Series(born.astype(np.int32)).cast(pl.Date),
        "address_hash": person.digest(config, "address", who, homes),
        "id_type": paper["id_type"],
        "id_number_hash": paper["id_number_hash"],
    }


def _form_columns(records: pl.DataFrame) -> dict[str, pl.Series]:
    """What the form says. Currency reports are in whole dollars, rounded up."""
    ctr, w2g = pl.col("form") == "CTR", pl.col("form") == "W2G"
    amended = pl.col("status") == "Amended"
    whole = {side: _whole_dollars(pl.col(f"{side}_cents")) for side in ("in", "out")}
    both = whole["in"].fill_null(0) + whole["out"].fill_null(0)
    number = pl.col("report").cast(pl.String).str.slice(0, 14)
    known = pl.col("machine") >= 0
    machine = pl.lit("SLOT-") + (pl.col("machine") + 1).cast(pl.String).str.zfill(4)
    ids = records.select("form").with_columns(
        now=hexadecimal(records["report"].to_numpy()),
        before=hexadecimal(records["amends"].fill_null(0).to_numpy()),
    )
    form = records.hstack(ids.drop("form")).select(
        (pl.col("form") + "-" + pl.col("now")).alias("report_id"),
        pl.col("form").alias("report_type"),
        pl.col("due").alias("due_date"),
        "status",
        pl.col("subject").alias("transaction_date"),
        pl.when(ctr).then(both).otherwise("amount_cents").alias("transaction_amount"),
        pl.when(ctr).then(whole["in"]).alias("cash_in_amount"),
        pl.when(ctr).then(whole["out"]).alias("cash_out_amount"),
        "game_type",
        pl.when(known).then(machine).alias("machine_id"),
        pl.when(w2g).then("amount_cents").alias("jackpot_amount"),
        pl.when(w2g).then("withheld_cents").alias("withholding_amount"),
        pl.when(w2g).then("rate_bp").alias("withholding_rate"),
        pl.col("category").alias("sar_category"),
        pl.col("narrative").alias("sar_narrative"),
        pl.col("activity").alias("suspicious_activity_date"),
        pl.when(~w2g).then("BSA" + number).alias("fincen_reference"),
        pl.when(w2g).then("IRS" + number).alias("irs_reference"),
        pl.when(amended).then(pl.lit("Corrects the amount.")).alias("review_notes"),
        pl.when(amended).then(pl.col("form") + "-" + pl.col("before")).alias("amended_from"),
    )
    return {c.name: _decimal(c) if c.name.endswith(("_amount", "_rate")) else c for c in form}


def _whole_dollars(cents: pl.Expr) -> pl.Expr:
    return (cents + 99) // 100 * 100


def _decimal(values: pl.Series) -> pl.Series:
    make = frames.rate if values.name.endswith("_rate") else frames.money
    return make(values.fill_null(0).to_numpy(), values.is_not_null().to_numpy())
