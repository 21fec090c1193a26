"""Chips that several patrons bought, redeemed by one for a cheque (FIN-2008-G007)."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.chips import KEY
from lakehouse.regulation.suspicion.hits import as_hits, house, house_cents

HIT = ["player_id", "gaming_day"]


def pooling(cage: pl.LazyFrame, balance: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits on who takes the cheque: it is over the limit and beyond the chips that person
    bought or won, and chips that others bought with currency shortly before, and did not
    redeem or lose, make up the difference."""
    cheques = _cheques(cage, balance, law)
    givers = _givers(cage, balance, law)
    together = (
        cheques.join(givers, on="gaming_day")
        .filter((pl.col("giver") != pl.col("player_id")) & _in_time(law))
        # The nearest in time first, until their chips make up the cheque.
        .sort("player_id", "bought_at", "giver", descending=[False, True, False])
        .with_columns(pl.col("walked").cum_sum().over(HIT).alias("given"))
        .filter(pl.col("given") <= pl.col("lacking") + pl.col("slack"))
    )
    matched = (
        together.group_by(HIT)
        .agg(
            pl.col("giver"),
            pl.col("cheque", "lacking", "slack", "completed_at").first(),
            pl.col("given").max(),
        )
        .filter((pl.col("lacking") - pl.col("given")).abs() <= pl.col("slack"))
        .with_columns(
            (1 - (pl.col("lacking") - pl.col("given")).abs() / pl.col("cheque")).alias("score")
        )
        .with_columns((pl.col("score") * _others_share(law)).clip(0, 1).alias("strength"))
    )
    return as_hits(_evidence(matched, cage), "pooling")


def _others_share(law: Law) -> pl.Expr:
    """What of the cheque is others' chips, as a share of it or of the whole amount, if more."""
    whole = house_cents(law, "pooling", "whole_usd")
    return pl.col("lacking") / pl.max_horizontal("cheque", whole)


def _cheques(cage: pl.LazyFrame, balance: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    by_cheque = (pl.col("what") == "CHIP_REDEMPTION") & (pl.col("payment_method") == "Check")
    over = house_cents(law, "pooling", "over_usd")
    return (
        cage.filter(by_cheque & pl.col("player_id").is_not_null())
        .group_by(KEY)
        .agg(pl.col("cents").sum().alias("cheque"), pl.col("at").max().alias("completed_at"))
        .filter(pl.col("cheque") > over)
        .join(balance, on=KEY)
        .with_columns(
            (-pl.col("walked")).alias("lacking"),
            (pl.col("cheque") * house(law, "pooling", "tolerance")).cast(pl.Int64).alias("slack"),
        )
        .filter(
            (pl.col("lacking") >= house_cents(law, "pooling", "from_usd"))
            & (pl.col("lacking") >= house(law, "pooling", "lacking_share") * pl.col("cheque"))
        )
        .select(*KEY, "cheque", "completed_at", "lacking", "slack")
    )


def _givers(cage: pl.LazyFrame, balance: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    low, high = house_cents(law, "pooling", "from_usd"), house_cents(law, "pooling", "to_usd")
    bought = pl.col("bought").is_between(low, high) & (pl.col("walked") >= low)
    purchase = (pl.col("what") == "CHIP_PURCHASE") & (pl.col("payment_method") == "Cash")
    at = cage.filter(purchase).group_by(KEY).agg(pl.col("at").max().alias("bought_at"))
    return (
        balance.filter(bought)
        .join(at, on=KEY)
        .select(pl.col("player_id").alias("giver"), "gaming_day", "walked", "bought_at")
    )


def _in_time(law: Law) -> pl.Expr:
    before = pl.col("completed_at") - pl.col("bought_at")
    hours = house(law, "pooling", "hours")
    return (before >= pl.duration()) & (before.dt.total_seconds() <= hours * 3600)


def _evidence(matched: pl.LazyFrame, cage: pl.LazyFrame) -> pl.LazyFrame:
    chips = (pl.col("what") == "CHIP_PURCHASE") & (pl.col("payment_method") == "Cash")
    cheque = (pl.col("what") == "CHIP_REDEMPTION") & (pl.col("payment_method") == "Check")
    rows = cage.filter(chips | cheque).drop("player_id")
    everyone = matched.with_columns(
        pl.concat_list(pl.concat_list("player_id"), "giver").alias("owner")
    ).explode("owner")
    mine = pl.col("owner") == pl.col("player_id")
    return (
        everyone.join(rows, on=["owner", "gaming_day"])
        .filter(chips | mine)
        .with_columns(
            pl.when(chips).then(pl.lit("in")).otherwise(pl.lit("out")).alias("side"),
            pl.col("gaming_day").alias("hit_day"),
        )
    )
