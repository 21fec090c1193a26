"""Machine integrity: what a machine reports of itself, held against itself and what it was built
to pay."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import Limit, Reads, evidence, rule
from lakehouse.detection.runs import runs, units

RUN_DAYS = 28
_MACHINE_DAY = ("machine_id", "gaming_day")


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * 100).cast(pl.Int64)


def _usd(cents: pl.Expr) -> pl.Expr:
    return (cents / 100).round(2)


@rule(
    Reads("slot_telemetry", back=1),
    family="machine",
    entity="machine",
    action="Take the machine out of play; compare its meters with the accounting system's.",
)
def meter_against_play(slot_telemetry: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """The coin-in meter advances by another amount than the play that was reported between two
    readings. A row of play that got lost leaves a single stretch ahead, by whole games at a bet
    that was played; so ahead counts only where the meter runs ahead in every stretch of the day,
    by one share, in three or more, or by what no lost row would leave. Behind always counts: no
    loss makes play out of nothing. Score: the difference against the play of those stretches."""
    odd = _at_odds(_read(slot_telemetry).cache(), limit)
    wrong = odd.filter(pl.col("off") != 0)
    share = pl.col("difference").abs() / pl.max_horizontal("reported", 1)
    said = pl.format(
        "In {} of {} stretches between readings the meter advanced ${} {} than the play reported, "
        "${}: {}%.",
        "stretches",
        "of_stretches",
        _usd(pl.col("difference").abs()),
        pl.when(pl.col("difference") < 0).then(pl.lit("less")).otherwise(pl.lit("more")),
        _usd(pl.col("reported")),
        (100 * share).round(1),
    )
    keys = wrong.unpivot(["since_id", "event_id"], index=_MACHINE_DAY, value_name="reading")
    return (
        wrong.group_by(_MACHINE_DAY)
        .agg(
            pl.col("of_stretches").first(),
            window_start=pl.col("since_day").min(),
            stretches=pl.len(),
            difference=pl.col("off").sum(),
            reported=pl.col("played").sum(),
        )
        .join(keys.group_by(_MACHINE_DAY).agg(evidence("slot_telemetry", "reading")), on=_MACHINE_DAY)
        .with_columns(score=share / limit("whole_at"), said=said)
        .select(
            "gaming_day",
            pl.col("machine_id").alias("entity_id"),
            "window_start",
            pl.col("gaming_day").alias("window_end"),
            "score",
            "evidence",
            "said",
        )
    )


def _read(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Play and readings of the coin-in meter in order, cents, with the number of the reading that
    ends the row's stretch. Play of the instant of a reading comes before it."""
    kind = pl.col("event_type")
    reading = pl.coalesce(_cents("meter_coin_in"), _cents("coin_in"))
    is_reading = pl.col("meter").is_not_null()
    return (
        slot_telemetry.filter(kind.is_in(["METER_UPDATE", "GAME_PLAY"]))
        .select(
            *_MACHINE_DAY,
            "event_timestamp",
            "event_id",
            "games_played",
            meter=pl.when(kind == "METER_UPDATE").then(reading),
            play=pl.when(kind == "GAME_PLAY").then(_cents("coin_in")).otherwise(0).fill_null(0),
            credit=_cents("denomination"),
        )
        .sort("machine_id", "event_timestamp", "meter")
        .with_columns(number=is_reading.cum_sum() - is_reading)
    )


def _stretches(read: pl.LazyFrame) -> pl.LazyFrame:
    """From a reading to the next one, on the same gaming day or the day before, by the day of the
    latter; cents."""
    play = pl.col("play")
    before = pl.col("gaming_day", "meter", "event_id").shift().over("machine_id")
    return (
        read.group_by("machine_id", "number", maintain_order=True)
        .agg(
            pl.col("gaming_day", "meter", "event_id", "credit").last(),
            played=play.sum(),
            plays=(play > 0).sum(),
            largest=play.max(),
        )
        .filter(pl.col("meter").is_not_null())
        .with_columns(before.name.prefix("before_"))
        .rename({"before_gaming_day": "since_day", "before_event_id": "since_id"})
        .filter(pl.col("gaming_day") - pl.col("since_day") <= pl.duration(days=1))
        .with_columns(off=pl.col("meter") - pl.col("before_meter") - pl.col("played"))
    )


def _at_odds(read: pl.LazyFrame, limit: Limit) -> pl.LazyFrame:
    """The stretches with play, or behind, of machine days on which lost rows do not explain what
    is off."""
    off, played, credit = pl.col("off"), pl.col("played"), pl.col("credit")
    known = _stretches(read).filter((played > 0) | (off < 0))
    odd = known.filter((off != 0).any().over(_MACHINE_DAY)).cache()
    same_day = pl.col("since_day") == pl.col("gaming_day")
    rounding = 2 * credit * played.sum()

    def in_step(where: pl.Expr | bool) -> pl.Expr:
        """All ahead by one share of the play, but for credits that are not whole."""
        ahead, of = off.filter(where), played.filter(where)
        apart = (ahead * of.sum() - ahead.sum() * of).abs()
        step = (apart <= 2 * credit.filter(where) * of.sum()).all()
        return (ahead.len() > 1) & (ahead > 0).all() & step

    is_even = same_day & (off == 0) & (off.sum() * played > rounding)
    known_lost = pl.col("is_whole") & (off <= 2 * pl.col("largest").max())
    few = (pl.col("plays") < limit("from_plays")) | (off <= limit("from_share") * played)
    unexplained = (off > 0) & ~known_lost & ~few
    ahead = in_step(pl.lit(value=True)) | in_step(same_day) | unexplained.any()
    ahead |= (off > 0).all() & (pl.len() >= 3)
    days = (
        odd.join(_whole_games(odd, read), on=["machine_id", "event_id"], how="left")
        .with_columns(pl.col("is_whole").fill_null(value=False))
        .group_by(_MACHINE_DAY)
        .agg(of_stretches=pl.len(), is_off=(off < 0).any() | (~is_even.any() & ahead))
        .filter("is_off")
    )
    return odd.join(days, on=_MACHINE_DAY)


def _whole_games(odd: pl.LazyFrame, read: pl.LazyFrame) -> pl.LazyFrame:
    """Whether a stretch is ahead by whole games at any bet of its machine day."""
    games = pl.max_horizontal(pl.col("games_played").fill_null(1), 1)
    bets = (
        read.filter(pl.col("play") > 0)
        .select("machine_id", "number", bet=pl.col("play") // games)
        .join(odd.select(*_MACHINE_DAY, "number"), on=["machine_id", "number"])
        .select(*_MACHINE_DAY, "bet")
        .unique()
    )
    return (
        odd.filter(pl.col("off") > 0)
        .join(bets, on=_MACHINE_DAY)
        .group_by("machine_id", "event_id")
        .agg(is_whole=(pl.col("off") % pl.col("bet") == 0).any())
    )
