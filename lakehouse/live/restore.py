"""State read back from the lake: what an engine that had never stopped would remember.

Rows of bronze tell by their offsets what was counted when the tables of results were written last.
They are judged again from as far back as anything that is open may rest on; what came after them
is taken as new.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import polars as pl

from lakehouse.contracts import contract
from lakehouse.detection.fraud.measures import REACH
from lakehouse.gold.money import cents
from lakehouse.gold.online.responsible_gaming import WINDOW
from lakehouse.ingest.streams.topics import partition_of
from lakehouse.live.alerts import ALERT, remembered
from lakehouse.live.fraud import LATEST, Fraud, known_before, no_fraud
from lakehouse.live.memory import AHEAD
from lakehouse.live.protection import Protection, played_before
from lakehouse.live.rows import PLACE, place
from lakehouse.live.sessions import as_told
from lakehouse.live.tokens import Tokens
from lakehouse.live.watch import State, Watch, absorbed, begun, told
from lakehouse.regulation.gaming_day import Days, day_bounds, gaming_day_of
from lakehouse.silver import clean
from lakehouse.storage import Lake

_DAY = dt.timedelta(days=1)
_SESSION = ["user_id", "gaming_day", "session_id"]
_AT = pl.col("_source").str.extract(PLACE, 2).cast(pl.Int64)


@dataclass(frozen=True)
class Restored:
    """`state` as of the offset `told`, up to which results are stored; `rest`: rows of bronze from
    there on, before `until`."""

    state: State
    told: int
    rest: pl.DataFrame
    until: int


def restored(
    lake: Lake, watch: Watch, topic: str, partition: int, partitions: int, tokens: Tokens
) -> Restored:
    """The state of one partition, of so many."""
    name = f"{topic}/{partition}"
    upto = lake.reached("gold", "live_windows", [name]).get(name, 0)
    until = lake.reached("bronze", watch.table, [name]).get(name, 0)
    mark = _mark(lake, topic, partition, upto)
    if until:
        first, bronze = _rows(lake, watch, topic, partition, upto, mark)
    else:
        first, bronze = 0, contract(watch.table).empty()
    at = bronze.select(_AT).to_series()
    state = begun(watch)
    mark_then = _mark(lake, topic, partition, first)
    if mark_then is not None:
        state = replace(state, memory=replace(state.memory, marks={partition: mark_then}))
    if watch.table == "shop_orders":
        known = _payments(lake, watch, topic, partition, partitions, upto, mark, tokens)
        state = replace(state, fraud=Fraud(known, _said(lake, topic, partition)))
    if watch.table == "clickstream":
        played = played_before(_played(lake, mark, watch))
        state = replace(state, protection=Protection(played, _said(lake, topic, partition)))
    counted = bronze.filter(at < upto)
    if len(counted):
        before = tokens.protected(watch.table, watch.judged(counted))
        known_then = state.protection.said
        state, _ = absorbed(watch, state, before)
        state, _ = told(watch, state)
        protection = replace(state.protection, said=known_then)
        state = replace(state, protection=protection)
    if watch.play is not None:
        sessions = _newest(lake, "live_sessions", topic, partition, _SESSION)
        told_since = sessions.filter(pl.col("version") > upto)
        state = replace(state, sessions=as_told(state.sessions, told_since.collect()))
    rest = bronze.filter((at >= upto) & (at < until))
    return Restored(state, upto, rest, until)


def _mark(lake: Lake, topic: str, partition: int, upto: int) -> dt.datetime | None:
    """The greatest watermark that was stored with results up to this offset."""
    if upto == 0:
        return None
    rows = lake.scan("gold", "live_windows", columns=[
        "kind", "topic", "partition", "version", "watermark",
    ]).filter(kind="progress", topic=topic, partition=partition)  # fmt: skip
    found = rows.filter(pl.col("version") <= upto).select("watermark").max().collect().item()
    return found if isinstance(found, dt.datetime) else None


def _rows(
    lake: Lake, watch: Watch, topic: str, partition: int, upto: int, mark: dt.datetime | None
) -> tuple[int, pl.DataFrame]:
    """Rows of bronze that came by the partition: those that are not counted yet, and the others
    from as far back as anything open rests on. They are all there from the offset on that is told;
    of those before it there are some, which have moved no watermark since."""
    mine = pl.col("_source").str.starts_with(place(topic, partition, 0)[:-1])
    if mark is None:
        return 0, lake.scan("bronze", watch.table).filter(mine).collect()
    day = gaming_day_of(mark, watch.timezone)
    since = mark - watch.span
    if watch.play is not None:
        since = min(since, day_bounds(day, watch.timezone)[0])
    days = (gaming_day_of(since, watch.timezone) - LATEST * _DAY, dt.date.max)
    rows = lake.scan("bronze", watch.table, days=days).filter(mine)
    is_open = pl.col(watch.event_time) >= since
    # All from the first that may have moved the watermark since: of it depends what was late.
    moves = pl.col(watch.event_time) <= pl.col("_ingested_at") + AHEAD
    at = rows.select(pl.min_horizontal(_AT.filter(is_open & moves).min(), upto))
    first = int(at.collect().item())
    found = rows.filter(_AT.ge(first) | is_open).collect()
    # What is open may have been told apart from these, whose windows have closed since.
    key = list(dict.fromkeys(("gaming_day", *contract(watch.table).key)))
    earlier = rows.join(found.lazy().select(key), on=key, how="semi").collect()
    return first, pl.concat([found, earlier]).unique("_source", maintain_order=True)


def _payments(
    lake: Lake,
    watch: Watch,
    topic: str,
    partition: int,
    partitions: int,
    upto: int,
    mark: dt.datetime | None,
    tokens: Tokens,
) -> pl.DataFrame:
    """Payments of the partition's accounts that were there before, by whichever way they came."""
    rows = lake.scan("bronze", watch.table, days=_month(lake, watch, mark)).collect()
    if rows.is_empty():
        return no_fraud().known
    at = rows.select(pl.col("_source").str.extract_groups(PLACE)).unnest("_source")
    mine = rows["_source"].str.starts_with(f"topic:{topic}/")
    offset = at["2"].cast(pl.Int64)
    whose = partition_of(
        rows["user_id"].str.strip_chars().cast(pl.Binary).fill_null(b""), partitions
    )
    ours = (whose == partition).set(mine, None).fill_null(at["1"].cast(pl.Int64) == partition)
    earlier = rows.filter(ours & (~mine | (offset < upto)))
    good = clean(watch.table, earlier, timezone=watch.timezone).good
    return known_before(tokens.protected(watch.table, good), topic, partition)


