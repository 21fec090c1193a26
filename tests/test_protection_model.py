"""The learned score: what it is trained on, that it is the same however it is made, and used."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from silver_rows import mart, silver

from lakehouse.detection.models.card import card
from lakehouse.detection.models.forest import Forest, average_path, fit
from lakehouse.detection.models.protection import FEATURES
from lakehouse.gold.detection.player_protection import player_protection
from lakehouse.gold.detection.protection_model import forests, protection_model
from lakehouse.regulation.gaming_day import each_day

MONDAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(1)
PLAYERS, DAYS = 25, 14
Row = dict[str, Any]


def markers(player: int, day: dt.date, **more: Any) -> Row:
    """Of an ordinary day; what differs between patrons and days follows from their numbers."""
    seed = (player * 7919 + day.toordinal() * 104_729) % 1_000
    row = {"player_id": f"P{player:02}", "gaming_day": day, "active_days": 1 + seed % 5}
    row |= {"minutes_per_day": 40.0 + seed % 90, "minutes": 60, "rounds_per_day": 100.0 + seed}
    row |= {"sessions": 1 + seed % 4, "deposits_per_session": 1.0 + seed % 3, "games": seed % 4}
    return row | {"baseline": "none", "main_game": "machines"} | more


def fortnight(before: dt.date = MONDAY, players: int = PLAYERS, days: int = DAYS) -> list[Row]:
    return [markers(p, before - n * DAY) for n in range(1, days + 1) for p in range(players)]


def models(rows: list[Row], first: dt.date = MONDAY, last: dt.date = MONDAY) -> pl.DataFrame:
    return protection_model(mart("player_markers", rows), wanted=each_day((first, last))).collect()


def test_a_forest_scores_as_the_library_does() -> None:
    from sklearn.ensemble import IsolationForest

    from lakehouse.detection.models import forest as ours

    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 4)).round(3)
    model = IsolationForest(
        n_estimators=ours.TREES, max_samples=ours.SAMPLE, random_state=ours.SEED, n_jobs=1
    ).fit(rows)
    path = -np.log2(-model.score_samples(rows)) * average_path(np.array([ours.SAMPLE]))
    assert fit(rows).path(rows) == pytest.approx(path, abs=1e-9)


def test_the_share_is_of_the_training() -> None:
    """Of the training itself a tenth is more unusual than nine tenths of it; what lies far out is
    more unusual than all of it."""
    rows = np.random.default_rng(2).normal(size=(2_000, 3))
    forest = fit(rows)
    share = forest.share_less_unusual(rows)
    for cut in (0.5, 0.9, 0.99):
        assert (share > cut).mean() == pytest.approx(1 - cut, abs=0.01)
    assert forest.share_less_unusual(np.full((1, 3), 50.0))[0] == 1.0
    assert forest.share_less_unusual(np.zeros((1, 3)))[0] < 0.2


@pytest.mark.parametrize(
    ("players", "days", "many"),
    [(PLAYERS, DAYS, 1), (PLAYERS * 2, DAYS - 1, 0), (21, DAYS, 0)],
    ids=["enough", "thirteen days", "294 rows"],
)
def test_a_model_takes_history_enough(players: int, days: int, many: int) -> None:
    assert len(models(fortnight(players=players, days=days))) == many


def test_only_mondays_have_a_model() -> None:
    found = models(fortnight(), MONDAY, MONDAY + 13 * DAY)
    assert found["gaming_day"].to_list() == [MONDAY, MONDAY + 7 * DAY]


def test_a_model_knows_nothing_of_its_own_day_or_after() -> None:
    past = fortnight()
    future = [markers(p, MONDAY + n * DAY, long_stretches=9) for n in range(9) for p in range(50)]
    assert models(past).equals(models(past + future))
    assert models(past)["trained_until"].to_list() == [MONDAY]
    changed = [r | {"long_stretches": 9} if r["player_id"] == "P03" else r for r in past]
    assert models(past)["version"][0] != models(changed)["version"][0]


def test_a_model_forgets_after_twelve_weeks() -> None:
    past = fortnight()
    old = [markers(p, MONDAY - 85 * DAY) for p in range(PLAYERS)]
    assert models(past).equals(models(past + old))
    kept = [markers(p, MONDAY - 84 * DAY) for p in range(PLAYERS)]
    assert models(past + kept)["trained_rows"].to_list() == [PLAYERS * (DAYS + 1)]


def test_the_order_of_rows_and_of_days_makes_no_other_model() -> None:
    rows = fortnight() + fortnight(MONDAY + 7 * DAY, days=7)
    both = models(rows, MONDAY, MONDAY + 7 * DAY)
    alone = [models(rows[::-1], m, m) for m in (MONDAY + 7 * DAY, MONDAY)]
    assert pl.concat(alone).sort("gaming_day").equals(both)


def test_a_stored_forest_is_the_trained_one() -> None:
    found = models(fortnight())
    version, forest = forests(found)[MONDAY]
    assert version == found["version"][0] == f"forest of {MONDAY}, {forest.digest}"
    assert found["features"][0].to_list() == list(FEATURES)


PLAY = (MONDAY - DAY, MONDAY, MONDAY + 6 * DAY, MONDAY + 7 * DAY)


def scored(rows: list[Row], known: pl.DataFrame, day: dt.date) -> dict[str, tuple[Any, str]]:
    profiles = silver("player_profile", [])
    found = player_protection(
        mart("player_markers", rows), known.lazy(), profiles, days=(day, day)
    ).collect()
    columns = ["player_id", "learned_score", "learned_by"]
    return {p: (score, by) for p, score, by in found.select(columns).rows()}


def test_a_day_of_play_has_the_newest_model_before_it() -> None:
    """A Sunday that of the Monday before it; before the first model there is none, and it says
    so. What is said of a day of play stays the same while the row lasts."""
    past = fortnight() + fortnight(MONDAY + 7 * DAY, days=7)
    known = models(past, MONDAY, MONDAY + 7 * DAY)
    first, second = known["version"].to_list()
    rows = [markers(60 + n, day) for n, day in enumerate(PLAY)]
    found = scored(rows, known, MONDAY + 7 * DAY)
    assert [found[f"P{60 + n}"][1] for n in (1, 2, 3)] == [first, first, second]
    assert found["P60"][0] is None
    assert found["P60"][1].startswith("no model yet")
    assert all(0 <= found[f"P{60 + n}"][0] <= 1 for n in (1, 2, 3))
    later = scored(rows, known, MONDAY + 20 * DAY)
    assert {p: found[p] for p in later} == later


def test_what_is_unusual_scores_higher() -> None:
    known = models(fortnight())
    odd = {"active_days": 25, "long_stretches": 9, "minutes_per_day": 600.0, "reversals": 20}
    found = scored([markers(1, MONDAY), markers(2, MONDAY, **odd)], known, MONDAY)
    assert found["P02"][0] > 0.97
    assert found["P01"][0] < 0.95


def test_features_say_nothing_of_who_or_how_rich() -> None:
    columns = {c for v in FEATURES.values() for c in v.meta.root_names()}
    assert not columns & {"player_id", "gaming_day", "staked_per_day", "stake_mean", "loss",
                          "net_deposits", "main_game"}  # fmt: skip


def test_a_forest_is_applied_without_the_library() -> None:
    """It is imported to train and for nothing else."""
    code = """
