"""Who holds an online account: attributes as pure functions of (seed, account).

About a third of the floor's patrons have one, and people without a card have one. The online
casino, the game platform and the shop ask here, so that a person is the same in all of them.
Accounts are numbered from 0; as with patrons, nothing is stored for each.
"""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.kernel import exclusion, frames, person
from lakehouse.simulate.kernel.arrays import distinct, order_of, parts
from lakehouse.simulate.kernel.book import always_excluded
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import (
    I64,
    U64,
    below,
    chance,
    draw,
    exp,
    fine_exponential,
    key,
    permute,
    pick,
    unpermute,
)
from lakehouse.simulate.kernel.ids import numbered
from lakehouse.simulate.kernel.memory import asked_last
from lakehouse.simulate.kernel.names import MAIL_DOMAINS, US_PLACES, pools
from lakehouse.simulate.kernel.places import ABROAD, WEIGHTS

Bools = NDArray[np.bool_]

TABLE = "online_accounts"
LINKED_SHARE = 1 / 3
"""Patrons who have an account [assumption]."""
WITHOUT_CARD_SHARE = 1 / 2
"""Accounts of people without a card, for each patron [assumption]."""
NEWCOMERS = 0.15
"""Accounts that are opened after the books are."""
_NEW_DAYS = 720
_TURNS = 32_768
"""Of those who come online, drawn at a time."""
SPAN = 1 << 19
"""Accounts that are looked through at a time for the few of them who are online."""
_SEEN_WEIGHT = 2.8
"""How much more often the first ranks are seen: heavy tail of visits."""
LOCALES = {"EE": "et_EE", "FI": "fi_FI", "SE": "sv_SE", "LV": "lv_LV", "LT": "lt_LT"}


def _hash(config: WorldConfig, stream: str, *entities: I64) -> U64:
    return draw(key(config.seed, f"account:{stream}"), *entities)


def linked_count(config: WorldConfig) -> int:
    return round(config.player_count * LINKED_SHARE)


def account_count(config: WorldConfig) -> int:
    return linked_count(config) + round(config.player_count * WITHOUT_CARD_SHARE)


def account_ids(account: I64) -> pl.Series:
    return numbered("A", account, 8)


def player_of(config: WorldConfig, account: I64) -> I64:
    """The patron whose account it is; -1: somebody without a card."""
    place = unpermute(account, account_count(config), key(config.seed, "account-number"))
    linked = np.flatnonzero(place < linked_count(config))
    found = np.full(len(account), -1)
    found[linked] = permute(place[linked], config.player_count, key(config.seed, "account-player"))
    return found


def account_of(config: WorldConfig, player: I64) -> I64:
    """The inverse of `player_of`; -1 where a patron has no account."""
    rank = unpermute(np.maximum(player, 0), config.player_count, key(config.seed, "account-player"))
    linked = (player >= 0) & (rank < linked_count(config))
    place = np.where(linked, rank, 0)
    account = permute(place, account_count(config), key(config.seed, "account-number"))
    return np.where(linked, account, -1)


def account_of_rank(config: WorldConfig, rank: I64) -> I64:
    """Accounts by how often they are seen, the most frequent first."""
    return permute(rank, account_count(config), key(config.seed, "account-rank"))


def rank_of(config: WorldConfig, account: I64) -> I64:
    return unpermute(account, account_count(config), key(config.seed, "account-rank"))


def opened_on(config: WorldConfig, account: I64) -> I64:
    """Day of the world on which an account was opened; before 0, before the books were."""
    found = -1 - below(_hash(config, "opened-before", account), 1_500)
    new, day = _new(config, account)
    found[new] = day
    return found


def are_open(config: WorldConfig, account: I64, day: int) -> Bools:
    """Which accounts have been opened up to and on a day."""
    found = np.ones(len(account), dtype=bool)
    new, opened = _new(config, account)
    found[new[opened > day]] = False
    return found


