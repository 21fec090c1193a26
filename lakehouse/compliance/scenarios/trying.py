"""Tries cases, through landing, bronze, silver and the declared marts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from lakehouse.compliance.scenarios.answer import ANSWERS, Frames, answer
from lakehouse.compliance.scenarios.case import Case, Row
from lakehouse.compliance.scenarios.rows import completed
from lakehouse.compliance.scenarios.tags import can_be_tagged, of_case, tagged
from lakehouse.contracts import contracts
from lakehouse.errors import LakehouseError
from lakehouse.gold.marts import marts
from lakehouse.ingest.files.land import land
from lakehouse.ingest.files.run import ingest
from lakehouse.pipeline.marts import in_order_of_reference
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.regulation.law import load
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Commit, Days, Lake, stored_schema

TIMEZONE = "America/Los_Angeles"
NEAR = dt.timedelta(days=3)
"""Gaming days no further apart are derived in one go."""
BY = Commit("case", "case", "case")
BORNE_BY_SETTINGS = ("carded_bill_in_knowledge", "multiple_transaction_log_over")


def answers_to(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """What follows from each case, in their order: its id and the keys of the output.

    Cases of one moment and the same settings share a lake up to silver, where each has ids of
    its own; marts are derived from the rows of one case at a time, so that an answer is the
    one that the case gives alone. The lake is gone afterwards.
    """
    found: dict[int, dict[str, Any]] = {}
    for together in _alike(cases):
        found |= zip(together, _tried([cases[n] for n in together]), strict=True)
    return [found[n] for n in range(len(cases))]


def _alike(cases: Sequence[Case]) -> list[list[int]]:
    """Numbers of the cases that can share a lake."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, case in enumerate(cases):
        settings = (str(case.settings.get(k)) for k in BORNE_BY_SETTINGS)
        own = None if can_be_tagged(case) else number
        groups.setdefault((case.as_of, case.profile, *settings, own), []).append(number)
    return list(groups.values())


def _tried(cases: list[Case]) -> list[dict[str, Any]]:
    as_of = cases[0].as_of
    tags = {f"{n}~" if len(cases) > 1 else "": case for n, case in enumerate(cases)}
    with TemporaryDirectory(prefix="cases-") as folder:
        settings = _settings(cases[0], Path(folder))
        lake = Lake.open(settings)
        _land(lake, tags, Path(folder))
        for refused in ingest(lake, settings, as_of=as_of).failed:
            raise LakehouseError(f"case {', '.join(c.id for c in cases)}: {refused.reason}")
        bronze = _held(lake, "bronze")
        for table in in_order_of_reference(settings, list(bronze)):
            for days in _runs(bronze[table]["gaming_day"]):
                refresh_silver(lake, settings, table, days, BY)
        silver, quarantine = _held(lake, "silver"), _held(lake, "quarantine")
        found = []
        for tag, case in tags.items():
            held = [d for rows in of_case(tag, bronze).values() for d in rows["gaming_day"]]
            made = _derived(of_case(tag, silver), _runs(held), settings, as_of)
            found.append(answer(case, made, of_case(tag, quarantine)))
        return found


def _settings(case: Case, folder: Path) -> Settings:
    return load_settings(
        root=str(folder / "lake"),
        pii_key_file=folder / "pii.key",
        profile=case.profile,
        timezone=TIMEZONE,
        source="landing",
        **{k: case.settings[k] for k in BORNE_BY_SETTINGS if case.settings.get(k) is not None},
    )


def _land(lake: Lake, tags: Mapping[str, Case], folder: Path) -> None:
    """One file a table, of all cases."""
    given: dict[str, list[Row]] = {}
    for tag, case in tags.items():
        for table, rows in completed(case, TIMEZONE).items():
            given.setdefault(table, []).extend(tagged(table, rows, tag))
    for table, rows in given.items():
        file = folder / f"{table}.json"
        file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        land([file], table, lake)


def _held(lake: Lake, layer: str) -> Frames:
    found = {t: lake.scan(layer, t).collect() for t in contracts("source") if lake.exists(layer, t)}
    return {table: rows for table, rows in found.items() if rows.height}


def _derived(silver: Frames, ranges: list[Days], settings: Settings, as_of: dt.datetime) -> Frames:
    """Mart → its rows of all days that a case has rows of, as the mart is declared."""
    law, found = load(settings.profile), dict(silver)
    for name, mart in marts().items():
        if name not in ANSWERS or mart.sources().isdisjoint(silver):
            continue
        schema = stored_schema(mart.layer, name)
        made = [pl.DataFrame(schema=schema)]
        for days in ranges:
            frames = {
                i.table: _table(i.layer, i.table, found)
                .lazy()
                .filter(pl.col("gaming_day").is_between(*i.window(days, law)))
                for i in mart.reads(settings)
            }
            rows = mart.rows(frames, settings=settings, days=days, as_of=as_of)
            made.append(rows.select(pl.col(n).cast(t) for n, t in schema.items()).collect())
        found[name] = pl.concat(made)
    return {name: rows for name, rows in found.items() if name in ANSWERS}


def _table(layer: str, table: str, found: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return found[table] if table in found else pl.DataFrame(schema=stored_schema(layer, table))


def _runs(days: Iterable[dt.date]) -> list[Days]:
    """Ranges that hold all the days, so that years without a row are not derived."""
    found: list[Days] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] <= NEAR:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
