"""Files of all systems before this one, in one lake that knows nothing else, up to gold."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import polars as pl
import pytest
from landed import deriving

from lakehouse.cli import run
from lakehouse.settings import Settings
from lakehouse.storage import Lake

EXAMPLES = Path(__file__).parents[1] / "examples"
FLAT = ("player_events", "purchases", "server_metrics")
ENVELOPES = EXAMPLES.parent / "lakehouse" / "ingest" / "streams" / "envelopes"
LANDED = [
    ("clickstream", "clickstream_20250603_124749.csv", "clickstream.toml"),
    ("shop_actions", "behaviour_logs.json", "behaviour_logs.toml"),
    ("shop_orders", "shop_transactions.ndjson", "shop_transactions.toml"),
    *((t, f"{t}.ndjson", f"game_platform/{t}.toml") for t in FLAT),
    *((t, "envelopes.ndjson", f"{ENVELOPES}/{t}.toml") for t in FLAT),
]


def land(table: str, file: str, mapping: str) -> int:
    asked = ["-t", table, "-m", str(EXAMPLES / "mappings" / mapping)]
    return run(["land", str(EXAMPLES / "data" / file), *asked])


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online", "platform", "shop"]')
    monkeypatch.setenv("LAKEHOUSE_REJECTED_SHARE", "1")
    return tmp_path


@pytest.mark.slow
def test_what_landing_says_lets_the_files_through_to_gold(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of seven logs one is told twice and four are wrong; nothing else is kept out."""
    said: dict[str, str] = {}
    for table, file, mapping in LANDED:
        assert land(table, file, mapping) == 0
        lines = capsys.readouterr().err.splitlines()
        said |= tomllib.loads("\n".join(lines[lines.index("[orphans]") : -1]))["orphans"]
    assert said == {t: "keep" for t, _, _ in LANDED}
    monkeypatch.setenv("LAKEHOUSE_ORPHANS", json.dumps(said))
    # All that follows from these tables; the marts of the floor have tests of their own.
    deriving(monkeypatch, " or ".join(f'key:"bronze/{t}"+' for t in said))
    assert run(["ingest"]) == 0
    lake = Lake.open(Settings())

    def rows(layer: str, table: str) -> int:
        return int(lake.scan(layer, table).select(pl.len()).collect().item())

    kept_out = {t: rows("quarantine", t) for t, _, _ in LANDED}
    assert kept_out == dict.fromkeys(kept_out, 0) | {"shop_actions": 4}
    assert {t: rows("silver", t) for t, _, _ in LANDED} == {
        "clickstream": 7,
        "shop_actions": 2,
        "shop_orders": 2,
        "player_events": 3,
        "purchases": 2,
        "server_metrics": 2,
    }
    play = lake.scan("gold", "player_metrics").select(pl.col("stakes", "wins").sum()).collect()
    assert [str(v) for v in play.row(0)] == ["267.73", "114.46"]
    levels = lake.scan("gold", "level_engagement").collect().sort("level_id")
    assert levels.select("level_id", "map_id", "active_players").rows() == [
        ("level_01", "map_05", 1),
        ("level_02", "map_01", 1),
    ]
    items = lake.scan("gold", "item_sales").collect().sort("item_id")
    assert [(i, float(r)) for i, r in items.select("item_id", "revenue").rows()] == [
        ("skin_dragon", 9.99),
        ("sword", 4.99),
    ]
    sales = lake.scan("gold", "daily_sales_summary").collect()
    assert sales["total_transactions"].to_list() == [2]


def test_who_has_the_parents_hears_nothing_of_them(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account_id\nA1\n")
    assert run(["land", str(accounts), "-t", "online_accounts"]) == 0
    capsys.readouterr()
    assert land("purchases", "purchases.ndjson", "game_platform/purchases.toml") == 0
    assert "[orphans]" not in capsys.readouterr().err
