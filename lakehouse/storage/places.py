"""Where a table is: a folder or a URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from lakehouse.errors import BadInput, StorageError
from lakehouse.paths import is_url


def address(uri: str) -> str:
    """A folder as a URI: given as a path, `a%20b` could also mean `a b`."""
    return uri if is_url(uri) else Path(uri).as_uri()


def folder_of(root: str) -> str:
    """The whole path of a lake's folder. Raises BadInput for one that Delta would not find."""
    if unquote(root) != root:
        raise BadInput(
            f"root {root!r}: Delta reads a name with {root[root.index('%') :][:3]} as another one; "
            "choose a folder without it"
        )
    return str(Path(root).expanduser().absolute())


def refuse_lost_log(uri: str) -> None:
    """Raises StorageError for a folder with rows and nothing that says which of them count."""
    if not is_url(uri) and next(Path(uri).rglob("*.parquet"), None) is not None:
        raise StorageError(f"{uri} has data files but no Delta log; restore its _delta_log")
