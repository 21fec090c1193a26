"""What each command line does: one module a subject, each with `register(app)`.

Modules here import nothing heavy at the top, so that `lakehouse --help` stays quick.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

Restricted = Annotated[
    bool, typer.Option("--restricted", help="With review cases and SARs; audited; needs the key.")
]
Purpose = Annotated[str | None, typer.Option("--purpose", help="Why, for --restricted.")]


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
def replacing(target: Path, *, private: bool = False) -> Iterator[Path]:
    """A path to write to; what was written takes the place of `target` when all went well, so
    that a reader finds the old file or the new one, never a part. `private`: mode 0600.

    Raises BadInput as `check_output` does, or where the file cannot be written.
    """
    import tempfile

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


def admitted(what: str, *, restricted: bool, purpose: str | None) -> bool:
    """Whether the restricted zone is open to this command, `what` being what it does there.
    Raises BadInput where --restricted is given without a purpose, or without the key."""
    if not require_purpose(restricted=restricted, purpose=purpose):
        return False
    from lakehouse.commands.caller import now, user
    from lakehouse.serve.restricted import enter

    settings, lake = opened()
    enter(settings, lake, who=user(), purpose=str(purpose), what=what, at=now())
    return True


def refuse_restricted(name: str) -> NoReturn:
    raise BadInput(f'{name} is restricted: give --restricted --purpose "…", and have the key')


def require_purpose(*, restricted: bool, purpose: str | None) -> bool:
    """`restricted`. Raises BadInput for one of --restricted and --purpose without the other."""
    if purpose and not restricted:
        raise BadInput("--purpose goes with --restricted")
    if restricted and not purpose:
        raise BadInput('--restricted needs --purpose "…": it is written to the audit log')
    return restricted


def check_output(target: Path) -> None:
    """Raises BadInput unless `target` is a regular file or new: replacing a device, a pipe or
    a link would destroy what others need."""
    import stat

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


def runs_of(days: list[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Days as ranges without gaps."""
    from lakehouse.regulation.gaming_day import ranges_of

    return ranges_of(days)


def days_in_words(days: list[dt.date]) -> str:
    """Sorted days as text: 2025-01-01 to 2025-01-03, 2025-01-07."""
    ranges = [str(a) if a == b else f"{a} to {b}" for a, b in runs_of(days)]
    more = f" and {len(ranges) - 5} more ranges" if len(ranges) > 5 else ""
    return ", ".join(ranges[:5]) + more
