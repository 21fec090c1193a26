"""What is measured of each order against what its user did before, within so many days.

No threshold is here: the same measures are judged by any profile, and learned from.
"""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts import contract
from lakehouse.detection.fraud.sequence import I64, NOTHING, U64, Sequence, code, sequence

REACH = 30
"""Gaming days before an order's own that are remembered of its user."""
THREADS = 2
ROWS_ALONE = 150_000
"""Rows up to which one thread is as quick: NumPy's calls cost more than what they do."""
RAPID, MINUTE, SPREE, HOUR, DAY = (s * 1_000_000 for s in (5, 60, 600, 3_600, 86_400))
SMALL = 1_000
"""Cents up to which a payment may be a try of a card."""
PLACE_ERROR_KM = 100
"""By which the distance of two places may be wrong: addresses of networks tell a city at best."""
LEAST_SECONDS = 60
"""Between two places: clocks differ."""
GIFTS = "Gift Cards"
_EARTH_KM = 6_371.0088
_LOG_UNITS = 1_000
_USUAL_SPREAD, _USUAL_COUNT = 1.3, 3
"""Of binary logarithms of amounts: what stands beside a user's own few payments."""
_FLAGS = {
    "is_tried": pl.col("status") != "refunded",
    "is_failed": pl.col("status") == "failed",
    "is_gift": (pl.col("product_category") == GIFTS) & (pl.col("status") != "refunded"),
}
REMEMBERED: dict[str, pl.Expr] = {
    "user_id": pl.col("user_id"),
    "timestamp": pl.col("timestamp"),
    "transaction_id": pl.col("transaction_id"),
    "gaming_day": pl.col("gaming_day"),
    "cents": (pl.col("amount").cast(pl.Float64) * 100).round().cast(pl.Int64),
    "latitude": pl.col("latitude"),
    "longitude": pl.col("longitude"),
    "device": code("device_id"),
    "network": code("ip_address"),
    **_FLAGS,
}
"""What is kept of an order, and how it follows from a row of `shop_orders`."""

ORDERS = sorted({c for e in REMEMBERED.values() for c in e.meta.root_names()})
"""Columns of `shop_orders` that are read."""


def nothing_remembered() -> pl.DataFrame:
    """The state before any order."""
    return remembered(contract("shop_orders").bronze_schema().to_frame())


def remembered(orders: pl.DataFrame) -> pl.DataFrame:
    """Rows of `shop_orders` in the shape of the state."""
    return orders.select(e.alias(n) for n, e in REMEMBERED.items())


