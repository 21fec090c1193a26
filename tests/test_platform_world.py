"""The game platform's world: events, purchases and metrics tell of the same sessions; what is
planted shows, and what is honest does not."""

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.platform import cases, game, sessions
from lakehouse.simulate.world import World

CONFIG = WorldConfig(seed=3)
TABLES = ("game_maps", "servers", "player_events", "purchases", "server_metrics")
DAYS = [dt.date(2025, 1, 1) + dt.timedelta(n) for n in range(4)]
DAY = DAYS[3]
BY = ["player_id", "session_id"]


@pytest.fixture(scope="module")
def world() -> World:
    return World(CONFIG)


@pytest.fixture(scope="module")
def clean(world: World) -> dict[str, pl.DataFrame]:
    return {t: world.clean(t, DAY) for t in TABLES}


def spans(events: pl.DataFrame) -> pl.DataFrame:
    moment = pl.col("timestamp")
    return events.group_by(*BY, "server_id").agg(
        since=moment.min(), until=moment.max(), ends=pl.col("event_type").last()
    )


def test_events_have_exactly_their_rows(world: World) -> None:
    for n, day in enumerate(DAYS):
        assert world.frame("player_events", day).height == CONFIG.quota("player_events", n)


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 1_000])
def test_any_number_of_events_can_be_asked_for(rows: int) -> None:
    config = WorldConfig(days=1, rows={"player_events": rows}, faults=NO_FAULTS)
    found = World(config).frame("player_events", DAYS[0])
    assert found.height == rows
    assert found["event_id"].n_unique() == rows


@pytest.mark.parametrize("table", TABLES)
def test_a_day_is_the_same_alone_and_in_a_range(world: World, table: str) -> None:
    together = pl.concat(World(CONFIG).frames(table, range(4)))
    alone = World(CONFIG).frame(table, DAY)
    assert together.filter(gaming_day=DAY).equals(alone)
    assert alone.equals(world.frame(table, DAY))


def test_players_are_online_that_day_and_in_the_book_of_accounts(
    world: World, clean: dict[str, pl.DataFrame]
) -> None:
    online = accounts.account_ids(accounts.online_on(CONFIG, 3))
    named = pl.concat([clean["player_events"]["player_id"], clean["purchases"]["player_id"]])
    assert named.n_unique() > 100
    assert set(named) <= set(online)
    assert set(named) <= set(world.clean("online_accounts", DAY)["account_id"])


def test_players_come_back(world: World) -> None:
    seen = [set(world.clean("player_events", d)["player_id"]) for d in DAYS]
    again = len(seen[0] & (seen[1] | seen[2] | seen[3]))
    assert 0.2 < again / len(seen[0]) < 0.9


def test_a_session_starts_a_level_and_completes_it_before_the_next(
    clean: dict[str, pl.DataFrame],
) -> None:
    events = clean["player_events"].sort(*BY, "timestamp", maintain_order=True)
    first = events.group_by(BY, maintain_order=True).first()
    assert set(first["event_type"]) == {"level_start"}
    followed = events.with_columns(
        pl.col("level_id", "event_type").shift(-1).over(BY).name.suffix("_next")
    )
    on = followed.filter(pl.col("level_id") != pl.col("level_id_next"))
    assert on.height > 50
    assert set(on["event_type"]) <= {"level_complete", "level_start"}
    assert (on["event_type"] == "level_complete").mean() > 0.95
    assert set(on["event_type_next"]) <= {"level_start", "disconnect"}
    number = [pl.col(n).str.tail(2).cast(pl.Int64) for n in ("level_id", "level_id_next")]
    steps = on.select((number[1] - number[0]) % game.LEVELS).to_series()
    assert steps.max() <= 2


def test_levels_go_on_from_day_to_day_within_a_season() -> None:
    who = np.arange(500)
    day = next(d for d in range(40) if game.season_of(CONFIG, d)[1] == 3)
    now, then = game.standing(CONFIG, who, day), game.standing(CONFIG, who, day + 1)
    passed = (now.ends <= now.pace[:, None]).sum(axis=1)
    assert ((now.level + passed) % game.LEVELS == then.level).all()
    assert passed.max() < game.AHEAD


