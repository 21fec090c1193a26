"""How long the law leaves for a filing, from its event to the last lawful day."""

from __future__ import annotations

import datetime as dt

from lakehouse.regulation.law import Law

COUNTED = ("ctr", "form_8300")
"""Rules that count days from the event."""
ANNUAL = ("w2g_dates", "form_1042s_dates")
"""Rules that name a day of the year after the event."""
LONGEST_MOVE = 4
"""Days that a weekend with holidays beside it can move a due date (IRC 7503)."""


def counted_term(law: Law) -> int:
    """Days that the law leaves for a currency report or a Form 8300 at the most."""
    return max(p.due_days or 0 for rule in COUNTED for p in law.periods(rule))


def longest_term(law: Law) -> int:
    """Days between an event and its due date at the most, over all forms and periods but
    suspicion's."""
    return max(counted_term(law), *(_longest_year(law, rule) for rule in ANNUAL))


def _longest_year(law: Law, rule: str) -> int:
    """From the first day of a leap year."""
    stated = [(p.params or {})["winner_copy"] for p in law.periods(rule)]
    dates = [dt.date.fromisoformat(f"2025-{month_and_day}") for month_and_day in stated]
    return max((day - dt.date(2024, 1, 1)).days for day in dates) + LONGEST_MOVE
