"""A budget of alerts a day, and the dated thresholds that keep it."""

import datetime as dt

import polars as pl
import pytest

from lakehouse.cli import run
from lakehouse.detection import registry
from lakehouse.detection.budget import Proposal, as_toml, proposals
from lakehouse.detection.registry import rules, thresholds
from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law, parse

D = dt.date(2026, 1, 1)
TEN: tuple[dt.date, dt.date] = (D, D + dt.timedelta(days=9))
DAMAGE = "chips_between_counts"
"""A rule of family `table`: CRITICAL from 0.2; `table_short` is another, from 0.85."""


def alerts(**scores: list[float]) -> pl.DataFrame:
    rows = [(D, "table", rule, s) for rule, mine in scores.items() for s in mine]
    return pl.DataFrame(rows, schema=["gaming_day", "family", "rule", "score"], orient="row")


def set_on(frame: pl.DataFrame, per_day: float) -> dict[str, tuple[float, int]]:
    return {p.rule: (p.least, p.told) for p in proposals(frame, "table", TEN, per_day)}


def test_each_rule_keeps_the_same_share_of_its_own() -> None:
    """12 alerts in ten days, of which 6 are allowed: half of each rule's."""
    short = [0.8, 0.75, 0.73, 0.72, 0.71, 0.7, 0.6, 0.5]
    chips = [0.1, 0.08, 0.05, 0.02]
    found = set_on(alerts(table_short=short, chips_between_counts=chips), 0.6)
    assert found == {"table_short": (0.72, 4), DAMAGE: (0.08, 2)}


def test_of_equal_scores_all_are_kept_or_none() -> None:
    assert set_on(alerts(table_short=[0.8, 0.7, 0.7, 0.6]), 0.2) == {"table_short": (0.700001, 1)}
    assert set_on(alerts(table_short=[0.7, 0.7, 0.7, 0.6]), 0.1) == {"table_short": (0.700001, 0)}


def test_what_is_critical_is_told_whatever_the_budget() -> None:
    assert set_on(alerts(chips_between_counts=[0.9, 0.8, 0.3, 0.1]), 0.1) == {DAMAGE: (0.2, 3)}


def test_a_budget_that_is_not_reached_changes_nothing() -> None:
    assert set_on(alerts(table_short=[0.8, 0.7]), 5) == {"table_short": (0.0, 2)}


def test_days_outside_the_window_and_other_families_do_not_count() -> None:
    frame = alerts(table_short=[0.8, 0.7])
    later = frame.with_columns(gaming_day=pl.lit(TEN[1] + dt.timedelta(days=1)))
    other = frame.with_columns(family=pl.lit("staff"))
    assert set_on(pl.concat([frame, later, other]), 0.1) == {"table_short": (0.8, 1)}


@pytest.mark.parametrize(
    ("family", "per_day", "said"),
    [
        ("cash", 1.0, "family 'cash': allowed are"),
        ("tabel", 1.0, "family 'tabel': allowed are access"),
        ("table", 0.0, "--per-day 0.0: a number above 0"),
        ("table", float("nan"), "--per-day nan"),
        ("staff", 1.0, "no alert of family 'staff' from 2026-01-01 to 2026-01-10"),
    ],
)
def test_what_cannot_be_set_is_refused(family: str, per_day: float, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        proposals(alerts(table_short=[0.8]), family, TEN, per_day)


def proposed() -> Law:
    text = as_toml([Proposal("table_short", 0.72, 8, 4)], TEN, 0.6)
    return parse("proposed", text)


def test_the_text_is_two_periods_that_follow_each_other() -> None:
    before, after = proposed().periods("table_short")
    assert (before.effective_from, before.effective_to) == (dt.date(2000, 1, 1), TEN[1])
    assert before.params == thresholds().periods("table_short")[-1].params
    assert (after.effective_from, after.effective_to) == (TEN[1] + dt.timedelta(days=1), None)
    assert float(after.params["least"]) == 0.72
    assert after.params.keys() - before.params.keys() == {"least"}
    assert "0.6 alerts of the family a day, set on 2026-01-01 to 2026-01-10; 4 of 8" in (
        after.citation
    )


def test_a_window_before_the_newest_thresholds_is_refused() -> None:
    early = (dt.date(1999, 1, 1), dt.date(1999, 1, 2))
    with pytest.raises(BadInput, match="has thresholds from 2000-01-01 on"):
        as_toml([Proposal("table_short", 0.72, 8, 4)], early, 1)


@pytest.mark.parametrize(
    ("score", "day", "is_told"),
    [(0.71, TEN[1], True), (0.71, TEN[1] + dt.timedelta(days=1), False),
     (0.72, TEN[1] + dt.timedelta(days=1), True)],
)  # fmt: skip
def test_a_rule_tells_from_its_least_score_on_from_the_day_after(
    monkeypatch: pytest.MonkeyPatch, score: float, day: dt.date, is_told: bool
) -> None:
    monkeypatch.setattr(registry, "thresholds", proposed)
    found = pl.LazyFrame(
        {
            "gaming_day": [day], "entity_id": ["T"], "window_start": [day], "window_end": [day],
            "score": [score], "evidence": [[]], "said": ["."],
        }
    )  # fmt: skip
    told = registry._as_alerts(found, rules()["table_short"]).collect()
    assert told.height == is_told


def test_the_command_refuses_days_in_the_wrong_order(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["detection", "budget", "--family", "table", "--per-day", "1"]
    assert run([*asked, "--from", "2026-01-02", "--to", "2026-01-01"]) == 2
    assert "--from 2026-01-02 is after --to 2026-01-01" in capsys.readouterr().err