def test_disconnections_measured_are_the_disconnect_events(clean: dict[str, pl.DataFrame]) -> None:
    lost = clean["player_events"].filter(event_type="disconnect")
    assert lost.height > 3
    by = [pl.col("server_id"), pl.col("timestamp").dt.truncate("1m").alias("minute")]
    events = lost.group_by(by).agg(n=pl.len().cast(pl.Int64))
    measured = clean["server_metrics"].filter(pl.col("disconnections") > 0)
    metrics = measured.select(*by, n="disconnections")
    assert events.sort("server_id", "minute").equals(metrics.sort("server_id", "minute"))


def test_a_disconnect_is_the_last_event_of_its_session(clean: dict[str, pl.DataFrame]) -> None:
    told = (
        clean["player_events"]
        .group_by(BY)
        .agg(
            cuts=(pl.col("event_type") == "disconnect").sum(),
            at=pl.col("timestamp").filter(pl.col("event_type") == "disconnect").max(),
            until=pl.col("timestamp").max(),
        )
    )
    cut = told.filter(pl.col("cuts") > 0)
    assert set(cut["cuts"]) == {1}
    assert cut["at"].equals(cut["until"].rename("at"))


def test_players_online_are_the_sessions_that_run(clean: dict[str, pl.DataFrame]) -> None:
    """Of each server at 20 moments of the day: begun in that minute or before, over later."""
    runs = spans(clean["player_events"])
    metrics = clean["server_metrics"].sort("timestamp")
    for row in metrics.gather_every(metrics.height // 20).iter_rows(named=True):
        minute = row["timestamp"].replace(second=0)
        on = runs.filter(
            pl.col("server_id") == row["server_id"],
            pl.col("since").dt.truncate("1m") <= minute,
            pl.col("until").dt.truncate("1m") > minute,
        )
        assert on.height == row["players_online"]


def test_every_server_is_measured_every_minute(world: World) -> None:
    """The gaming day on which clocks go forward has 23 hours."""
    spring = dt.date(2025, 3, 8)
    for day, hours in ((DAY, 24), (spring, 23)):
        found = world.clean("server_metrics", day).group_by("server_id").len()
        assert set(found["len"]) == {hours * 60}
        assert found.height == game.server_count(CONFIG)


def test_latency_rises_with_load(world: World) -> None:
    metrics = pl.concat([world.clean("server_metrics", d) for d in DAYS])
    room = world.clean("servers", DAY).select("server_id", "capacity")
    load = pl.col("players_online") / pl.col("capacity")
    up = metrics.filter(~((pl.col("latency") == 300) & (pl.col("cpu_load") == 20)))
    told = up.join(room, on="server_id").with_columns(load=load)
    idle, busy, over = (
        told.filter(load.is_between(a, b))["latency"].mean()
        for a, b in ((0, 0.1), (0.5, 0.8), (1.0, 9.0))
    )
    assert idle + 20 < busy
    assert busy + 40 < over
    assert told["latency"].is_between(50, 300).all()


def test_purchases_lie_in_a_session_of_their_player(clean: dict[str, pl.DataFrame]) -> None:
    bought = clean["purchases"].join(spans(clean["player_events"]), on=BY, how="left")
    assert bought.height > 30
    at = pl.col("purchase_timestamp")
    inside = (at >= pl.col("since")) & (at <= pl.col("until") + pl.duration(seconds=1))
    assert bought.select(inside.fill_null(value=False).all()).item()
    assert clean["purchases"]["price"].is_between(pl.lit("0.99").cast(pl.Decimal(18, 2)), 30).all()


def plenty(**rates: float) -> World:
    return World(
        replace(CONFIG, faults=replace(NO_FAULTS, look_alikes=0.6, intensity=1.0, **rates))
    )


def of_kind(world: World, kind: str, days: int = 12) -> pl.DataFrame:
    told = [world.plants(DAYS[0] + dt.timedelta(n), ["game_maps"]) for n in range(days)]
    return pl.concat(told).filter(kind=kind)


def test_who_is_on_a_map_that_crashes_is_thrown_out_and_from_an_event_just_leaves() -> None:
    world = plenty(map_crash=20.0)
    crashes = of_kind(world, "map_crash")
    assert crashes["is_look_alike"].n_unique() == 2
    calm = World(replace(CONFIG, faults=NO_FAULTS))

    @cache
    def left(w: World, day: dt.date) -> pl.DataFrame:
        return w.clean("player_events", day).filter(event_type="disconnect")

    for honest, wanted in ((False, True), (True, False)):
        more = 0
        for row in crashes.filter(is_look_alike=honest).iter_rows(named=True):
            lost, usual = (
                left(w, row["gaming_day"]).filter(map_id=row["entity_id"]).height
                for w in (world, calm)
            )
            more += lost - usual
        assert (more > crashes.filter(is_look_alike=honest).height / 2) == wanted


def test_nobody_is_on_a_server_that_is_down() -> None:
    world = plenty(server_outage=20.0)
    seen = 0
    for day in range(6):
        down = world.clean("server_metrics", DAYS[0] + dt.timedelta(day)).filter(
            pl.col("latency") == 300, pl.col("cpu_load") == 20
        )
        seen += down.height
        assert (down["players_online"] == 0).all()
        assert (down["disconnections"] == 0).all()
    assert seen > 100
    told = of_kind(world, "server_outage", 6)
    assert set(told["entity_type"]) == {"server"}


def test_a_ring_shares_its_addresses_and_buys_in_bursts() -> None:
    """A blatant one buys a dozen things within minutes; guests of a café share an address, and
    buy as everybody does."""
    world = plenty(purchase_ring=0.004)
    rings = of_kind(world, "purchase_ring")
    days = rings["gaming_day"].unique()
    bought = pl.concat([world.clean("purchases", d) for d in days])
    told = bought.join(
        rings.rename({"entity_id": "player_id"}), on=["gaming_day", "player_id"], how="inner"
    )
    ring = told.filter(~pl.col("is_look_alike"), pl.col("intensity") > 0.9)
    each = ring.group_by("plant_id", "gaming_day", "player_id").agg(
        n=pl.len(), took=pl.col("purchase_timestamp").max() - pl.col("purchase_timestamp").min()
    )
    assert each["n"].min() >= 10
    assert each["took"].max() < dt.timedelta(minutes=10)
    addresses = told.group_by("plant_id", "is_look_alike").agg(
        players=pl.col("player_id").n_unique(), addresses=pl.col("ip_address").n_unique()
    )
    several = addresses.filter(pl.col("players") > 2)
    assert several["is_look_alike"].n_unique() == 2
    assert (several["addresses"] <= 2).all()
    calm = told.filter("is_look_alike").group_by("gaming_day", "player_id").len()
    assert calm["len"].mean() < 4


def test_intensity_can_be_turned_up() -> None:
    faint, blatant = (
        replace(CONFIG, faults=replace(NO_FAULTS, purchase_ring=0.004, intensity=i))
        for i in (0.1, 10.0)
    )
    for config, low, high in ((faint, 0, 100), (blatant, 500, 1000)):
        found = [c for d in range(9) for c in cases.cases(config, cases.RING, d)]
        force = [c.permille for c in found if not c.is_look_alike]
        assert force
        assert low <= np.mean(force) <= high


def test_without_faults_nothing_is_planted() -> None:
    world = World(replace(CONFIG, faults=NO_FAULTS))
    found = [world.plants(d, TABLES) for d in DAYS]
    assert pl.concat(found).filter(pl.col("table_name").is_in(TABLES)).is_empty()
    assert sessions.troubles(world.config, 0) == []


def test_strangers_are_accounts_and_players_of_the_game_are_no_patrons() -> None:
    """Rows of a game's player are struck though a patron of that number is planted on."""
    world = World(replace(CONFIG, faults=replace(NO_FAULTS, orphan=0.02)))
    plants = world.plants(DAY, ["player_events"]).filter(kind="orphan")
    rows = world.frame("player_events", DAY)
    found = rows.filter(pl.col("event_id").is_in(plants["row_key"].implode()))
    assert found.height > 100
    assert found["player_id"].str.contains(r"^A99\d{6}$").all()
    busy = World(replace(CONFIG, faults=replace(NO_FAULTS, untidy_text=0.02)))
    everybody = Scenario(0, "structuring", tuple(range(CONFIG.player_count)), 0, 9)
    busy.scenarios = lambda _day: [everybody]
    assert busy.plants(DAY, ["player_events"]).filter(kind="untidy_text").height > 100


def test_a_larger_house_has_more_people_online() -> None:
    """Two thirds of the day's extract, less who is not yet there; not four thousand for ever."""
    config = replace(CONFIG, scale=20.0)
    online = accounts.online_on(config, 1)
    wanted = config.quota("online_accounts", 1) * 2 // 3
    assert 0.75 * wanted < len(online) <= wanted
    assert len(np.unique(online)) == len(online)
