"""The values of expressions and the functions over them: exact numbers, nulls, and faults.

A number has 12 decimals; a product or quotient is rounded to the last of them. Nothing with
anything is nothing. What cannot be worked out is a fault, which rejects the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["field", "number", "text", "day", "moment", "flag", "nothing", "rate", "row"]
ORDERED = ("number", "day", "moment")
DECIMALS = 12
NUMBER = pl.Decimal(38, DECIMALS)
READ = pl.Decimal(32, DECIMALS)
"""What a number of a file fits in: room is left for what is done with it."""
LONGEST = 2_000
LARGEST = 1e20
"""Far above any sum of money, and far below where 38 digits end."""


@dataclass(frozen=True)
class Value:
    """`fault` is why there is no value, and null where there is none. A `field` is the text of
    a column that is still to be read; `said` tells two of them apart. `literal`: as written."""

    kind: Kind
    value: pl.Expr
    fault: pl.Expr | None = None
    said: str = ""
    literal: str | float | None = None


def first_fault(*faults: pl.Expr | None) -> pl.Expr | None:
    given = [f for f in faults if f is not None]
    return pl.coalesce(given) if given else None


def summed(a: Value, b: Value) -> Value:
    return _bounded(a, b, lambda x, y: x + y)


def multiplied(a: Value, b: Value) -> Value:
    return _bounded(a, b, lambda x, y: x * y)


def divided(a: Value, b: Value) -> Value:
    zero = pl.when(b.value == 0).then(pl.lit("divided_by_zero"))
    rest = Value("number", pl.when(b.value != 0).then(b.value), b.fault)
    done = _bounded(a, rest, lambda x, y: x / y)
    return Value("number", done.value, first_fault(a.fault, b.fault, zero, done.fault))


def _bounded(a: Value, b: Value, done: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Value:
    rough = done(a.value.cast(pl.Float64), b.value.cast(pl.Float64)).abs()
    fits = rough < LARGEST
    value = done(pl.when(fits).then(a.value), b.value)
    large = pl.when(~fits).then(pl.lit("too_large"))
    return Value("number", value, first_fault(a.fault, b.fault, large))


@dataclass(frozen=True)
class Function:
    """`kinds` of its arguments, the last as often as there are more where it `repeats`;
    arguments beyond `least` may be left out; those numbered in `literals` are written out."""

    kinds: tuple[Kind, ...]
    result: Kind
    names: str
    made: Callable[..., pl.Expr]
    least: int = -1
    repeats: bool = False
    literals: tuple[int, ...] = ()

    def takes(self, count: int) -> bool:
        least = len(self.kinds) if self.least < 0 else self.least
        return least <= count and (self.repeats or count <= len(self.kinds))

    def kinds_of(self, count: int) -> list[Kind]:
        return [self.kinds[min(i, len(self.kinds) - 1)] for i in range(count)]

    def usage(self, name: str) -> str:
        return f"{name}({self.names})"

    def applied(self, values: list[Value]) -> Value:
        given = [v.literal if i in self.literals else v.value for i, v in enumerate(values)]
        return Value(self.result, self.made(*given), first_fault(*(v.fault for v in values)))


def _count(given: object, least: int = 0, most: int = 10_000) -> int:
    if not isinstance(given, int) or not least <= given <= most:
        raise ValueError(f"{given} is no whole number from {least} to {most}")
    return given


def _rounded(value: pl.Expr, decimals: object = 0) -> pl.Expr:
    return value.round(_count(decimals, 0, DECIMALS), mode="half_away_from_zero")


def _sign(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(1).when(value < 0).then(-1).when(value == 0).then(0).cast(NUMBER)


def _all(made: Callable[..., pl.Expr]) -> Callable[..., pl.Expr]:
    """Nothing among the arguments makes nothing."""

    def applied(*values: pl.Expr) -> pl.Expr:
        return pl.when(pl.all_horizontal(v.is_not_null() for v in values)).then(made(*values))

    return applied


def _part(text: pl.Expr, start: object, count: object) -> pl.Expr:
    return text.str.slice(_count(start, 1) - 1, _count(count))


def _split(text: pl.Expr, separator: object, which: object) -> pl.Expr:
    if not separator:
        raise ValueError("an empty text separates nothing")
    parts = text.str.split(str(separator))
    return parts.list.get(_count(which, 1) - 1, null_on_oob=True)


def _joined(separator: object, *texts: pl.Expr) -> pl.Expr:
    return pl.concat_str(*texts, separator=str(separator))


def _key(*texts: pl.Expr) -> pl.Expr:
    """Two lists of texts never have one key: a bar inside a text is marked."""
    marked = (t.str.replace_all(r"([\\|])", r"\$1") for t in texts)
    return pl.concat_str(*marked, separator="|")


def _later(day: pl.Expr, count: object) -> pl.Expr:
    return day.dt.offset_by(f"{_whole(count)}d")


def _whole(given: object) -> int:
    return _count(given, -100_000, 100_000)


def _number(value: pl.Expr) -> pl.Expr:
    return value.cast(NUMBER)


FUNCTIONS: dict[str, Function] = {
    "abs": Function(("number",), "number", "number", lambda x: x.abs()),
    "sign": Function(("number",), "number", "number", _sign),
    "floor": Function(("number",), "number", "number", lambda x: x.floor()),
    "ceil": Function(("number",), "number", "number", lambda x: x.ceil()),
    "round": Function(
        ("number", "number"), "number", "number[, decimals]", _rounded, least=1, literals=(1,)
    ),
    "min": Function(
        ("number",), "number", "number, number, …", _all(pl.min_horizontal), 2, repeats=True
    ),
    "max": Function(
        ("number",), "number", "number, number, …", _all(pl.max_horizontal), 2, repeats=True
    ),
    "upper": Function(("text",), "text", "text", lambda t: t.str.to_uppercase()),
    "lower": Function(("text",), "text", "text", lambda t: t.str.to_lowercase()),
    "left": Function(
        ("text", "number"), "text", "text, count", lambda t, n: t.str.head(_count(n)), literals=(1,)
    ),
    "right": Function(
        ("text", "number"), "text", "text, count", lambda t, n: t.str.tail(_count(n)), literals=(1,)
    ),
    "part": Function(
        ("text", "number", "number"), "text", "text, first, count", _part, literals=(1, 2)
    ),
    "split": Function(
        ("text", "text", "number"), "text", "text, separator, which", _split, literals=(1, 2)
    ),
    "replace": Function(
        ("text", "text", "text"),
        "text",
        "text, old, new",
        lambda t, old, new: t.str.replace_all(old, new, literal=True),
        literals=(1, 2),
    ),
    "join": Function(
        ("text", "text"), "text", "separator, text, …", _joined, repeats=True, literals=(0,)
    ),
    "key": Function(("text",), "text", "column, …", _key, repeats=True),
    "length": Function(("text",), "number", "text", lambda t: _number(t.str.len_chars())),
    "contains": Function(
        ("text", "text"), "flag", "text, text", lambda t, s: t.str.contains(s, literal=True)
    ),
    "starts_with": Function(
        ("text", "text"), "flag", "text, text", lambda t, s: t.str.starts_with(s)
    ),
    "ends_with": Function(("text", "text"), "flag", "text, text", lambda t, s: t.str.ends_with(s)),
    "year": Function(("day",), "number", "day", lambda d: _number(d.dt.year())),
    "month": Function(("day",), "number", "day", lambda d: _number(d.dt.month())),
    "weekday": Function(("day",), "number", "day", lambda d: _number(d.dt.weekday())),
    "add_days": Function(("day", "number"), "day", "day, count", _later, literals=(1,)),
    "days_between": Function(
        ("day", "day"), "number", "day, day", lambda a, b: _number((b - a).dt.total_days())
    ),
    "seconds_between": Function(
        ("moment", "moment"),
        "number",
        "moment, moment",
        lambda a, b: _number((b - a).dt.total_microseconds()) / pl.lit(1_000_000).cast(NUMBER),
    ),
}
