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
from lakehouse.simulate.counter import I64, below, draw, key, uniform
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


@dataclass
class _Spoiler:
    """Edits of one frame, gathered by column so that each column is written once."""

    config: WorldConfig
    table: str
    day: int
    clean: pl.DataFrame
    free: Bools
    safe: Bools
    edits: dict[str, list[tuple[I64, pl.Series]]] = field(default_factory=dict)
    struck: list[tuple[str, str, I64]] = field(default_factory=list)
    """Kind, expected rule, rows."""

    def hashes(self, stream: str, n: int) -> NDArray[np.uint64]:
        base = key(self.config.seed, f"defects:{self.table}:{stream}", self.day)
        return draw(base, np.arange(n))

    def take(self, stream: str, count: int, *, eligible: Bools | None = None) -> I64:
        """`count` untouched rows (fewer where there are not so many), chosen by hash."""
        n = self.clean.height
        if count <= 0 or n == 0:
            return np.zeros(0, dtype=np.int64)
        open_ = self.free if eligible is None else self.free & eligible
        tries = below(self.hashes(stream, 8 * count + 32), n)
        tries = tries[open_[tries]]
        _, first = np.unique(tries, return_index=True)
        chosen = tries[np.sort(first)][:count]
        if len(chosen) < count:
            rest = np.flatnonzero(open_)
            chosen = rest[np.argsort(self.hashes(stream, len(rest)), kind="stable")][:count]
        self.free[chosen] = False
        return chosen

    def edit(self, column: str, rows: I64, values: pl.Series) -> None:
        self.edits.setdefault(column, []).append((rows, values))

    def plant(self, kind: str, rows: I64, rule: str) -> None:
        if len(rows):
            self.struck.append((kind, rule, rows))

    def plants(self) -> pl.DataFrame:
        if not self.struck:
            return nothing()
        sizes = [len(rows) for _, _, rows in self.struck]
        kind, rule = (
            pl.Series([s[part] for s in self.struck]).gather(
                np.repeat(np.arange(len(sizes)), sizes)
            )
            for part in (0, 1)
        )
        rows = np.concatenate([rows for _, _, rows in self.struck])
        keys = self.clean[contract(self.table).key[0]].gather(rows)
        date = self.config.date(self.day)
        return planted(
            kind,
            pl.select(
                pl.format("{}:{}:{}:{}", kind, pl.lit(self.table), pl.lit(date), keys)
            ).to_series(),
            entity_type="row",
            entity=keys,
            table=self.table,
            key=keys,
            rule=rule,
            day=date,
        )

    def strike(
        self,
        kind: str,
        columns: Sequence[str],
        rule: str,
        change: Callable[[pl.Series, int], pl.Series],
        *,
        eligible: Callable[[pl.Series], pl.Series] = pl.Series.is_not_null,
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
            values = self.clean[column]
            fits = eligible(values).to_numpy() & (True if harmless else self.safe)
            rows = self.take(f"{kind}:{column}", share, eligible=fits)
            self.edit(column, rows, change(values.gather(rows), k))
            self.plant(kind, rows, rule.format(column))
            left -= len(rows)

    def dirty(self) -> pl.DataFrame:
        changed = []
        for column, parts in self.edits.items():
            rows = np.concatenate([r for r, _ in parts])
            if len(rows):
                values = pl.concat([v.cast(self.clean.schema[column]) for _, v in parts])
                changed.append(self.clean[column].clone().scatter(rows, values))
        return self.clean.with_columns(changed)


def spoil(
    world: World, table: str, day: int, clean: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A day's clean bronze rows → (rows as they arrive, plants). Adds exactly `added` rows
    where the day has a quota."""
    if clean.is_empty() or world.config.faults == NO_FAULTS:
        return clean, nothing()
    known = table not in HARMLESS
    extra = added(world.config, table, day, None if known else clean.height)
    free = ~_scenario_rows(world, day, clean)
    s = _Spoiler(
        world.config, table, day, clean, free, free & _expendable(world, table, day, clean)
    )
    copies = _copies(s, extra)
    if known:
        _spoil_for_good(s)
    _spoil_healing(s)
    dirty = s.dirty()
    return pl.concat([dirty, copies], rechunk=False), s.plants()


def _spoil_for_good(s: _Spoiler) -> None:
    at = places(s.table)
    s.strike("null_required", at.required, "{}|nullability", _nulls)
    s.strike("unknown_code", at.codes, "{}|domain", lambda v, k: v + f"_X{k}")
    s.strike("negative_amount", at.amounts, "{}|min", lambda v, _: -v, eligible=_positive)
    if at.event_time:
        s.strike("clock", (at.event_time,), "event_in_gaming_day", _skewed(s))
    s.strike("orphan", at.people, "{}|orphan", _strangers(s))


def _spoil_healing(s: _Spoiler) -> None:
    at = places(s.table)
    untidy = (*at.codes, *(c for c in at.required if c not in at.codes))
    s.strike(
        "untidy_text",
        untidy,
        "heals",
        lambda v, k: _untidy(v, k, is_code=v.name in at.codes),
        harmless=True,
    )
    s.strike("late", ("_ingested_at",), "late", _delayed(s), harmless=True)


def _skewed(s: _Spoiler) -> Callable[[pl.Series, int], pl.Series]:
    """Clocks that are days off: always out of the gaming day, back or forth."""

    def skew(values: pl.Series, _: int) -> pl.Series:
        h = s.hashes("skew", len(values))
        shift = (2 + below(h, 29)) * _DAY + below(h << np.uint64(31), 3600) * 1_000_000
        back = (h & np.uint64(1)).astype(bool)
        return (values.to_physical() + np.where(back, -shift, shift)).cast(values.dtype)

    return skew


def _strangers(s: _Spoiler) -> Callable[[pl.Series, int], pl.Series]:
    def nobody(values: pl.Series, _: int) -> pl.Series:
        return players(NOBODY + below(s.hashes("nobody", len(values)), 900_000))

    return nobody


def _delayed(s: _Spoiler) -> Callable[[pl.Series, int], pl.Series]:
    def later(values: pl.Series, _: int) -> pl.Series:
        days = 1 + below(s.hashes("lateness", len(values)), 3)
        return (values.to_physical() + days * _DAY).cast(values.dtype)

    return later


def _nulls(values: pl.Series, _: int) -> pl.Series:
    return values.clear(len(values))


def _positive(values: pl.Series) -> pl.Series:
    return (values > 0).fill_null(value=False)


def _untidy(values: pl.Series, k: int, *, is_code: bool) -> pl.Series:
    if not is_code:
        return "  " + values + " "
    return (values.str.to_lowercase(), " " + values.str.to_uppercase(), values + "  ")[k % 3]


def _copies(s: _Spoiler, extra: int) -> pl.DataFrame:
    """The rows that a day gains: a clash has another content under the same key."""
    clashing = 0
    if s.table not in HARMLESS:
        clashing = _count(s.config, s.table, s.day, "key_clash", s.config.quota(s.table, s.day))
    clash = s.take("key_clash", min(clashing, extra), eligible=s.safe)
    again = s.take("retransmit", extra - len(clash))
    if len(again) < extra - len(clash):
        more = np.flatnonzero(~s.free)[: extra - len(clash) - len(again)]
        again = np.concatenate([again, more])
    s.plant("key_clash", clash, "key_clash")
    s.plant("retransmit", again, "retransmit")
    rows = s.clean[again]
    if len(clash):
        changed = s.clean[clash].with_columns(pl.col(CLASHING[s.table]) + "-2")
        rows = pl.concat([changed, rows])
    delay = 600_000_000 + below(s.hashes("resent", rows.height), 5_400) * 1_000_000
    return rows.with_columns(
        _ingested_at=(rows["_ingested_at"].to_physical() + delay).cast(pl.Datetime("us", "UTC")),
        _batch_id=pl.col("_batch_id") + "-R",
    )


def _scenario_rows(world: World, day: int, clean: pl.DataFrame) -> Bools:
    """Rows that name somebody of a planted scenario."""
    parts = [np.asarray(s.players, dtype=np.int64) for s in world.scenarios(day)]
    named = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *parts]))
    return _names(clean, named[named >= 0])


def _expendable(world: World, table: str, day: int, clean: pl.DataFrame) -> Bools:
    """Rows that may be lost to quarantine without a second consequence."""
    if table == "player_profile":
        # Whoever is named today needs this extract, or all of his rows would be orphans.
        return ~_names(clean, np.union1d(world.named(day), filings.persons(world, day)))
    if table == "financial_txn":
        owed = _names(clean, filings.obliged(world, day))
        paid = (clean["transaction_type"] == "JACKPOT_PAYOUT").to_numpy()
        return ~(owed | paid)
    return np.full(clean.height, table not in HARMLESS)


def _names(frame: pl.DataFrame, who: I64) -> Bools:
    ids = players(who)
    columns = [c for c in ("player_id", "on_behalf_of_player_id") if c in frame.columns]
    found = np.zeros(frame.height, dtype=bool)
    if len(who):
        for column in columns:
            found |= frame[column].is_in(ids.implode()).fill_null(value=False).to_numpy()
    return np.asarray(found, dtype=bool)
