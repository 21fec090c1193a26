"""Malformed files made out of good ones, by counter-based choices: no random state."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
import zstandard

from tests.foreign_forms import ENCODINGS, FOREIGN, TOTAL

ROWS = 12
COLUMNS = ("transaction_id", "transaction_timestamp", "amount", "notes")
BEGINS, ENDS = "transaction_id", "== end"
NESTED: dict[str, object] = {
    "rows": "slip.bets",
    "columns": {
        "transaction_timestamp": {"from": "at"},
        **{n: {"from": f"slip.bets.{n}"} for n in ("transaction_id", "amount", "notes")},
    },
}
MAPPINGS: dict[str, dict[str, object]] = {
    **{form: {} for form in ("csv", "csv.gz", "csv.zst", "ndjson", "json", "parquet")},
    "framed.csv": {"starts_at": BEGINS, "ends_at": ENDS},
    "bare.csv": {"names": COLUMNS},
    "wrapped.csv": {"quoted_lines": True},
    "twice.csv": {"columns": {"notes": {"from": "notes#2"}, "amount": {"from": "#3"}}},
    "cp1252.csv": {"encoding": "cp1252"},
    "nested.ndjson": NESTED,
    "nested.json": NESTED,
    **{form: {} for form in ("quoted.csv", "flat.ndjson", "lines.json")},
    **{form: mapping for form, (_, mapping) in FOREIGN.items()},
}
"""Form → the mapping that files of it need."""
FORMS = tuple(MAPPINGS)
INSERTED = (
    b'"',
    b",",
    b"\n",
    b"\0",
    b"\xff",
    b"{",
    b"}",
    b"\r",
    b"\\",
    b"9" * 400,
    b"\xef\xbb\xbf",
)


@dataclass(frozen=True)
class Malformed:
    """A file in one of the FORMS."""

    name: str
    content: bytes
    form: str


def marker(number: int, row: int) -> str:
    return f"K{number:05d}x{row:02d}"


def good_rows(number: int) -> list[dict[str, str]]:
    return [
        {
            "transaction_id": marker(number, row),
            "transaction_timestamp": f"2025-01-{1 + row % 3:02d}T12:{row:02d}:00-08:00",
            "amount": f"{row}.{row:02d}",
            "notes": f'said "{row}", twice\nand left' if row % 4 == 0 else f"note {row}",
        }
        for row in range(ROWS)
    ]


class Choices:
    """Numbers that follow from a seed and how many were drawn."""

    def __init__(self, seed: int) -> None:
        self._seed, self._drawn = seed, 0

    def below(self, bound: int) -> int:
        self._drawn += 1
        digest = hashlib.blake2b(f"{self._seed}:{self._drawn}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % max(bound, 1)


def malformed(number: int) -> Malformed:
    """The number-th malformed file."""
    choose = Choices(number)
    form = FORMS[number % len(FORMS)]
    packed_damage = form in ("csv.gz", "csv.zst", "parquet") and choose.below(2) == 0
    content = _plain(form, good_rows(number))
    for _ in range(1 + choose.below(3)):
        if not packed_damage and form != "parquet":
            content = _damaged(content, choose)
    content = _packed(form, content)
    if packed_damage:
        content = _damaged(content, choose)
    return Malformed(f"f{number:05d}.{form}", content, form)


def plain_text(form: str, content: bytes) -> bytes:
    """What a reader of the file could see of its rows, as bytes; empty where it cannot be
    unpacked. A mark that the header's line took in is no row."""
    try:
        if form == "csv.gz":
            content = gzip.decompress(content)
        if form == "csv.zst":
            content = zstandard.ZstdDecompressor().decompress(content, max_output_size=2**22)
    except (OSError, EOFError, zstandard.ZstdError, ValueError):
        return b""
    if form == "parquet":
        return b""
    if form == "framed.csv":
        return _framed_part(content)
    if form == "reported.csv":
        return _reported_part(content)
    if form in ENCODINGS:
        content = content.decode(ENCODINGS[form], errors="replace").encode()
    if "csv" in form and form != "bare.csv":
        return content.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[2]
    return content


