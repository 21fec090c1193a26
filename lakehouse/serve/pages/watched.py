"""Live views as pages look at them: each asked once in a while, however many look."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping

import polars as pl

LiveView = Callable[[Mapping[str, str]], pl.DataFrame]
"""Parameters by name → the view's rows now."""
EVERY = 3.0
"""Seconds from one look to the next, for all readers together."""


class Watched:
    """Answers of live views, at most `EVERY` seconds old."""

    def __init__(self, views: Mapping[str, LiveView]) -> None:
        self._views = views
        self._turns = {view: threading.Lock() for view in views}
        self._kept: dict[tuple[str, str], tuple[dt.datetime, pl.DataFrame]] = {}

    def has(self, view: str) -> bool:
        return view in self._views

    def rows(self, view: str, params: Mapping[str, str], now: dt.datetime) -> pl.DataFrame:
        """What the view says. Raises as the view does."""
        key = view, str(sorted(params.items()))
        with self._turns[view]:
            asked, rows = self._kept.get(key, (None, None))
            if rows is None or asked is None or now - asked >= dt.timedelta(seconds=EVERY):
                rows = self._views[view](params)
                self._kept[key] = now, rows
            return rows
