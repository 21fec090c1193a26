"""The simulated clickstream: rounds as they are played, people who return, what is planted."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
import polars as pl
import pytest

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.online.clickstream import planted_accounts
from lakehouse.simulate.world import World

FIRST = dt.date(2025, 1, 1)
DAYS = 30
# By hand from the tables of what each game pays: variance of a round of one dollar.
VARIANCE = {
    "blackjack": 0.910475,
    "poker": 1.954471,
    "slots": 55.4284,
    "roulette": 7.907378,
    "baccarat": 1.030546,
}
RETURNS = {
    "blackjack": 0.9950,
    "poker": 0.9770,
    "slots": 0.9600,
    "roulette": 0.9730,
    "baccarat": 0.9880,
}


@cache
def world() -> World:
    return World(WorldConfig())


@cache
def month() -> pl.DataFrame:
    days = (FIRST + dt.timedelta(days=d) for d in range(DAYS))
    return pl.concat([world().clean("clickstream", day) for day in days])


@cache
def plants() -> pl.DataFrame:
    return pl.concat([planted_accounts(world(), d) for d in range(DAYS)])


def of_kind(kind: str, *, like: bool = False) -> pl.DataFrame:
    """Events of the accounts that a kind was planted on, with its intensity."""
    cases = plants().filter(pl.col("kind") == kind, pl.col("is_look_alike") == like)
    named = cases.select("gaming_day", "intensity", user_id="entity_id")
    return month().join(named, on=["gaming_day", "user_id"])


def by_session(rows: pl.DataFrame) -> pl.DataFrame:
    told = rows.filter(pl.col("session_id").is_not_null())
    return told.sort("session_id", "timestamp", maintain_order=True)


@pytest.mark.parametrize(("rows", "days"), [(0, 1), (1, 1), (2, 1), (7, 2), (500, 1), (900, 30)])
def test_any_number_of_rows_is_exact(rows: int, days: int) -> None:
    made = World(WorldConfig(rows={"clickstream": rows}, days=days))
    assert sum(f.height for f in made.frames("clickstream", range(days))) == rows


def test_a_day_has_the_same_bytes_alone_in_a_range_and_in_any_order() -> None:
    small = WorldConfig(scale=0.1)
    days = [FIRST + dt.timedelta(days=d) for d in (4, 1, 3)]
    alone = {day: World(small).frame("clickstream", day) for day in days}
    one = World(small)
    for day in days:
        assert one.frame("clickstream", day).equals(alone[day])
    together = pl.concat(World(small).rows("clickstream", (FIRST, days[0])))
    for day in days:
        known = together.filter(pl.col("gaming_day") == day).sort("event_id", "_ingested_at")
        assert known.equals(alone[day].sort("event_id", "_ingested_at"))
    assert not alone[days[0]].equals(
        World(WorldConfig(scale=0.1, seed=7)).frame("clickstream", days[0])
    )


@pytest.mark.parametrize("day", ["2025-03-09", "2025-11-02"])
def test_days_of_23_and_25_hours_hold_their_events(day: str) -> None:
    made = World(WorldConfig(scale=0.1)).clean("clickstream", dt.date.fromisoformat(day))
    opens = dt.datetime.fromisoformat(day).replace(hour=6)
    at = made["timestamp"].dt.convert_time_zone("America/Los_Angeles").dt.replace_time_zone(None)
    assert at.is_between(opens, opens + dt.timedelta(days=1), closed="left").all()


def test_everybody_who_plays_is_online_and_none_is_excluded() -> None:
    for d in (0, 11):
        day = FIRST + dt.timedelta(days=d)
        who = month().filter(pl.col("gaming_day") == day)["user_id"].unique()
        online = accounts.online_on(world().config, d)
        assert set(who) <= set(accounts.account_ids(online))
        extract = world().clean("online_accounts", day).filter("self_excluded")["account_id"]
        assert not set(who) & set(extract)


def test_games_are_opened_played_and_left_in_order() -> None:
    """Only the end of a session may be missing: a client that was cut off."""
    letter = pl.col("event_type").replace_strict(
        {"game_start": "S", "bet_placed": "B", "bet_result": "R", "game_end": "E"}
    )
    told = by_session(month()).group_by("session_id", maintain_order=True)
    spelled = told.agg(
        word=letter.str.join(),
        users=pl.col("user_id").n_unique(),
        places=pl.col("country").n_unique(),
        shortest=pl.col("timestamp").diff().min(),
    )
    whole = spelled["word"].str.contains(r"^(S(BR)+E)+$")
    cut = spelled["word"].str.contains(r"^(S(BR)+E)*S(BR)*B?$")
    assert (whole | cut).all()
    assert 0.02 < cut.mean() < 0.07
    assert spelled["users"].max() == spelled["places"].max() == 1
    assert spelled["shortest"].drop_nulls().min() > dt.timedelta()
    untold = month()["session_id"].is_null().mean()
    assert 0.03 < untold < 0.1


def test_a_round_has_one_stake_and_one_result_of_its_game() -> None:
    rounds = (
        month()
        .filter(pl.col("round_id").is_not_null())
        .group_by("round_id")
        .agg(
            stakes=(pl.col("event_type") == "bet_placed").sum(),
            results=(pl.col("event_type") == "bet_result").sum(),
            games=pl.col("game_name").n_unique(),
            users=pl.col("user_id").n_unique(),
            kinds=pl.col("is_bonus").n_unique(),
        )
    )
    assert (rounds["stakes"] == 1).all()
    assert rounds["results"].max() == 1
    assert (rounds["results"] == 1).mean() > 0.99
    assert rounds.select(pl.col("games", "users", "kinds").max()).row(0) == (1, 1, 1)
    assert (
        month()
        .filter(pl.col("event_type").is_in(["bet_placed", "bet_result"]))["round_id"]
        .null_count()
        == 0
    )


@pytest.mark.parametrize("seed", [42, 7])
def test_results_follow_from_bets_by_each_games_return(seed: int) -> None:
    """By volume, within the 99% interval of the game's own variance."""
    rows = (
        month()
        if seed == 42
        else pl.concat(World(WorldConfig(seed=seed)).frames("clickstream", range(10)))
    )
    sums = rows.group_by("game_name").agg(
        staked=pl.col("bet_amount").cast(float).sum(),
        squares=(pl.col("bet_amount").cast(float) ** 2).sum(),
        won=pl.col("win_amount").cast(float).sum(),
        rounds=(pl.col("event_type") == "bet_placed").sum(),
    )
    assert set(sums["game_name"]) == set(RETURNS)
    for game, staked, squares, won, rounds in sums.iter_rows():
        assert rounds > 2_000
        assert abs(won - RETURNS[game] * staked) < 2.576 * (squares * VARIANCE[game]) ** 0.5, game


