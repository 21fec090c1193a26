"""Planted cases of machines and staff: what the truth says is in the tables and nowhere else,
follows its intensity, overlaps with what honest machines and people do, and is rare."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lakehouse.simulate.faults.house_cases import KINDS, cases, entities, of_kind
from lakehouse.simulate.floor import slots
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.running_totals import everybody_through
from lakehouse.simulate.floor.tampering import tampered_meters
from lakehouse.simulate.kernel import producers as registry
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.world import World

MANY = dict.fromkeys(KINDS, 0.10) | {"cashier_overrides": 0.3, "cashier_voids": 0.3}
FAULTS = replace(NO_FAULTS, **MANY, look_alikes=0.6, intensity=1.0)
CONFIG = WorldConfig(seed=5, faults=FAULTS)
DAYS = range(8, 13)
MONTHS = 40
TABLES = ("slot_telemetry", "table_games", "financial_txn", "security_events")
FLOOR = ("gaming_wins",)
"""The truth is asked for what the floor's labels tell, and for the defects of a small table."""


def weaker(factor: float) -> WorldConfig:
    return replace(CONFIG, faults=replace(FAULTS, intensity=factor))


@pytest.fixture(scope="module")
def world() -> World:
    return World(CONFIG)


@pytest.fixture(scope="module")
def clean(world: World) -> dict[str, pl.DataFrame]:
    dates = [CONFIG.date(d) for d in DAYS]
    return {t: pl.concat([world.clean(t, d) for d in dates]) for t in TABLES}


@pytest.fixture(scope="module")
def plants(world: World) -> pl.DataFrame:
    found = pl.concat([world.plants(CONFIG.date(d), FLOOR) for d in DAYS])
    return found.filter(pl.col("kind").is_in(list(KINDS)))


def of(plants: pl.DataFrame, kind: str, *, like: bool = False) -> pl.DataFrame:
    return plants.filter(kind=kind, is_look_alike=like)


def test_every_kind_and_its_look_alike_show(plants: pl.DataFrame) -> None:
    assert set(of(plants, k).height > 0 for k in KINDS) == {True}
    assert set(of(plants, k, like=True).height > 0 for k in KINDS) == {True}
    assert set(plants["strength"]) == {"blatant", "middling", "faint"}
    # A meter that was turned by night is found ahead in the morning after, too.
    morning = pl.when(kind="meter_against_play").then(1).otherwise(0)
    last = pl.col("window_end") + pl.duration(days=morning)
    assert plants.select(pl.col("gaming_day").is_between("window_start", last).all()).item()


