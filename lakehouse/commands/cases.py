"""`lakehouse cases`: review cases, who has them, what was decided."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened, parse_as_of
from lakehouse.commands.printing import Format, Shape, put
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from lakehouse.storage import Lake

_HELP = {"help_option_names": ["-h", "--help"]}
TRY = "lakehouse.commands.cases_try"
PURPOSE = "work on review cases"


AsOf = Annotated[str | None, typer.Option("--as-of", help="As it stood at this moment.")]
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's id, see `cases list`.")]


def register(app: typer.Typer) -> None:
    cases = typer.Typer(
        help="Review cases: look, assign, decide, try.",
        no_args_is_help=True,
        context_settings=_HELP,
    )
    cases.command("list")(list_)
    cases.command("show")(show)
    cases.command("assign")(assign)
    cases.command("decide")(decide)
    cases.command("calendar")(calendar)
    if importlib.util.find_spec(TRY):
        importlib.import_module(TRY).register_on(cases)
    app.add_typer(cases, name="cases")


def list_(
    state: Annotated[str | None, typer.Option("--state", help="Only cases in this state.")] = None,
    as_of: AsOf = None,
    shape: Shape = Format.table,
) -> None:
    """Cases with their state and clock, soonest due first."""
    import polars as pl

    from lakehouse.compliance.review_cases import ALL_STATES, LISTED

    if state is not None and state not in ALL_STATES:
        raise BadInput(f"unknown state {state!r}; allowed: {', '.join(ALL_STATES)}")
    lake, worked, _ = _worked("list", as_of)
    if state is not None:
        worked = worked.filter(pl.col("state") == state)
    put(worked.select(LISTED), shape)
    _warn_of_adrift(lake)


def show(case: Case, as_of: AsOf = None, shape: Shape = Format.table) -> None:
    """One case: its facts, evidence, narrative draft and every decision on it."""
    import polars as pl

    from lakehouse.compliance import review_cases

    lake, worked, at = _worked(f"show {case}", as_of)
    found = worked.filter(pl.col("case_id") == case)
    if found.is_empty():
        raise BadInput(f"unknown case {case!r}")
    mine = (pl.col("case_id") == case) & (pl.col("decided_at") <= at)
    decisions = review_cases.read(lake).filter(mine).drop("case_id")
    if shape is not Format.table:
        whole = found.with_columns(
            pl.Series("decisions", [decisions.to_dicts()], pl.List(pl.Struct(decisions.schema)))
        )
        put(whole, shape)
        return
    from lakehouse.serve.reports.render import upright

    facts = found.drop("evidence", "narrative", "transaction_ids", "observation_ids")
    put(upright(facts))
    put(found.select(pl.col("evidence").explode()).unnest("evidence"))
    typer.echo(found["narrative"].item())
    if decisions.height:
        put(decisions)


def assign(
    case: Case,
    to: Annotated[str, typer.Option("--to", help="Who works on it.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
) -> None:
    """Give a case to somebody."""
    _append(case, "assign", assignee=to, reason=reason)


def decide(
    case: Case,
    decision: Annotated[str, typer.Argument(help="file, no_file, merge or escalate.")],
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why; required for no_file.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="escalate: to whom.")] = None,
    into: Annotated[
        str | None, typer.Option("--into", help="merge: the case that goes on.")
    ] = None,
    narrative: Annotated[
        Path | None, typer.Option("--narrative", help="file: the reviewed narrative, a text file.")
    ] = None,
) -> None:
    """Decide on a case. A decision is appended; it edits nothing."""
    _append(
        case,
        decision.replace("-", "_"),
        assignee=to,
        reason=reason,
        merged_into=into,
        narrative=_text(narrative),
    )


def calendar(as_of: AsOf = None, shape: Shape = Format.table) -> None:
    """What is to be decided or filed next, and until when to report what goes on, by due date."""
    from lakehouse.compliance import review_cases
    from lakehouse.regulation.gaming_day import local_date
    from lakehouse.regulation.law import load
    from lakehouse.settings import load_settings

    _, worked, at = _worked("calendar", as_of)
    settings = load_settings()
    today = local_date(at, settings.timezone)
    put(review_cases.calendar(worked, load(settings.profile), today=today), shape)


def _worked(asked: str, as_of: str | None) -> tuple[Lake, pl.DataFrame, dt.datetime]:
    """The worklist at a moment; the access is logged first."""
    from lakehouse.commands import caller
    from lakehouse.compliance import access_log
    from lakehouse.compliance.filing.export import worked_cases
    from lakehouse.serve.sql.restricted import unlock_where_locked

    settings, lake = opened()
    now = caller.now()
    at = parse_as_of(as_of) if as_of else now
    if isinstance(at, int):
        raise BadInput(f"--as-of {as_of!r}: cases have moments, such as 2025-02-01T09:00:00Z")
    unlock_where_locked(settings, lake)
    access_log.record(lake, caller.user(), PURPOSE, f"cases {asked}", now)
    return lake, worked_cases(lake, at, settings.timezone), at


def _warn_of_adrift(lake: Lake) -> None:
    from lakehouse.compliance import review_cases

    cases = lake.scan("restricted", "sar_cases", columns=["case_id"]).collect()
    if lost := review_cases.adrift(cases, review_cases.read(lake)):
        typer.echo(f"decided, but no longer derived from the rows: {', '.join(lost)}", err=True)


def _text(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the narrative from {file}: {error}") from error


def _append(case: str, kind: str, **given: str | None) -> None:
    from lakehouse.commands import caller
    from lakehouse.compliance import review_cases
    from lakehouse.serve.sql.restricted import unlock_where_locked

    settings, lake = opened()
    unlock_where_locked(settings, lake)
    named = review_cases.note(
        lake, case, kind, who=caller.user(), purpose=PURPOSE, at=caller.now(), **given
    )
    typer.echo(f"{case}: {kind} noted as {named}", err=True)
