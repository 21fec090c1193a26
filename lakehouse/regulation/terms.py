"""How long the law leaves for a filing, from its event to the last lawful day."""

from __future__ import annotations

import datetime as dt
import functools

from lakehouse.regulation.business_days import next_business_day
from lakehouse.regulation.law import Law

MORNING_AFTER = 1
"""Days by which the calendar day of a payment can be after its gaming day."""
_CYCLE = range(2000, 2028)
"""Years after which weekdays and leap years come round again."""


def currency_term(law: Law) -> int:
    """Days between a gaming day and the day its currency report is due."""
    return _counted(law, "ctr")


def non_gaming_term(law: Law) -> int:
    """Days between a gaming day and the day its Form 8300 is due."""
    return _counted(law, "form_8300")


def w2g_term(law: Law) -> int:
    """Gaming days between a payment and the winner's copy of its W-2G, at the most."""
    return _annual(law, "w2g_dates", "winner_copy")


def w2g_efile_term(law: Law) -> int:
    """Gaming days between a payment and the filing of its W-2G, at the most."""
    return _annual(law, "w2g_dates", "efile")


def form_1042s_term(law: Law) -> int:
    """Gaming days between a payment and the winner's copy of its 1042-S, at the most."""
    return _annual(law, "form_1042s_dates", "winner_copy")


def longest_term(law: Law) -> int:
    """Gaming days between an event and any due date, at the most, but for suspicion's."""
    terms = (currency_term, non_gaming_term, w2g_term, w2g_efile_term, form_1042s_term)
    return max(term(law) for term in terms)


def _counted(law: Law, rule: str) -> int:
    return max(p.due_days or 0 for p in law.periods(rule))


def _annual(law: Law, rule: str, copy: str) -> int:
    """From the first payment of a tax year to the business day on which the form is due."""
    stated = {(p.params or {})[copy] for p in law.periods(rule)}
    return MORNING_AFTER + max(_from_new_year(day) for day in stated)


@functools.cache
def _from_new_year(month_and_day: str) -> int:
    month, day = (int(part) for part in month_and_day.split("-"))
    years = ((dt.date(y, 1, 1), dt.date(y + 1, month, day)) for y in _CYCLE)
    return max((next_business_day(due) - first).days for first, due in years)
