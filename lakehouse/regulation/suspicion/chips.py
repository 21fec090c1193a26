"""Money that passes through chips or accounts with hardly any play (FIN-2008-G007)."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.hits import (
    PAID_OUT,
    RECORD,
    as_hits,
    first_reached,
    house,
    house_cents,
)

KEY = ["player_id", "gaming_day"]
ACCOUNT_IN = ("FRONT_MONEY_DEPOSIT", "SAFEKEEPING_DEPOSIT")
ACCOUNT_OUT = ("FRONT_MONEY_WITHDRAWAL", "SAFEKEEPING_WITHDRAWAL")
MONEY_IN = ("CHIP_PURCHASE", "CASH_IN", *ACCOUNT_IN)
MONEY_OUT = ("CHIP_REDEMPTION", "TICKET_REDEMPTION", "CASH_OUT", *ACCOUNT_OUT)


def with_sides(cage: pl.LazyFrame) -> pl.LazyFrame:
    """Cage rows of known persons that bring currency to be played, or pay it out again by
    cash, cheque or wire; adds `side`."""
    came = (pl.col("payment_method") == "Cash") & pl.col("what").is_in(MONEY_IN)
    went = pl.col("payment_method").is_in(PAID_OUT) & pl.col("what").is_in(MONEY_OUT)
    side = pl.when(came).then(pl.lit("in")).when(went).then(pl.lit("out")).alias("side")
    return cage.filter(pl.col("player_id").is_not_null()).with_columns(side)


def minimal_play(cage: pl.LazyFrame, played: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits: currency in, little play, and money out again in one gaming day; or an account
    used as a passage from one day to the next."""
    rows = with_sides(cage).filter(pl.col("side").is_not_null())
    same_day = rows.with_columns(pl.col("gaming_day").alias("hit_day"))
    passage = pl.concat([_deposits(rows, law), _withdrawals(rows)])
    parts = [_little_played(part, played, law) for part in (same_day, passage)]
    hits = pl.concat(parts).unique(["player_id", "hit_day", *RECORD], maintain_order=True)
    limit = house_cents(law, "minimal_play", "out_usd", "hit_day")
    done = first_reached(limit, pl.col("side") == "out")
    return as_hits(hits.sort("at").with_columns(done.alias("completed_at")), "minimal_play")


def _deposits(rows: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    later = pl.duration(days=house(law, "minimal_play", "account_days"))
    return rows.filter(pl.col("what").is_in(ACCOUNT_IN) & (pl.col("side") == "in")).with_columns(
        (pl.col("gaming_day") + later).cast(pl.Date).alias("hit_day")
    )


def _withdrawals(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(pl.col("what").is_in(ACCOUNT_OUT)).with_columns(
        pl.col("gaming_day").alias("hit_day")
    )


def _little_played(rows: pl.LazyFrame, played: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    hit = ["player_id", "hit_day"]
    handle = (
        rows.select(*hit, "gaming_day")
        .unique()
        .join(played, on=KEY)
        .group_by(hit)
        .agg(pl.col("handle").sum())
    )
    cents, side = pl.col("cents"), pl.col("side")
    sums = (
        rows.group_by(hit)
        .agg(
            came=cents.filter(side == "in").sum(),
            went=cents.filter(side == "out").sum(),
        )
        .join(handle, on=hit, how="left")
        .with_columns(pl.col("handle").fill_null(0))
    )
    share = house(law, "minimal_play", "played_share", "hit_day")
    judged = sums.filter(
        (pl.col("came") >= house_cents(law, "minimal_play", "in_usd", "hit_day"))
        & (pl.col("went") >= house_cents(law, "minimal_play", "out_usd", "hit_day"))
        & (pl.col("handle") < share * pl.col("came"))
    ).select(*hit, (1 - pl.col("handle") / pl.col("came")).alias("score"), _as_it_came())
    return rows.join(judged, on=hit)


def _as_it_came() -> pl.Expr:
    """How little was played, less twice the share that was won or lost: who launders takes out
    about what he brought, and a winner does not."""
    came = pl.col("came")
    changed = (pl.col("went") - came).abs() / came
    return ((1 - pl.col("handle") / came) * (1 - 2 * changed)).clip(0, 1).alias("strength")


def chip_balance(cage: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Per known person and gaming day, in cents: `bought` (chips for currency), `paid_out`,
    `handle` and `walked`: chips got, less those redeemed and those lost at rated play."""
    cents, what = pl.col("cents"), pl.col("what")
    chips = what.is_in(["CHIP_PURCHASE", "MARKER_ISSUE"])
    sums = (
        with_sides(cage)
        .group_by(KEY)
        .agg(
            bought=cents.filter((what == "CHIP_PURCHASE") & (pl.col("side") == "in")).sum(),
            got=cents.filter(chips).sum(),
            redeemed=cents.filter(what == "CHIP_REDEMPTION").sum(),
            paid_out=cents.filter(pl.col("side") == "out").sum(),
        )
    )
    return (
        sums.join(played, on=KEY, how="left")
        .with_columns(pl.col("handle", "lost_at_tables").fill_null(0))
        .with_columns(
            (pl.col("got") - pl.col("redeemed") - pl.col("lost_at_tables").clip(0)).alias("walked")
        )
    )


def chip_walking(cage: pl.LazyFrame, balance: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits: chips bought with currency, below the report, hardly played and carried out."""

    def number(name: str) -> pl.Expr:
        return house(law, "chip_walking", name)

    carried = (pl.col("walked") / pl.col("bought")).clip(0, 1)
    played = pl.col("handle") / pl.col("bought")
    low = house_cents(law, "chip_walking", "from_usd")
    high = house_cents(law, "chip_walking", "to_usd")
    judged = balance.filter(
        pl.col("bought").is_between(low, high)
        & (pl.col("handle") < number("played_share") * pl.col("bought"))
        & (pl.col("paid_out") < house_cents(law, "minimal_play", "out_usd"))
        & (pl.col("walked") >= number("walked_share") * pl.col("bought"))
    ).select(*KEY, carried.alias("score"), ((1 - played) * carried).clip(0, 1).alias("strength"))
    purchases = with_sides(cage).filter(
        (pl.col("what") == "CHIP_PURCHASE") & (pl.col("side") == "in")
    )
    rows = purchases.join(judged, on=KEY).with_columns(pl.col("gaming_day").alias("hit_day"))
    limit = house_cents(law, "chip_walking", "from_usd", "hit_day")
    done = first_reached(limit, pl.lit(value=True))
    return as_hits(rows.sort("at").with_columns(done.alias("completed_at")), "chip_walking")
