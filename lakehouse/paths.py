"""Paths of this machine, as settings give them. What cannot be one raises ValueError."""

from __future__ import annotations

from pathlib import Path

_LONGEST_NAME = 200


def is_url(root: str) -> bool:
    """Whether a lake is in an object store."""
    return "://" in root


def local_folder(value: object) -> Path:
    """A path that is a folder, or nothing yet."""
    folder = _local(value, "name a local folder")
    if folder.exists() and not folder.is_dir():
        raise ValueError("is a file; name a folder")
    return folder


def local_file(value: object) -> Path:
    """A path that is a regular file, or nothing yet."""
    file = _local(value, "name the path of a local file")
    if file.exists() and not file.is_file():
        raise ValueError("is no regular file")
    return file


def expanded(path: str) -> Path:
    """A path whose ~ is a home, and whose names are short enough."""
    try:
        found = Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError("there is no such user; name the folder itself") from error
    if any(len(part.encode()) > _LONGEST_NAME for part in found.parts):
        raise ValueError(f"a name in a path has at most {_LONGEST_NAME} bytes")
    return found


def refuse_unprintable(text: str) -> None:
    if not text.strip() or not text.isprintable():
        raise ValueError("a path has letters to be seen, and no control characters")


def _local(value: object, otherwise: str) -> Path:
    text = str(value)
    refuse_unprintable(text)
    if "://" in text:
        raise ValueError(otherwise)
    return expanded(text)
