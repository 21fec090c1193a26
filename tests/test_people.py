"""Players are functions of their number; profiles follow the ledger."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.privacy import TokenKey
from lakehouse.simulate.export import protect_for_export
from lakehouse.simulate.floor import people
from lakehouse.simulate.kernel import person
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from tests.handmade import Handmade

CONFIG = WorldConfig(faults=NO_FAULTS)
EVERYBODY = np.arange(10_000)
NEVER = np.zeros(10_000, dtype=np.int64)


def test_a_person_is_the_same_alone_and_among_others() -> None:
    crowd, one = np.arange(50), np.array([17])
    for make in (
        lambda who: person.names(CONFIG, who),
        lambda who: person.home(CONFIG, who, np.full(len(who), 3)),
        lambda who: person.papers(CONFIG, who),
        lambda who: person.tax_number(CONFIG, who),
    ):
        assert make(crowd)[17].equals(make(one))


def test_another_seed_makes_other_people() -> None:
    other = WorldConfig(seed=43)
    assert not person.names(CONFIG, EVERYBODY[:50]).equals(person.names(other, EVERYBODY[:50]))


def test_identities_stay_in_reserved_ranges() -> None:
    tax = person.tax_number(CONFIG, EVERYBODY)
    home = person.home(CONFIG, EVERYBODY, NEVER)
    reach = person.contact(CONFIG, EVERYBODY, NEVER, person.names(CONFIG, EVERYBODY), home["area"])
    assert tax["tin"].drop_nulls().str.contains(r"^90000\d{4}$").all()
    assert tax["tin"].drop_nulls().n_unique() == tax["tin"].drop_nulls().len()
    assert reach["phone"].str.contains(r"^\d{3}-555-01\d{2}$").all()
    assert reach["email"].str.contains(r"@example\.(com|org|net)$").all()


def test_the_hash_of_a_tax_number_cannot_be_tried() -> None:
    known = person.tax_number(CONFIG, EVERYBODY[:20]).drop_nulls().row(0, named=True)
    assert len(known["ssn_hash"]) == 64
    spelled = (known["tin"], f"{known['tin'][:3]}-{known['tin'][3:5]}-{known['tin'][5:]}")
    assert known["ssn_hash"] not in {hashlib.sha256(t.encode()).hexdigest() for t in spelled}
    assert known["ssn_masked"] == f"XXX-XX-{known['tin'][-4:]}"


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        (person.non_resident(CONFIG, EVERYBODY), 0.025, 0.035),
        (~person.tin_on_file(CONFIG, EVERYBODY), 0.025, 0.035),
        (~person.identity_verified(CONFIG, EVERYBODY), 0.007, 0.013),
        (person.excluded(CONFIG, EVERYBODY, 0), 0.009, 0.011),
        (person.excluded(CONFIG, EVERYBODY, 365), 0.017, 0.023),
        (person.excluded(CONFIG, EVERYBODY, 730), 0.025, 0.034),
    ],
)
def test_base_rates(share: np.ndarray, low: float, high: float) -> None:
    assert low <= share.mean() <= high


def test_exclusion_does_not_end() -> None:
    early, late = (person.excluded(CONFIG, EVERYBODY, day) for day in (10, 400))
    assert not (early & ~late).any()


def test_everyone_is_an_adult_when_enrolled() -> None:
    born, enrolled = (
        person.birth_days(CONFIG, EVERYBODY),
        person.enrollment_days(CONFIG, EVERYBODY, np.full(len(EVERYBODY), -1)),
    )
    assert (enrolled - born >= 7_671).all()  # 21 years
    assert (enrolled < (CONFIG.start - dt.date(1970, 1, 1)).days).all()


def test_addresses_change_with_visits_and_then_stay() -> None:
    who = EVERYBODY[:200]
    states = [person.home(CONFIG, who, np.full(200, v))["address_line1"] for v in range(0, 240, 10)]
    changes = sum((a != b).sum() for a, b in itertools.pairwise(states))
    # every 60 to 120 visits: 240 visits hold about 2 to 4 changes each, households none
    assert 200 * 1.5 <= changes <= 200 * 4


def test_households_share_a_home_and_a_name() -> None:
    pair = np.flatnonzero(person.household(CONFIG, EVERYBODY) & (EVERYBODY % 2 == 0))[0]
    both = np.array([pair, pair + 1])
    assert person.names(CONFIG, both)["last_name"].n_unique() == 1
    assert person.home(CONFIG, both, np.array([0, 500])).n_unique() == 1


def world(**totals: object) -> Handmade:
    return Handmade(CONFIG, here={4: [5, 9, 8_000]}, known={5: (4, 10_005_000, -200, 4)})


def profiles(world: Handmade, day: int) -> pl.DataFrame:
    return people.dress(world.config, people.rows_of(world, day))


def test_totals_follow_the_ledger() -> None:
    row = profiles(world(), 4).row(by_predicate=pl.col("player_id") == "P00000005", named=True)
    assert row["total_visits"] == 4
    assert row["total_theo"] == Decimal("10.01")  # 10.005 rounds half up
    assert row["total_actual_win_loss"] == Decimal("-2.00")
    assert row["average_daily_theo"] == Decimal("2.50")  # 10.01 / 4 = 2.5025
    assert row["last_visit_date"] == dt.date(2025, 1, 5)


def test_an_extract_holds_whoever_was_here_and_exactly_its_quota() -> None:
    made = profiles(world(), 4)
    assert made.height == CONFIG.quota("player_profile", 4)
    assert made["player_id"].n_unique() == made.height
    assert {"P00000005", "P00000009", "P00008000"} <= set(made["player_id"])


def test_the_refresh_comes_round_to_everybody() -> None:
    small = WorldConfig(rows={"player_profile": 3_000}, players=200, faults=NO_FAULTS)
    w = Handmade(small)
    seen = set()
    for day in range(14):
        seen |= set(people.extracted(w, day).tolist())
    assert seen == set(range(200))


def test_more_rows_than_players_are_refused() -> None:
    crowded = WorldConfig(rows={"player_profile": 30_000}, players=100, faults=NO_FAULTS)
    with pytest.raises(BadInput, match="of 100 players"):
        profiles(Handmade(crowded), 0)


@settings(max_examples=4, deadline=None)
@given(day=st.integers(0, 700), seed=st.integers(0, 2**62))
def test_profiles_keep_their_contract(day: int, seed: int) -> None:
    w = Handmade(WorldConfig(seed=seed, faults=NO_FAULTS), here={day: [1, 2, 3]})
    made = profiles(w, day)
    assert contract("player_profile").schema.is_valid(made, cast=True)
    assert not (made["self_excluded"] & made["marketing_opt_in"]).any()
    assert (made["account_status"].filter(made["self_excluded"]) == "Suspended").all()


def test_identities_are_those_of_the_profiles() -> None:
    w = world()
    day = CONFIG.date(4)
    profile, vault = profiles(w, 4), pl.concat(people.identities(w, (day, day)))
    assert contract("identity_vault").schema.is_valid(vault, cast=True)
    same = ["player_id", "first_name", "last_name", "date_of_birth", "city", "phone"]
    assert profile.select(same).equals(vault.select(same))
    pairs = pl.DataFrame({"tin": vault["tin"], "hash": profile["ssn_hash"]})
    assert pairs["tin"].is_null().equals(pairs["hash"].is_null())
    assert pairs["tin"].n_unique() == pairs["hash"].n_unique() == pairs.n_unique()
    unverified = vault.filter(~profile["identity_verified"])
    assert unverified["id_number"].null_count() == unverified.height


def test_export_shows_initials_only() -> None:
    frame = pl.DataFrame(
        {
            "first_name": ["Rita", None],
            "email": ["rita.moon1@example.com", None],
            "phone": ["702-555-0123", None],
            "loyalty_number": ["LC0000001234", "LC0000000007"],
            "address_line1": ["1 Main St", None],
            "date_of_birth": [dt.date(1970, 5, 9), None],
            "city": ["Reno", "Reno"],
        }
    )
    key = TokenKey.of(bytes(32))
    shown = protect_for_export("player_profile", frame, key)
    assert shown.schema == frame.schema
    assert shown.row(0, named=True) == {
        "first_name": "R***",
        "email": "r***@example.com",
        "phone": "***-***-0123",
        "loyalty_number": "****-****-****-1234",
        "address_line1": hmac.digest(key.field_key("address"), b"1 main st", "sha256").hex(),
        "date_of_birth": dt.date(1970, 1, 1),
        "city": "Reno",
    }
    assert shown["first_name"][1] is None
    assert shown["address_line1"][1] is None
