"""Small bar charts for the UI: an SVG in a data URI, so that no plotting library is loaded."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from xml.sax.saxutils import escape

import dagster as dg

WIDTH, ROW, LABEL, VALUE = 520, 20, 190, 90
MOST = 20
INK, BAR = "#30363d", "#4f7cac"


def bars(title: str, rows: Sequence[tuple[str, float, str]]) -> dg.MarkdownMetadataValue:
    """A horizontal bar per (label, length, what to print at its end), longest first as given.

    Negative lengths have no bar. Of rows beyond twenty the last line tells how many.
    """
    shown = list(rows)[:MOST]
    if len(rows) > MOST:
        shown[-1] = (f"and {len(rows) - MOST + 1} more", 0.0, "")
    longest = max((length for _, length, _ in shown), default=0) or 1
    room = WIDTH - LABEL - VALUE
    drawn = [
        _bar(n, label, max(0, length) / longest * room, text)
        for n, (label, length, text) in enumerate(shown)
    ]
    height = ROW * (len(shown) + 1) + 10
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
        f'<text x="6" y="15" font-weight="bold">{escape(title)}</text>{"".join(drawn)}</svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{data})")


def _bar(row: int, label: str, length: float, text: str) -> str:
    y = ROW * (row + 1) + 4
    return (
        f'<text x="{LABEL - 6}" y="{y + 13}" text-anchor="end">{escape(label[:30])}</text>'
        f'<rect x="{LABEL}" y="{y + 2}" width="{length:.1f}" height="14" fill="{BAR}"/>'
        f'<text x="{LABEL + length + 5:.1f}" y="{y + 13}">{escape(text)}</text>'
    )
