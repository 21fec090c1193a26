"""Machine integrity: what a machine reports of itself, held against itself and what it was built
to pay."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.doors import unknown_openings
from lakehouse.detection.registry import Limit, Reads, evidence, rule
from lakehouse.detection.runs import runs, runs_since, units
from lakehouse.texts import formatted

RUN_DAYS = 28
_MACHINE_DAY = ("machine_id", "gaming_day")


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * 100).cast(pl.Int64)


def _usd(cents: pl.Expr) -> pl.Expr:
    return (cents / 100).round(2)


@rule(
    Reads("slot_telemetry", back=2),
    family="machine",
    entity="machine",
    action="Take the machine out of play; compare its meters with the accounting system's.",
)
def meter_against_play(slot_telemetry: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """The coin-in meter advances by another amount than the play that was reported between two
    readings. A row or a session of play that got lost leaves a single stretch ahead; so ahead
    counts only where the meter runs ahead in every stretch of the day, by one share, in three or
    more, or within the day by what no lost row would leave; and overnight, where sessions are
    lost whole, by the share that it was ahead the day before. Behind always counts: no loss makes
    play out of nothing. Score: the difference against the play of those stretches."""
    odd = _at_odds(_read(slot_telemetry).cache(), limit)
    wrong = odd.filter(pl.col("off") != 0)
    share = pl.col("difference").abs() / pl.max_horizontal("reported", 1)
    said = formatted(
        "In {} of {} stretches between readings the meter advanced ${} {} than the play reported, "
        "${}: {}%.",
        "stretches",
        "of_stretches",
        _usd(pl.col("difference").abs()),
        pl.when(pl.col("difference") < 0).then(pl.lit("less")).otherwise(pl.lit("more")),
        _usd(pl.col("reported")),
        (100 * share).round(1),
    )
    keys = pl.concat(
        wrong.select(*_MACHINE_DAY, reading=reading, read_on=day)
        for reading, day in (("since_id", "since_day"), ("event_id", "gaming_day"))
    )
    readings = evidence("slot_telemetry", "reading", day="read_on")
    return (
        wrong.group_by(_MACHINE_DAY)
        .agg(
            pl.col("of_stretches").first(),
            window_start=pl.col("since_day").min(),
            stretches=pl.len(),
            difference=pl.col("off").sum(),
            reported=pl.col("played").sum(),
        )
        .join(keys.group_by(_MACHINE_DAY).agg(readings), on=_MACHINE_DAY)
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
    """From a reading to the next one, on the same gaming day or the one after, by the day of the
    latter; cents."""
    play = pl.col("play")
    before = pl.col("gaming_day", "meter", "event_id").shift().over("machine_id")
    return (
        read.group_by("machine_id", "number", maintain_order=True)
        .agg(
            pl.col("gaming_day", "meter", "event_id", "credit").last(),
            played=play.sum(),
            plays=(play > 0).sum(),
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

    def in_step(where: pl.Expr) -> pl.Expr:
        """All ahead by one share of the play, but for credits that are not whole."""
        ahead, of = off.filter(where), played.filter(where)
        apart = (ahead * of.sum() - ahead.sum() * of).abs()
        step = (apart <= 2 * credit.filter(where) * of.sum()).all()
        return (ahead.len() > 1) & (ahead > 0).all() & step

    is_even = same_day & (off == 0) & (off.sum() * played > rounding)
    few = (pl.col("plays") < limit("from_plays")) | (off <= limit("from_share") * played)
    unexplained = (off > 0) & ~pl.col("could_be_lost") & ~few
    ahead = in_step(pl.lit(value=True)) | in_step(same_day) | (unexplained & same_day).any()
    ahead |= (off > 0).all() & (pl.len() >= 3)
    overnight = ~same_day & (off > 0) & ~few & _in_step_with_the_day_before()
    days = (
        odd.join(_ahead_all_day(known), on=_MACHINE_DAY, how="left")
        .join(_could_be_lost(odd, read), on=[*_MACHINE_DAY, "event_id"], how="left")
        .with_columns(pl.col("could_be_lost").fill_null(value=False))
        .group_by(_MACHINE_DAY)
        .agg(
            of_stretches=pl.len(),
            is_off=(off < 0).any() | overnight.any() | (~is_even.any() & ahead),
        )
        .filter("is_off")
    )
    return odd.join(days, on=_MACHINE_DAY)


def _ahead_all_day(known: pl.LazyFrame) -> pl.LazyFrame:
    """The stretches that end on a machine's day together, by the day after, where all of them
    were ahead."""
    return (
        known.group_by(_MACHINE_DAY)
        .agg(
            before_off=pl.col("off").sum(),
            before_played=pl.col("played").sum(),
            least=pl.col("off").min(),
        )
        .filter(pl.col("least") > 0)
        .with_columns(pl.col("gaming_day") + pl.duration(days=1))
        .drop("least")
    )


def _in_step_with_the_day_before() -> pl.Expr:
    """Ahead by one share of the play, but for credits that are not whole."""
    played, of = pl.col("played"), pl.col("before_played")
    apart = (pl.col("off") * of - pl.col("before_off") * played).abs()
    return (apart <= 2 * pl.col("credit") * (of + played)).fill_null(value=False)


def _could_be_lost(odd: pl.LazyFrame, read: pl.LazyFrame) -> pl.LazyFrame:
    """Whether a stretch is ahead by whole games at a bet of the machine's play from the day that
    the stretch began on to the day that it ended on, and by two of its largest rows at the most:
    the row that is missing may be the only one of its bettor between the two readings."""
    games = pl.max_horizontal(pl.col("games_played").fill_null(1), 1)
    plays = read.filter(pl.col("play") > 0).select(
        "machine_id", "play", played_on="gaming_day", bet=pl.col("play") // games
    )
    return (
        odd.filter(pl.col("off") > 0)
        .join(plays, on="machine_id")
        .filter(pl.col("played_on").is_between("since_day", "gaming_day"))
        .group_by(*_MACHINE_DAY, "event_id")
        .agg(
            could_be_lost=(pl.col("off") % pl.col("bet") == 0).any()
            & (pl.col("off") <= 2 * pl.col("play").max()).any()
        )
    )


@rule(
    Reads("slot_sessions", back=RUN_DAYS - 1),
    Reads("slot_telemetry", back=RUN_DAYS - 1),
    Reads("security_events", back=RUN_DAYS),
    family="machine",
    entity="machine",
    action="Check the machine's program and pay table against what is approved; review its doors.",
)
def hold_drift(
    slot_sessions: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame,
    security_events: pl.LazyFrame,
    *,
    limit: Limit,
) -> pl.LazyFrame:
    """What a machine pays runs away from what it was built to pay, to either side, over up to 28
    days: a CUSUM of bets against the machine at its own odds (`detection/runs.py`), a session a
    bet, in proportion to what it can tell. Wins of a session count up to twice what was expected,
    hand-pays not at all, so that a lucky patron is no run; what honest play pays beyond them is
    what makes false alarms rarer than exp(`reaches`) / 2 machine days, the bound. From a day on
    which nobody known opened the machine less is needed: its beginning is not looked for. Score:
    the run's height, against twice what an alert needs."""
    days = _drift_by_day(slot_sessions, limit)
    by = ["machine_id", "side"]
    opened = _opened(slot_telemetry, security_events)
    searched = runs(days, by=by, window=RUN_DAYS, reaches=limit("reaches"))
    started = runs_since(
        days, opened, by=by, window=RUN_DAYS, reaches=limit("reaches_opened")
    ).join(opened, on=["machine_id", "since"])
    needed = pl.col("opening").is_null()
    found = (
        pl.concat([searched, started], how="diagonal")
        .with_columns(
            needs=pl.when(needed).then(limit("reaches")).otherwise(limit("reaches_opened"))
        )
        .with_columns(score=pl.col("height") / pl.col("needs") / 2)
        .sort("score", "side", "since", descending=True)
        .unique(_MACHINE_DAY, keep="first", maintain_order=True)
    )
    return _drifted(found, slot_sessions)


