"""Rows of a file in the shape of bronze, or of quarantine with the rules that they broke."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.files.columns import match_columns, our_columns
from lakehouse.ingest.files.mapping import ColumnMapping, Mapping
from lakehouse.ingest.files.plain_values import Plain, plain_form
from lakehouse.ingest.files.rows import LINE, Piece
from lakehouse.ingest.files.values import typed_column
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.storage import stored_schema

STAGE = "ingest"
SOURCE_PREFIX = "landing:"

_BROKEN = "?"


@dataclass(frozen=True)
class Origin:
    """What rows of one file share. `day`: the landing day, for rows that name none."""

    contract: Contract
    mapping: Mapping
    path: str
    day: dt.date
    as_of: dt.datetime
    timezone: str


@dataclass(frozen=True)
class Judged:
    """`good` has the columns of bronze, `bad` those of quarantine; neither has its batch yet.
    `ignored`: columns of the file that no column of ours takes; `taken`: those of ours that a
    column of the file gave, of rows that could be told into columns."""

    good: pl.DataFrame
    bad: pl.DataFrame
    ignored: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        return self.good.height + self.bad.height


def judge(piece: Piece, origin: Origin, *, keep_line: bool = False) -> Judged:
    """Types the rows of a piece. Every row of it is in `good` or in `bad`. With `keep_line`,
    good rows keep the line they came from."""
    c = origin.contract
    match = match_columns(c, origin.mapping, [n for n in piece.frame.columns if n != LINE])
    typed = _typed(our_columns(piece.frame, c, origin.mapping, match), origin)
    good, rejected = typed, _damaged(piece.damaged, origin)
    rules = _rules(typed, c)
    if rules:
        is_bad = typed.select(pl.any_horizontal(r.is_not_null() for r in rules)).to_series()
        at = is_bad.arg_true().to_list()
        bad = typed[at].with_columns(
            pl.concat_list(rules).list.drop_nulls().alias("_rules"),
            pl.Series("_raw", piece.raw(at), dtype=pl.String),
        )
        good, rejected = typed.filter(~is_bad), pl.concat([_rejected(bad, origin), rejected])
    names = [*c.bronze_schema(), LINE] if keep_line else list(c.bronze_schema())
    return Judged(good.select(names), rejected, frozenset(match.ignored), frozenset(match.taken))


def join(parts: list[Judged]) -> Judged:
    ignored = frozenset[str]().union(*(p.ignored for p in parts))
    taken = frozenset[str]().union(*(p.taken for p in parts))
    good, bad = pl.concat([p.good for p in parts]), pl.concat([p.bad for p in parts])
    return Judged(good, bad, ignored, taken)


def _typed(text: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    types = {n: t for n, t in origin.contract.bronze_schema().items() if n in text.columns}
    plain = {n: plain_form(text[n], t, origin.mapping.column(n)) for n, t in types.items()}
    forms = {n: p for n, p in plain.items() if p is not None}
    values = text.with_columns(p.value.alias(n) for n, p in forms.items())
    usual = text.select(p.usual.all().alias(n) for n, p in forms.items())
    columns = []
    for name, dtype in types.items():
        if name not in forms:
            columns += _careful(text[name], dtype, origin)
        elif usual[name].all() and values[name].null_count() == text[name].null_count():
            columns.append(values[name])
        else:
            columns += _mended(text[name], values[name], forms[name], dtype, origin)
    typed = _before_opening(text.select(*columns, LINE), origin)
    if typed["gaming_day"].has_nulls():
        typed = typed.with_columns(gaming_day=_gaming_day(origin))
    return typed.with_columns(
        _ingested_at=pl.lit(origin.as_of, dtype=pl.Datetime("us", "UTC")),
        _source=pl.lit(SOURCE_PREFIX + origin.path),
        _batch_id=pl.lit("", dtype=pl.String),
    )


def _careful(text: pl.Series, dtype: pl.DataType, origin: Origin) -> list[pl.Series]:
    """The values of a column, and what each broke, in whatever form they are."""
    rule = origin.mapping.column(text.name)
    zone = origin.timezone if rule.date_only else origin.mapping.timezone
    slow = typed_column(text.name, dtype, rule, zone, _latest(text.name, rule, origin))
    if slow is None:
        return [text]
    broken = slow.broken.alias(_BROKEN + text.name)
    return text.to_frame().select(slow.value, broken).get_columns()


def _latest(name: str, rule: ColumnMapping, origin: Origin) -> dt.date | None:
    """The last day that a two-digit year of a column can mean, where anything says so."""
    if rule.latest_year is not None:
        return dt.date(rule.latest_year, 12, 31)
    youngest = origin.contract.metadata(name).get("youngest")
    return None if youngest is None else _years_before(origin.day, youngest)


def _years_before(day: dt.date, years: int) -> dt.date:
    return pl.select(pl.lit(day).dt.offset_by(f"-{years}y")).item()


def _before_opening(typed: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """A date alone is of two gaming days, its own and until the opening the one before. Where
    the file says that it is the latter, the moment is the last of that."""
    moment = origin.contract.event_time
    if moment is None or not origin.mapping.column(moment).date_only:
        return typed
    own = gaming_day(pl.col(moment), origin.timezone)
    is_before = pl.col("gaming_day") == own.dt.offset_by("-1d")
    earlier = pl.col(moment).dt.offset_by("-1us")
    return typed.with_columns(pl.when(is_before).then(earlier).otherwise(moment).alias(moment))


def _mended(
    text: pl.Series, values: pl.Series, plain: Plain, dtype: pl.DataType, origin: Origin
) -> list[pl.Series]:
    """The values of a column, and what each broke: plain values as they were read, and only the
    others read with care."""
    odd = text.is_not_null() & (values.is_null() | ~text.to_frame().select(plain.usual).to_series())
    at = odd.arg_true()
    nothing = pl.Series(_BROKEN + text.name, [None], dtype=pl.String)
    read, broken = _careful(text.gather(at), dtype, origin)
    return [values.scatter(at, read), nothing.new_from_index(0, text.len()).scatter(at, broken)]


def _gaming_day(origin: Origin) -> pl.Expr:
    event_time = origin.contract.event_time
    if event_time is None:
        return pl.col("gaming_day").fill_null(origin.day)
    return pl.coalesce("gaming_day", gaming_day(pl.col(event_time), origin.timezone))


def _rules(typed: pl.DataFrame, c: Contract) -> list[pl.Expr]:
    """The rules that any row of these broke, each null where it did not. A row without its key
    could never be corrected, and one without a day never be found: both keep their text."""
    broken = [n for n in typed.columns if n.startswith(_BROKEN)]
    keys = [n for n in c.key if n != "gaming_day" and typed[n].null_count()]
    rules = [
        *(pl.col(n) for n in broken),
        *(pl.when(pl.col(n).is_null()).then(pl.lit(f"{n}|missing")) for n in keys),
    ]
    if c.event_time is not None and typed["gaming_day"].null_count():
        unplaced = pl.all_horizontal(pl.col(n).is_null() for n in ("gaming_day", *broken))
        rules.append(pl.when(unplaced).then(pl.lit(f"{c.event_time}|missing")))
    return rules


def _rejected(bad: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    return bad.select(
        pl.col("gaming_day").fill_null(origin.day)
        if n == "gaming_day"
        else {"_stage": pl.lit(STAGE), "_file": pl.lit(origin.path)}.get(n, pl.col(n)).alias(n)
        for n in stored_schema("quarantine", origin.contract.name)
    )


def _damaged(damaged: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    if damaged.is_empty():
        return _nothing(origin.contract.name)
    schema = stored_schema("quarantine", origin.contract.name)
    known: dict[str, pl.Expr] = {
        "gaming_day": pl.lit(origin.day),
        "_ingested_at": pl.lit(origin.as_of, dtype=pl.Datetime("us", "UTC")),
        "_source": pl.lit(SOURCE_PREFIX + origin.path),
        "_batch_id": pl.lit(""),
        "_stage": pl.lit(STAGE),
        "_rules": pl.concat_list("_rule"),
        "_raw": pl.col("_raw"),
        "_file": pl.lit(origin.path),
        LINE: pl.col(LINE),
    }
    return damaged.select(known.get(n, pl.lit(None)).cast(t).alias(n) for n, t in schema.items())


@cache
def _nothing(table: str) -> pl.DataFrame:
    return stored_schema("quarantine", table).to_frame()
