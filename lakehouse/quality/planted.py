"""Whether a warning is true: what the simulator planted behind it.

For judging checks on a simulated lake, beside the scoring of detectors; nothing that the lake
tells anybody reads it.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

import polars as pl

from lakehouse.contracts import contract, door_of
from lakehouse.gold.marts import marts
from lakehouse.quality.findings import judged
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.quality.truths import TRUTHS
from lakehouse.storage import Lake

SIZES = (Family.VOLUME, Family.NULLS, Family.DRIFT, Family.FRESHNESS)
ENOUGH = 0.5
"""Of the rows that a warning is about, so many must be planted."""
_PLAYS = {"slot_telemetry": "session_id", "table_games": "player_rating_id"}
_WHOSE = ("player_id", "machine_id")
_DENOMINATION = "denomination "
_PAID_OUT = ("hold_drift", "jackpot_without_play")
_ROWS = pl.col("entity_type") == "row"
_HONEST_CAUSES = ("chip_walking", "pooling")
"""Kinds whose honest look-alikes unbalance the books as the guilty do: chips kept overnight, and
one who redeems for two."""


def kinds_behind(lake: Lake, check: Check, day: dt.date, found: Judgement) -> list[str]:
    """The kinds of plant that a warning of a gaming day is due to; empty: it is false.

    Of subjects, each must have its plant: a scenario of that person or machine on that day, or
    defects on rows of its own play. An honest look-alike counts where it unbalances the books: a
    warning is true where what it says is so and its cause was planted. Of sizes, at least half
    of the rows must have one: a defect, or a case that rests on rows."""
    causes = ~pl.col("is_look_alike") | pl.col("kind").is_in(_HONEST_CAUSES)
    plants = lake.scan("truth", "plants").filter(causes).collect()
    near = plants.filter(pl.col("window_start") <= day, pl.col("window_end") >= day)
    if check.family in SIZES:
        return _of_rows(near.filter(pl.col("row_key").is_not_null()), check, found)
    by_subject = [
        _of_subject(lake, near, plants.filter(_ROWS), subject, day)
        for subject in _subjects(lake, check, day, found)
    ]
    kinds = {kind for one in by_subject for kind in one}
    return sorted(kinds) if by_subject and all(by_subject) else []


def _subjects(lake: Lake, check: Check, day: dt.date, found: Judgement) -> list[str]:
    """Whom or what the warning is about: of a truth, also those that nobody is told."""
    truth = TRUTHS.get(check.name)
    if truth is None:
        return list(found.keys)
    rows = judged(truth, partial(lake.scan, days=(day, day)))
    return rows.filter(pl.col("rows").list.len() == 0)["subject"].to_list()


def _of_subject(
    lake: Lake, near: pl.DataFrame, rows: pl.DataFrame, subject: str, day: dt.date
) -> list[str]:
    own = near.filter(~_ROWS, pl.col("entity_id") == subject)["kind"].to_list()
    if subject.startswith(_DENOMINATION):
        return _drifted(lake, near, subject.removeprefix(_DENOMINATION), day)
    for table, play in _PLAYS.items() if not own else ():
        keys = rows.filter(table_name=table, gaming_day=day)["row_key"]
        own += _struck(lake, table, play, keys, subject, day)
    return own


def _drifted(lake: Lake, near: pl.DataFrame, denomination: str, day: dt.date) -> list[str]:
    """The kinds of plant on machines of a denomination that make at least half of its gap
    between win and theo."""
    machines = lake.scan("gold", "slot_performance", days=(day, day)).filter(
        pl.col("denomination").cast(pl.String) == denomination
    )
    gaps = machines.select("machine_id", gap=pl.col("win") - pl.col("theo")).collect()
    planted = near.filter(pl.col("kind").is_in(_PAID_OUT), entity_type="machine")
    own = gaps.filter(pl.col("machine_id").is_in(planted["entity_id"].implode()))
    part, whole = (abs(g.select(pl.col("gap").sum()).item()) for g in (own, gaps))
    if float(part) < ENOUGH * float(whole):
        return []
    return planted.filter(pl.col("entity_id").is_in(own["machine_id"].implode()))["kind"].to_list()


def _struck(
    lake: Lake, table: str, play: str, keys: pl.Series, subject: str, day: dt.date
) -> list[str]:
    """A kind for each planted row of the plays that a person's or machine's sound rows are of."""
    key = contract(table).key[0]
    who = [name for name in _WHOSE if name in contract(table).columns]
    bronze = lake.scan("bronze", table, days=(day, day), columns=[key, play, *who])
    is_own = pl.any_horizontal(pl.col(who) == subject)
    struck = bronze.filter(pl.col(key).is_in(keys.implode()))
    named = struck.filter(is_own)
    plays = bronze.filter(is_own).select(play).drop_nulls().unique()
    shared = struck.join(plays, on=play, how="semi")
    some = pl.concat([named, shared]).unique(key).collect()
    return [f"defect on {table}"] * some.height


def _of_rows(plants: pl.DataFrame, check: Check, found: Judgement) -> list[str]:
    layer, table = check.table
    sources = marts()[table].sources() if layer == "gold" else {table}
    doors = [door_of(source) for source in sources]
    mine = plants.filter(pl.col("table_name").is_in(doors))
    rows = found.checked_rows or 0
    about = {
        Family.VOLUME: abs(rows - found.more.get("usual", rows)),
        Family.FRESHNESS: found.failing_rows or 0,
    }.get(check.family, (found.measure or 0.0) * rows)
    return sorted(set(mine["kind"])) if mine.height >= ENOUGH * about else []
