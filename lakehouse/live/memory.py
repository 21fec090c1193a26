"""What is remembered of a topic's partitions: rows that a window may still need, and watermarks.

An event is late for a window whose end its partition's watermark had passed before it: the
greatest time that three events in a row had reached before it, less the lateness that the topic
allows. So nothing depends on how a
stream is cut. Copies and clashes are known of rows whose windows are open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

NEVER, LONG_AGO = (dt.datetime(1, 1, d, tzinfo=dt.UTC) for d in (1, 2))
"""When what never counted stopped to count, and the watermark before any event."""
AHEAD = dt.timedelta(minutes=5)
"""By which an event may be before its message: what is from further ahead moves no watermark."""
_MOMENT = pl.Datetime("us", "UTC")
_KEPT: dict[str, pl.DataType] = {"mark": _MOMENT, "dead_at": _MOMENT, "is_new": pl.Boolean()}
_LAST = pl.Schema({"partition": pl.Int64(), "offset": pl.Int64(), "time": _MOMENT})
IN_A_ROW = 3
"""Events of a partition that have to have come so far for its watermark to: one clock that is wrong
closes no windows."""
Marks = Mapping[int, dt.datetime]
"""Partition → watermark."""


@dataclass(frozen=True)
class Counts:
    """What became of a partition's events since it was asked last."""

    events: int = 0
    copies: int = 0
    rejected: int = 0
    late: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.events + other.events,
            self.copies + other.copies,
            self.rejected + other.rejected,
            self.late + other.late,
        )


@dataclass(frozen=True)
class Memory:
    """`rows`: those judged, with the watermark before each (`mark`), that at which another content
    of its key came (`dead_at`: it counts in windows that had closed by then, and in no other; at
    once for what never counts), and whether anything of it came since results were last asked for
    (`is_new`). `told`: the watermarks of that time."""

    rows: pl.DataFrame
    marks: Marks = field(default_factory=dict)
    told: Marks = field(default_factory=dict)
    counts: Mapping[int, Counts] = field(default_factory=dict)
    last: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_LAST))
    """The last events of each partition that may move its watermark."""


def nothing(judged: pl.DataFrame) -> Memory:
    """Before any row, of rows in the shape of `judged`."""
    return Memory(judged.clear().with_columns(pl.lit(None, t).alias(n) for n, t in _KEPT.items()))


@dataclass(frozen=True)
class Taken:
    """What rows have changed: `fresh` are those that count from now on, `dead` those that no
    longer do."""

    memory: Memory
    fresh: pl.DataFrame
    dead: pl.DataFrame


def taken(
    memory: Memory, judged: pl.DataFrame, *, lateness: dt.timedelta, span: dt.timedelta
) -> Taken:
    """After rows of any partitions, each in order of offset. `span`: how long after its time the
    last window of a row ends at the most."""
    marked, marks, last = _marked(memory, judged, lateness)
    again = marked["key"].is_duplicated() | marked["key"].is_in(
        _among(memory.rows, marked).implode()
    )
    if not again.any():
        rows, copies, killed = marked, marked.clear(), _NOBODY
    else:
        rows, copies, killed = _judged_by_key(memory.rows, marked, again, span)
    known = _killed(memory.rows, killed)
    rows = _killed(rows, killed)
    fresh = rows.filter("is_sound", pl.col("dead_at").is_null())
    of_both = pl.concat([known, rows]) if killed else rows.clear()
    dead = of_both.join(_places(killed), on=["partition", "offset"], how="semi")
    counts = _counted(memory.counts, marked, rows, copies)
    after = replace(memory, rows=pl.concat([known, rows]), marks=marks, counts=counts, last=last)
    return Taken(after, fresh, dead.filter("is_sound"))


_NOBODY: dict[tuple[int, int], dt.datetime] = {}


def _marked(
    before: Memory, judged: pl.DataFrame, lateness: dt.timedelta
) -> tuple[pl.DataFrame, Marks, pl.DataFrame]:
    """Rows with the watermark before each; the watermarks after them, and the last events that may
    move them further."""
    begun = pl.col("partition").replace_strict(
        dict(before.marks), default=LONG_AGO, return_dtype=_MOMENT
    )
    moves = pl.col("is_sound") & (pl.col("time") <= pl.col("known_at") + AHEAD)
    moving = judged.filter(moves).select("partition", "offset", "time")
    run = pl.concat([before.last, moving]).sort("partition", "offset")
    least = [pl.col("time").shift(k).over("partition") for k in range(IN_A_ROW)]
    some = pl.all_horizontal(e.is_not_null() for e in least)
    reached = run.with_columns(reached=pl.when(some).then(pl.min_horizontal(least) - lateness))
    rows = judged.join(reached, on=["partition", "offset"], how="left", maintain_order="left")
    so_far = pl.col("reached").cum_max().fill_null(strategy="forward").over("partition")
    rows = rows.with_columns(after=pl.max_horizontal(begun, so_far), is_new=True)
    rows = rows.with_columns(
        mark=pl.col("after").shift().over("partition").fill_null(begun),
        dead_at=pl.lit(None, _MOMENT),
    )
    last = rows.group_by("partition").agg(pl.col("after").max())
    kept = run.group_by("partition", maintain_order=True).tail(IN_A_ROW - 1)
    return rows.select(*judged.columns, *_KEPT), {**before.marks, **dict(last.iter_rows())}, kept


