"""Alerts: one of them with its evidence down to the rows, and what its desk decides."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from nicegui import run, ui

from lakehouse.contracts import contract
from lakehouse.contracts.detection.alert_actions import OUTCOMES
from lakehouse.contracts.shop.fraud import IN_FORCE
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.alerts import desk
from lakehouse.serve.pages import frame
from lakehouse.serve.pages.figures import Figure, figures_of
from lakehouse.serve.pages.here import Here

GRANT = "alerts"
HOMES = ("protection", "fraud")
STATES = ("", *dict.fromkeys(desk.STATES.values()))
EVIDENCE = f"""SELECT unnest(evidence, recursive := true)
FROM (SELECT alert_id, evidence FROM gold.anomalies UNION ALL
      SELECT alert_id, evidence FROM gold.fraud_alerts WHERE profile = '{IN_FORCE}')
WHERE alert_id = $alert"""


async def body(here: Here) -> None:
    """The alerts of the days, or the one in the address."""
    if not here.more.get("alert"):
        _states(here)
        await frame.figures(here)
        return
    facts, actions = (replace(f, page="") for f in figures_of("alert"))
    found = await run.io_bound(here.house.asking.answer, facts, here.given())
    if found is None:  # the application is being stopped
        return
    if found.is_empty():
        frame.wrong(f"There is no alert {here.more['alert']!r}.")
        return
    alert = found.row(0, named=True)
    if home_of(alert["family"]) != here.page.name:
        _elsewhere(here, alert)
        return
    ui.link("All alerts", here.to())
    ui.html(f"<h2>Alert {escape(alert['alert_id'])}</h2>", sanitize=False).classes("subject")
    alike = await run.io_bound(_others, here, alert)
    _decide(here, alert, alike or 0)
    await frame.figures(here, [facts, actions, *await _evidence(here, alert)])


def home_of(family: str) -> str:
    """The page whose desk an alert of this family is for."""
    return HOMES[family != "protection"]


def _elsewhere(here: Here, alert: dict[str, Any]) -> None:
    home = home_of(alert["family"])
    if here.viewer().sees(home):
        ui.navigate.to(here.to(home, alert=alert["alert_id"]))
    else:
        frame.wrong("This alert is for another desk, which you do not see.")


def _states(here: Here) -> None:
    with ui.element("nav").classes("choices").props('aria-label="State of alerts"'):
        for state in STATES:
            link = ui.link(state or "not closed", here.to(**({"state": state} if state else {})))
            if here.more.get("state", "") == state:
                link.classes("here").props("aria-current=true")


async def _evidence(here: Here, alert: dict[str, Any]) -> list[Figure]:
    """A figure for each table with rows that the alert rests on."""
    rows = await run.io_bound(here.house.asking.ask, EVIDENCE, {"alert": alert["alert_id"]})
    if rows is None or rows.is_empty():
        return []
    tables = rows["table_name"].unique().sort()
    open_to_all = (t for t in tables if not contract(t).is_restricted)
    return [_rows_of(table, alert) for table in open_to_all]


def _rows_of(table: str, alert: dict[str, Any]) -> Figure:
    about = contract(table)
    layer = "silver" if about.layer == "source" else about.layer
    key = ", ".join(f'"{k}"' for k in about.key)
    sql = (
        f"SELECT *\nFROM {layer}.{about.name} r\n"
        f"WHERE gaming_day BETWEEN '{alert['window_start']}' AND '{alert['window_end']}'\n"
        f"  AND EXISTS (\n    SELECT 1 FROM ({EVIDENCE}) e\n    WHERE table_name = '{table}'"
        f" AND record_id = concat_ws('/', {key})\n"
        f"      AND coalesce(e.gaming_day, r.gaming_day) = r.gaming_day)"
    )
    title = f"Rows of {layer}.{table} that it rests on"
    return Figure("", table, title, "table", sql, is_wide=True, only_with="alert")


def _others(here: Here, alert: dict[str, Any]) -> int:
    """How many alerts are like this one, beside it."""
    return len(desk.alike(here.house.asking.lake, alert)) - 1


def _decide(here: Here, alert: dict[str, Any], alike: int) -> None:
    """What may be done with the alert as it stands. Every deed is a row more in the log."""
    if not here.viewer().may(GRANT):
        frame.note("You may look at alerts, and not decide on them.")
        return
    kinds = [k for k, state in desk.STATES.items() if state != alert["state"]]
    kinds = [k for k in kinds if k != "reopen" or alert["state"] == "closed"]
    kinds = [k for k in kinds if k != "ack" or alert["state"] == "open"]
    with frame.card("Decide", is_wide=True), ui.element("div").classes("form"):
        reason = ui.input("Reason").props("dense outlined").classes("long")
        outcome = ui.select(list(OUTCOMES), label="Outcome").props("dense outlined options-dense")
        outcome.classes("short").set_visibility("close" in kinds)
        others = ui.checkbox(f"And the {alike:,} others of this account and day")
        others.set_visibility(alike > 0)
        said = ui.element("div").props("aria-live=polite").classes("said")

        async def done(kind: str) -> None:
            said.clear()
            try:
                await run.io_bound(
                    decide, here, alert["alert_id"], kind, reason.value, outcome.value,
                    alike=others.value,
                )  # fmt: skip
            except LakehouseError as error:
                with said:
                    frame.wrong(str(error))
            else:
                ui.navigate.reload()

        for kind in kinds:
            ui.button(_WORDS[kind], on_click=lambda kind=kind: done(kind)).props(
                "no-caps unelevated" if kind != "close" else "no-caps outline"
            )


_WORDS = {"ack": "Acknowledge", "close": "Close", "reopen": "Open again"}


def decide(
    here: Here,
    alert_id: str,
    kind: str,
    reason: str | None,
    outcome: str | None,
    *,
    alike: bool = False,
) -> None:
    """Writes what the viewer decides, and of the alerts that are alike too where it is said so.
    Raises BadInput for one without the grant, an alert of another desk, and as the desk does."""
    viewer = here.permit(GRANT)
    lake = here.house.asking.lake
    row = desk.action(
        alert_id, kind, who=viewer.name, at=here.house.now(), reason=reason or None,
        outcome=outcome if kind == "close" else None,
    )  # fmt: skip
    (found,) = desk.find(lake, alert_id).to_dicts()
    if home_of(found["family"]) != here.page.name:
        raise BadInput(f"alert {alert_id!r} is for another desk")
    rows = desk.with_alike(lake, row, found) if alike else row
    desk.act(lake, rows)
