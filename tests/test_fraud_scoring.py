"""Fraud against the truth, by hand; thresholds by budget; and the learned score as numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from shop_rows import FAR, order, orders

from benchmarks import fraud, fraud_plain
from benchmarks.page import told
from lakehouse.contracts import contract
from lakehouse.detection.fraud import boosting, tuning
from lakehouse.detection.fraud.boosting import FEATURES, Boosted, matrix, model, trained
from lakehouse.detection.fraud.measures import measured, nothing_remembered, remembered
from lakehouse.detection.fraud.quality import average_precision, labelled, quality, scored
from lakehouse.detection.fraud.tuning import best, tuned
from lakehouse.regulation.law import parse

DAY = dt.date(2025, 3, 2)


def plant(key: str, case: str, kind: str, *, honest: bool = False, **more: object) -> dict:
    return {
        "plant_id": case,
        "kind": kind,
        "entity_type": "account",
        "entity_id": "A00000001",
        "window_start": DAY,
        "window_end": DAY,
        "table_name": "shop_orders",
        "row_key": key,
        "expected_rule": kind,
        "intensity": 0.5,
        "strength": "middling",
        "is_look_alike": honest,
        "gaming_day": DAY,
    } | more


def plants(*given: dict) -> pl.DataFrame:
    return pl.DataFrame(given, schema=contract("plants").bronze_schema(), orient="row")


def test_average_precision_by_hand() -> None:
    """Places 1 and 4 of four: (1/1 + 2/4) / 2. All tied: the base rate."""
    score, hit = np.array([0.9, 0.7, 0.5, 0.1]), np.array([True, False, False, True])
    assert average_precision(score, hit) == 0.75
    assert average_precision(np.zeros(4), hit) == 0.5


def judged_rows(**alerts: tuple[float, str]) -> pl.DataFrame:
    """Transactions with the same score by every detector, which alerts of it from .5 on."""
    given = orders(*(order(k, f"{DAY} 20:00", "10.00", user=k) for k in alerts))
    measures, _ = measured(given, nothing_remembered())
    rows = scored(measures, model()).sort("transaction_id")
    score = pl.Series([alerts[k][0] for k in sorted(alerts)])
    return rows.with_columns(
        *(score.alias(c) for c in rows.columns if c.startswith("score:")),
        *((score >= 0.5).alias(c) for c in rows.columns if c.startswith("alert:")),
    )


def test_figures_by_hand() -> None:
    """Two cases of card testing, one found by one of its two payments; a takeover, found, which is
    no false alert of card testing; one alert of a look-alike and one of an honest payment."""
    rows = judged_rows(a=(0.9, ""), b=(0.1, ""), c=(0.2, ""), t=(0.8, ""), l=(0.7, ""), h=(0.6, ""),
                       i=(0.0, ""), j=(0.0, ""))  # fmt: skip
    truth = plants(
        plant("a", "c1", "card_testing"),
        plant("b", "c1", "card_testing"),
        plant("c", "c2", "card_testing"),
        plant("t", "c3", "account_takeover"),
        plant("l", "c4", "card_testing", honest=True),
        plant("h", "d1", "duplicate", expected_rule="duplicate", intensity=None),
    )
    found = quality(rows, truth, (DAY, DAY))
    one = found.row(
        by_predicate=(pl.col("detector") == "profile:tuned") & (pl.col("kind") == "card_testing"),
        named=True,
    )
    assert (one["transactions"], one["cases"], one["cases_found"]) == (7, 2, 1)
    assert (one["alerts"], one["alerts_true"], one["alerts_on_look_alikes"]) == (3, 1, 1)
    assert (one["recall"], one["precision"]) == (0.5, pytest.approx(1 / 3))
    assert one["transaction_recall"] == pytest.approx(1 / 3)
    # Fraud stands at places 1, 4 (.2) and 5 (.1) of seven.
    assert one["auprc"] == pytest.approx((1 / 1 + 2 / 4 + 3 / 5) / 3)
    every = found.row(
        by_predicate=(pl.col("detector") == "learned") & (pl.col("kind") == "all"), named=True
    )
    assert (every["cases"], every["cases_found"], every["alerts_true"]) == (3, 2, 2)
    assert every["base_rate"] == 0.5


def test_the_window_ends_on_its_day() -> None:
    rows, truth = judged_rows(a=(0.9, ""), b=(0.1, "")), plants(plant("a", "c", "card_testing"))
    last = DAY + dt.timedelta(days=27)
    assert quality(rows, truth, (last, last)).height
    after = last + dt.timedelta(days=1)
    assert quality(rows, truth, (after, after)).is_empty()
    assert quality(rows, truth.clear(), (DAY, DAY)).is_empty()


def test_only_rows_of_fraud_are_labels() -> None:
    given = plants(
        plant("a", "c1", "card_testing"),
        plant("b", "c2", "card_testing", table_name="shop_actions"),
        plant("c", "c3", "card_testing", row_key=None),
        plant("d", "c4", "late", expected_rule="late"),
    )
    assert labelled(given)["transaction_id"].to_list() == ["a"]


def test_the_lowest_threshold_that_keeps_its_promise() -> None:
    """Of values from 1 to 10 those from 6 on are fraud, and 4: from 4 on 6 of 7 are true, from 1
    on 6 of 10. The budget of 2 in 1,000 has room for one false alert of a thousand orders."""
    value = np.concatenate([np.arange(1.0, 11.0), np.zeros(990)])
    hit = np.isin(value, [4.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    found = best(value, hit, integral=True)
    assert (found.at, found.precision) == (4, round(6 / 7, 2))
    assert found.whole == 7.5
    none = best(np.concatenate([np.full(5, 1.0), np.full(500, 1.0)]), np.arange(505) < 5)
    assert none.precision == 0


def test_the_profile_keeps_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred payments of two dollars and one of 3,000; the budget has room for none."""
    monkeypatch.setattr(tuning, "BUDGET", 5)
    rows = [order(f"t{k}", f"{DAY} 20:00", "2.00", user=f"U{k}") for k in range(100)]
    given = orders(*rows, order("big", f"{DAY} 20:00", "3000.00", user="B"))
    measures, _ = measured(given, nothing_remembered())
    law = parse("tuned", tuned(measures, pl.Series([None] * 101, dtype=pl.String), "by hand"))
    assert tuning.judged_by(measures, law, (DAY, DAY))["level"].null_count() == 101


