"""On a simulated day silver finds every planted row by its rule, and rejects no other row."""

import datetime as dt
from collections import Counter

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.pipeline.marts import in_order_of_reference
from lakehouse.settings import DOMAINS, Settings
from lakehouse.silver import CleanResult, clean
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.producers import producers
from lakehouse.simulate.world import World

DAY = dt.date(2025, 1, 5)
HEALED = ("late", "untidy_text")


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(seed=7))


@pytest.fixture(scope="module")
def results(world: World) -> dict[str, CleanResult]:
    done: dict[str, CleanResult] = {}
    for table in in_order_of_reference(Settings(domains=DOMAINS), tuple(producers())):
        known = {parent for parent, _ in contract(table).references().values()}
        parents = {t: done[t].good.lazy() for t in known & done.keys()}
        frame = world.frame(table, DAY)
        done[table] = clean(table, frame, timezone="America/Los_Angeles", parents=parents)
    return done


@pytest.fixture(scope="module")
def plants(world: World) -> pl.DataFrame:
    return world.plants(DAY).filter(entity_type="row")


@pytest.mark.parametrize("table", producers())
def test_every_planted_row_is_rejected_by_its_rule_and_no_other_row_is(table, results, plants):
    fatal = plants.filter(
        pl.col("table_name") == table, ~pl.col("kind").is_in([*HEALED, "retransmit"])
    )
    expected = dict(fatal.select("row_key", "expected_rule").iter_rows())
    rejected = results[table].quarantined
    key = contract(table).key[0]
    found = dict(rejected.select(key, "_rules").iter_rows())
    assert found.keys() == expected.keys()
    assert {k: expected[k] in rules for k, rules in found.items()} == dict.fromkeys(found, True)


@pytest.mark.parametrize("table", producers())
def test_every_planted_retransmission_is_a_duplicate(table, results, plants):
    sent = plants.filter(table_name=table, kind="retransmit")["row_key"]
    assert Counter(results[table].duplicates[contract(table).key[0]]) == Counter(sent)


def test_the_day_has_dirt_of_every_kind(plants):
    kinds = {"null_required", "unknown_code", "negative_amount", "clock", "orphan", "key_clash"}
    assert set(plants["kind"]) >= kinds | {"retransmit", *HEALED}
