"""A trial reading of the sample with a proposed mapping: what of it is rejected, and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inference.assignment import Chosen
from lakehouse.ingest.files.inference.forms import LEGIBLE, TOLERATED
from lakehouse.ingest.files.inference.sample import Sample
from lakehouse.ingest.files.inference.scores import is_ours
from lakehouse.ingest.files.mapping import Mapping, checked_mapping
from lakehouse.ingest.files.row_typing import judge
from lakehouse.ingest.files.rows import Piece, told_by_text

_TWICE = "shown_twice_by_the_clock"
Faults = dict[str, tuple[float, str]]


def withstood(
    sample: Sample, c: Contract, head: dict[str, Any], chosen: list[Chosen], timezone: str
) -> list[Chosen]:
    """The choices, those whose values are rejected set aside with the reason. `head`: what else
    the mapping says."""
    kept = [_understood(x, c, head) for x in chosen]
    for _ in range(len(kept) + 1):
        faults = _faults(sample, c, _mapping(head, kept, c), timezone)
        wrong = {x.ours for x in kept if not x.aside and _is_wrong(x, c, faults)}
        if not wrong:
            break
        kept = [_set_aside(x, faults[x.ours]) if x.ours in wrong else x for x in kept]
    return [x if x.aside or x.ours not in faults else _told(x, faults[x.ours]) for x in kept]


def _is_wrong(x: Chosen, c: Contract, faults: Faults) -> bool:
    """A column that has our name is the one; what cannot be read of it is damaged."""
    share, rule = faults.get(x.ours, (0.0, ""))
    is_named = "value" not in x.rule and any(is_ours(t, x.ours, c) for t in x.theirs)
    return share > (1 - LEGIBLE if is_named and rule != _TWICE else TOLERATED)


def _understood(x: Chosen, c: Contract, head: dict[str, Any]) -> Chosen:
    try:
        _mapping(head, [x], c)
    except BadInput as error:
        return replace(x, aside=str(error).partition(": ")[2])
    return x


def _mapping(head: dict[str, Any], chosen: list[Chosen], c: Contract) -> Mapping:
    columns = {x.ours: x.rule for x in chosen if not x.aside and x.rule}
    said = {**head, "columns": {**columns, **head.get("columns", {})}}
    return checked_mapping(said, c.name, "proposal")


def _set_aside(x: Chosen, fault: tuple[float, str]) -> Chosen:
    _, rule = fault
    mend = {"ambiguous": "earlier"}
    if rule == _TWICE and "ambiguous" not in x.rule:
        why = ("an hour that November shows twice is taken as the first of the two",)
        return replace(x, rule={**x.rule, **mend}, why=(*x.why, *why))
    return replace(x, aside=_rejected(fault))


def _told(x: Chosen, fault: tuple[float, str]) -> Chosen:
    return replace(x, more=(*x.more, _rejected(fault)))


def _rejected(fault: tuple[float, str]) -> str:
    share, rule = fault
    return f"a trial reading rejects {share:.0%} of the sample: {rule}"


def _faults(sample: Sample, c: Contract, mapping: Mapping, timezone: str) -> Faults:
    """Our column → the share of rows that break a rule of it, and the rule that most do; of
    columns where more break than a sample may have damaged."""
    as_of = dt.datetime.fromtimestamp(sample.path.stat().st_mtime, dt.UTC)
    origin = Origin(c, mapping, sample.path.name, as_of.date(), as_of, timezone, "")
    piece: Piece = next(told_by_text(iter([sample.piece])))
    judged = judge(piece, origin)
    rows = max(1, judged.good.height + judged.bad.height)
    broken = Counter(judged.bad["_rules"].explode().drop_nulls().to_list())
    broken.update(_out_of_bounds(judged.good, c))
    found: dict[str, tuple[float, str]] = {}
    for said, count in broken.items():
        name, _, rule = said.partition("|")
        if (name, rule) == (c.event_time, "missing"):
            continue  # what the file lacks, no mapping finds
        if count > TOLERATED * rows and count / rows > found.get(name, (0.0, ""))[0]:
            found[name] = (count / rows, rule)
    return found


def _out_of_bounds(good: pl.DataFrame, c: Contract) -> Counter[str]:
    """Values that silver would reject for what their column may hold."""
    found: Counter[str] = Counter()
    for name, column in c.columns.items():
        least, most = getattr(column, "min", None), getattr(column, "max", None)
        if not column.dtype.is_numeric() or name not in good.columns:
            continue
        if least is not None:
            found[f"{name}|less than {least}"] += int((good[name] < least).sum())
        if most is not None:
            found[f"{name}|more than {most}"] += int((good[name] > most).sum())
    return found
