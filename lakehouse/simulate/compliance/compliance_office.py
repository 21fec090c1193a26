"""What the compliance office makes of a few days' obligations: when each is filed, and wrongly
how.

Everything follows from the obligation. The days are taken a block at a time, in fixed blocks,
so that a day's outcome does not depend on which day was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.compliance import obligations, suspicions
from lakehouse.simulate.compliance.obligations import OWED
from lakehouse.simulate.kernel import frames, person
from lakehouse.simulate.kernel.arrays import join
from lakehouse.simulate.kernel.clock import gaming_days
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key, uniform
from lakehouse.simulate.kernel.ids import numbered
from lakehouse.simulate.kernel.memory import by_day
from lakehouse.simulate.kernel.world import World

FAULTS = ("late", "missing", "wrong_amount", "wrong_person", "amended")
_SLIP_CENTS = {"CTR": 90_000, "W2G": 9_000, "SAR": 90_000}
RECORD_SCHEMA = pl.Schema(
    {
        "form": pl.String(),
        "report": pl.UInt64(),
        "filed_day": pl.Int64(),
        "status": pl.String(),
        "amends": pl.UInt64(),
        "player": pl.Int64(),
        "subject": pl.Date(),
        "due": pl.Date(),
        "amount_cents": pl.Int64(),
        "in_cents": pl.Int64(),
        "out_cents": pl.Int64(),
        "game_type": pl.String(),
        "machine": pl.Int64(),
        "withheld_cents": pl.Int64(),
        "rate_bp": pl.Int64(),
        "category": pl.String(),
        "narrative": pl.String(),
        "activity": pl.Date(),
        "fault": pl.String(),
        "obligation": pl.String(),
        "day": pl.Int64(),
    }
)


@dataclass(frozen=True)
class Office:
    """A block of days: its obligations, and the records that they lead to, needless ones too."""

    decided: dict[int, pl.DataFrame]
    """Obligations by day, with the fault that the office makes of each."""
    records: dict[int, pl.DataFrame]
    """RECORD_SCHEMA by the obligation's day."""
    filed: dict[int, pl.DataFrame]
    """RECORD_SCHEMA by day of filing."""


