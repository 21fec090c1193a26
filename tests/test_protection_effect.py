"""What comes of it, through the lake: play that is high ends budget and marketing for as long as
it says, and alerts once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from law_rows import rows

from lakehouse.contracts import contracts
from lakehouse.gold.marts import marts
from lakehouse.pipeline.marts import made
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Commit, Lake, Portion

D = dt.date(2026, 3, 6)
NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
BY = Commit("test", "test", "1")
CHAIN = ("player_day", "player_behaviour", "player_markers", "protection_model",
         "player_protection", "player_value")  # fmt: skip
LATER = (0, 1, 29, 30, 118, 119, 120)
"""Days after the fifty sessions: they are high for 30 days, and protect for 90 after the last."""


def session(player: str, day: dt.date, number: int) -> dict[str, Any]:
    return {
        "event_id": f"{player}{day}{number}", "event_type": "GAME_PLAY", "machine_id": "SLOT-0001",
        "event_timestamp": f"{day} 20:00", "player_id": player, "session_id": f"{player}{number}",
        "coin_in": "100.00", "coin_out": "0.00", "games_played": 10, "denomination": "1.00",
        "theoretical_hold": "0.1000", "game_theme": "Buffalo",
    }  # fmt: skip


def silver(lake: Lake) -> None:
    """P1 has fifty sessions on D, and both play one on each of the later days."""
    days = sorted({D + dt.timedelta(n) for n in LATER} - {D})
    play = [session("P1", D, n) for n in range(50)] + [session("P2", D, 0)]
    play += [session(p, day, 99) for p in ("P1", "P2") for day in days]
    profiles = [
        {"player_id": p, "gaming_day": D - dt.timedelta(30), "loyalty_tier": "Gold",
         "self_excluded": False, "account_status": "Active", "marketing_opt_in": True}
        for p in ("P1", "P2")
    ]  # fmt: skip
    span = (D - dt.timedelta(60), D + dt.timedelta(200))
    for table in contracts("source"):
        given = {"slot_telemetry": play, "player_profile": profiles}.get(table, [])
        lake.write_days("silver", table, rows(table, *given).collect(), span, commit=BY)


def derived(lake: Lake, settings: Settings, order: list[dt.date]) -> None:
    for day in order:
        for name in CHAIN:
            mart = marts()[name]
            for _, done in made(mart, lake, settings, (day, day), as_of=NOW):
                assert isinstance(done, Portion)
                told = BY.deriving(done.marks)
                lake.write_days(mart.layer, name, done.rows, done.days, commit=told)


@pytest.fixture(scope="module", params=["in order", "backwards"])
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("effect") / "lake"
    settings = load_settings(root=str(root), source="landing", pii_key_file=root.parent / "key")
    found = Lake.open(settings)
    silver(found)
    days = [D + dt.timedelta(n) for n in LATER]
    derived(found, settings, days if request.param == "in order" else days[::-1])
    return found


@pytest.mark.parametrize("later", LATER)
def test_high_play_ends_budget_and_marketing_for_ninety_days(lake: Lake, later: int) -> None:
    day = D + dt.timedelta(later)
    found = lake.scan("gold", "player_value").filter(gaming_day=day).collect()
    value = {r["player_id"]: r for r in found.to_dicts()}
    # Marked on the 29th day after at the latest, as a row of that day is the last to have it.
    is_held = later <= 29 + 90
    assert value["P1"]["is_protected"] == is_held
    assert (value["P1"]["reinvestment_budget"] == 0) == is_held
    assert value["P1"]["may_be_marketed_to"] != is_held
    assert not value["P2"]["is_protected"]
    assert value["P2"]["may_be_marketed_to"]
    assert value["P2"]["reinvestment_budget"] > 0


def test_the_level_is_there_for_thirty_days(lake: Lake) -> None:
    high = lake.scan("gold", "player_protection").filter(pl.col("level") == "high").collect()
    assert set(high["player_id"]) == {"P1"}
    assert sorted(high["gaming_day"]) == [D + dt.timedelta(n) for n in (0, 1, 29)]


def test_nothing_of_it_reads_what_a_patron_is_worth() -> None:
    """Protection judges play; value follows from it, never the other way round."""

    def above(name: str) -> set[str]:
        own = {i.table for i in marts()[name].inputs if i.layer == "gold"}
        return own.union(*(above(t) for t in own))

    assert "player_protection" in above("player_value")
    assert not {"player_value", "property_day"} & above("player_protection")
