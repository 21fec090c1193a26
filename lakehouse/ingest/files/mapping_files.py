"""Mappings as they stand in files, and which of them is for a landed file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from lakehouse.errors import BadInput
from lakehouse.ingest.files.mapping import Mapping, checked_mapping
from lakehouse.private_files import is_link, open_file

MAPPING_SUFFIX = ".mapping.toml"
FOLDER_MAPPING = "mapping.toml"


def load_mapping(path: Path, table: str) -> Mapping:
    """The mapping in a TOML file. Raises BadInput naming the entry that is wrong."""
    return checked_mapping(given_in(path), table, str(path))


def given_in(path: Path) -> dict[str, Any]:
    """The entries of a TOML file, unchecked. Raises BadInput where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"mapping {path}: {error.strerror}") from error
    return _parsed(content, path)


def mapping_of(path: Path, table_folder: Path, table: str) -> Mapping:
    """The mapping for a landed file: beside it (<file>.mapping.toml), or the nearest
    mapping.toml in its folder or above, up to the table's folder; else an empty one."""
    above = [f for f in path.parents if f.is_relative_to(table_folder)]
    beside = path.with_name(path.name + MAPPING_SUFFIX)
    for place in (beside, *(folder / FOLDER_MAPPING for folder in above)):
        try:
            with open_file(place) as file:
                return checked_mapping(_parsed(file.read(), place), table, str(place))
        except FileNotFoundError:
            continue
        except OSError as error:
            said = "is reached through a link" if is_link(error) else error.strerror
            raise BadInput(f"mapping {place}: {said}") from error
    return Mapping()


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"mapping {path}: {error}") from error
