"""A lake of the game platform: silver finds what was planted, truths hold and can fail, people
are tokens, and questions answer in the documents' shapes."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks.mutations.defects import Mutation
from benchmarks.mutations.judged import damage
from benchmarks.mutations.platform import PLATFORM
from lakehouse import cli
from lakehouse.pipeline.marts import derive, in_order_of_reference
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.quality.conservation_checks import conservation_checks
from lakehouse.quality.findings import judged
from lakehouse.quality.truths import TRUTHS
from lakehouse.settings import Settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake

BY = Commit("test", "test", "1")
NOW = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
DAYS = [dt.date(2025, 1, 1) + dt.timedelta(n) for n in range(4)]
DOMAINS = ("online", "platform")
PLATFORM_ALONE = Settings(domains=("platform",))
MINE = {
    name: truth
    for name, truth in TRUTHS.items()
    if all(PLATFORM_ALONE.has(table) for _, table in truth.tables)
}


def store(settings: Settings, world: World, day: dt.date) -> None:
    """A day as a run would: bronze, silver in order of reference, marts."""
    lake = Lake.open(settings)
    tables = [t for t in in_order_of_reference(settings) if settings.source_of(t) == "simulator"]
    for table in tables:
        lake.write_days("bronze", table, world.frame(table, day), (day, day), commit=BY)
    for table in tables:
        refresh_silver(lake, settings, table, (day, day), BY)
    derive(lake, settings, (day, day), as_of=NOW, commit=BY)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("platform") / "lake"
    made = Settings(root=str(root), domains=DOMAINS, scale=0.5, start=DAYS[0])
    world = World(WorldConfig(scale=0.5))
    for day in DAYS:
        store(made, world, day)
    return made


def scan(settings: Settings, table: str) -> pl.DataFrame:
    layer, name = table.split(".")
    return Lake.open(settings).scan(layer, name).collect()


def test_every_truth_is_of_the_platform_alone() -> None:
    assert len(MINE) == 6
    failing = {name.partition(":")[2] for one in PLATFORM for name in one.fails}
    assert failing == MINE.keys()


def open_findings(settings: Settings, name: str) -> pl.DataFrame:
    """What no row that was kept out explains."""
    lake = Lake.open(settings)
    found = judged(MINE[name], partial(lake.scan, days=(DAYS[0], DAYS[-1])))
    return found.filter(pl.col("rows").list.len() == 0)


@pytest.mark.parametrize("name", MINE)
def test_truths_hold_but_for_codes_that_nobody_can_read(settings: Settings, name: str) -> None:
    """A disconnect whose code was spoiled is in no way told to be one."""
    spoiled = scan(settings, "quarantine.player_events").filter(
        pl.col("event_type").str.starts_with("disconnect_")
    )
    assert open_findings(settings, name).height <= spoiled.height


@pytest.mark.parametrize("one", PLATFORM, ids=lambda m: m.fails[0].partition(":")[2])
def test_a_defect_fails_its_truth_alone(settings: Settings, tmp_path: Path, one: Mutation) -> None:
    root = tmp_path / "lake"
    shutil.copytree(settings.root, root)
    shutil.copytree(f"{settings.root}.keys", f"{root}.keys")
    copy = settings.model_copy(update={"root": str(root)})
    damage(copy, one, DAYS[2])
    more = {n for n in MINE if open_findings(copy, n).height > open_findings(settings, n).height}
    assert more == {one.fails[0].partition(":")[2]}


def test_silver_and_what_was_kept_out_are_all_of_bronze(settings: Settings) -> None:
    every = [c for c in conservation_checks(settings, NOW) if settings.has(c.table[1])]
    checked = {c.table[1] for c in every}
    assert {"player_events", "purchases", "server_metrics"} <= checked
    for check in every:
        told = check.judge(Lake.open(settings), (DAYS[0], DAYS[-1]))
        assert all(said.passed for said in told.values()), check.address


def test_dirt_is_kept_out_by_its_rule(settings: Settings) -> None:
    rules = {
        t: set(scan(settings, f"quarantine.{t}")["_rules"].explode())
        for t in ("player_events", "server_metrics")
    }
    assert {"key_clash", "player_id|orphan", "event_in_gaming_day"} <= rules["player_events"]
    assert "key_clash" in rules["server_metrics"]
    assert "player_id|orphan" not in rules["server_metrics"]


def test_people_are_tokens_and_the_same_in_every_table(settings: Settings) -> None:
    known = set(scan(settings, "silver.online_accounts")["account_id"])
    for table in ("silver.player_events", "silver.purchases", "gold.player_levels"):
        assert set(scan(settings, table)["player_id"]) <= known
    flags = scan(settings, "gold.item_sales")["fraud_flags"].explode().drop_nulls().struct.unnest()
    assert flags.height > 0
    assert set(flags["player_id"]) <= known
    assert set(flags["ip_address"]) <= set(scan(settings, "silver.purchases")["ip_address"])
    assert not flags["ip_address"].str.contains("2001:db8").any()


def test_days_may_come_in_any_order(settings: Settings, tmp_path: Path) -> None:
    """Engagement of the first days settles as later ones come, whatever came first."""
    other = settings.model_copy(update={"root": str(tmp_path / "lake")})
    shutil.copytree(f"{settings.root}.keys", f"{other.root}.keys")
    world = World(WorldConfig(scale=0.5))
    for day in reversed(DAYS):
        store(other, world, day)
    for table in ("player_levels", "level_engagement", "item_sales", "server_health"):
        assert_frame_equal(
            scan(settings, f"gold.{table}"), scan(other, f"gold.{table}"), check_row_order=False
        )
    first = scan(settings, "gold.level_engagement").filter(gaming_day=DAYS[0])
    assert first["retention_d1"].null_count() == 0
    assert first["retention_d7"].null_count() == first.height


SHAPES = {
    "level-engagement": {
        "level_id": str,
        "map_id": str,
        "active_players": int,
        "average_session_duration": float,
    },
    "item-purchases": {
        "item_id": str,
        "purchase_count": int,
        "total_revenue": float,
        "fraud_flags": list,
    },
    "server-health": {"server_id": str, "cpu_load": float, "latency": float, "timestamp": str},
}


Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """`lakehouse sql` of a lake, as JSON."""

    def asked(settings: Settings, *command: str) -> list[dict[str, Any]]:
        monkeypatch.setenv("LAKEHOUSE_ROOT", settings.root)
        monkeypatch.setenv("LAKEHOUSE_DOMAINS", json.dumps(DOMAINS))
        assert cli.run(["sql", *command, "--format", "json"]) == 0
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return found

    return asked


@pytest.mark.parametrize("name", SHAPES)
def test_saved_questions_answer_in_the_documents_shapes(
    settings: Settings, ask: Ask, name: str
) -> None:
    found = ask(settings, "--saved", name)
    assert found
    for row in found:
        assert {n: type(v) for n, v in row.items()} == SHAPES[name]
    if name == "server-health":
        assert dt.datetime.fromisoformat(found[0]["timestamp"]) == dt.datetime(
            2025, 1, 5, 13, 55, tzinfo=dt.UTC
        )
        assert all(len(str(row["latency"])) <= 5 for row in found)


def test_a_question_over_days_counts_each_player_and_flag_once(
    settings: Settings, ask: Ask
) -> None:
    levels = scan(settings, "gold.player_levels")
    there = levels.filter(level_id="level_01", map_id="map_05")
    [row] = [
        r
        for r in ask(settings, "--saved", "level-engagement", "--param", "days=4")
        if (r["level_id"], r["map_id"]) == ("level_01", "map_05")
    ]
    assert row["active_players"] == there["player_id"].n_unique()
    sales = scan(settings, "gold.item_sales")
    items = ask(settings, "--saved", "item-purchases", "--param", "days=4")
    assert sum(r["purchase_count"] for r in items) == sales["purchases"].sum()
    assert round(sum(r["total_revenue"] for r in items), 2) == float(sales["revenue"].sum())
    flags = [f for r in items for f in r["fraud_flags"]]
    assert {tuple(f) for f in flags} == {("player_id", "ip_address", "suspicious_purchase_count")}
    counted = sum(f["suspicious_purchase_count"] for f in flags)
    assert counted == sales["suspicious_purchases"].sum() > 0


def test_the_newest_day_of_a_table_of_one_file_is_known(tmp_path: Path, ask: Ask) -> None:
    made = Settings(
        root=str(tmp_path / "lake"), domains=DOMAINS, orphans={"server_metrics": "keep"}
    )
    day = DAYS[1]
    rows = World(WorldConfig()).clean("server_metrics", day).head(5)
    Lake.open(made).write_days("bronze", "server_metrics", rows, (day, day), commit=BY)
    refresh_silver(Lake.open(made), made, "server_metrics", (day, day), BY)
    for newest in ("max", "min"):
        told = ask(made, f"SELECT {newest}(gaming_day) AS day FROM silver.server_metrics")
        assert told == [{"day": "2025-01-02"}]
