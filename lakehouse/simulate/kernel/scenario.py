"""A planted scenario of misconduct, as the domains that play, see and report it know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One planted scenario as it shows on one gaming day."""

    number: int
    kind: str
    players: tuple[int, ...]
    first_day: int
    last_day: int
    step: int
    """Days since the first."""
    dollars: int
    """A scenario's own round amount, 0 to 900 in steps of 100."""
