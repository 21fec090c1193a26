"""Checks can fail: each defect that is planted in a clean lake makes exactly the checks fail that
are to, and no check is without a defect."""

import datetime as dt
from pathlib import Path

import pytest

from benchmarks.mutations.declared import every_mutation
from benchmarks.mutations.judged import clean_lake, open_verdicts, settings_at, trials
from benchmarks.mutations.landing import landing_mutations, landing_settings, landing_trial
from benchmarks.mutations.report import declared, table, tried
from benchmarks.page import PAGE, told
from lakehouse.quality.registry import checks
from lakehouse.settings import DOMAINS, Domain, Settings

ANY_TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ON_EVERY_TABLE = {
    "contract",
    "conservation",
    "no_personal_data",
    "every_landed_file_was_read",
    "every_landed_row_is_kept",
    "rejected_share",
}
"""These are other rules on each table; any other check is one rule, and fails in each layer."""


def not_failing(settings: Settings, fails: set[str]) -> set[str]:
    """Checks that no defect makes fail."""

    def kind(address: str) -> str:
        layer, name = address.partition("/")[0], address.partition(":")[2]
        return address if name in ON_EVERY_TABLE else f"{layer}:{name}"

    every = {kind(check.address) for check in checks(settings, ANY_TIME).values()}
    return every - {kind(address) for address in fails}


HOUSES: tuple[tuple[Domain, ...], ...] = (
    ("floor",),
    ("floor", "online"),
    ("floor", "shop"),
    DOMAINS,
)


@pytest.mark.parametrize("domains", HOUSES, ids=",".join)
def test_every_check_has_a_defect(tmp_path: Path, domains: tuple[Domain, ...]) -> None:
    house = settings_at(tmp_path, domains=domains)
    fails = {check for one in every_mutation(house) for check in one.fails}
    assert not_failing(house, fails) == set()
    settings = landing_settings(tmp_path)
    landed = {check for one in landing_mutations(settings) for check in one.fails}
    assert not_failing(settings, fails | landed) == set()


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("restricted/alerts:contract", "restricted/alerts:contract"),
        ("silver/financial_txn:markers_agree", "silver:markers_agree"),
        ("silver/financial_txn:expectations", "silver:expectations"),
    ],
)
def test_a_check_without_a_defect_is_named(tmp_path: Path, lost: str, named: str) -> None:
    house = settings_at(tmp_path)
    fails = {check for one in every_mutation(house) for check in one.fails} - {lost}
    assert not_failing(house, fails) == {named}


@pytest.mark.parametrize("domains", HOUSES, ids=",".join)
def test_every_check_that_is_to_fail_is_declared(
    tmp_path: Path, domains: tuple[Domain, ...]
) -> None:
    house = settings_at(tmp_path, domains=domains)
    known = {check.address for check in checks(house, ANY_TIME).values()}
    assert {check for one in every_mutation(house) for check in one.fails} <= known


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return clean_lake(tmp_path_factory.mktemp("clean"), domains=DOMAINS)


@pytest.mark.slow
def test_exactly_the_checks_that_are_to_fail_do(clean: Settings, tmp_path: Path) -> None:
    """Of the whole house, by table, check and gaming day, as errors fail and others warn; of a
    last day nothing new is said, and nothing that was open has passed."""
    done = list(trials(clean, tmp_path, every_mutation(clean)))
    for trial in done:
        assert trial.found == trial.wanted
    assert sorted(tried(done), key=str) == sorted(
        ((d, h, f, tuple(sorted(f))) for d, h, f, _ in declared(clean)), key=str
    )


@pytest.mark.slow
def test_exactly_the_checks_of_what_lands_fail(tmp_path: Path) -> None:
    wanted, found = landing_trial(tmp_path)
    assert found == wanted


def test_the_page_shows_the_declared_defects() -> None:
    assert told(PAGE, "mutations") == table(declared(Settings(domains=DOMAINS)))


@pytest.mark.slow
def test_the_clean_lake_has_nothing_open_but_what_is_known(clean: Settings) -> None:
    """One warning of a small casino: a sum of few games on one denomination. In particular no
    table with history is odd on its newest day, on which no version has ended."""
    known = ("gold/slot_performance:hold_is_inside_its_interval", dt.date(2025, 1, 20))
    assert set(open_verdicts(clean)) == {known}
