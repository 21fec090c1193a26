"""Planted misconduct of patrons: as strong as its intensity says, among people who also live
ordinary days, beside honest play that looks like it."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import numpy as np
import polars as pl
import pytest

from lakehouse.contracts.floor.tables import GAMES
from lakehouse.errors import BadInput
from lakehouse.simulate.faults.house_cases import SCENARIOS
from lakehouse.simulate.faults.scenarios import KINDS, engaged, scenarios
from lakehouse.simulate.floor.cage_cash import cash_on
from lakehouse.simulate.floor.misconduct import Part, Seat
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.table_play import game_rates
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.world import World

DAYS = 60
MANY = Faults(misconduct=4.0)


def made(faults: Faults = MANY, **more: object) -> World:
    return World(WorldConfig(seed=3, faults=faults, **more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> World:
    return made()


@pytest.fixture(scope="module")
def plants(world: World) -> pl.DataFrame:
    return planted(world)


@pytest.fixture(scope="module")
def ratings(world: World) -> pl.DataFrame:
    return rated(world)


@pytest.fixture(scope="module")
def harm(world: World) -> pl.DataFrame:
    return harmed(world)


def planted(world: World, days: int = DAYS) -> pl.DataFrame:
    """One row per planted player and day, as the scenarios have it."""
    rows = [
        (s.number, s.kind, s.intensity, s.is_look_alike, q, d)
        for d in range(days)
        for s in scenarios(world.config, d)
        for q in s.players
    ]
    shape = {"number": pl.Int64, "kind": pl.String, "intensity": pl.Float64,
             "is_look_alike": pl.Boolean, "player": pl.Int64, "day": pl.Int64}  # fmt: skip
    return pl.DataFrame(rows, schema=shape, orient="row")


def about(world: World, days: int) -> pl.DataFrame:
    return planted(world, days).unique("number").drop("player", "day")


def rated(world: World) -> pl.DataFrame:
    """Planted ratings: amounts in cents, hour of the gaming day."""
    parts = [
        pl.DataFrame(
            {
                "number": t.scenario,
                "buy": t.first_buy,
                "game": t.group // 2,
                "hour": t.start // 3600,
                "handle": t.bet * t.hands,
            }
        ).filter(pl.col("number") >= 0)
        for t in (day_plan(world, d).tables for d in range(DAYS))
    ]
    return pl.concat(parts).join(about(world, DAYS), on="number")


def harmed(world: World) -> pl.DataFrame:
    """Slot sessions of harm that has its course within the days, by third of its time."""
    window = {
        s.number: (s.first_day, s.days)
        for d in range(DAYS)
        for s in scenarios(world.config, d)
        if s.kind == "escalating_harm" and s.last_day < DAYS
    }
    parts = [
        pl.DataFrame(
            {
                "number": p.scenario,
                "day": pl.repeat(d, len(p), dtype=pl.Int64, eager=True),
                "start": p.start,
                "end": p.end,
                "bet": p.bet,
                "is_lost": p.coin_out + p.jackpot < p.coin_in,
            }
        ).filter(pl.col("number").is_in(list(window)))
        for d, p in ((d, day_plan(world, d).slots) for d in range(DAYS))
    ]
    first = pl.DataFrame([(n, *w) for n, w in window.items()],
                         schema=["number", "first", "days"], orient="row")  # fmt: skip
    return (
        pl.concat(parts)
        .join(first, on="number")
        .join(about(world, DAYS), on="number")
        .with_columns(third=(pl.col("day") - pl.col("first")) * 3 // pl.col("days"))
        .sort("number", "day", "start")
    )


def amounts(ratings: pl.DataFrame, kind: str, **which: object) -> list[int]:
    return ratings.filter(kind=kind, **which)["buy"].to_list()


def above(cases: list[int], others: list[int]) -> float:
    """How often a case's amount is the larger one: .5 where amounts tell nothing."""
    pairs = np.sign(np.subtract.outer(np.array(cases), np.array(others)))
    return float((pairs.mean() + 1) / 2)


def test_a_world_without_faults_has_no_misconduct() -> None:
    for world in (made(NO_FAULTS), made(Faults(misconduct=0.0))):
        assert not any(world.scenarios(d) for d in range(DAYS))
        of = day_plan(world, 20).visits.scenario
        assert ((of < 0) | (of >= SCENARIOS)).all()


