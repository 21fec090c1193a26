"""`lakehouse monitor`: whether the house runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.commands.printing import AsJson
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from lakehouse.serve.monitor.registry import FailedRun, Look, Reading
    from lakehouse.serve.monitor.watch import Seen
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

STATUS = {"INFO": 0, "WARNING": 3, "CRITICAL": 4}
"""1 and 2 say that the command itself failed."""
NAGIOS = {"INFO": 0, "WARNING": 1, "CRITICAL": 2}
_SAID = {"INFO": "OK"}
_PAUSE = 0.2


def register(app: typer.Typer) -> None:
    app.command("monitor")(monitor)


def monitor(
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, and tell changes, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
    nagios: Annotated[
        bool,
        typer.Option("--nagios", help="One line and the statuses 0, 1, 2 of a Nagios plugin."),
    ] = False,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", help="Of --watch; default: monitor.seconds."),
    ] = None,
) -> None:
    """Whether the house runs: each signal with its level, since when, and what to do.

    Ends with 0 where all is well, 3 for a WARNING, 4 for a CRITICAL one. --watch tells each
    change once, in the log and by the settings alert_webhook and mail.
    """
    if watch and nagios:
        raise BadInput("--nagios is one look; leave out --watch")
    if every is not None and not 0.1 <= every <= 86_400:
        raise BadInput(f"--every {every:g}: 0.1 to 86400 seconds are allowed")
    if every is not None and not watch:
        raise BadInput("--every goes with --watch")
    settings, lake = opened()
    look = looker(settings, lake)
    if watch:
        _watch(settings, lake, look, every or settings.monitor.seconds, as_json=as_json)
        return
    from lakehouse.serve.monitor.registry import worst
    from lakehouse.serve.monitor.watch import seen

    found = seen(look())
    level = worst(r.level for r in found.readings)
    if nagios:
        typer.echo(_line_of_a_plugin(level, found.readings))
    else:
        _show(found, as_json=as_json)
    raise typer.Exit((NAGIOS if nagios else STATUS)[level])


def looker(settings: Settings, lake: Lake) -> Callable[[], Look]:
    """Makes looks at a lake from this process."""
    from lakehouse.commands.caller import now
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.serve.monitor.host import Machine
    from lakehouse.serve.monitor.registry import Look

    machine = Machine()
    return lambda: Look(
        lake=lake,
        settings=settings,
        now=now(),
        host=machine,
        clock=time.monotonic,
        transport=lambda: transport(settings),
        failed_runs=_failed_runs,
    )


def _failed_runs(since: dt.datetime) -> Sequence[FailedRun]:
    """Of the instance in DAGSTER_HOME, where there is one."""
    import os
    from pathlib import Path

    from igaming_assets.home import HOME

    if not (Path(os.environ.get("DAGSTER_HOME") or HOME) / "history").is_dir():
        return []
    from igaming_assets.instance import instance_of_home
    from igaming_assets.watching import failed_runs

    with instance_of_home() as instance:
        return failed_runs(instance, since)


def _watch(
    settings: Settings, lake: Lake, look: Callable[[], Look], every: float, *, as_json: bool
) -> None:
    import logging
    import sys

    from lakehouse.commands.stopping import stopping
    from lakehouse.errors import LakehouseError
    from lakehouse.serve.alerts.telling import ways
    from lakehouse.serve.monitor.watch import Teller, seen

    log = logging.getLogger("lakehouse.monitor")
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.setLevel(logging.INFO)
    with stopping() as is_stopped, Teller(lake, ways(settings, log), _said) as teller:
        while not is_stopped():
            began = time.monotonic()
            try:
                found = seen(look())
            except LakehouseError as error:
                _said(f"this look failed: {error}")
            else:
                teller.take(found.states)
                _show(found, as_json=as_json)
                _send(settings, found)
            while not is_stopped() and time.monotonic() - began < every:
                time.sleep(min(_PAUSE, every))


def _send(settings: Settings, found: Seen) -> None:
    """To Graphite, where a server is named; while it is away points wait on the disk."""
    if settings.graphite.server is None:
        return
    from lakehouse.commands.caller import now
    from lakehouse.errors import LakehouseError
    from lakehouse.serve.publish.graphite.run import spool_of
    from lakehouse.serve.publish.graphite.series import points_of

    spool = spool_of(settings)
    spool.add(points_of(found.readings, now(), prefix=settings.graphite.prefix))
    try:
        spool.drain(attempts=1)
    except LakehouseError as error:
        _said(str(error))


def _show(found: Seen, *, as_json: bool) -> None:
    told = [_row(r, found) for r in found.readings]
    if as_json:
        import json

        typer.echo(json.dumps(told))
        return
    width = max((len(f"{r.signal} {r.subject}") for r in found.readings), default=0)
    colours = {"CRITICAL": typer.colors.RED, "WARNING": typer.colors.YELLOW}
    for row in told:
        level, since = str(row["level"]), str(row["since"])[:16].replace("T", " ")
        about = f"{row['signal']} {row['subject']}".ljust(width)
        text = f"{level:<8}  {about}  since {since}  {row['said']}"
        typer.secho(text, fg=colours.get(level))
        if level in colours:
            typer.echo(f"{'':<8}  {row['to_do']}")


def _row(reading: Reading, found: Seen) -> dict[str, object]:
    state = found.states[reading.signal, reading.subject]
    return {
        "signal": reading.signal,
        "subject": reading.subject,
        "level": reading.level,
        "since": f"{state.read_since:%Y-%m-%dT%H:%M:%SZ}",
        "value": reading.value,
        "unit": reading.unit,
        "said": reading.said,
        "to_do": reading.to_do,
        "holds": state.level,
        "holds_since": f"{state.since:%Y-%m-%dT%H:%M:%SZ}",
    }


def _line_of_a_plugin(level: str, found: Sequence[Reading]) -> str:
    """As plugins of Nagios speak: status, the gravest, then values for its graphs."""
    bad = [r for r in found if r.level != "INFO"]
    said = "; ".join(f"{r.signal} {r.subject}: {r.said}" for r in bad) or f"{len(found)} signals"
    values = (
        f"'{r.signal} {r.subject}'={r.value:g}".replace("|", "/")
        for r in found
        if r.value is not None
    )
    return f"LAKEHOUSE {_SAID.get(level, level)} - {said.replace('|', '/')} | {' '.join(values)}"


def _said(text: str) -> None:
    typer.echo(text, err=True)