def office(world: World, day: int) -> Office:
    """The block in which a day lies."""
    return _block(world, day // world.block)


@by_day(64)
def _block(world: World, block: int) -> Office:
    decided = _decided(world, range(block * world.block, (block + 1) * world.block))
    records = _records_of(world, decided)
    return Office(*(_by(decided, "day"), _by(records, "day"), _by(records, "filed_day")))


def _by(frame: pl.DataFrame, column: str) -> dict[int, pl.DataFrame]:
    parts = frame.partition_by(column, as_dict=True, maintain_order=True)
    return {int(value[0]): part for value, part in parts.items()}


def _decided(world: World, days: range) -> pl.DataFrame:
    owed = pl.concat([_ctr_rows(world, days), _w2g_rows(world, days), suspicions.rows(world, days)])
    f = world.config.faults
    rates = (
        f.filing_late,
        f.filing_missing,
        f.filing_wrong_amount,
        f.filing_wrong_person,
        f.filing_amended,
    )
    u = uniform(draw(key(world.config.seed, "filing-fault"), owed["hash"].to_numpy()))
    fault = np.searchsorted(np.cumsum(rates), u, side="right")
    # A tax form is due at the year's end: no office is late within weeks.
    unlikely = (fault == FAULTS.index("late")) & (owed["form"] == "W2G").to_numpy()
    alone = np.array([len(world.named(d)) < 2 for d in days])
    unlikely |= (fault == FAULTS.index("wrong_person")) & alone[owed["day"].to_numpy() - days.start]
    none = owed["is_held"].to_numpy() | unlikely
    labels = frames.code((*FAULTS, "none"), np.where(none, len(FAULTS), fault))
    return owed.hstack([labels.alias("fault")])


def _owed(world: World, form: str, day: I64, extra: I64, **given: pl.Series) -> pl.DataFrame:
    """Obligations from their columns; those that the form does not have are null."""
    n, h = len(extra), np.zeros(len(extra), dtype=np.uint64)
    for d in np.unique(day).tolist():
        at, base = day == d, key(world.config.seed, f"obligation:{form}", d)
        h[at] = draw(base, given["player"].to_numpy()[at], extra[at])
    given |= {"hash": pl.Series(h), "form": same(form, n), "day": pl.Series(day)}
    return pl.DataFrame({c: given[c] if c in given else same(None, n, t) for c, t in OWED.items()})


def same(value: object, n: int, dtype: pl.DataType | None = None) -> pl.Series:
    return pl.Series([value], dtype=dtype).new_from_index(0, n)


def _ctr_rows(world: World, days: range) -> pl.DataFrame:
    reports = [obligations.ctrs(world, d) for d in days]
    owed = join([r.owed for r in reports])
    day = np.repeat(days, [len(r.owed) for r in reports])
    n, subject = len(day), gaming_days(world.config.start, day)
    return _owed(
        world,
        "CTR",
        day,
        np.zeros(n, dtype=np.int64),
        player=pl.Series(owed.player),
        in_cents=frames.count(owed.in_cents, owed.in_cents > 0),
        out_cents=frames.count(owed.out_cents, owed.out_cents > 0),
        is_held=pl.Series(owed.is_held),
        subject=subject,
        due=_due(reports, days, day),
        amount_cents=pl.Series(owed.in_cents + owed.out_cents),
        obligation="CTR-" + subject.cast(pl.String) + "-" + numbered("P", owed.player, 8),
    )


def _due(reports: list[obligations.Ctrs], days: range, day: I64) -> pl.Series:
    due = pl.Series([r.due for r in reports], dtype=pl.Date)
    return due[day - days.start]


def _w2g_rows(world: World, days: range) -> pl.DataFrame:
    found = obligations.w2gs(world, days)
    if found.is_empty():
        return OWED.to_frame()
    year = found["paid_on"].to_numpy().astype("datetime64[Y]") + 1
    return _owed(
        world,
        "W2G",
        found["day"].to_numpy(),
        found["paid_second"].to_numpy(),
        **{c: found[c] for c in ("player", "game_type", "machine", "withheld_cents", "rate_bp")},
        subject=found["paid_on"],
        due=pl.Series(year.astype("datetime64[D]") + 30),
        amount_cents=found["winnings_cents"],
        obligation="W2G-" + found["win_id"],
        is_held=same(False, len(found)),
    )


def _records_of(world: World, decided: pl.DataFrame) -> pl.DataFrame:
    filed = (decided["fault"] != "missing") & ~decided["is_held"]
    days = np.unique(decided["day"].to_numpy()).tolist()
    needless = [_needless(world, d) for d in days]
    rows = pl.concat([decided.filter(filed), *(rows for rows in needless if rows is not None)])
    if rows.is_empty():
        return RECORD_SCHEMA.to_frame()
    h, day = rows["hash"].to_numpy(), rows["day"].to_numpy()
    fault, form = rows["fault"].to_numpy(), rows["form"].to_numpy()
    amended = fault == "amended"
    slips = np.select([form == f for f in _SLIP_CENTS], list(_SLIP_CENTS.values()))
    wait = _delays(form, fault, h)
    first = _written(
        rows,
        h,
        day + wait,
        np.where(amended | (fault == "wrong_amount"), slips, 0),
        player=pl.Series(_named_person(world, day, rows["player"].to_numpy(), fault, h)),
    )
    if not amended.any():
        return first
    again = h[amended]
    later = (day + wait)[amended] + 2 + below(draw(7, again), 4)
    mended = _written(
        rows.filter(pl.Series(amended)),
        draw(1, again),
        later,
        0 * later,
        status=same("Amended", len(again)),
        amends=pl.Series(again),
    )
    return pl.concat([first, mended])


def _written(
    rows: pl.DataFrame, report: U64, filed_day: I64, slip: I64, **given: pl.Series
) -> pl.DataFrame:
    n = rows.height
    given = {
        "report": pl.Series(report),
        "filed_day": pl.Series(filed_day),
        "status": same("Filed", n),
        "amends": same(None, n, pl.UInt64()),
        **{c: rows[c] + pl.Series(slip) for c in ("amount_cents", "in_cents", "out_cents")},
    } | given
    return pl.DataFrame({c: given[c] if c in given else rows[c] for c in RECORD_SCHEMA})


def _delays(form: NDArray[Any], fault: NDArray[Any], h: U64) -> I64:
    """Days from the subject's day to the filing."""
    spread = draw(3, h)
    wait = np.select(
        [form == "CTR", form == "W2G"],
        [2 + below(spread, 12), 1 + below(spread, 5)],
        4 + below(spread, 22),
    )
    wait = np.where(fault == "amended", np.minimum(wait, 8), wait)
    overdue = np.where(form == "CTR", 16, 31) + below(draw(5, h), 9)
    return np.where(fault == "late", overdue, wait).astype(np.int64)


def _named_person(world: World, day: I64, who: I64, fault: NDArray[Any], h: U64) -> I64:
    """Whom the form names: now and then another patron of that day."""
    named = who.copy()
    for k in np.flatnonzero(fault == "wrong_person").tolist():
        here = world.named(int(day[k]))
        at = int(below(draw(11, h[k : k + 1]), len(here))[0])
        named[k] = here[at] if here[at] != who[k] else here[(at + 1) % len(here)]
    return named


def _needless(world: World, day: int) -> pl.DataFrame | None:
    """Currency reports on persons whose sides are not over the threshold; none on most days."""
    rate = world.config.faults.filing_needless
    if not rate:
        return None
    found = obligations.ctrs(world, day)
    luck = float(uniform(draw(key(world.config.seed, "needless"), day))[0])
    count = int(rate * len(found.owed) + luck)
    who = found.near_player
    at = np.flatnonzero(person.identity_verified(world.config, who))[:count]
    if not len(at):
        return None
    n, cents = len(at), pl.Series(found.near_cents[at])
    subject = gaming_days(world.config.start, np.full(n, day))
    owed = _owed(
        world,
        "CTR",
        np.full(n, day),
        np.ones(n, dtype=np.int64),
        player=pl.Series(who[at]),
        in_cents=cents,
        amount_cents=cents,
        subject=subject,
        due=same(found.due, n),
        obligation="needless-" + subject.cast(pl.String) + "-" + numbered("P", who[at], 8),
        is_held=same(False, n),
    )
    return owed.hstack([same("needless", n).alias("fault")])
