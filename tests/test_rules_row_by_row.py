"""Rules beside an engine that looks at a row at a time: the same entities on the same days."""

import pytest

from benchmarks.rules import COMPARED, ours, row_by_row
from benchmarks.worlds import Floor
from lakehouse.detection.registry import rules
from lakehouse.simulate.kernel.config import Faults, WorldConfig


def test_columns_and_rows_find_the_same() -> None:
    faults = Faults(misconduct=8.0, door_without_badge=0.1, card_sharing=0.01)
    floor = Floor(WorldConfig(seed=23, scale=0.3, faults=faults), 3)
    read = {x.table for n in COMPARED for x in rules()[n].reads}
    tables = {name: floor.silver(name).collect() for name in read}
    found = ours(tables, floor.days)
    assert row_by_row(tables) == found
    assert found["door_without_badge"]
    assert found["card_sharing"]


@pytest.mark.parametrize("rule", COMPARED)
def test_what_is_compared_is_a_rule(rule: str) -> None:
    assert rule in rules()
