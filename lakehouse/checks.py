"""Truths across tables: what must hold between them, and the rows where it does not.

A truth is a pure function of LazyFrames that returns findings, one row per breach (shape
`FINDINGS`). A day's findings come from that day's rows alone, so that days may be checked one
by one or together. Inputs are named `layer.table`, in the order of the function's parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lakehouse.gold.money import cents, dollars
from lakehouse.gold.play import ratings, slot_rows

FINDINGS = pl.Schema(
    {
        "gaming_day": pl.Date(),
        "subject": pl.String(),
        "expected": pl.Decimal(18, 2),
        "found": pl.Decimal(18, 2),
    }
)


@dataclass(frozen=True)
class Truth:
    """`blocking`: a breach is a fault of the pipeline and stops what comes after. Where it is
    not, a breach is news about the casino or its records."""

    name: str
    inputs: tuple[str, ...]
    function: Callable[..., pl.LazyFrame]
    blocking: bool
    description: str


TRUTHS: dict[str, Truth] = {}


def _truth(
    *inputs: str, blocking: bool = False
) -> Callable[[Callable[..., pl.LazyFrame]], Callable[..., pl.LazyFrame]]:
    def register(function: Callable[..., pl.LazyFrame]) -> Callable[..., pl.LazyFrame]:
        name = function.__name__
        text = " ".join((function.__doc__ or "").split())
        TRUTHS[name] = Truth(name, inputs, function, blocking, text)
        return function

    return register


def _findings(breaches: pl.LazyFrame) -> pl.LazyFrame:
    """Breaches in cents, in the shape of findings and a settled order."""
    subject = pl.col("subject").cast(pl.String)
    shaped = breaches.select("gaming_day", subject, dollars("expected"), dollars("found"))
    return shaped.sort("gaming_day", "subject", "expected", "found")


def _compare(
    expected: pl.LazyFrame,
    found: pl.LazyFrame,
    on: list[str],
    subject: pl.Expr,
    *,
    may_exceed: bool = False,
) -> pl.LazyFrame:
    """Sums of `cents` on both sides by `on`; a side without rows is 0. Null keys match null."""
    bad = pl.col("found") < pl.col("expected")
    if not may_exceed:
        bad = bad | (pl.col("found") > pl.col("expected"))
    left = expected.group_by(on).agg(expected=pl.col("cents").sum())
    right = found.group_by(on).agg(found=pl.col("cents").sum())
    both = left.join(right, on=on, how="full", nulls_equal=True, coalesce=True)
    sums = both.with_columns(pl.col("expected", "found").fill_null(0))
    return _findings(sums.filter(bad).with_columns(subject=subject))


def _amounts(frame: pl.LazyFrame, column: str, *kinds: str) -> pl.LazyFrame:
    return frame.filter(pl.col(column).is_in(kinds)).select(
        "gaming_day", "player_id", cents=cents("amount")
    )


def _patron() -> pl.Expr:
    return pl.col("player_id").fill_null("unidentified")


@_truth("silver.table_games", "silver.financial_txn")
def buy_ins_have_their_cage_row(
    table_games: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    """Per patron and gaming day, the cage recorded (CHIP_PURCHASE, MONEY_PLAY) at least what
    tables sold (BUY_IN). More is right: chips are bought at windows too."""
    return _compare(
        _amounts(table_games, "event_type", "BUY_IN"),
        _amounts(financial_txn, "transaction_type", "CHIP_PURCHASE", "MONEY_PLAY"),
        ["gaming_day", "player_id"],
        _patron(),
        may_exceed=True,
    )


@_truth("silver.table_games", "silver.financial_txn")
def cash_outs_have_their_cage_row(
    table_games: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    """Per patron and gaming day, at least the chips carried off tables (CASH_OUT) are redeemed
    at the cage (CHIP_REDEMPTION). Chips that walk out of the house are found here."""
    return _compare(
        _amounts(table_games, "event_type", "CASH_OUT"),
        _amounts(financial_txn, "transaction_type", "CHIP_REDEMPTION"),
        ["gaming_day", "player_id"],
        _patron(),
        may_exceed=True,
    )


@_truth("silver.table_games", "silver.financial_txn")
def markers_agree(table_games: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    """Per marker and gaming day, what the pit issued is what the cage issued. Markers drawn at
    the cage alone are not the pit's."""
    key = ["gaming_day", "marker_number"]
    pit = table_games.filter(pl.col("event_type") == "MARKER_ISSUED")
    cage = financial_txn.filter(pl.col("transaction_type") == "MARKER_ISSUE")
    at_pit = cage.join(pit.select(key).unique(), on=key, how="semi")
    return _compare(
        pit.select(*key, cents=cents("amount")),
        at_pit.select(*key, cents=cents("amount")),
        key,
        pl.col("marker_number"),
    )


