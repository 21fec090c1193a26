"""How levels and maps hold their players: who is there, who comes back, who gets stuck."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import fraction, half_up, tenths, within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days

SILENCE = pl.duration(minutes=30)
RETENTION = (1, 7, 30)
"""Days later on which players are looked for."""
TRIED = 7
"""Days that stuck points are judged from."""
LIKE = 15
"""Points of difficulty within which levels are alike."""
ENOUGH = 5
"""Tries without which a level is no measure for others."""
STUCK = 3.0
_PLACE = ("level_id", "map_id")
_KEY = (*_PLACE, "gaming_day")


@mart(silver("player_events"))
def player_levels(player_events: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `player_levels` of `days`. Time until the next event of a session is spent where the
    session is."""
    kind, here = pl.col("event_type"), pl.concat_str("level_id", "map_id", separator="/")
    events = _in_sessions(within(player_events, days).with_columns(here=here))
    by_session = (
        events.group_by("session", "player_id", *_KEY)
        .agg(
            pl.col("spent").sum(),
            events=pl.len(),
            deaths=(kind == "player_death").sum(),
            completions=(kind == "level_complete").sum(),
            disconnections=(kind == "disconnect").sum(),
            moves_to=pl.col("then").filter(pl.col("then") != pl.col("here")),
        )
        .with_columns(whole=pl.col("spent").sum().over("session"))
    )
    each = by_session.group_by("player_id", *_KEY).agg(
        pl.col("events", "deaths", "completions", "disconnections").sum(),
        sessions=pl.len(),
        session_seconds=half_up(pl.col("whole").sum(), 1_000_000),
        seconds=half_up(pl.col("spent").sum(), 1_000_000),
        moves_to=pl.col("moves_to").explode().drop_nulls().sort(),
    )
    return shaped(each, "player_levels")


def _in_sessions(events: pl.LazyFrame) -> pl.LazyFrame:
    """Events in order, each with its session's number, the microseconds until the next one of
    the session, and where that is. Where no session is told, silence ends it."""
    moment, named = pl.col("timestamp"), pl.col("session_id")
    gap = moment.shift(-1) - moment
    same = [pl.col(c) == pl.col(c).shift(-1) for c in ("gaming_day", "player_id")]
    goes_on = pl.all_horizontal(*same, named.eq_missing(named.shift(-1))) & (
        named.is_not_null() | (gap <= SILENCE)
    )
    ends = ~goes_on.fill_null(value=False)
    return events.sort(
        "gaming_day", "player_id", "session_id", "timestamp", "event_id"
    ).with_columns(
        spent=pl.when(~ends).then(gap.dt.total_microseconds()),
        then=pl.when(~ends).then(pl.col("here").shift(-1)),
        session=ends.shift(1, fill_value=False).cum_sum(),
    )


@mart(gold("player_levels", back=TRIED - 1, ahead=max(RETENTION)), silver("game_maps"))
def level_engagement(
    player_levels: pl.LazyFrame, game_maps: pl.LazyFrame, *, days: Days
) -> pl.LazyFrame:
    """Mart `level_engagement` of `days`."""
    played = player_levels.collect().lazy()
    today = within(played, days)
    found = (
        _active(today)
        .join(_moves(today), on=_KEY, how="left")
        .join(_retained(played, today), on=_KEY, how="left")
        .join(_stuck(played, game_maps, days), on=_KEY, how="left")
        .with_columns(pl.col("moves_to").fill_null([]))
    )
    return shaped(found, "level_engagement")


def _active(today: pl.LazyFrame) -> pl.LazyFrame:
    done = (pl.col("completions") > 0).sum()
    length, sessions = pl.col("session_seconds").sum(), pl.col("sessions").sum()
    return today.group_by(_KEY).agg(
        pl.col("sessions", "events", "deaths", "completions", "disconnections").sum(),
        active_players=pl.len(),
        average_session_minutes=tenths(length, 60 * sessions),
        completion_rate=fraction(done, pl.len()),
    )


