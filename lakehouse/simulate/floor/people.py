"""Profiles as the loyalty system extracts them, and the identities behind filings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.columns import TIERS
from lakehouse.contracts.floor.players import CONTACT
from lakehouse.errors import BadInput
from lakehouse.simulate.faults import defects
from lakehouse.simulate.kernel import frames, person
from lakehouse.simulate.kernel.arrays import join
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, permute
from lakehouse.simulate.kernel.ids import numbered, players
from lakehouse.simulate.kernel.memory import by_day, near
from lakehouse.simulate.kernel.person import excluded
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

__all__ = ["dress", "excluded", "extracted", "identities", "rows_of"]

TIER_POINTS = (0, 1_500, 8_000, 40_000, 200_000)
_POINTS_PER_DOLLAR = 10
DOCUMENT_CODES = {"Driver License": "DRIVERS_LICENSE", "Passport": "PASSPORT"}
_INACTIVE_DAYS = 180
_HOSTS = 24
_GAMES = (
    "Video Slots",
    "Mechanical Reels",
    "Video Poker",
    "Blackjack",
    "Baccarat",
    "Roulette",
    "Craps",
    "Poker",
)


@dataclass(frozen=True)
class Standing:
    """Players extracted on a day, sorted, and where they stand at its close."""

    day: I64
    player: I64
    closing: I64
    """Microseconds since the epoch at which the extract was made."""
    visits: I64
    theo_micro: I64
    win: I64
    last: I64
    """Last day with a session, or -1."""
    first: I64
    """First day on which the player came, or -1."""

    def __len__(self) -> int:
        return len(self.player)


def standing(world: World, day: int, who: I64) -> Standing:
    """Where `who` stand at the close of a day."""
    known = world.totals(day, who)
    return Standing(
        day=np.full(len(who), day),
        player=who,
        closing=np.full(len(who), world.utc(day, np.array([86_399]))[0]),
        visits=known.visits,
        theo_micro=known.theo_micro,
        win=known.win_cents,
        last=known.last_day,
        first=known.first_day,
    )


def dress(config: WorldConfig, r: Standing) -> pl.DataFrame:
    """player_profile in bronze shape: one row per player and day of extract."""
    given = {c.name: c for c in _profile(config, r).get_columns()}
    days = gaming_days(config.start, r.day)
    return frames.frame("player_profile", given | stamp("player_profile", days, r.closing))


def _named(world: World, day: int) -> I64:
    """Whoever is named today needs this extract, or all of his rows would be orphans."""
    return np.union1d(world.named(day), world.filed(day))


@producer("player_profile", dress=dress, clashing="city", needed=_named)
@by_day(near)
def rows_of(world: World, day: int) -> Standing:
    """One entry per player extracted on a day."""
    return standing(world, day, extracted(world, day))


def identities(world: World, days: tuple[dt.date, dt.date]) -> Iterator[pl.DataFrame]:
    """The same people as `rows_of`, in the shape of the identity vault: full identifiers. A
    few days in each frame."""
    for block in world.blocks(days):
        yield _identified(world.config, join([rows_of(world, day) for day in block]))


def _identified(config: WorldConfig, r: Standing) -> pl.DataFrame:
    who = r.player
    name, home = person.names(config, who), person.home(config, who, r.visits)
    frame = (
        pl.DataFrame({"player_id": players(who)})
        .hstack(name)
        .with_columns(date_of_birth=_date(person.birth_days(config, who)))
        .hstack(person.tax_number(config, who).select("tin"))
        .hstack(home.drop("area"))
        .with_columns(phone=person.contact(config, who, r.visits, name, home["area"])["phone"])
        .hstack(person.papers(config, who).drop("id_number_hash"))
        .with_columns(gaming_day=gaming_days(config.start, r.day))
    )
    verified = pl.Series(person.identity_verified(config, who))
    return _vault_shape(frame, verified, person.occupations(config, who))


def _vault_shape(frame: pl.DataFrame, verified: pl.Series, occupation: pl.Series) -> pl.DataFrame:
    """What nobody saw a document for is null, and so is a taxpayer number not on file."""
    domestic = pl.col("country") == "US"
    shape = contract("identity_vault").bronze_schema()
    nobody = pl.lit(None, dtype=pl.String)
    return (
        frame.with_columns(
            tin_type=pl.when(pl.col("tin").is_not_null())
            .then(pl.lit("SSN_ITIN"))
            .when(~domestic)
            .then(pl.lit("NONE")),
            id_type=pl.col("id_type").replace(DOCUMENT_CODES),
            id_issuer_state=pl.when(domestic).then(pl.col("state")),
            id_issuer_country=pl.col("country"),
            id_other_type=nobody,
            occupation=occupation,
        )
        .with_columns(
            pl.when(verified).then(pl.col(name))
            for name in ("id_type", "id_number", "id_issuer_state", "id_issuer_country")
        )
        .select(shape.names())
        .cast(shape)
    )


def extracted(world: World, day: int) -> I64:
    """Players in the extract of a day, sorted: whoever did anything, whoever a filing names,
    then a rotating refresh of the others up to the day's quota.

    Raises BadInput where the quota is larger than the number of players."""
    config = world.config
    room = config.quota("player_profile", day) - defects.added(config, "player_profile", day)
    if room > config.player_count:
        raise BadInput(
            f"{room} rows of player_profile on {config.date(day)} of {config.player_count} "
            "players; a player has one row a day: ask for fewer rows, more days or more players"
        )
    here = world.named(day)
    filed = np.setdiff1d(world.filed(day), here)
    first = np.concatenate([here, filed])[: max(room, 0)]
    n = config.player_count
    stride = config.total("player_profile") // config.days
    turn = (day * stride + np.arange(min(2 * room + 100, n), dtype=np.int64)) % n
    refresh = permute(turn, n, key(config.seed, "people:refresh"))
    unknown = person.newcomer(config, refresh) & (world.totals(day, refresh).first_day < 0)
    others = refresh[~np.isin(refresh, first) & ~unknown][: room - len(first)]
    return np.sort(np.concatenate([first, others]))


def patrons(world: World, n: int) -> I64:
    """`n` players, sorted: whoever did anything in the window or is named in a filing of it,
    then others of the book, last those whom nobody has seen yet.

    Raises BadInput where the book has fewer."""
    config = world.config
    if n > config.player_count:
        raise BadInput(
            f"{n} rows of player_profile of {config.player_count} players; a player has one "
            "row: ask for fewer rows or more players"
        )
    first = np.unique(np.concatenate([acting(world, day) for day in range(config.days)]))
    book = permute(np.arange(config.player_count), config.player_count, key(config.seed, "roll"))
    others = book[~np.isin(book, first)]
    unseen = person.newcomer(config, others)
    return np.sort(np.concatenate([first, others[~unseen], others[unseen]])[:n])


def acting(world: World, day: int) -> I64:
    """Sorted players who did anything on a day or are named in a filing of it."""
    return np.union1d(world.named(day), world.filed(day))


def _profile(config: WorldConfig, r: Standing) -> pl.DataFrame:
    who, visits = r.player, r.visits
    theo = (r.theo_micro + 5_000) // 10_000
    name, home = person.names(config, who), person.home(config, who, visits)
    start = (config.start - dt.date(1970, 1, 1)).days
    came = r.last >= 0
    return pl.DataFrame(
        [
            players(who).alias("player_id"),
            numbered("LC", who, 10).alias("loyalty_number"),
            *name,
            *person.contact(config, who, visits, name, home["area"]),
            _date(person.birth_days(config, who)).alias("date_of_birth"),
            *person.tax_number(config, who).drop("tin"),
            *home.drop("area"),
            *_loyalty(config, who, r.theo_micro),
            _date(person.enrollment_days(config, who, r.first)).alias("enrollment_date"),
            frames.only(_date(r.last + start), came).alias("last_visit_date"),
            pl.Series("total_visits", visits),
            frames.money(theo).alias("total_theo"),
            frames.money(r.win).alias("total_actual_win_loss"),
            frames.money((2 * theo + visits) // np.maximum(2 * visits, 1)).alias(
                "average_daily_theo"
            ),
            *_account(config, r),
        ]
    )


def _loyalty(config: WorldConfig, who: I64, theo_micro: I64) -> pl.DataFrame:
    earned = np.maximum(theo_micro, 0) * _POINTS_PER_DOLLAR // 1_000_000
    lifetime = person.base_points(config, who) + earned
    spent = lifetime * below(_draw(config, "spent", who), 90) // 100
    tier = np.searchsorted(np.array(TIER_POINTS), lifetime, side="right") - 1
    host = np.where(tier >= 3, below(_draw(config, "host", who), _HOSTS), -1)
    return pl.DataFrame(
        {
            "loyalty_tier": frames.code(TIERS, tier),
            "points_balance": lifetime - spent,
            "lifetime_points": lifetime,
            "tier_credits": earned,
            "host_assigned": numbered("HOST-", host, 2),
            "vip_flag": tier >= 3,
            "preferred_game": frames.code(_GAMES, below(_draw(config, "game", who), 8)),
        }
    )


def _account(config: WorldConfig, r: Standing) -> pl.DataFrame:
    """Wishes, exclusion and account: the excluded are suspended and never marketed to."""
    who, none = r.player, CONTACT.index("None")
    wish = person.version(config, "wishes", who, r.visits, 40)
    out = excluded(config, who, r.day)
    prefers = below(_draw(config, "contact", who, wish), len(CONTACT))
    opted = chance(_draw(config, "opt-in", who, wish), 0.7) & ~out & (prefers != none)
    asleep = np.where(
        r.last < 0, chance(_draw(config, "asleep", who), 0.3), r.day - r.last > _INACTIVE_DAYS
    )
    status = np.where(out, 2, np.where(asleep, 1, 0))
    abroad = person.non_resident(config, who).astype(np.int64)
    return pl.DataFrame(
        {
            "communication_preference": frames.code(CONTACT, prefers),
            "marketing_opt_in": opted,
            "marketing_channel": frames.code(CONTACT, np.where(opted, prefers, none)),
            "self_excluded": out,
            "account_status": frames.code(("Active", "Inactive", "Suspended"), status),
            "tin_on_file": person.tin_on_file(config, who),
            "tax_residency": frames.code(("US", "NRA"), abroad),
            "identity_verified": person.identity_verified(config, who),
        }
    )


def _draw(config: WorldConfig, stream: str, *entities: I64) -> U64:
    return draw(key(config.seed, f"profile:{stream}"), *entities)


def _date(days: I64) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)
