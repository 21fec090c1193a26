"""A source table's producer is found where it stands; a table without one is landed."""

from __future__ import annotations

import pytest

from lakehouse.contracts import contract, doors
from lakehouse.errors import BadInput
from lakehouse.settings import load_settings
from lakehouse.simulate.kernel import producers as registry
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World


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
