"""Keys that files share: what a file that comes does to the rows of others, and they to its own.

Rows give way where the mapping says so or a file corrects another. One key on two gaming days,
of two files that do not correct each other, no day's rows can tell: silver rejects keys with two
contents within a gaming day, and across days that is settled here, where all landed rows are
known. Such rows wait in quarantine, and are bronze's again as soon as what they clashed with has
gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from lakehouse.contracts import Contract, stored_as
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX
from lakehouse.ingest.files.supersede import (
    BRONZE,
    CLASH,
    HELD,
    REJECTED,
    SET_ASIDE,
    Newcomers,
    Place,
    days_of,
    of_files,
    prefix_of,
    rows_of,
    take_out,
    telling,
)
from lakehouse.storage import Commit, Lake
from lakehouse.storage.shapes import stored_schema

_TABLE, _PLACE, _FILE = "_table", "_place", "_prefix"
_PLACES = {"rejected": REJECTED, "set aside": SET_ASIDE, "bronze": BRONZE}
_TYPED = pl.col(_PLACE) != "rejected"
_HELD = pl.col(_PLACE) == "set aside"


@dataclass(frozen=True)
class Turn:
    """What one file's coming does: rows that give way, those that could be typed and those that
    could not; with how many keys it has a part in others, and which; the days it changes."""

    replaced: int = 0
    healed: int = 0
    shared: int = 0
    others: tuple[str, ...] = ()
    days: frozenset[dt.date] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What newcomers do, by the beginning of their batches, and what that comes to: what tells
    the rows that go, that are set aside, and that come back to bronze."""

    contract: Contract
    turns: Mapping[str, Turn]
    gone: pl.DataFrame
    aside: pl.DataFrame
    back: pl.DataFrame
    outdated: Sequence[str] = ()
    """Files that go as a whole."""

    @property
    def days(self) -> set[dt.date]:
        return {d for rows in (self.gone, self.aside, self.back) for d in rows["gaming_day"]}


def plan(lake: Lake, new: Newcomers) -> Plan:
    """It follows from the rows that are there, so that it may be made again wherever what it
    says was cut short."""
    outdated = new.outdated()
    said = _plan_by_key(lake, new.without(outdated))
    if not outdated:
        return said
    (mine,) = new.prefixes
    turn = said.turns.get(mine, Turn())
    whole = rows_of(lake, new.contract, outdated)
    turn = replace(turn, replaced=turn.replaced + whole[0], healed=turn.healed + whole[1])
    turn = _on(turn, days_of(lake, new.contract, outdated))
    return replace(said, turns={**said.turns, mine: turn}, outdated=outdated)


def _plan_by_key(lake: Lake, new: Newcomers) -> Plan:
    rows, keyless = _sharing(lake, new), _keyless(lake, new)
    sharing = set(rows[_FILE])
    turns, left, lost = {}, rows, [keyless]
    for prefix, before in new.turns():
        turns[prefix] = Turn()
        if prefix in sharing:
            there = [p for p in before if p in sharing]
            gone = _giving_way(left, new, prefix, there)
            left = left.join(gone, on=gone.columns, how="anti", nulls_equal=True)
            lost.append(gone)
            turns[prefix] = _turn(left, gone, new.contract.key, prefix, there)
    aside, back = _misplaced(left, new.contract.key)
    moved = pl.concat([aside, back])
    for prefix, days in _days_by_file(rows, moved, new).items():
        turns[prefix] = _on(turns[prefix], days)
    for (file,), gone in keyless.group_by(_FILE):
        mine = new.corrected()[str(file)]
        turn = replace(turns[mine], healed=turns[mine].healed + gone.height)
        turns[mine] = _on(turn, set(gone["gaming_day"]))
    return Plan(new.contract, turns, pl.concat(lost), aside, back)


def carry_out(lake: Lake, said: Plan, commit: Commit) -> None:
    """Doing it twice changes nothing. Rows of one file never replace each other: silver judges
    those."""
    told = telling(said.contract)
    take_out(lake, said.contract, said.outdated, commit)
    for name, place in _PLACES.items():
        for (table,), rows in said.gone.filter(pl.col(_PLACE) == name).group_by(_TABLE):
            place.without(lake, str(table), rows.select(told).unique(), commit)
    _move(lake, said.contract, said.aside, (BRONZE, SET_ASIDE), commit)
    _move(lake, said.contract, said.back, (SET_ASIDE, BRONZE), commit)


def _giving_way(
    rows: pl.DataFrame, new: Newcomers, mine: str, others: Sequence[str]
) -> pl.DataFrame:
    """Of other files or of this one: theirs are found by this one's keys."""
    key, found = new.contract.key, [rows.clear()]
    for losers, winners in (
        (new.over(mine, others), [mine]),
        ([mine], new.under(mine, others)),
    ):
        keys = rows.filter(_TYPED, pl.col(_FILE).is_in(winners)).select(key)
        found.append(rows.filter(pl.col(_FILE).is_in(losers)).join(keys, on=key, how="semi"))
    return pl.concat(found)


