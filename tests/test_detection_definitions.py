"""What of the planted meets the definition of structuring, worked by hand."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.detection.scoring.definitions import (
    BY_DEFINITION,
    Moved,
    Structuring,
    structuring_by_definition,
)

D = dt.date(2025, 3, 10)
PARAMS = {"from_usd": 8000, "to_usd": 10000, "amounts": 2, "hours": 72, "totals": 2, "days": 7}
RULE = Structuring.of(PARAMS)


def moved(day: int, usd: str, hour: int = 20, minute: int = 0) -> Moved:
    at = dt.datetime(2025, 3, 10, hour, minute, tzinfo=dt.UTC) + dt.timedelta(days=day)
    return Moved(at, D + dt.timedelta(days=day), int(Decimal(usd) * 100))


@pytest.mark.parametrize(
    ("rows", "completed"),
    [
        # Two single amounts, on one day and on two.
        ([moved(0, "9000"), moved(0, "9000", 21)], 0),
        ([moved(0, "9000"), moved(3, "9000")], 3),
        # Two totals that no single amount makes; on the seventh day after, and on the eighth.
        ([moved(0, "4500"), moved(0, "4500"), moved(7, "5000"), moved(7, "3000")], 7),
        ([moved(0, "9000"), moved(8, "9000")], None),
        # The band, to the cent.
        ([moved(0, "8000"), moved(1, "10000")], 1),
        ([moved(0, "7999.99"), moved(1, "9000")], None),
        ([moved(0, "10000.01"), moved(1, "9000")], None),
        # A total of the day between them that is over the threshold does not end the pattern...
        ([moved(0, "9000"), moved(1, "9000"), moved(1, "9500", 22), moved(2, "9000")], 1),
        ([moved(0, "9000"), moved(1, "6000"), moved(1, "6000", 22), moved(3, "9000")], 3),
        # ...and an amount over it does.
        ([moved(0, "9000"), moved(1, "10000.01"), moved(2, "9000")], None),
        ([moved(0, "9000"), moved(1, "10000.01"), moved(2, "9000"), moved(3, "9000")], 3),
        ([], None),
    ],
)
def test_amounts_meet_the_definition_on_the_day_on_which_they_come_again(
    rows: list[Moved], completed: int | None
) -> None:
    expected = None if completed is None else D + dt.timedelta(days=completed)
    assert RULE.completed(rows) == expected


@pytest.mark.parametrize(("minute", "completed"), [(0, True), (1, False)])
def test_single_amounts_lie_72_hours_apart_at_the_most(minute: int, completed: bool) -> None:
    """Their totals are in no band: each day has another $2,000."""
    rows = [moved(0, "9000"), moved(0, "2000", 21), moved(3, "9000", 20, minute)]
    rows.append(moved(3, "2000", 21))
    assert (RULE.completed(rows) is not None) is completed


def plant(name: str, who: str, kind: str, days: list[int], **more: object) -> list[dict]:
    about = {
        "plant_id": name, "kind": kind, "entity_type": "player", "entity_id": who,
        "window_start": D + dt.timedelta(days[0]), "window_end": D + dt.timedelta(days[-1]),
        "table_name": "financial_txn", "row_key": None, "expected_rule": kind, "intensity": 0.5,
        "strength": "middling", "is_look_alike": False,
    } | more  # fmt: skip
    return [about | {"gaming_day": D + dt.timedelta(n)} for n in days]


def test_cases_that_meet_it_count_and_others_that_do_are_neither_right_nor_wrong() -> None:
    """P1 meets it; P2 is a case below it; P3, honest, meets it; P4, honest, does not; P5 meets it
    after the window, and so is one of another strength; P6's amounts are of no planted day alone,
    and meet it; so do those of P7, of whom nothing was planted, and not those of P8."""
    plants = [
        *plant("s1", "P1", "structuring", [0, 1]),
        *plant("s2", "P2", "structuring", [0, 1]),
        *plant("s3", "P3", "marker_cycle", [0, 1], is_look_alike=True),
        *plant("s4", "P4", "structuring", [0], is_look_alike=True),
        *plant("s5", "P5", "structuring", [1, 2]),
        *plant("s6", "P6", "structuring", [1]),
    ]
    amounts = [
        ("P1", 0, 9000), ("P1", 1, 9000), ("P2", 0, 9000), ("P2", 1, 7000), ("P3", 0, 9000),
        ("P3", 1, 9000), ("P4", 0, 9000), ("P5", 1, 9000), ("P5", 2, 9000), ("P6", 0, 9000),
        ("P6", 1, 9000), ("P7", 0, 9000), ("P7", 1, 9000), ("P8", 0, 9000), ("P8", 1, 12000),
    ]  # fmt: skip
    rows = [
        {"player_id": who, "side": "in", "gaming_day": m.gaming_day, "at": m.at, "amount": usd}
        for who, n, usd in amounts
        for m in [moved(n, str(usd))]
    ]
    found = structuring_by_definition(
        pl.DataFrame(plants, schema=contract("plants").bronze_schema()),
        pl.DataFrame(rows),
        PARAMS,
        (D, D + dt.timedelta(days=1)),
    )
    labels = dict(found.select("entity_id", "strength").unique().iter_rows())
    assert labels == {
        "P1": BY_DEFINITION,
        "P2": "other",
        "P3": "other",
        "P5": "other",
        "P6": "other",
        "P7": "other",
    }
    assert found["expected_rule"].unique().to_list() == ["structuring"]
    assert not found["is_look_alike"].any()
