"""Dagster's migrations, read once in a process.

Alembic reads and compiles all scripts anew for each database that is made or opened, which is one
for the history, one for the schedules and one for each run: a tenth of a second each time.
"""

from __future__ import annotations

from functools import cache

from alembic.config import Config
from alembic.script import ScriptDirectory

_read = ScriptDirectory.from_config
_of_place: dict[str | None, ScriptDirectory] = {}


@cache
def read_once() -> None:
    """From now on; all databases of Dagster have their scripts in one place."""
    ScriptDirectory.from_config = _known  # type: ignore[method-assign]


def _known(config: Config) -> ScriptDirectory:
    place = config.get_main_option("script_location")
    if place not in _of_place:
        _of_place[place] = _read(config)
    return _of_place[place]
