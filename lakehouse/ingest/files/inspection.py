"""What a landed file is, and whether it can be trusted, before any row of it is stored."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lakehouse.ingest.files.byte_blocks import (
    LINK,
    LONGEST_RECORD,
    Compression,
    UnreadableFile,
    is_utf8,
    opened,
    raw_blocks,
    text_blocks,
)
from lakehouse.ingest.files.encodings import SAMPLE, detected, likely_encodings
from lakehouse.ingest.files.mapping import Mapping

Form = Literal["csv", "json", "parquet"]

COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
FORMS: dict[str, Form] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".psv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"SQLite format 3": "a SQLite database",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"Rar!": "RAR",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
}
_HEAD = 4096
_CHECKED = 2**18
AS_IT_IS = Mapping()
_PART = 2**26
_BAD_LINES_ALLOWED = 0.05
"""A damaged row is a row's affair; more of them, and the file mixes encodings."""


@dataclass(frozen=True)
class Inspected:
    """A readable file: how to read it, and the BLAKE2b hash of its bytes as landed."""

    form: Form
    compression: Compression
    encoding: str
    digest: str


def inspect(path: Path, mapping: Mapping = AS_IT_IS) -> Inspected:
    """Reads the file once, whole. Raises UnreadableFile with the reason."""
    compression = COMPRESSIONS.get(path.suffix.lower(), "none")
    content = _digest(path)
    head = next(raw_blocks(path, compression, _HEAD), b"")
    if not head.strip():
        raise UnreadableFile("is empty")
    form = _form(path, head, compression, is_of_lines=mapping.is_of_lines)
    if form == "parquet":
        refuse_damaged_parquet(path, compression)
        return Inspected(form, compression, "utf-8", content)
    encoding = mapping.encoding or _encoding(head)
    lines = _read_through(path, compression, encoding, form)
    if mapping.encoding is None and lines.bad > 1 and not lines.beyond_ascii:
        encoding = detected(lines.sample) or encoding
    if lines.bad > 1 and (encoding == "utf-8" or mapping.encoding):
        _refuse_mixed_encodings(path, compression, encoding, lines)
    return Inspected(form, compression, encoding, content)


def refuse_irregular(mode: int) -> None:
    """Raises UnreadableFile for a link or a device."""
    if stat.S_ISLNK(mode):
        raise UnreadableFile(LINK)
    if not stat.S_ISREG(mode):
        raise UnreadableFile("is no regular file")


def _digest(path: Path) -> str:
    """BLAKE2b: as strong as SHA-256, and twice as fast where the processor has no SHA. A large
    file's is that of its parts' digests, which are made side by side."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
    starts = range(0, max(1, size), _PART)
    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(lambda start: _digest_of_part(path, start), starts))
    return (parts[0] if len(parts) == 1 else _blake2b(b"".join(parts))).hex()


def _digest_of_part(path: Path, start: int) -> bytes:
    found = hashlib.blake2b(digest_size=32)
    with opened(path) as file:
        file.seek(start)
        for _ in range(0, _PART, _CHECKED):
            found.update(file.read(_CHECKED))
    return found.digest()


def _blake2b(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=32).digest()


def _form(path: Path, head: bytes, compression: Compression, *, is_of_lines: bool) -> Form:
    suffixes = [s.lower() for s in path.suffixes]
    named = (
        FORMS.get(suffixes[-2 if compression != "none" else -1])
        if _has(suffixes, compression)
        else None
    )
    for magic, kind in (*_FOREIGN.items(), *_PACKED.items()):
        if head.startswith(magic):
            twice = "compressed twice" if compression != "none" else f"without {kind}'s suffix"
            raise UnreadableFile(f"holds {kind}" + (f", {twice}" if magic in _PACKED else ""))
    found = _sniffed(head)
    if found == "json" and is_of_lines and named in (None, "csv"):
        return "csv"
    if named and named != found:
        raise UnreadableFile(f"is named {named} but holds {found}")
    return found


def _has(suffixes: list[str], compression: Compression) -> bool:
    return len(suffixes) > (compression != "none")


def _sniffed(head: bytes) -> Form:
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.removeprefix(codecs.BOM_UTF8)
    if _encoding(head).startswith("utf-16"):
        text = head.decode(_encoding(head), errors="ignore").encode(errors="ignore")
    return "json" if text.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" not in head:
        return "utf-8"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if min(even, odd) * 10 < max(even, odd) and max(even, odd) * 3 > len(head) // 2:
        return "utf-16-le" if odd > even else "utf-16-be"
    if head.count(0) * 20 > len(head):
        raise UnreadableFile("is binary: neither text nor Parquet")
    return "utf-8"


@dataclass
class _Lines:
    """What a text is made of: lines that are no UTF-8, whether others hold more than ASCII, and
    the first words of the former."""

    bad: int = 0
    beyond_ascii: bool = False
    sample: bytes = b""

    def add(self, line: bytes) -> None:
        if not is_utf8(line):
            self.bad += 1
            if len(self.sample) < SAMPLE:
                self.sample += line + b"\n"
        elif not line.isascii():
            self.beyond_ascii = True


def _read_through(path: Path, compression: Compression, encoding: str, form: Form) -> _Lines:
    """Raises UnreadableFile for a row that is too long."""
    found, gap = _Lines(), 0
    ends = b"\n" if form == "csv" else b"}"
    for block in _whole_lines(path, compression, encoding):
        first, last = block.find(ends), block.rfind(ends)
        gap = gap + len(block) if first < 0 else len(block) - last
        if gap > LONGEST_RECORD:
            raise UnreadableFile(f"has a row longer than {LONGEST_RECORD >> 20} MiB")
        if not is_utf8(block):
            for line in block.splitlines():
                found.add(line)
        elif not found.beyond_ascii:
            found.beyond_ascii = not block.isascii()
    return found


def _refuse_mixed_encodings(
    path: Path, compression: Compression, encoding: str, found: _Lines
) -> None:
    lines = sum(b.count(b"\n") + 1 for b in _whole_lines(path, compression, encoding))
    if found.bad > _BAD_LINES_ALLOWED * lines:
        likely = " or ".join(likely_encodings(found.sample)) or "cp1252"
        raise UnreadableFile(
            f"mixes encodings: {found.bad} of {lines} lines are not {encoding}; if all of it has "
            f'another one, say so in the mapping, such as encoding = "{likely.split()[0]}"'
            + (f" (likely: {likely})" if " or " in likely else "")
        )


def _whole_lines(path: Path, compression: Compression, encoding: str) -> Iterator[bytes]:
    """Blocks that end with a line, so that no character is cut; of endless lines, pieces.
    They are small enough to stay in a processor's own memory."""
    rest = b""
    for block in text_blocks(path, compression, encoding, _CHECKED):
        cut = block.rfind(b"\n") + 1
        if cut == 0 and len(rest) < _CHECKED:
            rest += block
            continue
        yield rest + block[:cut]
        rest = block[cut:]
    yield rest


def refuse_damaged_parquet(path: Path, compression: Compression) -> None:
    """Decodes every page once: a damaged one would otherwise show after rows were stored."""
    from lakehouse.ingest.files.parquet_rows import parquet_batches

    for _ in parquet_batches(path, compression):
        continue