def test_the_table_of_games_says_what_they_return() -> None:
    known = world().clean("games", FIRST)
    assert dict(known.select("game_name", pl.col("return_to_player").cast(float)).rows()) == RETURNS


def test_stakes_are_mostly_from_10_to_200_dollars_in_whole_ones() -> None:
    stakes = month().filter(pl.col("event_type") == "bet_placed")["bet_amount"].cast(float)
    assert 0.93 < stakes.is_between(10, 200).mean() < 0.99
    assert (stakes % 1 == 0).all()
    logarithm = stakes.log()
    assert abs(logarithm.skew()) < 0.3
    assert 0.02 < month()["is_bonus"].mean() < 0.1


def test_people_return_and_a_few_play_most() -> None:
    days = month().group_by("user_id").agg(days=pl.col("gaming_day").n_unique(), events=pl.len())
    assert (days["days"] > 1).mean() > 0.4
    assert days["days"].max() > 20
    events = days["events"].sort(descending=True)
    assert events.head(len(events) // 20).sum() / events.sum() > 0.2


def test_visits_follow_the_clock_of_each_place() -> None:
    """Evenings are busy and nights quiet, in Stockholm and in Los Angeles."""
    honest = month().join(plants().select(user_id="entity_id"), on="user_id", how="anti")
    for zone in ("Europe/Stockholm", "America/Los_Angeles"):
        rows = honest.filter(pl.col("time_zone") == zone)
        hour = rows["timestamp"].dt.convert_time_zone(zone).dt.hour()
        assert hour.is_between(18, 22).mean() > 0.3
        assert hour.is_between(2, 6).mean() < 0.08


def test_problem_play_has_many_sessions_at_night_at_rising_stakes() -> None:
    days = of_kind("problem_play").group_by("user_id", "gaming_day").agg(
        pl.col("intensity").first(), sessions=pl.col("session_id").n_unique()
    )  # fmt: skip
    blatant = days.filter(pl.col("intensity") > 0.75)
    assert blatant.height > 3
    assert (blatant["sessions"] >= 50).all()
    faint = days.filter(pl.col("intensity") < 0.3)["sessions"]
    assert (faint < 40).all()
    honest = of_kind("problem_play", like=True).group_by("user_id", "gaming_day").agg(
        pl.col("session_id").n_unique()
    )  # fmt: skip
    assert honest.height > 0
    assert honest["session_id"].max() < 50


def test_chasing_raises_the_stake_after_a_loss() -> None:
    def raised(rows: pl.DataFrame) -> float:
        stakes = rows.filter(pl.col("event_type") == "bet_placed")
        results = rows.filter(pl.col("event_type") == "bet_result").select(
            "round_id", won="win_amount"
        )
        by = ["user_id", "gaming_day"]
        after = (
            stakes.join(results, on="round_id")
            .sort("timestamp")
            .select(
                lost=(pl.col("won") < pl.col("bet_amount")).shift().over(by),
                rise=pl.col("bet_amount").cast(float).log().diff().over(by),
            )
            .drop_nulls()
        )
        behind, ahead = (
            after.filter(pl.col("lost") == lost)["rise"].mean() for lost in (True, False)
        )
        return behind - ahead

    strong = of_kind("problem_play").filter(pl.col("intensity") > 0.6)
    assert raised(strong) > 0.25
    honest = month().join(plants().select(user_id="entity_id"), on="user_id", how="anti")
    assert abs(raised(honest)) < 0.03


def overlapping(rows: pl.DataFrame) -> set[str]:
    """Accounts with two sessions at once."""
    told = by_session(rows).group_by("user_id", "session_id").agg(
        begins=pl.col("timestamp").min(), ends=pl.col("timestamp").max()
    )  # fmt: skip
    before = pl.col("ends").shift().over("user_id", order_by="begins")
    return set(told.filter(pl.col("begins") < before)["user_id"])


def test_only_a_shared_account_plays_in_two_places_at_once() -> None:
    shared = plants().filter(pl.col("kind") == "account_sharing", ~pl.col("is_look_alike"))
    found = overlapping(month())
    assert found <= set(shared["entity_id"])
    assert found >= set(shared.filter(pl.col("intensity") > 0.5)["entity_id"])
    apart = of_kind("account_sharing").group_by("user_id").agg(pl.col("ip_address").n_unique())
    assert (apart["ip_address"] >= 2).all()


def test_a_bot_is_regular_and_of_one_stake() -> None:
    def spread(rows: pl.DataFrame) -> pl.Series:
        gaps = by_session(rows).select(
            "session_id",
            "event_type",
            gap=pl.col("timestamp").diff().over("session_id").dt.total_milliseconds(),
        )
        played = gaps.filter(pl.col("event_type").is_in(["bet_placed", "bet_result"]))
        return played.group_by("session_id").agg(pl.col("gap").std() / pl.col("gap").mean())["gap"]

    assert spread(of_kind("betting_bot").filter(pl.col("intensity") > 0.5)).max() < 0.4
    honest = month().join(plants().select(user_id="entity_id"), on="user_id", how="anti")
    assert np.nanmedian(spread(honest).drop_nulls().to_numpy()) > 0.4
    stakes = of_kind("betting_bot").filter(pl.col("event_type") == "bet_placed")
    assert (
        stakes.drop_nulls("session_id")
        .group_by("session_id")
        .agg(pl.col("bet_amount").n_unique())["bet_amount"]
        == 1
    ).all()


def test_who_is_planted_has_rows_and_an_honest_world_has_no_plants() -> None:
    named = plants().select("gaming_day", user_id="entity_id").unique()
    assert named.join(month(), on=["gaming_day", "user_id"], how="anti").is_empty()
    kinds = {(k, like) for k, like in plants().select("kind", "is_look_alike").iter_rows()}
    every = ("problem_play", "account_sharing", "betting_bot")
    assert kinds == {(k, like) for k in every for like in (True, False)}
    day = plants().filter(pl.col("gaming_day") == FIRST + dt.timedelta(days=2))
    told = world().plants(FIRST + dt.timedelta(days=2))
    mine = pl.col("table_name") == "clickstream"
    assert told.filter(pl.col("entity_type") == "account", mine).equals(day)
    honest = World(WorldConfig(faults=NO_FAULTS))
    assert honest.plants(FIRST).filter(pl.col("table_name") == "clickstream").is_empty()
    assert overlapping(honest.clean("clickstream", FIRST)) == set()


def test_dirt_is_planted_as_on_the_floor() -> None:
    told = pl.concat([world().plants(FIRST + dt.timedelta(days=d)) for d in range(2)])
    rows = told.filter(pl.col("table_name") == "clickstream", pl.col("entity_type") == "row")
    expected = {
        "clock",
        "key_clash",
        "late",
        "negative_amount",
        "null_required",
        "orphan",
        "retransmit",
        "unknown_code",
        "untidy_text",
    }
    assert set(rows["kind"]) == expected
