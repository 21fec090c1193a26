"""Who a player is: attributes as pure functions of (seed, player, visits so far).

Nothing is stored per player, so that ten million of them cost a day no more than a
thousand. What changes in a life (address, e-mail, wishes) changes on every k-th visit,
with k keyed by the player: the state on a day follows from the visits up to that day.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.kernel import exclusion
from lakehouse.simulate.kernel.book import is_always_excluded, rank_of_player, reserved
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import (
    I64,
    U64,
    below,
    chance,
    draw,
    key,
    permute,
    pick,
    uniform,
)
from lakehouse.simulate.kernel.ids import hexadecimal
from lakehouse.simulate.kernel.names import MAIL_DOMAINS, OCCUPATIONS, US_WEIGHTS, pools

Bools = NDArray[np.bool_]

NO_TIN = 0.03
NON_RESIDENT = 0.03
UNVERIFIED = 0.01
NEWCOMERS = 0.12
BOXES = 1_000
"""Numbers that an e-mail address may end with before its domain."""
_HOUSEHOLDS = 0.04
_ADULT_DAYS = 7671  # 21 years


def _hash(config: WorldConfig, stream: str, *entities: I64) -> U64:
    return draw(key(config.seed, f"person:{stream}"), *entities)


def excluded(config: WorldConfig, player: I64, day: int | I64) -> Bools:
    """Who is on the self-exclusion list on a day: 1% when the books open, 2% after a year, 3%
    after two (base rate 1-3%: Hopfgartner 2022). Exclusion does not end."""
    found = is_always_excluded(config, player)
    joined = np.flatnonzero((player >= 0) & exclusion.joined(config, player, day))
    ordinary = rank_of_player(config, player[joined]) < config.player_count - reserved(config)
    found[joined[ordinary]] = True
    return found


def non_resident(config: WorldConfig, player: I64) -> Bools:
    return chance(_hash(config, "residency", player), NON_RESIDENT)


def tin_on_file(config: WorldConfig, player: I64) -> Bools:
    return ~chance(_hash(config, "tin", player), NO_TIN)


def identity_verified(config: WorldConfig, player: I64) -> Bools:
    return ~chance(_hash(config, "verified", player), UNVERIFIED)


def version(config: WorldConfig, what: str, player: I64, visits: I64, every: int) -> I64:
    """How often `what` has changed: on each k-th visit, k between `every` and twice that."""
    h = _hash(config, f"change:{what}", player)
    period = every + below(h, every)
    phase = below(_hash(config, f"phase:{what}", player), period)
    return (visits + phase) // period


def birth_days(config: WorldConfig, player: I64) -> I64:
    """Days since 1970 of birth: 21 to about 90 years old when the books open, most 40 to 70."""
    h = _hash(config, "birth", player)
    age = _ADULT_DAYS + below(h, 12_500) + below(_hash(config, "birth2", player), 12_500)
    return _epoch(config.start) - age


def newcomer(config: WorldConfig, player: I64) -> Bools:
    """Who is in the book from his first visit on; the others were before the books opened. A
    book hardly larger than a day's extract has none."""
    if config.player_count * config.days < 3 * config.total("player_profile"):
        return np.zeros(len(player), dtype=bool)
    return chance(_hash(config, "newcomer", player), NEWCOMERS) & ~lapsed(config, player)


def lapsed(config: WorldConfig, player: I64) -> Bools:
    """Whether a patron never comes of his own, lost long ago or excluded."""
    return rank_of_player(config, player) >= config.player_count - reserved(config)


def enrollment_days(config: WorldConfig, player: I64, first_day: I64) -> I64:
    """Days since 1970 of enrollment: a newcomer's first visit (`first_day` of the world), else
    as an adult, within ten years before the books open."""
    new = newcomer(config, player) & (first_day >= 0)
    return np.where(new, _epoch(config.start) + first_day, _enrolled_before(config, player))


def _enrolled_before(config: WorldConfig, player: I64) -> I64:
    adult = birth_days(config, player) + _ADULT_DAYS
    room = np.minimum(_epoch(config.start) - adult, 3650)
    return _epoch(config.start) - 1 - below(_hash(config, "enrolled", player), np.maximum(room, 1))


def ssn_serial(config: WorldConfig, player: I64) -> I64:
    """Last four digits of 900-00-nnnn; the first 10,000 players have one each."""
    return permute(player % 10_000, 10_000, key(config.seed, "person:ssn"))


def household(config: WorldConfig, player: I64) -> Bools:
    """Players 2k and 2k+1 who share a home in the US and a last name."""
    shared = chance(_hash(config, "household", player >> 1), _HOUSEHOLDS)
    return shared & ~non_resident(config, player) & ~non_resident(config, player ^ 1)


def names(config: WorldConfig, player: I64) -> pl.DataFrame:
    """first_name, last_name: one row per given player."""
    pool = pools()
    first, last = named(config, player)
    return pl.DataFrame({"first_name": pool.first[first], "last_name": pool.last[last]})


def named(config: WorldConfig, player: I64) -> tuple[I64, I64]:
    """(first name, last name) of each given player: positions in `pools`."""
    pool = pools()
    family = np.where(household(config, player), player | 1, player)
    first = below(_hash(config, "first", player), len(pool.first))
    return first, below(_hash(config, "last", family), len(pool.last))


def _owner(config: WorldConfig, player: I64, visits: I64) -> tuple[I64, I64]:
    """Whose home a player lives in, and how often he has moved."""
    shared = household(config, player)
    owner = np.where(shared, player | 1, player)
    return owner, np.where(shared, 0, version(config, "address", player, visits, 60))


