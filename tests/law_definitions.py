"""Which planted cases the law's definitions cover, reckoned from the rows before defects.

The faint ones stay outside of the definitions, so that they determine only these.
"""

from __future__ import annotations

import polars as pl

BY = ["player_id", "gaming_day"]
CURRENCY_IN = ("CHIP_PURCHASE", "MARKER_PAYMENT", "MONEY_PLAY", "FRONT_MONEY_DEPOSIT")
CHIPS_OUT = ("CHIP_REDEMPTION", "TICKET_REDEMPTION")


def covered(
    plants: pl.DataFrame, cage: pl.DataFrame, ratings: pl.DataFrame, slots: pl.DataFrame
) -> set[tuple[str, str]]:
    """(kind, player) of the cases, not of honest play. FIN-2008-G007; 31 USC 5324."""
    by_day = _sums(cage, ratings, slots)
    cases = plants.filter(~pl.col("is_look_alike"))
    found = {
        "structuring": _structuring(cage),
        "minimal_play": by_day.filter(
            pl.col("bought") >= 3_000,
            pl.col("out") >= 3_000,
            pl.col("handle") < 0.1 * pl.col("bought"),
        ).select(BY),
        "chip_walking": by_day.filter(
            pl.col("bought").is_between(5_000, 10_000),
            pl.col("handle") < 0.1 * pl.col("bought"),
            pl.col("out") < 3_000,
            pl.col("walked") >= 0.5 * pl.col("bought"),
        ).select(BY),
        "bill_stuffing": _stuffed(slots),
        "pooling": _pooled(cases.filter(kind="pooling"), cage, by_day),
    }
    return {
        (kind, player)
        for kind, who in found.items()
        for player in cases.filter(kind=kind)
        .join(who, left_on=["entity_id", "gaming_day"], right_on=BY, how="semi")["entity_id"]
        .to_list()
    }


def _usd(column: str, *kinds: str, paid: tuple[str, ...] = ("Cash",)) -> pl.Expr:
    mine = pl.col("transaction_type").is_in(kinds) & pl.col("payment_method").is_in(paid)
    return pl.col("amount").cast(pl.Float64).filter(mine).sum().alias(column)


def _sums(cage: pl.DataFrame, ratings: pl.DataFrame, slots: pl.DataFrame) -> pl.DataFrame:
    money = cage.group_by(BY).agg(
        _usd("bought", "CHIP_PURCHASE"),
        _usd("out", *CHIPS_OUT, paid=("Cash", "Check", "Wire")),
        _usd("cheque", "CHIP_REDEMPTION", paid=("Check",)),
        _usd("redeemed", "CHIP_REDEMPTION", paid=("Cash", "Check")),
    )
    bet = pl.col("average_bet").cast(pl.Float64) * pl.col("hands_played")
    rated = (
        ratings.filter(event_type="RATING_END")
        .group_by(BY)
        .agg(bet.sum().alias("rated"), lost=pl.col("actual_win_loss").cast(pl.Float64).sum())
    )
    coin_in = pl.col("coin_in").cast(pl.Float64).sum().alias("coin_in")
    played = slots.filter(event_type="GAME_PLAY").group_by(BY).agg(coin_in)
    return (
        money.join(rated, on=BY, how="left")
        .join(played, on=BY, how="left")
        .with_columns(pl.col("rated", "lost", "coin_in").fill_null(0))
        .with_columns(
            handle=pl.col("rated") + pl.col("coin_in"),
            walked=pl.col("bought") - pl.col("redeemed") - pl.col("lost").clip(0),
        )
    )


def _structuring(cage: pl.DataFrame) -> pl.DataFrame:
    """Totals from $8,000 to $10,000 on two days within 7, and none above in between."""
    totals = cage.group_by(BY).agg(_usd("came", *CURRENCY_IN))
    near = totals.filter(pl.col("came").is_between(8_000, 10_000))
    gap = (pl.col("gaming_day_right") - pl.col("gaming_day")).dt.total_days()
    pairs = near.join(near, on="player_id").filter(gap.is_between(1, 7))
    above = totals.filter(pl.col("came") > 10_000).select("player_id", reported="gaming_day")
    between = pl.col("reported").is_between(pl.col("gaming_day"), pl.col("gaming_day_right"))
    broken = pairs.join(above, on="player_id").filter(between)
    whole = pairs.join(broken, on=[*BY, "gaming_day_right"], how="anti")
    return pl.concat([whole.select(BY), whole.select("player_id", gaming_day="gaming_day_right")])


def _stuffed(slots: pl.DataFrame) -> pl.DataFrame:
    """Bills of $3,000 or more, hardly played, and a ticket for half of them within 30 minutes."""

    def usd(column: str, kind: str) -> pl.Expr:
        return pl.col(column).cast(pl.Float64).filter(pl.col("event_type") == kind).sum()

    def at(kind: str) -> pl.Expr:
        return pl.col("event_timestamp").filter(pl.col("event_type") == kind)

    sessions = slots.group_by(*BY, "session_id").agg(
        bills=usd("amount", "BILL_IN"),
        ticket=usd("amount", "TICKET_OUT"),
        bet=usd("coin_in", "GAME_PLAY"),
        wait=(at("TICKET_OUT").min() - at("BILL_IN").max()).dt.total_seconds(),
    )
    return sessions.filter(
        pl.col("bills") >= 3_000,
        pl.col("bills") >= 0.9 * pl.col("bet"),
        pl.col("ticket") >= 0.5 * pl.col("bills"),
        pl.col("wait").is_between(1, 1_800),
    ).select(BY)


def _pooled(plants: pl.DataFrame, cage: pl.DataFrame, by_day: pl.DataFrame) -> pl.DataFrame:
    """One takes a cheque of more than $10,000 for chips of the others, of $3,000 or more each,
    on a day on which nobody else has chips that could be meant."""
    members = plants.select("plant_id", "gaming_day", player_id="entity_id").join(by_day, on=BY)
    gives = pl.col("bought").is_between(3_000, 10_000) & (pl.col("walked") >= 3_000)
    takes = pl.col("cheque") > 10_000
    others = by_day.filter(gives).join(members, on=BY, how="anti").select("gaming_day")
    whole = members.filter(
        (gives | takes).all().over("plant_id"), takes.sum().over("plant_id") == 1
    ).join(others, on="gaming_day", how="anti")
    taker = cage.filter(transaction_type="CHIP_REDEMPTION", payment_method="Check")
    times = taker.select(*BY, cheque_at="transaction_timestamp").join(whole, on=BY)
    bought = cage.filter(transaction_type="CHIP_PURCHASE").select(*BY, "transaction_timestamp")
    first = (
        whole.join(bought, on=BY).group_by("plant_id").agg(pl.col("transaction_timestamp").min())
    )
    late = pl.col("cheque_at") - pl.col("transaction_timestamp") <= pl.duration(hours=4)
    in_time = times.join(first, on="plant_id").filter(late)
    return whole.join(in_time, on="plant_id", how="semi").select(BY)
