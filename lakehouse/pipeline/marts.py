"""Silver and gold brought in line with bronze: the steps that assets, the landing zone
and benchmarks all take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import polars as pl

from lakehouse.contracts import contract, contracts
from lakehouse.errors import Damaged
from lakehouse.gold.marts import EVERY, SOURCES, Input, Mart, marts, marts_of, reach
from lakehouse.pipeline.bronze import TELLING
from lakehouse.pipeline.derivation import Derivations, Table, marks_of
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.regulation.gaming_day import Days, cut, each_day
from lakehouse.regulation.law import Law, load
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake, Portion, Read, as_far_as_sound, portions, sound
from lakehouse.storage.shapes import PARTITION

_DAY = dt.timedelta(days=1)


def refresh(
    lake: Lake,
    settings: Settings,
    days: Days,
    *,
    as_of: dt.datetime,
    commit: Commit,
    tables: Sequence[str] | None = None,
) -> None:
    """Brings silver (of `tables`, or of all), gold and the restricted zone of `days` in line
    with bronze."""
    for table in in_order_of_reference(settings, tables):
        refresh_silver(lake, settings, table, days, commit)
    derive(lake, settings, days, as_of=as_of, commit=commit)


def derive(
    lake: Lake, settings: Settings, days: Days, *, as_of: dt.datetime, commit: Commit
) -> None:
    """Derives all marts of `days` from silver and stores them. Raises Damaged for a day that
    cannot be made, when the others of its mart are."""
    for name, mart in marts_of(settings).items():
        mine = replace(commit, asset=f"{mart.layer}/{name}")
        damage: list[Damaged] = []
        for _, done in made(mart, lake, settings, days, as_of=as_of):
            if isinstance(done, Damaged):
                damage.append(done)
            else:
                told = mine.deriving(done.marks)
                lake.write_days(mart.layer, name, done.rows, done.days, commit=told)
        if damage:
            raise damage[0]


def made(
    mart: Mart,
    lake: Lake,
    settings: Settings,
    days: Days,
    *,
    as_of: dt.datetime,
    asked: Collection[dt.date] | None = None,
) -> Iterator[tuple[Days, Portion | Damaged]]:
    """The rows of a mart, a portion of days at a time, for all gaming days of it that change
    where its inputs' `days` do (those `asked` for, or all), as far as the lake has them; of a day
    that damaged files leave unmade, the damage. Days may come in any order: what they make is the
    same. Days that the lake has not cost next to nothing."""
    near = _stored(mart, lake, settings, touched(mart, lake, settings, days))
    near |= set(each_day(days) if asked is None else asked)
    inputs = {(i.layer, i.table): lake.tokens(i.layer, i.table) for i in mart.reads(settings)}

    def of(piece: Days) -> Portion:
        mine = [d for d in each_day(piece) if d in near]
        return Portion(piece, _rows(mart, lake, settings, mine, as_of), marks_of(inputs, mine))

    # What a window reaches is read again for every portion.
    of_a_day = [(i.layer, i.table) for i in mart.reads(settings) if not (i.back or i.ahead)]
    whole = portions(lake, (min(near), max(near)), *of_a_day)
    ones = dict.fromkeys(near, 1)
    return as_far_as_sound((p for w in whole for p in cut(w, mart.days_in_hand, ones)), of)


def _rows(
    mart: Mart, lake: Lake, settings: Settings, days: Sequence[dt.date], as_of: dt.datetime
) -> pl.DataFrame:
    """The mart's rows of these days, between which there may be others."""
    nothing = mart.contract.bronze_schema().to_frame()
    if not days:
        return nothing
    law, span, inputs = load(settings.profile), (days[0], days[-1]), mart.reads(settings)
    reads = {i: Read(i.layer, i.table, i.window(span, law)) for i in inputs}
    with sound(lake, reads.values()):
        may_have_rows = mart.has_every_day or any(
            _holds(lake, read) for i, read in reads.items() if not i.is_lookup
        )
        if not may_have_rows:
            return nothing
        frames = {r.table: lake.scan(r.layer, r.table, days=r.days) for r in reads.values()}
        return mart.rows(frames, settings=settings, days=span, wanted=days, as_of=as_of).collect()


def _holds(lake: Lake, read: Read) -> bool:
    """Whether there may be a row: of a table in one piece, whether there is any at all."""
    stored = lake.partitions(read.layer, read.table).filter(pl.col("rows") > 0)[PARTITION]
    return bool(stored.null_count() or (read.days and stored.is_between(*read.days).any()))


def touched(mart: Mart, lake: Lake, settings: Settings, days: Days) -> Days:
    """The first and last gaming day of a mart that may change where `days` of silver do."""
    law = load(settings.profile)
    spans = [_changed(mart, i, lake, settings, days, law) for i in mart.reads(settings)]
    if mart.settles:
        spans.append((_horizon_before(lake, days) - _days(reach(mart.settles, law) - 1), days[1]))
    return min(s[0] for s in spans), max(s[1] for s in spans)