def _new(config: WorldConfig, account: I64) -> tuple[I64, I64]:
    """Positions of the accounts that are opened after the books are, and on which day."""
    new = np.flatnonzero(chance(_hash(config, "new", account), NEWCOMERS))
    return new, below(_hash(config, "opened", account[new]), _NEW_DAYS)


def excluded(config: WorldConfig, account: I64, day: int | I64, player: I64 | None = None) -> Bools:
    """Who is on the self-exclusion list on a day: the floor's list holds online too. `player`:
    `player_of` the accounts, where it is known, as with all that takes it."""
    player = player_of(config, account) if player is None else player
    found = exclusion.joined(config, account + config.player_count, day)
    has_card = np.flatnonzero(player >= 0)
    on = day[has_card] if isinstance(day, np.ndarray) else day
    found[has_card] = person.excluded(config, player[has_card], on)
    return found


def home(config: WorldConfig, account: I64, player: I64 | None = None) -> I64:
    """The place (`places`) where each holder lives: a patron's, as when he enrolled."""
    player = player_of(config, account) if player is None else player
    found = pick(_hash(config, "home", account), WEIGHTS)
    has_card = np.flatnonzero(player >= 0)
    nobody = np.zeros(len(has_card), dtype=np.int64)
    us, foreign, is_abroad = person.cities(config, player[has_card], nobody)
    found[has_card] = len(ABROAD) + np.where(is_abroad, len(US_PLACES) + foreign, us)
    return found


def names(config: WorldConfig, account: I64, player: I64 | None = None) -> pl.DataFrame:
    """first_name, last_name, email: one row per given account; a patron's are those of his
    profile, as he enrolled."""
    player = player_of(config, account) if player is None else player
    first, last, tail, domain = _named_alone(config, account)
    has_card = np.flatnonzero(player >= 0)
    who, nobody = player[has_card], np.zeros(len(has_card), dtype=np.int64)
    first[has_card], last[has_card] = person.named(config, who)
    tail[has_card], domain[has_card] = person.mailbox(config, who, nobody)
    given, family = _words()
    one, other = given[first], family[last]
    box = frames.gather(_boxes(), tail * len(MAIL_DOMAINS) + domain)
    return pl.select(
        first_name=one["name"],
        last_name=other["name"],
        email=pl.concat_str(one["plain"], pl.lit("."), other["plain"], box),
    )


@functools.cache
def _words() -> tuple[pl.DataFrame, pl.DataFrame]:
    """First and last names, and how each is spelled in an address: those of patrons, then those
    of each country."""
    plain = pl.col("name").str.to_lowercase()
    spelled = plain.str.normalize("NFKD").str.replace_all(r"[^a-z.]", "")
    pool = pools()
    patrons = (n.to_frame("name").with_columns(plain=plain) for n in (pool.first, pool.last))
    abroad = ((n.with_columns(plain=spelled) for n in _of_country(c)) for c in LOCALES)
    given, family = zip(patrons, *abroad, strict=True)
    return pl.concat(given), pl.concat(family)