@_truth("silver.slot_telemetry", "silver.financial_txn")
def jackpots_have_their_payout(
    slot_telemetry: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day and amount, as many hand-pays at machines as payouts at the cage. The
    patron is not compared: an uncarded winner is identified at payment."""
    key = ["gaming_day", "amount"]
    hand_pays = slot_rows(slot_telemetry).filter(pl.col("event_type") == "JACKPOT")
    payouts = financial_txn.filter(pl.col("transaction_type") == "JACKPOT_PAYOUT")
    slots = hand_pays.select("gaming_day", amount="jackpot_amount", cents="jackpot_amount")
    cage = payouts.select("gaming_day", amount=cents("amount"), cents=cents("amount"))
    return _compare(slots, cage, key, pl.format("hand-pay of {} cents", "amount"))


@_truth("silver.slot_telemetry")
def meters_never_fall(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Within a gaming day a machine's coin-in meter never reads less than before."""
    meter = cents("meter_coin_in")
    readings = (
        slot_telemetry.filter(pl.col("meter_coin_in").is_not_null())
        .select("gaming_day", "machine_id", "event_timestamp", found=meter)
        .sort("gaming_day", "machine_id", "event_timestamp", "found")
    )
    before = pl.col("found").shift().over("gaming_day", "machine_id")
    return _findings(
        readings.with_columns(expected=before, subject="machine_id").filter(
            pl.col("found") < pl.col("expected")
        )
    )


@_truth("silver.slot_telemetry")
def meters_equal_the_play(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Between two readings of a gaming day a machine's meter advances by the coin-in reported.
    Lost or rejected rows show here."""
    by = ("gaming_day", "machine_id")
    rows = (
        slot_rows(slot_telemetry)
        .select(*by, "event_timestamp", "event_id", "coin_in", meter=cents("meter_coin_in"))
        .sort(*by, "event_timestamp", pl.col("meter").is_not_null(), "event_id")
        .with_columns(played=pl.col("coin_in").cum_sum().over(by))
        .filter(pl.col("meter").is_not_null())
        .with_columns(
            expected=(pl.col("played") - pl.col("played").shift()).over(by),
            found=(pl.col("meter") - pl.col("meter").shift()).over(by),
        )
    )
    wrong = rows.filter(pl.col("expected") != pl.col("found"))
    return _findings(wrong.with_columns(subject="machine_id"))


@_truth("silver.slot_telemetry")
def sessions_balance(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Per session with a bill or a ticket: bills + wins = bets + tickets + hand-pays (a
    hand-pay is on both sides). More out than in is promotional credit or a ticket put in
    where the play is carded, and a finding where it is not; less out is always one."""
    by = ["gaming_day", "session_id"]
    sums = (
        slot_rows(slot_telemetry)
        .filter(pl.col("session_id").is_not_null())
        .group_by(by)
        .agg(
            pl.col("event_type").is_in(["BILL_IN", "TICKET_OUT"]).any().alias("has_money"),
            is_carded=pl.col("player_id").is_not_null().any(),
            expected=pl.col("bills_in").sum()
            + pl.col("coin_out").sum()
            + pl.col("jackpot_amount").sum(),
            found=pl.col("coin_in").sum()
            + pl.col("tickets_out").sum()
            + pl.col("jackpot_amount").sum(),
        )
    )
    lost = pl.col("found") < pl.col("expected")
    uncarded = ~pl.col("is_carded") & (pl.col("found") > pl.col("expected"))
    wrong = sums.filter(pl.col("has_money") & (lost | uncarded))
    return _findings(wrong.with_columns(subject="session_id"))


@_truth("silver.table_games")
def ratings_carry_their_theo(table_games: pl.LazyFrame) -> pl.LazyFrame:
    """A rating's own theoretical win is within a hundredth of an hour's play of average bet x
    decisions per hour x hours x edge: hours are recorded to the hundredth."""
    closed = ratings(table_games).filter(pl.col("theoretical_win").is_not_null())
    own = closed.with_columns(found=cents("theoretical_win"), expected="theo")
    unit = pl.col("bet") * pl.col("decisions_per_hour") * pl.col("edge_e4") / 1_000_000
    apart = (pl.col("found") - pl.col("expected")).abs()
    return _findings(own.filter(apart > unit + 1).with_columns(subject="player_rating_id"))


@_truth("gold.property_day", blocking=True)
def property_day_reconciles(property_day: pl.LazyFrame) -> pl.LazyFrame:
    """Every difference between the marts and silver is 0."""
    differences = [c for c in property_day.collect_schema() if c.endswith("_difference")]
    long = property_day.unpivot(
        differences, index="gaming_day", variable_name="subject", value_name="found"
    )
    return _findings(
        long.with_columns(expected=pl.lit(0), found=cents("found")).filter(pl.col("found") != 0)
    )


@_truth("gold.player_day", "gold.slot_performance", blocking=True)
def carded_play_is_in_both_marts(
    player_day: pl.LazyFrame, slot_performance: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, carded coin-in of machines is coin-in of patrons."""
    return _compare(
        slot_performance.select("gaming_day", cents=cents("carded_coin_in")),
        player_day.select("gaming_day", cents=cents("coin_in")),
        ["gaming_day"],
        pl.lit("carded coin-in"),
    )


@_truth("gold.player_day", "gold.table_performance", blocking=True)
def rated_theo_is_in_both_marts(
    player_day: pl.LazyFrame, table_performance: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, theo of tables is at least that of patrons: the rest is ratings without
    a name."""
    return _compare(
        player_day.select("gaming_day", cents=cents("table_theo")),
        table_performance.select("gaming_day", cents=cents("theo")),
        ["gaming_day"],
        pl.lit("rated theo"),
        may_exceed=True,
    )


@_truth("gold.player_day", "gold.player_value", blocking=True)
def value_ends_in_the_day(player_day: pl.LazyFrame, player_value: pl.LazyFrame) -> pl.LazyFrame:
    """Everybody on a trip has a value that day, and it counts that trip. (Unit: trips.)"""
    key = ["gaming_day", "player_id"]
    trips = player_day.filter(pl.col("visits") > 0).select(key)
    latest = player_value.select(*key, is_counted=pl.col("last_visit") == pl.col("gaming_day"))
    missing = trips.join(latest, on=key, how="left").filter(
        ~pl.col("is_counted").fill_null(value=False)
    )
    return _findings(
        missing.with_columns(subject="player_id", expected=pl.lit(100), found=pl.lit(0))
    )


@_truth("gold.player_value", blocking=True)
def protected_receive_nothing(player_value: pl.LazyFrame) -> pl.LazyFrame:
    """Nobody excluded, closed, suspended or under a protection flag has a budget."""
    barred = pl.col("is_excluded") | pl.col("is_protected")
    barred = barred | pl.col("account_status").is_in(["Closed", "Suspended"])
    paid = player_value.filter(barred & (pl.col("reinvestment_budget") != 0))
    return _findings(
        paid.with_columns(
            subject="player_id", expected=pl.lit(0), found=cents("reinvestment_budget")
        )
    )
