"""`lakehouse expectations`: your own suites of Great Expectations, and the contracts as such."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.errors import BadInput
from lakehouse.outputs import check_output, replacing

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.quality.expectations.engine import Validation
    from lakehouse.quality.expectations.suites import Suite
    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake

_HELP = {"help_option_names": ["-h", "--help"]}
EXPORTED = Path("exported-expectations")

First = Annotated[str | None, typer.Option("--from", help="First gaming day; every day if none.")]
Last = Annotated[str | None, typer.Option("--to", help="Last gaming day; the first by default.")]
Names = Annotated[
    list[str] | None,
    typer.Option("--suite", help="Only this one, as silver.slot_telemetry; may be repeated."),
]


def register(app: typer.Typer) -> None:
    expectations = typer.Typer(
        help="Your own suites of Great Expectations, and the contracts as such.",
        no_args_is_help=True,
        context_settings=_HELP,
    )
    expectations.command("list")(list_)
    expectations.command("run")(run)
    expectations.command("docs")(docs)
    expectations.command("export")(export)
    app.add_typer(expectations, name="expectations")


def list_() -> None:
    """What the folder of suites holds, and what stands against it; 2 where anything does.

    Python suites are run for it; nothing is read of the lake.
    """
    import polars as pl

    from lakehouse.errors import LakehouseError
    from lakehouse.quality.expectations.engine import read
    from lakehouse.quality.expectations.suites import found
    from lakehouse.serve.reports.render import show

    settings, _ = opened()
    suites, refused = found(settings.expectations)
    problems = [file.said for file in refused]
    rows = []
    for suite in suites:
        try:
            written = read(suite)
        except LakehouseError as error:
            problems.append(str(error))
            continue
        problems += [w.problem for w in written if w.problem]
        counts = [sum(w.severity == s for w in written) for s in ("critical", "warning", "info")]
        rows.append((suite.name, suite.file.name, len(written), *counts))
    names = ("suite", "file", "expectations", "critical", "warning", "info")
    show(pl.DataFrame(rows, schema=names, orient="row"))
    if not suites and not refused:
        typer.echo(f"no suites in {settings.expectations}", err=True)
    for problem in problems:
        typer.echo(f"lakehouse: {problem}", err=True)
    if problems:
        raise typer.Exit(2)


def run(suite: Names = None, first: First = None, last: Last = None) -> None:
    """Judge gaming days by your suites, and write their Data Docs.

    Ends with status 1 where a critical expectation failed or any could not run. What holds is
    not listed.
    """
    from lakehouse.serve.reports.render import show

    made, index = _validated(suite, first, last)
    found = _not_held(made)
    if found.height:
        show(found)
    statuses = [s.status.value for v in made for s in v.said]
    counts = ", ".join(
        f"{statuses.count(status)} {status.replace('_', ' ')}"
        for status in ("passed", "warned", "failed", "could_not_run")
    )
    typer.echo(f"expectations by gaming day: {counts}; Data Docs: {index}", err=True)
    if "failed" in statuses or "could_not_run" in statuses:
        raise typer.Exit(1)


def docs(suite: Names = None, first: First = None, last: Last = None) -> None:
    """Write Data Docs of gaming days, whatever they say; prints the path of the index."""
    typer.echo(_validated(suite, first, last)[1])


def export(
    table: Annotated[
        list[str] | None,
        typer.Option("--table", help="Only this one, as silver.slot_telemetry; may be repeated."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = EXPORTED,
) -> None:
    """Write the contract of each table as a suite that any Great Expectations 1.x runs."""
    from lakehouse.quality.expectations.export import exportable, suite_of
    from lakehouse.serve.dictionary.describe import find

    known = exportable()
    chosen = known
    if table:
        chosen = [(layer, c.name) for layer, c in map(find, table)]
        for layer, name in chosen:
            if (layer, name) not in known:
                raise BadInput(f"{layer}.{name} has no suite: open tables of bronze, silver, gold")
    files = {out / f"{layer}.{name}.json": suite_of(layer, name) for layer, name in chosen}
    for file in files:
        check_output(file)
    for file, made in files.items():
        with replacing(file) as beside:
            beside.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    left = sum(len(made["meta"]["not_translated"]) for made in files.values())
    typer.echo(
        f"{len(files)} suites written to {out}; {left} rules have no expectation: "
        "see not_translated in their meta",
        err=True,
    )


def _validated(
    names: Sequence[str] | None, first: str | None, last: str | None
) -> tuple[list[Validation], Path]:
    from lakehouse.quality.expectations.engine import validate
    from lakehouse.quality.expectations.pages import docs_folder, write

    settings, lake = opened()
    suites = _chosen(settings, names)
    days = _days(first, last)
    made = []
    for suite in suites:
        asked = days or _stored(lake, suite)
        made += list(validate(lake, suite, asked)) if asked else []
    if not made:
        raise BadInput("the lake has no gaming day to judge; see `lakehouse run`")
    return made, write(docs_folder(settings), made)


def _chosen(settings: Settings, names: Sequence[str] | None) -> list[Suite]:
    from lakehouse.quality.expectations.suites import found

    suites, refused = found(settings.expectations)
    if refused:
        raise BadInput("; ".join(file.said for file in refused))
    known = {suite.name: suite for suite in suites}
    unknown = [n for n in names or () if n not in known]
    if unknown:
        raise BadInput(f"no suite {unknown[0]!r}; suites: {', '.join(known) or 'none'}")
    if not known:
        raise BadInput(
            f"no suites in {settings.expectations}: put files <layer>.<table>.json or .py there"
        )
    return [known[n] for n in names or known]


def _days(first: str | None, last: str | None) -> Days | None:
    if first is None:
        if last is not None:
            raise BadInput("--to needs --from")
        return None
    days = (parse_day(first, "--from"), parse_day(last or first, "--to"))
    if days[1] < days[0]:
        raise BadInput(f"--to {last} is before --from {first}")
    return days


def _stored(lake: Lake, suite: Suite) -> Days | None:
    days = lake.partitions(suite.layer, suite.table)["gaming_day"].drop_nulls()
    return None if days.is_empty() else (days.min(), days.max())  # type: ignore[return-value]


def _not_held(made: Sequence[Validation]) -> pl.DataFrame:
    import polars as pl

    from lakehouse.quality.results import Status

    rows = [
        (v.day, v.suite.name, s.status.value, s.severity, s.line)
        for v in made
        for s in v.said
        if s.status is not Status.PASSED
    ]
    names = {"gaming_day": pl.Date} | dict.fromkeys(
        ("suite", "status", "severity", "said"), pl.String
    )
    return pl.DataFrame(rows, schema=names, orient="row")
