"""Files as rows: every format, and which damage costs which row."""

import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest
import zstandard

from lakehouse.ingest.files import records
from lakehouse.ingest.files.byte_blocks import UnreadableFile, text_blocks
from lakehouse.ingest.files.delimited import csv_pieces, read_header, sniff_delimiter
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.parquet_rows import parquet_pieces
from lakehouse.ingest.files.rows import LINE


def csv_rows(content: bytes, size: int = 1000) -> tuple[list[tuple], list[tuple]]:
    """Rows and damaged rows of a CSV file that comes in blocks of `size` bytes."""
    blocks = iter([content[i : i + size] for i in range(0, len(content), size)])
    header, rest, line = read_header(blocks, Mapping(), ["a", "b", "c"])
    good, bad = [], []
    for piece in csv_pieces(rest, header, line):
        good += piece.frame.select(LINE, *header.columns).rows()
        bad += piece.damaged.select(LINE, "_rule", "_raw").rows()
    return good, bad


CSV = [
    (b"a,b,c\n1,2,3\n", [(2, "1", "2", "3")], []),
    (b"a,b,c\n1,2,3", [(2, "1", "2", "3")], []),  # no end of line at the end
    (b"a;b;c\r\n1;;3\r\n", [(2, "1", None, "3")], []),
    (b"\n\na\tb\tc\n\n1\t2\t3\n\n", [(5, "1", "2", "3")], []),  # blank lines are no rows
    (b'a|b|c\n1|"x|""y"""|3\n', [(2, "1", 'x|"y"', "3")], []),
    (b'a,b,c\n1,"x\ny",3\n4,5,6\n', [(2, "1", "x\ny", "3"), (4, "4", "5", "6")], []),
    (b"a,b,c\n", [], []),
    (b"a,b,c\n1,2\n4,5,6\n", [(3, "4", "5", "6")], [(2, "_row|too_few_fields", "1,2")]),
    (
        # One field too few and one too many are right in total only.
        b"a,b,c\n4,5,6\n1,2\n1,2,3,4\n",
        [(2, "4", "5", "6")],
        [(3, "_row|too_few_fields", "1,2"), (4, "_row|too_many_fields", "1,2,3,4")],
    ),
    (b"a,b,c\n1,2,3,4\n4,5,6\n", [(3, "4", "5", "6")], [(2, "_row|too_many_fields", "1,2,3,4")]),
    (
        b'a,b,c\n1,5" x,3\n4,5,6\n',
        [(3, "4", "5", "6")],
        [(2, "_row|unbalanced_quotes", '1,5" x,3')],
    ),
    (b'a,b,c\n1,"x,3\n4,5,6\n', [(3, "4", "5", "6")], [(2, "_row|unbalanced_quotes", '1,"x,3')]),
    (
        # A lost opening and a lost closing quote would together swallow the row between them.
        b'a,b,c\n1,"x,3\n4,5,6\n7,y",9\n1,2,3\n',
        [(3, "4", "5", "6"), (5, "1", "2", "3")],
        [(2, "_row|unbalanced_quotes", '1,"x,3'), (4, "_row|unbalanced_quotes", '7,y",9')],
    ),
    (b"a,b,c\n1,\xff,3\n4,5,6\n", [(3, "4", "5", "6")], [(2, "_row|not_utf8", "1,\\xff,3")]),
    (b"a,b,c\n1,\0,3\n4,5,6\n", [(3, "4", "5", "6")], [(2, "_row|null_character", "1,\0,3")]),
]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("content", "good", "bad"), CSV)
def test_a_damaged_row_costs_itself_alone(
    content: bytes, good: list[tuple], bad: list[tuple], size: int
) -> None:
    assert csv_rows(content, size) == (good, bad)


def test_windows_of_any_size_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f'{i},"t{i}\nu{i}",{i}\n' if i % 3 else f'{i},"t{i},{i}\n' for i in range(300)]
    content = ("a,b,c\n" + "".join(rows)).encode()
    whole = csv_rows(content, 10**6)
    for name, size in (("_SMALLEST_WINDOW", 64), ("WINDOW", 256), ("_UNCLOSED", 32)):
        monkeypatch.setattr(records, name, size)
    assert csv_rows(content, 50) == whole
    assert len(whole[0]) == 200


