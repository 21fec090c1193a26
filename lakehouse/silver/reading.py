"""Bronze rows in the contract's types: text that stands in for a value is read, codes are
mapped to their domain, blanks go. What cannot be read is named, never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.contracts.columns import coded
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.silver.timestamps import parse_iso8601, parse_iso8601_date
from lakehouse.storage.shapes import conform

_FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True}
_FLAGS |= {"false": False, "f": False, "no": False, "n": False, "0": False}
_DECIMALS = {2: "two", 4: "four"}


@dataclass(frozen=True)
class Reading:
    """Rows as bronze has them (`raw`), as silver would have them (`rows`, closed domains as
    Enum), and by rule name the rows whose value could not be read (`unread`). `residue`
    keeps the text of those values, a column each; `lost` the same as JSON, where the type of
    bronze cannot hold it."""

    raw: pl.DataFrame
    rows: pl.DataFrame
    unread: dict[str, pl.Series]
    residue: pl.DataFrame
    lost: pl.Series


def read(bronze: pl.DataFrame, c: Contract, *, timezone: str) -> Reading:
    """Reads bronze in its own types, or with text in place of any value. A gaming day that
    is not given follows from the event. Raises ContractError for other columns or types."""
    wanted = c.bronze_schema()
    text = [n for n, t in bronze.schema.items() if t == pl.String and wanted.get(n, t) != t]
    values = bronze.select(_value(n, wanted[n], timezone) for n in text)
    typed = _with_gaming_day(bronze.with_columns(values.iter_columns()), c, timezone)
    raw = conform(typed, "bronze", c.name)
    codes = {n: k.dtype for n, k in c.columns.items() if isinstance(k.dtype, pl.Enum)}
    upper = {n for n in c.columns if c.metadata(n).get("upper")}
    plain = (n for n, t in raw.schema.items() if t == pl.String and n not in codes)
    mapped = (coded(raw[n], c.columns[n]).cast(domain) for n, domain in codes.items())
    rows = raw.with_columns(*(_trimmed(n, upper=n in upper) for n in plain), *mapped)
    attempts = [(bronze[n], values[n]) for n in text] + [(raw[n], rows[n]) for n in codes]
    left = [_residue(told, got) for told, got in attempts if got.null_count() > told.null_count()]
    residue = pl.DataFrame([s for s in left if s.null_count() < len(s)])
    unread: dict[str, pl.Series] = {}
    for unreadable in residue.iter_columns():
        unread |= _named(unreadable, wanted[unreadable.name])
    lost = residue.select(n for n in text if n in residue.columns)
    return Reading(raw, rows, unread, residue, _as_json(lost, bronze.height))


def _residue(told: pl.Series, got: pl.Series) -> pl.Series:
    stated = told.str.strip_chars()
    return stated.set((stated == "") | got.is_not_null(), None)


def _named(left: pl.Series, dtype: pl.DataType) -> dict[str, pl.Series]:
    """Rule names and the rows that break them."""
    name, failed = left.name, left.is_not_null()
    if dtype.is_temporal():
        return {f"{name}|unreadable": failed}
    if dtype == pl.String:
        return {f"{name}|domain": failed}
    if not isinstance(dtype, pl.Decimal):
        return {f"{name}|dtype": failed}
    finer = left.str.contains(r"^[+-]?\d+\.\d+$").fill_null(False)
    places = f"{name}|more_than_{_DECIMALS[dtype.scale]}_decimals"
    named = {places: finer, f"{name}|dtype": failed & ~finer}
    return {rule: rows for rule, rows in named.items() if rows.any()}


def _as_json(lost: pl.DataFrame, height: int) -> pl.Series:
    if not lost.columns:
        return pl.Series("_raw", [None], dtype=pl.String).new_from_index(0, height)
    some = pl.any_horizontal(pl.all().is_not_null())
    text = pl.struct(pl.all()).struct.json_encode()
    return lost.select(pl.when(some).then(text).alias("_raw")).to_series()


def _value(name: str, dtype: pl.DataType, timezone: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    if isinstance(dtype, pl.Datetime):
        return parse_iso8601(text, timezone=timezone)
    if isinstance(dtype, pl.Date):
        return parse_iso8601_date(text).alias(name)
    if isinstance(dtype, pl.Boolean):
        flag = text.str.to_lowercase()
        return flag.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    if isinstance(dtype, pl.Decimal):
        exact = text.str.contains(rf"^[+-]?\d+(?:\.\d{{0,{dtype.scale}}}0*)?$")
        return pl.when(exact).then(text).cast(dtype, strict=False).alias(name)
    return text.cast(dtype, strict=False)


def _with_gaming_day(bronze: pl.DataFrame, c: Contract, timezone: str) -> pl.DataFrame:
    if c.event_time not in bronze.columns or bronze.schema[c.event_time] == pl.Null():
        return bronze
    derived = gaming_day(pl.col(c.event_time), timezone)
    if "gaming_day" not in bronze.columns:
        return bronze.with_columns(gaming_day=derived)
    if not bronze["gaming_day"].has_nulls():
        return bronze
    return bronze.with_columns(gaming_day=pl.coalesce("gaming_day", derived))


def _trimmed(name: str, *, upper: bool) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    text = text.str.to_uppercase() if upper else text
    return pl.when(text != "").then(text).alias(name)
