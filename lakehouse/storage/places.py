"""Where a table is: a folder or a URL."""

from __future__ import annotations

from pathlib import Path

from lakehouse.errors import StorageError


def address(uri: str) -> str:
    """A folder as a URI: given as a path, `a%20b` could also mean `a b`."""
    return uri if is_url(uri) else Path(uri).as_uri()


def is_url(root: str) -> bool:
    return "://" in root


def refuse_lost_log(uri: str) -> None:
    """Raises StorageError for a folder with rows and nothing that says which of them count."""
    if not is_url(uri) and next(Path(uri).rglob("*.parquet"), None) is not None:
        raise StorageError(f"{uri} has data files but no Delta log; restore its _delta_log")
