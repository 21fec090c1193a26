"""Whether totals of the loyalty system are those of the facts.

Profiles carry totals since the books opened, and the lake may know less than all of that. So
what a total grew by from one extract of a patron to the next is held against the facts of the
days between: a difference is told once, on the day that it appeared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from lakehouse.gold.floor.play import slot_rows
from lakehouse.gold.money import cents
from lakehouse.quality.registry import declares
from lakehouse.quality.results import KEYS_SHOWN, Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

PROFILE, FACTS = ("silver", "player_profile"), ("gold", "player_day")
KEPT_OUT = (("quarantine", "slot_telemetry"), ("quarantine", "table_games"))
_KEY = ["gaming_day", "player_id"]
_TOTALS = {"visits": "total_visits", "theo": "total_theo", "actual": "total_actual_win_loss"}


@declares
def profile_totals(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    yield Check(
        "profile_totals_are_the_facts",
        FACTS,
        Family.TRUTH,
        "warn",
        "What no rejected row explains is a fault of the loyalty system or of the feed: points "
        "and offers rest on it, the books do not.",
        "From one extract of a patron to the next, visits, theo and actual win of the profile "
        "grew by those of the days between; theo to a cent a visit.",
        judge,
        tables=(PROFILE, FACTS, *KEPT_OUT),
    )


def judge(lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    """Rows kept out of silver explain a difference of the patron that they name; where they
    name nobody known, one to the cent."""
    grown = _grown(lake.scan(*PROFILE), days).collect()
    if grown.is_empty():
        return {day: _judgement(0, grown, grown) for day in each_day(days)}
    window = (grown["since"].min(), days[1])
    facts = lake.scan(*FACTS, days=window, columns=[*_KEY, *_TOTALS])  # type: ignore[arg-type]
    compared = differences(grown.lazy(), facts).collect()
    wrong = compared.filter("differs")
    slots, tables = (lake.scan(*t, days=window) for t in KEPT_OUT)  # type: ignore[arg-type]
    open_ = unexplained(wrong, kept_out(slots, tables)) if wrong.height else wrong
    rows = dict(compared.group_by("gaming_day").len().iter_rows())
    return {
        day: _judgement(
            rows.get(day, 0), wrong.filter(gaming_day=day), open_.filter(gaming_day=day)
        )
        for day in each_day(days)
    }


def _grown(profiles: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """Grain: one row per extract of `days` with one before it: gaming_day, player_id, since
    (gaming day of the one before), and by how much each total grew."""
    totals = profiles.filter(pl.col("gaming_day") <= days[1]).select(*_KEY, *_TOTALS.values())
    before = totals.sort(_KEY).with_columns(
        since=pl.col("gaming_day").shift().over("player_id"),
        **{n: pl.col(t) - pl.col(t).shift().over("player_id") for n, t in _TOTALS.items()},
    )
    of_days = pl.col("gaming_day").is_between(*days) & pl.col("since").is_not_null()
    return before.filter(of_days).select(*_KEY, "since", *_TOTALS)


def differences(grown: pl.LazyFrame, facts: pl.LazyFrame) -> pl.LazyFrame:
    """`grown` with `differs`, and by how much (profile less facts): visits, and theo and actual
    in cents."""
    between = (
        grown.select(*_KEY, "since")
        .join(facts.rename({"gaming_day": "day"}), on="player_id")
        .filter((pl.col("day") > pl.col("since")) & (pl.col("day") <= pl.col("gaming_day")))
        .group_by(_KEY)
        .agg(pl.col(*_TOTALS).sum().name.prefix("facts_"))
    )
    facts_0 = (pl.col(f"facts_{n}").fill_null(0) for n in _TOTALS)
    apart = grown.join(between, on=_KEY, how="left").with_columns(
        **{n: pl.col(n) - fact for n, fact in zip(_TOTALS, facts_0, strict=True)}
    )
    rounding = 1 + pl.col("facts_visits").fill_null(0)
    in_cents = apart.with_columns(theo=cents("theo"), actual=cents("actual"))
    differs = (pl.col("visits") != 0) | (pl.col("actual") != 0) | (pl.col("theo").abs() > rounding)
    return in_cents.select(*_KEY, "since", *_TOTALS, differs=differs)


def kept_out(slots: pl.LazyFrame, tables: pl.LazyFrame) -> pl.LazyFrame:
    """Quarantined rows of play: gaming_day, player_id (null where nobody is known by it), play
    (session or rating) and actual, the win in cents that the row stands for."""
    broken = pl.col("_rules").list.eval(pl.element().str.starts_with("player_id|")).list.any()
    silver = pl.col("_stage") == "silver"
    won = pl.col("coin_in") - pl.col("coin_out") - pl.col("jackpot_amount")
    parts = (
        (slot_rows(slots.filter(silver)), "session_id", won),
        (tables.filter(silver), "player_rating_id", cents("actual_win_loss")),
    )
    known = pl.when(~broken).then("player_id").alias("player_id")
    return pl.concat(
        rows.select("gaming_day", known, play=play, actual=actual.cast(pl.Int64))
        for rows, play, actual in parts
    )


def unexplained(wrong: pl.DataFrame, aside: pl.LazyFrame) -> pl.DataFrame:
    """The differences that no row kept out explains. Nameless rows of one play belong to one
    patron: they settle a difference together."""
    rows = aside.collect().rename({"gaming_day": "day"})
    inside = (pl.col("day") > pl.col("since")) & (pl.col("day") <= pl.col("gaming_day"))
    named = wrong.join(rows.select("day", "player_id"), on="player_id").filter(inside)
    nameless = rows.filter(pl.col("player_id").is_null(), pl.col("actual").is_not_null())
    of_play = nameless.drop_nulls("play").group_by("day", "play").agg(pl.col("actual").sum())
    amounts = pl.concat([nameless.select("day", "actual"), of_play.select("day", "actual")])
    exact = wrong.join(amounts, on="actual").filter(inside)
    return wrong.join(named, on=_KEY, how="anti").join(exact, on=_KEY, how="anti")


def _judgement(rows: int, wrong: pl.DataFrame, open_: pl.DataFrame) -> Judgement:
    settled = wrong.height - open_.height
    because = f"; rows kept out of silver explain {settled:,} more" if settled else ""
    return Judgement(
        open_.is_empty(),
        f"{open_.height:,} of {rows:,} profiles grew by other totals than the facts{because}.",
        measure=float(open_.height),
        bound=0.0,
        failing_rows=open_.height,
        checked_rows=rows,
        keys=tuple(open_["player_id"].sort()[:KEYS_SHOWN]),
        more={"unexplained": open_.height, "explained": settled},
    )
