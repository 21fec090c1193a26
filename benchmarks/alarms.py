"""Checks on simulated lakes: false alarms on clean ones, whether warnings on a spoiled one are
true, what they cost, and how fast texts are scanned for personal data.

`python -m benchmarks alarms` writes its tables into docs/checks.md. The lakes are made as a
user makes them; with BENCH_LAKES=folder in the environment they are kept there and used again.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.lake import START, measured
from benchmarks.page import PAGE, written
from lakehouse.quality.personal import found_texts, text_columns, vault_texts
from lakehouse.quality.planted import kinds_behind
from lakehouse.quality.profiles import PROFILES, profiled_tables
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Check, Family
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Days, Lake, stored_schema

TUNED, UNSEEN = (42, 7), (101, 202, 303)
"""Seeds that thresholds were set on, and seeds that were not looked at before they were."""
SPOILED, UNSEEN_SPOILED = 42, 202
NUMBER = 60
DAYS: Days = (START, START + dt.timedelta(NUMBER - 1))
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MEASURES = (Family.VOLUME, Family.NULLS, Family.DRIFT, Family.FRESHNESS, Family.PRIVACY)
OTHERS = ("hold_is_inside_its_interval", "profile_totals_are_the_facts", "excluded_do_not_play")


@dataclass
class Count:
    """Of one check over all its tables: days judged, days that did not pass, of which true."""

    judged: int = 0
    raised: int = 0
    true: int = 0


def settings_of(lake: Lake, seed: int) -> Settings:
    return Settings(root=lake.root, seed=seed, start=START)


@contextmanager
def lakes() -> Iterator[Path]:
    kept = os.environ.get("BENCH_LAKES")
    if kept:
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def made(root: Path, seed: int, *, spoiled: bool) -> Lake:
    """A lake of 60 days of all domains at default scale."""
    if not (root / "lake").exists():
        root.mkdir(parents=True, exist_ok=True)
        os.environ |= {"LAKEHOUSE_SEED": str(seed), "LAKEHOUSE_FAULTS": str(spoiled).lower()}
        arguments = ["run", "--from", str(DAYS[0]), "--to", str(DAYS[1])]
        measured([sys.executable, "-m", "lakehouse", *arguments], root, domains=DOMAINS)
    return Lake(str(root / "lake"))


def counted(lake: Lake, seed: int) -> dict[str, Count]:
    found: dict[str, Count] = defaultdict(Count)
    for check in checks(settings_of(lake, seed), NOW).values():
        one = found[check.name]
        for day, said in check.judge(lake, DAYS).items():
            one.judged += 1
            if not said.passed:
                one.raised += 1
                one.true += bool(kinds_behind(lake, check, day, said))
                print(f"    {check.address} {day}: {said.said}", file=sys.stderr)
    return found


def alarms(clean: dict[int, Lake], spoiled: Lake, seed: int) -> list[str]:
    of_clean = {seed: counted(lake, seed) for seed, lake in clean.items()}
    of_spoiled = counted(spoiled, seed)
    heads = [f"clean, seed {seed}: judged" + " | raised" for seed in clean]
    lines = [
        f"| check | {' | '.join(heads)} | spoiled, seed {seed}: judged | raised | of them true |",
        "|---" * (2 * len(clean) + 4) + "|",
    ]
    for name in sorted(of_spoiled):
        cells = [f"{c[name].judged} | {c[name].raised}" for c in of_clean.values()]
        one = of_spoiled[name]
        lines.append(f"| {name} | {' | '.join(cells)} | {one.judged} | {one.raised} | {one.true} |")
    totals = [
        f"{sum(c.judged for c in found.values())} | {sum(c.raised for c in found.values())}"
        for found in (*of_clean.values(), of_spoiled)
    ]
    true = sum(c.true for c in of_spoiled.values())
    return [*lines, f"| all | {' | '.join(totals)} | {true} |"]


def costs(lake: Lake) -> list[str]:
    """Of the checks on history, privacy and between tables that stand beside contracts."""
    lines = ["| days | table profiles | wall s | CPU s |", "|---|---|---|---|"]
    mine = [c for c in checks(settings_of(lake, 42), NOW).values() if _is_measure(c)]
    for number in (1, 30):
        days = (DAYS[1] - dt.timedelta(number - 1), DAYS[1])
        for state in ("to be counted", "known"):
            if state == "to be counted":
                _forget(lake, days)
            wall, cpu = time.perf_counter(), time.process_time()
            for check in mine:
                check.judge(lake, days)
            spent = time.perf_counter() - wall, time.process_time() - cpu
            lines.append(f"| {number} | {state} | {spent[0]:.2f} | {spent[1]:.2f} |")
    return lines


def _is_measure(check: Check) -> bool:
    return check.name != "is_there_by_ten" and (check.family in MEASURES or check.name in OTHERS)


def _forget(lake: Lake, days: Days) -> None:
    from lakehouse.quality.history_checks import COMMIT

    empty = lake.scan(*PROFILES, days=days).clear().collect()
    lake.write_days(*PROFILES, empty, days, commit=COMMIT)


def scanned(lake: Lake) -> list[str]:
    """Cells of text a second, all tables, 30 days."""
    known = vault_texts(lake.scan("restricted", "identity_vault"))
    days = (DAYS[1] - dt.timedelta(29), DAYS[1])
    cells: dict[str, int] = {}
    spent: dict[str, float] = {}
    for layer, table in profiled_tables():
        columns = text_columns(stored_schema(layer, table))
        rows = lake.scan(layer, table, days=days)
        height = (
            lake.partitions(layer, table)
            .filter(pl.col("gaming_day").is_between(*days))["rows"]
            .sum()
        )
        if layer == "bronze" or not columns or not height:
            continue
        name = f"{layer}.{table}"
        begun = time.perf_counter()
        found_texts(rows, columns, known)
        spent[name] = time.perf_counter() - begun
        cells[name] = int(height) * len(columns)
    largest = max(cells, key=lambda n: cells[n])
    every = sum(cells.values()), sum(spent.values())
    lines = ["| texts of 30 days | cells | s | million cells/s |", "|---|---|---|---|"]
    for name, count, s in ((largest, cells[largest], spent[largest]), ("all tables", *every)):
        lines.append(f"| {name} | {count:,} | {s:.2f} | {count / s / 1e6:.1f} |")
    return lines


def main() -> None:
    with lakes() as root:
        unseen(root)
        clean = {seed: made(root / f"clean{seed}", seed, spoiled=False) for seed in TUNED}
        spoiled = made(root / "spoiled", SPOILED, spoiled=True)
        parts = [alarms(clean, spoiled, SPOILED), costs(spoiled), scanned(spoiled)]
    told("measured", "\n\n".join("\n".join(part) for part in parts))


def unseen(root: Path) -> None:
    """The same on seeds that no threshold was set on."""
    clean = {seed: made(root / f"clean{seed}", seed, spoiled=False) for seed in UNSEEN}
    spoiled = made(root / f"spoiled{UNSEEN_SPOILED}", UNSEEN_SPOILED, spoiled=True)
    told("unseen", "\n".join(alarms(clean, spoiled, UNSEEN_SPOILED)))


def told(name: str, text: str) -> None:
    """Prints a text and puts it between the markers of that name of the page."""
    print(text)
    written(PAGE, name, text)
