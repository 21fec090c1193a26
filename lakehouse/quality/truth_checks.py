"""Truths across tables as checks: each on the last table that it reads, by gaming day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

import polars as pl

from lakehouse.quality.findings import PATRONS, Truth, judged, openly, summed_up
from lakehouse.quality.registry import declares
from lakehouse.quality.results import KEYS_SHOWN, Check, Family, Judgement
from lakehouse.quality.stored_days import days_with_rows
from lakehouse.quality.truth_sql import breaches
from lakehouse.quality.truths import TRUTHS
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, portions

_NOTHING = {"unexplained": 0, "explained": 0}


@declares
def truth_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    """A truth is shown on the last of its inputs: the table that could still be mended. A
    breach of one that holds by construction is an error; any other, where no row kept out of
    silver explains it, is news about the casino: a warning."""
    for truth in TRUTHS.values():
        yield Check(
            truth.name,
            truth.tables[-1],
            Family.TRUTH,
            "error" if truth.blocking else "warn",
            "It holds by construction: where it does not, the numbers are wrong."
            if truth.blocking
            else "What no rejected row explains is news about the casino, not a fault here.",
            truth.description,
            partial(judge, truth),
            tables=tuple(truth.tables),
        )


def judge(truth: Truth, lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    """A day passes where the rows kept out of silver explain every finding to the cent, and
    every input has rows of it: of a day without data nothing is said, unless it is a breach."""
    found: dict[dt.date, dict[str, Any]] = {}
    subjects: dict[dt.date, list[str]] = {}
    for piece in portions(lake, days, *truth.tables):
        scan = partial(lake.scan, days=piece)
        rows = openly(truth, judged(truth, scan))
        found |= summed_up(truth, rows)
        unsettled = rows.filter(pl.col("rows").list.len() == 0)
        named = unsettled.group_by("gaming_day").agg(pl.col("subject").unique().sort())
        subjects |= dict(named.iter_rows())
    there = set.intersection(*(days_with_rows(lake, *table) for table in truth.tables))
    return {
        day: _judgement(truth, day, found.get(day, _NOTHING), subjects.get(day, []))
        for day in each_day(days)
        if day in there | set(found)
    }


def _judgement(truth: Truth, day: dt.date, said: dict[str, Any], subjects: list[str]) -> Judgement:
    open_, settled = said["unexplained"], said["explained"]
    return Judgement(
        open_ == 0,
        _in_words(truth, said),
        float(open_),
        0.0,
        failing_rows=None if truth.of_patrons else open_ + settled,
        keys=() if truth.of_patrons else tuple(subjects[:KEYS_SHOWN]),
        sql=breaches(truth, day) if open_ and not truth.of_patrons else None,
        more=said,
    )


def _in_words(truth: Truth, said: dict[str, Any]) -> str:
    settled = said["explained"]
    because = f"; rows kept out of silver explain {settled:,} more" if settled else ""
    if said["unexplained"]:
        # Of patrons the days are told, not how many (31 U.S.C. 5318(g)(2)).
        found = f"{_differences(said['unexplained'])}, first {said['first']}"
        return f"{f'It differs for {PATRONS}' if truth.of_patrons else found}{because}."
    if not settled:
        return "Nothing differs."
    every = "the only difference" if settled == 1 else f"all {settled:,} differences"
    return f"Rows kept out of silver explain {every}."


def _differences(count: int) -> str:
    return "1 difference" if count == 1 else f"{count:,} differences"
