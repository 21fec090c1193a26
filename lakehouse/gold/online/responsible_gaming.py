"""Signs of play that may do harm, or that is not the holder's own, of each account and gaming
day, with reasons in words."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import as_table, cents, half_up, within
from lakehouse.gold.online.hands import hands
from lakehouse.gold.online.play import USER, events
from lakehouse.regulation.gaming_day import Days, wall_clock
from lakehouse.texts import formatted

WINDOW = 30
"""Gaming days over which frequency and the trend of stakes are looked at."""
# House-set, all of them: no source gives cut-offs of a clickstream but for the sessions, which
# are those of the clickstream that this began with.
MANY_SESSIONS = 50
LONG_MINUTES = 180
FREQUENT_DAYS = 20
NIGHT_SHARE, FEWEST_AT_NIGHT = 0.5, 20
CHASING, FEWEST_BEHIND = 1.4, 20
RISE_IN_DAY, FEWEST_RISING = 1.5, 30
RISE_OVER_DAYS = 2.0
NIGHT_HOURS = 6
SHARED_MINUTES = 2
EVEN_ROUNDS = 40
"""Over what a machine plays by itself at one touch; set on seeds 42 and 7."""


@mart(silver("clickstream"), gold("player_metrics", back=WINDOW - 1), days_in_hand=31)
def responsible_gaming(
    clickstream: pl.LazyFrame, player_metrics: pl.LazyFrame, *, days: Days, timezone: str
) -> pl.LazyFrame:
    """Mart `responsible_gaming` of `days`. `player_metrics` must hold the 29 days before them."""
    stakes = _rounds(clickstream, days, timezone)
    history = _history(player_metrics, days)
    judged = _in_day(stakes).join(history, on=USER)
    whose = hands(events(clickstream, days))
    judged = judged.join(whose, on=USER, how="left")
    return as_table(judged.with_columns(reasons=told_of(tuple(RULES))), "responsible_gaming")


def _rounds(clickstream: pl.LazyFrame, days: Days, timezone: str) -> pl.LazyFrame:
    """Rounds in order of time, with `stake` in cents, whether the one before on the day was lost,
    the third of the day's rounds that each is in, and whether it was night."""
    rows = events(clickstream, days)
    paid = (
        rows.filter(pl.col("event_type") == "bet_result", pl.col("round_id").is_not_null())
        .group_by(*USER, "round_id")
        .agg(won=pl.col("win").sum())
    )
    # A result that was never told is no loss.
    lost = (pl.col("won") < pl.col("stake")).fill_null(value=False)
    at, count = pl.int_range(pl.len()).over(USER), pl.len().over(USER)
    return (
        rows.filter("is_stake")
        .join(paid, on=[*USER, "round_id"], how="left")
        .sort(*USER, "timestamp", "event_id")
        .with_columns(
            is_behind=lost.shift().over(USER),
            third=at * 3 // count,
            is_night=is_night(timezone),
        )
    )


def is_night(timezone: str) -> pl.Expr:
    """By the clock of the row's place, or the property's where it is not told."""
    moment = pl.col("timestamp")
    own, property_ = wall_clock(moment, pl.col("time_zone")), moment.dt.convert_time_zone(timezone)
    return pl.coalesce(own.dt.hour(), property_.dt.hour()) < NIGHT_HOURS


def _in_day(rounds: pl.LazyFrame) -> pl.LazyFrame:
    stake, behind = pl.col("stake"), pl.col("is_behind")
    after = stake.filter(behind).mean() / stake.filter(~behind).mean()
    rise = stake.filter(pl.col("third") == 2).mean() / stake.filter(pl.col("third") == 0).mean()
    return rounds.group_by(USER).agg(
        mean_stake=half_up(stake.sum(), pl.len()),
        night_rounds=pl.col("is_night").sum().cast(pl.Int64),
        rounds_behind=behind.sum().cast(pl.Int64),
        chasing=after.round(4),
        rise_in_day=pl.when(pl.len() >= 3).then(rise.round(4)),
    )