@functools.cache
def _of_country(country: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """First and last names of a country."""
    import importlib

    of = importlib.import_module(f"faker.providers.person.{LOCALES[country]}").Provider
    first = getattr(of, "first_names", None) or (*of.first_names_male, *of.first_names_female)
    given, family = (pl.DataFrame({"name": sorted(set(n))}) for n in (first, of.last_names))
    return given, family


@functools.cache
def _boxes() -> pl.Series:
    """What follows upon the names in an address: a number, and one of the domains."""
    return pl.Series([f"{k}@{d}" for k in range(person.BOXES) for d in MAIL_DOMAINS])


@functools.cache
def _counts() -> tuple[I64, I64, I64, I64]:
    """By place abroad, where its country's names begin among the first and the last names, and
    how many of each there are."""
    pool, counts = pools(), {c: [len(n) for n in _of_country(c)] for c in LOCALES}
    before = np.cumsum([[len(pool.first), len(pool.last)], *counts.values()], axis=0)
    nth = np.array([list(LOCALES).index(place[3]) for place in ABROAD])
    many = np.array(list(counts.values()))[nth]
    return before[nth, 0], before[nth, 1], many[:, 0], many[:, 1]


def _named_alone(config: WorldConfig, account: I64) -> tuple[I64, I64, I64, I64]:
    """(first name, last name, number, domain) of people without a card, by the country where
    they live: positions in `_words`, and what their addresses end with."""
    where = pick(_hash(config, "home", account), WEIGHTS)
    firsts, lasts, given, family = (column[where] for column in _counts())
    return (
        firsts + below(_hash(config, "first", account), given),
        lasts + below(_hash(config, "last", account), family),
        below(_hash(config, "mail", account), person.BOXES),
        below(_hash(config, "domain", account), len(MAIL_DOMAINS)),
    )


def all_excluded(config: WorldConfig, day: int) -> NDArray[np.uint32]:
    """Every account that is `excluded` on a day."""
    who, since = _exclusions(config)
    return who[since < day]


@functools.lru_cache(maxsize=4)
def _exclusions(config: WorldConfig) -> tuple[NDArray[np.uint32], NDArray[np.int16]]:
    """Accounts that are excluded some day, and the last day on which they are not yet: a few
    hundredths of all, found at once in less time than among those who come on two days."""
    patrons, since = exclusion.joiners(config, range(config.player_count))
    own, always = ~person.lapsed(config, patrons), always_excluded(config)
    account = account_of(config, np.concatenate([always, patrons[own]]))
    first = np.concatenate([np.full(len(always), -1), since[own]])
    numbers = range(config.player_count, config.player_count + account_count(config))
    others, since = exclusion.joiners(config, numbers)
    others -= config.player_count
    alone = player_of(config, others) < 0
    who = np.concatenate([account[account >= 0], others[alone]])
    day = np.concatenate([first[account >= 0], since[alone]])
    return who.astype(np.uint32), day.astype(np.int16)


@asked_last(1_000_000)
def online_on(config: WorldConfig, day: int) -> I64:
    """Sorted accounts of those who are online on a day, in any of the three."""
    return np.flatnonzero(is_online(config, day))


def is_online(config: WorldConfig, day: int) -> Bools:
    """By account, whether its holder is online on a day: two thirds of the day's extract. Most
    come back often, as visits have a heavy tail (the first tenth of ranks gets two fifths of
    them); all are open and none is excluded."""
    there, drawn = np.zeros(account_count(config), dtype=bool), _ranks_on(config, day)
    for at in parts(len(drawn), SPAN):
        rank = at.start + np.flatnonzero(drawn[at])
        there[account_of_rank(config, rank)] = True
    there[all_excluded(config, day)] = False
    for at in parts(len(there), SPAN):
        account = at.start + np.flatnonzero(there[at])
        there[account] = are_open(config, account, day)
    return there


def _ranks_on(config: WorldConfig, day: int) -> Bools:
    """By rank, whether it is among those that are drawn first of all; of the turns there are
    twice as many as ranks are wanted, of which some more than these mostly do."""
    total, count = account_count(config), config.quota(TABLE, day) * 2 // 3
    found, most = np.zeros(total, dtype=bool), min(2 * count, 4 * total)
    for turn in range(0, most, _TURNS):
        rank = _drawn(config, day, total, np.arange(turn, min(turn + _TURNS, most)))
        rank = rank[~found[rank]]
        new = distinct(rank)
        if len(new) >= count:
            new = _first(rank, count)
        found[new] = True
        count -= len(new)
        if not count:
            break
    return found


def _first(numbers: I64, count: int) -> I64:
    """The first so many numbers, each once."""
    order = order_of(numbers)
    is_first = np.diff(numbers[order], prepend=-1) != 0
    return numbers[np.sort(order[is_first])[:count]]


def _drawn(config: WorldConfig, day: int, total: int, turn: I64) -> I64:
    """The rank of each turn."""
    h = draw(key(config.seed, "account:online", day), turn)
    rank = (total * exp(-_SEEN_WEIGHT * fine_exponential(h))).astype(np.int64)
    return np.minimum(rank, total - 1)