def _framed_part(content: bytes) -> bytes:
    """Of lines between the header and the first that ends the table, where both are there."""
    lines = [line.lstrip(b' \t"') for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    begins = [i for i, line in enumerate(lines) if line.startswith(BEGINS.encode())]
    ends = [i for i, line in enumerate(lines) if line.startswith(ENDS.encode())]
    after = [i for i in ends if begins and i > begins[0]]
    return b"\n".join(lines[begins[0] + 1 : after[0]]) if after else b""


def _reported_part(content: bytes) -> bytes:
    """Of lines after the third, up to the first that ends the table, where one does."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[3:]
    total = [i for i, line in enumerate(lines) if line.lstrip(b' \t"').startswith(TOTAL.encode())]
    return b"\n".join(lines[: total[0]]) if total else b""


def _plain(form: str, rows: list[dict[str, str]]) -> bytes:
    frame = pl.DataFrame(rows)
    if form in FOREIGN:
        return FOREIGN[form][0](rows)
    if form in SHAPED:
        return SHAPED[form](frame.write_csv(), rows)
    if form.startswith("csv"):
        return frame.write_csv().encode()
    if form == "ndjson":
        return "".join(json.dumps(r) + "\n" for r in rows).encode()
    if form == "json":
        return json.dumps(rows, indent=1).encode()
    out = io.BytesIO()
    frame.write_parquet(out, compression="uncompressed")
    return out.getvalue()


def _wrapped(text: str, _: object) -> bytes:
    whole = text.replace("\nand", " and")
    return "".join('"' + x.replace('"', '""') + '"\n' for x in whole.splitlines()).encode()


def _twice(_: object, rows: list[dict[str, str]]) -> bytes:
    body = [f"{r['transaction_id']},{r['transaction_timestamp']},{r['amount']},x,y" for r in rows]
    return "\n".join([",".join((*COLUMNS, "notes")), *body, ""]).encode()


def _slips(rows: list[dict[str, str]]) -> list[dict[str, object]]:
    threes = [rows[i : i + 3] for i in range(0, len(rows), 3)]
    return [{"at": t[0]["transaction_timestamp"], "slip": {"bets": t}} for t in threes]


def _quoted(_: object, rows: list[dict[str, str]]) -> bytes:
    return pl.DataFrame(rows).write_csv(quote_style="always").encode()


def _flat(rows: list[dict[str, str]]) -> list[str]:
    """Objects on a line each, of two shapes; nothing is escaped in most of them."""
    plain = [r | {"notes": r["notes"].replace('"', "").replace("\n", " ")} for r in rows]
    some = [{n: v for n, v in r.items() if i % 4 or n != "notes"} for i, r in enumerate(plain)]
    return [
        json.dumps(r if i % 5 == 1 else s) for i, (r, s) in enumerate(zip(rows, some, strict=True))
    ]


SHAPED: dict[str, Callable[[str, list[dict[str, str]]], bytes]] = {
    "framed.csv": lambda t, _: f"Report\nof,the,day\n\n{t}{ENDS}\nTotal,1.00\n".encode(),
    "bare.csv": lambda t, _: t.partition("\n")[2].encode(),
    "wrapped.csv": _wrapped,
    "twice.csv": _twice,
    "cp1252.csv": lambda t, _: t.replace("note", "Geb\u00fchr").encode("cp1252"),
    "nested.ndjson": lambda _, rows: "".join(json.dumps(r) + "\n" for r in _slips(rows)).encode(),
    "quoted.csv": _quoted,
    "flat.ndjson": lambda _, rows: "".join(f"{line}\r\n" for line in _flat(rows)).encode(),
    "lines.json": lambda _, rows: ("[\n" + ",\n".join(_flat(rows)) + "\n]").encode(),
    "nested.json": lambda _, rows: json.dumps(_slips(rows), indent=1).encode(),
}


def _packed(form: str, content: bytes) -> bytes:
    if form == "csv.gz":
        return gzip.compress(content, mtime=0)
    if form == "csv.zst":
        return zstandard.compress(content)
    return content


def _damaged(content: bytes, choose: Choices) -> bytes:
    kind, at = choose.below(6), choose.below(len(content))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + INSERTED[choose.below(len(INSERTED))] + content[at:]
    if kind == 2:
        return content[:at] + content[at + 1 + choose.below(30) :]
    if kind == 3:
        return content[:at] + bytes([choose.below(256)]) + content[at + 1 :]
    if kind == 4:
        end = at + choose.below(200)
        return content[:end] + content[at:end] + content[end:]
    return content[:at] + bytes(choose.below(256) for _ in range(8)) + content[at:]
