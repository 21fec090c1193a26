"""Views under the names that a reader of an online casino's clickstream warehouse looks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A view of one table."""

    name: str
    layer: str
    table: str
    columns: tuple[str, ...] = ("*",)

    def select(self, source: str) -> str:
        return f"SELECT {', '.join(self.columns)} FROM {source}"


VIEWS = (
    View("stg_clickstream", "silver", "clickstream"),
    View("fct_player_metrics", "gold", "player_metrics"),
)
