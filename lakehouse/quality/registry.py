"""The registry of checks. A module of this package declares its own; assets, the command, the
results table and the documents follow.

    @declares
    def volumes(settings, now):
        yield Check("volume", ("bronze", "slot_telemetry"), Family.VOLUME, ...)

What is declared may depend on the settings, and what is judged on the time of day; the names,
tables and severities of checks do not depend on `now`.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable

from lakehouse.errors import BadInput
from lakehouse.quality.results import Check
from lakehouse.settings import Settings

PACKAGE = "lakehouse.quality"
Declare = Callable[[Settings, dt.datetime], Iterable[Check]]
Key = tuple[str, str, str]
"""Layer, table and name of a check."""

_declared: dict[str, Declare] = {}


def declares(function: Declare) -> Declare:
    """Declares the checks that the decorated function yields for settings and a moment."""
    _declared[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def checks(settings: Settings, now: dt.datetime) -> dict[Key, Check]:
    """All checks of the tables that such a lake has, in order of module, by layer, table and
    name. Raises TypeError for two of one key."""
    _find()
    found: dict[Key, Check] = {}
    for name in sorted(_declared):
        for check in _declared[name](settings, now):
            if not settings.has(check.table[1]):
                continue
            if check.key in found:
                raise TypeError(f"{check.address} is declared twice, last in {name}")
            found[check.key] = check
    return found


@functools.cache
def _find() -> None:
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)


def named(found: Iterable[Check], text: str) -> Check:
    """The check that `text` names: "silver/slot_telemetry:contract", with a dot for the slash if
    one likes, or its name where only one table has it. Raises BadInput."""
    every = {check.address: check for check in found}
    asked = text.replace(".", "/", 1) if ":" in text else text
    if asked in every:
        return every[asked]
    same = [check for check in every.values() if check.name == text]
    if len(same) == 1:
        return same[0]
    if same:
        raise BadInput(
            f"check {text!r} stands on {len(same)} tables; name one, as {same[0].address}"
        )
    raise BadInput(f"unknown check {text!r}; see `lakehouse checks list`")
