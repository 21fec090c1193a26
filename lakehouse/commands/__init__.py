"""What each command line does: one module a subject, each with `register(app)`.

Modules here import nothing heavy at the top, so that `lakehouse --help` stays quick.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake


def opened() -> tuple[Settings, Lake]:
    """The settings in force and their lake."""
    from lakehouse.settings import load_settings
    from lakehouse.storage import Lake

    settings = load_settings()
    return settings, Lake.open(settings)


def parse_day(text: str, name: str) -> dt.date:
    """A gaming day as 2025-01-31. Raises BadInput naming the option."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{name} {text!r} is no day; write it as 2025-01-31") from error


def parse_as_of(text: str) -> int | dt.datetime:
    """A version number, a day (its last moment is not meant: midnight UTC), or a moment."""
    if text.isdecimal() and len(text) < 8:
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(
            f"--as-of {text!r}: give a version number or a moment such as 2025-02-01T09:00:00Z"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the target's place when all went well, so
    that a reader finds the old file or the new one, never a part."""
    import os

    if target.is_dir():
        raise BadInput(f"{target} is a folder; name a file")
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.replace(target)
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)


def runs_of(days: list[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Sorted days as ranges without gaps."""
    ranges: list[tuple[dt.date, dt.date]] = []
    for day in days:
        if ranges and day - ranges[-1][1] == dt.timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def days_in_words(days: list[dt.date]) -> str:
    """Sorted days as text: 2025-01-01 to 2025-01-03, 2025-01-07."""
    ranges = [str(a) if a == b else f"{a} to {b}" for a, b in runs_of(days)]
    more = f" and {len(ranges) - 5} more ranges" if len(ranges) > 5 else ""
    return ", ".join(ranges[:5]) + more
