"""Files that a user asked to be written: whole or not at all, and nothing else destroyed."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.errors import BadInput


@contextmanager
def replacing(target: Path, *, private: bool = False) -> Iterator[Path]:
    """A path to write to; what was written takes the place of `target` when all went well, so
    that a reader finds the old file or the new one, never a part. `private`: mode 0600.

    Raises BadInput as `check_output` does, or where the file cannot be written.
    """
    check_output(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=target.parent) as own:
            part = Path(own) / target.name
            yield part
            if private:
                part.chmod(0o600)
            part.replace(target)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror or error}") from error


def check_output(target: Path) -> None:
    """Raises BadInput unless `target` is a regular file or new: replacing a device, a pipe or
    a link would destroy what others need."""
    try:
        mode = target.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise BadInput(f"{target} is a folder; name a file")
    if not stat.S_ISREG(mode):
        kind = "symbolic link" if stat.S_ISLNK(mode) else "device, pipe or socket"
        raise BadInput(f"{target} is a {kind}; name a regular file or a new one")
