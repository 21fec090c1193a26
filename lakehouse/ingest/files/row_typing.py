"""Rows of a file in the shape of bronze, or of quarantine with the rules that they broke."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.files.column_typing import BROKEN, Origin, typed_columns
from lakehouse.ingest.files.columns import Match, match_columns, our_columns
from lakehouse.ingest.files.derived import condition, derived_columns
from lakehouse.ingest.files.patrons import told_of_patrons
from lakehouse.ingest.files.rows import LINE, NTH, Piece
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.storage import stored_schema

STAGE = "ingest"
SOURCE_PREFIX = "landing:"
TOPIC_PREFIX = "topic:"
"""Of a row that came by a topic."""


@dataclass(frozen=True)
class Judged:
    """`good` has the columns of bronze, `bad` those of quarantine; neither has its batch yet.
    `ignored`: columns of the file that nothing takes; `taken`: names that the mapping or the
    contract asks for and the file has, of rows that could be told into columns. `left_out`: rows
    that the mapping does not want."""

    good: pl.DataFrame
    bad: pl.DataFrame
    ignored: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    left_out: int = 0
    patrons: pl.DataFrame | None = None
    """What is said of whom, where the mapping says anything of patrons: player_id and columns of
    their profile."""

    @property
    def rows(self) -> int:
        return self.good.height + self.bad.height + self.left_out


def judge(piece: Piece, origin: Origin, *, keep_line: bool = False) -> Judged:
    """Types the rows of a piece. Every row of it is in `good`, in `bad`, or left out. With
    `keep_line`, good rows keep the line they came from."""
    c, whole = origin.contract, piece.frame.height
    names = [n for n in piece.frame.columns if n not in (LINE, NTH)]
    match = match_columns(c, origin.mapping, names)
    piece, undecided = _wanted(piece, match, origin)
    typed = _typed(piece.frame, match, origin)
    if undecided is not None:
        typed = typed.with_columns(undecided)
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
    names = [*c.bronze_schema(), *([LINE] if keep_line else ())]
    return Judged(
        good.select(names),
        rejected,
        frozenset(match.ignored),
        frozenset(match.found(origin.mapping)),
        whole - piece.frame.height,
        told_of_patrons(piece.frame, match.fields, typed, origin),
    )


def _wanted(piece: Piece, match: Match, origin: Origin) -> tuple[Piece, pl.Series | None]:
    """The rows that the mapping's condition does not leave out, and what it broke."""
    found = condition(piece.frame, match.fields, origin)
    if found is None:
        return piece, None
    out, broken = found
    at = (~out).arg_true()
    places = at.to_list()
    kept = Piece(piece.frame[at], piece.damaged, lambda i: piece.raw([places[n] for n in i]))
    return kept, broken.gather(at)


def join(parts: list[Judged]) -> Judged:
    ignored = frozenset[str]().union(*(p.ignored for p in parts))
    taken = frozenset[str]().union(*(p.taken for p in parts))
    good, bad = pl.concat([p.good for p in parts]), pl.concat([p.bad for p in parts])
    told = [p.patrons for p in parts if p.patrons is not None]
    patrons = pl.concat(told) if told else None
    return Judged(good, bad, ignored, taken, sum(p.left_out for p in parts), patrons)


def _typed(frame: pl.DataFrame, match: Match, origin: Origin) -> pl.DataFrame:
    c, mapping = origin.contract, origin.mapping
    derived = derived_columns(frame, match.fields, origin)
    text = our_columns(frame, c, mapping, match, derived.texts)
    landed = set(text.columns) - derived.values.keys()
    types = {n: t for n, t in c.bronze_schema().items() if n in landed}
    read = typed_columns(text, types, {n: mapping.column(n) for n in types}, origin)
    columns = {s.name: s for s in (*read, *derived.values.values())}
    for name, broken in derived.broken.items():
        other = columns.get(BROKEN + name, broken)
        columns[BROKEN + name] = broken.zip_with(broken.is_not_null(), other)
    typed = _before_opening(text.select(*columns.values(), LINE), origin)
    if typed["gaming_day"].has_nulls():
        typed = typed.with_columns(gaming_day=_gaming_day(origin))
    return typed.with_columns(
        _ingested_at=pl.lit(origin.as_of, dtype=pl.Datetime("us", "UTC")),
        _source=pl.lit(SOURCE_PREFIX + origin.path),
        _batch_id=pl.lit("", dtype=pl.String),
    )


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


def _gaming_day(origin: Origin) -> pl.Expr:
    event_time = origin.contract.event_time
    if event_time is None:
        return pl.col("gaming_day").fill_null(origin.day)
    return pl.coalesce("gaming_day", gaming_day(pl.col(event_time), origin.timezone))


def _rules(typed: pl.DataFrame, c: Contract) -> list[pl.Expr]:
    """The rules that any row of these broke, each null where it did not. A row without its key
    could never be corrected, and one without a day never be found: both keep their text."""
    broken = [n for n in typed.columns if n.startswith(BROKEN)]
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
