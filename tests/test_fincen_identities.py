"""Captured identities on their way into the vault."""

from pathlib import Path

import pytest
from filing_lake import make

from lakehouse.cli import run
from lakehouse.storage import Lake


@pytest.fixture
def lake(tmp_path, monkeypatch) -> Lake:
    make(str(tmp_path / "lake"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake"))


HEADER = "player_id,first_name,tin,tin_type,gaming_day\n"


def test_captures_are_added_and_replaced_by_player_and_day(lake, capsys) -> None:
    Path("i.csv").write_text(HEADER + "P1,Kim,900000007,SSN_ITIN,2026-11-18\n P9,,,,2026-11-17\n")
    assert run(["filings", "identities", "i.csv"]) == 0
    rows = lake.scan("restricted", "identity_vault").sort("player_id").collect()
    assert rows.select("player_id", "first_name", "tin").rows() == [
        ("P1", "Kim", "900000007"),
        ("P2", "Pat", "900000002"),
        ("P3", "Pat", None),
        ("P9", None, None),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER + "P1,Kim,12345,SSN_ITIN,2026-11-18\n", "1 of 1 rows break tin|regex (1)"),
        (HEADER + "P1,Kim,,LETTER,2026-11-18\n", "1 of 1 rows break tin_type"),
        (HEADER + "P1,Kim,,,18.11.2026\n", "1 rows have no day in gaming_day"),
        (HEADER + "P1,,,,2026-11-18\nP1,,,,2026-11-18\n", "2 of 2 rows break primary_key"),
        ("player_id,shoe_size\nP1,44\n", "unknown columns shoe_size"),
        ("player_id\nP1\n", "lacks gaming_day"),
        (HEADER, "no identity to take in"),
    ],
)
def test_a_bad_file_changes_nothing(lake, capsys, content, said) -> None:
    before = lake.version("restricted", "identity_vault")
    Path("i.csv").write_text(content)
    assert run(["filings", "identities", "i.csv"]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert "12345" not in message
    assert lake.version("restricted", "identity_vault") == before
