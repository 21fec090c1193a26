"""Keys that two landed files share: whose rows give way, and what clashes.

The file that came later says what becomes of rows with one key (`on_same_key` of its mapping);
one that lay where another lies now is always corrected by it. Rows that give way stay in the
Delta history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, stored_as
from lakehouse.ingest.files.ledger import PREFIX_LENGTH, Ledger, batch_prefix
from lakehouse.ingest.files.mapping import OnSameKey, mapping_from_text
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, STAGE
from lakehouse.regulation.gaming_day import Days, ranges_of
from lakehouse.storage import Commit, Lake

LAYERS = ("bronze", "quarantine")
HELD = "clash"
"""Stage in quarantine of rows that are bronze's but for another file's row of their key."""
CLASH = "key_clash"
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Standing:
    """When a file came among all, what it says of shared keys, and where it lay."""

    rank: int
    on_same_key: OnSameKey
    places: frozenset[str]


@dataclass(frozen=True)
class Newcomer:
    """A landed file all of whose rows are stored, by the beginning of its batches; `known` are
    the ended files, and itself unless it was withdrawn."""

    contract: Contract
    prefix: str
    known: dict[str, Standing]

    @property
    def over(self) -> list[str]:
        """Files whose rows give way to this one's."""
        return [p for p, other in self._others() if self._loser(other) is other]

    @property
    def lay_here(self) -> list[str]:
        """Files that this one corrects as a whole, because it lies where they lay; or itself,
        where a later one lies there."""
        mine = self.known[self.prefix]
        here = [(p, s) for p, s in self._others() if s.places & mine.places]
        later = any(s.rank > mine.rank for _, s in here)
        return [p for p, s in here if s.rank < mine.rank] + [self.prefix] * later

    @property
    def under(self) -> list[str]:
        """Files whose rows this one's give way to."""
        mine = self.known[self.prefix]
        return [p for p, other in self._others() if self._loser(other) is mine]

    def _others(self) -> Iterator[tuple[str, Standing]]:
        return ((p, s) for p, s in self.known.items() if p != self.prefix)

    def _loser(self, other: Standing) -> Standing | None:
        earlier, later = sorted((self.known[self.prefix], other), key=lambda s: s.rank)
        if earlier.places & later.places or later.on_same_key == "replace":
            return earlier
        return later if later.on_same_key == "keep_first" else None


def newcomer(c: Contract, file_id: str, ledger: Ledger) -> Newcomer:
    """A file that is begun, among those that have ended."""
    known = {
        batch_prefix(row["file_id"]): Standing(
            row["rank"],
            mapping_from_text(row["mapping"], c.name).on_same_key,
            frozenset(row["places"]),
        )
        for row in ledger.arrivals(c.name).to_dicts()
        if row["is_ended"] or row["file_id"] == file_id
    }
    return Newcomer(c, batch_prefix(file_id), known)


@dataclass(frozen=True)
class Place:
    """Where rows of landed files are: bronze, or a stage of quarantine."""

    layer: str
    stage: str | None = None

    def scan(self, lake: Lake, table: str, days: Days | None = None) -> pl.LazyFrame:
        rows = lake.scan(self.layer, table, days=days)
        return rows if self.stage is None else rows.filter(pl.col("_stage") == self.stage)

    def without(self, lake: Lake, table: str, gone: pl.DataFrame, commit: Commit) -> None:
        """Removes rows, told by the columns of `gone`; doing it twice changes nothing."""
        where = None if self.stage is None else {"_stage": self.stage}
        for days in _spans(lake, self.layer, table, gone["gaming_day"]):
            here = gone.filter(pl.col("gaming_day").is_between(*days)).lazy()
            rows = self.scan(lake, table, days)
            kept = rows.join(here, on=gone.columns, how="anti", nulls_equal=True).collect()
            lake.write_days(self.layer, table, kept, days, commit=commit, where=where)


BRONZE, REJECTED, SET_ASIDE = Place("bronze"), Place("quarantine", STAGE), Place("quarantine", HELD)


