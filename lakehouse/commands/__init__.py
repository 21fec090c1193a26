"""What each command line does: one module a subject, each with `register(app)`.

Modules here import nothing heavy at the top, so that `lakehouse --help` stays quick.
"""

from __future__ import annotations

import datetime as dt
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


def admitted(what: str, *, restricted: bool, purpose: str | None) -> bool:
    """Whether the restricted zone is open to this command, `what` being what it does there.
    Raises BadInput where --restricted is given without a purpose, or without the key."""
    if not require_purpose(restricted=restricted, purpose=purpose):
        return False
    from lakehouse.commands.caller import now, user
    from lakehouse.serve.sql.restricted import enter

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


def days_in_words(days: list[dt.date]) -> str:
    """Sorted days as text: 2025-01-01 to 2025-01-03, 2025-01-07."""
    from lakehouse.regulation.gaming_day import ranges_of

    ranges = [str(a) if a == b else f"{a} to {b}" for a, b in ranges_of(days)]
    more = f" and {len(ranges) - 5} more ranges" if len(ranges) > 5 else ""
    return ", ".join(ranges[:5]) + more
