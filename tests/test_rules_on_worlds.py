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


def met(floor: Floor, rule: str, *, overnight: bool = False) -> tuple[float, float]:
    """(recall of the days on which a case of the rule's kind shows, precision of its alerts): an
    alert is true on a day of the case, overnight of the morning after."""
    real = floor.plants.filter((pl.col("kind") == rule) & ~pl.col("is_look_alike"))
    shown = real.select("entity_id", "gaming_day").unique()
    found = floor.alerts(rule)
    late = pl.duration(days=int(overnight))
    during = pl.col("gaming_day").is_between("first", pl.col("last") + late)
    cases = real.select("entity_id", first="window_start", last="window_end").unique()
    true = found.join(cases, on="entity_id").filter(during)["alert_id"].n_unique()
    hit = shown.join(found, on=["entity_id", "gaming_day"], how="semi").height
    return hit / shown.height, true / found.height


@pytest.mark.slow
def test_what_the_records_determine_is_found(tampered: Floor) -> None:
    recall, precision = met(tampered, "meter_against_play", overnight=True)
    assert recall >= 0.98
    assert precision >= 0.95
    assert met(tampered, "jackpot_without_play") == (1.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "recall", "precision"),
    [("door_without_badge", 0.8, 0.9), ("badge_cloning", 0.9, 0.95), ("tailgating", 0.65, 0.9)],
)
def test_access_without_authority_is_found(
    tampered: Floor, rule: str, recall: float, precision: float
) -> None:
    found = met(tampered, rule)
    assert found[0] >= recall
    assert found[1] >= precision


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
