"""The day's report: what the property, its floor, its books and its data did, in Markdown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.serve.reports.render import as_text

if TYPE_CHECKING:
    from lakehouse.serve.sql.catalog import Catalog


@dataclass(frozen=True)
class Section:
    """A heading and the query beneath it; `$day` is the gaming day."""

    title: str
    sql: str


FIGURES = [
    "headcount",
    "new_players",
    "slot_coin_in",
    "slot_win",
    "slot_theo",
    "slot_hold",
    "table_drop",
    "table_win",
    "table_theo",
    "table_hold",
    "win",
    "theo",
    "cash_in",
    "cash_out",
    "cash_position",
    "markers_issued",
    "markers_paid",
    "free_play",
]
SECTIONS = (
    Section(
        "Slots by denomination",
        "SELECT denomination, count(*) AS machines, sum(coin_in) AS coin_in, sum(win) AS win, "
        "round(sum(win) / nullif(sum(coin_in), 0), 4) AS hold, "
        "round(sum(theo) / nullif(sum(coin_in), 0), 4) AS theoretical_hold "
        "FROM gold.slot_performance WHERE gaming_day = $day::DATE GROUP BY ALL ORDER BY ALL",
    ),
    Section(
        "Tables by game",
        'SELECT game_type, count(*) AS tables, sum("drop") AS "drop", sum(win) AS win, '
        'round(sum(win) / nullif(sum("drop"), 0), 4) AS hold, sum(theo) AS theo '
        "FROM gold.table_performance WHERE gaming_day = $day::DATE GROUP BY ALL ORDER BY ALL",
    ),
    Section(
        "Machines and tables outside their 99% interval",
        "SELECT *, win - theo AS difference FROM (SELECT machine_id AS unit, win, theo "
        "FROM gold.slot_performance WHERE gaming_day = $day::DATE AND is_hold_outside "
        "UNION ALL SELECT table_id, rated_win, theo "
        "FROM gold.table_performance WHERE gaming_day = $day::DATE AND is_win_outside) "
        "ORDER BY abs(difference) DESC, unit LIMIT 15",
    ),
    Section(
        "Obligations of the day",
        "SELECT 'CTR' AS form, count(*) AS filings, min(due) AS due FROM gold.ctr_filings "
        "WHERE gaming_day = $day::DATE UNION ALL "
        "SELECT 'W-2G', count(*), NULL FROM gold.w2g_forms WHERE gaming_day = $day::DATE "
        "UNION ALL SELECT '1042-S', count(*), NULL FROM gold.form_1042s "
        "WHERE gaming_day = $day::DATE UNION ALL "
        "SELECT 'held back', count(*), NULL FROM gold.filing_exceptions "
        "WHERE gaming_day = $day::DATE",
    ),
)


def day_report(catalog: Catalog, day: dt.date | None = None) -> str:
    """The report of a gaming day, by default the newest, beside the same weekday before.
    Raises BadInput for a day that gold does not have."""
    days = catalog.frame("SELECT gaming_day FROM gold.property_day ORDER BY gaming_day")
    known = days["gaming_day"].to_list()
    chosen = day or (known[-1] if known else None)
    if chosen is None or chosen not in known:
        there = f"{known[0]} to {known[-1]}" if known else "none; `lakehouse run` makes some"
        raise BadInput(f"no report of {chosen or 'any day'}; gaming days in gold: {there}")
    return "\n".join(_lines(catalog, chosen)) + "\n"


def _lines(catalog: Catalog, day: dt.date) -> Iterator[str]:
    yield f"# {day:%A} {day.isoformat()}\n"
    yield "US dollars; the gaming day runs from 06:00 to 06:00.\n"
    yield from _markdown(_figures(catalog, day))
    for section in SECTIONS:
        yield f"\n## {section.title}\n"
        found = catalog.frame(section.sql, {"day": day.isoformat()})
        yield from _markdown(found) if found.height else ["None."]
    yield "\n## Rows kept out of silver\n"
    rejects = _rejects(catalog, day)
    yield from _markdown(rejects) if rejects.height else ["None."]


def _figures(catalog: Catalog, day: dt.date) -> pl.DataFrame:
    """Figures down, this day and the same weekday of the week before across."""
    rows = catalog.frame(
        f"SELECT gaming_day, {', '.join(FIGURES)}, is_reconciled FROM gold.property_day "
        "WHERE gaming_day IN ($day::DATE, $day::DATE - 7) ORDER BY gaming_day DESC",
        {"day": day.isoformat()},
    )
    text = as_text(rows, rounded=True)
    return text.drop("gaming_day").transpose(
        include_header=True, header_name="figure", column_names=text["gaming_day"].to_list()
    )


def _rejects(catalog: Catalog, day: dt.date) -> pl.DataFrame:
    sql = (
        "SELECT table_name, count(*) AS rows FROM quarantine.rejects "
        "WHERE gaming_day = $day::DATE GROUP BY ALL ORDER BY rows DESC, table_name"
    )
    return catalog.frame(sql, {"day": day.isoformat()})


def _markdown(frame: pl.DataFrame) -> Iterator[str]:
    yield f"| {' | '.join(frame.columns)} |"
    yield f"|{'|'.join('---:' if t.is_numeric() else '---' for t in frame.dtypes)}|"
    for row in as_text(frame, rounded=True).fill_null("").iter_rows():
        yield f"| {' | '.join(row)} |"
