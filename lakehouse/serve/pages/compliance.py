"""Compliance: what the law asks for, down to its rows; batches; cases for those who may know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape

import polars as pl
from nicegui import run, ui

from lakehouse.compliance import review_cases
from lakehouse.compliance.filing import export, status
from lakehouse.compliance.filing.records import Form
from lakehouse.contracts.compliance.review_cases import DECISIONS
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.draw import facts, table
from lakehouse.serve.pages.figures import Figure, query_of
from lakehouse.serve.pages.guarded import look
from lakehouse.serve.pages.here import Here
from lakehouse.serve.sql.restricted import enter, unlock

GRANT = "sar"
TEXTS = ("evidence", "narrative", "transaction_ids", "observation_ids")
"""Columns of a case that do not fit into a line."""
_BESIDE = {"assign": "to", "escalate": "to", "merge": "into", "file": "narrative"}
"""Of a kind of decision, what it says beside its reason."""


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
        _asked(here, "batches", "Batches for FinCEN")
        _listed(here, batches(here, "CTR"), "No currency report was exported yet.", "Batches")
        frame.note(
            "Currency reports. `lakehouse filings export --type ctr` writes a batch, and "
            "`lakehouse filings acknowledge` takes in what FinCEN answers."
        )
    with frame.card("Where each currency report stands with FinCEN", is_wide=True):
        _asked(here, "standing", "Where each currency report stands with FinCEN")
        _listed(here, standing(here, "CTR"), "No currency report of these days.", "Reports")
        frame.note("The same as `lakehouse filings list --type ctr`.")


def _asked(here: Here, name: str, title: str) -> None:
    given = here.given() | {"timezone": here.house.asking.settings.timezone}
    with frame.query(Figure("", name, title, "table", query_of(name)), given):
        frame.note("What was sent is restricted: ask with `lakehouse sql --restricted`.")


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
    purpose: str
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
        return Cases(worked.select(review_cases.LISTED), purpose, batches=batches(here, "SAR"))
    found = worked.filter(case_id=case)
    if found.is_empty():
        raise BadInput(f"unknown case {case!r}")
    decisions = review_cases.read(asking.lake).filter(
        pl.col("case_id") == case, pl.col("decided_at") <= now
    )
    return Cases(found, purpose, decisions.drop("case_id"))


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
    _decide(here, found.rows["case_id"].item(), found.purpose)


def _decide(here: Here, case: str, purpose: str) -> None:
    """What may be decided on the case that is shown. It appends; nothing is edited."""
    with ui.element("div").classes("form"):
        kind = ui.select(list(DECISIONS), label="Decision").props("dense outlined options-dense")
        kind.classes("short")
        reason = ui.input("Reason").props("dense outlined").classes("long")
        more = {
            "to": ui.input("To, who has the case"),
            "into": ui.input("Into, the case that goes on"),
            "narrative": ui.textarea("Narrative, as reviewed"),
        }
        for name, field in more.items():
            field.props("dense outlined").classes("long")
            field.bind_visibility_from(kind, "value", partial(_takes, name))
        noted = ui.button("Note the decision").props("no-caps unelevated")
    said = ui.element("div").props("aria-live=polite").classes("said")
    frame.note("Nothing that was decided is edited: the last decision holds.")

    async def done() -> None:
        said.clear()
        given = {n: field.value or None for n, field in more.items() if _takes(n, kind.value)}
        with said:
            try:
                named = await run.io_bound(
                    decide, here, purpose, case, kind.value, reason.value, **given
                )
            except LakehouseError as error:
                frame.wrong(str(error))
            else:
                noted.disable()
                ui.label(f"{case}: {kind.value} noted as {named}. Look again to see how it stands.")

    noted.on_click(done)


def _takes(name: str, kind: str | None) -> bool:
    return _BESIDE.get(kind or "") == name


def decide(
    here: Here, purpose: str, case: str, kind: str | None, reason: str | None, *,
    to: str | None = None, into: str | None = None, narrative: str | None = None,
) -> str:  # fmt: skip
    """Notes what the viewer decides on a case, after the audit log has it; the decision's id.
    Raises BadInput for a viewer without the grant or the key, for one who gives no reason, and
    for what is not lawful (`review_cases`)."""
    viewer = here.permit(GRANT)
    asking = here.house.asking
    unlock(asking.settings, asking.lake)
    if not (reason or "").strip():
        raise BadInput(f"a decision on case {case!r} needs 'reason'")
    return review_cases.note(
        asking.lake, case, kind or "", who=viewer.name, purpose=purpose, at=here.house.now(),
        reason=reason, assignee=to, merged_into=into, narrative=narrative,
    )  # fmt: skip


def _cases_told(here: Here, found: Cases) -> None:
    if found.rows.is_empty():
        ui.label("There is no case.").classes("empty")
    else:
        table(found.rows, here, name="Review cases")
    if found.batches is not None and found.batches.height:
        table(found.batches, here, name="Batches of reports")