def _changed(
    mart: Mart, given: Input, lake: Lake, settings: Settings, days: Days, law: Law
) -> Days:
    is_made = given.layer not in SOURCES
    source = touched(marts()[given.table], lake, settings, days) if is_made else days
    back, ahead = reach(given.back, law), reach(given.ahead, law)
    if given.is_lookup and not _is_late(lake, given, days):
        # Nobody's first version comes to be known after rows that name them, but for those rows
        # that are let in without one.
        ahead, source = 0, (_first_named(mart, given, lake, settings, days), source[1])
    first = dt.date.min if ahead >= EVERY else _shifted(source[0], -ahead)
    last = dt.date.max if back >= EVERY else _shifted(source[1], back)
    return first, last


def _shifted(day: dt.date, by: int) -> dt.date:
    return day if day in (dt.date.min, dt.date.max) else day + _days(by)


def _days(count: int) -> dt.timedelta:
    return dt.timedelta(days=count)


def _is_late(lake: Lake, given: Input, days: Days) -> bool:
    newest = lake.partitions("bronze", given.table)["gaming_day"].max()
    return isinstance(newest, dt.date) and newest > days[1]


def _first_named(mart: Mart, given: Input, lake: Lake, settings: Settings, days: Days) -> dt.date:
    """The first gaming day on which rows that are kept without a parent (setting `orphans`) name
    one of `given` whose first version is of `days`; their first day where none does."""
    found = [days[0]]
    before = pl.col("gaming_day") < days[0]
    for table in sorted(mart.sources()):
        keys = {n: key for n, (t, key) in contract(table).references().items() if t == given.table}
        for column, key in keys.items() if settings.orphans.get(table) == "keep" else ():
            versions = lake.scan("silver", given.table, columns=[key, "gaming_day"])
            known = versions.filter(before).select(key)
            new = versions.filter(pl.col("gaming_day").is_between(*days))
            new = new.join(known, on=key, how="anti")
            rows = lake.scan("silver", table, columns=[column, "gaming_day"]).filter(before)
            named = rows.join(new, left_on=column, right_on=key, how="semi")
            earliest = named.select(pl.col("gaming_day").min()).collect().item()
            found += [] if earliest is None else [earliest]
    return min(found)


def _horizon_before(lake: Lake, days: Days) -> dt.date:
    """The newest gaming day that the lake has before these."""
    stored = pl.concat([lake.partitions("bronze", t)["gaming_day"] for t in TELLING])
    earlier = stored.filter(stored < days[0]).max()
    return earlier if isinstance(earlier, dt.date) else days[0] - _DAY


def _stored(mart: Mart, lake: Lake, settings: Settings, days: Days) -> set[dt.date]:
    """Days that the lake has: also those on which neither the mart nor its inputs have a row, as
    its windows may reach over them."""
    tables = {(mart.layer, mart.name), *((i.layer, i.table) for i in mart.reads(settings))}
    tables |= {("bronze", table) for table in TELLING}
    found = pl.concat([lake.partitions(*t)["gaming_day"] for t in sorted(tables)]).drop_nulls()
    return set(found.filter(found.is_between(*days)))


def derivations(settings: Settings) -> Derivations:
    """Table → the tables that it is derived from, each after its inputs. Sources have none."""
    found: dict[Table, tuple[Table, ...]] = {("bronze", t): () for t in settings.tables("source")}
    found |= {("truth", t): () for t in contracts("truth")}
    for table in in_order_of_reference(settings):
        found["silver", table] = silver_inputs(settings, table)
    for name, mart in marts_of(settings).items():
        found[mart.layer, name] = tuple((i.layer, i.table) for i in mart.reads(settings))
    return found


def silver_inputs(settings: Settings, table: str) -> tuple[Table, ...]:
    """What a source's silver is derived from: its bronze, and the tables it refers to."""
    named = {parent for parent, _ in contract(table).references().values()}
    parents = sorted(filter(settings.has, named))
    return (("bronze", table), *(("silver", parent) for parent in parents if parent != table))


def in_order_of_reference(settings: Settings, tables: Sequence[str] | None = None) -> list[str]:
    """Source tables, each after those that its rows refer to."""
    wanted = list(settings.tables("source")) if tables is None else list(tables)
    ordered: list[str] = []

    def place(table: str) -> None:
        for parent, _ in contract(table).references().values():
            if parent != table and parent not in ordered:
                place(parent)
        if table not in ordered:
            ordered.append(table)

    for table in wanted:
        place(table)
    return [t for t in ordered if t in wanted]
