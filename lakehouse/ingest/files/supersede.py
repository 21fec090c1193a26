"""Keys that two landed files share: whose rows give way, and what clashes.

The file that came later says what becomes of rows with one key (`on_same_key` of its mapping);
one that lay where another lies now is always corrected by it. Rows that give way stay in the
Delta history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, stored_as
from lakehouse.ingest.files.ledger import PREFIX_LENGTH, Ledger, batch_prefix
from lakehouse.ingest.files.mapping import OnSameKey, mapping_from_text
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, STAGE
from lakehouse.regulation.gaming_day import Days
from lakehouse.storage import Commit, Lake

LAYERS = ("bronze", "quarantine")
HELD = "clash"
"""Stage in quarantine of rows that are bronze's but for another file's row of their key."""
CLASH = "key_clash"
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Standing:
    """When a file came among all, what it says of shared keys, where it lay, and whether it had
    all rows there were."""

    rank: int
    on_same_key: OnSameKey
    places: frozenset[str]
    is_snapshot: bool = False

    @property
    def folders(self) -> frozenset[str]:
        return frozenset(place.rpartition("/")[0] for place in self.places)


@dataclass(frozen=True)
class Newcomers:
    """Landed files all of whose rows are stored, by the beginning of their batches, in the order
    of arrival: they are looked at together, and come one after the other. `known` are the ended
    files and these."""

    contract: Contract
    prefixes: tuple[str, ...]
    known: dict[str, Standing]

    def turns(self) -> Iterator[tuple[str, list[str]]]:
        """Each with the files that were there before it."""
        there = [p for p in self.known if p not in self.prefixes]
        for prefix in self.prefixes:
            yield prefix, there
            there = [*there, prefix]

    def over(self, mine: str, others: Sequence[str]) -> list[str]:
        """Of other files those whose rows give way to this one's."""
        return [p for p in others if self._loser(mine, p) is self.known[p]]

    def under(self, mine: str, others: Sequence[str]) -> list[str]:
        """Of other files those that this one's rows give way to."""
        return [p for p in others if self._loser(mine, p) is self.known[mine]]

    def without(self, files: Collection[str]) -> Newcomers:
        prefixes = tuple(p for p in self.prefixes if p not in files)
        known = {p: s for p, s in self.known.items() if p not in files}
        return Newcomers(self.contract, prefixes, known)

    @property
    def has_snapshots(self) -> bool:
        return any(self.known[p].is_snapshot for p in self.prefixes)

    def corrected(self) -> dict[str, str]:
        """File → the newcomer with whose coming it is corrected as a whole, because one lies
        where the other lay; a newcomer may be so itself."""
        found: dict[str, str] = {}
        for mine, before in self.turns():
            for other in before:
                if self.known[mine].places & self.known[other].places:
                    found.setdefault(min(mine, other, key=lambda p: self.known[p].rank), mine)
        return found

    def outdated(self) -> list[str]:
        """Snapshots of newcomers' folders but for the last, which stands for all of them."""
        return list(dict.fromkeys(p for mine in self.prefixes for p in self._snapshots(mine)[:-1]))

    def is_outdated(self, mine: str, place: str) -> bool:
        """Whether a later snapshot has come to where this one lies now."""
        *earlier, last = self._snapshots(mine) or [mine]
        return mine in earlier and place.rpartition("/")[0] in self.known[last].folders

    def _snapshots(self, mine: str) -> list[str]:
        new = self.known[mine]
        alike = {
            p: s.rank
            for p, s in self.known.items()
            if new.is_snapshot and s.is_snapshot and new.folders & s.folders
        }
        return sorted(alike, key=alike.__getitem__)

    def _loser(self, mine: str, other: str) -> Standing | None:
        earlier, later = sorted((self.known[mine], self.known[other]), key=lambda s: s.rank)
        if earlier.places & later.places or later.on_same_key == "replace":
            return earlier
        return later if later.on_same_key == "keep_first" else None