@pytest.mark.parametrize("table", TABLES)
def test_evidence_is_in_the_table_and_reaches_bronze(
    table: str, plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    key = clean[table].columns[0]
    keys = plants.filter(table_name=table)["row_key"].drop_nulls()
    assert set(keys) <= set(clean[table][key])
    assert table == "financial_txn" or len(keys)


@pytest.mark.parametrize("table", TABLES)
def test_a_day_alone_has_the_same_bytes(table: str, clean: dict[str, pl.DataFrame]) -> None:
    date = CONFIG.date(DAYS[3])
    alone = World(CONFIG).clean(table, date)
    assert alone.equals(clean[table].filter(gaming_day=date))
    assert alone.height == World(replace(CONFIG, faults=NO_FAULTS)).clean(table, date).height


def test_the_truth_of_a_day_alone_is_the_same(plants: pl.DataFrame) -> None:
    date = CONFIG.date(DAYS[3])
    alone = World(CONFIG).plants(date, FLOOR).filter(pl.col("kind").is_in(list(KINDS)))
    assert alone.equals(plants.filter(gaming_day=date))


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_stretches_change_no_byte(
    table: str, clean: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    date = CONFIG.date(DAYS[3])
    whole = clean[table].filter(gaming_day=date)
    monkeypatch.setattr(registry, "STRETCH_ROWS", whole.height // 7)
    assert World(CONFIG).clean(table, date).equals(whole)


def test_an_honest_world_is_not_watched() -> None:
    world = World(replace(CONFIG, faults=NO_FAULTS))
    date = CONFIG.date(DAYS[0])
    assert cases(world.config, DAYS[0]) == ()
    assert "ACCESS_GRANTED" not in set(world.clean("security_events", date)["event_type"])
    assert not world.clean("financial_txn", date)["notes"].drop_nulls().str.contains("Void").any()
    assert (np.diff(day_plan(world, DAYS[0]).rota) == 1).all()


# What the tables say by themselves, compared with the truth.


def readings_at_odds(slots: pl.DataFrame) -> pl.DataFrame:
    """With the play since the reading before, on the day or the day before."""
    by, at = "machine_id", ["machine_id", "event_timestamp", "event_id"]
    rows = slots.sort(at).with_columns(played=pl.col("coin_in").fill_null(0).cum_sum().over(by))
    read = rows.filter(pl.col("meter_coin_in").is_not_null())
    wrong = pl.col("meter_coin_in").diff().over(by) != pl.col("played").diff().over(by)
    return read.filter(wrong & (pl.col("gaming_day").diff().over(by) <= pl.duration(days=1)))


def test_exactly_the_planted_meters_are_at_odds_with_the_play(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    """From the second day on, and also on the morning after a case's last day."""
    found, first = of(plants, "meter_against_play"), CONFIG.date(DAYS[0])
    wrong = readings_at_odds(clean["slot_telemetry"]).filter(pl.col("gaming_day") > first)
    told = found.filter(pl.col("gaming_day") > first)
    assert set(wrong["event_id"]) == set(told["row_key"])
    assert wrong.height > 30
    over = {
        (f"SLOT-{c.entity + 1:04d}", CONFIG.date(d))
        for d in DAYS
        for c in of_kind(CONFIG, d - 1, "meter_against_play")
        if c.last_day < d
    }
    assert over & set(told.select("entity_id", "gaming_day").iter_rows())


def test_meters_go_on_where_they_stood(world: World) -> None:
    """What a meter shows as the day closes is where it begins on the next."""
    day = DAYS[2]
    rows, closing = slots.rows_of(world, day, 0), everybody_through(world, day).coin_in
    last = np.flatnonzero(np.diff(rows.machine, append=-1))
    assert (rows.meter[last] == closing[rows.machine[last]]).all()
    assert set(tampered_meters(CONFIG, day)) & set(rows.machine[rows.coin_in > 0].tolist())


def test_exactly_the_planted_hand_pays_have_no_play(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    rows = clean["slot_telemetry"]
    won = rows.filter(event_type="JACKPOT")
    played = rows.filter(pl.col("event_type") == "GAME_PLAY")["session_id"]
    without = won.filter(~pl.col("session_id").is_in(played.implode()))
    assert set(without["event_id"]) == set(of(plants, "jackpot_without_play")["row_key"])
    honest = set(of(plants, "jackpot_without_play", like=True)["row_key"])
    assert without.height
    assert honest < set(won["event_id"]) - set(without["event_id"])


def test_hand_pays_without_play_are_paid_at_the_cage(clean: dict[str, pl.DataFrame]) -> None:
    won = clean["slot_telemetry"].filter(event_type="JACKPOT")["amount"].sort()
    paid = clean["financial_txn"].filter(transaction_type="JACKPOT_PAYOUT")["amount"].sort()
    assert won.equals(paid)


def openings(clean: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Opened doors with the seconds since a technician's badge was read at the machine."""
    badges = clean["security_events"].filter(
        pl.col("event_type") == "ACCESS_GRANTED", pl.col("location_detail").str.starts_with("SLOT")
    )
    opened = clean["slot_telemetry"].filter(event_type="DOOR_OPEN").sort("event_timestamp")
    read = badges.select("event_timestamp", machine_id="location_detail", at="event_timestamp")
    return opened.join_asof(
        read.sort("event_timestamp"), on="event_timestamp", by="machine_id", tolerance="15m",
        check_sortedness=False,
    )  # fmt: skip


def test_doors_that_nobody_known_opened(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    """Of the honest a few have their badge read at the machine beside."""
    doors = openings(clean)
    bare = set(doors.filter(pl.col("at").is_null())["event_id"])
    planted = set(of(plants, "door_without_badge")["row_key"])
    assert planted <= bare
    assert 0 < len(bare - planted) < 0.15 * doors.height
    repairs = of(plants, "door_without_badge", like=True)["row_key"]
    assert len(set(repairs) & bare) < 0.3 * len(repairs)


def test_collusion_is_with_the_dealer_who_stood_there(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    rows = clean["table_games"]
    told = of(plants, "dealer_collusion").pivot("entity_type", index="row_key", values="entity_id")
    ends = told.join(rows, left_on="row_key", right_on="event_id")
    assert ends.height == told.height > 10
    assert (ends["employee"] == ends["dealer_id"]).all()
    assert (ends["player"] == ends["player_id"]).all()
    rated = rows.join(ends.select("player_rating_id"), on="player_rating_id")
    dealers = rated.group_by("player_rating_id").agg(pl.col("dealer_id").n_unique())
    assert dealers["dealer_id"].max() == 1


def test_no_dealer_stands_at_two_tables_and_no_table_seats_seven(
    world: World, clean: dict[str, pl.DataFrame]
) -> None:
    at = clean["table_games"].with_columns(hour=pl.col("event_timestamp").dt.truncate("1h"))
    stood = at.group_by("dealer_id", "hour").agg(pl.col("table_id").n_unique())
    assert stood["table_id"].max() == 1
    for day in DAYS:
        t = day_plan(world, day).tables
        comes = pl.DataFrame({"table": t.table, "at": t.start, "d": 1})
        goes = pl.DataFrame({"table": t.table, "at": t.end, "d": -1})
        moves = pl.concat([comes, goes]).sort("table", "at", "d")
        seated = moves.select(pl.col("d").cum_sum().over("table"))
        assert seated["d"].max() <= 6


def test_nobody_sits_in_two_places(world: World) -> None:
    for day in DAYS:
        p = day_plan(world, day)
        stays = pl.DataFrame(
            {
                "player": np.concatenate([p.slots.player, p.tables.player]),
                "start": np.concatenate([p.slots.start, p.tables.start]),
                "end": np.concatenate([p.slots.end, p.tables.end]),
            }
        ).filter(pl.col("player") >= 0)
        gap = pl.col("start") - pl.col("end").shift(1).over("player")
        assert stays.sort("player", "start").filter(gap < 0).is_empty()
        on = pl.DataFrame({"m": p.slots.machine, "start": p.slots.start, "end": p.slots.end})
        wait = pl.col("start") - pl.col("end").shift(1).over("m")
        assert on.sort("m", "start").filter(wait < 0).is_empty()


def test_who_comes_or_goes_behind_another_has_one_read(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    """The honest have both, but for a badge that was refused."""
    reads = clean["security_events"].filter(event_type="BADGE_SWIPE")
    count = reads.group_by("gaming_day", "badge_number").len()
    once = set(count.filter(len=1).select("gaming_day", "badge_number").rows())
    behind = of(plants, "tailgating").select("gaming_day", "entity_id")
    assert behind.height > 10
    refused = clean["security_events"].filter(event_type="ACCESS_DENIED")
    noise = set(refused.select("gaming_day", "badge_number").rows())
    assert once - noise == set(behind.rows()) - noise
    assert len(once & noise) > 0


def test_a_copied_badge_is_read_where_its_owner_cannot_be(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    """A read far inside, so soon after the entrance that nobody walked there; nobody else's is."""
    inside = clean["security_events"].filter(event_type="DOOR_ENTRY", security_level="Restricted")
    came = (
        clean["security_events"]
        .filter(event_type="BADGE_SWIPE")
        .select("badge_number", "event_timestamp", at="event_timestamp")
    )
    asof = inside.sort("event_timestamp").join_asof(
        came.sort("event_timestamp"), on="event_timestamp", by="badge_number", tolerance="14m",
        check_sortedness=False,
    )  # fmt: skip
    soon = set(asof.filter(pl.col("at").is_not_null())["event_id"])
    copied = set(of(plants, "badge_cloning")["row_key"])
    assert soon
    assert soon <= copied
    assert copied <= set(inside["event_id"])
    again = set(of(plants, "badge_cloning", like=True)["row_key"])
    assert again
    assert not again & set(inside["event_id"])


def rates(clean: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Of each cashier and day, shares of voids and of approvals below the amount."""
    low = pl.col("amount") <= 10_000
    return (
        clean["financial_txn"]
        .group_by("gaming_day", "cashier_id")
        .agg(
            rows=pl.len(),
            voids=pl.col("notes").str.starts_with("Void").fill_null(value=False).sum(),
            overrides=(pl.col("supervisor_id").is_not_null() & low).sum(),
        )
    )


@pytest.mark.parametrize("what", ["voids", "overrides"])
def test_cashiers_of_a_case_do_more_of_it_than_their_peers(
    what: str, plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    days = rates(clean)
    named = ["gaming_day", "entity_id"]
    cased = of(plants, f"cashier_{what}").select(*named, "strength")
    busy = of(plants, f"cashier_{what}", like=True).select(named)
    mine = days.join(cased, left_on=["gaming_day", "cashier_id"], right_on=named)
    other = days.join(cased, left_on=["gaming_day", "cashier_id"], right_on=named, how="anti")
    usual = other[what].sum() / other["rows"].sum()
    share = {
        s: p[what].sum() / p["rows"].sum()
        for (s,), p in mine.partition_by("strength", as_dict=True).items()
    }
    assert share["blatant"] > 8 * usual
    assert share["blatant"] > max(share["middling"], share["faint"])
    assert min(share.values()) > usual
    busiest = days.join(busy, left_on=["gaming_day", "cashier_id"], right_on=named)
    assert busiest["rows"].mean() > 1.5 * other["rows"].mean()
    assert busiest[what].sum() / busiest["rows"].sum() < 3 * usual


# Intensity, overlap, prevalence.


def test_intensity_is_scaled_and_look_alikes_are_not() -> None:
    strong, weak = (
        {c.number: c for d in range(40) for c in cases(config, d)}
        for config in (CONFIG, weaker(0.1))
    )
    both = [(strong[n], weak[n]) for n in strong.keys() & weak.keys()]
    assert len(both) > 200
    for a, b in both:
        assert b.intensity == pytest.approx(a.intensity * (1.0 if a.is_look_alike else 0.1))


def payback(drift: float, intensity: float) -> dict[int, float]:
    """By machine under a drifting payout in CONFIG, what it pays back of its coin-in where
    nothing else is planted, so that the same people play."""
    faults = replace(NO_FAULTS, hold_drift=drift, look_alikes=0.6, intensity=intensity)
    world, found = World(replace(CONFIG, faults=faults)), {}
    drifting = {c.entity for c in of_kind(CONFIG, DAYS[0], "hold_drift") if not c.is_look_alike}
    for day in DAYS:
        p = day_plan(world, day).slots
        still = {c.entity for c in of_kind(CONFIG, day, "hold_drift") if not c.is_look_alike}
        for machine in drifting & still:
            at = p.machine == machine
            sums = found.setdefault(machine, np.zeros(2))
            sums += (p.coin_out[at].sum(), p.coin_in[at].sum())
    return {m: out / played for m, (out, played) in found.items() if played}


def test_a_drift_pays_back_by_its_intensity() -> None:
    """Ten times the intensity pays ten times the excess, but for the 2 points that all have."""
    rate = FAULTS.hold_drift
    none, full, tenth = payback(0.0, 1.0), payback(rate, 1.0), payback(rate, 0.1)
    force = {c.entity: c.intensity for c in of_kind(CONFIG, DAYS[0], "hold_drift")}
    ran = [m for m in full if force[m] > 0.3]
    assert len(ran) > 5
    excess = {m: (full[m] - none[m], tenth[m] - none[m]) for m in ran}
    assert all(a > 2 * b > 0 for a, b in excess.values())


def auc(cases: list[float], others: list[float]) -> float:
    """How often a case has more of a feature than another, ties half."""
    a, b = np.array(cases)[:, None], np.array(others)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


def test_faint_drift_overlaps_with_honest_machines(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    back, played = (pl.col(c).sum().cast(pl.Float64) for c in ("coin_out", "coin_in"))
    sums = clean["slot_telemetry"].group_by("machine_id").agg(back=back, played=played)
    day = sums.filter(pl.col("played") > 0).with_columns(share=pl.col("back") / pl.col("played"))
    told = of(plants, "hold_drift").select(machine_id="entity_id", strength="strength").unique()
    each = day.join(told, on="machine_id", how="left")
    honest = each.filter(pl.col("strength").is_null())["share"].to_list()
    by = {s: each.filter(strength=s)["share"].to_list() for s in ("blatant", "faint")}
    assert auc(by["faint"], honest) < 0.9
    assert auc(by["blatant"], honest) > auc(by["faint"], honest)


def test_wins_from_a_favourite_dealer_overlap_with_luck(
    plants: pl.DataFrame, clean: dict[str, pl.DataFrame]
) -> None:
    """What a patron won of a rating, in bets."""
    won = -pl.col("actual_win_loss").cast(pl.Float64) / pl.col("average_bet").cast(pl.Float64)
    rows = clean["table_games"].filter(event_type="RATING_END").select(row_key="event_id", won=won)
    told = plants.filter(kind="dealer_collusion", entity_type="employee")
    each = rows.join(told, on="row_key").with_columns(
        group=pl.when("is_look_alike").then(pl.lit("honest")).otherwise(pl.col("strength"))
    )
    by = dict(each.group_by("group").agg("won").iter_rows())
    assert auc(by["blatant"], by["honest"]) > 0.75
    assert auc(by["faint"], by["honest"]) < 0.8
    assert max(by["honest"]) > np.median(by["blatant"])


@pytest.fixture(scope="module")
def begun() -> dict[str, set[int]]:
    """Kind → the cases of 40 months at the usual rates."""
    config = WorldConfig()
    found: dict[str, set[int]] = {kind: set() for kind in KINDS}
    for day in range(MONTHS * 30):
        for c in cases(config, day):
            if not c.is_look_alike:
                found[c.kind].add(c.number)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_cases_are_rare(begun: dict[str, set[int]], kind: str) -> None:
    """As configured: by default from 1 in 1,000 to 3 in 100 of machines or people a month."""
    rate = getattr(Faults(), kind)
    many = entities(WorldConfig())[KINDS[kind].of]
    assert 0.001 <= rate <= 0.03
    expected = rate * many * MONTHS
    assert abs(len(begun[kind]) - expected) < 4 * expected**0.5
    assert rate / 2 < len(begun[kind]) / many / MONTHS < 2 * rate


def test_no_machine_or_person_has_two_cases_at_once(world: World) -> None:
    for day in range(60):
        held = [(KINDS[c.kind].of, c.entity) for c in cases(world.config, day)]
        assert len(held) == len(set(held))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 3, 40])
def test_small_worlds_keep_their_counts(rows: int) -> None:
    asked = dict.fromkeys(TABLES, rows)
    config = WorldConfig(days=5, rows=asked, scale=0.02, faults=FAULTS, start=dt.date(2025, 3, 7))
    small = World(config)
    for table in TABLES:
        assert sum(small.frame(table, config.date(d)).height for d in range(5)) == rows
    for day in range(5):
        told = small.plants(config.date(day), FLOOR).filter(pl.col("kind").is_in(list(KINDS)))
        for table in TABLES:
            keys = told.filter(table_name=table)["row_key"].drop_nulls()
            there = small.clean(table, config.date(day))
            assert set(keys) <= set(there[there.columns[0]])
