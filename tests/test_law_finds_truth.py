"""On a simulated casino the law derives exactly what the world owes, and reconciliation and
the patterns find exactly what was planted."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields

import polars as pl
import pytest

from lakehouse.contracts import told_apart
from lakehouse.gold.compliance.ctr_filings import ctr_exceptions, ctr_filings
from lakehouse.gold.compliance.filing_reconciliation import filing_reconciliation
from lakehouse.gold.compliance.logs import form_8300_notices
from lakehouse.gold.compliance.obligations import Required
from lakehouse.gold.compliance.suspicion import sar_cases
from lakehouse.gold.compliance.tax_forms import form_1042s, w2g_forms
from lakehouse.gold.marts import marts as declared
from lakehouse.regulation.law import load
from lakehouse.settings import load_settings
from lakehouse.silver import clean
from lakehouse.simulate.kernel.config import Faults, WorldConfig
from lakehouse.simulate.labels.filings import truth_obligations
from lakehouse.simulate.world import World
from tests import law_definitions

ZONE, LAW = "America/Los_Angeles", load("us-federal")
COUNT, FILED_LATER = 8, 28
AS_OF = dt.datetime(2027, 6, 1, tzinfo=dt.UTC)
PARENTS = ("player_profile", "financial_txn")
PATTERNS = ("structuring", "minimal_play", "chip_walking", "bill_stuffing", "pooling")
"""Planted kinds that a case is opened for within these days, where the law's definition covers
the case: the faint ones stay below its amounts."""


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(seed=7, scale=0.5, faults=Faults(misconduct=4.0, pooling=0.002)))


@pytest.fixture(scope="module")
def days(world) -> list[dt.date]:
    return [world.config.start + dt.timedelta(days=n) for n in range(COUNT + FILED_LATER)]


@pytest.fixture(scope="module")
def silver(world, days) -> dict[str, pl.LazyFrame]:
    found: dict[str, pl.LazyFrame] = {}
    rest = ("gaming_wins", "compliance", "table_games", "slot_telemetry", "staff_observations")
    for table in (*PARENTS, *rest):
        needed = days if table == "compliance" else days[:COUNT]
        rows = pl.concat([told_apart(table, world.frame(table, d))[table] for d in needed])
        # The profiles of the days to come are not made, so filings are not judged as orphans.
        known = {p: found[p] for p in PARENTS if p in found and table != "compliance"}
        found[table] = clean(table, rows, timezone=ZONE, parents=known).good.lazy()
    return found


@pytest.fixture(scope="module")
def marts(silver, days):
    asked = {"days": (days[0], days[COUNT - 1]), "law": LAW, "timezone": ZONE}
    cage, wins, known = silver["financial_txn"], silver["gaming_wins"], silver["player_profile"]
    return (
        ctr_filings(cage, wins, None, known, **asked, as_of=AS_OF).collect(),
        ctr_exceptions(cage, wins, None, known, **asked, as_of=AS_OF).collect(),
        w2g_forms(wins, known, **asked).collect(),
        form_1042s(wins, known, **asked).collect(),
        form_8300_notices(cage, days=asked["days"], law=LAW).collect(),
    )


@pytest.fixture(scope="module")
def owed(world) -> pl.DataFrame:
    return pl.concat([truth_obligations(world, n) for n in range(COUNT)])


@pytest.fixture(scope="module")
def reconciled(marts, silver, days):
    return filing_reconciliation(
        silver["compliance"],
        days=(days[0], days[COUNT - 1]),
        law=LAW,
        timezone=ZONE,
        as_of=AS_OF,
        **{f.name: m.lazy() for f, m in zip(fields(Required), marts, strict=True)},
    ).collect()


def dollars(cents: int | None) -> int | None:
    return None if cents is None else -(-cents // 100)


@pytest.mark.slow
def test_currency_reports_are_those_the_world_owes(marts, owed):
    truth = owed.filter(form="CTR").to_dicts()
    filed, held = marts[:2]
    derived = {(r["filing_id"], r["cash_in"], r["cash_out"], r["due"]) for r in filed.to_dicts()}
    assert derived == {
        (r["obligation"], dollars(r["in_cents"]), dollars(r["out_cents"]), r["due"])
        for r in truth
        if not r["is_held"]
    }
    known = held.filter(pl.col("player_id").is_not_null())
    assert set(known["exception_id"]) == {r["obligation"] for r in truth if r["is_held"]}
    assert len(derived) > 5


@pytest.mark.slow
def test_tax_forms_are_those_the_world_owes(marts, owed):
    derived = {(f"W2G-{w}", int(usd * 100)) for w, usd in marts[2].select(
        "win_id", "reportable_winnings").rows()}  # fmt: skip
    truth = owed.filter(form="W2G").select("obligation", "amount_cents")
    assert derived == set(truth.rows())
    assert len(derived) > 5


@pytest.mark.slow
def test_each_filing_fault_is_found_and_nothing_else(plants, owed, reconciled):
    wanted = {
        r["obligation"].replace("W2G-", "W-2G-"): (
            "held_back" if r["is_held"] else {"none": "matched"}.get(r["fault"], r["fault"])
        )
        for r in owed.filter(pl.col("form") != "SAR").to_dicts()
    }
    named = reconciled.filter((pl.col("verdict") != "needless") & pl.col("player_id").is_not_null())
    assert dict(named.select("reconciliation_id", "verdict").rows()) == wanted
    planted = plants.filter(kind="filing_needless")["row_key"]
    needless = reconciled.filter(verdict="needless")["report_id"]
    assert set(needless) == set(planted)
    assert {"late", "missing", "wrong_amount"} & set(wanted.values())


@pytest.fixture(scope="module")
def plants(world, days) -> pl.DataFrame:
    """What the floor's labels tell, beside the defects of one table."""
    return pl.concat([world.plants(d, ["gaming_wins"]) for d in days[:COUNT]])


