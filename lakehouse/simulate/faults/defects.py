"""Dirt: what goes wrong between the floor and the lake, at configured rates.

A row has one defect at most. Which rows, and how many, follows from (seed, table, day)
alone. Rows that the law or a planted scenario rests on are never lost: the filings of
the office stay right about the money that silver keeps.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts import PROVENANCE, contract
from lakehouse.simulate.faults.house_cases import evidence
from lakehouse.simulate.kernel.arrays import order_of
from lakehouse.simulate.kernel.clock import LATEST_DAYS
from lakehouse.simulate.kernel.config import NO_FAULTS, PEOPLE, WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key, uniform
from lakehouse.simulate.kernel.plants import nothing, planted
from lakehouse.simulate.kernel.producers import producers
from lakehouse.simulate.kernel.world import World
from lakehouse.texts import formatted

Bools = NDArray[np.bool_]

KINDS = (
    "key_clash",
    "retransmit",
    "null_required",
    "unknown_code",
    "negative_amount",
    "clock",
    "orphan",
    "untidy_text",
    "late",
    "missing_time",
)
"""In the order in which they choose their rows."""
CLASH, AGAIN, NULL, UNKNOWN, NEGATIVE, CLOCK, ORPHAN, UNTIDY, LATE, UNTIMED = range(len(KINDS))
_HEALING = (AGAIN, UNTIDY, LATE)
"""Silver loses no row by these."""
NOBODY = 99_000_000
"""Player numbers from here on belong to nobody."""
_RULES = {
    CLASH: "key_clash",
    AGAIN: "retransmit",
    NULL: "{}|nullability",
    UNKNOWN: "{}|domain",
    NEGATIVE: "{}|min",
    CLOCK: "event_in_gaming_day",
    ORPHAN: "{}|orphan",
    UNTIDY: "heals",
    LATE: "late",
    UNTIMED: "{}|nullability",
}
"""Rule that should find each kind; `{}` is the column."""
_COLUMNS_A_DAY = 3
_CASES = {"machine_id", "badge_number"}
"""Columns that cases of machines and staff are told by, beside patrons."""
_DAY = 86_400_000_000


def is_harmless(table: str) -> bool:
    """Whether a table's every row has a consequence: it gets only what silver heals."""
    return producers()[table].clashing is None


@functools.cache
def places(table: str) -> dict[int, tuple[str, ...]]:
    """Columns of a table that each kind of defect can strike."""
    known = contract(table)
    apart = {*known.key, *known.references(), *PROVENANCE, "gaming_day", known.event_time}
    columns = {n: c for n, c in known.columns.items() if n not in apart}
    codes = tuple(n for n, c in columns.items() if isinstance(c, dy.Enum))
    texts = (n for n, c in columns.items() if isinstance(c, (dy.String, dy.Enum)))
    required = tuple(n for n in texts if not columns[n].nullable)
    money = (n for n, c in columns.items() if isinstance(c, dy.Decimal) and c.scale == 2)
    found: dict[int, tuple[str, ...]] = {
        NULL: required,
        UNKNOWN: codes,
        NEGATIVE: tuple(n for n in money if getattr(columns[n], "min", None) == 0),
        CLOCK: (known.event_time,) if known.event_time else (),
        ORPHAN: tuple(n for n, ref in known.references().items() if _is_whose(n, ref[1])),
        UNTIDY: (*codes, *(c for c in required if c not in codes)),
        LATE: ("_ingested_at",),
        UNTIMED: (known.event_time,) if known.event_time and producers()[table].untimed else (),
    }
    return {k: v for k, v in found.items() if k in _HEALING or not is_harmless(table)}


def _is_whose(column: str, key: str) -> bool:
    """Whether a column says whose row it is: the patron's, or the online account's."""
    return key == "account_id" or column == key == "player_id"


