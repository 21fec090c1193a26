"""Markers of harm of each patron at the close of a day of play, from partials of 90 days."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import gold, mart
from lakehouse.gold.money import as_table, cents, half_up, within
from lakehouse.regulation.gaming_day import Days

WINDOW, HISTORY = 30, 90
"""Gaming days of the markers, and of what a day is compared with."""
SAME_WEEKDAY, ANY_DAY = 4, 6
"""Fewest days of play that make a baseline."""
LATELY = 14
USUAL_SESSIONS = 1.5
"""What a patron comes to in two weeks: two weeks of it stand in for a past that is not known."""
FEWEST_FOR_SLOPE, SPAN_FOR_SLOPE = 3, 7
USUAL_DAYS, USUAL_SPREAD = 4, 0.7
"""A patron's own spread, in logarithms, is taken together with so many days of a usual one: three
days that happen to agree are no proof."""
USUAL_CHASE_SPREAD = 0.5
NEXT_WITHIN = 2
MEASURES = {"minutes": 15.0, "staked": 5_000.0, "deposited": 2_000.0}
"""What a day is compared by, and the least that one deviation is worth (minutes, cents)."""
_ROW = ["player_id", "gaming_day"]
_SUMS = (
    "sessions",
    "slot_sessions",
    "minutes",
    "night_minutes",
    "long_stretches",
    "rounds",
    "staked",
    "stake_squares",
    "loss",
    "rows_behind",
    "rows_raised",
    "sessions_behind",
    "sessions_raised",
    "run_freedom",
    "run_squares",
    "run_stakes",
    "stake_spread",
    "days_behind",
    "days_raised",
    "deposits",
    "deposited",
    "withdrawn",
    "cash_outs",
    "reversals",
)
_MOST = {
    "most_sessions": "sessions",
    "longest_stretch_minutes": "longest_stretch_minutes",
    "most_deposits": "most_deposits",
    "games": "games",
}


@mart(gold("player_behaviour", back=HISTORY), days_in_hand=62)
def player_markers(player_behaviour: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `player_markers` of `days`. `player_behaviour` must hold the 90 days before them."""
    known = _with_days_behind(player_behaviour).collect().lazy()
    pairs = _pairs(known, days).collect().lazy()
    found = _windows(pairs)
    for part in (_slopes(pairs), _deviations(pairs)):
        found = found.join(part, on=_ROW, how="left")
    return as_table(_derived(found), "player_markers")


def _with_days_behind(behaviour: pl.LazyFrame) -> pl.LazyFrame:
    """Partials with money in cents, and each day against the day of play before it."""
    money = ("staked", "coin_in", "loss", "deposited", "withdrawn")
    ordered = behaviour.with_columns(cents(c).alias(c) for c in money).sort(_ROW)
    before = pl.col("gaming_day", "loss", "staked").shift().over("player_id").name.suffix("_before")
    gap = (pl.col("gaming_day") - pl.col("gaming_day_before")).dt.total_days()
    behind = (gap <= NEXT_WITHIN) & (pl.col("loss_before") > 0)
    raised = behind & (pl.col("staked") * 4 >= pl.col("staked_before") * 5)
    return ordered.with_columns(before).with_columns(
        days_behind=behind.fill_null(value=False).cast(pl.Int64),
        days_raised=raised.fill_null(value=False).cast(pl.Int64),
    )


