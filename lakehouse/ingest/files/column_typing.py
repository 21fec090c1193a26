"""Columns of text to columns of a type: cheaply where values are plain, with care where not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.files.mapping import ColumnMapping, Mapping
from lakehouse.ingest.files.plain_values import Plain, plain_form
from lakehouse.ingest.files.values import typed_column
from lakehouse.regulation.gaming_day import zones

BROKEN = "?"
"""Before a column's name: the rule that each of its values broke."""


@dataclass(frozen=True)
class Origin:
    """What rows of one file share. `day`: the landing day, for rows that name none; `file_id`
    ends with the hash of the content."""

    contract: Contract
    mapping: Mapping
    path: str
    day: dt.date
    as_of: dt.datetime
    timezone: str
    file_id: str = ""


def typed_columns(
    text: pl.DataFrame,
    types: Dictionary[str, pl.DataType],
    rules: Dictionary[str, ColumnMapping],
    origin: Origin,
) -> list[pl.Series]:
    """The columns of `text` that `types` names, typed, each followed by what its values broke
    where any did."""
    text = _without_blanks(text, [n for n, t in types.items() if t != pl.String])
    plain = {n: plain_form(text[n], t, rules[n]) for n, t in types.items()}
    forms = {n: p for n, p in plain.items() if p is not None}
    values = text.with_columns(p.value.alias(n) for n, p in forms.items())
    usual = text.select(p.usual.all().alias(n) for n, p in forms.items())
    columns = []
    for name, dtype in types.items():
        if rules[name].timezone_from is not None:
            columns += _by_zone(text, name, dtype, rules[name], origin)
        elif name not in forms:
            columns += _careful(text[name], dtype, rules[name], origin)
        elif usual[name].all() and values[name].null_count() == text[name].null_count():
            columns.append(values[name])
        else:
            columns += _mended(text[name], values[name], forms[name], dtype, rules[name], origin)
    return columns


def _typed(
    text: pl.Series, dtype: pl.DataType, rule: ColumnMapping, origin: Origin
) -> list[pl.Series]:
    """The values of a column, and what each broke where any did."""
    plain = plain_form(text, dtype, rule)
    if plain is None:
        return _careful(text, dtype, rule, origin)
    values = text.to_frame().select(plain.value.alias(text.name)).to_series()
    return _mended(text, values, plain, dtype, rule, origin)


def _without_blanks(text: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """What is quoted though there is nothing in it, is nothing, but for a text."""
    blank = text.select((pl.col(n) == "").any() for n in names)
    met = [n for n in names if blank[n].item()]
    return text.with_columns(pl.when(pl.col(n) != "").then(pl.col(n)) for n in met)


def _by_zone(
    text: pl.DataFrame, name: str, dtype: pl.DataType, rule: ColumnMapping, origin: Origin
) -> list[pl.Series]:
    """Each row by the clock of the zone that it names; by none where there is no such zone."""
    named = text[str(rule.timezone_from)].str.strip_chars()
    values = pl.Series(name, [None], dtype=dtype).new_from_index(0, text.height)
    broken = pl.Series(BROKEN + name, [None], dtype=pl.String).new_from_index(0, text.height)
    for zone in named.unique().to_list():
        at = named.eq_missing(zone).arg_true()
        known = origin.mapping.timezone if not zone else zone if zone in zones() else None
        typed = typed_column(text[name].gather(at), dtype, rule, known)
        assert typed is not None
        values, broken = values.scatter(at, typed.values), broken.scatter(at, typed.broken)
    return [values, broken]


def _careful(
    text: pl.Series, dtype: pl.DataType, rule: ColumnMapping, origin: Origin
) -> list[pl.Series]:
    """The values of a column, and what each broke, in whatever form they are."""
    zone = origin.timezone if rule.date_only else origin.mapping.timezone
    slow = typed_column(text, dtype, rule, zone, _latest(text.name, rule, origin))
    return [text] if slow is None else [slow.values, slow.broken.alias(BROKEN + text.name)]


def _latest(name: str, rule: ColumnMapping, origin: Origin) -> dt.date | None:
    """The last day that a two-digit year of a column can mean, where anything says so."""
    if rule.latest_year is not None:
        return dt.date(rule.latest_year, 12, 31)
    if name not in origin.contract.columns:
        return None
    youngest = origin.contract.metadata(name).get("youngest")
    return None if youngest is None else _years_before(origin.day, youngest)


def _years_before(day: dt.date, years: int) -> dt.date:
    return pl.select(pl.lit(day).dt.offset_by(f"-{years}y")).item()


def _mended(
    text: pl.Series,
    values: pl.Series,
    plain: Plain,
    dtype: pl.DataType,
    rule: ColumnMapping,
    origin: Origin,
) -> list[pl.Series]:
    """The values of a column, and what each broke: plain values as they were read, and only the
    others read again, by another plain form that the first of them has, or with care."""
    odd = text.is_not_null() & (values.is_null() | ~text.to_frame().select(plain.usual).to_series())
    at = odd.arg_true()
    if at.is_empty():
        return [values]
    again = _careful if at.len() == text.len() else _typed
    read, *broken = again(text.gather(at), dtype, rule, origin)
    nothing = pl.Series(BROKEN + text.name, [None], dtype=pl.String)
    told = [nothing.new_from_index(0, text.len()).scatter(at, b) for b in broken]
    return [values.scatter(at, read), *told]
