"""Truths across tables: what must hold between them.

Each is one function: a pure one of LazyFrames, named `layer.table` in the order of its
parameters, that returns findings. What is declared here is checked everywhere.
"""

from __future__ import annotations

import polars as pl

from lakehouse.gold.floor.play import ratings, slot_rows
from lakehouse.gold.money import cents
from lakehouse.quality import (  # noqa: F401 - truths of their own
    excluded,
    hold,
    online_books,
    platform,
    shop_books,
)
from lakehouse.quality.findings import (
    TRUTHS,
    entries_of,
    findings,
    short,
    summed,
    truth,
    unequal,
)
from lakehouse.regulation.games import house_rate
from lakehouse.texts import formatted

__all__ = ["TRUTHS"]


def _amounts(rows: pl.LazyFrame, column: str, side: str, *kinds: str) -> pl.LazyFrame:
    """Entries of patrons by the row's kind."""
    patron = pl.col("player_id").fill_null("unidentified")
    return entries_of(rows.filter(pl.col(column).is_in(kinds)), patron, **{side: cents("amount")})


def _bought(table_games: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    pit = _amounts(table_games, "event_type", "expected", "BUY_IN")
    sold = ("CHIP_PURCHASE", "MONEY_PLAY")
    return pl.concat([pit, _amounts(financial_txn, "transaction_type", "found", *sold)])


@truth(
    "silver.table_games",
    "silver.financial_txn",
    sides=("pit buy-ins", "cage rows"),
    entries=_bought,
    hidden_by="player_id",
    of_patrons=True,
)
def buy_ins_have_their_cage_row(
    table_games: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    """Per patron and gaming day, the cage recorded (CHIP_PURCHASE, MONEY_PLAY) at least what
    tables sold (BUY_IN). More is right: chips are bought at windows too."""
    return short(_bought(table_games, financial_txn))


def _carried(table_games: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    pit = _amounts(table_games, "event_type", "expected", "CASH_OUT")
    return pl.concat([pit, _amounts(financial_txn, "transaction_type", "found", "CHIP_REDEMPTION")])


@truth(
    "silver.table_games",
    "silver.financial_txn",
    sides=("carried off tables", "redeemed at the cage"),
    entries=_carried,
    hidden_by="player_id",
    of_patrons=True,
    allowed=house_rate("kept_chips") / 10_000,
)
def cash_outs_have_their_cage_row(
    table_games: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    """Per patron and gaming day, at least the chips carried off tables (CASH_OUT) are redeemed
    at the cage (CHIP_REDEMPTION). Some are kept until the next visit: up to $2,500 (house policy)
    nobody is told of, unless a row kept out explains it. More is chips that walk out of the
    house."""
    return short(_carried(table_games, financial_txn))


def _drawn(table_games: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    pit = table_games.filter(pl.col("event_type") == "MARKER_ISSUED")
    cage = financial_txn.filter(pl.col("transaction_type") == "MARKER_ISSUE")
    return pl.concat(
        [
            entries_of(pit, "marker_number", expected=cents("amount")),
            entries_of(cage, "marker_number", found=cents("amount")),
        ]
    )


@truth(
    "silver.table_games",
    "silver.financial_txn",
    sides=("issued in the pit", "issued at the cage"),
    entries=_drawn,
    hidden_by="marker_number",
    of_patrons=True,
)
def markers_agree(table_games: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    """Per marker and gaming day, what the pit issued is what the cage issued. Markers drawn at
    the cage alone are not the pit's."""
    by_marker = summed(_drawn(table_games, financial_txn)).filter(pl.col("expected") > 0)
    return findings(by_marker.filter(pl.col("expected") != pl.col("found")))


def _hand_paid(slot_telemetry: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    wins = slot_rows(slot_telemetry).filter(pl.col("event_type") == "JACKPOT")
    payouts = financial_txn.filter(pl.col("transaction_type") == "JACKPOT_PAYOUT")
    won, paid = pl.col("jackpot_amount"), cents("amount")
    return pl.concat(
        [
            entries_of(wins, formatted("hand-pay of {} cents", won), expected=won),
            entries_of(payouts, formatted("hand-pay of {} cents", paid), found=paid),
        ]
    )


@truth(
    "silver.slot_telemetry",
    "silver.financial_txn",
    sides=("hand-pays at machines", "payouts at the cage"),
    entries=_hand_paid,
    of_patrons=True,
)
def jackpots_have_their_payout(
    slot_telemetry: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day and amount, as many hand-pays at machines as payouts at the cage. The
    patron is not compared: an uncarded winner is identified at payment."""
    return unequal(_hand_paid(slot_telemetry, financial_txn))


@truth("silver.slot_telemetry", sides=("reading before", "reading"))
def meters_never_fall(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Within a gaming day a machine's coin-in meter never reads less than before."""
    fallen = _readings(slot_telemetry).filter(pl.col("meter") < pl.col("meter_before"))
    return findings(
        fallen.with_columns(expected="meter_before", found="meter"),
        since=pl.col("since"),
        until=pl.col("event_timestamp"),
    )


def _readings(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Meter readings, each with the one before it on its gaming day."""
    by = ("gaming_day", "machine_id")
    read = slot_rows(slot_telemetry).filter(pl.col("meter").is_not_null())
    return (
        read.select(*by, "event_timestamp", "meter", subject="machine_id")
        .sort("event_timestamp", "meter")
        .with_columns(
            meter_before=pl.col("meter").shift().over(by),
            since=pl.col("event_timestamp").shift().over(by),
        )
    )


def _played(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    return entries_of(slot_rows(slot_telemetry), "machine_id", expected=pl.col("coin_in"))


@truth(
    "silver.slot_telemetry",
    sides=("coin-in reported", "meter's advance"),
    entries=_played,
    hidden_by="machine_id",
)
def meters_equal_the_play(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Between two readings of a gaming day a machine's meter advances by the coin-in reported.
    Lost or rejected rows show here."""
    by = ["gaming_day", "machine_id"]
    readings = _readings(slot_telemetry)
    plays = slot_rows(slot_telemetry).filter(pl.col("coin_in") > 0)
    # Play of the same instant as a reading comes before it.
    between = (
        plays.select(*by, "event_timestamp", "coin_in")
        .sort("event_timestamp")
        .join_asof(
            readings.select(*by, "event_timestamp", until="event_timestamp"),
            on="event_timestamp",
            by=by,
            strategy="forward",
            check_sortedness=False,
        )
        .group_by(*by, event_timestamp="until")
        .agg(expected=pl.col("coin_in").sum())
    )
    wrong = (
        readings.filter(pl.col("since").is_not_null())
        .join(between, on=[*by, "event_timestamp"], how="left")
        .with_columns(
            pl.col("expected").fill_null(0), found=pl.col("meter") - pl.col("meter_before")
        )
        .filter(pl.col("expected") != pl.col("found"))
    )
    return findings(wrong, since=pl.col("since"), until=pl.col("event_timestamp"))


@truth("gold.slot_performance", sides=("coin-in", "coin-in by the meters"), blocking=True)
def play_is_what_meters_advanced(slot_performance: pl.LazyFrame) -> pl.LazyFrame:
    """Of most machines with readings, play and the meters' advance of a gaming day are within
    twice each other. Lost rows and a meter that was reset concern single machines; most are at
    odds where counters were read as play, or play came in more than twice or not at all."""
    variance = cents("meter_variance")
    read = slot_performance.filter(pl.col("meter_variance").is_not_null()).with_columns(
        played=cents("coin_in"), advance=cents("coin_in") + variance
    )
    larger = pl.max_horizontal(pl.col("played"), pl.col("advance"))
    apart = variance.abs() * 2 > larger
    days = read.group_by("gaming_day").agg(
        subject=formatted("{} of {} machines", apart.sum(), pl.len()),
        is_wrong=apart.sum() * 2 > pl.len(),
        expected=pl.col("played").sum(),
        found=pl.col("advance").sum(),
    )
    return findings(days.filter("is_wrong"))


def _bets_and_wins() -> dict[str, pl.Expr]:
    won = pl.col("coin_out") + pl.col("jackpot_amount")
    paid = pl.col("tickets_out") + pl.col("jackpot_amount")
    return {"expected": pl.col("bills_in") + won, "found": pl.col("coin_in") + paid}


def _of_sessions(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    rows = slot_rows(slot_telemetry).filter(pl.col("session_id").is_not_null())
    return entries_of(rows, "session_id", **_bets_and_wins())


@truth(
    "silver.slot_telemetry",
    sides=("bills and wins", "bets, tickets and hand-pays"),
    entries=_of_sessions,
    of_patrons=True,
)
def sessions_balance(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Per session with a bill or a ticket: bills + wins = bets + tickets + hand-pays (a
    hand-pay is on both sides). More out than in is promotional credit or a ticket put in
    where the play is carded, and a finding where it is not; less out is always one."""
    rows = slot_rows(slot_telemetry).filter(pl.col("session_id").is_not_null())
    sums = rows.group_by("gaming_day", subject="session_id").agg(
        has_money=pl.col("event_type").is_in(["BILL_IN", "TICKET_OUT"]).any(),
        is_carded=pl.col("player_id").is_not_null().any(),
        **{side: amount.sum() for side, amount in _bets_and_wins().items()},
    )
    lost = pl.col("found") < pl.col("expected")
    uncarded = ~pl.col("is_carded") & (pl.col("found") > pl.col("expected"))
    wrong = sums.filter(pl.col("has_money") & (lost | uncarded))
    return findings(wrong, may_exceed=pl.col("is_carded"))


@truth(
    "silver.table_games",
    sides=("theo of the rating's figures", "theo it carries"),
    of_patrons=True,
)
def ratings_carry_their_theo(table_games: pl.LazyFrame) -> pl.LazyFrame:
    """A rating's own theoretical win is within a hundredth of an hour's play of average bet x
    decisions per hour x hours x edge: hours are recorded to the hundredth."""
    closed = ratings(table_games).filter(pl.col("theoretical_win").is_not_null())
    own = closed.with_columns(found=cents("theoretical_win"), expected="theo")
    unit = pl.col("bet") * pl.col("decisions_per_hour") * pl.col("edge_e4") / 1_000_000
    apart = (pl.col("found") - pl.col("expected")).abs()
    return findings(own.filter(apart > unit + 1).with_columns(subject="player_rating_id"))


@truth("gold.property_day", sides=("difference allowed", "difference"), blocking=True)
def property_day_reconciles(property_day: pl.LazyFrame) -> pl.LazyFrame:
    """Every difference between the marts and silver is 0."""
    differences = [c for c in property_day.collect_schema() if c.endswith("_difference")]
    long = property_day.unpivot(
        differences, index="gaming_day", variable_name="subject", value_name="found"
    )
    return findings(
        long.with_columns(expected=pl.lit(0), found=cents("found")).filter(pl.col("found") != 0)
    )


@truth(
    "gold.slot_performance",
    "gold.table_performance",
    "gold.property_day",
    sides=("machines and tables", "property_day"),
    blocking=True,
)
def win_of_the_day_adds_up(
    slot_performance: pl.LazyFrame, table_performance: pl.LazyFrame, property_day: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, the property's win is the win of its machines and tables."""
    subject = pl.lit("win")
    parts = [
        entries_of(part, subject, expected=cents("win"))
        for part in (slot_performance, table_performance)
    ]
    return unequal(pl.concat([*parts, entries_of(property_day, subject, found=cents("win"))]))


@truth(
    "gold.player_day",
    "gold.slot_performance",
    sides=("slot_performance", "player_day"),
    blocking=True,
)
def carded_play_is_in_both_marts(
    player_day: pl.LazyFrame, slot_performance: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, carded coin-in of machines is coin-in of patrons."""
    subject = pl.lit("carded coin-in")
    machines = entries_of(slot_performance, subject, expected=cents("carded_coin_in"))
    patrons = entries_of(player_day, subject, found=cents("coin_in"))
    return unequal(pl.concat([machines, patrons]))


@truth(
    "gold.player_day",
    "gold.table_performance",
    sides=("player_day", "table_performance"),
    blocking=True,
)
def rated_theo_is_in_both_marts(
    player_day: pl.LazyFrame, table_performance: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, theo of tables is at least that of patrons: the rest is ratings without
    a name."""
    subject = pl.lit("rated theo")
    patrons = entries_of(player_day, subject, expected=cents("table_theo"))
    tables = entries_of(table_performance, subject, found=cents("theo"))
    return short(pl.concat([patrons, tables]))


@truth("gold.player_day", "gold.player_value", sides=("trips", "trips counted"), blocking=True)
def value_ends_in_the_day(player_day: pl.LazyFrame, player_value: pl.LazyFrame) -> pl.LazyFrame:
    """Everybody on a trip has a value that day, and it counts that trip. (Unit: trips.)"""
    key = ["gaming_day", "player_id"]
    trips = player_day.filter(pl.col("visits") > 0).select(key)
    latest = player_value.select(*key, is_counted=pl.col("last_visit") == pl.col("gaming_day"))
    missing = trips.join(latest, on=key, how="left").filter(
        ~pl.col("is_counted").fill_null(value=False)
    )
    return findings(
        missing.with_columns(subject="player_id", expected=pl.lit(100), found=pl.lit(0))
    )


@truth("gold.player_value", sides=("budget allowed", "budget"), blocking=True)
def protected_receive_nothing(player_value: pl.LazyFrame) -> pl.LazyFrame:
    """Nobody excluded, closed, suspended or under a protection flag has a budget."""
    barred = pl.col("is_excluded") | pl.col("is_protected")
    barred = barred | pl.col("account_status").is_in(["Closed", "Suspended"])
    paid = player_value.filter(barred & (pl.col("reinvestment_budget") != 0))
    return findings(
        paid.with_columns(
            subject="player_id", expected=pl.lit(0), found=cents("reinvestment_budget")
        )
    )