def newcomers(c: Contract, file_ids: Collection[str], ledger: Ledger) -> Newcomers:
    """Files that are begun, among those that have ended. One that was withdrawn is none."""
    known, new = {}, []
    for row in ledger.arrivals(c.name).to_dicts():
        prefix, is_new = batch_prefix(row["file_id"]), row["file_id"] in file_ids
        if row["is_ended"] or is_new:
            said, places = mapping_from_text(row["mapping"], c.name), frozenset(row["places"])
            known[prefix] = Standing(row["rank"], said.on_same_key, places, said.snapshot)
            new += [prefix] if is_new else []
    return Newcomers(c, tuple(new), known)


@dataclass(frozen=True)
class Place:
    """Where rows of landed files are: bronze, or a stage of quarantine."""

    layer: str
    stage: str | None = None

    def scan(self, lake: Lake, table: str, days: Days | None = None) -> pl.LazyFrame:
        rows = lake.scan(self.layer, table, days=days)
        return rows if self.stage is None else rows.filter(pl.col("_stage") == self.stage)

    def without(self, lake: Lake, table: str, gone: pl.DataFrame, commit: Commit) -> None:
        """Removes rows, told by the columns of `gone`; doing it twice changes nothing. A day
        that loses none keeps its files."""
        where = None if self.stage is None else {"_stage": self.stage}
        for days in day_portions(lake, self.layer, table, gone["gaming_day"]):
            here = gone.filter(pl.col("gaming_day").is_in(days)).lazy()
            span = (days[0], days[-1])
            rows = self.scan(lake, table, span).filter(pl.col("gaming_day").is_in(days))
            kept = rows.join(here, on=gone.columns, how="anti", nulls_equal=True).collect()
            lake.write_days(self.layer, table, kept, span, commit=commit, where=where, only=days)


BRONZE, REJECTED, SET_ASIDE = Place("bronze"), Place("quarantine", STAGE), Place("quarantine", HELD)


def day_portions(lake: Lake, layer: str, table: str, days: pl.Series) -> Iterator[list[dt.date]]:
    """The days in portions of so many rows as are held at once, or of one day."""
    stored = lake.partitions(layer, table).group_by("gaming_day").agg(pl.col("rows").sum())
    rows = dict(stored.iter_rows())
    portion: list[dt.date] = []
    held = 0
    for day in days.unique().sort():
        if portion and held + rows.get(day, 0) > _ROWS_AT_ONCE:
            yield portion
            portion, held = [], 0
        portion.append(day)
        held += rows.get(day, 0)
    if portion:
        yield portion


def own_rows(lake: Lake, c: Contract, file_id: str) -> tuple[int, int]:
    """How many rows a file has that could be typed, and how many that could not."""
    return rows_of(lake, c, [batch_prefix(file_id)])


def rows_of(lake: Lake, c: Contract, files: Sequence[str]) -> tuple[int, int]:
    """How many rows these files have that could be typed, and how many that could not."""
    mine = prefix_of().is_in(files)
    typed, not_typed = (
        sum(
            place.scan(lake, table).filter(mine).select(pl.len()).collect().item()
            for place in places
            for table in stored_as(c.name)
        )
        for places in ((BRONZE, SET_ASIDE), (REJECTED,))
    )
    return typed, not_typed


def days_of(lake: Lake, c: Contract, files: Sequence[str]) -> set[dt.date]:
    """Gaming days on which there is a row of these files."""
    found = set[dt.date]()
    if files:
        for layer in LAYERS:
            for table in stored_as(c.name):
                rows = lake.scan(layer, table, columns=["gaming_day", "_batch_id"])
                days = rows.filter(prefix_of().is_in(files)).select(pl.col("gaming_day").unique())
                found |= set(days.collect().to_series())
    return found


def take_out(lake: Lake, c: Contract, files: Sequence[str], commit: Commit) -> None:
    """All rows of these files, with what silver rejected of them: it judges the days anew."""
    for file in files:
        for layer in LAYERS:
            for table in stored_as(c.name):
                lake.take_out(layer, table, file, commit=commit)


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
