"""Fraud as payments come: the rules of the batch over what is remembered of each account.

A payment that comes out of order changes what later ones of its account are measured against:
these are judged again, so that what is said of an order never depends on when it came.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from lakehouse.contracts.shop.fraud import PROFILES
from lakehouse.detection.fraud.alerts import ONE, alert_id, alerted
from lakehouse.detection.fraud.measures import (
    REACH,
    REMEMBERED,
    measures_of,
    nothing_remembered,
)
from lakehouse.detection.fraud.rules import judged
from lakehouse.live.alerts import ALERT, CHUNKS, after, no_alerts, nothing_said, versions
from lakehouse.live.rows import PLACE
from lakehouse.regulation.gaming_day import gaming_day
from lakehouse.texts import packed, packed_from_end

_PLACED = {"partition": pl.Int64(), "offset": pl.Int64()}
LATEST = 1
"""Gaming days by which a payment may be late and still be judged: older ones wait for the batch."""
_FIRST = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Fraud:
    """`known`: payments as the measures remember them, with the offset that they came by (null:
    before the stream). `said`: alerts as last told."""

    known: pl.DataFrame
    said: pl.DataFrame
    days: Mapping[int, dt.date] = field(default_factory=dict)
    """Partition → the newest gaming day that its watermark has reached."""


def no_fraud() -> Fraud:
    return Fraud(nothing_remembered().with_columns(**_nowhere()), nothing_said())


def known_before(orders: pl.DataFrame, topic: str, partition: int) -> pl.DataFrame:
    """Payments of a partition's accounts from before, as silver has them, by whichever way they
    came."""
    by_topic = pl.col("_source").str.starts_with(f"topic:{topic}/")
    offset = pl.when(by_topic).then(pl.col("_source").str.extract(PLACE, 2).cast(pl.Int64))
    return orders.select(
        *(e.alias(n) for n, e in REMEMBERED.items()),
        partition=pl.lit(partition, pl.Int64),
        offset=offset,
    )


def judged_again(
    before: Fraud, fresh: pl.DataFrame, dead: pl.DataFrame, *, timezone: str
) -> tuple[Fraud, pl.DataFrame]:
    """After payments that count from now on, and others that no longer do (columns `ORDERS` as
    silver has them, partition, offset, and the watermark before each): what is known then, and
    what is to be said anew."""
    reached = gaming_day(pl.col("mark").clip(_FIRST), timezone)
    in_time = pl.col("gaming_day") >= reached.dt.offset_by(f"-{LATEST}d")
    near = _near(before.known, fresh, dead)
    gone, known = _placed(dead), before.known
    if len(gone):
        fresh = _since(gone, fresh)
        gone = pl.concat([gone, near.join(gone, on=ONE, how="semi")])
        known, near = (f.join(gone, on=ONE, how="anti") for f in (known, near))
    # Memory takes a payment that comes again for a new one when its windows are closed.
    fresh = fresh.unique(ONE, keep="first", maintain_order=True).join(near, on=ONE, how="anti")
    new = _placed(fresh.filter(in_time))
    days = dict(fresh.group_by("partition").agg(reached.max().alias("day")).iter_rows())
    since = pl.concat([new, gone]).group_by("user_id").agg(since=pl.col("timestamp").min())
    mine = near.join(since, on="user_id", how="inner", maintain_order="left")
    later = pl.col("timestamp") >= pl.col("since")
    again = pl.concat([mine.filter(later).drop("since"), new])
    stands = _alerts(again, mine.filter(~later).drop("since"))
    asked = pl.concat([again, gone])
    ids = pl.concat([asked.select(alert_id=alert_id(p)) for p in PROFILES])
    news = versions(before.said, stands, ids)
    after_ = Fraud(pl.concat([known, new]), after(before.said, news), before.days)
    return _recent(after_, days), news


def _near(known: pl.DataFrame, *came: pl.DataFrame) -> pl.DataFrame:
    """What is known of the accounts and payments that came: all else is looked through, and joined
    with nothing, as a join takes as much memory again."""
    is_near = [
        pl.col(n).is_in(pl.concat([f[n] for f in came]).implode())
        for n in ("user_id", "transaction_id")
    ]
    return known.filter(pl.any_horizontal(is_near)).rechunk()


def _since(gone: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Those that came after what is gone of their number: it took those before with it."""
    key = [*ONE, "partition"]
    last = gone.group_by(key).agg(until=pl.col("offset").max())
    held = fresh.join(last, on=key, how="left", maintain_order="left")
    return held.filter((pl.col("offset") > pl.col("until")).fill_null(value=True)).drop("until")


def _placed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(*(e.alias(n) for n, e in REMEMBERED.items()), *_PLACED)


def _nowhere() -> dict[str, pl.Expr]:
    return {n: pl.lit(None, t) for n, t in _PLACED.items()}


def _alerts(again: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Alerts of the payments of the stream among `again`."""
    if again.is_empty():
        return no_alerts()
    measures = measures_of(*(_remembered(f) for f in (again, earlier)))
    known = _remembered(pl.concat([earlier, again]))
    told = [alerted(j, known, p) for p in PROFILES if len(j := _leveled(measures, p))]
    if not told:
        return no_alerts()
    places = again.select(*ONE, *_PLACED).filter(pl.col("offset").is_not_null())
    found = pl.concat(told).join(places, on=ONE)
    return found.select(
        pl.col("alert_id"),
        family=pl.lit("fraud"),
        rule="profile",
        level="alert_level",
        score="fraud_score",
        account="user_id",
        said="fraud_reason",
        context="additional_context",
        evidence="evidence",
        event_time="alert_timestamp",
        partition="partition",
        offset="offset",
        is_withdrawn=pl.lit(value=False),
        gaming_day="gaming_day",
    ).select(pl.col(n).cast(t) for n, t in ALERT.items())


def _leveled(measures: pl.DataFrame, profile: str) -> pl.DataFrame:
    return judged(measures, profile).filter(pl.col("level").is_not_null())


def _remembered(known: pl.DataFrame) -> pl.DataFrame:
    return known.select(list(REMEMBERED))


def _recent(fraud: Fraud, days: Mapping[int, dt.date]) -> Fraud:
    """Without what no payment that is in time is measured against, looked for once a day."""
    if all(day <= fraud.days.get(p, dt.date.min) for p, day in days.items()):
        return replace(fraud, known=packed_from_end(fraud.known, CHUNKS))
    newest = {**fraud.days, **days}
    day = pl.col("partition").replace_strict(newest, default=None, return_dtype=pl.Date)
    back = (day - pl.col("gaming_day")).dt.total_days().fill_null(0)
    return Fraud(
        packed(fraud.known.filter(back <= REACH + LATEST)),
        fraud.said.filter(back <= LATEST + 1),
        newest,
    )


def joined(one: Fraud, other: Fraud) -> Fraud:
    """Of different partitions, as one."""
    known, said = pl.concat([one.known, other.known]), pl.concat([one.said, other.said])
    return Fraud(known, said, {**one.days, **other.days})


def without(fraud: Fraud, partition: int) -> Fraud:
    """Without a partition, that others have now."""
    kept = pl.col("partition") != partition
    return replace(fraud, known=fraud.known.filter(kept), said=fraud.said.filter(kept))
