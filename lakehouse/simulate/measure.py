"""A line of docs/fidelity.md."""

from __future__ import annotations

from dataclasses import dataclass

Z99 = 2.576
"""Half the 99% interval of a normal, in standard deviations."""


@dataclass(frozen=True)
class Measure:
    """One line of the document. `low` and `high` bound what is allowed."""

    what: str
    target: str
    low: float
    high: float
    measured: float
    source: str
    is_hour: bool = False

    @property
    def holds(self) -> bool:
        return self.low <= self.measured <= self.high