def counts(config: WorldConfig, table: str, day: int, rows: int) -> I64:
    """Defects of each kind on a day of `rows` rows: the expected number, rounded up or down
    by chance; of each kind at most a tenth of the rows."""
    rates = np.array([getattr(config.faults, kind) for kind in KINDS])
    luck = uniform(draw(key(config.seed, f"defects:{table}", day), np.arange(len(KINDS))))
    found = np.minimum((rates * rows + luck).astype(np.int64), rows // 10)
    if not producers()[table].untimed:
        found[UNTIMED] = 0
    if is_harmless(table):
        found[[k for k in range(len(KINDS)) if k not in _HEALING]] = 0
    return found


def added(config: WorldConfig, table: str, day: int) -> int:
    """Rows that retransmits and key clashes add to a day: clean rows = quota - added."""
    if config.faults == NO_FAULTS:
        return 0
    return int(counts(config, table, day, config.quota(table, day))[[CLASH, AGAIN]].sum())


class Unit(NamedTuple):
    """Consecutive rows of one day in a frame: the whole day, or a fixed stretch of it."""

    day: int
    stretch: int
    rows: int
    counts: I64
    """Defects by kind."""


@dataclass(frozen=True)
class Struck:
    """Rows that were spoiled: one entry per row, with the kind and, for some, the column."""

    table: str
    day: I64
    kind: I64
    column: I64
    """Position among the table's columns, or -1."""
    keys: pl.Series

    def __len__(self) -> int:
        return len(self.kind)

    def plants(self, config: WorldConfig, day: int) -> pl.DataFrame:
        """The truth about those of a day."""
        at = np.flatnonzero(self.day == day)
        if not len(at):
            return nothing()
        keys = self.keys[at]
        kind = pl.Series([KINDS[k] for k in self.kind[at].tolist()])
        names = [*contract(self.table).bronze_schema().names(), ""]
        pairs = zip(self.kind[at].tolist(), self.column[at].tolist(), strict=True)
        date = config.date(day)
        return planted(
            kind,
            kind + f":{self.table}:{date}:" + keys,
            entity_type="row",
            entity=keys,
            table=self.table,
            key=keys,
            rule=pl.Series([_RULES[k].format(names[n]) for k, n in pairs]),
            day=date,
        )


@dataclass(frozen=True)
class Spoiled:
    """Rows as they arrive, in the order of the clean ones; then the rows that came twice,
    unit by unit."""

    rows: pl.DataFrame
    copies: pl.DataFrame
    struck: Struck | None


def spoil(world: World, table: str, clean: pl.DataFrame, units: Sequence[Unit]) -> Spoiled:
    """Clean bronze rows of some units → the rows as they arrive. What happens to a unit does
    not depend on the others in the call."""
    config = world.config
    if clean.is_empty() or config.faults == NO_FAULTS:
        return Spoiled(clean, clean.clear(), None)
    c = _candidates(config, table, units, clean)
    kind, place = _chosen(world, table, units, c)
    return Spoiled(
        _edited(clean, table, c, kind, place),
        _copies(table, c, kind),
        _struck(table, c, kind, place),
    )


@dataclass(frozen=True)
class _Candidates:
    """Rows that may be struck, in the order in which they are asked, unit by unit."""

    position: I64
    """In the clean frame."""
    unit: I64
    day: I64
    h: U64
    rows: pl.DataFrame
    bounds: list[tuple[int, int]]
    """Each unit's entries."""


def _candidates(
    config: WorldConfig, table: str, units: Sequence[Unit], clean: pl.DataFrame
) -> _Candidates:
    found = [_asked(config, table, u) for u in units]
    sizes = [len(h) for _, h in found]
    before = np.cumsum([0, *(u.rows for u in units)])
    ends = np.cumsum(sizes)
    unit = np.repeat(np.arange(len(units)), sizes)
    position = np.concatenate([at for at, _ in found]) + before[unit]
    return _Candidates(
        position=position,
        unit=unit,
        day=np.array([u.day for u in units])[unit],
        h=np.concatenate([h for _, h in found]),
        rows=clean[position],
        bounds=list(zip((ends - sizes).tolist(), ends.tolist(), strict=True)),
    )


def _asked(config: WorldConfig, table: str, u: Unit) -> tuple[I64, U64]:
    """(row, hash): about twice as many rows as are needed, or all where that is most of them."""
    base = key(config.seed, f"defects:{table}:rows", u.day, u.stretch)
    need = int(u.counts.sum())
    if 4 * need + 64 >= u.rows:
        h = draw(base, np.arange(u.rows))
        order = order_of(h)
        return order, h[order]
    h = draw(base, np.arange(2 * need + 64))
    _, first = np.unique(below(h, u.rows), return_index=True)
    h = h[np.sort(first)]
    return below(h, u.rows), h


def _chosen(world: World, table: str, units: Sequence[Unit], c: _Candidates) -> tuple[I64, I64]:
    """(kind, place) of each candidate; -1: it is left alone. A place is the position of the
    column that is struck."""
    free, safe = _open_rows(world, table, units, c)
    kind, place = np.full(len(c.h), -1), np.full(len(c.h), -1)
    columns = {u.day: _columns(world.config, table, u.day) for u in units}
    has = _values(
        c, {(k, n) for day in columns.values() for k, names in day.items() for n in names}
    )
    for u, (a, b) in zip(units, c.bounds, strict=True):
        _copied(u.counts, free[a:b], safe[a:b], kind[a:b])
        for k, names in columns[u.day].items():
            open_ = (free if k in _HEALING else safe)[a:b]
            fits = [(c.rows.columns.index(n), open_ & has[k, n][a:b]) for n in names]
            _strike(k, int(u.counts[k]), fits, kind[a:b], place[a:b])
    return kind, place


def _columns(config: WorldConfig, table: str, day: int) -> dict[int, list[str]]:
    """By kind, the few columns that it strikes on a day."""
    found = {}
    for k, names in places(table).items():
        if names:
            base = key(config.seed, f"defects:{table}:{KINDS[k]}")
            first = int(below(draw(base, day), len(names))[0])
            found[k] = [*names[first:], *names[:first]][:_COLUMNS_A_DAY]
    return found


def _values(c: _Candidates, asked: set[tuple[int, str]]) -> dict[tuple[int, str], Bools]:
    """Where a column has something to strike: a value, of an amount one above zero."""
    tests = {
        (k, n): (pl.col(n) > 0).fill_null(value=False) if k == NEGATIVE else pl.col(n).is_not_null()
        for k, n in sorted(asked)
    }
    found = c.rows.select(test.alias(f"{k}:{n}") for (k, n), test in tests.items())
    return {(k, n): found[f"{k}:{n}"].to_numpy() for k, n in tests}


def _copied(wanted: I64, free: Bools, safe: Bools, kind: I64) -> None:
    """Rows to come twice. Their number is exact: where too few may clash or be touched at all,
    others are sent again."""
    kind[np.flatnonzero(safe)[: wanted[CLASH]]] = CLASH
    left = int(wanted[CLASH] + wanted[AGAIN]) - int((kind == CLASH).sum())
    kind[np.flatnonzero(free & (kind < 0))[:left]] = AGAIN
    left -= int((kind == AGAIN).sum())
    kind[np.flatnonzero(kind < 0)[:left]] = AGAIN


def _strike(k: int, count: int, fits: Sequence[tuple[int, Bools]], kind: I64, place: I64) -> None:
    """Gives a kind its rows, the first that fit and are not taken: an equal share to each
    column, and what one has no rows for to the next."""
    for turn, (column, open_) in enumerate([*fits, *fits]):
        share = -(-count // max(len(fits) - turn, 1))
        at = np.flatnonzero(open_ & (kind < 0))[:share]
        kind[at], place[at] = k, column
        count -= len(at)


def _edited(clean: pl.DataFrame, table: str, c: _Candidates, kind: I64, place: I64) -> pl.DataFrame:
    at = np.flatnonzero(place >= 0)
    hits = {clean.columns[k]: at[place[at] == k] for k in np.unique(place[at]).tolist()}
    texts = {n: hit for n, hit in hits.items() if clean.schema[n] == pl.String}
    changed = _respelled(table, c, kind, texts) | {
        n: _recounted(c, kind, n, hit) for n, hit in hits.items() if n not in texts
    }
    out = clean.clone()
    for n, values in changed.items():
        column = clean[n].clone().scatter(c.position[hits[n]], values)
        out.replace_column(out.get_column_index(n), column)
    return out


def _respelled(
    table: str, c: _Candidates, kind: I64, hits: Mapping[str, I64]
) -> dict[str, pl.Series]:
    """New texts of the rows hit in each column, all worked out together."""
    if not hits:
        return {}
    at = np.concatenate(list(hits.values()))
    sizes = [len(hit) for hit in hits.values()]
    codes = [isinstance(contract(table).columns.get(n), dy.Enum) for n in hits]
    cells = pl.DataFrame(
        {
            "text": pl.concat([c.rows[n][hit] for n, hit in hits.items()]),
            "kind": kind[at],
            "is_code": np.repeat(codes, sizes),
            "turn": (c.h[at] >> np.uint64(8)) % np.uint64(3),
            "stranger": NOBODY + below(draw(1, c.h[at]), 900_000),
        }
    )
    text, struck = pl.col("text"), pl.col("kind")
    new = cells.select(
        pl.when(struck == UNKNOWN)
        .then(formatted("{}_X{}", text, "turn"))
        .when(struck == ORPHAN)
        .then(formatted("{}{}", text.str.head(1), "stranger"))
        .when((struck == UNTIDY) & pl.col("is_code"))
        .then(_recased(text, pl.col("turn")))
        .when(struck == UNTIDY)
        .then("  " + text + " ")
    ).to_series()
    starts = np.cumsum([0, *sizes]).tolist()
    return {n: new.slice(k, size) for n, k, size in zip(hits, starts, sizes, strict=False)}


def _recased(text: pl.Expr, turn: pl.Expr) -> pl.Expr:
    lower, upper = text.str.to_lowercase(), text.str.to_uppercase()
    other = pl.when(text != lower).then(lower).otherwise(upper)
    return pl.when(turn == 0).then(other).when(turn == 1).then(" " + upper).otherwise(text + "  ")


def _recounted(c: _Candidates, kind: I64, column: str, hit: I64) -> pl.Series:
    """New amounts or times of the rows hit in a column; amounts have one kind."""
    values = c.rows[column][hit]
    if kind[hit[0]] == NEGATIVE:
        return -values
    moved = (values.to_physical() + _shift(c.h[hit], kind[hit])).cast(values.dtype)
    return moved.set(pl.Series(kind[hit] == UNTIMED), None)


def _shift(h: U64, kind: I64) -> pl.Series:
    """Microseconds added. Clocks are days off, always out of the gaming day, back or forth;
    late rows become known one to LATEST_DAYS days later."""
    h = draw(1, h)
    skew = (2 + below(h, 29)) * _DAY + below(h << np.uint64(31), 3600) * 1_000_000
    skew = np.where((h & np.uint64(1)).astype(bool), -skew, skew)
    return pl.Series(np.where(kind == CLOCK, skew, (1 + below(h, LATEST_DAYS)) * _DAY))


def _copies(table: str, c: _Candidates, kind: I64) -> pl.DataFrame:
    """The rows that are gained: a clash has another content under the same key."""
    at = np.flatnonzero((kind == CLASH) | (kind == AGAIN))
    rows = c.rows[at]
    if rows.is_empty():
        return rows
    delay = pl.Series(600_000_000 + below(draw(2, c.h[at]), 5_400) * 1_000_000)
    known = (pl.col("_ingested_at").to_physical() + delay).cast(pl.Datetime("us", "UTC"))
    changed = [known.alias("_ingested_at"), pl.col("_batch_id") + "-R"]
    if (column := producers()[table].clashing) is not None:
        other, clash = pl.col(column), pl.Series(kind[at] == CLASH)
        changed.append(pl.when(clash).then(other + "-2").otherwise(other).alias(column))
    return rows.with_columns(changed)


def _struck(table: str, c: _Candidates, kind: I64, place: I64) -> Struck:
    at = np.flatnonzero(kind >= 0)
    # Texts of their own: a part of a column would keep the whole of it in memory.
    keys = pl.Series(c.rows[contract(table).key[0]][at].to_list(), dtype=pl.String)
    return Struck(table, c.day[at], kind[at], place[at], keys)


def _open_rows(
    world: World, table: str, units: Sequence[Unit], c: _Candidates
) -> tuple[Bools, Bools]:
    """Rows that may be touched at all (no planted scenario or case rests on them), and rows
    that may be lost to quarantine without a second consequence."""
    days, patrons = sorted({u.day for u in units}), _patrons(table)
    free = np.ones(len(c.h), dtype=bool)
    if patrons:
        free &= ~_named(c, patrons, {d: _planned(world, d) for d in days})
    if patrons or _CASES & set(c.rows.columns):
        free &= ~_of_cases(c, {d: evidence(world.config, d) for d in days})
    about = producers()[table]
    if about.evidence is not None:
        free &= ~_of_cases(c, {d: about.evidence(world, d) for d in days})
    safe = free
    if about.needed is not None:
        safe = safe & ~_named(c, patrons, {d: about.needed(world, d) for d in days})
    if about.needed_rows is not None:
        safe = safe & ~c.rows.select(about.needed_rows).to_series().to_numpy()
    return free, safe


def _of_cases(c: _Candidates, wanted: Mapping[int, Mapping[str, list[str] | pl.Series]]) -> Bools:
    """Rows of a day with one of the values that it names for a column."""
    found = np.zeros(len(c.h), dtype=bool)
    for day, columns in wanted.items():
        for column in columns.keys() & set(c.rows.columns):
            named = pl.Series(columns[column], dtype=c.rows.schema[column]).implode()
            is_named = c.rows[column].is_in(named).fill_null(value=False).to_numpy()
            found |= is_named & (c.day == day)
    return found


@functools.cache
def _patrons(table: str) -> tuple[str, ...]:
    """Columns that say which patron did it; a player of an online platform is an account."""
    if table == PEOPLE:
        return ("player_id",)
    return tuple(n for n, (parent, _) in contract(table).references().items() if parent == PEOPLE)


def _planned(world: World, day: int) -> list[int]:
    return [q for s in world.scenarios(day) for q in s.players]


def _named(c: _Candidates, columns: Sequence[str], who: Mapping[int, Sequence[int] | I64]) -> Bools:
    """Rows in which one of the day's patrons stands."""
    span = np.int64(1) << np.int64(40)
    codes = [np.asarray(q, dtype=np.int64) + span * d for d, q in who.items()]
    wanted = np.concatenate(codes)
    found = np.zeros(len(c.h), dtype=bool)
    for column in columns:
        if len(wanted):
            number = c.rows[column].str.slice(1).cast(pl.Int64).fill_null(-1).to_numpy()
            found |= (number >= 0) & np.isin(number + span * c.day, wanted)
    return found