def cities(config: WorldConfig, player: I64, visits: I64) -> tuple[I64, I64, Bools]:
    """Where each player lives: the place in the US, the place abroad, and which of them counts
    (positions in `pools`; abroad: the second)."""
    owner, moved = _owner(config, player, visits)
    us = pick(_hash(config, "home", owner, moved), US_WEIGHTS)
    foreign = below(_hash(config, "abroad", owner), len(pools().foreign))
    return us, foreign, non_resident(config, player)


def home(config: WorldConfig, player: I64, visits: I64) -> pl.DataFrame:
    """address_line1, city, state, zip_code, country, area: one row per given player."""
    pool = pools()
    owner, moved = _owner(config, player, visits)
    in_us, elsewhere, is_abroad = cities(config, player, visits)
    street = pl.Series(below(_hash(config, "number", owner, moved), 9_900) + 100).cast(
        pl.String
    ) + (" " + pool.street[below(_hash(config, "street", owner, moved), len(pool.street))])
    us = pool.us[in_us]
    zips = us["zip3"] + pl.Series(below(_hash(config, "zip", owner, moved), 100)).cast(
        pl.String
    ).str.zfill(2)
    foreign = pool.foreign[elsewhere]
    abroad = pl.Series(is_abroad)
    return pl.DataFrame(
        {
            "address_line1": street,
            "city": foreign["city"].zip_with(abroad, us["city"]),
            "state": foreign["state"].zip_with(abroad, us["state"]),
            "zip_code": foreign["zip_code"].zip_with(abroad, zips),
            "country": foreign["country"].zip_with(abroad, _constant("US", len(player))),
            "area": foreign["area"].zip_with(abroad, us["area"]),
        }
    )


def contact(
    config: WorldConfig, player: I64, visits: I64, name: pl.DataFrame, area: pl.Series
) -> pl.DataFrame:
    """email, phone: one row per given player; reserved domains and 555-01xx numbers."""
    number, at = mailbox(config, player, visits)
    domain, tail = pl.Series(MAIL_DOMAINS)[at], pl.Series(number).cast(pl.String)
    line = pl.Series(below(_hash(config, "phone", player), 100)).cast(pl.String).str.zfill(2)
    local = name["first_name"].str.to_lowercase() + "." + name["last_name"].str.to_lowercase()
    return pl.DataFrame({"email": local + tail + "@" + domain, "phone": area + "-555-01" + line})


def mailbox(config: WorldConfig, player: I64, visits: I64) -> tuple[I64, I64]:
    """(number, position of the domain) with which each player's address ends."""
    changed = version(config, "email", player, visits, 80)
    number = below(_hash(config, "mail-number", player, changed), BOXES)
    return number, below(_hash(config, "mail", player, changed), len(MAIL_DOMAINS))


def papers(config: WorldConfig, player: I64) -> pl.DataFrame:
    """id_type, id_number, id_number_hash: the document a player shows."""
    abroad = pl.Series(non_resident(config, player))
    h = _hash(config, "document", player)
    licence = "D" + pl.Series(below(h, 90_000_000) + 10_000_000).cast(pl.String)
    passport = "X" + pl.Series(below(h, 9_000_000) + 1_000_000).cast(pl.String)
    n = len(player)
    return pl.DataFrame(
        {
            "id_type": _constant("Passport", n).zip_with(abroad, _constant("Driver License", n)),
            "id_number": passport.zip_with(abroad, licence),
            "id_number_hash": digest(config, "id-number", player),
        }
    )


def tax_number(config: WorldConfig, player: I64) -> pl.DataFrame:
    """tin (nine digits), ssn_hash, ssn_masked: null where none is on file."""
    serial = ssn_serial(config, player)
    digits = pl.Series(serial).cast(pl.String).str.zfill(4)
    known = pl.Series(tin_on_file(config, player))
    none = pl.Series([None], dtype=pl.String)
    return pl.DataFrame(
        {
            "tin": ("90000" + digits).zip_with(known, none),
            "ssn_hash": digest(config, "ssn", serial).zip_with(known, none),
            "ssn_masked": ("XXX-XX-" + digits).zip_with(known, none),
        }
    )


def occupations(config: WorldConfig, player: I64) -> pl.Series:
    """The occupation that each patron gives on a CTR or SAR."""
    return pl.Series(OCCUPATIONS)[below(_hash(config, "occupation", player), len(OCCUPATIONS))]


def digest(config: WorldConfig, what: str, *entities: I64) -> pl.Series:
    """64 hexadecimal digits that stand for a source system's keyed hash of `what`: equal where
    the entities are, and no hash of any value that could be tried."""
    parts = [_hash(config, f"digest{part}:{what}", *entities) for part in range(4)]
    return hexadecimal(np.stack(parts, axis=1))


def base_points(config: WorldConfig, player: I64) -> I64:
    """Points earned before the books opened: halving counts per doubling."""
    h = _hash(config, "points", player)
    doublings = np.searchsorted(1 - 0.5 ** np.arange(1, 12), uniform(h), side="right")
    return (100 + below(_hash(config, "points2", player), 400)) << doublings.astype(np.int64)


def _epoch(date: dt.date) -> int:
    return (date - dt.date(1970, 1, 1)).days


def _constant(text: str, n: int) -> pl.Series:
    return pl.Series([text], dtype=pl.String).new_from_index(0, n)
