"""Compliance: what the law asks for, down to its rows; batches; cases for those who may know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape

import polars as pl
from nicegui import ui

from lakehouse.compliance import review_cases
from lakehouse.compliance.filing import export, status
from lakehouse.compliance.filing.records import Form
from lakehouse.errors import BadInput
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.draw import facts, table
from lakehouse.serve.pages.guarded import look
from lakehouse.serve.pages.here import Here
from lakehouse.serve.sql.restricted import enter

GRANT = "sar"
TEXTS = ("evidence", "narrative", "transaction_ids", "observation_ids")
"""Columns of a case that do not fit into a line."""


async def body(here: Here) -> None:
    """The lists of the days, or the filing in the address. Without the grant nothing is drawn, so
    that nothing tells that there could be something (31 USC 5318(g)(2))."""
    if filing := here.more.get("filing"):
        ui.link("All filings", here.to())
        ui.html(f"<h2>Filing {escape(filing)}</h2>", sanitize=False).classes("subject")
        await frame.figures(here)
        return
    if here.viewer().may(GRANT):
        look("Review cases", "Case, or empty for all", partial(cases, here), partial(_told, here))
    await frame.figures(here)
    with ui.element("div").classes("grid"):
        _sent(here)


def _sent(here: Here) -> None:
    """Batches for FinCEN: of currency reports alone."""
    with frame.card("Batches for FinCEN", is_wide=True):
        _listed(here, batches(here, "CTR"), "No currency report was exported yet.", "Batches")
        frame.note(
            "Currency reports. `lakehouse filings export --type ctr` writes a batch, and "
            "`lakehouse filings acknowledge` takes in what FinCEN answers."
        )
    with frame.card("Where each currency report stands with FinCEN", is_wide=True):
        _listed(here, standing(here, "CTR"), "No currency report of these days.", "Reports")
        frame.note("The same as `lakehouse filings list --type ctr`.")


def _listed(here: Here, rows: pl.DataFrame, empty: str, name: str) -> None:
    if rows.is_empty():
        ui.label(empty).classes("empty")
    else:
        frame.csv_button(name.lower(), rows).props(f'aria-label="CSV of {name}"')
        table(rows, here, name=name)


def batches(here: Here, form: Form) -> pl.DataFrame:
    """One row per batch of a form, newest first (`status.batches`)."""
    lake = here.house.asking.lake
    sent = lake.scan("restricted", "filing_exports").filter(form=form).collect()
    answers = lake.scan("restricted", "filing_acknowledgements").filter(form=form).collect()
    return status.batches(sent, answers, here.house.now())


def standing(here: Here, form: Form) -> pl.DataFrame:
    """Each filing of the page's days with its status (`export.standing`), which it opens to."""
    asking, now = here.house.asking, here.house.now()
    rows = export.overview(
        asking.lake,
        export.Request(
            form, (here.span.first, here.span.last), here.viewer().name, now,
            asking.settings.timezone,
        ),
    )  # fmt: skip
    return rows.with_columns(opens=pl.concat_str(pl.lit("compliance?filing="), "filing_id"))


@dataclass(frozen=True)
class Cases:
    """Review cases, soonest due first; or one of them with what was decided on it."""

    rows: pl.DataFrame
    decisions: pl.DataFrame | None = None
    batches: pl.DataFrame | None = None


def cases(here: Here, purpose: str, case: str) -> Cases:
    """The cases as they stand now, after the audit log has the look. Raises BadInput for a viewer
    without the grant, without the key or a purpose, and for a case that there is not."""
    viewer, case = here.permit(GRANT), case.strip()
    asking, now = here.house.asking, here.house.now()
    what = f"page compliance: {f'review case {case}' if case else 'review cases'}"
    enter(asking.settings, asking.lake, who=viewer.name, purpose=purpose, what=what, at=now)
    worked = export.worked_cases(asking.lake, now, asking.settings.timezone)
    if not case:
        return Cases(worked.select(review_cases.LISTED), batches=batches(here, "SAR"))
    found = worked.filter(case_id=case)
    if found.is_empty():
        raise BadInput(f"unknown case {case!r}")
    decisions = review_cases.read(asking.lake).filter(
        pl.col("case_id") == case, pl.col("decided_at") <= now
    )
    return Cases(found, decisions.drop("case_id"))


def _told(here: Here, found: Cases | None) -> None:
    if found is None:
        return
    if found.decisions is None:
        _cases_told(here, found)
        return
    facts(found.rows.drop(TEXTS))
    ui.label(found.rows["narrative"].item()).classes("narrative")
    table(found.rows.select(pl.col("evidence").explode()).unnest("evidence"), here, name="Evidence")
    if found.decisions.height:
        table(found.decisions, here, name="Decisions")
    frame.note("`lakehouse cases decide` notes a decision.")


def _cases_told(here: Here, found: Cases) -> None:
    if found.rows.is_empty():
        ui.label("There is no case.").classes("empty")
    else:
        table(found.rows, here, name="Review cases")
    if found.batches is not None and found.batches.height:
        table(found.batches, here, name="Batches of reports")
