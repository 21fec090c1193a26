"""The report as one page of HTML that asks nothing of the network."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl
from jinja2 import Environment, StrictUndefined
from markupsafe import escape

from lakehouse.quality.results import Check
from lakehouse.serve.reports.checks.kept_out import KeptOut, by_day
from lakehouse.serve.reports.checks.told import STATES, Told
from lakehouse.serve.reports.checks.trends import Trend, trend
from lakehouse.serve.reports.checks.trust import MEANING, Trust, trusted
from lakehouse.serve.reports.checks.words import (
    FAMILIES,
    LAYERS,
    LETTERS,
    NOT_JUDGED,
    STATE_MEANING,
    STATE_WORDS,
    TERMS,
    number,
    percent,
    title_of,
)

IN_FULL = 1_000
"""Results that are told with keys and SQL, the worst and newest; of the others it is said what
was found, so that a page of a bad year can still be sent."""
Row = Mapping[str, Any]
Home = tuple[str, str]
"""Layer and table."""


def page(
    found: Told,
    kept: list[KeptOut],
    *,
    written: dt.datetime,
    dagster_url: str,
    data_docs: str | None = None,
) -> str:
    """The page. `dagster_url` is where Dagster's UI is served, `data_docs` a link to the pages of
    Great Expectations."""
    facts = _Facts(found, dagster_url)
    script = _file("page.js")
    return _template().render(
        days=facts.days(kept),
        months=_months(found.days),
        layers=facts.layers(),
        tallies=facts.tallies(),
        kept=kept,
        found=found,
        results=found.rows.height,
        states=_counts(found.rows["state"], STATES),
        newest=found.rows["judged_at"].max(),
        written=written,
        data_docs=data_docs,
        style=_file("page.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


class _Facts:
    """The results of a report, laid out as the page shows them."""

    def __init__(self, found: Told, dagster_url: str) -> None:
        self.found, self.dagster_url = found, dagster_url.rstrip("/")
        self.trusted = trusted(found)
        self.asked = {key: self._asked(check) for key, check in found.checks.items()}
        order = {layer: place for place, layer in enumerate(LAYERS)}
        homes = {(layer, table) for layer, table, _ in found.checks}
        judged = set(found.rows.select("layer", "table_name").unique().iter_rows())
        self.homes: list[Home] = sorted(homes & judged, key=lambda h: (order.get(h[0], 9), h))
        self.place = {home: place for place, home in enumerate(self.homes)}
        self.open: dict[dt.date, dict[Home, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for rank, row in enumerate(found.open_rows.iter_rows(named=True)):
            told = self._row(row, in_full=rank < IN_FULL)
            self.open[row["gaming_day"]][row["layer"], row["table_name"]].append(told)

    def _row(self, row: Row, *, in_full: bool) -> Row:
        failing, looked_at = row["failing_rows"], row["checked_rows"]
        return {
            **row,
            **self.asked[row["layer"], row["table_name"], row["check_name"]],
            "must_hold": row["severity"] == "error",
            "rate": failing / looked_at if failing is not None and looked_at else None,
            "keys": json.loads(row["keys"]) if in_full else [],
            "sql": row["sql"] if in_full else None,
            "is_cut": not in_full and (row["sql"] is not None or row["keys"] != "[]"),
        }

    def _asked(self, check: Check) -> Row:
        """What every result of a check says alike, escaped once."""
        return {
            "title": escape(title_of(check.name)),
            "address": escape(check.address),
            "rule": escape(check.description),
            "reason": escape(check.reason),
            "dagster": escape(self._dagster(check.key)),
        }

    def _dagster(self, key: tuple[str, str, str]) -> str:
        """As Dagster's UI addresses a check of an asset."""
        layer, table, name = key
        asked = urlencode({"view": "checks", "checkDetail": name})
        return f"{self.dagster_url}/assets/{quote(layer)}/{quote(table)}?{asked}"

    def days(self, kept: list[KeptOut]) -> list[Row]:
        rejected = by_day(kept)
        return [
            {
                "day": day.day,
                "trust": day.trust,
                "judged": day.judged,
                "states": day.states,
                "missing": day.missing,
                "why": self._why(day.day),
                "kept_out": rejected[day.day],
                "tables": [
                    {"home": home, "place": self.place[home], "rows": rows}
                    for home, rows in sorted(
                        self.open.get(day.day, {}).items(), key=lambda item: self.place[item[0]]
                    )
                ],
            }
            for day in self.trusted
        ]

    def _why(self, day: dt.date) -> list[str]:
        """What did not pass, the worst first."""
        every = [row for rows in self.open.get(day, {}).values() for row in rows]
        every.sort(key=lambda row: row["rank"])
        return [escape(f"{r['layer']}.{r['table_name']}: ") + r["title"] for r in every]

    def tallies(self) -> dict[Trust, int]:
        counted = Counter(day.trust for day in self.trusted)
        return {each: counted[each] for each in Trust}

    def layers(self) -> list[Row]:
        grouped = itertools.groupby(self.homes, key=lambda home: home[0])
        cells, rows = self._cells(), self.found.rows
        by_home = rows.partition_by("layer", "table_name", as_dict=True)
        return [
            {
                "name": layer,
                "tables": [
                    {
                        "name": home[1],
                        "place": self.place[home],
                        "cells": self._runs(cells[home]),
                        "has": {s for s in cells[home].values() if s},
                        "checks": list(self._checks(by_home[home])),
                        "dagster": f"{self.dagster_url}/assets/{quote(layer)}/{quote(home[1])}"
                        "?view=checks",
                    }
                    for home in homes
                ],
            }
            for layer, homes in grouped
        ]

    def _cells(self) -> dict[Home, dict[dt.date, str]]:
        """The worst state of each table on each day."""
        rank = pl.col("state").replace_strict(STATES, range(len(STATES)), return_dtype=pl.Int8)
        worst = self.found.rows.group_by("layer", "table_name", "gaming_day").agg(rank.min())
        cells: dict[Home, dict[dt.date, str]] = defaultdict(dict)
        for layer, table, day, state in worst.iter_rows():
            cells[layer, table][day] = STATES[state]
        return cells

    def _runs(self, cells: Mapping[dt.date, str]) -> list[tuple[str | None, list[dt.date]]]:
        """Days in a row of one state; null where nothing was judged."""
        runs = itertools.groupby(self.found.days, key=cells.get)
        return [(state, list(days)) for state, days in runs]

    def _checks(self, rows: pl.DataFrame) -> Iterator[Row]:
        for (name,), of_check in rows.sort("check_name", "gaming_day").group_by(
            ["check_name"], maintain_order=True
        ):
            newest = of_check.row(-1, named=True)
            check = self.found.checks[newest["layer"], newest["table_name"], str(name)]
            yield {
                **self.asked[check.key],
                "family": FAMILIES[check.family],
                "must_hold": newest["severity"] == "error",
                "newest": newest,
                "states": _counts(of_check["state"], STATES),
                "judged": of_check.height,
                "trend": self._trend(of_check),
            }

    def _trend(self, rows: pl.DataFrame) -> Trend | None:
        if rows["measure"].null_count() == rows.height:
            return None
        by = {
            day: (measure, bound, state != "passed")
            for day, measure, bound, state in rows.select(
                "gaming_day", "measure", "bound", "state"
            ).iter_rows()
        }
        lined_up = [by.get(day, (None, None, False)) for day in self.found.days]
        return trend(*map(list, zip(*lined_up, strict=True)))


def _counts(states: pl.Series, order: Iterable[str]) -> dict[str, int]:
    counted = Counter(states.to_list())
    return {state: counted[state] for state in order if counted[state]}


def _months(days: list[dt.date]) -> list[tuple[str, int]]:
    grouped = itertools.groupby(days, key=lambda day: day.strftime("%b %Y"))
    return [(month, len(list(of_month))) for month, of_month in grouped]


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "percent": percent}
    environment.globals |= {
        "letters": LETTERS,
        "words": STATE_WORDS,
        "state_meaning": STATE_MEANING,
        "meaning": MEANING,
        "layers_meaning": LAYERS,
        "terms": TERMS,
        "not_judged": NOT_JUDGED,
        "blank": "",
    }
    return environment.from_string(_file("page.html"))
