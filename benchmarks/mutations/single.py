"""Defects of one table each, above all what the truths between tables must find."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl

from benchmarks.mutations.defects import DERIVED, Damage, Mutation, first
from benchmarks.mutations.rows import framed, sound_row
from lakehouse.storage import Lake


def _is(column: str, value: str) -> pl.Expr:
    return pl.col(column) == value


def _on_a_trip(lake: Lake, day: dt.date) -> pl.Expr:
    trips = lake.scan("gold", "player_day", days=(day, day)).filter(pl.col("visits") > 0)
    return pl.col("player_id").is_in(trips.collect()["player_id"].implode())


def _excluded_on_a_trip(rows: pl.DataFrame, lake: Lake, day: dt.date) -> pl.DataFrame:
    where = _on_a_trip(lake, day)
    barred = dict.fromkeys(("is_excluded", "is_protected"), True)
    return first(where, **barred, may_be_marketed_to=False, reinvestment_budget=Decimal(0))(
        rows, lake, day
    )


def _raised_unprotected(rows: pl.DataFrame, lake: Lake, day: dt.date) -> pl.DataFrame:
    values = lake.scan("gold", "player_value", days=(day, day)).filter(~pl.col("is_protected"))
    where = pl.col("player_id").is_in(values.collect()["player_id"].implode())
    said = pl.lit(["played on 20 days of 30"])
    return first(where, is_marketing_suppressed=True, level="raised", reasons=said)(rows, lake, day)


def _win_of_one_visit(rows: pl.DataFrame, lake: Lake, day: dt.date) -> pl.DataFrame:
    """Of a patron with an extract of the day, and one before it."""
    profiles = lake.scan("silver", "player_profile").filter(pl.col("gaming_day") <= day).collect()
    known = profiles.filter(pl.col("gaming_day") < day)["player_id"]
    mine = profiles.filter(pl.col("gaming_day") == day, pl.col("player_id").is_in(known.implode()))
    where = pl.col("player_id").is_in(mine["player_id"].implode())
    more = {n: pl.col(n) + 1 for n in ("slot_actual", "actual")}
    return first(where, **more)(rows, lake, day)


def _vault_value(rows: pl.DataFrame, lake: Lake, day: dt.date) -> pl.DataFrame:
    vault = lake.scan("restricted", "identity_vault").collect()
    street = vault["address_line1"].drop_nulls()[0]
    return first(pl.lit(value=True), notes=street)(rows, lake, day)


def _last_reading(rows: pl.DataFrame) -> pl.Expr:
    """The last meter reading of a machine that has two."""
    read = rows.filter(pl.col("meter_coin_in").is_not_null()).sort("event_timestamp")
    several = read.filter(pl.len().over("machine_id") > 1)
    last = several.group_by("machine_id", maintain_order=True).last()["event_id"]
    return pl.col("event_id") == last[0]


def _meter(value: object) -> Damage:
    def damage(rows: pl.DataFrame, lake: Lake, day: dt.date) -> pl.DataFrame:
        return first(_last_reading(rows), meter_coin_in=value)(rows, lake, day)

    return damage


def _machine_that_pays(rows: pl.DataFrame, lake: Lake, day: dt.date) -> pl.DataFrame:
    """A machine pays a hundred times what was bet on it, of the denomination most played."""
    games = rows.filter(pl.col("hold_low").is_not_null())
    by = games.group_by("denomination").agg(pl.col("games_played").sum()).sort("games_played")
    where = (pl.col("denomination") == by["denomination"][-1]) & pl.col("hold_low").is_not_null()
    paid = pl.lit(Decimal(1_000_000), pl.Decimal(18, 2))
    more = {"coin_out": pl.col("coin_out") + paid, "win": pl.col("win") - paid}
    return first(where, **more)(rows, lake, day)


_ANY = pl.lit(value=True)
_THOUSAND = pl.lit(Decimal(100_000), pl.Decimal(18, 2))
_MADE = {"player_id": None, "marker_number": "M-made", "amount": Decimal(5)}

SINGLE = [
    Mutation(
        "Rows are written again by hand",
        "gold",
        "slot_performance",
        lambda rows, _l, _d: rows,
        (DERIVED,),
        told=True,
    ),
    Mutation(
        "The day's report is gone",
        "gold",
        "property_day",
        lambda rows, _l, _d: rows.clear(),
        ("gold/property_day:is_there_by_ten", "gold/property_day:win_of_the_day_adds_up"),
    ),
    Mutation(
        "A defect was planted on a row that bronze does not have",
        "truth",
        "plants",
        lambda rows, _l, day: pl.concat(
            [rows, framed("truth", "plants", [_plant(day)])],
        ),
        ("truth/plants:plants_are_in_bronze",),
    ),
    Mutation(
        "A buy-in is 100,000 dollars higher than at the cage",
        "silver",
        "table_games",
        first(
            _is("event_type", "BUY_IN") & pl.col("player_id").is_not_null(),
            amount=pl.col("amount") + _THOUSAND,
        ),
        ("silver/financial_txn:buy_ins_have_their_cage_row",),
    ),
    Mutation(
        "A patron carries off 100,000 dollars more in chips",
        "silver",
        "table_games",
        first(
            _is("event_type", "CASH_OUT") & pl.col("player_id").is_not_null(),
            amount=pl.col("amount") + _THOUSAND,
        ),
        ("silver/financial_txn:cash_outs_have_their_cage_row",),
    ),
    Mutation(
        "The pit issues a marker that the cage knows nothing of",
        "silver",
        "table_games",
        first(_is("event_type", "SHIFT_START"), event_type="MARKER_ISSUED", **_MADE),
        ("silver/financial_txn:markers_agree",),
    ),
    Mutation(
        "The cage pays a hand-pay that no machine had",
        "silver",
        "financial_txn",
        first(_is("transaction_type", "TICKET_REDEMPTION"), transaction_type="JACKPOT_PAYOUT"),
        ("silver/financial_txn:jackpots_have_their_payout",),
    ),
    Mutation(
        "A machine's last meter reading is 0",
        "silver",
        "slot_telemetry",
        _meter(0),
        (
            "silver/slot_telemetry:meters_equal_the_play",
            "silver/slot_telemetry:meters_never_fall",
        ),
    ),
    Mutation(
        "A machine's last meter reading is too high",
        "silver",
        "slot_telemetry",
        _meter(pl.col("meter_coin_in") + 100_000),
        ("silver/slot_telemetry:meters_equal_the_play",),
    ),
    Mutation(
        "A bill is a dollar higher than was bet and paid out",
        "silver",
        "slot_telemetry",
        first(
            _is("event_type", "BILL_IN") & pl.col("session_id").is_not_null(),
            amount=pl.col("amount") + 1,
        ),
        ("silver/slot_telemetry:sessions_balance",),
    ),
    Mutation(
        "A rating carries 100,000 dollars more theo than its figures give",
        "silver",
        "table_games",
        first(
            _is("event_type", "RATING_END") & pl.col("theoretical_win").is_not_null(),
            theoretical_win=pl.col("theoretical_win") + _THOUSAND,
        ),
        ("silver/table_games:ratings_carry_their_theo",),
    ),
    Mutation(
        "An excluded patron has a marketing channel",
        "silver",
        "player_profile",
        first(_ANY, self_excluded=True, marketing_opt_in=False, marketing_channel="Email"),
        ("silver/player_profile:excluded_are_not_marketed_to",),
    ),
    Mutation(
        "A note holds an address of the identity vault",
        "silver",
        "financial_txn",
        _vault_value,
        ("silver/financial_txn:no_personal_data",),
    ),
    Mutation(
        "The report says that cash differs by a dollar",
        "gold",
        "property_day",
        first(_ANY, cash_difference=Decimal(1)),
        ("gold/property_day:property_day_reconciles",),
    ),
    Mutation(
        "The report's win is a dollar too high",
        "gold",
        "property_day",
        first(_ANY, win=pl.col("win") + 1),
        ("gold/property_day:win_of_the_day_adds_up",),
    ),
    Mutation(
        "A machine has a dollar of carded play that no patron has",
        "gold",
        "slot_performance",
        first(_ANY, carded_coin_in=pl.col("carded_coin_in") + 1),
        ("gold/slot_performance:carded_play_is_in_both_marts",),
    ),
    Mutation(
        "A machine pays out a million dollars more",
        "gold",
        "slot_performance",
        _machine_that_pays,
        (
            "gold/slot_performance:hold_is_inside_its_interval",
            "gold/property_day:win_of_the_day_adds_up",
        ),
    ),
    Mutation(
        "Meters advanced by ten times the play",
        "gold",
        "slot_performance",
        lambda rows, _l, _d: rows.with_columns(
            meter_variance=pl.when(pl.col("meter_variance").is_not_null())
            .then(pl.col("coin_in") * 9 + 100)
            .cast(rows.schema["meter_variance"])
        ),
        ("gold/slot_performance:play_is_what_meters_advanced",),
    ),
    Mutation(
        "A table lacks the theo of its patrons",
        "gold",
        "table_performance",
        first(pl.col("theo") == pl.col("theo").max(), theo=Decimal(0)),
        ("gold/table_performance:rated_theo_is_in_both_marts",),
    ),
    Mutation(
        "A trip of the day is not counted in the patron's value",
        "gold",
        "player_value",
        first(
            pl.col("last_visit") == pl.col("gaming_day"),
            last_visit=pl.col("last_visit") - pl.duration(days=1),
        ),
        ("gold/player_value:value_ends_in_the_day",),
    ),
    Mutation(
        "The whole day is gone",
        "gold",
        "player_value",
        lambda rows, _l, _d: rows.clear(),
        ("gold/player_value:volume", "gold/player_value:value_ends_in_the_day"),
    ),
    Mutation(
        "A closed account has a budget",
        "gold",
        "player_value",
        first(~pl.col("is_protected"), account_status="Closed", reinvestment_budget=Decimal(5)),
        ("gold/player_value:protected_receive_nothing",),
    ),
    Mutation(
        "A patron whose level is raised is not protected",
        "gold",
        "player_protection",
        _raised_unprotected,
        ("gold/player_value:raised_are_protected",),
    ),
    Mutation(
        "A patron's behaviour has seven dollars more of loss than the day",
        "gold",
        "player_behaviour",
        first(_ANY, loss=pl.col("loss") + 7),
        ("gold/player_behaviour:behaviour_is_of_the_day",),
    ),
    Mutation(
        "A patron on a trip was on the exclusion list",
        "gold",
        "player_value",
        _excluded_on_a_trip,
        ("gold/player_day:excluded_do_not_play",),
    ),
    Mutation(
        "A patron's win of the day is a dollar higher than the loyalty system's",
        "gold",
        "player_day",
        _win_of_one_visit,
        (
            "gold/player_day:profile_totals_are_the_facts",
            "gold/player_behaviour:behaviour_is_of_the_day",
        ),
    ),
    Mutation(
        "A cage that no expectation knows",
        "silver",
        "financial_txn",
        first(_ANY, cage_location="Nowhere"),
        ("silver/financial_txn:expectations",),
    ),
    Mutation(
        "Notes that an expectation of severity warning rules out",
        "silver",
        "financial_txn",
        first(_ANY, notes="?"),
        ("silver/financial_txn:expectations_warnings",),
    ),
]


def _plant(day: dt.date) -> dict[str, object]:
    where = {"row_key": "nowhere", "table_name": "financial_txn", "kind": "clock"}
    return sound_row("truth", "plants", day) | where