@pytest.fixture(scope="module")
def covered(world, days, plants) -> tuple[pl.DataFrame, set[tuple[str, str]]]:
    """What was planted on players, and the cases that the law's definitions cover."""
    plants = plants.filter(entity_type="player")
    rows = (
        pl.concat([world.clean(t, d) for d in days[:COUNT]])
        for t in ("financial_txn", "table_games", "slot_telemetry")
    )
    return plants, law_definitions.covered(plants, *rows)


@pytest.mark.slow
def test_each_planted_pattern_has_its_case(days, silver, covered):
    known = {i.table: silver[i.table] for i in declared()["sar_cases"].inputs}
    window = (days[0], days[COUNT - 1])
    found = sar_cases(days=window, law=LAW, timezone=ZONE, as_of=AS_OF, **known).collect()
    opened = set(found.explode("player_ids").select("typology", "player_ids").rows())
    plants, determined = covered
    assert {kind for kind, _ in determined} == set(PATTERNS)
    assert determined <= opened
    cases = plants.filter(pl.col("kind").is_in(PATTERNS) & ~pl.col("is_look_alike"))
    faint = set(cases.select("kind", "entity_id").rows()) - determined
    assert faint
    assert not found["filed"].any()


@pytest.mark.slow
def test_what_the_definitions_cover_is_alerted_of(days, silver, covered):
    """And of structuring nobody else, of whom nothing was planted."""
    plants, determined = covered
    mart = declared()["alerts"]
    frames = {i.table: silver[i.table] for i in mart.inputs}
    settings = load_settings()
    window = (days[0], days[COUNT - 1])
    found = mart.rows(frames, settings=settings, days=window, as_of=AS_OF).collect()
    alerted = found.explode("player_ids").select("rule", "player_ids").unique()
    assert determined - set(alerted.rows()) == set()
    structured = alerted.filter(rule="structuring")["player_ids"]
    assert structured.len() > 1
    assert set(structured) <= set(plants["entity_id"])