def test_a_quote_that_never_closes_costs_one_row() -> None:
    rows = "".join(f"{i},x,y\n" for i in range(200_000))
    good, bad = csv_rows(f'a,b,c\n1,"x,y\n{rows}'.encode(), 2**20)
    assert (len(good), bad) == (200_000, [(2, "_row|unbalanced_quotes", '1,"x,y')])


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b,c", ","), ("a;b;c", ";"), ("a\tb", "\t"), ("x|y, z|w", "|"), ("a;x,y;b", ";")],
)
def test_the_delimiter_is_the_one_that_tells_known_columns_apart(line: str, delimiter: str) -> None:
    assert sniff_delimiter(line, ["a", "b", "c"]) == delimiter


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a,a#1,a\n1,2,3\n", "names columns 1, 2 alike"), (b"a,\xff\n1,2\n", "not UTF-8")],
)
def test_a_header_that_cannot_be_trusted_rejects_the_file(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        csv_rows(content)


JSON = [
    ('[{"a": 1.10, "b": null}, {"a": "x"}]', [(1, "1.10", None), (1, "x", None)], []),
    (
        '{"a": 1, "b": true}\n{"a": 20000000000000000001}\n',
        [(1, "1", "true"), (2, "20000000000000000001", None)],
        [],
    ),
    (
        '[\n {"a": 1,\n  "b": {"c": [2]}},\n {"a": 3}\n]',
        [(2, "1", '{"c": ["2"]}'), (4, "3", None)],
        [],
    ),
    (
        '[{"a": 1}, {"a": tru}, {"a": 3}]',
        [(1, "1", None), (1, "3", None)],
        [(1, "_row|not_json", '{"a": tru},')],
    ),
    (
        '{"a": 1}\n{"a": "x\n{"a": 3}\n',
        [(1, "1", None), (3, "3", None)],
        [(2, "_row|not_json", '{"a": "x')],
    ),
    ('{"a": 1}\n5\n{"a": 3}', [(1, "1", None), (3, "3", None)], [(2, "_row|not_an_object", "5")]),
    ('[{"a": 1}, {"b":', [(1, "1", None)], [(1, "_row|not_json", '{"b":')]),  # cut off
    ('{"a": "\\ud800"}\n{"a": 1}', [(2, "1", None)], [(1, "_row|not_utf8", '{"a": "\\ud800"}')]),
    ("[]", [], []),
    (
        '{"a": 1, "a": 2}\n{"a": 3}',
        [(2, "3", None)],
        [(1, "_row|field_named_twice", '{"a": 1, "a": 2}')],
    ),
]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(("content", "good", "bad"), JSON)
def test_a_damaged_json_value_costs_itself_alone(
    content: str, good: list[tuple], bad: list[tuple], size: int
) -> None:
    raw = content.encode()
    pieces = list(json_pieces(iter([raw[i : i + size] for i in range(0, len(raw), size)])))
    found, damaged = [], []
    for piece in pieces:
        both = piece.frame.with_columns(
            pl.lit(None, pl.String).alias(n) for n in "ab" if n not in piece.frame.columns
        )
        found += both.select(LINE, "a", "b").rows()
        damaged += piece.damaged.select(LINE, "_rule", "_raw").rows()
    assert (found, damaged) == (good, bad)


def test_parquet_comes_as_text_with_its_types_told(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "money": pl.Series(["10.50"]).cast(pl.Decimal(18, 4)),
            "at": pl.Series(["2025-01-05T12:00:00"]).str.to_datetime(time_zone="America/Denver"),
            "naive": pl.Series(["2025-01-05T12:00:00"]).str.to_datetime(),
            "flag": [True],
            "parts": [[1, 2]],
        }
    )
    frame.write_parquet(tmp_path / "x.parquet")
    (piece,) = parquet_pieces(tmp_path / "x.parquet", "none")
    assert piece.frame.row(0) == (
        "10.5000",
        "2025-01-05T19:00:00.000000Z",
        "2025-01-05T12:00:00.000000",
        "true",
        "[1, 2]",
        1,
    )


PLAIN = b"a,b\n1,\xc3\xa9\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", PLAIN),
        ("x.csv", b"\xef\xbb\xbf" + PLAIN),
        ("x.csv", PLAIN.decode().encode("utf-16")),
        ("x.csv", PLAIN.decode().encode("utf-16-le")),
        ("x.csv", PLAIN.decode().encode("utf-16-be")),
        ("x.csv", PLAIN.replace(b"\n", b"\r")),
        ("x", PLAIN),
        ("x.CSV.GZ", gzip.compress(PLAIN, mtime=0)),
        ("x.csv.gz", gzip.compress(PLAIN[:4], mtime=0) + gzip.compress(PLAIN[4:], mtime=0)),
        ("x.csv.zst", zstandard.compress(PLAIN)),
        ("x.tsv.zstd", zstandard.compress(PLAIN)),
    ],
)
def test_any_packing_gives_the_same_text(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = inspect(path)
    assert found.form == "csv"
    assert b"".join(text_blocks(path, found.compression, found.encoding)) == PLAIN


def parquet_bytes() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"a": range(1000)}).write_parquet(out)
    return out.getvalue()


REJECTED = [
    ("x.csv", b"", "is empty"),
    ("x.csv", b" \n\n", "is empty"),
    ("x.csv.gz", gzip.compress(PLAIN * 100, mtime=0)[:-9], "cannot be read as gzip"),
    ("x.csv.gz", PLAIN, "cannot be read as gzip"),
    ("x.csv.zst", zstandard.compress(PLAIN * 1000)[:-3], "cannot be read as zstd"),
    ("x.csv", gzip.compress(PLAIN, mtime=0), "holds gzip"),
    ("x.csv.gz", gzip.compress(gzip.compress(PLAIN, mtime=0)), "compressed twice"),
    ("x.parquet", PLAIN, "is named parquet but holds csv"),
    ("x.csv", parquet_bytes(), "is named csv but holds parquet"),
    ("x.csv", json.dumps([{"a": 1}]).encode(), "is named csv but holds json"),
    ("x.parquet", parquet_bytes()[:-20], "is damaged Parquet"),
    ("x.xlsx", b"PK\x03\x04....", "an Excel workbook"),
    ("x.csv", b"\0\0\0\x01ab" * 500, "is binary"),
    ("x.csv", PLAIN + "1,é\n".encode("cp1252") * 9, "mixes encodings"),
    ("x.csv", PLAIN.decode().encode("utf-16") + b"1", "is not utf-16 throughout"),
    ("x.csv", b"a,b\n1," + b"x" * (17 * 2**20), "has a row longer than 16 MiB"),
]


@pytest.mark.parametrize(("name", "content", "said"), REJECTED, ids=[r[2] for r in REJECTED])
def test_a_file_that_cannot_be_trusted_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=said):
        inspect(path)


def test_a_zip_bomb_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"0,0\n" * (40 * 2**20), 9))
    with pytest.raises(UnreadableFile, match="zip bomb"):
        inspect(path)


def test_one_damaged_character_does_not_reject_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(PLAIN * 100 + b"1,\xff\n")
    assert inspect(path).encoding == "utf-8"
