"""How each patron played in each gaming day: the partial that protection is judged from."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.floor.play import ratings, slot_rows
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, cents, half_up, within
from lakehouse.regulation.gaming_day import Days

BREAK_MINUTES = 30
LONG_MINUTES = 180
REVERSED_WITHIN = "30m"
_KEY = ("player_id", "gaming_day")
_PAID = (
    "CASH_OUT",
    "CHIP_REDEMPTION",
    "TICKET_REDEMPTION",
    "FRONT_MONEY_WITHDRAWAL",
    "SAFEKEEPING_WITHDRAWAL",
)


@mart(silver("slot_telemetry"), silver("table_games"), silver("financial_txn"))
def player_behaviour(
    slot_telemetry: pl.LazyFrame,
    table_games: pl.LazyFrame,
    financial_txn: pl.LazyFrame,
    *,
    days: Days,
    timezone: str,
) -> pl.LazyFrame:
    """Mart `player_behaviour` of `days`, from silver. Who only redeemed something has no row."""
    slots = slot_rows(_of_players(slot_telemetry, days)).collect().lazy()
    pit = _of_players(table_games, days)
    sessions = pl.concat([_slot_sessions(slots), _table_sessions(pit)], how="diagonal")
    sessions = sessions.collect().lazy()
    played = _summed(sessions, timezone)
    for part in (
        _stretches(sessions),
        _chasing_rows(slots),
        _chasing_sessions(sessions),
        _runs_of_losses(sessions),
        _variety(slots, pit),
        _reversals(_of_players(financial_txn, days), slots, pit),
    ):
        played = played.join(part, on=_KEY, how="left")
    return as_table(played.with_columns(pl.exclude(_KEY).fill_null(0)), "player_behaviour")


def _of_players(frame: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    return within(frame, days).filter(pl.col("player_id").is_not_null())


def _slot_sessions(slots: pl.LazyFrame) -> pl.LazyFrame:
    """Sessions at machines, and of each patron what belongs to none. Money in cents."""
    moment, is_play = pl.col("event_timestamp"), pl.col("games_played") > 0
    square = pl.col("coin_in").cast(pl.Float64) ** 2 / pl.col("games_played")
    return slots.group_by(*_KEY, session="session_id").agg(
        is_slot=pl.lit(value=True),
        is_session=pl.col("session_id").first().is_not_null(),
        start=moment.min(),
        end=moment.max(),
        seconds=pl.when(pl.col("session_id").first().is_not_null())
        .then((moment.max() - moment.min()).dt.total_seconds())
        .otherwise(0),
        rounds=pl.col("games_played").sum(),
        staked=pl.col("coin_in").sum(),
        stake_squares=pl.when(is_play).then(square).otherwise(0.0).round().sum(),
        loss=(pl.col("coin_in") - pl.col("coin_out") - pl.col("jackpot_amount")).sum(),
        deposits=(pl.col("event_type") == "BILL_IN").sum().cast(pl.Int64),
        deposited=pl.col("bills_in").sum(),
        withdrawn=(pl.col("tickets_out") + pl.col("jackpot_amount")).sum(),
    )


def _table_sessions(pit: pl.LazyFrame) -> pl.LazyFrame:
    """Ratings, with what was bought and carried off under their number. Money in cents."""
    by = [*_KEY, "player_rating_id"]
    kind = pl.col("event_type")
    bought = kind.is_in(["BUY_IN", "MARKER_ISSUED"])
    moved = pit.group_by(by).agg(
        deposits=bought.sum().cast(pl.Int64),
        deposited=pl.when(bought).then(cents("amount")).otherwise(0).sum(),
        withdrawn=pl.when(kind == "CASH_OUT").then(cents("amount")).otherwise(0).sum(),
    )
    rated = (
        ratings(pit)
        .group_by(by)
        .agg(
            end=pl.col("event_timestamp").max(),
            seconds=pl.col("seconds").sum(),
            rounds=pl.col("decisions").round().cast(pl.Int64).sum(),
            staked=(pl.col("bet") * pl.col("decisions").round().cast(pl.Int64)).sum(),
            stake_squares=(pl.col("bet").cast(pl.Float64) ** 2 * pl.col("decisions").round()).sum(),
            loss=pl.col("rated_win").sum(),
        )
    )
    return (
        moved.join(rated, on=by, how="left", nulls_equal=True)
        .rename({"player_rating_id": "session"})
        .with_columns(
            is_slot=pl.lit(value=False),
            is_session=pl.col("end").is_not_null(),
            start=pl.col("end") - pl.duration(seconds=pl.col("seconds")),
        )
        .with_columns(pl.col("seconds", "rounds", "staked", "stake_squares", "loss").fill_null(0))
    )


def _summed(sessions: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    stake = pl.when(pl.col("rounds") > 0).then(half_up(pl.col("staked"), _some("rounds")))
    slots = pl.when("is_slot")
    summed = (
        sessions.with_columns(night=_night_seconds(timezone))
        .group_by(_KEY)
        .agg(
            pl.col(
                "rounds", "staked", "stake_squares", "loss", "deposits", "deposited", "withdrawn"
            ).sum(),
            sessions=pl.col("is_session").sum().cast(pl.Int64),
            slot_sessions=(pl.col("is_session") & pl.col("is_slot")).sum().cast(pl.Int64),
            seconds=pl.col("seconds").sum(),
            night_minutes=half_up(pl.col("night").sum(), 60),
            longest_session_minutes=half_up(pl.col("seconds").max(), 60),
            highest_stake=stake.max(),
            coin_in=slots.then("staked").otherwise(0).sum(),
            games_played=slots.then("rounds").otherwise(0).sum(),
            most_deposits=pl.col("deposits").max(),
        )
    )
    return summed.with_columns(minutes=half_up(pl.col("seconds"), 60))


def _some(count: str) -> pl.Expr:
    return pl.max_horizontal(count, 1)


def _night_seconds(timezone: str) -> pl.Expr:
    """Of a session's time, what lies after the midnight of its gaming day."""
    midnight = pl.col("gaming_day").dt.offset_by("1d").cast(pl.Datetime("us"))
    night = midnight.dt.replace_time_zone(timezone).dt.convert_time_zone("UTC")
    since = (pl.col("end") - night).dt.total_seconds()
    return pl.min_horizontal(pl.max_horizontal(since.fill_null(0), 0), "seconds")