def _turn(
    left: pl.DataFrame, gone: pl.DataFrame, key: Sequence[str], mine: str, others: Sequence[str]
) -> Turn:
    typed = gone.filter(_TYPED)
    told = [n for n in gone.columns if n != _PLACE]
    moving = typed.filter(~_HELD).join(typed.filter(_HELD), on=told, how="semi", nulls_equal=True)
    keys = left.filter(_TYPED, pl.col(_FILE) == mine).select(key)
    met = left.filter(_TYPED, pl.col(_FILE).is_in(others)).join(keys, on=key, how="semi")
    return Turn(
        typed.height - moving.height,
        gone.height - typed.height,
        met.select(key).n_unique() if met.height else 0,
        tuple(met["_source"].unique().sort().str.strip_prefix(SOURCE_PREFIX)),
        frozenset(gone["gaming_day"]),
    )


def _misplaced(rows: pl.DataFrame, key: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of bronze that clash, and rows that are set aside and clash no more."""
    typed = rows.filter(_TYPED)
    by_key = typed.group_by(key).agg(
        _clashes=(pl.col("gaming_day").n_unique() > 1) & (pl.col(_FILE).n_unique() > 1)
    )
    judged = typed.join(by_key, on=key)
    aside = judged.filter("_clashes", ~_HELD).drop("_clashes")
    return aside, judged.filter(~pl.col("_clashes"), _HELD).drop("_clashes")


def _days_by_file(
    rows: pl.DataFrame, moved: pl.DataFrame, new: Newcomers
) -> dict[str, frozenset[dt.date]]:
    """Days of moved rows under the last newcomer that has their key, or the last of all."""
    if moved.is_empty() or not new.prefixes:
        return {}
    key = new.contract.key
    order = pl.DataFrame({_FILE: new.prefixes}).with_row_index("_order")
    last = rows.select(*key, _FILE).join(order, on=_FILE).group_by(key).agg(pl.col("_order").max())
    owned = moved.select(*dict.fromkeys([*key, "gaming_day"])).join(last, on=key, how="left")
    owned = owned.with_columns(pl.col("_order").fill_null(len(new.prefixes) - 1))
    by_file = owned.group_by("_order").agg(pl.col("gaming_day").unique())
    return {new.prefixes[n]: frozenset(days) for n, days in by_file.iter_rows()}


def _on(turn: Turn, days: Collection[dt.date]) -> Turn:
    return replace(turn, days=turn.days.union(days))


def _sharing(lake: Lake, new: Newcomers) -> pl.DataFrame:
    """What tells the rows of known files whose key a newcomer and another have, or that are
    held."""
    c, key, mine = new.contract, new.contract.key, new.prefixes
    held = _rows(lake, c, "set aside", list(new.known)).collect()
    if held.is_empty() and len(new.known) < 2:
        return held
    own = pl.concat(_rows(lake, c, place, mine) for place in ("bronze", "rejected"))
    if len(mine) > 1:
        own = own.collect().lazy()
    wanted = pl.concat([own.select(key), held.lazy().select(key)])
    others = [p for p in new.known if p not in mine]
    theirs = pl.concat(_rows(lake, c, place, others) for place in ("bronze", "rejected"))
    foreign = theirs.join(wanted, on=key, how="semi").collect() if others else held.clear()
    found = pl.concat([foreign, held])
    met = found.lazy().select(key)
    if len(mine) > 1:
        files = own.group_by(key).agg(pl.col(_FILE).n_unique())
        met = pl.concat([met, files.filter(pl.col(_FILE) > 1).select(key)])
    return pl.concat([own.join(met, on=key, how="semi").collect(), found])


def _keyless(lake: Lake, new: Newcomers) -> pl.DataFrame:
    """Rejected rows without a whole key: known by their file alone, they go with what corrects
    that."""
    files, key = [*new.corrected()], new.contract.key
    no_key = pl.any_horizontal(pl.col(key).is_null())
    return _told(lake, new.contract, "rejected", prefix_of().is_in(files) & no_key).collect()


def _rows(lake: Lake, c: Contract, place: str, files: Sequence[str]) -> pl.LazyFrame:
    return _told(lake, c, place, of_files(c, files))


def _told(lake: Lake, c: Contract, place: str, wanted: pl.Expr) -> pl.LazyFrame:
    return pl.concat(
        _PLACES[place]
        .scan(lake, table)
        .filter(wanted)
        .select(
            *telling(c),
            prefix_of().alias(_FILE),
            pl.lit(table).alias(_TABLE),
            pl.lit(place).alias(_PLACE),
        )
        for table in stored_as(c.name)
    )


def _move(
    lake: Lake, c: Contract, rows: pl.DataFrame, way: tuple[Place, Place], commit: Commit
) -> None:
    """To the new place first, then out of the old; a row that is there already is not added."""
    source, target = way
    for table in rows[_TABLE].unique().sort():
        told = rows.filter(pl.col(_TABLE) == table).select(telling(c)).unique()
        days = (told["gaming_day"].min(), told["gaming_day"].max())
        there = target.scan(lake, table, days).select(told.columns)  # type: ignore[arg-type]
        missing = told.lazy().join(there, on=told.columns, how="anti")
        found = source.scan(lake, table, days).join(missing, on=told.columns, how="semi")  # type: ignore[arg-type]
        moved = found.with_columns(
            _stage=pl.lit(HELD),
            _rules=pl.lit([CLASH]),
            _raw=pl.lit(None, pl.String),
            _file=pl.col("_source").str.strip_prefix(SOURCE_PREFIX),
            _line=pl.lit(None, pl.Int64),
        )
        shape = stored_schema(target.layer, table)
        new = moved.select(pl.col(n).cast(t) for n, t in shape.items()).collect()
        if new.height:
            lake.append(target.layer, table, new, commit=commit)
        source.without(lake, table, told, commit)
