"""Rows of a file in the shape of bronze, or of quarantine with the rules that they broke."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.columns import match_columns, our_columns
from lakehouse.ingest.mapping import Mapping
from lakehouse.ingest.rows import LINE, Piece
from lakehouse.ingest.values import plain_column, typed_column
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.storage import stored_schema

STAGE = "ingest"
SOURCE_PREFIX = "landing:"

_RULES = "_broken"


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
    """`good` has the columns of bronze, `bad` those of quarantine; neither has its batch yet."""

    good: pl.DataFrame
    bad: pl.DataFrame

    @property
    def rows(self) -> int:
        return self.good.height + self.bad.height


def judge(piece: Piece, origin: Origin, *, keep_line: bool = False) -> Judged:
    """Types the rows of a piece. Every row of it is in `good` or in `bad`. With `keep_line`,
    good rows keep the line they came from."""
    c = origin.contract
    match = match_columns(c, origin.mapping, [n for n in piece.frame.columns if n != LINE])
    text = our_columns(piece.frame, c, origin.mapping, match)
    typed = _typed(text, origin)
    is_bad = typed[_RULES].list.len() > 0
    names = [*c.bronze_schema(), LINE] if keep_line else list(c.bronze_schema())
    good = typed.filter(~is_bad).select(names)
    at = is_bad.arg_true().to_list()
    bad = typed[at].rename({_RULES: "_rules"})
    bad = bad.with_columns(pl.Series("_raw", piece.raw(at), dtype=pl.String))
    return Judged(good, pl.concat([_rejected(bad, origin), _damaged(piece.damaged, origin)]))


def join(parts: list[Judged]) -> Judged:
    return Judged(pl.concat([p.good for p in parts]), pl.concat([p.bad for p in parts]))


def _typed(text: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    c, mapping = origin.contract, origin.mapping
    types = {n: t for n, t in c.bronze_schema().items() if n in text.columns}
    plain = {n: plain_column(text[n], types[n], mapping.column(n)) for n in types}
    slow = {
        n: t
        for n in types
        if plain[n] is None
        and (t := typed_column(n, types[n], mapping.column(n), mapping.timezone))
    }
    broken = [t.broken for t in slow.values()] or [pl.lit(None, dtype=pl.String)]
    typed = text.lazy().select(
        *(slow[n].value if n in slow else pl.col(n) for n in types if plain[n] is None),
        *(s for s in plain.values() if s is not None),
        pl.concat_list(broken).list.drop_nulls().alias(_RULES),
        LINE,
    )
    placed = typed.with_columns(gaming_day=_gaming_day(origin))
    if c.event_time is not None:
        placed = placed.with_columns(_with_unplaced(c.event_time))
    return placed.with_columns(
        _ingested_at=pl.lit(origin.as_of, dtype=pl.Datetime("us", "UTC")),
        _source=pl.lit(SOURCE_PREFIX + origin.path),
        _batch_id=pl.lit("", dtype=pl.String),
    ).collect()


def _gaming_day(origin: Origin) -> pl.Expr:
    event_time = origin.contract.event_time
    if event_time is None:
        return pl.col("gaming_day").fill_null(origin.day)
    return pl.coalesce("gaming_day", gaming_day(pl.col(event_time), origin.timezone))


def _with_unplaced(event_time: str) -> pl.Expr:
    unplaced = pl.col("gaming_day").is_null() & (pl.col(_RULES).list.len() == 0)
    missing = pl.concat_list(pl.lit(f"{event_time}|missing"))
    return pl.when(unplaced).then(missing).otherwise(pl.col(_RULES)).alias(_RULES)


def _rejected(bad: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    return bad.select(
        pl.col("gaming_day").fill_null(origin.day)
        if n == "gaming_day"
        else {"_stage": pl.lit(STAGE), "_file": pl.lit(origin.path)}.get(n, pl.col(n)).alias(n)
        for n in stored_schema("quarantine", origin.contract.name)
    )


def _damaged(damaged: pl.DataFrame, origin: Origin) -> pl.DataFrame:
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
