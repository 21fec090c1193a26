"""Profiles as the loyalty system extracts them, and the identities behind filings."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.players import CONTACT, TIERS
from lakehouse.errors import BadInput
from lakehouse.simulate import defects, filings, frames, person
from lakehouse.simulate.clock import stamp
from lakehouse.simulate.counter import I64, below, chance, draw, key, permute
from lakehouse.simulate.export import protect_for_export
from lakehouse.simulate.ids import numbered, players
from lakehouse.simulate.person import excluded
from lakehouse.simulate.standing import first_days, totals

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

__all__ = ["excluded", "extracted", "identities", "profiles", "protect_for_export"]

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


def profiles(world: World, day: int) -> pl.DataFrame:
    """player_profile of a gaming day, in bronze shape: one row per player extracted."""
    who = extracted(world, day)
    closing = np.full(len(who), world.utc(day, np.array([86_399]))[0])
    columns = _profile(world, day, who).get_columns()
    given = {c.name: c for c in columns} | stamp("player_profile", world.config.date(day), closing)
    return frames.frame("player_profile", given)


def identities(world: World, day: int) -> pl.DataFrame:
    """The same people as `profiles`, in the shape of the identity vault: full identifiers."""
    config, who = world.config, extracted(world, day)
    visits, *_ = totals(world, day, who)
    name, home = person.names(config, who), person.home(config, who, visits)
    frame = (
        pl.DataFrame({"player_id": players(who)})
        .hstack(name)
        .with_columns(date_of_birth=_date(person.birth_days(config, who)))
        .hstack(person.tax_number(config, who).select("tin"))
        .hstack(home.drop("area"))
        .with_columns(phone=person.contact(config, who, visits, name, home["area"])["phone"])
        .hstack(person.papers(config, who).drop("id_number_hash"))
    )
    verified = pl.Series(person.identity_verified(config, who))
    return _vault_shape(frame, verified, person.occupations(config, who), config.date(day))


def _vault_shape(
    frame: pl.DataFrame, verified: pl.Series, occupation: pl.Series, date: dt.date
) -> pl.DataFrame:
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
            gaming_day=pl.lit(date),
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
    filed = np.setdiff1d(filings.persons(world, day), here)
    first = np.concatenate([here, filed])[: max(room, 0)]
    n = config.player_count
    stride = config.total("player_profile") // config.days
    turn = (day * stride + np.arange(min(2 * room + 100, n), dtype=np.int64)) % n
    refresh = permute(turn, n, key(config.seed, "people:refresh"))
    unknown = person.newcomer(config, refresh) & (first_days(world, day, refresh) < 0)
    others = refresh[~np.isin(refresh, first) & ~unknown][: room - len(first)]
    return np.sort(np.concatenate([first, others]))


def _profile(world: World, day: int, who: I64) -> pl.DataFrame:
    config = world.config
    visits, theo_micro, win, last = totals(world, day, who)
    theo = (theo_micro + 5_000) // 10_000
    name, home = person.names(config, who), person.home(config, who, visits)
    frame = pl.DataFrame({"player_id": players(who), "loyalty_number": numbered("LC", who, 10)})
    return (
        frame.hstack(name)
        .hstack(person.contact(config, who, visits, name, home["area"]))
        .with_columns(date_of_birth=_date(person.birth_days(config, who)))
        .hstack(person.tax_number(config, who).drop("tin"))
        .hstack(home.drop("area"))
        .hstack(_loyalty(world, who, theo_micro))
        .with_columns(
            enrollment_date=_date(person.enrollment_days(config, who, first_days(world, day, who))),
            last_visit_date=_date(np.where(last >= 0, last, 0) + _start(world)).set(
                pl.Series(last < 0), None
            ),
            total_visits=pl.Series(visits),
            total_theo=frames.money(theo),
            total_actual_win_loss=frames.money(win),
            average_daily_theo=frames.money((2 * theo + visits) // np.maximum(2 * visits, 1)),
        )
        .hstack(_standing(world, day, who, visits, last))
    )


def _loyalty(world: World, who: I64, theo_micro: I64) -> pl.DataFrame:
    earned = np.maximum(theo_micro, 0) * _POINTS_PER_DOLLAR // 1_000_000
    lifetime = person.base_points(world.config, who) + earned
    spent = lifetime * below(_draw(world, "spent", who), 90) // 100
    tier = np.searchsorted(np.array(TIER_POINTS), lifetime, side="right") - 1
    host = np.where(tier >= 3, below(_draw(world, "host", who), _HOSTS), -1)
    return pl.DataFrame(
        {
            "loyalty_tier": pl.Series(TIERS)[tier],
            "points_balance": lifetime - spent,
            "lifetime_points": lifetime,
            "tier_credits": earned,
            "host_assigned": numbered("HOST-", host, 2),
            "vip_flag": tier >= 3,
            "preferred_game": pl.Series(_GAMES)[below(_draw(world, "game", who), 8)],
        }
    )


def _standing(world: World, day: int, who: I64, visits: I64, last: I64) -> pl.DataFrame:
    """Wishes, exclusion and account: the excluded are suspended and never marketed to."""
    config = world.config
    wish = person.version(config, "wishes", who, visits, 40)
    out = excluded(config, who, day)
    prefers = pl.Series(CONTACT)[below(_draw(world, "contact", who, wish), len(CONTACT))]
    opted = chance(_draw(world, "opt-in", who, wish), 0.7) & ~out & (prefers != "None").to_numpy()
    asleep = np.where(
        last < 0, chance(_draw(world, "asleep", who), 0.3), day - last > _INACTIVE_DAYS
    )
    status = np.where(out, 2, np.where(asleep, 1, 0))
    return pl.DataFrame(
        {
            "communication_preference": prefers,
            "marketing_opt_in": opted,
            "marketing_channel": prefers.set(pl.Series(~opted), "None"),
            "self_excluded": out,
            "account_status": pl.Series(["Active", "Inactive", "Suspended"])[status],
            "tin_on_file": person.tin_on_file(config, who),
            "tax_residency": pl.Series(["US", "NRA"])[
                person.non_resident(config, who).astype(np.int64)
            ],
            "identity_verified": person.identity_verified(config, who),
        }
    )


def _draw(world: World, stream: str, *entities: I64) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return draw(key(world.config.seed, f"profile:{stream}"), *entities)


def _date(days: I64) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def _start(world: World) -> int:
    return int(np.datetime64(world.config.start, "D").astype(np.int64))
