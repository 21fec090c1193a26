"""A lake has the parts of the house that its settings name, and nothing of the others."""

import datetime as dt
import warnings
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from lakehouse import cli
from lakehouse.contracts import contract, contracts
from lakehouse.errors import BadInput
from lakehouse.gold.marts import marts, marts_of
from lakehouse.pipeline.derivation import found_parents
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.quality.registry import checks
from lakehouse.settings import DOMAINS, Settings, load_settings
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    from igaming_assets.assembly import assemble

DAY = dt.date(2025, 1, 2)
NOW = dt.datetime(2025, 1, 4, tzinfo=dt.UTC)
BY = Commit("run", "test", "1")
FLOOR, ONLINE = Settings(domains=("floor",)), Settings(domains=("online",))


def asset_tables(settings: Settings) -> set[str]:
    defs = assemble(settings)
    return {key.path[1] for key in defs.resolve_asset_graph().get_all_asset_keys()}


def test_every_source_belongs_to_a_domain_that_can_be_named() -> None:
    of_the_floor = {"compliance", "floor"}
    found = {c.domain for c in contracts("source").values()}
    assert found - of_the_floor <= set(DOMAINS)
    assert contract("slot_telemetry").domain == "floor"
    assert contract("online_accounts").domain == "online"


def test_a_domain_that_is_left_out_has_no_assets_and_no_checks() -> None:
    assert "slot_telemetry" in asset_tables(FLOOR)
    assert not asset_tables(FLOOR) & {"online_accounts", "clickstream", "shop_orders"}
    both = Settings(domains=("floor", "online"))
    assert {"slot_telemetry", "online_accounts", "clickstream"} <= asset_tables(both)
    assert "shop_orders" not in asset_tables(both)
    judged = {check.table[1] for check in checks(FLOOR, NOW).values()}
    assert "slot_telemetry" in judged
    assert "online_accounts" not in judged


def test_an_input_of_an_absent_domain_is_not_read() -> None:
    settings = Settings(domains=DOMAINS)
    for mart in marts_of(FLOOR).values():
        tables = [i.table for i in mart.reads(FLOOR)]
        assert all(FLOOR.has(table) for table in tables), mart.name
        every = {i.table for i in mart.reads(settings)}
        assert set(tables) <= every
    assert marts_of(settings) == marts()


@pytest.mark.parametrize("given", ["[]", '["flor"]', "floor"])
def test_a_domain_that_nobody_knows_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", given)
    with pytest.raises(BadInput, match="domains"):
        load_settings()


def test_a_run_needs_the_floor() -> None:
    with pytest.raises(BadInput, match="domains online: floor is always among them"):
        assemble(ONLINE)


def test_domains_have_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["online", "floor", "online"]')
    assert load_settings().domains == ("floor", "online")


def test_no_file_is_landed_in_an_absent_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor"]')
    (tmp_path / "clicks.csv").write_text("user_id\nA1\n")
    assert cli.run(["land", str(tmp_path / "clicks.csv"), "-t", "clickstream"]) == 2
    said = capsys.readouterr().err
    assert "the lake has no clickstream: it belongs to online" in said
    assert not (tmp_path / "lake/landing/clickstream").exists()
    assert cli.run(["ingest", "-t", "clickstream"]) == 2
    assert "'clickstream' takes no files" in capsys.readouterr().err


def clicks(*accounts: str) -> pl.DataFrame:
    """One opened game of each account, in bronze shape."""
    moment = dt.datetime(2025, 1, 2, 20, 0, tzinfo=dt.UTC)
    rows = [
        {
            "timestamp": moment,
            "user_id": account,
            "event_type": "game_start",
            "game_name": None,
            "bet_amount": 0,
            "win_amount": 0,
            "device": "mobile",
            "country": "EE",
            "event_id": f"e{k}",
            "is_bonus": False,
            "gaming_day": DAY,
            "_ingested_at": NOW,
            "_source": "a.csv",
            "_batch_id": "b",
        }
        for k, account in enumerate(accounts)
    ]
    return pl.DataFrame(rows, schema=contract("clickstream").bronze_schema())


@pytest.fixture
def lake(tmp_path: Path) -> tuple[Lake, Settings]:
    settings = Settings(root=str(tmp_path / "lake"), domains=("online",))
    return Lake.open(settings), settings


def book(world: World) -> pl.DataFrame:
    return world.frame("online_accounts", DAY)


def test_accounts_are_tokens_in_silver_and_are_known_by_them(lake: tuple[Lake, Settings]) -> None:
    opened, settings = lake
    accounts = book(World(WorldConfig(faults=NO_FAULTS)))
    known = accounts["account_id"][0]
    opened.write_days("bronze", "online_accounts", accounts, (DAY, DAY), commit=BY)
    told = clicks(known, "A99999999").with_columns(game_name=pl.lit("slots"))
    opened.write_days("bronze", "clickstream", told, (DAY, DAY), commit=BY)
    refresh_silver(opened, settings, "online_accounts", (DAY, DAY), BY)
    refresh_silver(opened, settings, "clickstream", (DAY, DAY), BY)
    kept_out = opened.scan("quarantine", "clickstream").collect()
    broken = dict(kept_out.select("event_id", pl.col("_rules").list.join(" ")).iter_rows())
    assert "user_id|orphan" not in broken.get("e0", "")
    assert "user_id|orphan" in broken["e1"]
    of_accounts = opened.scan("silver", "online_accounts").collect()
    assert known not in of_accounts["account_id"].to_list()
    assert of_accounts["account_id"].str.len_chars().min() > 40
    assert of_accounts["account_id"].n_unique() == accounts["account_id"].n_unique()


def test_rows_come_in_before_the_account_that_they_name(lake: tuple[Lake, Settings]) -> None:
    opened, settings = lake
    accounts = book(World(WorldConfig(faults=NO_FAULTS)))
    told = clicks(accounts["account_id"][0], "A99999999")
    opened.write_days("bronze", "clickstream", told, (DAY, DAY), commit=BY)
    refresh_silver(opened, settings, "clickstream", (DAY, DAY), BY)
    assert found_parents(opened, settings) == {}
    opened.write_days("bronze", "online_accounts", accounts, (DAY, DAY), commit=BY)
    refresh_silver(opened, settings, "online_accounts", (DAY, DAY), BY)
    assert found_parents(opened, settings) == {DAY: ["clickstream"]}
