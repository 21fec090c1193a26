"""Columns that the mapping works out of those of the file, and rows that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field

import polars as pl

from lakehouse.ingest.files.column_typing import BROKEN, Origin, typed_columns
from lakehouse.ingest.files.expressions import FAULT, Compiled, Read, field_column
from lakehouse.ingest.files.mapping import ColumnMapping, Mapping
from lakehouse.ingest.files.rates import rate_of
from lakehouse.ingest.files.rows import LINE, NTH
from lakehouse.ingest.files.values import fitted
from lakehouse.ingest.files.vocabulary import NUMBER, READ

WHERE = "where"
"""In the place of a column's name, in rules that the condition of the mapping broke."""
_DIGEST = 16
_TYPES: dict[str, pl.DataType] = {
    "number": READ,
    "day": pl.Date(),
    "moment": pl.Datetime("us", "UTC"),
    "flag": pl.Boolean(),
}


@dataclass
class Derived:
    """Our columns as expressions gave them: `texts` are still to be typed; `broken` is what
    each row broke, where any did."""

    texts: dict[str, pl.Series] = field(default_factory=dict)
    values: dict[str, pl.Series] = field(default_factory=dict)
    broken: dict[str, pl.Series] = field(default_factory=dict)


def derived_columns(frame: pl.DataFrame, taken: Dictionary[str, str], origin: Origin) -> Derived:
    """All columns of ours that have an expression. `taken`: a name in expressions → the file's
    column."""
    found, mapping = Derived(), origin.mapping
    worked_out = {n: m.expression for n, m in mapping.columns.items() if m.expression}
    if not worked_out:
        return found
    fields = _fields(frame, taken, mapping)
    for name, expression in worked_out.items():
        rule = mapping.column(name)
        value, fault = _evaluated(fields, expression, rule, origin)
        if expression.kind in ("text", "nothing"):
            found.texts[name] = value.cast(pl.String)
        else:
            dtype = origin.contract.columns[name].dtype
            found.values[name], fault = _fit(value, fault, dtype, rule)
        if fault.null_count() < fault.len():
            found.broken[name] = (f"{name}|" + fault).alias(BROKEN + name)
    return Derived(
        {n: s.alias(n) for n, s in found.texts.items()},
        {n: s.alias(n) for n, s in found.values.items()},
        found.broken,
    )


def condition(
    frame: pl.DataFrame, taken: Dictionary[str, str], origin: Origin
) -> tuple[pl.Series, pl.Series] | None:
    """Which rows the mapping's condition leaves out, and what it broke of the others, if there
    is a condition. One that is neither true nor false leaves out."""
    mapping = origin.mapping
    if mapping.condition is None:
        return None
    fields = _fields(frame, taken, mapping)
    holds, fault = _evaluated(fields, mapping.condition, mapping.column(""), origin)
    broken = (f"{WHERE}|" + fault).alias(BROKEN + WHERE)
    return ~holds.fill_null(value=False) & fault.is_null(), broken


def _fields(frame: pl.DataFrame, taken: Dictionary[str, str], mapping: Mapping) -> pl.DataFrame:
    """The columns that expressions name: without outer blanks, an empty one is nothing."""
    nth = pl.col(NTH) if NTH in frame.columns else pl.col(LINE).cast(pl.String).alias(NTH)
    columns = []
    for name in sorted(mapping.fields):
        text = pl.lit(None, dtype=pl.String)
        if name in taken:
            text = pl.col(taken[name]).str.strip_chars()
            text = pl.when(~text.is_in(("", *mapping.nulls))).then(text)
        columns.append(text.alias(field_column(name)))
    return frame.select(LINE, nth, *columns)


def _evaluated(
    fields: pl.DataFrame, expression: Compiled, rule: ColumnMapping, origin: Origin
) -> tuple[pl.Series, pl.Series]:
    """The values, and why there is none where there is none."""
    none = pl.lit(None, dtype=pl.String)
    for step in expression.steps:
        if isinstance(step, Read):
            text = fields.select(step.text.cast(pl.String).alias(step.column)).to_series()
            fields = fields.with_columns(_read(text, step, rule, origin))
        else:
            fault = none if step.fault is None else step.fault
            fields = fields.with_columns(
                step.value.alias(step.column), fault.alias(FAULT + step.column)
            )
    fault = none if expression.fault is None else expression.fault
    done = fields.with_columns(value=expression.value, fault=fault)
    is_whole = done["fault"].is_null()
    value = done.select(pl.when(is_whole).then("value").alias("value")).to_series()
    return value, done["fault"]


def _read(text: pl.Series, read: Read, rule: ColumnMapping, origin: Origin) -> list[pl.Series]:
    name = read.column
    nothing = pl.Series(FAULT + name, [None], dtype=pl.String).new_from_index(0, text.len())
    if read.kind == "text":
        return [text, nothing]
    if read.kind == "row":
        digest = origin.file_id.rpartition(":")[2][:_DIGEST]
        return [(f"{digest}-" + text).alias(name), nothing]
    if read.kind == "rate":
        rate = rate_of(pl.col(name), origin.mapping.held_rates)
        why = pl.when(pl.col(name).is_not_null() & rate.is_null()).then(pl.lit("no_rate"))
        return text.to_frame().select(rate.alias(name), why.alias(FAULT + name)).get_columns()
    how = {"unit": None, "date_only": False, "format": read.form or rule.format}
    typed = typed_columns(
        text.to_frame(), {name: _TYPES[read.kind]}, {name: rule.model_copy(update=how)}, origin
    )
    broken = typed[1].str.strip_prefix(f"{name}|") if len(typed) > 1 else nothing
    value = typed[0].cast(NUMBER) if read.kind == "number" else typed[0]
    return [value, broken.alias(FAULT + name)]


def _fit(
    value: pl.Series, fault: pl.Series, dtype: pl.DataType, rule: ColumnMapping
) -> tuple[pl.Series, pl.Series]:
    """A value in its column's type, and why it is not in it."""
    if not dtype.is_numeric():
        return value, fault
    fit, why = fitted(pl.col("value"), dtype, rule)
    lost = pl.when(pl.col("value").is_not_null() & fit.is_null()).then(why)
    done = pl.DataFrame({"value": value, "fault": fault})
    done = done.select(fit=fit, fault=pl.coalesce("fault", lost))
    return done["fit"], done["fault"]
