"""Guards against figures of detection that are good by construction: what the rules find is lost
with the labels, and no single feature tells a faint case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.guards import ASKED, MOST, aucs, faintest, separations
from benchmarks.worlds import Floor
from lakehouse.detection.registry import rules
from lakehouse.detection.scoring.quality import quality
from lakehouse.simulate.faults.house_cases import KINDS as HOUSE
from lakehouse.simulate.faults.scenarios import KINDS as PATRONS
from lakehouse.simulate.kernel.config import Faults, WorldConfig

OFTEN = replace(Faults(), misconduct=8.0, **{kind: 5 * getattr(Faults(), kind) for kind in HOUSE})
SHUFFLES = 20
SURE, REAL = 0.999, 0.99
"""Of an honest shuffle, so many stay inside the bound; of chance, so many have fewer true alerts
than a rule is to have."""
FEWEST = 4
"""Entities with an alert of a rule, below which precision says nothing."""


@pytest.fixture(scope="module")
def floor() -> Floor:
    return Floor(WorldConfig(seed=31, scale=0.3, faults=OFTEN), 30)


@pytest.fixture(scope="module")
def entities(floor: Floor) -> list[list[str]]:
    """Machines, players, badges, dealers and cashiers that there are."""
    named = {
        "machine_id": ["slot_telemetry"],
        "player_id": ["slot_telemetry", "table_games"],
        "badge_number": ["security_events"],
        "dealer_id": ["table_games"],
        "cashier_id": ["financial_txn"],
    }
    return [
        pl.concat([floor.table(t).select(column).drop_nulls() for t in tables])
        .unique()
        .collect()[column]
        .sort()
        .to_list()
        for column, tables in named.items()
    ]


@pytest.fixture(scope="module")
def alerts(floor: Floor) -> pl.DataFrame:
    """Of each entity one alert of a rule, its strongest: several of one are right together."""
    found = [floor.alerts(name) for name in sorted(rules().keys() & ASKED.keys())]
    columns = ["alert_id", "rule", "entity_id", "gaming_day", "window_start", "score"]
    return (
        pl.concat([rows.select(columns) for rows in found])
        .sort("score", "alert_id", descending=[True, False])
        .unique(["rule", "entity_id"], keep="first", maintain_order=True)
    )


def precision(
    floor: Floor, alerts: pl.DataFrame, plants: pl.DataFrame
) -> dict[str, tuple[int, int]]:
    """Rule → how many of its alerts are true, and how many there are."""
    units = floor.table("slot_performance").select(
        "gaming_day", entity_id="machine_id", entity_type=pl.lit("machine"), amount=pl.lit(1.0)
    )
    last = (floor.days[1], floor.days[1])
    families = {name: rules()[name].family for name in alerts["rule"].unique()}
    told = quality(
        alerts, plants, units.collect(), last, families=families, window=floor.count
    ).filter(strength="all")
    return {r: (t, n) for r, t, n in told.select("rule", "alerts_true", "alerts").iter_rows()}


def permuted(plants: pl.DataFrame, entities: list[list[str]], seed: int) -> pl.DataFrame:
    """The same cases on the same days, of others of the same kind of entity."""
    rng = np.random.default_rng(seed)
    of = {a: b for some in entities for a, b in zip(some, rng.permutation(some), strict=True)}
    return plants.with_columns(pl.col("entity_id").replace(of))


def base_rates(
    alerts: pl.DataFrame, plants: pl.DataFrame, entities: list[list[str]]
) -> dict[str, float]:
    """Rule → the chance that a case shows on anybody of an alert's entities in its window."""
    group = {name: k for k, some in enumerate(entities) for name in some}
    real = plants.filter(~pl.col("is_look_alike")).with_columns(
        group=pl.col("entity_id").replace_strict(group, default=None)
    )
    shown = real.select("kind", "group", "entity_id", "gaming_day").unique()
    rates: dict[str, list[float]] = {}
    for rule, who, first, last in alerts.select(
        "rule", "entity_id", "window_start", "gaming_day"
    ).iter_rows():
        inside = shown.filter(pl.col("kind") == rule, pl.col("gaming_day").is_between(first, last))
        missed = 1.0
        for one in who.split("+"):
            k = group[one]
            missed *= 1 - inside.filter(group=k)["entity_id"].n_unique() / len(entities[k])
        rates.setdefault(rule, []).append(1 - missed)
    return {rule: float(np.mean(each)) for rule, each in rates.items()}


