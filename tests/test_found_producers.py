"""A source table's producer is found where it stands; a table without one is landed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.contracts import contract, doors
from lakehouse.errors import BadInput
from lakehouse.settings import load_settings
from lakehouse.simulate.kernel import producers as registry
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World

ROOT = Path(__file__).parents[1]
CONTRACT = '''
"""Nights that patrons stay."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("hotel_nights", layer="source", grain="one row per night", event_time="arrived_at")
class HotelNights(dy.Schema):
    """A night in the hotel."""

    night_id = c.text("Night, unique.", key=True)
    arrived_at = c.utc("When the guest came.")
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()
'''
PRODUCER = '''
"""Nights in the hotel: three a day."""

import numpy as np

from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.producers import producer


@producer("hotel_nights")
def nights(world, day):
    at = world.utc(day, np.array([3_600, 7_200, 10_800]))
    days = gaming_days(world.config.start, np.full(3, day))
    columns = {
        "night_id": ids.event_ids(world.config.seed, "hotel_nights", day, np.arange(3)),
        "arrived_at": frames.utc(at),
    }
    return frames.frame("hotel_nights", columns | stamp("hotel_nights", days, at))
'''
ROWS = """
from lakehouse.settings import load_settings
from lakehouse.storage import Lake
settings = load_settings()
bronze = Lake.open(settings).scan("bronze", "hotel_nights").collect()
print(settings.source_of("hotel_nights"), bronze.height)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages, with one more source table."""
    for package in ("lakehouse", "igaming_assets"):
        shutil.copytree(ROOT / package, tmp_path / package)
    (tmp_path / "lakehouse/contracts/hotel.py").write_text(CONTRACT)
    return tmp_path


def ran(copy: Path, *command: str) -> str:
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "DAGSTER_HOME": str(copy / "home"),
        "LAKEHOUSE_ROOT": str(copy / "lake"),
        "LAKEHOUSE_SCALE": "0.02",
        "LAKEHOUSE_START": "2025-01-01",
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_new_table_is_landed_until_it_has_a_producer(copy: Path) -> None:
    day = ("-m", "lakehouse", "run", "--from", "2025-01-01", "--select", "key:bronze/hotel_nights")
    ran(copy, "-m", "lakehouse", "init")
    ran(copy, *day)
    assert ran(copy, "-c", ROWS) == "landing 0"
    assert [p.name for p in (copy / "lake/landing").iterdir() if p.is_dir()] == ["hotel_nights"]
    (copy / "lakehouse/simulate/hotel").mkdir()
    (copy / "lakehouse/simulate/hotel/__init__.py").write_text('"""The hotel."""\n')
    (copy / "lakehouse/simulate/hotel/nights.py").write_text(PRODUCER)
    ran(copy, *day)
    assert ran(copy, "-c", ROWS) == "simulator 3"


def test_every_source_table_of_today_is_simulated() -> None:
    assert list(registry.producers()) == list(doors())


@pytest.fixture
def _no_observations(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {t: p for t, p in registry.producers().items() if t != "staff_observations"}
    monkeypatch.setattr(registry, "producers", lambda: left)


@pytest.mark.usefixtures("_no_observations")
def test_a_table_without_a_producer_cannot_be_simulated() -> None:
    assert load_settings(source="simulator").source_of("staff_observations") == "landing"
    assert load_settings(source="both").source_of("staff_observations") == "landing"
    assert load_settings(source="both").source_of("slot_telemetry") == "both"
    with pytest.raises(BadInput, match="the simulator has no table 'staff_observations'"):
        load_settings(sources={"staff_observations": "simulator"})
    with pytest.raises(BadInput, match="the simulator has no table 'staff_observations'"):
        list(World(WorldConfig()).frames("staff_observations", range(1)))


@pytest.mark.parametrize("table", registry.producers())
def test_a_producer_names_a_column_that_its_table_has(table: str) -> None:
    clashing = registry.producers()[table].clashing
    assert clashing is None or clashing in contract(table).columns
