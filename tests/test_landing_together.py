"""Rows that are read together, for speed: the same rows as one by one, and no more work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from lakehouse.contracts import contract, registry
from lakehouse.ingest.files import column_typing, json_rows, records
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.delimited import csv_pieces, read_header
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.row_typing import judge
from lakehouse.ingest.files.rows import LINE, Piece

CAGE = contract("financial_txn")
MOMENT = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
ORIGIN = Origin(CAGE, Mapping(), "cage", MOMENT.date(), MOMENT, "America/Los_Angeles")
LINES = [
    (
        '{"a": 1.10, "b": "x"}\n{"a": 0.00, "b": null}\n{"a": -1e5, "b": true}\n',
        [(1, "1.10", "x"), (2, "0.00", None), (3, "-1e5", "true")],
        [],
    ),
    # A text that reads null is a text; an empty one is there.
    ('{"a":"null","b":""}\r\n{"a":null,"b":"2"}\r\n', [(1, "null", ""), (2, None, "2")], []),
    # What stands between fields may stand inside a text.
    (
        '{"a": "x, ", "b": "},{"}\n{"a": ":5, ", "b": ", "}\n',
        [(1, "x, ", "},{"), (2, ":5, ", ", ")],
        [],
    ),
    ('[\n  {"a": 1, "b": 2},\n  {"a": 3, "b": 4}\n]\n', [(2, "1", "2"), (3, "3", "4")], []),
    # Fields in another order, one less, and one more than the others have.
    (
        '{"a": 1, "b": 2}\n{"b": 3, "a": 4}\n{"b": 5}\n{"a": 6, "b": 7, "c": 8}\n{"a": 9, "b": 0}',
        [(1, "1", "2"), (2, "4", "3"), (3, None, "5"), (4, "6", "7"), (5, "9", "0")],
        [],
    ),
    # An escape, a nested value and a number that JSON has not: decoded alone, in their places.
    (
        '{"a": 1, "b": 2}\n{"a": "\\u0041", "b": 3}\n{"a": 2, "b": [4]}\n{"a": 3, "b": 5}\n',
        [(1, "1", "2"), (2, "A", "3"), (3, "2", '["4"]'), (4, "3", "5")],
        [],
    ),
    # A line that looks like a row, inside an object that spans lines, is none.
    (
        '{"a": 1, "b": 2}\n{"a": 5, "b":\n{"a": 3, "b": 4}\n}\n{"a": 6, "b": 7}\n',
        [(1, "1", "2"), (2, "5", '{"a": "3", "b": "4"}'), (5, "6", "7")],
        [],
    ),
    # Damage costs its line alone: cut off, run on, a bare word, a leading zero, a field twice.
    *(
        (
            f'{{"a": 1, "b": 2}}\n{damaged}\n{{"a": 3, "b": 4}}\n',
            [(1, "1", "2"), (3, "3", "4")],
            [(2, f"_row|{rule}", damaged)],
        )
        for damaged, rule in (
            ('{"a": 5, "b":', "not_json"),
            ('{"a": 5, "b": x}', "not_json"),
            ('{"a": 05, "b": 6}', "not_json"),
            ('{"a": "5\t", "b": 6}', "not_json"),
            ('{"a": 5, "a": 6}', "field_named_twice"),
        )
    ),
    (
        '{"a": 1, "b": 2}\n{"a": 5, "b": 6} 7\n{"a": 3, "b": 4}\n',
        [(1, "1", "2"), (2, "5", "6"), (3, "3", "4")],
        [(2, "_row|not_an_object", "7")],
    ),
]


def told(pieces: list[Piece]) -> tuple[list[Any], list[Any]]:
    good, bad = [], []
    for piece in pieces:
        lacking = [n for n in "ab" if n not in piece.frame.columns]
        frame = piece.frame.with_columns(pl.lit(None, pl.String).alias(n) for n in lacking)
        good += frame.select(LINE, "a", "b").rows()
        bad += piece.damaged.select(LINE, "_rule", "_raw").rows()
    return good, bad


@pytest.mark.parametrize("rows", [2, 20_000])
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("content", "good", "bad"), LINES)
def test_lines_of_json_are_the_objects_that_they_are(
    content: str,
    good: list[Any],
    bad: list[Any],
    size: int,
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_rows, "PIECE_ROWS", rows)
    raw = content.encode()
    pieces = list(json_pieces(iter([raw[i : i + size] for i in range(0, len(raw), size)])))
    assert told(pieces) == (good, bad)
    if rows == 2:
        assert all(p.frame.height + p.damaged.height <= rows for p in pieces)


def test_a_row_that_was_read_with_others_has_its_own_text() -> None:
    content = b'[\n{"a": 1, "b": 2},\n{"a": "\\n", "b": 3},\n {"a": 4, "b": 5}\r\n]'
    (piece,) = json_pieces(iter([content]))
    rows = ['{"a": 1, "b": 2}', r'{"a": "\n", "b": 3}', '{"a": 4, "b": 5}']
    assert piece.raw([2, 0, 1]) == [rows[2], rows[0], rows[1]]


def counted(target: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    function: Callable[..., Any] = getattr(target, name)

    def noted(*given: Any, **named: Any) -> Any:
        calls.append(name)
        return function(*given, **named)

    monkeypatch.setattr(target, name, noted)
    return calls


def test_flat_objects_are_not_decoded_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'{{"a": {n}, "b": "x"}}' for n in range(1000)]
    lines[500] = '{"a": "\\n", "b": "x"}'
    calls = counted(json_rows, "_decoded", monkeypatch)
    (piece,) = json_pieces(iter(["\n".join(lines).encode()]))
    assert piece.frame.height == 1000
    assert len(calls) == 1


def test_quotes_are_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = '"1","x, ""y""",""\r\n' * 1000
    calls = counted(records, "_misplaced_quote", monkeypatch)
    header, rest, line = read_header(iter([b"a,b,c\n", rows.encode()]), Mapping(), "abc")
    frame = pl.concat(p.frame for p in csv_pieces(rest, header, line))
    assert set(frame.select("a", "b", "c").rows()) == {("1", 'x, "y"', "")}
    assert frame[LINE].to_list() == list(range(2, 1002))
    assert calls == []


def piece_of(rows: int, **columns: str) -> Piece:
    frame = pl.DataFrame({n: [v] * rows for n, v in columns.items()}).with_row_index(LINE)
    return Piece(frame.cast({LINE: pl.Int64}), json_rows.damaged_rows([], [], []), lambda _: [])


def test_quoted_blanks_are_nothing_and_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(column_typing, "typed_column", monkeypatch)
    given = {"transaction_id": "t", "transaction_timestamp": "2025-01-05T20:00:00Z"}
    piece = piece_of(3, **given, amount="", notes="")
    mixed = piece.frame.with_columns(amount=pl.Series(["1.25", "", "0.75"]))
    good = judge(Piece(mixed, piece.damaged, piece.raw), ORIGIN).good
    assert good["amount"].to_list() == [Decimal("1.25"), None, Decimal("0.75")]
    assert calls == []


def test_the_types_of_a_table_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"transaction_id": "t", "transaction_timestamp": "2025-01-05T20:00:00Z"}
    piece = piece_of(3, **given)
    judge(piece, ORIGIN)
    calls = counted(registry, "stored_type", monkeypatch)
    judge(piece, ORIGIN)
    assert calls == []
    mine = CAGE.bronze_schema()
    mine.pop("amount")
    assert "amount" in CAGE.bronze_schema()
