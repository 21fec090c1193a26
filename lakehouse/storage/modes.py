"""Who may look into folders of a local disk: modes of folders and files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from lakehouse.private_files import FILE, FOLDER, close_folder
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.storage.shapes import OPEN_LAYERS, PARTITION


def make_folder(root: Path, place: str, *, private: bool) -> None:
    """Makes a table's folder, and closes it where it is private, with the layer it is in."""
    layer, *inner = Path(place).parts
    if layer in OPEN_LAYERS:
        (root / layer).mkdir(parents=True, exist_ok=True)
    else:
        close_folder(root / layer)
    folder = root / layer
    for part in inner:
        folder = folder / part
        if private:
            close_folder(folder)
        else:
            folder.mkdir(exist_ok=True)


def close_files(folder: Path, days: Days | None = None) -> None:
    """Takes from everybody but the owner what is in a table's folder, of some days or of all.
    What is another user's, or was removed or renamed meanwhile, is left to whoever made it."""
    others = f"{PARTITION}="
    own = {others + str(day) for day in each_day(days)} if days else set()
    for inside, folders, files in os.walk(folder):
        if days:
            folders[:] = [f for f in folders if f in own or not f.startswith(others)]
        _close((Path(inside, name) for name in folders), FOLDER)
        _close((Path(inside, name) for name in files), FILE)


def close_commit(folder: Path, version: int) -> None:
    """The same for what one commit added: a table of many files is not gone through for each."""
    log = folder / "_delta_log" / f"{version:020}.json"
    with suppress(FileNotFoundError):
        actions = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        files = [folder / unquote(a["add"]["path"]) for a in actions if "add" in a]
        _close({path.parent for path in files} - {folder}, FOLDER)
        _close([log, *files], FILE)


def _close(paths: Iterable[Path], mode: int) -> None:
    for path in paths:
        with suppress(FileNotFoundError, PermissionError):
            if path.stat().st_mode & 0o077:
                path.chmod(mode)


def close_written(folder: Path, days: Days | None, version: int | None) -> None:
    """Closes what one version of a table wrote, or what is in some days or all of it."""
    close_files(folder, days) if version is None else close_commit(folder, version)