def _among(rows: pl.DataFrame, new: pl.DataFrame) -> pl.Series:
    """Keys that are remembered of those that came."""
    return rows.select("key").join(new.select("key"), on="key", how="semi")["key"].unique()


def _judged_by_key(
    known: pl.DataFrame, new: pl.DataFrame, again: pl.Series, span: dt.timedelta
) -> tuple[pl.DataFrame, pl.DataFrame, dict[tuple[int, int], dt.datetime]]:
    """New rows that are no copies, the copies, and place → watermark of the rows that clash."""
    what = ("partition", "key", "offset", "content", "time", "mark")
    told = new.filter(again).select(*what, fresh=True)
    earlier = known.join(told.select("key").unique(), on="key", how="semi")
    rows = pl.concat([earlier.select(*what, fresh=False), told]).sort("partition", "key", "offset")
    copies: set[tuple[int, int]] = set()
    killed: dict[tuple[int, int], dt.datetime] = {}
    group: tuple[int, int] | None = None
    remembered: list[tuple[int, int, dt.datetime]] = []
    for partition, key, offset, content, time, mark, fresh in rows.iter_rows():
        if group != (partition, key):
            group, remembered = (partition, key), []
        remembered = [r for r in remembered if r[2] > mark]
        if fresh and any(r[1] == content for r in remembered):
            copies.add((partition, offset))
            continue
        if fresh and remembered:
            killed[partition, offset] = NEVER
            for r in remembered:
                killed.setdefault((partition, r[0]), mark)
        remembered.append((offset, content, time + span))
    at, places = ["partition", "offset"], _places(copies)
    kept = new.join(places, on=at, how="anti", maintain_order="left")
    return kept, new.join(places, on=at, how="semi"), killed


def _places(of: Iterable[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(list(of), schema={"partition": pl.Int64, "offset": pl.Int64}, orient="row")


def _killed(rows: pl.DataFrame, killed: dict[tuple[int, int], dt.datetime]) -> pl.DataFrame:
    if not killed:
        return rows
    at = [(*k, v) for k, v in killed.items()]
    schema = pl.Schema({"partition": pl.Int64(), "offset": pl.Int64(), "killed_at": _MOMENT})
    told = pl.DataFrame(at, schema=schema, orient="row")
    joined = rows.join(told, on=["partition", "offset"], how="left", maintain_order="left")
    return joined.with_columns(
        dead_at=pl.min_horizontal("dead_at", "killed_at"),
        is_new=pl.col("is_new") | pl.col("killed_at").is_not_null(),
    ).select(rows.columns)


def _counted(
    before: Mapping[int, Counts], all_: pl.DataFrame, kept: pl.DataFrame, copies: pl.DataFrame
) -> Mapping[int, Counts]:
    out = pl.col("dead_at").is_not_null() | ~pl.col("is_sound")
    late = pl.col("is_sound") & (pl.col("time") <= pl.col("mark"))
    of = [
        all_.group_by("partition").agg(events=pl.len().cast(pl.Int64)),
        copies.group_by("partition").agg(copies=pl.len().cast(pl.Int64)),
        kept.group_by("partition").agg(
            rejected=out.sum().cast(pl.Int64), late=late.sum().cast(pl.Int64)
        ),
    ]
    found = dict(before)
    for part in of:
        for row in part.iter_rows(named=True):
            p = row.pop("partition")
            found[p] = found.get(p, Counts()) + Counts(**row)
    return found


def settled(memory: Memory, span: dt.timedelta) -> Memory:
    """After results were asked for: what no open window needs is forgotten."""
    mark = pl.col("partition").replace_strict(
        dict(memory.marks), default=LONG_AGO, return_dtype=_MOMENT
    )
    kept = memory.rows.filter(pl.col("time") + span > mark).with_columns(is_new=False)
    return Memory(kept, memory.marks, memory.marks, last=memory.last)


def joined(one: Memory, other: Memory) -> Memory:
    """Of different partitions, as one."""
    return Memory(
        pl.concat([one.rows, other.rows]),
        {**one.marks, **other.marks},
        {**one.told, **other.told},
        {**one.counts, **other.counts},
        pl.concat([one.last, other.last]),
    )


def without(memory: Memory, partition: int) -> Memory:
    """Without a partition, that others have now."""
    return Memory(
        memory.rows.filter(pl.col("partition") != partition),
        {p: v for p, v in memory.marks.items() if p != partition},
        {p: v for p, v in memory.told.items() if p != partition},
        {p: v for p, v in memory.counts.items() if p != partition},
        memory.last.filter(pl.col("partition") != partition),
    )
