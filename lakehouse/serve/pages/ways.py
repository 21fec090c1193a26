"""What the names in a table lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from lakehouse.serve.pages.here import Here

OPENS = "opens"
"""Column whose values are places to go to."""
Way = Callable[[Any], str]
"""A value of a column → the address that it opens, or nothing."""


def ways_of(here: Here) -> dict[str, Way]:
    """Column → where its values lead, of the pages that the reader sees."""
    viewer = here.viewer()
    ways: dict[str, Way] = {OPENS: lambda value: _opened(here, str(value))}
    if viewer.sees("players"):
        for column in ("player_id", "user_id"):
            ways[column] = lambda value: here.to("players", player=str(value))
    if alerts := [p for p in ("protection", "fraud") if viewer.sees(p)]:
        at = here.page.name if here.page.name in alerts else alerts[0]
        ways["alert_id"] = lambda value: here.to(at, alert=str(value))
    if viewer.sees("data"):
        ways["table"] = ways["input"] = ways["reader"] = lambda v: here.to("data", table=str(v))
    if dagster := here.house.asking.settings.dagster_url:
        ways["run_id"] = lambda run: f"{dagster.rstrip('/')}/runs/{quote(str(run))}"
    return ways


def _opened(here: Here, place: str) -> str:
    """A column `opens` names a page as `page?name=value#part`."""
    told = urlsplit(place)
    if not here.viewer().sees(told.path):
        return ""
    return here.to(told.path, **dict(parse_qsl(told.query))) + (
        told.fragment and f"#{told.fragment}"
    )
