"""`lakehouse checks run|list|history|show`: what is checked, and what was found of each day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import (
    Purpose,
    Restricted,
    admitted,
    opened,
    parse_day,
    refuse_restricted,
)
from lakehouse.commands.caller import now
from lakehouse.commands.printing import AsJson
from lakehouse.commands.progress import bar
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from lakehouse.quality.results import Check
    from lakehouse.settings import Settings
    from lakehouse.storage import Days

NAME = "Check, as silver/slot_telemetry:contract; its name alone where one table has it."
First = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First gaming day.")]
Last = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Last gaming day; default: the first.")
]
NOT_JUDGED = "not judged"
CLOSED = "restricted"
"""How a check stands of whose results those with the grant are told."""
_WIDTH = 72
"""Letters of what was found that a table shows; `show` and --json have all."""


def register_on(checks: typer.Typer) -> None:
    checks.command("run")(run)
    checks.command("list")(listed)
    checks.command("history")(history)
    checks.command("show")(show)


def run(
    first: First = None,
    last: Last = None,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="CHECK", help=f"Only this one. {NAME}")
    ] = None,
    as_json: AsJson = False,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Judge what is stored, of these days or of all, and make nothing anew.

    The asset checks of Dagster, on its instance: UI, table gold.check_results and this command
    show the same. What did not pass is listed; the status is 1 where an error failed or a check
    could not run. Whether today's day is there is judged only where it is asked for. Checks of
    restricted tables are judged too; what was found of them is told with --restricted.
    """
    from lakehouse.commands.run import prepare
    from lakehouse.quality.freshness_checks import IS_THERE

    settings, _ = opened()
    every = _declared(settings)
    days = days_asked(first, last)
    is_open = admitted("checks run", restricted=restricted, purpose=purpose)
    if check:
        asked = list({c.address: c for c in (_named(every, t, is_open) for t in check)}.values())
    else:
        asked = [c for c in every if c.name != IS_THERE]
    prepare(settings)
    from igaming_assets.running import judge_days, refuse_other_days

    if days:
        refuse_other_days(settings, days, now())
    begun = now()
    with bar("checks") as advance:
        outcome = judge_days(settings, asked, days, progress=advance)
    _tell_run(settings, asked, outcome.run_ids[-1], as_json=as_json, is_open=is_open)
    typer.echo(f"{(now() - begun).total_seconds():.1f} s", err=True)


def _tell_run(
    settings: Settings, asked: list[Check], run_id: str, *, as_json: bool, is_open: bool
) -> None:
    import polars as pl

    from lakehouse.quality.recorded import KEY, results
    from lakehouse.storage import Lake

    lake, shown = Lake.open(settings), _told(asked, is_open)
    judged = results(lake, asked).filter(pl.col("run_id") == run_id)
    found = judged.join(_keys(shown), on=KEY[1:], how="semi")
    told = found if as_json else found.filter(pl.col("status") != "passed")
    if as_json or told.height:
        _print(told, as_json=as_json)
    by = dict(found.group_by("status").len().iter_rows())
    typer.echo(
        f"{found.height} results: {by.get('passed', 0)} passed, {by.get('warned', 0)} warned, "
        f"{by.get('failed', 0)} failed, {by.get('could_not_run', 0)} could not run",
        err=True,
    )
    if len(shown) < len(asked):
        closed = f"of {len(asked) - len(shown)} checks that read restricted tables nothing is told"
        typer.echo(closed, err=True)
    if judged["status"].is_in(["failed", "could_not_run"]).any():
        raise typer.Exit(1)