@pytest.mark.slow
def test_a_late_day_is_the_same_alone_and_after_others(world: World) -> None:
    date, alone = world.config.date(44), made()
    for table in ("staff_observations", "financial_txn", "slot_telemetry"):
        assert alone.frame(table, date).equals(world.frame(table, date)), table
    assert alone.plants(date).equals(world.plants(date))


def test_every_kind_is_there_from_blatant_to_faint_with_its_look_alikes(plants) -> None:
    cases = plants.unique("number").filter(~pl.col("is_look_alike"))
    for kind, about in KINDS.items():
        strong = cases.filter(kind=kind)["intensity"]
        assert strong.min() < 1 / 3 < 2 / 3 < strong.max(), kind
        assert bool(plants.filter(kind=kind, is_look_alike=True).height) == (
            about.honest is not None
        )


def test_one_in_a_thousand_to_three_in_a_hundred_players_are_planted() -> None:
    world = World(WorldConfig(seed=3))
    came = {q for d in range(30, 60) for q in day_plan(world, d).visits.player.tolist()}
    now = planted(world).filter(pl.col("day") >= 30, ~pl.col("is_look_alike"))
    share = now.group_by("kind").agg(pl.col("player").n_unique() / len(came))
    assert len(share) == len(KINDS)
    assert 0.001 <= now["player"].n_unique() / len(came) <= 0.03
    assert share["player"].max() <= 0.02


def test_a_rate_is_the_share_of_the_book_within_thirty_days() -> None:
    one = planted(made(Faults(misconduct=1.0, structuring=0.004, pooling=0.0, look_alikes=0.0)))
    assert 2 * 10_000 * 0.004 * 0.8 <= one.filter(kind="structuring")["number"].n_unique() <= 80
    assert one.filter(kind="pooling").is_empty()
    assert not one["is_look_alike"].any()


@pytest.mark.parametrize("name", ["pooling", "intensity", "misconduct", "retransmit"])
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_a_rate_below_nothing_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"{name} {value}"):
        Faults(**{name: value})


def test_nobody_is_in_two_scenarios_at_once(plants) -> None:
    together = plants.unique(["number", "player", "day"])
    assert together.group_by("player", "day").len()["len"].max() == 1


def test_the_planted_live_ordinary_days_but_none_in_their_scenario(world, plants) -> None:
    ordinary: set[int] = set()
    for d in range(DAYS):
        v = day_plan(world, d).visits
        mine = set(v.player[(v.scenario < 0) & (v.player >= 0)].tolist())
        assert mine.isdisjoint(engaged(world.config, d).tolist())
        ordinary |= mine
    few = plants.filter(pl.col("kind") != "self_excluded_play")["player"].unique().to_list()
    assert sum(q in ordinary for q in few) > 0.6 * len(few)


def test_games_hours_and_amounts_vary(ratings) -> None:
    for kind in ("structuring", "minimal_play", "chip_walking", "pooling"):
        mine = ratings.filter(kind=kind, is_look_alike=False)
        assert mine["game"].n_unique() >= 4, kind
        assert mine["hour"].n_unique() >= 8, kind
        assert (mine["buy"] % 10_000 != 0).mean() > 0.5, kind


@pytest.mark.parametrize("kind", ["structuring", "minimal_play", "chip_walking", "marker_cycle"])
def test_amounts_alone_do_not_tell_the_faint_from_the_honest(ratings, kind: str) -> None:
    faint = ratings.filter(pl.col("intensity") < 0.5)
    cases = amounts(faint, kind, is_look_alike=False)
    honest = amounts(ratings, kind, is_look_alike=True)
    assert min(cases) < max(honest)
    assert min(honest) < max(cases)
    assert 0.05 < above(cases, honest) < 0.95


@pytest.mark.slow
def test_a_tenth_of_the_intensity_does_less(ratings: pl.DataFrame, harm: pl.DataFrame) -> None:
    weak = made(Faults(misconduct=4.0, intensity=0.1))
    assert planted(weak).filter(~pl.col("is_look_alike"))["intensity"].max() <= 0.1
    strong, faint = ratings, rated(weak)
    for kind in ("structuring", "minimal_play", "chip_walking", "marker_cycle", "pooling"):
        one, other = (np.mean(amounts(r, kind, is_look_alike=False)) for r in (strong, faint))
        assert other < 0.5 * one, kind
    hardly = [
        r.filter(kind="minimal_play", is_look_alike=False)
        .select((pl.col("handle") / pl.col("buy")).median())
        .item()
        for r in (strong, faint)
    ]
    assert hardly[0] < hardly[1]
    late = [
        h.filter(is_look_alike=False, third=2).group_by("number").len()["len"].mean()
        for h in (harm, harmed(weak))
    ]
    assert late[1] < 0.6 * late[0]


