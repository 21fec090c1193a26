"""What stands in a cell of text that went wrong: of each kind of dirt, the values that a column of
a type cannot hold, or holds in another form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import dataframely as dy
import polars as pl

from lakehouse.contracts import PROVENANCE, contract
from lakehouse.simulate.faults.defects import NEGATIVE, places
from lakehouse.simulate.kernel.counter import U64, below
from lakehouse.texts import formatted

_WRONG_TIMES = ("yesterday", "2025-13-45 12:00:00", "12h30")
_WRONG_NUMBERS = ("abc", "twelve", "1.2.3")
_ELSEWHERE = "Europe/Tallinn"


class Cell(NamedTuple):
    """A cell as it is told; None: nothing stands in it."""

    column: str
    text: str | None
    is_number: bool = False


class Struck(NamedTuple):
    """Bronze rows of a table whose lines are to have one kind of dirt, and a hash of each."""

    table: str
    rows: pl.DataFrame
    luck: U64
    columns: Sequence[str]
    """Those of the file."""
    timezone: str
    """Whose clock shows times that name no zone."""

    @property
    def time(self) -> str:
        return str(contract(self.table).event_time)


Cells = list[Cell | None]
"""One a row; None: the row has nothing that the kind could strike."""


def _in_form(form: str) -> Callable[[Struck], Cells]:
    def cells(struck: Struck) -> Cells:
        at = pl.col(struck.time)
        texts = {
            "offset": at.dt.convert_time_zone(_ELSEWHERE).dt.strftime("%Y-%m-%dT%H:%M:%S%.f%:z"),
            "utc": at.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"),
            "bare": _bare(at, struck.timezone),
            "s": at.dt.epoch("s").cast(pl.String),
            "ms": at.dt.epoch("ms").cast(pl.String),
        }
        told = struck.rows.select(texts[form]).to_series()
        return [None if t is None else Cell(struck.time, t, form in ("s", "ms")) for t in told]

    return cells


def _bare(at: pl.Expr, timezone: str) -> pl.Expr:
    """Nothing in the hour that a clock shows twice."""
    wall = at.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    once = wall.dt.replace_time_zone(timezone, ambiguous="null").is_not_null()
    return pl.when(once).then(wall.dt.strftime("%Y-%m-%d %H:%M:%S"))


def _bare_time(struck: Struck) -> Cells:
    """Of a table whose rows have clocks of their own, none."""
    if "time_zone" in contract(struck.table).columns:
        return [None] * struck.rows.height
    return _in_form("bare")(struck)


def _no_time(struck: Struck) -> Cells:
    return [Cell(struck.time, None)] * struck.rows.height


def _wrong_time(struck: Struck) -> Cells:
    return [Cell(struck.time, t) for t in _one_of(_WRONG_TIMES, struck.luck)]


def _wrong_number(struck: Struck) -> Cells:
    told = [pl.lit(t) for t in _WRONG_NUMBERS]
    return _values(struck, _numbers(struck), lambda _, k: told[k % len(told)])


def _number_as_text(struck: Struck) -> Cells:
    """Money with its sign; other numbers with blanks about them."""
    kinds = contract(struck.table).columns

    def told(name: str, _: int) -> pl.Expr:
        is_money = isinstance(kinds[name], dy.Decimal)
        return formatted("${}" if is_money else " {} ", pl.col(name).cast(pl.String))

    return _values(struck, [n for n in _numbers(struck) if not _may_be_negative(struck, n)], told)


def _may_be_negative(struck: Struck, name: str) -> bool:
    return bool((struck.rows[name] < 0).any())


def _negative(struck: Struck) -> Cells:
    names = [n for n in places(struck.table).get(NEGATIVE, ()) if n in struck.columns]

    def told(name: str, _: int) -> pl.Expr:
        return pl.when(pl.col(name) > 0).then((-pl.col(name)).cast(pl.String))

    return [c and c._replace(is_number=True) for c in _values(struck, names, told)]


def _no_value(struck: Struck) -> Cells:
    known = contract(struck.table)
    apart = {*known.key, *PROVENANCE, "gaming_day", known.event_time}
    names = [
        n
        for n, c in known.columns.items()
        if n in struck.columns
        and n not in apart
        and not c.nullable
        and isinstance(c, (dy.String, dy.Enum))
    ]
    return [Cell(names[k], None) for k in below(struck.luck, len(names)).tolist()]


def _numbers(struck: Struck) -> list[str]:
    kinds = contract(struck.table).columns.items()
    return [n for n, c in kinds if n in struck.columns and c.dtype.is_numeric()]


def _values(struck: Struck, names: Sequence[str], told: Callable[[str, int], pl.Expr]) -> Cells:
    """A column of `names` for each row, the first from a place of its own on that has a value."""
    if not names:
        return [None] * struck.rows.height
    texts = struck.rows.select(
        pl.when(pl.col(n).is_not_null()).then(told(n, k)).alias(n) for k, n in enumerate(names)
    ).rows()
    starts = below(struck.luck, len(names)).tolist()
    found: Cells = []
    for row, start in zip(texts, starts, strict=True):
        turns = [(start + k) % len(names) for k in range(len(names))]
        at = next((k for k in turns if row[k] is not None), None)
        found.append(None if at is None else Cell(names[at], row[at]))
    return found


def _one_of(texts: Sequence[str], luck: U64) -> list[str]:
    return [texts[k] for k in below(luck, len(texts)).tolist()]


KINDS: dict[str, Callable[[Struck], Cells]] = {
    "time_with_offset": _in_form("offset"),
    "time_in_utc": _in_form("utc"),
    "time_without_zone": _bare_time,
    "time_epoch_s": _in_form("s"),
    "time_epoch_ms": _in_form("ms"),
    "missing_time": _no_time,
    "unreadable_time": _wrong_time,
    "wrong_type": _wrong_number,
    "number_as_text": _number_as_text,
    "negative_amount": _negative,
    "missing_value": _no_value,
}
