"""A check's result names the newest materialisation of its asset and day, as Dagster's own do."""

import datetime as dt

import dagster as dg
import pytest

from benchmarks.instances import short_lived
from igaming_assets.targets import Targets, newest_materialisations

ONE, OTHER, NEVER = (dg.AssetKey(["silver", name]) for name in ("a", "b", "never"))
DAYS = [dt.date(2025, 1, day) for day in (1, 2, 3)]


@pytest.fixture
def instance():
    with short_lived() as made:
        for asset, day in ((ONE, 0), (ONE, 1), (OTHER, 0), (ONE, 0)):
            event = dg.AssetMaterialization(asset, partition=str(DAYS[day]))
            made.report_runless_asset_event(event)
        yield made


def test_the_newest_of_each_day_is_named_as_dagster_has_it(instance):
    found = newest_materialisations(instance, [ONE, OTHER, NEVER], DAYS)
    assert {a: set(days) for a, days in found.items()} == {
        ONE: {"2025-01-01", "2025-01-02"},
        OTHER: {"2025-01-01"},
        NEVER: set(),
    }
    newest = instance.fetch_materializations(ONE, limit=1).records[0]
    target = found[ONE]["2025-01-01"]
    assert (target.storage_id, target.run_id) == (newest.storage_id, newest.run_id)
    assert target.timestamp == pytest.approx(newest.timestamp, abs=1e-5)


def test_a_wiped_asset_has_none(instance):
    instance.wipe_assets([ONE])
    found = newest_materialisations(instance, [ONE, OTHER], DAYS)
    assert (found[ONE], set(found[OTHER])) == ({}, {"2025-01-01"})


def test_all_assets_of_a_step_are_looked_up_together(instance, monkeypatch):
    asked = []
    real = newest_materialisations
    monkeypatch.setattr(
        "igaming_assets.targets.newest_materialisations",
        lambda *given: asked.append(given) or real(*given),
    )
    targets = Targets([ONE, OTHER])
    assert set(targets.of(instance, ONE, DAYS)) == {"2025-01-01", "2025-01-02"}
    assert set(targets.of(instance, OTHER, DAYS[:2])) == {"2025-01-01"}
    assert Targets([ONE]).of(instance, ONE, []) == {}
    assert len(asked) == 1
