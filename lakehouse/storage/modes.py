"""Who may look into folders of a local disk: modes of folders and files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from lakehouse.storage.shapes import CLOSED

FOLDER, FILE = 0o700, 0o600
DROP_BOX = 0o1733
"""Anybody may put a file in; nobody else lists the folder, or takes or replaces a file."""


def make_folder(root: Path, place: str, *, private: bool) -> None:
    """Makes a table's folder, and closes it where it is private. Zones that are closed as a
    whole are closed before anything is in them."""
    root.mkdir(parents=True, exist_ok=True)
    folder, is_closed = root, False
    for part in Path(place).parts:
        is_closed = is_closed or part in CLOSED
        folder = folder / part
        folder.mkdir(mode=FOLDER if is_closed else 0o777, exist_ok=True)
        if is_closed:
            folder.chmod(FOLDER)
    if private:
        folder.chmod(FOLDER)


def close_files(folder: Path) -> None:
    """Takes from everybody but the owner what is in a folder. What is another user's, or was
    removed or renamed meanwhile, is left to whoever made it."""
    for inside, folders, files in os.walk(folder):
        for names, mode in ((folders, FOLDER), (files, FILE)):
            for path in (Path(inside, name) for name in names):
                with suppress(FileNotFoundError, PermissionError):
                    if path.stat().st_mode & 0o077:
                        path.chmod(mode)
