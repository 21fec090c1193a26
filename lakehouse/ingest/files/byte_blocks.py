"""Landed files as bounded blocks of UTF-8, whatever their compression and encoding."""

from __future__ import annotations

import codecs
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from lakehouse.errors import LakehouseError
from lakehouse.private_files import is_link, open_file

Compression = Literal["none", "gzip", "zstd"]

BLOCK = 2 * 2**20
LONGEST_RECORD = 16 * 2**20
BOMB_RATIO = 200
"""Exports shrink twenty- to fiftyfold; a zip bomb a thousandfold."""
_ESCAPED = "surrogateescape"
BOMB_FROM = 64 * 2**20
LINK = "is a symbolic link; copy the file itself"


class UnreadableFile(LakehouseError):  # noqa: N818 - the file is the fault
    """No row of the file can be trusted; it goes to the rejected files with this reason."""


def opened(path: Path) -> BinaryIO:
    """A landed file, looked at again each time it is opened. Raises UnreadableFile for one that
    is not there, is no regular file, or is reached through a link."""
    try:
        return open_file(path)
    except OSError as error:
        if is_link(error):
            raise UnreadableFile(
                "is reached through a symbolic link; copy the file itself"
            ) from error
        raise UnreadableFile(f"cannot be opened: {error.strerror}") from error


def raw_blocks(path: Path, compression: Compression, size: int = BLOCK) -> Iterator[bytes]:
    """Decompressed bytes. Raises UnreadableFile for a damaged, truncated or hostile archive."""
    import pyarrow as pa

    given = 0
    try:
        with opened(path) as file, _unpacked(file, compression) as stream:
            packed = os.fstat(file.fileno()).st_size
            while block := stream.read(size):
                given += len(block)
                if compression != "none" and given > max(BOMB_FROM, BOMB_RATIO * packed):
                    raise UnreadableFile(
                        f"grows more than {BOMB_RATIO}-fold when unpacked: a zip bomb?"
                    )
                yield block
    except (pa.ArrowInvalid, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise UnreadableFile(f"cannot be read as {compression}: {said}") from error


def _unpacked(file: BinaryIO, compression: Compression):  # type: ignore[no-untyped-def]
    import pyarrow as pa

    if compression == "none":
        return contextlib.nullcontext(file)
    return pa.CompressedInputStream(pa.PythonFile(file, "r"), compression)


def text_blocks(
    path: Path, compression: Compression, encoding: str, size: int = BLOCK
) -> Iterator[bytes]:
    """UTF-8 bytes without a byte-order mark; ends of line are \\n or \\r\\n. Bytes that are no
    UTF-8 pass as they are where the file says it is UTF-8: their row is judged, not the file."""
    blocks = raw_blocks(path, compression, size)
    utf8 = blocks if encoding == "utf-8" else _recoded(blocks, encoding)
    return _without_old_mac(_without_mark(utf8))


def _recoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """What is not of the encoding stays as it is, and no UTF-8, as far as it can."""
    decoder = codecs.getincrementaldecoder(encoding)(_ESCAPED)
    try:
        for block in blocks:
            yield decoder.decode(block).encode(errors=_ESCAPED)
        yield decoder.decode(b"", final=True).encode(errors=_ESCAPED)
    except UnicodeError as error:
        raise UnreadableFile(f"is not {encoding} throughout") from error


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = True
    for block in blocks:
        if not block:
            continue
        yield block.removeprefix(codecs.BOM_UTF8) if first else block
        first = False


def _without_old_mac(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """A file whose beginning has \\r and no \\n ends its lines with \\r."""
    old_mac = None
    for block in blocks:
        if old_mac is None:
            old_mac = b"\r" in block and b"\n" not in block
        yield block.replace(b"\r", b"\n") if old_mac else block


def is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False
