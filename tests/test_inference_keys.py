"""What --infer says of keys of several columns, and of patrons whom nobody knows."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.ingest.files.inference import Proposal, infer
from lakehouse.ingest.files.mapping import checked_mapping

NAMES = ("Ann", "Bo", "Cy")
KNOWN = ("player_profile", "player_id")


def proposed(folder: Path, rows: Iterable[str], *known: str) -> Proposal:
    path = folder / "x.csv"
    path.write_text("\n".join(rows) + "\n")
    given = {KNOWN: frozenset(known)} if known else {}
    return infer(path, "financial_txn", timezone="America/Los_Angeles", known=given)


def key_of(found: Proposal) -> dict[str, Any]:
    rule: dict[str, Any] = tomllib.loads(found.toml)["columns"]["transaction_id"]
    return rule


def slips(windows: int = 1) -> list[str]:
    """Slips are numbered anew each day, or each day at every window."""
    return ["Day,Window,Slip,Amount"] + [
        f"2025-01-{day:02},W{window},{slip:04},{slip % 7}.50"
        for day in range(1, 13)
        for window in range(1, windows + 1)
        for slip in range(1, 16)
    ]


def test_two_columns_that_tell_each_row_are_the_key(tmp_path: Path) -> None:
    """180 rows: of 16,110 pairs 1 in 12 is of one day, and 1 in 15 of one slip: 89.5."""
    found = proposed(tmp_path, slips())
    assert key_of(found) == {"value": "key(Day, Slip)"}
    assert (
        "# transaction_id: likely (0.85), from 'Day' and 'Slip': no column comes once; 'Day' and "
        "'Slip' together do in all 180 rows of the sample, where chance would have 90 pairs of "
        "rows alike"
    ) in found.toml
    assert "no column of financial_txn for 'Slip'" not in found.unmatched


def test_three_where_no_two_do(tmp_path: Path) -> None:
    assert key_of(proposed(tmp_path, slips(3))) == {"value": "key(Day, Window, Slip)"}


def test_what_may_be_unique_by_chance_is_no_key(tmp_path: Path) -> None:
    """20 rows of 10 days, each twice, and of 19 numbers: of 190 pairs one is alike by chance."""
    rows = [f"2025-01-{1 + n % 10:02},{n % 19:04},{n}.50" for n in range(20)]
    assert key_of(proposed(tmp_path, ["Day,Slip,Amount", *rows])) == {"value": "row_key()"}


def test_a_column_that_comes_once_stays_the_key(tmp_path: Path) -> None:
    head, *rows = slips()
    numbered = [f"{head},Transaction ID", *(f"{r},{70000 + n}" for n, r in enumerate(rows))]
    assert key_of(proposed(tmp_path, numbered)) == {"from": "Transaction ID"}


PATRONS = ["transaction_id,transaction_timestamp,player_id,amount,First name,Born,Country"] + [
    f"T{n},2025-01-05T12:{n:02}:00Z,P{n % 10},{n}.25,{NAMES[n % 3]},19{60 + n % 30}-02-01,US"
    for n in range(40)
]


def test_who_is_unknown_is_told_with_what_makes_profiles_of_them(tmp_path: Path) -> None:
    found = proposed(tmp_path, PATRONS, "P1", "P2")
    said = found.toml[found.toml.index("# of 10 patrons") :]
    assert said.startswith("# of 10 patrons in the sample 8 have no profile here")
    assert '# financial_txn = "create_minimal"' in said
    assert all(line.startswith("#") for line in said.strip().splitlines())
    at = said.index("[patron.")
    live = "\n".join(line.removeprefix("# ") for line in said[at:].splitlines() if ": " not in line)
    told = tomllib.loads(live)["patron"]
    assert told == {
        "first_name": {"from": "First name"},
        "date_of_birth": {"from": "Born"},
        "country": {"from": "Country"},
    }
    checked_mapping({"patron": told}, "financial_txn", "said")


@pytest.mark.parametrize("known", [range(10), range(6)])
def test_where_most_are_known_nothing_is_said(tmp_path: Path, known: range) -> None:
    found = proposed(tmp_path, PATRONS, *(f"P{n}" for n in known))
    assert "create_minimal" not in found.toml


def test_a_file_that_names_nobody_is_told_nothing(tmp_path: Path) -> None:
    assert "create_minimal" not in proposed(tmp_path, slips()).toml