def _opened(slot_telemetry: pl.LazyFrame, security_events: pl.LazyFrame) -> pl.LazyFrame:
    """machine_id, since: days on which nobody known opened a machine; with its first `opening`."""
    unknown = unknown_openings(slot_telemetry, security_events)
    return (
        unknown.sort("event_timestamp", "event_id")
        .group_by("machine_id", since="gaming_day")
        .agg(opening=pl.col("event_id").first())
    )


def _drift_by_day(slot_sessions: pl.LazyFrame, limit: Limit) -> pl.LazyFrame:
    expected = (pl.col("coin_in") - pl.col("theo")).cast(pl.Float64)
    spread = pl.col("payout_deviation").cast(pl.Float64) / expected
    paid = pl.min_horizontal(pl.col("coin_out").cast(pl.Float64) / expected, limit("counted_to"))
    shift = limit("shift")
    stake = pl.min_horizontal(shift / (spread.pow(2) + shift.pow(2)), limit("stake"))
    less = pl.when(spread <= 1).then(-stake * (paid / limit("counted_share") - 1)).otherwise(0.0)
    return (
        slot_sessions.filter(expected > 0)
        .with_columns(more=units((stake * (paid - 1)).log1p()), less=units(less.log1p()))
        .group_by(_MACHINE_DAY)
        .agg(pl.col("more", "less").sum())
        .unpivot(["more", "less"], index=_MACHINE_DAY, variable_name="side", value_name="evidence")
    )