@pytest.mark.slow
def test_honest_play_does_not_follow_the_intensity() -> None:
    """Look-alikes stay as near to the kind as they are."""
    one, other = (
        planted(made(Faults(misconduct=4.0, intensity=f))).filter(is_look_alike=True)
        for f in (1.0, 0.1)
    )
    assert abs(one["intensity"].mean() - other["intensity"].mean()) < 0.1


def by_third(harm: pl.DataFrame) -> dict[int, dict[str, float]]:
    """Of blatant harm: days, sessions, stake, its spread, hours a day and night share."""
    cases = harm.filter(~pl.col("is_look_alike"), pl.col("intensity") >= 2 / 3)
    bet, own = pl.col("bet").log(), pl.col("bet").log().filter(pl.col("third") == 0)
    cases = cases.with_columns(
        own=bet - own.mean().over("number"),
        spread=bet.std().over("number", "third"),
    )
    hours = (pl.col("end") - pl.col("start")).sum() / 3600
    found = cases.group_by("third").agg(
        days=pl.struct("number", "day").n_unique(),
        sessions=pl.len() / pl.struct("number", "day").n_unique(),
        stake=pl.col("own").mean(),
        spread=pl.col("spread").drop_nulls().mean(),
        hours=hours / pl.struct("number", "day").n_unique(),
        night=(pl.col("start") >= 18 * 3600).mean(),
    )
    return {r.pop("third"): r for r in found.to_dicts()}


def test_harm_rises_over_weeks(harm) -> None:
    thirds = by_third(harm)
    for marker in ("days", "sessions", "stake", "spread", "hours", "night"):
        assert thirds[2][marker] > thirds[0][marker], marker
    assert thirds[2]["days"] > 1.5 * thirds[0]["days"]
    assert thirds[2]["stake"] > thirds[0]["stake"] + 0.5
    assert thirds[2]["spread"] > thirds[0]["spread"] + 0.1
    assert thirds[2]["night"] > thirds[0]["night"] + 0.08


def test_harm_has_sessions_of_more_than_three_hours(harm) -> None:
    """A session of play ends where thirty minutes pass without any."""
    gap = pl.col("start") - pl.col("end").shift(1).over("number", "day")
    whole = harm.with_columns(part=(gap > 1800).fill_null(value=False).cum_sum())
    spans = whole.group_by("number", "day", "part", "third", "intensity", "is_look_alike").agg(
        hours=(pl.col("end").max() - pl.col("start").min()) / 3600
    )
    late = spans.filter(pl.col("intensity") >= 2 / 3, ~pl.col("is_look_alike"), third=2)
    assert (late["hours"] > 3).mean() > 0.15
    early = spans.filter(~pl.col("is_look_alike"), third=0)
    assert (early["hours"] > 3).mean() < 0.05


def test_harm_chases_within_a_day_and_on_the_next(harm) -> None:
    cases = harm.filter(~pl.col("is_look_alike"), pl.col("intensity") >= 0.5, pl.col("third") > 0)
    rise = pl.col("bet").log() - pl.col("bet").log().shift(1).over("number", "day")
    steps = cases.with_columns(
        rise=rise, after=pl.col("is_lost").shift(1).over("number", "day")
    ).drop_nulls("rise")
    by_loss = dict(steps.group_by("after").agg(pl.col("rise").mean()).iter_rows())
    assert by_loss[True] > by_loss[False] + 0.1
    days = cases.group_by("number", "day").agg(lost=pl.col("is_lost").mean() > 0.6)
    came = set(days.select("number", "day").rows())
    returns = days.with_columns(
        back=pl.Series([(n, d + 1) in came for n, d in days.select("number", "day").rows()])
    )
    rate = dict(returns.group_by("lost").agg(pl.col("back").mean()).iter_rows())
    assert rate[True] > rate[False] + 0.1