def _history(player_metrics: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """Each day of play beside what is known of the 29 days before it."""
    known = ["sessions", "minutes", "longest_session_minutes", "rounds"]
    played = player_metrics.filter(pl.col("rounds") > 0).select(
        *USER, *known, stakes=cents("stakes"), loss=cents("ggr")
    )
    return beside_days_before(within(played, days), played)


def beside_days_before(today: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Accounts' days of play beside those of the 29 days before each that are among `played`: user,
    gaming_day, rounds, stakes in cents."""
    before = played.select("user_id", day="gaming_day", was="rounds", staked="stakes")
    earlier = pl.col("day") < pl.col("gaming_day")
    near = pl.col("day") > pl.col("gaming_day").dt.offset_by(f"-{WINDOW}d")
    sums = (
        today.select(USER)
        .join(before, on="user_id")
        .filter(earlier & near)
        .group_by(USER)
        .agg(
            days_before=pl.len().cast(pl.Int64),
            was=pl.col("was").sum(),
            staked=pl.col("staked").sum(),
        )
    )
    return today.join(sums, on=USER, how="left").with_columns(_over_days())


def _over_days() -> list[pl.Expr]:
    now, before = pl.col("stakes") / pl.col("rounds"), pl.col("staked") / pl.col("was")
    return [
        (pl.col("days_before").fill_null(0) + 1).alias("days_played"),
        (now / before).round(4).alias("rise_over_days"),
    ]


def told_of(names: Sequence[str]) -> pl.Expr:
    """Reasons, in words, of the rules of these names that hold."""
    return pl.concat_list(said(name) for name in names).list.drop_nulls()


def said(name: str) -> pl.Expr:
    """What the rule says where it holds; else null."""
    holds, words, value = RULES[name]
    shown = pl.col(value).round(1) if "times" in words else pl.col(value)
    return pl.when(holds).then(formatted(words, shown))


_ROUNDS = pl.col("rounds")
RULES: dict[str, tuple[pl.Expr, str, str]] = {
    "many_sessions": (
        pl.col("sessions") >= MANY_SESSIONS,
        "{} sessions on one day",
        "sessions",
    ),
    "long_session": (
        pl.col("longest_session_minutes") > LONG_MINUTES,
        "a session of {} minutes",
        "longest_session_minutes",
    ),
    "night_play": (
        (pl.col("night_rounds") / _ROUNDS >= NIGHT_SHARE)
        & (pl.col("night_rounds") >= FEWEST_AT_NIGHT),
        "{} rounds between midnight and six",
        "night_rounds",
    ),
    "chasing": (
        (pl.col("chasing") >= CHASING) & (pl.col("rounds_behind") >= FEWEST_BEHIND),
        "stakes after a loss are {} times those after a win",
        "chasing",
    ),
    "rise_in_day": (
        (pl.col("rise_in_day") >= RISE_IN_DAY) & (_ROUNDS >= FEWEST_RISING),
        "stakes at the end of the day are {} times those at its beginning",
        "rise_in_day",
    ),
    "rise_over_days": (
        (pl.col("rise_over_days") >= RISE_OVER_DAYS) & (pl.col("days_before") >= 3),
        "stakes are {} times those of the days before",
        "rise_over_days",
    ),
    "frequent_days": (
        pl.col("days_played") >= FREQUENT_DAYS,
        "played on {} days of 30",
        "days_played",
    ),
    "shared_account": (
        pl.col("minutes_at_once") >= SHARED_MINUTES,
        "{} minutes in two places at once",
        "minutes_at_once",
    ),
    "program": (
        pl.col("even_rounds") >= EVEN_ROUNDS,
        "{} rounds on end as even as a program's",
        "even_rounds",
    ),
}
"""Name → when the rule holds, what it says, and of what measure."""
