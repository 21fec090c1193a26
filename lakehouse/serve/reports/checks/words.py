"""The report's words: what a controller reads for what the results hold."""

from __future__ import annotations

import math

from lakehouse.quality.results import Family

LAYERS = {
    "bronze": "Rows as they came in, kept as they are.",
    "silver": "Rows that keep every rule; the others are kept out, with their reason.",
    "gold": "Figures that are worked out from silver: win, theo, player value, filings.",
    "restricted": "What only the compliance office may read.",
}
FAMILIES = {
    Family.SCHEMA: ("columns", "Are the columns there, and of the kind that was agreed?"),
    Family.ROWS: ("rows", "Does every row keep the rules of its table?"),
    Family.KEYS: (
        "keys",
        "Does each row have a name of its own, and do references lead somewhere?",
    ),
    Family.CONSERVATION: (
        "nothing lost",
        "Is every row that came in still there, once, or kept out?",
    ),
    Family.VOLUME: (
        "amount",
        "Are there about as many rows as on the same weekday of other weeks?",
    ),
    Family.FRESHNESS: ("on time", "Did the day come in when it should?"),
    Family.NULLS: ("gaps", "Are as many values empty as usual?"),
    Family.DRIFT: ("drift", "Are values spread as they were in the four weeks before?"),
    Family.TRUTH: ("books agree", "Do two books of the same money or play say the same?"),
    Family.PRIVACY: ("privacy", "Is there personal data where none may be?"),
    Family.EXPECTATION: ("expectation", "Does what your own suite expects hold?"),
}
"""Family of a check → what it is called, and what it asks."""
LETTERS = {"failed": "✕", "could_not_run": "?", "warned": "!", "stale": "~", "passed": "✓"}
STATE_WORDS = {
    "failed": "failed",
    "could_not_run": "could not be judged",
    "warned": "warned",
    "stale": "outdated",
    "passed": "passed",
}
STATE_MEANING = {
    "failed": "Something that must hold does not: do not use the figures before it is settled.",
    "could_not_run": "The check broke off; nothing is known.",
    "warned": "Something is unusual or open; the figures stand.",
    "stale": "Passed, but rows have changed since: judge again.",
    "passed": "Every check of the table passed.",
}
NOT_JUDGED = "No check of the table has looked at the day."
TERMS = {
    "check": "A question that is asked of a table for each gaming day, with yes or no for an "
    "answer.",
    "gaming day": "The casino's day, from 06:00 to 06:00 of the next morning, property time.",
    "must hold": "If such a check fails, figures are wrong; what is worked out from them waits.",
    "may warn": "If such a check does not pass, that is news about the casino or its sources; "
    "figures stand.",
    "measure": "The number that a check looks at: rows, a share, a ratio.",
    "bound": "What the measure is held against.",
    "key": "What names one row of a table, such as the number of a transaction.",
    "kept out": "A row that broke a rule is not used, and not lost: it is stored with the reason.",
    "SQL": "The question in the language of databases that shows the rows: paste it after "
    "`lakehouse sql`.",
    "Data Docs": "Pages of Great Expectations, the tool that suites of your own are written for.",
    "Dagster": "The program that runs the work; its pages show each run and what it did.",
}


_TITLES = {
    "contract": "rules of the table",
    "conservation": "nothing lost on the way",
    "volume": "amount of rows",
    "nulls": "empty values",
    "drift": "spread of values",
}


def title_of(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " "))


def number(value: float | None) -> str:
    """A number to read: 1,234 or 0.0123."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "no number" if math.isnan(value) else "without bound"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4g}"


def percent(share: float) -> str:
    """A share of rows to read: 12, 3.4 or 0.012 percent."""
    value = 100 * share
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.2g}"
