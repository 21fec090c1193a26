"""A clean lake, copies of it with mutations, and what the checks say of each copy."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.instances import short_lived
from benchmarks.mutations.defects import DERIVED, Mutation
from igaming_assets.resources import Clock
from igaming_assets.running import judge_days, run_days
from lakehouse.quality.recorded import HOME
from lakehouse.quality.registry import checks
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Days, Lake
from lakehouse.storage.shapes import partition_columns

COMMIT = Commit("mutation", "mutation", "1")
NOW = dt.datetime(2025, 6, 1, 20, tzinfo=dt.UTC)
START = dt.date(2025, 1, 1)
DAYS: Days = (START, START + dt.timedelta(19))
"""Two weeks of history, and days to damage."""
DAMAGED = tuple(START + dt.timedelta(n) for n in (16, 17, 18))
JUDGED: Days = (DAMAGED[0], DAYS[1])
"""With a last day that is never damaged."""
SCALE = 0.05
SUITE = {
    "name": "cage",
    "expectations": [
        {
            "type": "expect_column_values_to_not_be_in_set",
            "kwargs": {"column": "cage_location", "value_set": ["Nowhere"]},
            "severity": "critical",
        },
        {
            "type": "expect_column_values_to_not_be_in_set",
            "kwargs": {"column": "notes", "value_set": ["?"]},
            "severity": "warning",
        },
    ],
}

Verdict = tuple[str, dt.date]
"""Address of a check that did not pass, and the gaming day."""


def settings_at(folder: Path, **more: Any) -> Settings:
    """Of a lake in this folder, with a suite of Great Expectations beside it."""
    suites = folder / "expectations"
    suites.mkdir(parents=True, exist_ok=True)
    (suites / "silver.financial_txn.json").write_text(json.dumps(SUITE))
    return Settings(
        root=str(folder / "lake"),
        scale=SCALE,
        start=START,
        faults=False,
        expectations=suites,
        data_docs=folder / "docs",
        **more,
    )


def clean_lake(folder: Path, **more: Any) -> Settings:
    settings = settings_at(folder, **more)
    with short_lived() as instance:
        clock = Clock(at=NOW.isoformat())
        run_days(settings, DAYS, now=NOW, instance=instance, clock=clock)
    return settings


@dataclass
class Slot:
    """A damaged day of a copy, and its mutations."""

    day: dt.date
    mutations: list[Mutation] = field(default_factory=list)

    def takes(self, one: Mutation) -> bool:
        """Mutations of one day touch different tables and fail different checks, so that each
        failure has one cause; what follows any change of bronze those of bronze may share."""
        shared = {DERIVED} if not any(m.told for m in (one, *self.mutations)) else set()
        fails = {f for other in self.mutations for f in other.fails} - shared
        return one.table not in {m.table for m in self.mutations} and not fails & set(one.fails)


def batches(mutations: Iterable[Mutation]) -> list[list[Slot]]:
    """Mutations in as few copies of the lake as hold them."""
    copies: list[list[Slot]] = []
    for one in mutations:
        free = [slot for copy in copies for slot in copy if slot.takes(one)]
        if not free:
            copies.append([Slot(day) for day in DAMAGED])
            free = copies[-1]
        free[0].mutations.append(one)
    return copies


def copied(clean: Settings, folder: Path) -> Settings:
    settings = settings_at(folder, domains=clean.domains)
    shutil.copytree(clean.root, settings.root)
    keys = Path(f"{clean.root}.keys")
    shutil.copytree(keys, Path(f"{settings.root}.keys"))
    return settings


def damage(settings: Settings, one: Mutation, day: dt.date) -> None:
    lake = Lake.open(settings)
    home = one.layer, one.table
    rows = lake.scan(*home, days=(day, day)).filter(pl.col("gaming_day") == day).collect()
    broken = one.damage(rows, lake, day)
    marks = {day: lake.tokens(*home).get(day, "")}
    commit = COMMIT.deriving({day: ""} if one.told else marks)
    if one.layer == "bronze" or not partition_columns(*home):
        commit = COMMIT
    if partition_columns(*home):
        lake.write_days(*home, broken, (day, day), commit=commit)
    else:
        others = pl.col("gaming_day") != day
        kept = lake.scan(*home).filter(others).collect()
        lake.rebuild(*home, lambda _: pl.concat([kept, broken]), commit=commit)


def judged(settings: Settings, days: Days = JUDGED) -> None:
    """All checks, as `lakehouse checks run` judges: the results are in the lake."""
    with short_lived() as instance:
        clock = Clock(at=NOW.isoformat())
        every = checks(settings, NOW).values()
        judge_days(settings, every, days, instance=instance, clock=clock)


def open_verdicts(settings: Settings, days: Days = JUDGED) -> dict[Verdict, str]:
    """What did not pass of the judged days → its status, from the table of results."""
    rows = Lake.open(settings).scan(*HOME, days=days).filter(pl.col("status") != "passed")
    table = pl.format("{}/{}:{}", "layer", "table_name", "check_name")
    named = rows.select(table, "gaming_day", "status").collect()
    return {(check, day): status for check, day, status in named.iter_rows()}


def expected(copy: Iterable[Slot], settings: Settings) -> dict[Verdict, str]:
    severity = {c.address: c.severity for c in checks(settings, NOW).values()}
    word = {"error": "failed", "warn": "warned"}
    return {
        (check, slot.day): word[severity[check]]
        for slot in copy
        for one in slot.mutations
        for check in one.fails
    }


@dataclass(frozen=True)
class Trial:
    """One copy: what must fail, and what says something else than it did of the clean lake."""

    slots: list[Slot]
    wanted: dict[Verdict, str]
    found: dict[Verdict, str]

    def of(self, slot: Slot, one: Mutation) -> list[str]:
        """What failed of a mutation: checks that are to, and checks on its table that no other
        mutation of the day explains."""
        others = {f for other in slot.mutations if other is not one for f in other.fails}
        failed = {check for check, day in self.found if day == slot.day}
        mine = {f for f in failed - others if f.split(":")[0].endswith(f"/{one.table}")}
        return sorted(failed & set(one.fails) | mine)


def trials(clean: Settings, folder: Path, mutations: Iterable[Mutation]) -> Iterator[Trial]:
    before = open_verdicts(clean)
    for n, slots in enumerate(batches(mutations)):
        settings = copied(clean, folder / str(n))
        for slot in slots:
            for one in slot.mutations:
                damage(settings, one, slot.day)
        judged(settings)
        after = open_verdicts(settings)
        healed = {verdict: "passed" for verdict in before if verdict not in after}
        new = {verdict: status for verdict, status in after.items() if verdict not in before}
        yield Trial(slots, expected(slots, settings), new | healed)
        shutil.rmtree(folder / str(n))
