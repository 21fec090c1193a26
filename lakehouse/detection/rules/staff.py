"""Staff: dealers and their players, cashiers and their peers."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import Limit, Reads, evidence, rule
from lakehouse.detection.windows import trailing
from lakehouse.regulation.gaming_day import Days
from lakehouse.texts import formatted

MEETINGS = 27
"""Gaming days before its own that a pair is judged from."""
SHIFTS_BACK = 13
"""Gaming days before its own that a cashier is judged from."""
_LUCK = ("ratings", "luck", "luck_squares")


@rule(
    Reads("dealer_play", back=MEETINGS),
    family="staff",
    entity="pair",
    action="Review the video of their games; rotate the dealer to other tables.",
)
def dealer_collusion(dealer_play: pl.LazyFrame, *, days: Days, limit: Limit) -> pl.LazyFrame:
    """A patron wins more of one dealer than that dealer's other patrons do: mean luck of the pair's
    ratings in four weeks against that of the dealer's others, whose spread it is measured in. The
    chance is that of a permutation of the two, normal from a few ratings on (Hoeffding 1951).
    Score: -log10 of it, against the chance at which nobody doubts."""
    seen = trailing(dealer_play, days, MEETINGS)
    pairs = seen.group_by("as_of", "dealer_id", "player_id").agg(
        pl.col("ratings", "hands_played", "luck", "luck_squares").sum(),
        pl.col("player_win", "theo").sum(),
        met=pl.col("gaming_day").n_unique(),
        window_start=pl.col("gaming_day").min(),
        is_today=(pl.col("gaming_day") == pl.col("as_of")).any(),
        evidence=evidence("dealer_play", "dealer_id", "player_id", "gaming_day"),
    )
    of_dealer = ("as_of", "dealer_id")
    rest = {c: pl.col(c).sum().over(of_dealer) - pl.col(c) for c in _LUCK}
    others = pairs.with_columns(v.alias(f"other_{c}") for c, v in rest.items()).filter("is_today")
    k, m = pl.col("ratings"), pl.col("other_ratings")
    mean = pl.col("other_luck") / m
    variance = (pl.col("other_luck_squares") / m - mean.pow(2)) * (1 / k + 1 / m)
    judged = others.filter((m > 1) & (variance > 0)).with_columns(
        z=(pl.col("luck") / k - mean) / variance.sqrt(),
        gaming_day=pl.col("as_of"),
    )
    found = judged.with_columns(chance=_log10_tail("z")).filter(
        (pl.col("met") >= limit("meetings")) & (pl.col("chance") >= limit("from_log10"))
    )
    return found.select(
        "gaming_day",
        pl.concat_str("dealer_id", "player_id", separator="+").alias("entity_id"),
        "window_start",
        pl.col("gaming_day").alias("window_end"),
        (pl.col("chance") / limit("whole_at_log10")).alias("score"),
        "evidence",
        formatted(
            "In {} ratings on {} days with this dealer the patron won ${}; the game expects ${} "
            "for the house. Among the dealer's other patrons as much happens once in {} times.",
            "ratings",
            "met",
            "player_win",
            "theo",
            pl.lit(10.0).pow(pl.col("chance").clip(0, 12)).round(0).cast(pl.Int64),
        ).alias("said"),
    )


@rule(
    Reads("cashier_day", back=SHIFTS_BACK),
    family="staff",
    entity="employee",
    action="Review the approved transactions with the supervisor named, and the window's video.",
)
def cashier_overrides(cashier_day: pl.LazyFrame, *, days: Days, limit: Limit) -> pl.LazyFrame:
    """A cashier has more transactions approved that need no approval than the other cashiers of
    two weeks: the exact binomial chance at the others' rate."""
    return _against_peers(cashier_day, days, limit, "overrides", "small", "overridden")


@rule(
    Reads("cashier_day", back=SHIFTS_BACK),
    family="staff",
    entity="employee",
    action="Review the voided transactions with the window's video, and count the drawer.",
)
def cashier_voids(cashier_day: pl.LazyFrame, *, days: Days, limit: Limit) -> pl.LazyFrame:
    """A cashier voids more transactions than the other cashiers of two weeks: the exact binomial
    chance at the others' rate."""
    return _against_peers(cashier_day, days, limit, "voids", "transactions", "voided")


def _against_peers(
    cashier_day: pl.LazyFrame, days: Days, limit: Limit, what: str, among: str, value: str
) -> pl.LazyFrame:
    seen = trailing(cashier_day, days, SHIFTS_BACK)
    own = seen.group_by("as_of", "cashier_id").agg(
        k=pl.col(what).sum(),
        n=pl.col(among).sum(),
        usd=pl.col(value).sum(),
        approver=pl.col("main_approver_id").mode().sort().first(),
        window_start=pl.col("gaming_day").filter(pl.col(what) > 0).min(),
        is_today=((pl.col("gaming_day") == pl.col("as_of")) & (pl.col(what) > 0)).any(),
        evidence=evidence("cashier_day", "cashier_id", "gaming_day", where=pl.col(what) > 0),
    )
    others = pl.col("n").sum().over("as_of") - pl.col("n")
    theirs = pl.col("k").sum().over("as_of") - pl.col("k")
    # A rate of nothing would make the first one of anybody's a certainty.
    judged = own.with_columns(usual=(theirs + 1) / (others + 1), gaming_day=pl.col("as_of"))
    found = judged.filter(pl.col("is_today") & (others > 0)).with_columns(
        chance=pl.struct("k", "n", "usual").map_batches(_log10_binomial, return_dtype=pl.Float64)
    )
    approved = formatted(", most by {}", "approver") if what == "overrides" else pl.lit("")
    return found.filter(pl.col("chance") >= limit("from_log10")).select(
        "gaming_day",
        pl.col("cashier_id").alias("entity_id"),
        "window_start",
        pl.col("gaming_day").alias("window_end"),
        (pl.col("chance") / limit("whole_at_log10")).alias("score"),
        "evidence",
        formatted(
            f"{{}} {what} in {{}} transactions of two weeks, ${{}}{{}}; the other cashiers have "
            "{} in a thousand.",
            "k",
            "n",
            "usd",
            approved.fill_null(""),
            (pl.col("usual") * 1000).round(1),
        ).alias("said"),
    )


def _log10_tail(z: str) -> pl.Expr:
    """-log10 of the chance of a normal number above z, in the tail without underflow."""

    def tail(values: pl.Series) -> pl.Series:
        import numpy as np
        from scipy.special import log_ndtr

        return pl.Series(-log_ndtr(-values.to_numpy()) / np.log(10))

    return pl.col(z).map_batches(tail, return_dtype=pl.Float64)


def _log10_binomial(rows: pl.Series) -> pl.Series:
    """-log10 of the chance of k or more of n at the usual rate, by the incomplete beta function
    (DLMF 8.17.5). For k from 1."""
    import numpy as np
    from scipy.special import betainc  # scipy.stats says the same, and takes a second to import

    k, n, usual = (rows.struct.field(f).to_numpy() for f in ("k", "n", "usual"))
    with np.errstate(divide="ignore"):
        return pl.Series(-np.log(betainc(k, n - k + 1.0, usual)) / np.log(10)).clip(0, 300)
