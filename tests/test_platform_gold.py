"""Marts of the game platform on rows by hand: engagement, sales, server health."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from law_rows import rows

from lakehouse.gold.marts import marts
from lakehouse.settings import load_settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.platform.labels import purchase_rings
from lakehouse.simulate.world import World

SETTINGS = load_settings(domains=("floor", "platform"))
NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
DAY = dt.date(2025, 1, 10)
Row = dict[str, object]


def made(
    name: str, days: tuple[dt.date, dt.date] = (DAY, DAY), **frames: pl.LazyFrame
) -> pl.DataFrame:
    return marts()[name].rows(frames, settings=SETTINGS, days=days, as_of=NOW).collect()


def event(
    player: str,
    time: str,
    level: int = 1,
    kind: str = "move",
    session: str | None = "s1",
    day: int = 0,
) -> Row:
    at = f"{DAY + dt.timedelta(day)} {time}"
    return {
        "event_id": f"{player}{session}{at}{kind}",
        "player_id": player,
        "session_id": session,
        "event_type": kind,
        "level_id": f"level_{level:02}",
        "map_id": f"map_{level:02}",
        "timestamp": at,
    }


def levels(*events: Row, days: tuple[dt.date, dt.date] = (DAY, DAY)) -> pl.DataFrame:
    return made("player_levels", days, player_events=rows("player_events", *events))


def test_time_until_the_next_event_is_spent_where_the_session_is() -> None:
    """20 minutes on level 1, and 10 on level 2, of a session of 30."""
    found = levels(
        event("a", "20:00", kind="level_start"),
        event("a", "20:15", kind="player_death"),
        event("a", "20:19", kind="level_complete"),
        event("a", "20:20", level=2, kind="level_start"),
        event("a", "20:30", level=2, kind="disconnect"),
    )
    first, second = found.iter_rows(named=True)
    assert (first["seconds"], second["seconds"]) == (20 * 60, 10 * 60)
    assert (first["session_seconds"], second["session_seconds"]) == (1800, 1800)
    assert (first["events"], first["deaths"], first["completions"]) == (3, 1, 1)
    assert (first["disconnections"], second["disconnections"]) == (0, 1)
    assert (first["moves_to"], second["moves_to"]) == (["level_02/map_02"], [])


def test_two_sessions_are_two_and_their_players_apart() -> None:
    found = levels(
        event("a", "20:00", session="s1"),
        event("a", "20:10", session="s1"),
        event("a", "21:00", session="s2"),
        event("a", "21:40", session="s2"),
        event("b", "20:05", session="s3"),
    )
    told = found.select("player_id", "sessions", "session_seconds", "seconds").rows()
    assert told == [("a", 2, 3000, 3000), ("b", 1, 0, 0)]


def test_without_a_session_30_minutes_of_silence_end_one() -> None:
    found = levels(
        *(event("a", t, session=None) for t in ("20:00", "20:30", "21:00:01", "21:10:01")),
        event("b", "21:05", session=None),
    )
    told = found.select("player_id", "sessions", "session_seconds").rows()
    assert told == [("a", 2, 1800 + 600), ("b", 1, 0)]


def played(player: str, level: int = 1, day: int = 0, done: int = 0, **more: object) -> Row:
    return {
        "player_id": player,
        "level_id": f"level_{level:02}",
        "map_id": f"map_{level:02}",
        "gaming_day": DAY + dt.timedelta(day),
        "events": 10,
        "sessions": 1,
        "session_seconds": 60,
        "seconds": 60,
        "deaths": 0,
        "completions": done,
        "disconnections": 0,
        "moves_to": [],
    } | more


def engagement(*given: Row, maps: dict[int, int] | None = None) -> pl.DataFrame:
    schema = made("player_levels", player_events=rows("player_events")).schema
    hard = [
        {"level_id": f"level_{k:02}", "map_id": f"map_{k:02}", "difficulty": v, "gaming_day": DAY}
        for k, v in (maps or {}).items()
    ]
    return made(
        "level_engagement",
        player_levels=pl.DataFrame(list(given), schema=schema).lazy(),
        game_maps=rows("game_maps", *hard),
    )


def test_engagement_is_of_players_and_of_whole_sessions() -> None:
    """Sessions of 30, 40 and 36 minutes: 35.3 on average."""
    [row] = engagement(
        played("a", sessions=2, session_seconds=70 * 60, done=1, moves_to=["level_02/map_02"] * 2),
        played("b", session_seconds=36 * 60, moves_to=["level_03/map_03"]),
    ).iter_rows(named=True)
    assert (row["active_players"], row["sessions"], row["average_session_minutes"]) == (2, 3, 35.3)
    assert row["completion_rate"] == Decimal("0.5")
    assert row["moves_to"] == [
        {"level_id": "level_02", "map_id": "map_02", "moves": 2},
        {"level_id": "level_03", "map_id": "map_03", "moves": 1},
    ]


def test_retention_is_who_plays_anything_so_many_days_later() -> None:
    """Of three, one is back a day later, on another level, and two a month later; a week later
    nobody at all has played: it may be to come."""
    [row] = engagement(
        *(played(p) for p in "abc"),
        played("a", level=2, day=1),
        played("z", day=1),
        *(played(p, day=30) for p in "ab"),
    ).iter_rows(named=True)
    told = [row[f"retention_d{n}"] for n in (1, 7, 30)]
    assert told == [Decimal("0.3333"), None, Decimal("0.6667")]


def test_nobody_came_back_on_a_day_of_play() -> None:
    [row] = engagement(played("a"), played("z", day=7)).iter_rows(named=True)
    assert row["retention_d7"] == 0


def tried(level: int, of: int, done: int, day: int = 0) -> list[Row]:
    return [played(f"p{k}", level, day, int(k < done)) for k in range(of)]


def test_players_are_stuck_where_like_levels_are_completed() -> None:
    """Level 1: 10 of 100 where like ones have half: (.5 - .1) / sqrt(.5 x .5 / 100) = 8. Level 4 is
    as hard to complete, and is so by design: nothing is like it."""
    found = engagement(
        *tried(1, 100, 10),
        *tried(2, 100, 50),
        *tried(3, 100, 60),
        *tried(4, 100, 10),
        maps={1: 20, 2: 25, 3: 35, 4: 90},
    )
    told = found.select("like_levels", "expected_rate", "stuck_score", "is_stuck").rows()
    assert told[0] == (2, Decimal("0.5"), 8.0, True)
    assert told[3] == (0, None, None, False)
    assert [is_stuck for *_, is_stuck in told] == [True, False, False, False]


def test_stuck_points_are_judged_from_seven_days_and_without_maps_against_all() -> None:
    week = [r for d in range(-6, 1) for r in tried(1, 10, 1, d)]
    older = tried(1, 500, 500, -7)
    [one, _] = engagement(*week, *older, *tried(2, 100, 50)).iter_rows(named=True)
    assert (one["tries"], one["like_levels"]) == (70, 1)
    assert one["stuck_score"] == pytest.approx(0.4 / (0.25 / 70) ** 0.5, abs=0.01)


def bought(key: str, player: str, time: str, day: int = 0, **more: object) -> Row:
    return {
        "transaction_id": key,
        "player_id": player,
        "item_id": "skin_dragon",
        "item_type": "skin",
        "price": "4.99",
        "currency": "USD",
        "purchase_timestamp": f"{DAY + dt.timedelta(day)} {time}",
        "ip_address": f"of {player}",
    } | more


def sales(*given: Row) -> list[Row]:
    return list(made("item_sales", purchases=rows("purchases", *given)).iter_rows(named=True))


def test_sales_are_by_item_and_by_its_kind() -> None:
    found = sales(
        bought("1", "a", "20:00"),
        bought("2", "b", "20:00"),
        bought("3", "b", "22:00", item_id="skin_phoenix", price="9.99"),
        bought("4", "b", "22:00", item_id="potion", item_type="consumable", price="0.99"),
    )
    told = [(r["item_id"], r["purchases"], r["revenue"], r["buyers"]) for r in found]
    assert told == [
        ("potion", 1, Decimal("0.99"), 1),
        ("skin_dragon", 2, Decimal("9.98"), 2),
        ("skin_phoenix", 1, Decimal("9.99"), 1),
    ]
    assert [r["type_purchases"] for r in found] == [1, 3, 3]
    assert [r["type_revenue"] for r in found] == [Decimal(n) for n in ("0.99", "19.97", "19.97")]
    assert [r["fraud_flags"] for r in found] == [[], [], []]


def burst(player: str, count: int, seconds: int, **more: object) -> list[Row]:
    return [
        bought(f"{player}{k}", player, f"20:{k * seconds // 60:02}:{k * seconds % 60:02}", **more)
        for k in range(count)
    ]


def flagged(*given: Row) -> dict[object, int]:
    return {
        f["player_id"]: f["suspicious_purchase_count"]
        for row in sales(*given)
        for f in row["fraud_flags"]
    }


@pytest.mark.parametrize(
    ("count", "seconds", "wanted"),
    [(6, 120, {"a": 6}), (6, 121, {}), (5, 1, {}), (9, 120, {"a": 9})],
)
def test_six_purchases_within_ten_minutes_are_suspicious(
    count: int, seconds: int, wanted: dict[object, int]
) -> None:
    assert flagged(*burst("a", count, seconds)) == wanted


def test_three_are_where_another_account_bought_from_the_address_within_a_week() -> None:
    ring = burst("a", 3, 300, ip_address="shared")
    other = {"ip_address": "shared"}
    assert flagged(*ring) == {}
    assert flagged(*ring, bought("x", "b", "09:00", **other)) == {"a": 3}
    assert flagged(*ring, bought("x", "b", "09:00", day=-6, **other)) == {"a": 3}
    assert flagged(*ring, bought("x", "b", "09:00", day=-7, **other)) == {}
    assert flagged(*ring[:2], bought("x", "b", "09:00", **other)) == {}
    assert (
        flagged(*burst("a", 3, 301, ip_address="shared"), bought("x", "b", "09:00", **other)) == {}
    )


def test_flags_have_the_shape_of_the_document() -> None:
    [row] = sales(*burst("a", 6, 10), *burst("b", 7, 10), bought("x", "c", "21:00"))
    assert row["suspicious_purchases"] == 13
    assert row["fraud_flags"] == [
        {"player_id": "b", "ip_address": "of b", "suspicious_purchase_count": 7},
        {"player_id": "a", "ip_address": "of a", "suspicious_purchase_count": 6},
    ]


def test_planted_rings_are_flagged_and_cafes_hardly_are() -> None:
    """Of members whose burst has three purchases or more; over 20 days of a world."""
    world = World(WorldConfig(seed=11))
    days = [dt.date(2025, 1, 1) + dt.timedelta(n) for n in range(20)]
    purchases = pl.concat([world.clean("purchases", d) for d in days])
    made_of = made("item_sales", (days[0], days[-1]), purchases=purchases.lazy())
    flags = made_of.select("gaming_day", "fraud_flags").explode("fraud_flags").drop_nulls()
    caught = flags.unnest("fraud_flags").select("gaming_day", "player_id").unique()
    plants = pl.concat([purchase_rings(world, n) for n in range(20)])
    told = plants.rename({"entity_id": "player_id"})
    by = ["gaming_day", "player_id"]
    rings = told.filter(~pl.col("is_look_alike"), pl.col("intensity") >= 0.2)
    guests = told.filter("is_look_alike")
    assert rings.join(caught, on=by, how="semi").height >= 0.9 * rings.height > 20
    assert guests.join(caught, on=by, how="semi").height <= 0.2 * guests.height


def measured(minute: int, latency: float, **more: object) -> Row:
    return {
        "metric_id": f"m{minute}",
        "server_id": "server_1",
        "timestamp": f"{DAY} 20:{minute:02}:59",
        "cpu_load": 50.0,
        "memory_usage": 40.0,
        "latency": latency,
    } | more


def test_health_is_by_five_minutes_and_by_day() -> None:
    """20 measurements of 1 to 20 ms: 95 of 100 are at most 20, and half at most 11 (of an even
    number the upper one)."""
    metrics = [measured(k, float(k + 1), players_online=k) for k in range(20)]
    metrics[3] |= {"disconnections": 2, "cpu_load": 99.5, "response_time": 30.0}
    metrics[7] |= {"disconnections": 1, "response_time": 31.5}
    servers = rows(
        "servers", {"server_id": "server_1", "capacity": 9, "region": "eu", "gaming_day": DAY}
    )
    found = made("server_health", server_metrics=rows("server_metrics", *metrics), servers=servers)
    *short, whole = sorted(
        found.iter_rows(named=True), key=lambda r: str(r["period"]), reverse=True
    )
    assert [r["period"] for r in short] == ["five_minutes"] * 4
    assert [r["measurements"] for r in short] == [5] * 4
    assert [r["disconnections"] for r in short] == [2, 1, 0, 0]
    assert [r["latency"] for r in short] == [3.0, 8.0, 13.0, 18.0]
    assert short[0]["cpu_load"] == 59.9
    assert short[0]["period_start"] == dt.datetime(2025, 1, 11, 4, tzinfo=dt.UTC)
    assert (whole["measurements"], whole["disconnections"], whole["most_players"]) == (20, 3, 19)
    assert [whole[f"latency_p{p}"] for p in (50, 95, 99)] == [11.0, 20.0, 20.0]
    assert (whole["response_time"], whole["capacity"], whole["region"]) == (30.8, 9, "eu")
    assert whole["highest_cpu_load"] == 99.5


def test_days_together_are_as_each_alone() -> None:
    world = World(WorldConfig(seed=5))
    days = [DAY + dt.timedelta(n) for n in range(3)]
    whole = (days[0], days[-1])
    sources = {
        "player_levels": ("player_events",),
        "item_sales": ("purchases",),
        "server_health": ("server_metrics", "servers"),
    }
    for name, tables in sources.items():
        given = {t: pl.concat([world.clean(t, d) for d in days]).lazy() for t in tables}
        together = made(name, whole, **given)
        assert together.height > 0
        for day in days:
            assert together.filter(gaming_day=day).equals(made(name, (day, day), **given))
