"""Numbers and names as people read them."""

from __future__ import annotations

import datetime as dt
import functools
import re
from decimal import Decimal
from typing import Any

SHARES = ("hold", "share", "rate", "occupancy", "precision", "recall", "conversion")
"""Columns that end so are fractions, and shown in percent."""
_WRITTEN = {"ggr": "GGR", "ngr": "NGR", "adt": "ADT", "id": "ID", "ctr": "CTR", "cpu": "CPU"}
_TOKEN = re.compile(r"[0-9a-f]{8}:[0-9a-f]{20,}$")
_SHORT = 17
"""Letters of a token that tell it from others."""
_SPAN = re.compile(r"_(?:(30|90|365)|(12)m)$")
USUAL = "_usual"
"""A column with this ending is what the one without it usually is."""


def label(column: str) -> str:
    """slot_coin_in → Slot coin in; worth_30 → Worth, 30 days; is_excluded → Excluded."""
    stem, ends = column.removeprefix("is_"), ""
    if found := _SPAN.search(stem):
        stem = stem[: found.start()]
        ends = f", {found[1]} days" if found[1] else f", {found[2]} months"
    words = [_WRITTEN.get(w, w) for w in stem.split("_") if w != "usd"]
    text = " ".join(words)
    return text[:1].upper() + text[1:] + ends


@functools.cache
def is_share(column: str) -> bool:
    return column.removesuffix(USUAL).endswith(SHARES)


def shown(value: Any, column: str) -> str:
    """A value to read: $1,234 or 5.6% or 12 Mar 14:05; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return f"{value:,}"
    if isinstance(value, Decimal) and not is_share(column):
        return _money(value)
    if isinstance(value, float | Decimal):
        return f"{value:.1%}" if is_share(column) else f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(shown(v, column) for v in value)
    text = str(value)
    return f"{text[:_SHORT]}…" if _TOKEN.match(text) else text


def _money(value: Decimal) -> str:
    whole = abs(value) >= 1000
    said = f"{abs(value):,.0f}" if whole else f"{abs(value):,.2f}"
    return f"−${said}" if value < 0 else f"${said}"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """A value as charts and tables of the browser take it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date | dt.datetime):
        return str(value)
    if isinstance(value, list | dict):
        return str(value)
    return value