def listed(
    table: Annotated[
        str | None, typer.Option(help="Only checks on this table, such as silver.table_games.")
    ] = None,
    as_json: AsJson = False,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Every check: what it is about, how severe it is and why, and how it stands.

    It stands as its worst day does, of the newest result of each day; a result is stale where a
    table that the check reads has changed since.
    """
    settings, lake = opened()
    from lakehouse.quality.recorded import results

    every = [c for c in _declared(settings) if table in (None, ".".join(c.table), c.table[1])]
    if not every:
        raise BadInput(f"no check stands on table {table!r}; see `lakehouse tables`")
    is_open = admitted("checks list", restricted=restricted, purpose=purpose)
    shown = {check.key for check in _told(every, is_open)}
    found = results(lake, [check for check in every if check.key in shown])
    by_check = found.partition_by("layer", "table_name", "check_name", as_dict=True)
    rows = [
        _standing(check, by_check.get(check.key), NOT_JUDGED if check.key in shown else CLOSED)
        for check in every
    ]
    _rows(rows, as_json=as_json)


def _standing(check: Check, found: pl.DataFrame | None, otherwise: str) -> dict[str, Any]:
    from lakehouse.quality.results import WORST_FIRST

    about = {
        "check": check.address,
        "family": check.family.value,
        "severity": check.severity,
        "blocking": check.blocking,
    }
    if found is None:
        told: dict[str, Any] = {"status": otherwise, "days": 0, "open_days": 0, "stale_days": 0}
        newest = None
    else:
        worst = next(s.value for s in WORST_FIRST if s in found["status"])
        told = {
            "status": worst,
            "days": found.height,
            "open_days": int((found["status"] != "passed").sum()),
            "stale_days": int(found["is_stale"].sum()),
        }
        newest = str(found["gaming_day"].max())
    return (
        about
        | told
        | {"newest_day": newest, "reason": check.reason}
        | {"description": check.description}
    )


def history(
    name: Annotated[str, typer.Argument(metavar="CHECK", help=NAME)],
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """What a check measured and how it stood, day by day."""
    settings, lake = opened()
    from lakehouse.quality.recorded import results

    is_open = admitted(f"checks history {name}", restricted=restricted, purpose=purpose)
    check = _named(_declared(settings), name, is_open)
    found = results(lake, [check], days=days_asked(first, last))
    if found.is_empty():
        raise BadInput(f"{check.address} has judged no such day; see `lakehouse checks run`")
    if as_json:
        _print(found, as_json=True)
        return
    columns = ("gaming_day", "status", "is_stale", "measure", "bound", "failing_rows")
    _table(found.select(*columns, "checked_rows", "judged_at"))


def show(
    name: Annotated[str, typer.Argument(metavar="CHECK", help=NAME)],
    day: Annotated[str, typer.Argument(metavar="DAY", help="Gaming day, as 2025-01-31.")],
    as_json: AsJson = False,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """One check on one day: what was found, keys of rows, and the SQL that shows them all."""
    settings, lake = opened()
    from lakehouse.quality.recorded import results

    is_open = admitted(f"checks show {name}", restricted=restricted, purpose=purpose)
    check = _named(_declared(settings), name, is_open)
    asked = parse_day(day, "DAY")
    found = results(lake, [check], days=(asked, asked))
    if found.is_empty():
        raise BadInput(f"{check.address} has not judged {asked}; see `lakehouse checks run`")
    [row] = found.to_dicts()
    row |= {"rule": check.description, "reason": check.reason, "keys": json.loads(row["keys"])}
    if as_json:
        typer.echo(json.dumps(row, default=str, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{check.address}, {asked}: {row['status']}{', stale' * row['is_stale']}")
    for label, text in _lines(check, row):
        typer.echo(f"  {label:<9} {text}")
    if row["sql"]:
        typer.echo(f"\n{row['sql']}")


def _lines(check: Check, row: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        ("rule", check.description),
        ("found", row["said"]),
        ("severity", f"{row['severity']}: {check.reason}"),
    ]
    if row["measure"] is not None:
        bound = "" if row["bound"] is None else f" (held against {row['bound']:g})"
        lines.append(("measure", f"{row['measure']:g}{bound}"))
    if row["failing_rows"] is not None:
        of = "" if row["checked_rows"] is None else f" of {row['checked_rows']:,}"
        lines.append(("rows", f"{row['failing_rows']:,}{of} break the rule"))
    if row["keys"]:
        lines.append(("keys", "; ".join(row["keys"])))
    if row["is_stale"]:
        lines.append(("stale", "a table that it reads has changed since"))
    judged = f"{row['judged_at']:%Y-%m-%d %H:%M} UTC by run {row['run_id'][:8]}"
    return [*lines, ("judged", judged)]


def _declared(settings: Settings) -> list[Check]:
    from lakehouse.quality.registry import checks

    return list(checks(settings, now()).values())


def _told(every: Iterable[Check], is_open: bool) -> list[Check]:
    """Those whose results may be told."""
    return [check for check in every if is_open or not check.is_closed]


def _keys(every: Iterable[Check]) -> pl.DataFrame:
    import polars as pl

    from lakehouse.quality.recorded import KEY

    return pl.DataFrame([c.key for c in every], dict.fromkeys(KEY[1:], pl.String), orient="row")


def _named(every: Iterable[Check], text: str, is_open: bool) -> Check:
    """The check of that name. Raises BadInput for one that is closed to whoever asks."""
    from lakehouse.quality.registry import named

    check = named(every, text)
    if check.is_closed and not is_open:
        refuse_restricted(check.address)
    return check


def days_asked(first: str | None, last: str | None) -> Days | None:
    """What --from and --to name; null without them. Raises BadInput."""
    if first is None:
        if last is not None:
            raise BadInput("--to needs --from")
        return None
    days = parse_day(first, "--from"), parse_day(last or first, "--to")
    if days[1] < days[0]:
        raise BadInput(f"--to {last} is before --from {first}")
    return days


def _print(found: pl.DataFrame, *, as_json: bool) -> None:
    from lakehouse.texts import formatted

    if as_json:
        rows = [row | {"keys": json.loads(row["keys"])} for row in found.to_dicts()]
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False, indent=2))
        return
    check = formatted("{}/{}:{}", "layer", "table_name", "check_name").alias("check")
    _table(found.select("gaming_day", check, "status", "measure", "failing_rows", "said"))


def _rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    import polars as pl

    if as_json:
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False, indent=2))
        return
    shown = pl.DataFrame(rows, infer_schema_length=None)
    _table(shown.drop("description", "blocking"))


def _table(frame: pl.DataFrame) -> None:
    import polars as pl
    import polars.selectors as cs

    from lakehouse.serve.reports.render import show as show_table

    cut = pl.when(cs.string().str.len_chars() > _WIDTH)
    show_table(
        frame.with_columns(
            cut.then(cs.string().str.head(_WIDTH - 1) + "…").otherwise(cs.string()).name.keep()
        )
    )
