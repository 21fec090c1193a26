"""The account system's book: whoever was online, whoever registered, and a rotating refresh."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.contracts.online.accounts import SEGMENTS, STATUSES
from lakehouse.errors import BadInput
from lakehouse.simulate.faults.defects import added
from lakehouse.simulate.kernel import accounts, frames
from lakehouse.simulate.kernel.arrays import order_of
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, permute
from lakehouse.simulate.kernel.ids import players
from lakehouse.simulate.kernel.places import places
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

TABLE = accounts.TABLE
TAGS = ("high_roller", "bonus_hunter", "streamer", "card_holder")
CLOSING = 86_100
"""Second of the gaming day at which the extract is taken."""
_SEGMENT_RANKS = np.array([0.02, 0.20])
"""Shares of the book, by how often they are seen, up to which one is a VIP and a regular."""
_NEW_FOR = 30
_LIMITS = 0.3
"""Holders who have set a limit of each kind [assumption]."""
_DEPOSITS = np.array([2_000, 5_000, 10_000, 20_000, 50_000, 100_000])
_MINUTES = np.array([30, 60, 90, 120, 180, 240])


@dataclass(frozen=True)
class Extract:
    """Accounts of a day's extract, one entry each."""

    account: I64
    day: I64
    event: I64

    def __len__(self) -> int:
        return len(self.account)


def dress(config: WorldConfig, r: Extract) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    who = r.account
    player = accounts.player_of(config, who)
    where = places()[accounts.home(config, who, player)]
    opened = accounts.opened_on(config, who)
    excluded = accounts.excluded(config, who, r.day, player)
    wants_mail = chance(_hash(config, "mail", who), 0.6) & ~excluded
    segment = _segments(config, r, opened)
    return frames.frame(
        TABLE,
        {
            "account_id": accounts.account_ids(who),
            "player_id": players(player),
            "registered_on": gaming_days(config.start, opened),
            **{c: where[c] for c in ("city", "state", "zip_code", "country", "time_zone")},
            **accounts.names(config, who, player).to_dict(),
            "segment": frames.code(SEGMENTS, segment),
            "tags": _tags(config, who, segment, player >= 0),
            "daily_deposit_limit": _limit(config, "deposit", who),
            "daily_loss_limit": _limit(config, "loss", who),
            "session_limit_minutes": _minutes(config, who),
            "self_excluded": pl.Series(excluded),
            "account_status": frames.code(STATUSES, excluded.astype(np.int64)),
            "marketing_opt_in": pl.Series(wants_mail),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


@producer(TABLE, dress=dress)
def rows_of(world: World, day: int) -> Extract:
    """The extract of a day, by account number: exactly its quota of rows, less those that
    defects will add. Raises BadInput where the quota is larger than the number of accounts."""
    config = world.config
    room = max(0, config.quota(TABLE, day) - added(config, TABLE, day))
    total = accounts.account_count(config)
    there = np.zeros(total, dtype=bool)
    there[accounts.online_on(config, day)] = True
    there[_registered(config, day)] = True
    first = np.flatnonzero(there)[:room]
    others = _refreshed(config, day, room, there, room - len(first))
    who = np.sort(np.concatenate([first, others]))
    if len(who) < room:
        raise BadInput(
            f"{room} rows of {TABLE} on {config.date(day)} of {total} accounts; an account has "
            "one row a day: ask for fewer rows, more days or more players"
        )
    event = world.utc(day, np.full(len(who), CLOSING))
    return Extract(who, np.full(len(who), day), event)


def _refreshed(config: WorldConfig, day: int, room: int, there: accounts.Bools, count: int) -> I64:
    """So many of those who are not `there` already, in turns of `room` a day; fewer where there
    are no more."""
    total, found = len(there), [np.zeros(0, dtype=np.int64)]
    most, step = min(2 * room + 100, total), max(2 * count, 1)
    for first in range(0, most, step):
        turn = (day * room + np.arange(first, min(first + step, most))) % total
        who = permute(turn, total, key(config.seed, "accounts:refresh"))
        who = who[~there[who]]
        found.append(who[accounts.are_open(config, who, day)])
        if sum(map(len, found)) >= count:
            break
    return np.concatenate(found)[:count]


def _registered(config: WorldConfig, day: int) -> I64:
    opened, who = _openings(config)
    return who[np.searchsorted(opened, day) : np.searchsorted(opened, day + 1)]


@functools.lru_cache(maxsize=4)
def _openings(config: WorldConfig) -> tuple[I64, I64]:
    """(day, account) of those that are opened after the books are, in order."""
    who = np.arange(accounts.account_count(config))
    opened = accounts.opened_on(config, who)
    who = who[opened >= 0]
    order = order_of(opened[who])
    return opened[who][order], who[order]


def _segments(config: WorldConfig, r: Extract, opened: I64) -> I64:
    rank = accounts.rank_of(config, r.account) / accounts.account_count(config)
    by_rank = 3 - np.searchsorted(_SEGMENT_RANKS, rank, side="right")
    return np.where(r.day - opened < _NEW_FOR, 0, by_rank).astype(np.int64)


def _tags(config: WorldConfig, who: I64, segment: I64, has_card: accounts.Bools) -> pl.Series:
    noted = (
        segment == SEGMENTS.index("vip"),
        chance(_hash(config, "bonus", who), 0.05),
        chance(_hash(config, "streamer", who), 0.01),
        has_card,
    )
    code = sum(at.astype(np.int64) << k for k, at in enumerate(noted))
    every = [[t for k, t in enumerate(TAGS) if c >> k & 1] for c in range(1 << len(TAGS))]
    return pl.Series(every, dtype=pl.List(pl.String))[code]


def _limit(config: WorldConfig, kind: str, who: I64) -> pl.Series:
    h = _hash(config, f"limit:{kind}", who)
    amount = _DEPOSITS[below(h << np.uint64(20), len(_DEPOSITS))]
    return frames.money(amount, chance(h, _LIMITS))


def _minutes(config: WorldConfig, who: I64) -> pl.Series:
    h = _hash(config, "limit:minutes", who)
    return frames.count(_MINUTES[below(h << np.uint64(20), len(_MINUTES))], chance(h, _LIMITS))


def _hash(config: WorldConfig, what: str, who: I64) -> U64:
    return draw(key(config.seed, f"accounts:{what}"), who)
