"""`lakehouse serve`: events in and views out over HTTP, and the tokens that open it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.errors import BadInput, LakehouseError

if TYPE_CHECKING:
    from polars import DataFrame

    from lakehouse.serve.http.tokens import Tokens
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

_HELP = {"help_option_names": ["-h", "--help"]}
_GRACE = 3
"""Seconds that streams of views have to end in."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Take events in and show live views over HTTP.", context_settings=_HELP
    )
    group.callback(invoke_without_command=True)(serve)
    token = typer.Typer(help="Who may send what.", no_args_is_help=True, context_settings=_HELP)
    token.command("add")(add)
    token.command("list")(list_)
    token.command("revoke")(revoke)
    group.add_typer(token, name="token")
    app.add_typer(group, name="serve")


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port; 0 takes a free one.")] = 8000,
    generated: Annotated[
        Path, typer.Option("--generated", help="Folder of the files of GET /generate.")
    ] = Path("generated_clickstreams"),
    events_per_second: Annotated[
        float, typer.Option(help="Of one sender; more are told to wait.")
    ] = 100_000,
    most_bytes: Annotated[int, typer.Option(help="Of one request.")] = 8 * 2**20,
) -> None:
    """Serve the page, POST /events/{topic}, GET /live/{view}, /generate, /healthz, /metrics, /docs.

    Without tokens only this machine gets in, and another address is not listened on; the page is
    there for this machine alone. An event that is answered with 202 is on the disk.
    """
    if context.invoked_subcommand is not None:
        return
    _refuse_unbounded(port, events_per_second, most_bytes)
    from lakehouse.commands.caller import now
    from lakehouse.commands.monitor import looker
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.serve.http.access import is_loopback
    from lakehouse.serve.http.app import Bounds, app
    from lakehouse.serve.monitor.watch import Kept

    settings, lake = opened()
    if not is_loopback(host) and not _tokens(settings).all():
        raise BadInput(
            f"--host {host}: others could reach it, and there are no tokens; "
            "`lakehouse serve token add` makes one"
        )
    log = transport(settings, tell=_said)
    _refuse_taken(settings)
    log.topics()
    made = app(
        settings,
        log,
        now=lambda: int(now().timestamp()),
        generate=_generator(settings, generated),
        views=live_views(settings, lake),
        bounds=Bounds(most_bytes, events_per_second),
        signals=Kept(looker(settings, lake), settings.monitor.seconds),
    )
    if is_loopback(host) and not _tokens(settings).all():
        from lakehouse.serve.pages.app import add_pages

        add_pages(made, lake, settings)
    _listen(made, host, port)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    topics: Annotated[
        str | None, typer.Option("--topics", metavar="A,B", help="Topics to send to, or `all`.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="May read views.")] = False,
    generate: Annotated[bool, typer.Option("--generate", help="May make files.")] = False,
) -> None:
    """Make a token. Its secret is shown now and never again: only a hash of it is kept."""
    import secrets

    from lakehouse.commands.caller import now
    from lakehouse.ingest.streams.transport import topics_in
    from lakehouse.serve.http.tokens import GENERATE, LIVE
    from lakehouse.settings import load_settings

    settings = load_settings()
    known = topics_in(settings)
    asked = [] if topics is None else [t.strip() for t in topics.split(",")]
    scopes = list(known) if asked == ["all"] else asked
    unknown = [t for t in scopes if t not in known]
    if unknown:
        raise BadInput(f"--topics {unknown[0]!r}: events come in by {', '.join(known)}")
    scopes += [LIVE] * live + [GENERATE] * generate
    made = f"{now():%Y-%m-%dT%H:%M:%SZ}"
    typer.echo(_tokens(settings).add(name, scopes, secrets.token_urlsafe(32), made))
    typer.echo("keep it now: it is not shown again", err=True)


def list_() -> None:
    """Tokens, what each opens and since when."""
    from rich.console import Console
    from rich.table import Table

    from lakehouse.settings import load_settings

    found = _tokens(load_settings()).all()
    if not found:
        typer.echo("no tokens: only this machine gets in", err=True)
        return
    shown = Table("token", "opens", "made")
    for token in found:
        shown.add_row(token.name, ", ".join(token.scopes), token.made)
    Console().print(shown)


def revoke(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Close a token, at once for a server that runs."""
    from lakehouse.settings import load_settings

    _tokens(load_settings()).revoke(name)


def _refuse_unbounded(port: int, events_per_second: float, most_bytes: int) -> None:
    if not 0 <= port < 65_536:
        raise BadInput(f"--port {port}: 0 to 65535 are allowed")
    if not 0 < events_per_second <= 1e9:
        raise BadInput(f"--events-per-second {events_per_second:g}: more than 0 is allowed")
    if not 1 <= most_bytes <= 16 * 2**20:
        raise BadInput(f"--most-bytes {most_bytes}: 1 to {16 * 2**20} are allowed")


def live_views(settings: Settings, lake: Lake) -> dict[str, Callable[..., DataFrame]]:
    """The live views of the parts of the house that the lake has."""
    from functools import partial

    from lakehouse.live.views import answer, views

    asked = {n: v for n, v in views().items() if v.domain in (None, *settings.domains)}
    return {name: partial(answer, lake, settings, name) for name in asked}


def _refuse_taken(settings: Settings) -> None:
    """One process takes events in; the application sees to it too, in more than a line."""
    from lakehouse.locks import locked
    from lakehouse.private_files import close_folder
    from lakehouse.serve.http.app import LOCK, TAKEN, place

    here = place(settings)
    close_folder(here)
    with locked(here / LOCK, TAKEN, wait_seconds=0):
        return


def _tokens(settings: Settings) -> Tokens:
    from lakehouse.serve.http.app import place
    from lakehouse.serve.http.tokens import Tokens

    return Tokens(place(settings) / "tokens.json")


def _generator(settings: Settings, folder: Path) -> Callable[[int], Path]:
    """Writes simulated events into a new file of the folder, named by the time."""
    from lakehouse.commands.caller import now
    from lakehouse.simulate.output import new_clickstream

    return lambda records: new_clickstream(folder, records, now(), settings.timezone)


def _listen(app: object, host: str, port: int) -> None:
    """Until Ctrl-C or SIGTERM."""
    import uvicorn

    from lakehouse.commands.stopping import stopping

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = uvicorn.Server(config)
    try:
        with stopping():  # the server passes the signal on when it has ended
            server.run()
    except SystemExit as error:
        raise LakehouseError(f"http://{host}:{port} could not be served (see above)") from error


def _said(text: str) -> None:
    typer.echo(text, err=True)
