"""How many work on the floor, and whose badge is whose."""

from __future__ import annotations

from lakehouse.simulate.kernel.config import WorldConfig

SHIFTS = 3
CASHIERS = 24
"""On each shift."""
FIRST_GUARD = 300
FIRST_TECHNICIAN, TECHNICIANS = 800, 12
FIRST_SUPERVISOR, SUPERVISORS = 900, 9
DEALER_BADGES = 10_000
"""A dealer's badge is his number from here on; others have theirs."""


def guards(config: WorldConfig) -> int:
    """Returns how many guards are on each shift."""
    return max(8, config.table_count // 4)


def badge_at(config: WorldConfig, position: int) -> int:
    """The badge at a position among those of dealers, cashiers and guards."""
    dealers, cashiers = SHIFTS * config.table_count, SHIFTS * CASHIERS
    if position < dealers:
        return DEALER_BADGES + position
    at = position - dealers
    return at if at < cashiers else FIRST_GUARD + at - cashiers


def badges(config: WorldConfig) -> int:
    """How many positions there are."""
    return SHIFTS * (config.table_count + CASHIERS + guards(config))
