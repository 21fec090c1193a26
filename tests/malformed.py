"""Malformed files made out of good ones, by counter-based choices: no random state."""

import gzip
import hashlib
import io
import json
from dataclasses import dataclass

import polars as pl
import zstandard

ROWS = 12
FORMS = ("csv", "csv.gz", "csv.zst", "ndjson", "json", "parquet")
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
    """A file, and the keys of rows that its damage left in one piece, as far as known."""

    name: str
    content: bytes


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
    return Malformed(f"f{number:05d}.{form}", content)


def plain_text(form: str, content: bytes) -> bytes:
    """What a reader of the file could see of it, as bytes; empty where it cannot be unpacked."""
    try:
        if form == "csv.gz":
            return gzip.decompress(content)
        if form == "csv.zst":
            return zstandard.ZstdDecompressor().decompress(content, max_output_size=2**22)
    except (OSError, EOFError, zstandard.ZstdError, ValueError):
        return b""
    return b"" if form == "parquet" else content


def _plain(form: str, rows: list[dict[str, str]]) -> bytes:
    frame = pl.DataFrame(rows)
    if form.startswith("csv"):
        return frame.write_csv().encode()
    if form == "ndjson":
        return "".join(json.dumps(r) + "\n" for r in rows).encode()
    if form == "json":
        return json.dumps(rows, indent=1).encode()
    out = io.BytesIO()
    frame.write_parquet(out, compression="uncompressed")
    return out.getvalue()


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
