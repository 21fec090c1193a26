"""From a file to a mapping for it: columns, forms and zones, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from lakehouse.contracts import Contract, contract, doors
from lakehouse.errors import BadInput
from lakehouse.ingest.files.columns import match_columns
from lakehouse.ingest.files.inference.assignment import Chosen, assigned, derived
from lakehouse.ingest.files.inference.attempt import withstood
from lakehouse.ingest.files.inference.forms import (
    Habits,
    currency_of,
    day_form,
    days_of,
    moment_form,
    moments_of,
)
from lakehouse.ingest.files.inference.keys import with_composite_key
from lakehouse.ingest.files.inference.looks import Look, looks, spoken
from lakehouse.ingest.files.inference.names import language, likeness
from lakehouse.ingest.files.inference.patrons import minimal_profiles
from lakehouse.ingest.files.inference.relations import ends, related
from lakehouse.ingest.files.inference.sample import Sample, sampled
from lakehouse.ingest.files.inference.scores import Evidence
from lakehouse.ingest.files.inference.start import Start, read_start
from lakehouse.ingest.files.inference.writing import block, head_lines, required, stub
from lakehouse.ingest.files.values import SIGNS

Known = Dictionary[tuple[str, str], frozenset[str]]
_LEAST = 2


@dataclass(frozen=True)
class Proposal:
    """A mapping as TOML, and what it leaves open, one line each. `chosen`: what is proposed,
    what is set aside among it."""

    table: str
    toml: str
    unmatched: tuple[str, ...]
    chosen: tuple[Chosen, ...] = ()


def infer(
    path: Path,
    table: str | None,
    *,
    timezone: str,
    start: Path | None = None,
    known: Known = MappingProxyType({}),
    tables: Collection[str] | None = None,
) -> Proposal:
    """Looks at names in several languages, at values, at what columns say of each other, and at
    what the lake knows. Where no table is said, one of `tables` is chosen, or of all. `timezone`
    is proposed where times carry no offset and their names no zone. What the mapping at `start`
    says, stays. `known`: (table, column) → values.

    Raises BadInput for a file that cannot be read, or that resembles no table, and for a bad
    mapping.
    """
    begun = read_start(start, table)
    sample = sampled(path, begun.mapping)
    found = looks(sample.piece.frame, sample.columns, begun.mapping.nulls)
    habits = _habits(found, begun, timezone)
    relations = related(found, habits)
    blank = Evidence(next(iter(doors().values())), habits, relations, known)
    if begun.table is None:
        begun = read_start(start, _table(path, found, blank, tables))
    evidence = replace(blank, contract=contract(begun.table or ""))
    return _proposed(sample, found, begun, evidence, timezone)


def _habits(found: list[Look], begun: Start, timezone: str) -> Habits:
    names = [k.name for k in found]
    commas = {k.has_comma for k in found} - {None}
    comma = begun.mapping.decimal_comma or (True in commas and False not in commas)
    clocks = [k for k in found if k.is_clock]
    zone = begun.mapping.timezone or timezone
    habits = Habits(language(names), comma, zone, clocks[0] if clocks else None)
    forms = [(k, form) for k in found if (form := moment_form(k, habits)) and not form.is_day]
    moments = {k.name: moments_of(k, form, zone) for k, form in forms}
    first, last = ends({n: x for n, x in moments.items() if x is not None})
    days = [k.name for k in found if (form := moment_form(k, habits)) and form.is_day]
    times = list(moments) or days
    return replace(
        habits,
        last_year=_last_year(found, habits),
        first_time=first,
        last_time=last,
        times=len(times),
        only_time=times[0] if len(times) == 1 else "",
        has_quantity=any(likeness(n, "quantity") >= 0.7 for n in names),
    )


def _last_year(found: list[Look], habits: Habits) -> int:
    forms = {k.name: (k, form) for k in found if (form := day_form(k, habits))}
    days = [days_of(k, form) for k, form in forms.values()]
    return max((int(d.dt.year().max() or 0) for d in days if d is not None), default=0)  # type: ignore[arg-type]


def _table(path: Path, found: list[Look], blank: Evidence, tables: Collection[str] | None) -> str:
    scores: dict[str, float] = {}
    asked = {n: c for n, c in doors().items() if tables is None or n in tables}
    for name, c in asked.items():
        evidence = replace(blank, contract=c)
        chosen = assigned(found, evidence, frozenset())
        chosen += derived(found, chosen, evidence, frozenset())
        if len(chosen) >= _LEAST:
            given = {x.ours for x in chosen}
            unplaced = c.event_time is not None and c.event_time not in given
            keyed = 0.3 if c.key[0] in given else 0.0
            scores[name] = sum(x.score for x in chosen) + keyed - 0.8 * unplaced
            scores[name] -= 0.3 * (c.monthly_rows == 0)
            scores[name] += 0.05 * sum(n in given for n in required(c))
    if not scores:
        raise BadInput(f"{path}: its columns resemble no table; say which with --table")
    return max(scores, key=lambda n: scores[n])


def _proposed(
    sample: Sample, found: list[Look], begun: Start, evidence: Evidence, timezone: str
) -> Proposal:
    c, habits = evidence.contract, evidence.habits
    spoken_for = begun.sources
    free = [k for k in found if k.name not in spoken_for and k is not habits.clock]
    chosen = assigned(free, evidence, begun.columns)
    chosen += derived(free, chosen, evidence, begun.columns)
    chosen = with_composite_key(free, chosen, c)
    head = _head(sample, found, begun, habits, c.name)
    chosen = [_in_dollars(x, found, chosen, c) for x in chosen]
    full = {**begun.given, **head}
    chosen = withstood(sample, c, full, chosen, timezone)
    chosen += _kept_out(chosen, c, sample, begun)
    order = list(c.columns)
    chosen.sort(key=lambda x: order.index(x.ours))
    lines = [*head_lines(head), begun.text.strip("\n")]
    blocks = [block(x) for x in chosen]
    given = {x.ours for x in chosen if not x.aside} | begun.columns
    lacking = [n for n in required(c) if n not in given]
    aside = {x.ours for x in chosen if x.aside}
    blocks += [stub(c, n) for n in lacking if n not in aside]
    used = {t for x in chosen for t in x.theirs} | begun.sources
    blocks += minimal_profiles(found, chosen, evidence, used)
    toml = "\n".join(["\n".join(n for n in lines if n) + "\n", *blocks])
    ends = [_list_inside(n) for n in sample.lists]
    ends += _open_ends(c, found, chosen, begun, habits, lacking)
    return Proposal(c.name, toml, tuple(ends), tuple(chosen))


def _head(
    sample: Sample, found: list[Look], begun: Start, habits: Habits, table: str
) -> dict[str, Any]:
    nulls = list(dict.fromkeys(n for k in found for n in k.nulls))
    said: dict[str, Any] = {"table": table, **sample.shape}
    if habits.has_comma:
        said["decimal_comma"] = True
    if nulls:
        said["nulls"] = nulls
    return {k: v for k, v in said.items() if k not in begun.given}


def _in_dollars(x: Chosen, found: list[Look], chosen: list[Chosen], c: Contract) -> Chosen:
    """Amounts of other currencies are no dollars: they wait for rates."""
    column = c.columns[x.ours]
    if (column.metadata or {}).get("unit") != "USD" or not isinstance(column.dtype, pl.Decimal):
        return x
    by_name = {k.name: k for k in found}
    of = {y.ours: y for y in chosen}
    money = of["currency"].theirs if "currency" in of else ()
    codes = [v.upper() for n in money for v in by_name[n].distinct]
    named = re.findall(rf"\b({'|'.join(SIGNS)})\b", " ".join(x.theirs).upper())
    foreign = sorted({*codes, *named, *(currency_of(by_name[t]) for t in x.theirs)} - {"USD"})
    if not foreign:
        return x
    currency = spoken(money[0]) if money else repr(foreign[0])
    when = of[c.event_time or ""].theirs if c.event_time in of else ("…",)
    amount = x.rule.get("value") or spoken(x.theirs[0])
    day = _day_of(of.get(c.event_time or ""), when[0])
    shown = {k: v for k, v in x.rule.items() if k in ("unit", "currency", "decimal_comma")}
    rule = {**shown, "value": f"usd({amount}, {currency}, {day})", "round": "half_up"}
    rates = f"[rates.{foreign[0]}], such as 2025-01-31 = 1.0412, for each currency"
    why = f"amounts are in {', '.join(foreign[:3])} and ours are dollars: give {rates}"
    return replace(x, rule=rule, aside=why)


def _day_of(moment: Chosen | None, column: str) -> str:
    form = str(moment.rule.get("format", "")) if moment is not None else ""
    return f"day({spoken(column)}, {form!r})" if form else f"day({spoken(column)})"


def _kept_out(chosen: list[Chosen], c: Contract, sample: Sample, begun: Start) -> list[Chosen]:
    """A column with our very name is taken without being asked for: where it was not chosen, or
    was set aside, the mapping has to say that it is not taken."""
    live = {x.ours for x in chosen if not x.aside} | begun.columns
    alike = match_columns(c, begun.mapping, sample.columns).taken
    why = ("a column of the file has the name, and its values are something else",)
    wrong = [n for n in alike if n not in live and n not in c.key]
    return [Chosen(n, (), {"empty": True}, 0.9, why) for n in wrong]


def _list_inside(path: str) -> str:
    return f"rows hold a list at {path!r}: where its elements are the rows, say rows = {path!r}"


def _open_ends(
    c: Contract,
    found: list[Look],
    chosen: list[Chosen],
    begun: Start,
    habits: Habits,
    lacking: list[str],
) -> list[str]:
    used = {t for x in chosen for t in x.theirs} | begun.sources
    if habits.clock is not None and any("moment(join(" in str(x.rule) for x in chosen):
        used.add(habits.clock.name)
    said = [f"no column of {c.name} for {k.name!r}" for k in found if k.name not in used]
    there = {k.name.strip().casefold() for k in found}
    gone = [n for n in begun.mapping.asked if n.strip().casefold() not in there]
    said += [f"the mapping names {n!r}, which the file has not" for n in gone]
    aside = {x.ours: x for x in chosen if x.aside}
    said += [f"{n} is set aside: {x.aside}" for n, x in aside.items()]
    return [
        *said,
        *(
            f"nothing in the file for {n}, which {c.name} requires"
            for n in lacking
            if n not in aside
        ),
    ]
