"""Copies files into the landing zone, complete or not at all."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from lakehouse.contracts import doors
from lakehouse.errors import BadInput
from lakehouse.ingest.mapping import MAPPING_SUFFIX, load_mapping
from lakehouse.ingest.zone import DONE, alone, landing_zone, make_box
from lakehouse.storage import Lake
from lakehouse.storage.modes import FILE

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
        if not file.is_file():
            raise BadInput(f"{file} is no file")
    names = [f.name for f in files]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise BadInput(f"two files are called {', '.join(twice)}; land them one after the other")
    if mapping is not None:
        load_mapping(mapping, table)
    return [_copied(f, zone, table, mapping, progress) for f in files]


def _copied(file: Path, zone: Path, table: str, mapping: Path | None, progress: Progress) -> Path:
    target = make_box(zone, table) / file.name
    part = target.with_name(target.name + ".part")
    part.touch(FILE)
    part.chmod(FILE)
    with file.open("rb") as given, part.open("wb") as taken:
        while chunk := given.read(_CHUNK):
            taken.write(chunk)
            progress(len(chunk))
        taken.flush()
        os.fsync(taken.fileno())
    if target.exists() and filecmp.cmp(part, target, shallow=False):
        part.unlink()
    with alone(zone):
        if mapping is not None:
            beside = target.with_name(target.name + MAPPING_SUFFIX)
            beside.write_bytes(mapping.read_bytes())
        if part.exists():
            part.replace(target)
        target.with_name(target.name + DONE).touch()
    return target