def _moves(today: pl.LazyFrame) -> pl.LazyFrame:
    counted = (
        today.select(*_KEY, to="moves_to")
        .explode("to")
        .drop_nulls("to")
        .group_by(*_KEY, "to")
        .agg(moves=pl.len().cast(pl.Int64))
        .sort("moves", "to", descending=[True, False])
    )
    to = pl.col("to").str.splitn("/", 2)
    move = pl.struct(
        to.struct.field("field_0").alias("level_id"),
        to.struct.field("field_1").alias("map_id"),
        "moves",
    )
    return counted.group_by(_KEY, maintain_order=True).agg(moves_to=move)


def _retained(played: pl.LazyFrame, today: pl.LazyFrame) -> pl.LazyFrame:
    """Of a day on which nobody played nothing is known: it may be to come."""
    active = played.select("player_id", "gaming_day").unique()
    found = today.select("player_id", *_KEY)
    for n in RETENTION:
        later = active.with_columns(pl.col("gaming_day").dt.offset_by(f"-{n}d"))
        came = later.with_columns(pl.lit(value=True).alias(f"came_{n}"))
        known = later.select("gaming_day").unique()
        known = known.with_columns(pl.lit(value=True).alias(f"known_{n}"))
        found = found.join(came, on=["player_id", "gaming_day"], how="left")
        found = found.join(known, on="gaming_day", how="left")
    return found.group_by(_KEY).agg(
        pl.when(pl.col(f"known_{n}").any())
        .then(fraction(pl.col(f"came_{n}").sum(), pl.len()))
        .alias(f"retention_d{n}")
        for n in RETENTION
    )


def _stuck(played: pl.LazyFrame, game_maps: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """Completion of the last days against levels' maps of like difficulty, or against all where
    nothing is known of that."""
    counted = played.group_by(_KEY).agg(
        tries=pl.len().cast(pl.Int64), done=(pl.col("completions") > 0).sum().cast(pl.Int64)
    )
    later = [counted.with_columns(pl.col("gaming_day").dt.offset_by(f"{n}d")) for n in range(TRIED)]
    tried = within(pl.concat(later), days).group_by(_KEY).agg(pl.col("tries", "done").sum())
    levels = tried.join(game_maps.select(*_KEY, "difficulty"), on=_KEY, how="left").with_columns(
        rate=half_up(10_000 * pl.col("done"), pl.col("tries"))
    )
    other = pl.col("difficulty_other")
    is_like = (pl.col("difficulty") - other).abs() <= LIKE
    is_like = is_like.fill_null(pl.col("difficulty").is_null() & other.is_null())
    is_itself = (pl.col("level_id") == pl.col("level_id_other")) & (
        pl.col("map_id") == pl.col("map_id_other")
    )
    measures = levels.filter(pl.col("tries") >= ENOUGH)
    expected = (
        levels.join(measures, on="gaming_day", suffix="_other")
        .filter(is_like & ~is_itself)
        .group_by(_KEY)
        .agg(
            like_levels=pl.len(),
            expected=pl.col("rate_other").quantile(0.5, "lower").cast(pl.Int64),
        )
    )
    p = pl.col("expected").clip(100, 9_900)
    spread = (p * (10_000 - p) / pl.col("tries")).sqrt()
    score = ((pl.col("expected") - pl.col("rate")) / spread).round(2)
    return (
        levels.join(expected, on=_KEY, how="left")
        .with_columns(stuck_score=score, like_levels=pl.col("like_levels").fill_null(0))
        .select(
            *_KEY,
            "tries",
            "like_levels",
            "stuck_score",
            expected_rate=fraction(pl.col("expected"), 10_000),
            is_stuck=(pl.col("stuck_score") >= STUCK).fill_null(value=False),
        )
    )