def _stretches(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Sessions with breaks of less than 30 minutes between them, as one."""
    reached = pl.col("end").cum_max().shift().over(_KEY)
    apart = (pl.col("start") - reached).dt.total_seconds() >= BREAK_MINUTES * 60
    stretch = apart.fill_null(value=False).cum_sum().over(_KEY)
    seconds = (pl.col("end").max() - pl.col("start").min()).dt.total_seconds()
    return (
        sessions.filter("is_session")
        .sort(*_KEY, "start", "end")
        .with_columns(stretch=stretch)
        .group_by(*_KEY, "stretch")
        .agg(seconds=seconds)
        .group_by(_KEY)
        .agg(
            longest_stretch_minutes=half_up(pl.col("seconds").max(), 60),
            long_stretches=(pl.col("seconds") > LONG_MINUTES * 60).sum().cast(pl.Int64),
        )
    )


def _raised(stake: str, rounds: str) -> pl.Expr:
    """Mean stake up by a quarter or more, in whole numbers."""
    now = pl.col(stake) * pl.col(f"{rounds}_before") * 4
    then = pl.col(f"{stake}_before") * pl.col(rounds) * 5
    return (now >= then) & (pl.col(f"{stake}_before") > 0)


def _chasing_rows(slots: pl.LazyFrame) -> pl.LazyFrame:
    """Within sessions: rows of play while behind, each against the one before it."""
    by = [*_KEY, "session_id"]
    lost = pl.col("coin_in") - pl.col("coin_out") - pl.col("jackpot_amount")
    ordered = (
        slots.filter(pl.col("session_id").is_not_null())
        .filter((pl.col("games_played") > 0) | (pl.col("jackpot_amount") > 0))
        .sort(*by, "event_timestamp", "event_id")
        .with_columns(lost_so_far=lost.cum_sum().shift().over(by))
        .filter(pl.col("games_played") > 0)
        .with_columns(pl.col("coin_in", "games_played").shift().over(by).name.suffix("_before"))
        .filter(pl.col("coin_in_before").is_not_null() & (pl.col("lost_so_far") > 0))
    )
    return ordered.group_by(_KEY).agg(
        rows_behind=pl.len().cast(pl.Int64),
        rows_raised=_raised("coin_in", "games_played").sum().cast(pl.Int64),
    )


def _chasing_sessions(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Across the day's sessions of one kind: those after a lost one, against it."""
    by = [*_KEY, "is_slot"]
    ordered = (
        sessions.filter(pl.col("is_session") & (pl.col("rounds") > 0))
        .sort(*by, "start", "end", "session")
        .with_columns(pl.col("staked", "rounds", "loss").shift().over(by).name.suffix("_before"))
        .filter(pl.col("loss_before") > 0)
    )
    return ordered.group_by(_KEY).agg(
        sessions_behind=pl.len().cast(pl.Int64),
        sessions_raised=_raised("staked", "rounds").sum().cast(pl.Int64),
    )


def _runs_of_losses(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Whether stakes of the day's sessions follow the sessions lost in a row before them."""
    by = [*_KEY, "is_slot"]
    stake = (pl.col("staked") / pl.col("rounds")).log() * 1_000
    lost = [(pl.col("loss") > 0).shift(n).over(_KEY).fill_null(value=False) for n in (1, 2, 3)]
    run = lost[0].cast(pl.Int64) + (lost[0] & lost[1]) + (lost[0] & lost[1] & lost[2])
    x, y, n = pl.col("run"), pl.col("stake"), pl.len().cast(pl.Int64)

    def product(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return (a * b).sum() - a.sum() * b.sum() / n

    return (
        sessions.filter(pl.col("is_session") & (pl.col("rounds") > 0) & (pl.col("staked") > 0))
        .sort(*_KEY, "start", "end", "session")
        .with_columns(run=run, stake=stake.round().cast(pl.Int64))
        .group_by(by)
        .agg(
            run_freedom=n - 1,
            run_squares=product(x, x) * 1_000,
            run_stakes=product(x, y),
            stake_spread=product(y, y),
        )
        .group_by(_KEY)
        .agg(
            pl.col("run_freedom", "run_squares", "run_stakes", "stake_spread")
            .sum()
            .round()
            .cast(pl.Int64)
        )
    )


def _variety(slots: pl.LazyFrame, pit: pl.LazyFrame) -> pl.LazyFrame:
    themes = slots.filter(pl.col("games_played") > 0).select(*_KEY, game="game_theme")
    dealt = pit.filter(pl.col("event_type") == "RATING_END").select(*_KEY, game="game_type")
    return pl.concat([themes, dealt]).group_by(_KEY).agg(games=pl.col("game").n_unique())


def _reversals(cage: pl.LazyFrame, slots: pl.LazyFrame, pit: pl.LazyFrame) -> pl.LazyFrame:
    """Currency paid by the cage, and whether play was paid in soon after."""
    cash = pl.col("transaction_type").is_in(_PAID) & (pl.col("payment_method") == "Cash")
    paid = cage.filter(cash).select(*_KEY, at="transaction_timestamp").sort("at")
    bills = slots.filter(pl.col("event_type") == "BILL_IN")
    bought = pit.filter(pl.col("event_type").is_in(["BUY_IN", "MARKER_ISSUED"]))
    put_in = pl.concat([r.select(*_KEY, at="event_timestamp") for r in (bills, bought)])
    after = paid.join_asof(
        put_in.sort("at").with_columns(again="at"),
        on="at",
        by=_KEY,
        strategy="forward",
        tolerance=REVERSED_WITHIN,
        check_sortedness=False,
    )
    return after.group_by(_KEY).agg(
        cash_outs=pl.len().cast(pl.Int64),
        reversals=pl.col("again").is_not_null().sum().cast(pl.Int64),
    )
