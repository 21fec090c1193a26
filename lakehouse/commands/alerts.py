"""`lakehouse alerts`: what the rules of detection found, and what people made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.commands.printing import AsJson, chosen, put
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

Alert = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id, see `alerts list`.")]
_LISTED = ("alert_id", "severity", "state", "alerts", "score", "entity_id", "said")
Alike = Annotated[
    bool,
    typer.Option(
        "--alike",
        help="Also what stands on its line in `alerts list`: the other payments of the account and "
        "day.",
    ),
]
_FACTS = (
    "alert_id", "severity", "state", "score", "rule", "family", "entity_type", "entity_id",
    "gaming_day", "window_start", "window_end", "said", "suggested_action", "outcome", "reason",
    "acted_by", "acted_at",
)  # fmt: skip
_MOST = 50


def register(app: typer.Typer) -> None:
    alerts = typer.Typer(
        help="Alerts of fraud, machines, staff and harm: look, acknowledge, close.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    alerts.command("list")(listed)
    alerts.command("show")(show)
    alerts.command("ack")(ack)
    alerts.command("close")(close)
    alerts.command("reopen")(reopen)
    app.add_typer(alerts, name="alerts")


def listed(
    severity: Annotated[
        str | None, typer.Option(help="Only this one and graver: CRITICAL, WARNING or INFO.")
    ] = None,
    entity: Annotated[
        str | None,
        typer.Option(help="Only of this machine, player, employee, table, badge or account."),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only of this rule.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only open, acknowledged or closed ones; or all.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Lines to show; 0: all.")] = _MOST,
    each: Annotated[
        bool, typer.Option("--each", help="A line for each payment of an account and day.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Alerts, the gravest and newest first; without --state those that nobody has closed.

    Payments of one account and day stand on one line, that of the gravest; `alerts` counts them.
    Patterns of currency are in the restricted zone: see `lakehouse cases`.
    """
    import polars as pl

    from lakehouse.contracts.alert_shape import SEVERITIES
    from lakehouse.detection.fraud.rules import RULES
    from lakehouse.detection.registry import rules
    from lakehouse.serve.alerts import desk

    if severity is not None and severity.upper() not in SEVERITIES:
        raise BadInput(f"--severity {severity!r}: allowed are {', '.join(SEVERITIES)}")
    if state is not None and state not in (*desk.STATES.values(), "all"):
        raise BadInput(f"--state {state!r}: allowed are {', '.join(desk.STATES.values())}, all")
    names = [*rules(), *(r.name for r in RULES)]
    if rule is not None and rule not in names:
        raise BadInput(f"--rule {rule!r}: the rules are {', '.join(names)}")
    _, lake = opened()
    alerts = desk.every(lake)
    alerts = _of_days(alerts, first, last)
    if severity:
        grave = SEVERITIES[: SEVERITIES.index(severity.upper()) + 1]
        alerts = alerts.filter(pl.col("severity").is_in(grave))
    if rule:
        alerts = alerts.filter(pl.col("rule") == rule)
    if entity:
        alerts = alerts.filter(pl.col("entity_id").str.split("+").list.contains(entity))
    found = desk.worked(alerts, desk.read(lake))
    wanted = pl.col("state") != "closed" if state is None else pl.col("state") == state
    found = found if state == "all" else found.filter(wanted)
    lines = found.with_columns(alerts=1) if each else desk.folded(found)
    shown = lines.head(limit) if limit else lines
    put(shown if as_json else shown.select(_LISTED), chosen(as_json=as_json))
    by = dict(found.group_by("severity").len().iter_rows())
    counts = ", ".join(f"{by.get(s, 0)} {s}" for s in SEVERITIES)
    cut = "" if shown.height == lines.height else f"; the first {shown.height} lines are shown"
    typer.echo(f"{found.height} alerts: {counts}{cut}", err=True)


def _of_days(alerts: pl.LazyFrame, first: str | None, last: str | None) -> pl.LazyFrame:
    import polars as pl

    if first:
        alerts = alerts.filter(pl.col("gaming_day") >= parse_day(first, "--from"))
    if last:
        alerts = alerts.filter(pl.col("gaming_day") <= parse_day(last, "--to"))
    return alerts


def show(alert: Alert, as_json: AsJson = False) -> None:
    """One alert: its facts, the rows that it rests on, and what was done with it."""
    import polars as pl

    from lakehouse.serve.alerts import desk
    from lakehouse.serve.reports.render import upright

    _, lake = opened()
    found = desk.find(lake, alert)
    rows = desk.source_rows(lake, found)
    done = desk.read(lake).filter(pl.col("alert_id") == alert).drop("alert_id")
    if as_json:
        typer.echo(
            found.with_columns(
                pl.Series("actions", [done.to_dicts()], pl.List(pl.Struct(done.schema)))
            ).write_json()
        )
        return
    facts = [c for c in _FACTS if not found[c].is_null().all()]
    put(upright(found.select(facts)))
    for table, mine in rows.items():
        typer.echo(f"{table}: {mine.height} of {found['evidence_rows'].item()} rows it rests on")
        known = mine.select(c for c in mine.columns if not mine[c].is_null().all())
        put(upright(known) if mine.height == 1 else known)
    if done.height:
        put(done)


def ack(
    alert: Alert,
    reason: Annotated[str | None, typer.Option("--reason", help="What is being done.")] = None,
    alike: Alike = False,
) -> None:
    """Say that you look into an alert."""
    _append(alert, "ack", reason, alike=alike)


def close(
    alert: Alert,
    reason: Annotated[str, typer.Option("--reason", help="What was found.")],
    outcome: Annotated[
        str, typer.Option("--outcome", help="confirmed, explained, false_alarm or duplicate.")
    ],
    alike: Alike = False,
) -> None:
    """Settle an alert: what it turned out to be, and why."""
    _append(alert, "close", reason, outcome, alike=alike)


def reopen(
    alert: Alert,
    reason: Annotated[str, typer.Option("--reason", help="Why it is not settled.")],
    alike: Alike = False,
) -> None:
    """Open a closed or acknowledged alert again."""
    _append(alert, "reopen", reason, alike=alike)


def _append(
    alert: str, kind: str, reason: str | None, outcome: str | None = None, *, alike: bool
) -> None:
    from lakehouse.commands import caller
    from lakehouse.serve.alerts import desk

    _, lake = opened()
    row = desk.action(
        alert, kind, who=caller.user(), at=caller.now(), reason=reason, outcome=outcome
    )
    found = desk.find(lake, alert)
    rows = desk.with_alike(lake, row, found.row(0, named=True)) if alike else row
    others = desk.act(lake, rows) - 1
    typer.echo(f"{alert}{f' and {others} alike' if others else ''}: {desk.STATES[kind]}", err=True)
