"""Rules of machines and access on simulated floors: honest ones stay quiet as stated, and of what
was planted the rules find what the records determine."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest

from benchmarks.worlds import Floor
from lakehouse.detection.registry import thresholds
from lakehouse.simulate.faults.house_cases import KINDS
from lakehouse.simulate.kernel.config import Faults, WorldConfig

NO_HOUSE = dict.fromkeys(KINDS, 0.0)
OFTEN = {kind: 5 * getattr(Faults(), kind) for kind in KINDS}


@pytest.fixture(scope="module")
def honest() -> Floor:
    return Floor(WorldConfig(seed=5, faults=replace(Faults(), **NO_HOUSE)), 120)


@pytest.fixture(scope="module")
def tampered() -> Floor:
    return Floor(WorldConfig(seed=23, faults=replace(Faults(), **OFTEN)), 60)


def episodes(found: pl.DataFrame) -> int:
    """Alerts of one entity more than a week apart are two."""
    apart = pl.col("gaming_day").diff().over("entity_id").dt.total_days().fill_null(99)
    return found.sort("entity_id", "gaming_day").filter(apart > 7).height


def bound(rule: str) -> float:
    """Entity days between false alarms at the least, by theory: of two sides, exp(h) / 2."""
    return math.exp(thresholds().param(rule, "reaches", WorldConfig().start)) / 2


@pytest.mark.slow
def test_honest_machines_seem_to_drift_as_rarely_as_is_stated(honest: Floor) -> None:
    """The bound holds of any play; hand-pays and large wins, which are not counted, make it some
    thousands on this floor (7,000 over a year)."""
    played = honest.table("slot_sessions").select("machine_id", "gaming_day").unique()
    machine_days = played.collect().height
    alarms = episodes(honest.alerts("hold_drift"))
    assert machine_days > 50_000
    assert machine_days / max(alarms, 1) > max(bound("hold_drift"), 3_000)


@pytest.mark.slow
def test_honest_machines_are_hardly_ever_at_odds_with_their_meters(honest: Floor) -> None:
    """One in twenty days on a floor of 500, of whose machine days 3% have lost rows."""
    assert honest.alerts("meter_against_play").height <= 120 / 15
    assert honest.alerts("jackpot_without_play").height == 0


def met(floor: Floor, rule: str) -> tuple[float, float]:
    """(recall of cases, precision of alerts): an alert is true of a case of the rule's kind that
    shows on one of the days on which it rests."""
    real = floor.plants.filter((pl.col("kind") == rule) & ~pl.col("is_look_alike"))
    shown = real.select("plant_id", "entity_id", shown_on="gaming_day").unique()
    found = floor.alerts(rule)
    inside = pl.col("shown_on").is_between("window_start", "gaming_day")
    true = found.join(shown, on="entity_id").filter(inside)
    recall = true["plant_id"].n_unique() / real["plant_id"].n_unique()
    return recall, true["alert_id"].n_unique() / found.height


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["meter_against_play", "jackpot_without_play"])
def test_what_the_records_determine_is_found(tampered: Floor, rule: str) -> None:
    recall, precision = met(tampered, rule)
    assert recall >= 0.98
    assert precision >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "recall", "precision"),
    [("door_without_badge", 0.75, 0.9), ("badge_cloning", 0.95, 0.95), ("tailgating", 0.9, 0.9)],
)
def test_access_without_authority_is_found(
    tampered: Floor, rule: str, recall: float, precision: float
) -> None:
    """A machine opened while a technician was at the one beside it looks like a slip of his."""
    found = met(tampered, rule)
    assert found[0] >= recall
    assert found[1] >= precision


@pytest.mark.slow
def test_more_than_a_third_of_drifts_that_are_not_faint_are_found(tampered: Floor) -> None:
    """16 of 35 here, at five times the usual rate; docs/detection.md has the usual one. A drift
    of a week has too few sessions to be told from luck."""
    real = tampered.plants.filter((pl.col("kind") == "hold_drift") & ~pl.col("is_look_alike"))
    strong = real.filter(pl.col("strength").cast(pl.String) != "faint")
    found = strong.join(tampered.alerts("hold_drift"), on=["entity_id", "gaming_day"], how="semi")[
        "plant_id"
    ].n_unique()
    assert found / strong["plant_id"].n_unique() >= 1 / 3
    assert met(tampered, "hold_drift")[1] >= 0.7


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    ["meter_against_play", "hold_drift", "jackpot_without_play", "door_without_badge",
     "badge_cloning", "tailgating"],
)  # fmt: skip
def test_honest_look_alikes_are_hardly_ever_told(tampered: Floor, rule: str) -> None:
    alike = tampered.plants.filter((pl.col("kind") == rule) & pl.col("is_look_alike"))
    days = alike.select("entity_id", "gaming_day").unique()
    told = days.join(tampered.alerts(rule), on=["entity_id", "gaming_day"], how="semi")
    assert days.height > 20
    assert told.height <= 0.05 * days.height
