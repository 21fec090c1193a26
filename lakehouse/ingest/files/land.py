"""Copies files into the landing zone, complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from lakehouse import private_files
from lakehouse.contracts import doors
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.ingest.files.mapping_files import MAPPING_SUFFIX, load_mapping
from lakehouse.ingest.files.zone import DONE, alone, landing_zone, name_fault, shown
from lakehouse.storage import Lake

_CHUNK = 2**20

Progress = Callable[[int], None]


def land(
    files: Sequence[Path],
    table: str,
    lake: Lake,
    mapping: Path | None = None,
    progress: Progress = lambda _: None,
) -> list[Path]:
    """Copies files into `landing/<table>/`, with the mapping beside each; where they are now.

    A file of the same name is replaced: it is a correction. `progress` is told the bytes
    copied. Raises BadInput for an unknown table, a bad mapping or a missing file; nothing is
    copied then.
    """
    zone = landing_zone(lake)
    known = doors()
    if table not in known:
        raise BadInput(f"no rows can be landed in {table!r}; tables: {', '.join(sorted(known))}")
    for file in files:
        if not is_file(file):
            raise BadInput(f"{shown(str(file))} is no file")
        _refuse_name(file)
    names = [f.name for f in files]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise BadInput(f"two files are called {', '.join(twice)}; land them one after the other")
    if mapping is not None:
        load_mapping(mapping, table)
    return [_copied(f, zone, table, mapping, progress) for f in files]


def is_file(path: Path) -> bool:
    """Also for a path that can be none, such as one that is too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _refuse_name(file: Path) -> None:
    """Raises BadInput for a name under which no ingestion would read the file."""
    fault = name_fault(file.name)
    if fault:
        raise BadInput(f"{shown(str(file))} {fault}; give it another name")


def _copied(file: Path, zone: Path, table: str, mapping: Path | None, progress: Progress) -> Path:
    target = zone / table / file.name
    try:
        beside = None if mapping is None else mapping.read_bytes()
        private_files.close_folder(zone)
        with private_files.entered(target.parent, make=True) as folder:
            _put(file, target, folder, beside, progress)
    except OSError as error:
        raise LakehouseError(f"cannot land {file}: {error.strerror}") from error
    return target


def _put(file: Path, target: Path, folder: int, mapping: bytes | None, progress: Progress) -> None:
    with private_files.new_part(folder) as (part, taken), file.open("rb") as given:
        while chunk := given.read(_CHUNK):
            taken.write(chunk)
            progress(len(chunk))
    with alone(target.parents[1]):
        if mapping is not None:
            private_files.put(folder, target.name + MAPPING_SUFFIX, mapping)
        if _is_copy(target.with_name(part), target):
            os.unlink(part, dir_fd=folder)
        else:
            os.replace(part, target.name, src_dir_fd=folder, dst_dir_fd=folder)
        private_files.put(folder, target.name + DONE, b"")


def _is_copy(part: Path, target: Path) -> bool:
    """A file that is there already keeps its time, so that it is not looked at again."""
    try:
        with private_files.open_file(part) as new, private_files.open_file(target) as old:
            same = os.fstat(new.fileno()).st_size == os.fstat(old.fileno()).st_size
            return same and all(a == b for a, b in zip(_chunks(new), _chunks(old), strict=True))
    except OSError:
        return False


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
