"""`lakehouse cases try`: what follows from a small world, through the ordinary path."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def register_on(cases: typer.Typer) -> None:
    """Adds the command to the group `cases`."""
    cases.command("try")(try_)


def try_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of cases, JSON.")],
    check: Annotated[
        bool, typer.Option("--check", help="Compare with what each case expects.")
    ] = False,
) -> None:
    """Land each case's rows in a lake of their own, derive, and print what follows as JSON."""
    from lakehouse.compliance.scenarios import answers_to, differences, read_cases

    read = [read_cases(f) for f in files]
    cases = [c for found, _ in read for c in found]
    answers = answers_to(cases)
    alone = len(files) == 1 and not read[0][1]
    typer.echo(json.dumps(answers[0] if alone else answers, indent=1, ensure_ascii=False))
    if not check:
        return
    faults = [
        f"{case.id}: {line}"
        for case, found in zip(cases, answers, strict=True)
        for line in differences(case.expect, found)
    ]
    for line in faults:
        print(line, file=sys.stderr)  # noqa: T201
    wrong = len({line.split(":")[0] for line in faults})
    print(f"{len(cases) - wrong} of {len(cases)} cases hold", file=sys.stderr)  # noqa: T201
    if faults:
        raise typer.Exit(1)