import sys, numpy as np
from lakehouse.detection.models.card import card
from lakehouse.detection.models.forest import Forest
import lakehouse.gold.detection.player_protection
f = Forest(((0, 0, 1.5, 1, 2, 0.0), (0, -1, 0.0, -1, -1, 1.0), (0, -1, 0.0, -1, -1, 3.0)), (1., 3.))
print(f.path(np.array([[1.0], [2.0]])).tolist())
print(f.share_less_unusual(np.array([[1.0], [2.0]])).tolist())
print("sklearn" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[1.0, 3.0]", "[1.0, 0.0]", "False"]


def test_training_leaves_pandas_alone() -> None:
    """It would be imported for nothing; whoever wants it afterwards has it."""
    code = """
import sys, numpy as np
from lakehouse.detection.models.forest import fit
print(len(fit(np.arange(40.0).reshape(20, 2)).quantiles))
print("sklearn" in sys.modules, "pandas" in sys.modules)
import pandas
print(pandas.DataFrame({"a": [1]}).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["201", "True False", "(1, 1)"]


def test_a_cut_sends_what_equals_it_to_the_left() -> None:
    nodes = ((0, 0, 1.5, 1, 2, 0.0), (0, -1, 0.0, -1, -1, 1.0), (0, -1, 0.0, -1, -1, 3.0))
    assert Forest(nodes, (1.0, 3.0)).path(np.array([[1.5], [1.6]])).tolist() == [1.0, 3.0]


def test_the_card_says_what_the_lake_holds() -> None:
    known = models(fortnight())
    days = [MONDAY + n * DAY for n in range(70)]
    standing = pl.DataFrame({
        "player_id": [f"P{n % 10}" for n in range(70)],
        "gaming_day": days,
        "score": [n / 70 for n in range(70)],
        "learned_score": [1.0 if n in (3, 69) else 0.2 for n in range(70)],
    })  # fmt: skip
    # P3 joins the list ten days after first being scored; P4 had joined before.
    joined = pl.DataFrame(
        {"player_id": ["P3", "P4"], "joined": [MONDAY + 13 * DAY, MONDAY - 9 * DAY]}
    )
    said = card(known, standing, joined)
    assert known["version"][0] in said
    assert f"| trained on | 350 days of play, {MONDAY - 14 * DAY} to {MONDAY - DAY} |" in said
    assert "| over 0.99 | 1.0% | 2.9% | 3.6% |" in said  # 2 of 70, and 1 of the newest 28
    assert "| over 0.99 | 1 | 1 |" in said
    assert "| all | 10 | 1 |" in said
    assert all(f"- `{name}`" in said for name in FEATURES)
    assert "no diagnosis" in said


def test_the_card_of_a_lake_without_a_model_says_so() -> None:
    said = card(models([]), pl.DataFrame(), pl.DataFrame())
    assert "no model: it takes 300 days of play on 14 gaming days" in said
    assert "no diagnosis" in said