def _pairs(known: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """Each day of play with itself and each day of play of the patron in the 90 before it."""
    asked = within(known, days).select("player_id", "gaming_day")
    ago = (pl.col("gaming_day") - pl.col("day")).dt.total_days()
    return (
        asked.join(known.rename({"gaming_day": "day"}), on="player_id")
        .filter(ago.is_between(0, HISTORY))
        .with_columns(ago=ago)
    )


def _windows(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """Totals of the 30 days, of the 30 before them, and how much history there is."""
    now, before = pl.col("ago") < WINDOW, pl.col("ago").is_between(WINDOW, 2 * WINDOW - 1)
    weekday = pl.col("gaming_day").dt.weekday() == pl.col("day").dt.weekday()
    recent = (
        pairs.filter(now)
        .group_by(_ROW)
        .agg(
            pl.col(_SUMS).sum(),
            *(pl.col(of).max().alias(name) for name, of in _MOST.items()),
            active_days=pl.len().cast(pl.Int64),
            sessions_lately=pl.col("sessions").filter(pl.col("ago") < LATELY).sum(),
        )
    )
    past = (
        pairs.filter(pl.col("ago") > 0)
        .group_by(_ROW)
        .agg(
            history_days=pl.len().cast(pl.Int64),
            known_days=pl.col("ago").max(),
            weekday_days=weekday.sum().cast(pl.Int64),
            active_days_before=before.sum().cast(pl.Int64),
            sessions_past=pl.col("sessions").filter(pl.col("ago") >= LATELY).sum(),
            staked_before=pl.col("staked").filter(before).sum(),
        )
    )
    return recent.join(past, on=_ROW, how="left").with_columns(
        pl.col(
            "history_days",
            "known_days",
            "weekday_days",
            "active_days_before",
            "staked_before",
            "sessions_past",
        ).fill_null(0)
    )


def _slopes(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """Least squares of logarithms over days: of mean stakes, machines and tables each about
    their own mean and a day by its sessions, and of minutes. Logarithms are whole thousandths:
    sums of them do not depend on their order."""
    at_tables = pl.col("rounds") - pl.col("games_played")
    machines, tables = pl.col("slot_sessions"), pl.col("sessions") - pl.col("slot_sessions")
    parts = [
        _points(pairs, "stake", 0, pl.col("coin_in"), pl.col("games_played"), machines),
        _points(pairs, "stake", 1, pl.col("staked") - pl.col("coin_in"), at_tables, tables),
        _points(pairs, "minutes", 0, pl.col("minutes"), pl.lit(1), pl.lit(1)),
    ]
    by = [*_ROW, "measure"]
    sums = (
        pl.concat(parts)
        .group_by(*by, "kind")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("w").sum(),
            x=(pl.col("w") * pl.col("x")).sum(),
            y=(pl.col("w") * pl.col("y")).sum(),
            xx=(pl.col("w") * pl.col("x") ** 2).sum(),
            yy=(pl.col("w") * pl.col("y") ** 2).sum(),
            xy=(pl.col("w") * pl.col("x") * pl.col("y")).sum(),
            first=pl.col("x").min(),
        )
        .with_columns(
            sxx=pl.col("xx") - pl.col("x") ** 2 / pl.col("w"),
            sxy=pl.col("xy") - pl.col("x") * pl.col("y") / pl.col("w"),
            syy=pl.col("yy") - pl.col("y") ** 2 / pl.col("w"),
        )
        .group_by(by)
        .agg(
            pl.col("n", "sxx", "sxy", "syy").sum(),
            free=pl.col("n").sum() - pl.len(),
            span=-pl.col("first").min(),
        )
        .filter((pl.col("n") >= FEWEST_FOR_SLOPE) & (pl.col("span") >= SPAN_FOR_SLOPE))
        .filter(pl.col("sxx") > 0)
    )
    slope = pl.col("sxy") / pl.col("sxx")
    left = pl.max_horizontal(pl.col("syy") - slope * pl.col("sxy"), 0.0)
    usual = USUAL_DAYS * (1_000 * USUAL_SPREAD) ** 2
    error = ((left + usual) / (pl.col("free") + USUAL_DAYS) / pl.col("sxx")).sqrt()
    found = sums.select(*by, slope=slope * 7 / 1_000, t=(slope / error).clip(-99, 99))
    stake, minutes = (
        found.filter(measure=m).select(
            *_ROW, pl.col("slope").alias(f"{m}_slope"), pl.col("t").alias(f"{m}_slope_t")
        )
        for m in ("stake", "minutes")
    )
    return minutes.join(stake, on=_ROW, how="full", coalesce=True)


def _points(
    pairs: pl.LazyFrame, measure: str, kind: int, whole: pl.Expr, parts: pl.Expr, weight: pl.Expr
) -> pl.LazyFrame:
    known = pairs.filter((whole > 0) & (parts > 0) & (weight > 0))
    y = ((whole / parts).log() * 1_000).round().cast(pl.Int64)
    names = {"measure": pl.lit(measure), "kind": pl.lit(kind)}
    return known.select(*_ROW, x=-pl.col("ago"), y=y, w=weight.cast(pl.Int64), **names)


def _more_sessions() -> pl.Expr:
    """Sessions of two weeks against the patron's own rate before them, in standard deviations."""
    before = pl.max_horizontal(pl.col("known_days") + 1 - LATELY, 0)
    rate = (pl.col("sessions_past") + USUAL_SESSIONS) / (before + LATELY)
    return (pl.col("sessions_lately") - rate * LATELY) / (pl.col("sessions_lately") + 3).sqrt()


def _chasing_runs() -> pl.Expr:
    """Slope of the logarithm of stakes over sessions lost in a row, over its standard error."""
    usual = USUAL_DAYS * USUAL_CHASE_SPREAD**2
    variance = (pl.col("stake_spread") / 1e6 + usual) / (pl.col("run_freedom") + USUAL_DAYS)
    error = (pl.col("run_squares") / 1e3 * variance).sqrt()
    known = (pl.col("run_squares") > 0) & (pl.col("run_freedom") > 0)
    return pl.when(known).then(pl.col("run_stakes") / 1e3 / error)


def _basis() -> pl.Expr:
    return (
        pl.when(pl.col("weekday_days") >= SAME_WEEKDAY)
        .then(pl.lit("weekday"))
        .when(pl.col("history_days") >= ANY_DAY)
        .then(pl.lit("all days"))
        .otherwise(pl.lit("none"))
    )


def _deviations(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """The day against the patron's own days before it: median and median absolute deviation."""
    same = pl.col("gaming_day").dt.weekday() == pl.col("day").dt.weekday()
    past = pairs.filter(pl.col("ago") > 0).with_columns(is_same=same)
    counted = past.with_columns(
        weekday_days=pl.col("is_same").sum().over(_ROW), history_days=pl.len().over(_ROW)
    ).with_columns(baseline=_basis())
    alike = pl.col("is_same") | (pl.col("baseline") == "all days")
    compared = counted.filter((pl.col("baseline") != "none") & alike).with_columns(
        pl.col(m).median().over(_ROW).alias(f"{m}_median") for m in MEASURES
    )
    spread = compared.group_by(_ROW).agg(
        *(pl.col(f"{m}_median").first() for m in MEASURES),
        *((pl.col(m) - pl.col(f"{m}_median")).abs().median().alias(f"{m}_mad") for m in MEASURES),
    )
    today = pairs.filter(pl.col("ago") == 0).select(*_ROW, *MEASURES)
    return today.join(spread, on=_ROW).select(
        *_ROW, *(_deviation(m, least).alias(f"{m}_deviation") for m, least in MEASURES.items())
    )


def _deviation(measure: str, least: float) -> pl.Expr:
    median = pl.col(f"{measure}_median")
    unit = pl.max_horizontal(1.4826 * pl.col(f"{measure}_mad"), median.abs() * 0.1, least)
    return ((pl.col(measure) - median) / unit).clip(-99, 99)


def _derived(found: pl.LazyFrame) -> pl.LazyFrame:
    mean = _over("staked", "rounds")
    variance = pl.max_horizontal(_over("stake_squares", "rounds") - mean**2, 0.0)
    at_machines = _over("slot_sessions", "sessions")
    days = pl.col("active_days")
    ratios = {
        "minutes_per_day": pl.col("minutes") / days,
        "rounds_per_day": pl.col("rounds") / days,
        "night_share": _over("night_minutes", "minutes"),
        "stake_variation": pl.when(mean > 0).then(variance.sqrt() / mean),
        "staked_growth": _over("staked", "staked_before"),
        "chasing_rows": _over("rows_raised", "rows_behind"),
        "chasing_sessions": _over("sessions_raised", "sessions_behind"),
        "chasing_days": _over("days_raised", "days_behind"),
        "deposits_per_session": _over("deposits", "sessions"),
        "more_sessions": _more_sessions(),
        "chasing_runs": _chasing_runs(),
        **{c: pl.col(c) for m in ("stake", "minutes") for c in (f"{m}_slope", f"{m}_slope_t")},
        **{f"{m}_deviation": pl.col(f"{m}_deviation") for m in MEASURES},
    }
    return found.with_columns(
        *(value.round(6).alias(name) for name, value in ratios.items()),
        main_game=pl.when(at_machines >= 0.8)
        .then(pl.lit("machines"))
        .when(at_machines <= 0.2)
        .then(pl.lit("tables"))
        .otherwise(pl.lit("both")),
        stake_mean=pl.when(pl.col("rounds") > 0).then(
            half_up(pl.col("staked"), pl.max_horizontal("rounds", 1))
        ),
        staked_per_day=half_up(pl.col("staked"), days),
        net_deposits=pl.col("deposited") - pl.col("withdrawn"),
        baseline=_basis(),
    )


def _over(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))