@pytest.mark.slow
def test_harm_at_tables_cashes_out_and_buys_in_again(world) -> None:
    """Within the hour, on one day: chips brought to the cage and new ones bought."""
    again: Counter[bool] = Counter()
    for d in range(20, DAYS):
        t = day_plan(world, d).tables
        strong = {s.number for s in scenarios(world.config, d) if s.kind == "escalating_harm"
                  and not s.is_look_alike and s.intensity >= 0.5}  # fmt: skip
        for number in strong:
            mine = t.scenario == number
            if mine.any():
                again[len(set(t.visit[mine].tolist())) > 1] += 1
    assert again[True] > 0.3 * again[False]


def test_a_scenario_that_finds_no_seat_is_not_half_there() -> None:
    """On a floor of few seats: of a day's sessions all are there, or none."""
    world = made(Faults(misconduct=30.0), tables=12, scale=0.5)
    for day in range(6):
        p = day_plan(world, day)
        came = set(p.visits.scenario.tolist()) - {-1}
        wanted = {s.number for s in scenarios(world.config, day) if s.kind == "structuring"}
        seated = set(p.tables.scenario.tolist())
        assert came & wanted <= seated
        both = {s.number for s in scenarios(world.config, day) if s.kind == "card_sharing"}
        for number in came & both:
            assert (p.slots.scenario == number).sum() == (p.visits.scenario == number).sum() or (
                p.slots.scenario == number
            ).sum() >= 2


def test_tickets_of_planted_sessions_come_to_the_cage_as_others_do(world) -> None:
    """Stuffed bills for certain; the rest no more often than honest tickets."""
    seen: Counter[tuple[str, bool]] = Counter()
    for d in range(10, 40):
        s = day_plan(world, d).slots
        redeemed = np.isin(s.key, cash_on(world, d).ticket)
        whose = np.where(s.stuffed > 0, "stuffed", np.where(s.scenario >= 0, "other", "honest"))
        seen.update(zip(whose.tolist(), redeemed.tolist(), strict=True))
    share = {w: seen[w, True] / (seen[w, True] + seen[w, False]) for w in ("other", "honest")}
    assert abs(share["other"] - share["honest"]) < 0.05
    assert share["honest"] < 0.9
    assert seen["stuffed", True] > 0
    assert seen["stuffed", False] == 0


def test_structuring_of_one_day_is_several_amounts_in_the_band() -> None:
    """Within 72 hours: one gaming day is enough, each amount below the report."""
    world = made(Faults(misconduct=10.0))
    found = 0
    for d in range(20):
        t = day_plan(world, d).tables
        for s in scenarios(world.config, d):
            if s.kind == "structuring" and s.days == 1 and not s.is_look_alike:
                buys = t.first_buy[t.scenario == s.number]
                assert (buys < 1_000_000).all()
                found += s.permille > 500 and len(buys) >= 2 and (buys >= 800_000).all()
    assert found


def test_a_case_is_in_the_truth_with_its_intensity(world) -> None:
    day = next(d for d in range(20) if any(s.is_look_alike for s in world.scenarios(d)))
    planted = world.plants(world.config.date(day), ["table_games"])
    is_habit = pl.col("plant_id").str.starts_with("habit:")
    told = planted.filter(~is_habit, entity_type="player")
    by_id = {f"scenario:{s.number}": s for s in world.scenarios(day)}
    assert told.height > 3
    for row in told.to_dicts():
        s = by_id[row["plant_id"]]
        assert (row["kind"], row["is_look_alike"]) == (s.kind, s.is_look_alike)
        assert row["intensity"] == s.permille / 1000
        assert row["window_end"] - row["window_start"] == dt.timedelta(days=s.days - 1)


@pytest.mark.parametrize("bets", [2, 5, 30])
@pytest.mark.parametrize("game", range(len(GAMES)), ids=GAMES)
def test_fair_play_of_a_case_has_the_edge_of_its_game(world: World, game: int, bets: int) -> None:
    """What is lost is held to what was bought. Where nothing held what is won, the tables of a
    year won half of their theo."""
    at, buy = Seat(game, 30_000), 30_000 * bets
    rates = game_rates(world.config.start)
    part, edge = Part(rates, world.config), int(rates.edge_e4[game]) / 10_000
    wins = [
        part.swing(s, at, 100, buy, k)
        for day in range(5)
        for s in scenarios(world.config, day)
        for k in range(20)
    ]
    assert len(wins) > 1_000
    assert max(wins) <= buy
    expected = 30_000 * part.hands(at, 100) * edge
    assert abs(np.mean(wins) - expected) < 4 * np.std(wins) / len(wins) ** 0.5 + 500
