"""Player value: what a patron played in a day, and what a patron is worth on a day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.floor.players import STATUSES
from lakehouse.contracts.registry import table


@table("player_day", layer="gold", grain="one row per player and gaming day with any record")
class PlayerDay(dy.Schema):
    """What one patron did in one gaming day. Every trailing figure is a sum of these rows."""

    player_id = c.text("Patron.", key=True, refs="player_profile.player_id")
    gaming_day = c.gaming_day(key=True)
    visits = c.count(
        "1 for a trip: any carded slot row or any pit row of the patron, a card swipe without "
        "play among them; 0 where only the cage or a win names the patron.",
        unit="days",
    )
    is_play_day = c.flag("The trip has theoretical win above zero.")
    minutes = c.count(
        "Time on device: from first to last row of each carded slot session, plus rated hours.",
        unit="minutes",
    )
    games_played = c.count("Carded slot games.")
    hands_played = c.count("Rated decisions at tables.")
    coin_in = c.money("Carded slot wagers.")
    bills_in = c.money("Bills put into machines while carded.")
    slot_theo = c.money(
        "Sum over carded slot rows of coin-in x the row's theoretical hold, exact, rounded half "
        "up to a cent once for the day."
    )
    slot_actual = c.money(
        "The house's slot win: coin-in less coin-out less hand-pays.", minimum=None
    )
    buy_in = c.money("Chips bought and markers drawn at tables.")
    table_theo = c.money(
        "Sum over ratings of average bet x decisions per hour x hours x edge (games.toml), each "
        "rounded half up to a cent."
    )
    table_actual = c.money("The house's win of the patron's ratings.", minimum=None)
    theo = c.money("slot_theo + table_theo.")
    actual = c.money("slot_actual + table_actual: positive where the patron lost.", minimum=None)
    free_play = c.money(
        "Promotional credit: what, in a carded session with at least one bill or ticket, was bet "
        "or taken out as a ticket beyond bills and wins. A ticket put in, which machines "
        "do not report, and a bill whose row was rejected count too."
    )
    cash_in = c.money(
        "US and foreign currency handed to the cage: chips, markers, deposits, instruments, "
        "exchange, new money plays. Not bills in machines, not non-gaming sales."
    )
    cash_out = c.money(
        "Currency paid by the cage: chips, tickets, hand-pays, jackpots, withdrawals, cheques "
        "cashed, exchange."
    )
    wins = c.count("Wins on record that may be reportable, identified at payment.")
    wins_amount = c.money("Gross amount of those wins.")
    points = c.count(
        "Loyalty points: ten per dollar of theo (house.points in games.toml), rounded down."
    )

    @dy.rule()
    def theo_is_the_sum_of_its_parts(cls) -> pl.Expr:
        """theo = slot_theo + table_theo."""
        return pl.col("theo") == pl.col("slot_theo") + pl.col("table_theo")

    @dy.rule()
    def actual_is_the_sum_of_its_parts(cls) -> pl.Expr:
        """actual = slot_actual + table_actual."""
        return pl.col("actual") == pl.col("slot_actual") + pl.col("table_actual")

    @dy.rule()
    def play_is_a_trip(cls) -> pl.Expr:
        """A day of play is one visit."""
        return ~pl.col("is_play_day") | (pl.col("visits") == 1)


def _quintile(what: str) -> dy.Int64:
    return c.count(f"{what}, 5 best: fifth of the day's snapshot, equals together.", minimum=1)


def _trailing(what: str, days: int, minimum: int | None = 0) -> dy.Decimal:
    return c.money(f"{what}, the {days} gaming days up to and with this one.", minimum=minimum)


def _online(days: int) -> dy.Decimal:
    return c.money(
        f"Net gaming revenue of the patron's online account, the {days} gaming days up to and with "
        "this one: beside theo, and no part of it, of worth or of the budget. 0 without an "
        "account; null in a lake without the online casino.",
        nullable=True,
        minimum=None,
    )


_WORTH = "Worth: the greater of theo and 40% of actual loss (house.worth in games.toml)"
_NET = "Net theo: theo less free play"


@table("player_value", layer="gold", grain="one row per player with a trip so far and gaming day")
class PlayerValue(dy.Schema):
    """What is known of a patron's value at the close of a gaming day, from that day and before.

    The lake knows no play before its first day: first visits, totals and the lifetime model
    count from there.
    """

    player_id = c.text("Patron.", key=True, refs="player_profile.player_id")
    gaming_day = c.gaming_day(key=True)
    loyalty_tier = c.code(
        c.TIERS, "Tier of the newest profile of the day or before.", nullable=True
    )
    tier_movement = c.count(
        "Tiers gained (lost: negative) since the profile in force 90 days before; null where "
        "there is none.",
        nullable=True,
        minimum=None,
        unit="tiers",
    )
    first_visit = c.day("Gaming day of the first trip.")
    last_visit = c.day("Gaming day of the last trip.")
    days_since_visit = c.count("Gaming days since the last trip.", unit="days")
    visits = c.count("Trips so far.", unit="days")
    visits_30 = c.count("Trips, trailing 30 gaming days.", unit="days")
    visits_90 = c.count("Trips, trailing 90 gaming days.", unit="days")
    visits_365 = c.count("Trips, trailing 365 gaming days.", unit="days")
    play_days_365 = c.count("Trips with play, trailing 365 gaming days.", unit="days")
    theo = c.money("Theoretical win so far, all days.")
    actual = c.money("The house's win so far, all days.", minimum=None)
    theo_30 = _trailing("Theoretical win", 30)
    theo_90 = _trailing("Theoretical win", 90)
    theo_365 = _trailing("Theoretical win", 365)
    worth_30 = _trailing(_WORTH, 30)
    worth_90 = _trailing(_WORTH, 90)
    worth_365 = _trailing(_WORTH, 365)
    net_theo_30 = _trailing(_NET, 30, minimum=None)
    net_theo_90 = _trailing(_NET, 90, minimum=None)
    net_theo_365 = _trailing(_NET, 365, minimum=None)
    online_ngr_30 = _online(30)
    online_ngr_365 = _online(365)
    adt = c.money(
        "Average daily theo: theo_365 / play_days_365, half up; null without play.", nullable=True
    )
    adt_with_zero_days = c.money(
        "Average daily theo, trips without play counted: theo_365 / visits_365; null without a "
        "trip in the window.",
        nullable=True,
    )
    recency_quintile = _quintile("Days since the last trip, fewest best")
    frequency_quintile = _quintile("Trips of 365 days")
    monetary_quintile = _quintile("Theo of 365 days")
    p_alive = c.number(
        "BG/NBD probability that the patron still visits (Fader, Hardie, Lee 2005), from days "
        "with play; 1 by definition after a single one; null without play.",
        nullable=True,
        unit="probability",
    )
    expected_play_days = c.number(
        "BG/NBD expected days with play in the next 52 weeks.", nullable=True, unit="days"
    )
    expected_theo_per_day = c.money(
        "Gamma-Gamma expected theo of a day with play (Fader, Hardie 2013).", nullable=True
    )
    expected_value_12m = c.money(
        "expected_play_days x expected_theo_per_day: theo of the next 12 months, undiscounted.",
        nullable=True,
    )
    model_fitted_on = c.day(
        "Monday on or before this day; the model is fitted on play before it, with a weak prior."
    )
    model_players = c.count("Patrons that the model was fitted on; 0: the prior alone.")
    is_churned = c.flag("More than 90 days since the last trip, or p_alive under 0.5.")
    is_excluded = c.flag("On the self-exclusion list on this day.")
    account_status = c.code(STATUSES, "Standing of the account.", nullable=True)
    is_protected = c.flag(
        "May receive nothing, neither budget nor marketing: excluded, account closed or suspended, "
        "raised or high in player_protection on this day or the 90 before, or without a profile "
        "to tell."
    )
    may_be_marketed_to = c.flag("Opted in by the newest profile, and not protected.")
    reinvestment_budget = c.money(
        "25% of net theo of 30 days (house.reinvestment in games.toml); 0 where is_protected."
    )

    @dy.rule()
    def protected_receive_nothing(cls) -> pl.Expr:
        """Who is protected has no reinvestment budget and is not marketed to."""
        nothing = (pl.col("reinvestment_budget") == 0) & ~pl.col("may_be_marketed_to")
        return ~pl.col("is_protected") | nothing

    @dy.rule()
    def excluded_are_protected(cls) -> pl.Expr:
        """Who is excluded is protected."""
        return ~pl.col("is_excluded") | pl.col("is_protected")

    @dy.rule()
    def windows_nest(cls) -> pl.Expr:
        """Theo of 30 days is within that of 90, of 365, and of all time."""
        theo = pl.col("theo_30") <= pl.col("theo_90"), pl.col("theo_90") <= pl.col("theo_365")
        return pl.all_horizontal(*theo, pl.col("theo_365") <= pl.col("theo"))
