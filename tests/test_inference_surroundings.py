"""What stands around the rows of a foreign file is proposed, and a file read by it is whole."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import BadInput
from lakehouse.ingest.files.inference import Proposal, infer
from tests.landed import CAGE, bronze, drop, lake_at, mapped, take_in

ZONE = "America/Los_Angeles"
HEADER = "Buchungstag;Uhrzeit;Kundennr;Betrag;Beleg"
ROWS = [f"{n:02d}.01.25;12:{n:02d};K{n % 5};{n}.100,50;B{n:04d}" for n in range(1, 29)]


def proposed(path: Path, text: str, table: str | None = None) -> tuple[Proposal, dict[str, Any]]:
    path.write_text(text)
    found = infer(path, table, timezone=ZONE)
    return found, tomllib.loads(found.toml)


@pytest.mark.parametrize(
    ("above", "below", "said"),
    [
        (["Kontoauszug", "Zeitraum;01.01.25", ""], [], {"starts_at": "Buchungstag"}),
        ([], ["Summe;;;406.000,00;"], {"ends_at": "Summe"}),
        (["Export 5"], ["Total: 28", "gedruckt"], {"starts_at": "Buchungstag", "ends_at": "Total"}),
        (["Buchungstag von heute", "x"], [], {"skip_rows": 2}),
        ([], [], {}),
        ([], ["29.01.25;12:29;K1;1,00;Summe"], {}),
    ],
)
def test_lines_around_a_table_are_left_out(
    tmp_path: Path, above: list[str], below: list[str], said: dict[str, object]
) -> None:
    text = "\n".join([*above, HEADER, *ROWS, *below]) + "\n"
    _, mapping = proposed(tmp_path / "bank.csv", text, CAGE)
    entries = ("starts_at", "starts_after", "skip_rows", "ends_at")
    assert {k: mapping[k] for k in entries if k in mapping} == said
    assert mapping["columns"]["amount"] == {"from": "Betrag"}


def test_a_header_with_a_name_too_few_is_no_line_above_the_table(tmp_path: Path) -> None:
    text = "\n".join([HEADER.rpartition(";")[0], *ROWS])
    path = tmp_path / "bank.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match="no rows to look at"):
        infer(path, CAGE, timezone=ZONE)


def test_a_statement_is_landed_by_what_is_proposed(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    text = "\n".join(["Kontoauszug", "", HEADER, *ROWS, "Summe;;;406.000,00;"]) + "\n"
    found, _ = proposed(tmp_path / "bank.csv", text, CAGE)
    mapped(lake, found.toml)
    drop(lake, f"{CAGE}/bank.csv", text)
    (done,) = take_in(lake, settings).outcomes
    assert (done.state, done.bronze_rows, done.quarantine_rows) == ("ingested", 28, 0)
    assert len(bronze(lake, "amount")) == 28


def test_values_inside_objects_are_columns_by_their_paths(tmp_path: Path) -> None:
    rows = [
        {"round": {"id": f"r{n}", "at": 1736100000000 + n}, "user": {"id": f"u{n % 7}"}, "bet": n}
        for n in range(1, 60)
    ]
    _, mapping = proposed(tmp_path / "a.ndjson", "\n".join(map(json.dumps, rows)), "slot_telemetry")
    columns = mapping["columns"]
    assert columns["event_id"] == {"from": "round.id"}
    assert columns["event_timestamp"] == {"from": "round.at", "format": "epoch_ms"}
    assert columns["player_id"] == {"from": "user.id"}
    assert "rows" not in mapping


def test_a_list_in_one_object_is_the_table_and_lists_in_rows_are_told(tmp_path: Path) -> None:
    bets = [{"id": f"b{n}", "ts": f"2025-01-05T12:{n:02d}:00Z", "stake": n} for n in range(1, 9)]
    whole = {"meta": {"of": "x"}, "data": {"bets": bets}}
    _, mapping = proposed(tmp_path / "a.json", json.dumps(whole), "slot_telemetry")
    assert mapping["rows"] == "data.bets"
    assert mapping["columns"]["event_id"] == {"from": "data.bets.id"}
    slips = [{"id": f"s{n}", "ts": bets[n]["ts"], "bets": bets[:2]} for n in range(3)]
    found, mapping = proposed(tmp_path / "b.json", json.dumps(slips), "slot_telemetry")
    assert "rows" not in mapping
    assert any("rows hold a list at 'bets'" in said for said in found.unmatched)