@pytest.mark.slow
def test_with_the_labels_permuted_precision_falls_to_the_base_rate(
    floor: Floor, alerts: pl.DataFrame, entities: list[list[str]]
) -> None:
    """Of n alerts on other entities each, as many are true by chance as a binomial of the base
    rate allows in 99.9% of cases; with the labels as they are, more than in 99%."""
    from scipy.stats import binom  # a second, which each run of any test would wait

    plants = floor.plants
    base = base_rates(alerts, plants, entities)
    as_they_are = precision(floor, alerts, plants)
    true = dict.fromkeys(base, 0)
    for seed in range(SHUFFLES):
        for rule, (hits, _) in precision(floor, alerts, permuted(plants, entities, seed)).items():
            true[rule] += hits
    judged = {}
    for rule, rate in base.items():
        hits, n = as_they_are[rule]
        by_chance = binom.interval(SURE, n * SHUFFLES, rate)
        is_real = n < FEWEST or hits > binom.ppf(REAL, n, rate)
        judged[rule] = (by_chance[0] <= true[rule] <= by_chance[1], is_real)
    assert judged == dict.fromkeys(base, (True, True))
    assert sum(n >= FEWEST for _, n in as_they_are.values()) > 8
    assert sum(hits for hits, _ in as_they_are.values()) > 10 * sum(true.values()) / SHUFFLES


@pytest.mark.slow
def test_a_detector_that_knew_the_labels_would_be_seen(
    floor: Floor, alerts: pl.DataFrame, entities: list[list[str]]
) -> None:
    """Alerts that follow the labels wherever they go stay precise: that is over the bound."""
    plants = permuted(floor.plants, entities, 0)
    real = plants.filter(~pl.col("is_look_alike"), kind="meter_against_play")
    leaked = real.unique("entity_id").select(
        "entity_id", "gaming_day", alert_id="entity_id", rule="kind", window_start="gaming_day",
        score=pl.lit(1.0),
    )  # fmt: skip
    from scipy.stats import binom

    hits, n = precision(floor, leaked, plants)["meter_against_play"]
    rate = base_rates(leaked, plants, entities)["meter_against_play"]
    assert hits == n > 10
    assert rate < 0.1
    assert hits > binom.ppf(SURE, n, rate)


def test_the_order_of_pairs_is_counted_by_hand() -> None:
    """Cases have 3, none, 5; others 1, 3. Of six pairs 3 has 1 below it and 3 beside it, 5 both;
    a missing value is below all: 3.5 of 6. The other way round it is as telling."""
    rows = pl.DataFrame({"up": [3.0, None, 5.0, 1.0, 3.0], "text": ["a"] * 5})
    is_case = pl.Series([True, True, True, False, False])
    both = rows.with_columns(down=-pl.col("up").fill_null(-9))
    found = dict(aucs(both, is_case).iter_rows())
    assert found == pytest.approx({"up": 3.5 / 6, "down": 3.5 / 6})


@pytest.mark.slow
def test_no_feature_tells_a_faint_case_by_itself() -> None:
    """Of each kind; but those that the records determine, by the features that are their
    definition."""
    found = separations(faintest(11))
    assert set(found["kind"]) == set(ASKED)
    told = found.filter(pl.col("auc") > MOST, ~pl.col("is_definition"))
    assert told.select("kind", "feature").rows() == []


def test_every_planted_kind_is_asked_for() -> None:
    """An agent is no misconduct."""
    assert ASKED.keys() == (PATRONS.keys() | HOUSE.keys()) - {"agent"}
