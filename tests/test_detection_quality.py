"""Alerts held against the truth, worked by hand."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.contracts.columns import STRENGTHS
from lakehouse.contracts.detection.detection_quality import LONGEST
from lakehouse.detection.scoring.quality import quality
from lakehouse.gold.marts import marts
from lakehouse.simulate.faults import house_cases, scenarios

D = dt.date(2025, 3, 10)
FAMILIES = {"r": "machine"}


def day(n: int) -> dt.date:
    return D + dt.timedelta(days=n)


def alert(entity: str, n: int, score: float, since: int | None = None) -> dict[str, Any]:
    return {
        "alert_id": f"r-{n}-{entity}",
        "rule": "r",
        "entity_id": entity,
        "gaming_day": day(n),
        "window_start": day(n if since is None else since),
        "score": score,
    }


def plant(
    name: str, entity: str, n: int, strength: str = "blatant", ends: int | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "plant_id": name,
        "kind": "k",
        "entity_type": "machine",
        "entity_id": entity,
        "window_start": day(n),
        "window_end": day(n if ends is None else ends),
        "table_name": "t",
        "row_key": None,
        "expected_rule": "r",
        "intensity": 0.9,
        "strength": strength,
        "is_look_alike": False,
        "gaming_day": day(n),
    } | more


def units(*amounts: tuple[str, int, float]) -> pl.DataFrame:
    rows = [(e, day(n), "machine", a) for e, n, a in amounts]
    return pl.DataFrame(
        rows, schema=["entity_id", "gaming_day", "entity_type", "amount"], orient="row"
    )


def scored(
    alerts: list[dict[str, Any]],
    plants: list[dict[str, Any]],
    at_risk: pl.DataFrame,
    strength: str = "all",
    days: tuple[int, int] = (0, 0),
    window: int = 28,
    scores: pl.DataFrame | None = None,
    strengths: tuple[str, ...] = STRENGTHS,
) -> dict[str, Any]:
    """The one row of a strength."""
    shape = {
        "alert_id": pl.String, "rule": pl.String, "entity_id": pl.String,
        "gaming_day": pl.Date, "window_start": pl.Date, "score": pl.Float64,
    }  # fmt: skip
    found = quality(
        pl.DataFrame(alerts, schema=shape),
        pl.DataFrame(plants, schema=contract("plants").bronze_schema()),
        at_risk,
        (day(days[0]), day(days[1])),
        families=FAMILIES,
        window=window,
        scores=scores,
        strengths=strengths,
    )
    row: dict[str, Any] = found.filter(pl.col("strength") == strength).row(0, named=True)
    return row


FOUR = units(("A", 0, 10.0), ("B", 0, 40.0), ("C", 0, 30.0), ("D", 0, 20.0))


def test_one_of_two_cases_found_and_one_false_alarm() -> None:
    """Ranked by score: A (a case), C (none), then B (a case) and D share the rest."""
    row = scored(
        [alert("A", 0, 0.9), alert("C", 0, 0.4)], [plant("p1", "A", 0), plant("p2", "B", 0)], FOUR
    )
    assert (row["cases"], row["cases_found"], row["alerts"], row["alerts_true"]) == (2, 1, 2, 1)
    assert (row["recall"], row["precision"]) == (0.5, 0.5)
    assert (row["alerts_per_day"], row["alerts_per_case"]) == (2.0, 2.0)
    assert row["base_rate"] == 0.5
    # Half of the cases at precision 1, the other half at the base rate.
    assert row["auprc"] == pytest.approx(0.75)
    # By amount B, C, D, A: (1/1 + 2/4) / 2.
    assert row["amount_auprc"] == pytest.approx(0.75)


def test_a_rule_that_scores_everybody_is_ranked_by_its_scores() -> None:
    """B (a case) before A (none), then C and D (a case) share the last place; the alert on A says
    nothing of the rank, and D's 0 and what is out of the window are as if not there."""
    rows = [("B", 0, 0.3), ("A", 0, 0.2), ("A", 0, 0.1), ("D", 0, 0.0), ("D", -1, 0.9)]
    scores = pl.DataFrame(
        [("r", e, day(n), s) for e, n, s in rows],
        schema=["rule", "entity_id", "gaming_day", "score"],
        orient="row",
    )
    plants = [plant("p1", "B", 0), plant("p2", "D", 0)]
    row = scored([alert("A", 0, 0.9)], plants, FOUR, window=1, scores=scores)
    # Half of the cases at precision 1, the other half at the base rate, which is a half.
    assert (row["auprc"], row["alerts"], row["recall"]) == (pytest.approx(0.75), 1, 0.0)


def test_equal_amounts_are_ranked_the_same_each_time() -> None:
    """By name: A, then B. Whatever the order of rows."""
    rows = [("B", 0, 5.0), ("A", 0, 5.0)]
    found = [scored([], [plant("p", "A", 0)], units(*r)) for r in (rows, rows[::-1])]
    assert [f["amount_auprc"] for f in found] == [1.0, 1.0]


def test_no_alert_has_the_base_rate_and_no_precision() -> None:
    row = scored([], [plant("p1", "A", 0)], FOUR)
    assert row["precision"] is None
    assert row["lead_days"] is None
    assert (row["recall"], row["auprc"], row["base_rate"]) == (0.0, 0.25, 0.25)


