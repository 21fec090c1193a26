"""Who looks at a page, and what that person may do there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person at a page, or whoever sits at this machine where nobody signs in."""

    name: str
    pages: frozenset[str]
    """Names of the pages that are shown."""
    grants: frozenset[str]
    """What may be done: "alerts" to acknowledge and close, "names" to see who a player is, "sql",
    "quarantine" to read again what was kept out, "sar" to see cases of suspicion."""

    def sees(self, page: str) -> bool:
        return page in self.pages

    def may(self, grant: str) -> bool:
        return grant in self.grants
