"""What the names in a table lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lakehouse.serve.pages.here import Here

Way = Callable[[Any], str]
"""A value of a column → the address that it opens, or nothing."""


def ways_of(here: Here) -> dict[str, Way]:
    """Column → where its values lead, of the pages that the reader sees."""
    viewer = here.viewer()
    ways: dict[str, Way] = {"opens": lambda value: _opened(here, str(value))}
    if viewer.sees("players"):
        for column in ("player_id", "user_id"):
            ways[column] = lambda value: here.to("players", player=str(value))
    if alerts := [p for p in ("protection", "fraud") if viewer.sees(p)]:
        at = here.page.name if here.page.name in alerts else alerts[0]
        ways["alert_id"] = lambda value: here.to(at, alert=str(value))
    if viewer.sees("data"):
        ways["table"] = ways["input"] = ways["reader"] = lambda v: here.to("data", table=str(v))
    return ways


def _opened(here: Here, page: str) -> str:
    """A column `opens` names a page, and after a # a part of it."""
    name, _, part = page.partition("#")
    return here.to(name) + (f"#{part}" if part else "") if here.viewer().sees(name) else ""