def _spans(lake: Lake, layer: str, table: str, days: pl.Series) -> Iterator[Days]:
    """The days in ranges without gaps, of so many rows as are held at once, or of one day."""
    stored = lake.partitions(layer, table).group_by("gaming_day").agg(pl.col("rows").sum())
    rows = dict(stored.iter_rows())
    for first, last in ranges_of(days.unique()):
        start, held = first, 0
        for n in range((last - first).days + 1):
            day = first + dt.timedelta(days=n)
            if held and held + rows.get(day, 0) > _ROWS_AT_ONCE:
                yield start, day - dt.timedelta(days=1)
                start, held = day, 0
            held += rows.get(day, 0)
        yield start, last


def own_rows(lake: Lake, c: Contract, file_id: str) -> tuple[int, int]:
    """How many rows a file has that could be typed, and how many that could not."""
    mine = pl.col("_batch_id").str.starts_with(batch_prefix(file_id))
    typed, not_typed = (
        sum(
            place.scan(lake, table).filter(mine).select(pl.len()).collect().item()
            for place in places
            for table in stored_as(c.name)
        )
        for places in ((BRONZE, SET_ASIDE), (REJECTED,))
    )
    return typed, not_typed


def replaced_rows(lake: Lake, new: Newcomer) -> tuple[int, int]:
    """Rows that give way: those that could be typed, and those that could not."""
    typed, not_typed = (
        sum(gone.height for place in places for _, gone in _giving_way(lake, place, new))
        for places in ((BRONZE, SET_ASIDE), (REJECTED,))
    )
    return typed, not_typed


def supersede(lake: Lake, new: Newcomer, commit: Commit) -> set[dt.date]:
    """Removes these rows; the days they were of. Rows of one file never replace each other:
    silver judges those. Doing it twice changes nothing."""
    changed: set[dt.date] = set()
    for place in (REJECTED, SET_ASIDE, BRONZE):
        for table, gone in _giving_way(lake, place, new):
            place.without(lake, table, gone, commit)
            changed |= set(gone["gaming_day"])
    return changed


def telling(c: Contract) -> list[str]:
    """Columns that tell rows with one key in one batch from all others."""
    return [*dict.fromkeys((*c.key, "gaming_day", "_source", "_batch_id"))]


def of_files(c: Contract, prefixes: Sequence[str]) -> pl.Expr:
    """Rows with a whole key of these files; rows of the simulator are of none."""
    keyed = pl.all_horizontal(pl.col(c.key).is_not_null())
    return prefix_of().is_in(prefixes) & pl.col("_source").str.starts_with(SOURCE_PREFIX) & keyed


def prefix_of(batch: str = "_batch_id") -> pl.Expr:
    """The beginning of a row's batch that tells its file."""
    return pl.col(batch).str.head(PREFIX_LENGTH)


def _giving_way(lake: Lake, place: Place, new: Newcomer) -> Iterator[tuple[str, pl.DataFrame]]:
    """By table what tells them, of other files first: theirs are found by this one's keys. A
    rejected row without a key is known by its file alone, and goes with what corrects that."""
    if place == REJECTED and new.lay_here:
        yield from _keyless(lake, new)
    for losers, winners in ((new.over, [new.prefix]), ([new.prefix], new.under)):
        if not losers or not winners:
            continue
        key = new.contract.key
        keys = _keys(lake, new.contract, winners)
        for table in stored_as(new.contract.name):
            rows = place.scan(lake, table).filter(of_files(new.contract, losers))
            gone = rows.select(telling(new.contract)).join(keys, on=key, how="semi").collect()
            if gone.height:
                yield table, gone


def _keyless(lake: Lake, new: Newcomer) -> Iterator[tuple[str, pl.DataFrame]]:
    c = new.contract
    no_key = pl.any_horizontal(pl.col(c.key).is_null())
    for table in stored_as(c.name):
        rows = REJECTED.scan(lake, table).filter(prefix_of().is_in(new.lay_here), no_key)
        gone = rows.select(telling(c)).collect()
        if gone.height:
            yield table, gone


def _keys(lake: Lake, c: Contract, files: Sequence[str]) -> pl.LazyFrame:
    rows = [p.scan(lake, t) for p in (BRONZE, SET_ASIDE) for t in stored_as(c.name)]
    return pl.concat(r.filter(of_files(c, files)).select(c.key) for r in rows)
