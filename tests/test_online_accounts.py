"""One population: who holds an account is who holds a card, and is the same in every product."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from lakehouse.privacy import TokenKey, protect
from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.addresses import addresses
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.kernel.places import ABROAD, CITIES, at_local, offsets, places
from lakehouse.simulate.world import World

CONFIG = WorldConfig(faults=NO_FAULTS)
DAY = dt.date(2025, 1, 4)
EVERY = np.arange(accounts.account_count(CONFIG))


@pytest.fixture(scope="module")
def world() -> World:
    return World(CONFIG)


def test_a_third_of_patrons_have_one_account_each() -> None:
    patrons = np.arange(CONFIG.player_count)
    theirs = accounts.account_of(CONFIG, patrons)
    has = theirs >= 0
    assert has.sum() == round(CONFIG.player_count / 3)
    assert len(np.unique(theirs[has])) == has.sum()
    assert (accounts.player_of(CONFIG, theirs[has]) == patrons[has]).all()
    assert (accounts.player_of(CONFIG, EVERY) >= 0).sum() == has.sum()


def test_a_patron_is_the_same_person_on_the_floor_and_online(world: World) -> None:
    key = TokenKey.of(b"k" * 32)
    profile = protect("player_profile", world.frame("player_profile", DAY), key)
    book = protect("online_accounts", world.frame("online_accounts", DAY), key)
    both = book.join(profile, on="player_id", suffix="_floor")
    assert both.height >= 10
    for name in ("first_name", "last_name"):
        assert (both[name] == both[f"{name}_floor"]).all()
    same_mail = (both["email"] == both["email_floor"]).mean()
    assert isinstance(same_mail, float)
    assert same_mail > 0.8  # others have changed theirs since they enrolled


def test_who_is_online_is_in_the_days_extract(world: World) -> None:
    for day in (0, 3, 40):
        date = CONFIG.date(day)
        book = set(world.frame("online_accounts", date)["account_id"])
        here = set(accounts.account_ids(accounts.online_on(CONFIG, day)))
        assert here <= book
        assert len(here) > 300


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_as_many_are_online_as_the_world_is_large(scale: float) -> None:
    """What is drawn of tells as many accounts apart as there are."""
    config = WorldConfig(scale=scale, faults=NO_FAULTS)
    wanted = config.quota("online_accounts", 3) * 2 // 3
    assert 0.75 * wanted < len(accounts.online_on(config, 3)) <= wanted


def test_most_come_back_and_none_is_excluded_or_yet_to_register() -> None:
    days = [accounts.online_on(CONFIG, day) for day in range(14)]
    for day, here in enumerate(days):
        assert not accounts.excluded(CONFIG, here, day).any()
        assert (accounts.opened_on(CONFIG, here) <= day).all()
    often = pl.Series(np.concatenate(days)).value_counts()["count"]
    assert (often >= 7).sum() > 100
    assert (often == 1).sum() > 200


@pytest.mark.parametrize("day", [0, 1, 300, 900])
def test_the_list_of_the_excluded_has_all_of_them_and_nobody_else(day: int) -> None:
    found = sorted(accounts.all_excluded(CONFIG, day).tolist())
    assert found == np.flatnonzero(accounts.excluded(CONFIG, EVERY, day)).tolist()


@pytest.mark.parametrize("day", [0, 1, 300])
def test_an_account_is_open_from_the_day_on_which_it_is_opened(day: int) -> None:
    opened = accounts.opened_on(CONFIG, EVERY)
    assert (accounts.are_open(CONFIG, EVERY, day) == (opened <= day)).all()
    assert 0 < (opened > day).sum() < 0.2 * len(EVERY)


def test_a_day_alone_is_the_day_of_a_range(world: World) -> None:
    alone = World(CONFIG).frame("online_accounts", DAY)
    run = pl.concat(world.rows("online_accounts", (DAY - dt.timedelta(2), DAY)))
    assert run.filter(gaming_day=DAY).equals(alone)
    assert alone.height == CONFIG.quota("online_accounts", 3)


def test_identities_belong_to_nobody(world: World) -> None:
    book = world.frame("online_accounts", DAY)
    assert book["email"].str.contains(r"^[a-z.]+\d{1,3}@example\.(com|org|net)$").all()
    assert addresses(np.array([0, 255, 2**32 - 1])).to_list() == [
        "2001:db8:0000:0000::1",
        "2001:db8:0000:00ff::1",
        "2001:db8:ffff:ffff::1",
    ]


def test_clocks_and_coordinates_of_places() -> None:
    """Tallinn is two hours ahead of UTC in winter and three in summer; Phoenix knows no summer
    time. Tallinn to Riga is about 280 km by great circle."""
    city = dict(zip(places()["city"], range(len(places())), strict=True))
    assert len(city) == len(ABROAD) + len(CITIES)
    winter, summer = offsets(dt.date(2025, 1, 15)), offsets(dt.date(2025, 7, 15))
    assert (winter[city["Tallinn"]], summer[city["Tallinn"]]) == (7_200, 10_800)
    assert winter[city["Phoenix"]] == summer[city["Phoenix"]] == -25_200
    a, b = places().row(city["Tallinn"], named=True), places().row(city["Riga"], named=True)
    north = np.radians(b["latitude"] - a["latitude"])
    east = np.radians(b["longitude"] - a["longitude"]) * np.cos(np.radians(58.2))
    assert 270 < 6_371 * np.hypot(north, east) < 290


def test_a_local_hour_falls_where_the_gaming_day_has_it() -> None:
    """The day opens at 06:00 in Los Angeles, 14:00 UTC in winter: 16:00 in Tallinn. What its
    clock shows at 17:00 is an hour in, at 15:00 it is the last hour but one."""
    tallinn = np.zeros(2, dtype=np.int64)
    local = np.array([17 * 3600, 15 * 3600])
    found = at_local(dt.date(2025, 1, 15), 14 * 3600, 86_400, tallinn, local)
    assert found.tolist() == [3_600, 23 * 3_600]