def _month(lake: Lake, watch: Watch, mark: dt.datetime | None) -> Days:
    if mark is not None:
        last = gaming_day_of(mark, watch.timezone)
    else:
        newest = lake.partitions("bronze", watch.table)["gaming_day"].max()
        last = newest if isinstance(newest, dt.date) else dt.date(1970, 1, 1)
    return last - (REACH + LATEST) * _DAY, dt.date.max


def _said(lake: Lake, topic: str, partition: int) -> pl.DataFrame:
    """Alerts as the table has them last."""
    newest = _newest(lake, "live_alerts", topic, partition, ["alert_id"])
    return remembered(newest.select(list(ALERT)).collect())


def _newest(lake: Lake, table: str, topic: str, partition: int, key: list[str]) -> pl.LazyFrame:
    rows = lake.scan("gold", table).filter(topic=topic, partition=partition)
    return rows.sort("version").unique(key, keep="last", maintain_order=True)


def _played(lake: Lake, mark: dt.datetime | None, watch: Watch) -> pl.DataFrame:
    """Days of play, as the mart and the sessions of the stream tell them."""
    columns = ["user_id", "gaming_day", "rounds", "stakes"]
    first = None if mark is None else gaming_day_of(mark, watch.timezone) - WINDOW * _DAY
    days = None if first is None else (first, dt.date.max)
    mart = lake.scan("gold", "player_metrics", days=days, columns=columns)
    seen = lake.scan("gold", "live_sessions", days=days, columns=[
        *columns, "topic", "session_id", "partition", "version",
    ]).filter(topic="clickstream")  # fmt: skip
    key = ["partition", "user_id", "gaming_day", "session_id"]
    last = seen.sort("version").unique(key, keep="last", maintain_order=True)
    streamed = last.group_by("user_id", "gaming_day").agg(pl.col("rounds", "stakes").sum())
    return pl.concat([
        of.select("user_id", "gaming_day", "rounds", stakes=cents("stakes"))
        for of in (mart, streamed)
    ]).collect()  # fmt: skip
