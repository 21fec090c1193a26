"""What must be filed, and what is wrong with what was."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from lakehouse.simulate.compliance.compliance_office import RECORD_SCHEMA, office
from lakehouse.simulate.compliance.obligations import OWED
from lakehouse.simulate.kernel.ids import hexadecimal, players
from lakehouse.simulate.kernel.plants import nothing, planted
from lakehouse.simulate.kernel.producers import label
from lakehouse.simulate.kernel.world import World


def truth_obligations(world: World, day: int) -> pl.DataFrame:
    """What must be filed for a day: form, player_id, obligation, subject, due, amount_cents,
    in_cents, out_cents (whole cents, null where a side is not over), fault, is_held."""
    decided = office(world, day).decided.get(day, pl.DataFrame(schema=OWED | {"fault": pl.String}))
    return decided.select(
        "form",
        pl.Series("player_id", players(decided["player"].to_numpy())),
        "obligation",
        "subject",
        "due",
        "amount_cents",
        "in_cents",
        "out_cents",
        "fault",
        "is_held",
    )


@label("gaming_wins")
def wrong_filings(world: World, day: int) -> pl.DataFrame:
    """Faults in the filings of a day's obligations, one row each, on the obligation's day.

    `row_key` is the faulty record (null where it is missing), `entity_id` the obligation."""
    here = office(world, day)
    faulty = (
        here.records.get(day, RECORD_SCHEMA.to_frame())
        .filter(pl.col("fault") != "none")
        .unique("obligation", keep="last", maintain_order=True)
    )
    decided = here.decided.get(day)
    date = world.config.date(day)
    found = [
        _fault_plants(
            date,
            fault[0],
            part,
            _report_ids(part["form"], part["report"]),
            _dates(world, part["filed_day"]),
        )
        for fault, part in faulty.partition_by("fault", as_dict=True, maintain_order=True).items()
    ]
    if decided is not None and (missing := decided.filter(fault="missing")).height:
        found.append(_fault_plants(date, "missing", missing, None, missing["due"]))
    return pl.concat([nothing(), *found])


def _fault_plants(
    date: dt.date, fault: str, part: pl.DataFrame, keys: pl.Series | None, until: pl.Series
) -> pl.DataFrame:
    return planted(
        f"filing_{fault}",
        f"filing_{fault}:" + part["obligation"],
        entity_type="filing",
        entity=part["obligation"] if keys is None or fault != "needless" else keys,
        table="compliance",
        key=keys,
        rule=fault,
        day=date,
        until=until,
    )


def _report_ids(form: pl.Series, report: pl.Series) -> pl.Series:
    return form + "-" + hexadecimal(report.to_numpy())


def _dates(world: World, days: pl.Series) -> pl.Series:
    start = int(np.datetime64(world.config.start, "D").astype(np.int64))
    return (days + start).cast(pl.Int32).cast(pl.Date)