def _drifted(found: pl.LazyFrame, slot_sessions: pl.LazyFrame) -> pl.LazyFrame:
    played = slot_sessions.select(
        "machine_id", "coin_in", "coin_out", "theo", played_on="gaming_day"
    )
    paid, built = (
        (100 * part / pl.col("coin_in").cast(pl.Float64)).round(1)
        for part in (
            pl.col("coin_out").cast(pl.Float64),
            (pl.col("coin_in") - pl.col("theo")).cast(pl.Float64),
        )
    )
    was_opened = pl.col("opening").is_not_null()
    said = formatted(
        "Since {}{} {} sessions wagered ${} and were paid {}%, hand-pays apart, by a machine built "
        "to pay {}% with them: evidence of a {} pay of {} (an alert needs {}).",
        "since",
        pl.when(was_opened).then(pl.lit(", when nobody known opened it,")).otherwise(pl.lit("")),
        "sessions",
        "coin_in",
        paid,
        built,
        pl.when(pl.col("side") == "more").then(pl.lit("higher")).otherwise(pl.lit("lower")),
        pl.col("height").round(2),
        "needs",
    )
    opening = pl.struct(
        table_name=pl.lit("slot_telemetry"), record_id="opening", gaming_day="since"
    )
    return (
        found.join(played, on="machine_id")
        .filter(pl.col("played_on").is_between("since", "gaming_day"))
        .group_by(*_MACHINE_DAY, "since", "side", "height", "needs", "score", "opening")
        .agg(
            pl.col("coin_in", "coin_out", "theo").sum(),
            evidence("slot_performance", "machine_id", "played_on", day="played_on"),
            sessions=pl.len(),
        )
        .with_columns(
            evidence=pl.when(was_opened)
            .then(pl.concat_list("evidence", opening))
            .otherwise("evidence")
        )
        .select(
            "gaming_day",
            pl.col("machine_id").alias("entity_id"),
            pl.col("since").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            "score",
            "evidence",
            said.alias("said"),
        )
    )


@rule(
    Reads("slot_telemetry", back=1),
    Reads("gaming_wins"),
    family="machine",
    entity="machine",
    action="Hold the payment; look at the machine's game record and the footage of the hand-pay.",
)
def jackpot_without_play(
    slot_telemetry: pl.LazyFrame, gaming_wins: pl.LazyFrame, *, limit: Limit
) -> pl.LazyFrame:
    """A hand-pay that no play on the machine came before within minutes, or that is more than the
    largest bet of that play could win (progressives apart). Score: 1 without play; else how far
    it is beyond the most."""
    pays = pl.concat([_hand_pays(slot_telemetry), _wins(gaming_wins)])
    games = pl.max_horizontal(pl.col("games_played").fill_null(1), 1)
    plays = slot_telemetry.filter(
        (pl.col("event_type") == "GAME_PLAY") & (pl.col("coin_in") > 0)
    ).select("machine_id", "machine_type", at="event_timestamp", bet=_cents("coin_in") / games)
    one = ["table_name", "record_id", "gaming_day"]
    near = (
        pays.join(plays, on="machine_id")
        .with_columns(minutes=(pl.col("won_at") - pl.col("at")).dt.total_seconds() / 60)
        .filter(pl.col("minutes").is_between(-1, limit("minutes")))
        .group_by(one)
        .agg(pl.col("bet").max(), pl.col("machine_type").first())
    )
    times = _usd(pl.col("usd") * 100) / _usd(pl.col("bet"))
    is_beyond = (times > limit("most_times")) & (pl.col("machine_type") != "Progressive")
    judged = (
        pays.join(near, on=one, how="left")
        .with_columns(times=times)
        .filter(pl.col("bet").is_null() | is_beyond)
        .with_columns(
            score=pl.when(pl.col("bet").is_null())
            .then(1.0)
            .otherwise(1 - limit("most_times") / times)
        )
    )
    why = (
        pl.when(pl.col("bet").is_null())
        .then(formatted("no play on the machine in the {} minutes before", limit("minutes")))
        .otherwise(
            formatted(
                "{} times the largest bet before, ${}",
                pl.col("times").round(0),
                _usd(pl.col("bet")),
            )
        )
    )
    return (
        judged.with_columns(said=formatted("${} paid by hand: {}.", "usd", why))
        .group_by(_MACHINE_DAY)
        .agg(
            pl.col("score").max(),
            pl.struct(one).unique().sort().alias("evidence"),
            pl.col("said").unique().sort().str.join(" "),
        )
        .select(
            "gaming_day",
            pl.col("machine_id").alias("entity_id"),
            pl.col("gaming_day").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            "score",
            "evidence",
            "said",
        )
    )


def _hand_pays(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    return slot_telemetry.filter(pl.col("event_type") == "JACKPOT").select(
        *_MACHINE_DAY,
        won_at="event_timestamp",
        usd=pl.coalesce("jackpot_amount", "amount").cast(pl.Float64),
        table_name=pl.lit("slot_telemetry"),
        record_id="event_id",
    )


def _wins(gaming_wins: pl.LazyFrame) -> pl.LazyFrame:
    at_a_machine = (pl.col("game_type") == "SLOT") & pl.col("machine_id").is_not_null()
    return gaming_wins.filter(at_a_machine).select(
        *_MACHINE_DAY,
        "won_at",
        usd=pl.col("gross_amount").cast(pl.Float64),
        table_name=pl.lit("gaming_wins"),
        record_id="win_id",
    )