def test_an_alert_on_a_look_alike_is_false_and_said() -> None:
    row = scored(
        [alert("A", 0, 0.9), alert("B", 0, 0.9)],
        [plant("p1", "A", 0), plant("p2", "B", 0, is_look_alike=True)],
        FOUR,
    )
    assert (row["alerts_true"], row["alerts_on_look_alikes"], row["cases"]) == (1, 1, 1)


def test_an_alert_after_the_case_is_true_if_its_window_reaches_back() -> None:
    at_risk = units(("A", 0, 1.0), ("A", 2, 1.0), ("B", 0, 1.0))
    late = scored([alert("A", 2, 0.9, since=0)], [plant("p1", "A", 0)], at_risk, days=(2, 2))
    blind = scored([alert("A", 2, 0.9, since=1)], [plant("p1", "A", 0)], at_risk, days=(2, 2))
    assert (late["recall"], late["lead_days"]) == (1.0, -2.0)
    assert blind["recall"] == 0.0


def test_lead_counts_from_the_first_alert_to_the_end() -> None:
    plants = [plant("p1", "A", n, ends=9) for n in range(10)]
    at_risk = units(*(("A", n, 1.0) for n in range(10)))
    row = scored([alert("A", 3, 0.5), alert("A", 5, 0.9)], plants, at_risk, days=(9, 9))
    assert (row["cases"], row["alerts_per_case"], row["lead_days"]) == (1, 2.0, 6.0)


def test_a_pair_is_true_where_either_is() -> None:
    row = scored([alert("X+A", 0, 0.9)], [plant("p1", "A", 0)], FOUR)
    assert (row["alerts"], row["alerts_true"], row["auprc"]) == (1, 1, 1.0)


def test_cases_of_another_strength_are_neither_found_nor_false() -> None:
    plants = [plant("p1", "A", 0), plant("p2", "B", 0, "faint")]
    alerts = [alert("A", 0, 0.9), alert("B", 0, 0.5), alert("C", 0, 0.2)]
    faint = scored(alerts, plants, FOUR, "faint")
    assert (faint["cases"], faint["recall"], faint["precision"]) == (1, 1.0, 0.5)
    assert faint["auprc"] == 1.0


def test_a_day_is_of_its_own_window() -> None:
    """What was planted and seen before the window, or after the day, does not count."""
    plants = [plant("p0", "A", -2), plant("p1", "A", 0), plant("p2", "A", 1)]
    alerts = [alert("A", -2, 0.9), alert("A", 1, 0.9)]
    at_risk = units(("A", -2, 1.0), ("A", 0, 1.0), ("A", 1, 1.0))
    row = scored(alerts, plants, at_risk, window=2)
    assert (row["cases"], row["cases_found"], row["alerts"], row["days"]) == (1, 0, 0, 1)


def test_defects_and_kinds_without_a_rule_are_not_scored() -> None:
    plants = [
        plant("p1", "A", 0, intensity=None),
        plant("p2", "B", 0, expected_rule="agent"),
    ]
    found = quality(
        pl.DataFrame([alert("A", 0, 0.9)]),
        pl.DataFrame(plants, schema=contract("plants").bronze_schema()),
        FOUR,
        (D, D),
        families=FAMILIES,
    )
    assert found.is_empty()


def test_the_scoring_reads_the_truth_and_nothing_reads_the_scoring() -> None:
    readers = {n for n, m in marts().items() for i in m.inputs if i.layer == "truth"}
    of_it = {n for n, m in marts().items() for i in m.inputs if i.table in readers}
    assert (readers, of_it) == ({"detection_quality", "fraud_quality"}, set())


def test_a_case_is_judged_when_it_is_over_by_all_alerts_of_it() -> None:
    """p1 ended in the window and was alerted of before it; p2 ended without an alert; p3 has only
    begun; p4 was over before the window."""
    plants = [
        *(plant("p1", "A", n, ends=-1) for n in (-40, -1)),
        plant("p2", "B", 0),
        plant("p3", "C", 0, ends=9, strength="faint"),
        *(plant("p4", "D", n, ends=-28) for n in (-29, -28)),
    ]
    row = scored([alert("A", -39, 0.9, since=-40)], plants, FOUR)
    assert (row["cases"], row["cases_found"], row["recall"]) == (3, 0, 0.0)
    assert (row["cases_ended"], row["cases_ended_found"], row["recall_ended"]) == (2, 1, 0.5)
    faint = scored([alert("A", -39, 0.9, since=-40)], plants, FOUR, "faint")
    assert (faint["cases_ended"], faint["recall_ended"]) == (0, None)


@pytest.mark.parametrize(("n", "found"), [(-68, 1), (-69, 0)])
def test_alerts_of_a_case_reach_as_far_back_as_the_longest_one(n: int, found: int) -> None:
    """A case of 42 days that ended on the first of 28: 27 and 41 days before the last."""
    plants = [plant("p1", "A", n, ends=-27), plant("p2", "B", 0)]
    assert scored([alert("A", n, 0.9)], plants, FOUR)["cases_ended_found"] == found


def test_no_simulated_case_is_longer() -> None:
    assert max(scenarios.LONGEST, house_cases.LONGEST) == LONGEST


def test_strengths_may_be_others() -> None:
    plants = [plant("p1", "A", 0, "plain"), plant("p2", "B", 0, "dim")]
    row = scored([alert("A", 0, 0.9)], plants, FOUR, "plain", strengths=("plain",))
    assert (row["cases"], row["cases_found"]) == (1, 1)
