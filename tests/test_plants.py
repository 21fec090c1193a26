"""Rows of the truth table: how strongly each thing was planted, and what only looks like it."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.simulate.kernel.plants import planted

DAY = dt.date(2025, 1, 1)


def plants(**more: object) -> pl.DataFrame:
    ids = pl.Series(["a", "b"])
    given = {"entity_type": "player", "entity": ids, "table": "financial_txn", "key": None}
    return planted("pooling", ids, **given, rule="pooling", day=DAY, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("intensity", "strength"),
    [(1.0, "blatant"), (0.67, "blatant"), (0.66, "middling"), (0.34, "middling"), (0.33, "faint"),
     (0.0, "faint"), (None, None)],
)  # fmt: skip
def test_strength_says_the_third_of_the_scale(
    intensity: float | None, strength: str | None
) -> None:
    found = plants(intensity=pl.Series([intensity, 1.0]), is_look_alike=pl.Series([True, False]))
    assert found.schema == contract("plants").bronze_schema()
    assert found["strength"].to_list() == [strength, "blatant"]
    assert found["is_look_alike"].to_list() == [True, False]


def test_defects_and_filing_faults_have_no_intensity() -> None:
    found = plants()
    assert found["intensity"].null_count() == found["strength"].null_count() == 2
    assert not found["is_look_alike"].any()
