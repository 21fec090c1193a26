"""Dirt: what goes wrong between the floor and the lake, at configured rates.

A row has one defect at most. Which rows, and how many, follows from (seed, table, day)
alone. Rows that the law or a planted scenario rests on are never lost: the filings of
the office stay right about the money that silver keeps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts import PROVENANCE, contract
from lakehouse.simulate import filings
from lakehouse.simulate.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.counter import I64, U64, below, draw, key, uniform
from lakehouse.simulate.ids import players
from lakehouse.simulate.planted import nothing, planted

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

Bools = NDArray[np.bool_]

HARMLESS = ("gaming_wins", "staff_observations", "compliance")
"""Tables whose every row has a consequence: they get only what silver heals."""
NOBODY = 99_000_000
"""Player numbers from here on belong to nobody."""
CLASHING = {
    "slot_telemetry": "location_id",
    "table_games": "dealer_id",
    "player_profile": "city",
    "financial_txn": "cage_location",
    "security_events": "location_detail",
}
"""Column in which the second row of a key differs."""
_COLUMNS_A_DAY = 3
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Places:
    """Columns of a table that each kind of defect can strike."""

    required: tuple[str, ...]
    codes: tuple[str, ...]
    amounts: tuple[str, ...]
    people: tuple[str, ...]
    event_time: str | None


@functools.cache
def places(table: str) -> Places:
    known = contract(table)
    apart = {*known.key, *known.references(), *PROVENANCE, "gaming_day", known.event_time}
    columns = {n: c for n, c in known.columns.items() if n not in apart}
    texts = {n: c for n, c in columns.items() if isinstance(c, (dy.String, dy.Enum))}
    refs = known.references().items()
    return Places(
        required=tuple(n for n, c in texts.items() if not c.nullable),
        codes=tuple(n for n, c in texts.items() if isinstance(c, dy.Enum)),
        amounts=tuple(
            n
            for n, c in columns.items()
            if isinstance(c, dy.Decimal) and c.min == 0 and c.scale == 2
        ),
        people=tuple(n for n, ref in refs if n == ref[1] == "player_id"),
        event_time=known.event_time,
    )


def _count(config: WorldConfig, table: str, day: int, kind: str, rows: int) -> int:
    """Expected number, rounded up or down by chance; at most a tenth of the rows."""
    rate: float = getattr(config.faults, kind)
    luck = float(uniform(draw(key(config.seed, f"defects:{table}:{kind}", day)))[0])
    return min(int(rate * rows + luck), rows // 10)


def added(config: WorldConfig, table: str, day: int, rows: int | None = None) -> int:
    """Rows that retransmits and key clashes add to a day: clean rows = quota - added.

    `rows`: what the day holds in all, for tables without a quota."""
    total = config.quota(table, day) if rows is None else rows
    clashes = 0 if table in HARMLESS else _count(config, table, day, "key_clash", total)
    return _count(config, table, day, "retransmit", total) + clashes


@dataclass(frozen=True)
class _Strike:
    """Rows that are changed alike in one column."""

    kind: str
    rule: str
    rows: I64
    column: str | None = None
    change: pl.Expr | None = None
    """New value, of the column's old one and of `_number`."""
    numbers: I64 | None = None