def some_orders(many: int) -> tuple[pl.DataFrame, pl.Series]:
    """Payments over nine days, of which the dear ones in the night are fraud."""
    draw = np.random.default_rng(5)
    rows = [
        order(
            f"t{k:04}",
            f"2025-03-{1 + k * 9 // many:02} 20:{k % 60:02}:{k % 59:02}",
            f"{draw.integers(1, 900)}.00",
            user=f"U{draw.integers(0, 30)}",
            device=f"d{draw.integers(0, 60)}",
            place=FAR if draw.random() < 0.1 else (59.44, 24.75),
        )
        for k in range(many)
    ]
    measures, _ = measured(orders(*rows), nothing_remembered())
    return measures, measures.select(
        (pl.col("cents") > 60_000) & pl.col("is_new_device")
    ).to_series()


@pytest.mark.slow
def test_numpy_says_what_scikit_learn_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    monkeypatch.setattr(boosting, "TREES", 12)
    measures, is_fraud = some_orders(900)
    ours = trained(measures, is_fraud, "by hand")
    assert trained(measures, is_fraud, "by hand") == ours
    early = (measures["gaming_day"] < dt.date(2025, 3, 7)).to_numpy()
    theirs = HistGradientBoostingClassifier(
        max_iter=12, max_leaf_nodes=boosting.LEAVES, min_samples_leaf=boosting.FEWEST,
        learning_rate=0.1, l2_regularization=1.0, early_stopping=False, random_state=boosting.SEED,
    ).fit(matrix(measures)[early], is_fraud.to_numpy()[early])  # fmt: skip
    rows = matrix(measures)
    assert ours.odds(rows) == pytest.approx(theirs.decision_function(rows), abs=1e-6)
    later = ours.probability(measures.with_columns(gaming_day=dt.date(2025, 3, 10)))
    assert later.is_between(0, 1).all()
    assert later.filter(is_fraud).mean() > 0.5 > later.filter(~is_fraud).mean()


def test_no_day_is_judged_by_a_model_that_knew_it() -> None:
    given = orders(order("a", "2025-03-01 20:00", "1.00"), order("b", "2025-03-02 20:00", "1.00"))
    measures, _ = measured(given, nothing_remembered())
    ours = replace(model(), trained_until="2025-03-02")
    assert [p is None for p in ours.probability(measures)] == [True, False]


def test_the_shipped_model_is_of_these_features_and_of_the_past() -> None:
    shipped: Boosted = model()
    assert shipped.features == list(FEATURES)
    assert dt.date.fromisoformat(shipped.trained_until) < fraud.START
    assert not set(fraud.UNSEEN) & set(fraud.TRAINED_ON)


def test_the_page_has_what_runs_printed() -> None:
    for name in ("targets", "profiles", "rules", "levels", "speed"):
        assert told(fraud.PAGE, name).startswith("|"), name
    assert model().version in fraud.CARD.read_text(encoding="utf-8")


def test_the_plain_engine_says_the_same() -> None:
    day = fraud.busy_shop(800, 60, dt.date(2025, 1, 4), 3)
    early = fraud.busy_shop(800, 60, dt.date(2025, 1, 1), 4)
    given = pl.concat([early, day])
    ours, _ = measured(given, nothing_remembered())
    theirs = fraud_plain.told(remembered(given).sort("timestamp", "transaction_id").to_dicts())
    for name in fraud_plain.SAID:
        assert ours[name].to_list() == [t[name] for t in theirs], name
    speeds = [-1.0 if t["kmh"] is None else t["kmh"] for t in theirs]
    assert ours["kmh"].fill_null(-1.0).to_list() == pytest.approx(speeds, rel=1e-6, abs=0.1)
    assert ours["is_new_device"].any()