def measured(orders: pl.DataFrame, state: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Measures, a row an order, by time and transaction; and the state after them.

    `orders`: rows of `shop_orders`, of one batch, in any order; batches follow each other in time.
    `state`: what is remembered of users, in the shape of `nothing_remembered`: their payments of
    the last `REACH` gaming days. An order is measured by what its user did before it alone."""
    new = remembered(orders)
    known, theirs = state["user_id"].hash(), new["user_id"].hash()
    is_theirs = known.is_in(theirs.implode())
    hashes = pl.concat([known.filter(is_theirs), theirs])
    return _measured(new, state.filter(is_theirs), hashes), _after(state, new)


def measures_of(new: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The same measures of payments that are in the shape of the state, beside others of their
    users; `known` may come before them in time or after."""
    return _measured(new, known, pl.concat([known["user_id"], new["user_id"]]).hash())


def _measured(new: pl.DataFrame, known: pl.DataFrame, hashes: pl.Series) -> pl.DataFrame:
    """`hashes`: of the user of each, known and new; two may meet, and what is known may be of
    others too."""
    rows, users = pl.concat([known, new]), hashes.to_numpy()
    turns = _turns(rows)
    is_new = turns >= len(rows) - len(new)
    if (np.diff(turns) < 0).any():
        rows, users = rows[turns], users[turns]
    found = _of_users(rows, users)
    place = np.empty(len(rows), dtype=np.int64)
    place[np.concatenate([of for _, of in found])] = np.arange(len(rows))
    measures = pl.concat([part for part, _ in found])[place[is_new]]
    return pl.concat([rows.filter(is_new), measures], how="horizontal")


def _of_users(rows: pl.DataFrame, users: U64) -> list[tuple[pl.DataFrame, I64]]:
    """Measures of rows in order of time, by user, and which row each is of: in one part, or of
    many rows in a part a thread, each with some of the users."""
    if len(rows) <= ROWS_ALONE:
        return [_of_part(rows, users)]
    parts = [np.flatnonzero(users % np.uint64(THREADS) == n) for n in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda part: _of_part(rows[part], users[part]), parts)
        return [(made, part[of]) for part, (made, of) in zip(parts, found, strict=True)]


def _of_part(rows: pl.DataFrame, users: U64) -> tuple[pl.DataFrame, I64]:
    order, by_user = sequence(rows, users, REACH)
    return pl.DataFrame(_measures(order, rows, by_user)), by_user


def _turns(rows: pl.DataFrame) -> I64:
    """Rows by time and transaction."""
    at = rows["timestamp"].to_physical().to_numpy()
    if (at[1:] > at[:-1]).all():
        return np.arange(len(rows))
    turns = rows.select(pl.arg_sort_by("timestamp", "transaction_id")).to_series()
    return turns.to_numpy().astype(np.int64)


def _after(state: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    last = new["gaming_day"].max()
    if not isinstance(last, dt.date):
        return state
    since = last - dt.timedelta(days=REACH)
    kept = pl.col("gaming_day") >= since
    return pl.concat([state.filter(kept), new.filter(kept)])


def _measures(s: Sequence, rows: pl.DataFrame, by_user: I64) -> list[pl.Series]:
    of = {n: rows[n].to_numpy()[by_user] for n in ("cents", "latitude", "longitude", *_FLAGS)}
    tried, failed, cents = of["is_tried"], of["is_failed"], of["cents"]
    asked = np.where(tried, cents, 0)
    paid = np.where(failed, 0, asked)
    small = tried & (cents <= SMALL)
    moment = _moments(s, tried)
    brief, minute, spree, hour, day = s.windows(RAPID, MINUTE, SPREE, HOUR, DAY)
    known = s.remembered
    counts = {
        "tried_before": known.before(moment),
        "tried_5s": brief.up_to(moment),
        "tried_60s": minute.up_to(moment),
        "tried_10min": spree.up_to(moment),
        "tried_hour": hour.up_to(moment),
        "tried_day": day.up_to(moment),
        "cents_60s": minute.up_to(asked),
        "cents_10min": spree.up_to(asked),
        "cents_hour": hour.up_to(asked),
        "cents_day": day.up_to(asked),
        "small_hour": hour.up_to(small & moment),
        "small_failed_hour": hour.up_to(small & failed & moment),
        "failed_hour": hour.up_to(failed & moment),
        "gift_cents_day": day.up_to(np.where(of["is_gift"], cents, 0)),
        "gifts_day": day.up_to(of["is_gift"] & moment),
        "refunds": known.up_to(~tried),
        "refunded_cents": known.up_to(np.where(tried, 0, cents)),
        "paid_cents": known.up_to(paid),
    }
    devices, networks = (rows[n].to_numpy()[by_user] for n in ("device", "network"))
    return [
        *(pl.Series(n, v) for n, v in counts.items()),
        *_own_amounts(s, paid, cents),
        *_travel(s, of, rows, by_user),
        pl.Series("is_new_device", s.is_new(devices, tried, day)),
        pl.Series("is_new_network", s.is_new(networks, tried, day)),
    ]


def _moments(s: Sequence, tried: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first product of each basket: a basket is paid at one moment, a row a product."""
    before = s.last_before(tried)
    return tried & ((before < 0) | (s.at[before] != s.at))


def _own_amounts(s: Sequence, paid: I64, cents: I64) -> list[pl.Series]:
    """`deviation`: of an amount from the user's own payments before, in binary logarithms; null
    without any. Whole thousandths are summed, so that nothing depends on where a sum begins."""
    units = np.round(np.log2(np.maximum(cents, 1)) * _LOG_UNITS).astype(np.int64)
    counted = np.where(paid > 0, units, 0)
    n = s.remembered.before(paid > 0)
    at = np.flatnonzero(n)
    many, sums = n[at], s.remembered.before(counted)[at]
    squares = s.remembered.before(counted * counted)[at]
    own = squares - sums * sums / many + _USUAL_COUNT * (_USUAL_SPREAD * _LOG_UNITS) ** 2
    deviation = np.full(len(n), np.nan)
    deviation[at] = np.round((units[at] - sums / many) / np.sqrt(own / (many + _USUAL_COUNT)), 3)
    return [pl.Series("deviation", deviation, nan_to_null=True), pl.Series("paid_before", n)]


def _travel(
    s: Sequence, of: dict[str, NDArray[Any]], rows: pl.DataFrame, by_user: I64
) -> list[pl.Series]:
    """From the user's last other place: `km`, and `kmh` beyond what the places may be wrong by;
    null without a place before. `is_stranger`: fewer remembered orders are from here than from
    there, so that who comes home is not the odd one. `was_at`, `was_on`: the order there."""
    lat, lon = of["latitude"], of["longitude"]
    placed = of["is_tried"] & ~np.isnan(lat) & ~np.isnan(lon)
    places = _places(lat, lon, placed)
    before = s.last_before(placed)
    has = placed & (before >= 0)
    came = placed & (places[before] != places) | placed & ~has
    before = before[np.maximum.accumulate(np.where(came, s.here, 0))]
    km, kmh = np.where(has, 0.0, np.nan), np.where(has, 0.0, np.nan)
    moved = np.flatnonzero(has & (before >= s.remembered.start))
    was = before[moved]
    km[moved] = np.round(distance(lat[was], lon[was], lat[moved], lon[moved]), 3)
    hours = np.maximum((s.at[moved] - s.at[was]) / 1_000_000, LEAST_SECONDS) / 3_600
    kmh[moved] = np.round(np.maximum(km[moved] - PLACE_ERROR_KM, 0.0) / hours, 3)
    stranger = np.zeros(len(km), dtype=bool)
    here, there = (s.times_before(places, moved, places[at], moved) for at in (moved, was))
    stranger[moved] = here < there
    order = pl.Series(np.where(stranger, by_user[before], -1))
    last = order.set(order < 0, None)
    return [
        pl.Series("km", km, nan_to_null=True),
        pl.Series("kmh", kmh, nan_to_null=True),
        pl.Series("is_stranger", stranger),
        rows["transaction_id"].gather(last).alias("was_at"),
        rows["gaming_day"].gather(last).alias("was_on"),
    ]


def _places(
    lat: NDArray[np.float64], lon: NDArray[np.float64], placed: NDArray[np.bool_]
) -> NDArray[np.uint64]:
    """A number a hundredth of a degree, 0 where it is not known."""
    north = np.round((np.where(placed, lat, 0.0) + 90) * 100).astype(np.uint64)
    east = np.round((np.where(placed, lon, 0.0) + 180) * 100).astype(np.uint64)
    return np.where(placed, north * np.uint64(100_000) + east + np.uint64(1), NOTHING)


def distance(
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    to_lat: NDArray[np.float64],
    to_lon: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Kilometres along the great circle, of degrees (haversine formula)."""
    a, b = np.radians(lat), np.radians(to_lat)
    half = np.sin((b - a) / 2) ** 2
    half += np.cos(a) * np.cos(b) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return 2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