@dataclass
class _Spoiler:
    """Chooses rows and gathers the changes, so that each column is written once."""

    config: WorldConfig
    table: str
    day: int
    clean: pl.DataFrame
    free: Bools
    safe: Bools
    strikes: list[_Strike] = field(default_factory=list)

    def hashes(self, stream: str, n: int) -> U64:
        base = key(self.config.seed, f"defects:{self.table}:{stream}", self.day)
        return draw(base, np.arange(n))

    def take(self, stream: str, count: int, open_: Bools, column: str | None = None) -> I64:
        """`count` untouched rows (fewer where there are not so many), chosen by hash."""
        if count <= 0 or not len(open_):
            return np.zeros(0, dtype=np.int64)
        tries = below(self.hashes(stream, 4 * count + 16), len(open_))
        _, first = np.unique(tries, return_index=True)
        chosen = self._fitting(tries[np.sort(first)], open_, column)[:count]
        if len(chosen) < count:
            rest = self._fitting(np.arange(len(open_)), open_, column)
            chosen = rest[np.argsort(self.hashes(stream, len(rest)), kind="stable")][:count]
        self.free[chosen] = self.safe[chosen] = False
        return chosen

    def _fitting(self, rows: I64, open_: Bools, column: str | None) -> I64:
        """Of `rows`, those that are open and whose value is there; an amount, above zero."""
        rows = rows[open_[rows]]
        if column is None:
            return rows
        values = self.clean[column].gather(rows.astype(np.uint32))
        if isinstance(values.dtype, pl.Decimal):
            return rows[(values > 0).fill_null(value=False).to_numpy()]
        return rows if not values.null_count() else rows[values.is_not_null().to_numpy()]

    def strike(
        self,
        kind: str,
        columns: Sequence[str],
        rule: str,
        change: Callable[[str, int], pl.Expr],
        *,
        numbers: Callable[[U64], I64] | None = None,
        harmless: bool = False,
    ) -> None:
        """Spoils rows of one kind in a few of `columns`; `{}` in the rule is the column."""
        total = _count(self.config, self.table, self.day, kind, self.clean.height)
        if not columns or not total:
            return
        offset = int(below(self.hashes(f"{kind}:column", 1), len(columns))[0])
        spread, left = min(total, len(columns), _COLUMNS_A_DAY), total
        for k in range(spread):
            column = columns[(offset + k) % len(columns)]
            share = -(-left // (spread - k))
            open_ = self.free if harmless else self.safe
            rows = self.take(f"{kind}:{column}", share, open_, column)
            given = numbers(self.hashes(f"{kind}:number", len(rows))) if numbers else None
            self.strikes.append(
                _Strike(kind, rule.format(column), rows, column, change(column, k), given)
            )
            left -= len(rows)

    def dirty(self) -> pl.DataFrame:
        edits = [s for s in self.strikes if s.column is not None and len(s.rows)]
        if not edits:
            return self.clean
        rows = np.concatenate([s.rows for s in edits])
        numbers = [np.zeros_like(s.rows) if s.numbers is None else s.numbers for s in edits]
        touched = list(dict.fromkeys(s.column for s in edits if s.column))
        which = np.repeat(np.arange(len(edits)), [len(s.rows) for s in edits])
        given = [pl.Series("_edit", which), pl.Series("_number", np.concatenate(numbers))]
        part = self.clean.select(touched)[rows].hstack(given)
        changed = part.select(_edited(c, edits, part.schema[c]) for c in touched)
        out = self.clean.clone()
        for column in touched:
            values = self.clean[column].clone().scatter(rows, changed[column])
            out.replace_column(out.get_column_index(column), values)
        return out

    def plants(self) -> pl.DataFrame:
        struck = [s for s in self.strikes if len(s.rows)]
        if not struck:
            return nothing()
        sizes = np.repeat(np.arange(len(struck)), [len(s.rows) for s in struck])
        kind = pl.Series([s.kind for s in struck])[sizes]
        rule = pl.Series([s.rule for s in struck])[sizes]
        keys = self.clean[contract(self.table).key[0]][np.concatenate([s.rows for s in struck])]
        date = self.config.date(self.day)
        return planted(
            kind,
            kind + f":{self.table}:{date}:" + keys,
            entity_type="row",
            entity=keys,
            table=self.table,
            key=keys,
            rule=rule,
            day=date,
        )


def _edited(column: str, edits: Sequence[_Strike], dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    for k, s in enumerate(edits):
        if s.column == column and s.change is not None:
            value = pl.when(pl.col("_edit") == k).then(s.change.cast(dtype)).otherwise(value)
    return value.alias(column)


def spoil(
    world: World, table: str, day: int, clean: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A day's clean bronze rows → (rows as they arrive, plants). Adds exactly `added` rows
    where the day has a quota."""
    if clean.is_empty() or world.config.faults == NO_FAULTS:
        return clean, nothing()
    s, copies = _spoiler(world, table, day, clean)
    return pl.concat([s.dirty(), copies], rechunk=False), s.plants()


def arriving(world: World, table: str, day: int, clean: pl.DataFrame) -> pl.DataFrame:
    """The rows of `spoil`, without its plants."""
    if clean.is_empty() or world.config.faults == NO_FAULTS:
        return clean
    s, copies = _spoiler(world, table, day, clean)
    return pl.concat([s.dirty(), copies], rechunk=False)


def _spoiler(
    world: World, table: str, day: int, clean: pl.DataFrame
) -> tuple[_Spoiler, pl.DataFrame]:
    free, safe = _open_rows(world, table, day, clean)
    s = _Spoiler(world.config, table, day, clean, free, safe)
    copies = _copies(s)
    if table not in HARMLESS:
        _spoil_for_good(s)
    _spoil_healing(s)
    return s, copies


def _spoil_for_good(s: _Spoiler) -> None:
    at = places(s.table)
    s.strike("null_required", at.required, "{}|nullability", lambda _, __: pl.lit(None))
    s.strike("unknown_code", at.codes, "{}|domain", lambda c, k: pl.col(c) + f"_X{k}")
    s.strike("negative_amount", at.amounts, "{}|min", lambda c, _: -pl.col(c))
    if at.event_time:
        s.strike(
            "clock",
            (at.event_time,),
            "event_in_gaming_day",
            lambda c, _: _shifted(c),
            numbers=_skew,
        )
    nobody = pl.lit("P") + pl.col("_number").cast(pl.String)
    s.strike("orphan", at.people, "{}|orphan", lambda _, __: nobody, numbers=_strangers)


def _spoil_healing(s: _Spoiler) -> None:
    at = places(s.table)
    untidy = (*at.codes, *(c for c in at.required if c not in at.codes))
    s.strike(
        "untidy_text",
        untidy,
        "heals",
        lambda c, k: _untidy(pl.col(c), k, is_code=c in at.codes),
        harmless=True,
    )
    s.strike(
        "late", ("_ingested_at",), "late", lambda c, _: _shifted(c), numbers=_delay, harmless=True
    )


def _shifted(column: str) -> pl.Expr:
    return pl.col(column).to_physical() + pl.col("_number")


def _skew(h: U64) -> I64:
    """Clocks that are days off: always out of the gaming day, back or forth."""
    shift = (2 + below(h, 29)) * _DAY + below(h << np.uint64(31), 3600) * 1_000_000
    return np.where((h & np.uint64(1)).astype(bool), -shift, shift)


def _delay(h: U64) -> I64:
    return (1 + below(h, 3)) * _DAY


def _strangers(h: U64) -> I64:
    return NOBODY + below(h, 900_000)


def _untidy(text: pl.Expr, k: int, *, is_code: bool) -> pl.Expr:
    if not is_code:
        return "  " + text + " "
    return (text.str.to_lowercase(), " " + text.str.to_uppercase(), text + "  ")[k % 3]


def _copies(s: _Spoiler) -> pl.DataFrame:
    """The rows that a day gains: a clash has another content under the same key."""
    for_good = s.table not in HARMLESS
    total = s.config.quota(s.table, s.day) if for_good else s.clean.height
    clashes = _count(s.config, s.table, s.day, "key_clash", total) if for_good else 0
    extra = _count(s.config, s.table, s.day, "retransmit", total) + clashes
    clash = s.take("key_clash", clashes, s.safe)
    again = s.take("retransmit", extra - len(clash), s.free)
    if len(again) < extra - len(clash):
        more = np.flatnonzero(~s.free)[: extra - len(clash) - len(again)]
        again = np.concatenate([again, more])
    s.strikes += [
        _Strike("key_clash", "key_clash", clash),
        _Strike("retransmit", "retransmit", again),
    ]
    delay = 600_000_000 + below(s.hashes("resent", extra), 5_400) * 1_000_000
    known = (pl.col("_ingested_at").to_physical() + pl.lit(pl.Series(delay))).cast(
        pl.Datetime("us", "UTC")
    )
    changed = [known.alias("_ingested_at"), pl.col("_batch_id") + "-R"]
    if len(clash):
        is_clash = pl.lit(pl.Series(np.arange(extra) < len(clash)))
        other = pl.col(CLASHING[s.table])
        changed.append(
            pl.when(is_clash).then(other + "-2").otherwise(other).alias(CLASHING[s.table])
        )
    rows = s.clean[np.concatenate([clash, again])]
    return rows.with_columns(changed) if extra else rows


def _open_rows(world: World, table: str, day: int, clean: pl.DataFrame) -> tuple[Bools, Bools]:
    """Rows that may be touched at all (nobody of a planted scenario stands in them), and rows
    that may be lost to quarantine without a second consequence."""
    parts = [np.asarray(s.players, dtype=np.int64) for s in world.scenarios(day)]
    planted_ = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *parts]))
    free = [_nobody_of(clean, planted_)]
    kept = list(free)
    if table == "player_profile":
        # Whoever is named today needs this extract, or all of his rows would be orphans.
        kept.append(_nobody_of(clean, np.union1d(world.named(day), filings.persons(world, day))))
    elif table == "financial_txn":
        kept.append(_nobody_of(clean, filings.obliged(world, day)))
        kept.append(pl.col("transaction_type") != "JACKPOT_PAYOUT")
    elif table in HARMLESS:
        kept.append(pl.lit(value=False))
    masks = clean.select(
        pl.all_horizontal(*free).alias("free"), pl.all_horizontal(*kept).alias("safe")
    )
    open_, sure = (np.broadcast_to(masks[c].to_numpy(), clean.height).copy() for c in masks.columns)
    return open_, sure


def _nobody_of(frame: pl.DataFrame, who: I64) -> pl.Expr:
    who = who[who >= 0]
    columns = [c for c in ("player_id", "on_behalf_of_player_id") if c in frame.columns]
    if not len(who) or not columns:
        return pl.lit(value=True)
    ids = players(who).implode()
    return ~pl.any_horizontal(pl.col(c).is_in(ids).fill_null(value=False) for c in columns)
