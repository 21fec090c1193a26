"""What a player has done in all since the books opened."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.simulate.kernel.counter import I64


@dataclass(frozen=True)
class PlayerTotals:
    """One entry per player asked for, as a day closes."""

    visits: I64
    """Gaming days with a session."""
    theo_micro: I64
    """Millionths of a dollar."""
    win_cents: I64
    """The house's."""
    last_day: I64
    """Last gaming day with a session, or -1."""
    first_day: I64
    """First gaming day on which the player came, or -1."""
