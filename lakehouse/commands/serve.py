"""`lakehouse serve`: events in and views out over HTTP, and the tokens that open it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.commands.printing import lines
from lakehouse.errors import BadInput, LakehouseError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from polars import DataFrame

    from lakehouse.ingest.streams.topics import Transport
    from lakehouse.serve.http.app import Bounds
    from lakehouse.serve.http.tokens import Tokens
    from lakehouse.serve.signin.wanted import PageSettings
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

    Where there are users everybody signs in to the page; where there are none it is there for this
    machine alone. Events and views need a token; without any they are for this machine alone. An
    event that is answered with 202 is on the disk.
    """
    if context.invoked_subcommand is not None:
        return
    _refuse_unbounded(port, events_per_second, most_bytes)
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.serve.http.app import Bounds

    settings, lake = opened()
    refuse_open(settings, host)
    log = transport(settings, tell=_said)
    _refuse_taken(settings)
    log.topics()
    bounds = Bounds(most_bytes, events_per_second)
    _listen(application(settings, lake, log, host, generated, bounds), host, port, settings)


def application(
    settings: Settings,
    lake: Lake,
    log: Transport,
    host: str,
    generated: Path,
    bounds: Bounds,
    now: Callable[[], dt.datetime] | None = None,
) -> FastAPI:
    """All that is served at an address: what programs call, and the page with its gate."""
    from lakehouse.commands.caller import now as present
    from lakehouse.commands.monitor import looker
    from lakehouse.serve.http.access import is_loopback
    from lakehouse.serve.http.app import app
    from lakehouse.serve.monitor.watch import Kept

    clock = now or present
    made = app(
        settings,
        log,
        now=lambda: int(clock().timestamp()),
        generate=_generator(settings, generated),
        views=live_views(settings, lake),
        bounds=bounds,
        signals=Kept(looker(settings, lake), settings.monitor.seconds),
    )
    signed = people_sign_in(settings)
    if signed or (is_loopback(host) and not _tokens(settings).all()):
        from lakehouse.serve.pages.app import add_pages
        from lakehouse.serve.pages.asking import Asking
        from lakehouse.serve.pages.here import House
        from lakehouse.serve.pages.watched import Watched
        from lakehouse.serve.signin.doorman import Doorman

        house = House(Asking(lake, settings), clock, Watched(live_views(settings, lake)))
        doorman = Doorman(settings.page, place_of(settings), clock) if signed else None
        add_pages(made, house, doorman)
    return made


def people_sign_in(settings: Settings) -> bool:
    """Whether somebody could: there are users, or a proxy that says who somebody is."""
    from lakehouse.serve.signin.users import Users

    return settings.page.user_header is not None or bool(Users(place_of(settings)).all())


def refuse_open(settings: Settings, host: str) -> None:
    """Raises BadInput where others could reach what they should not, or in a way they should
    not."""
    from lakehouse.serve.http.access import is_loopback
    from lakehouse.serve.signin.users import Users

    page, signed = settings.page, people_sign_in(settings)
    _refuse_certificate(page)
    others = f"--host {host}: others could reach it, and"
    if is_loopback(host) and not page.proxies:
        return
    if not signed and not _tokens(settings).all():
        others = "people come by page.proxies, and" if is_loopback(host) else others
        raise BadInput(
            f"{others} there are neither tokens nor users; `lakehouse serve token add` makes a "
            "token, `lakehouse users add` a user"
        )
    if not signed:
        return
    if page.tls_certificate is None and not page.proxies:
        raise BadInput(
            f"{others} passwords would travel in the open; set page.tls_certificate and "
            "page.tls_key, or page.proxies where a proxy sees to TLS"
        )
    if page.origin is None:
        raise BadInput(f"{others} it has to know where; set page.origin to https://…")
    demo = [u.name for u in Users(place_of(settings)).all() if u.is_demo]
    if demo:
        raise BadInput(
            f"the demo's users are for this machine alone, and here others come: remove "
            f"{', '.join(demo)} with `lakehouse users remove`"
        )


def _refuse_certificate(page: PageSettings) -> None:
    import ssl

    if page.tls_certificate is None or page.tls_key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            page.tls_certificate, page.tls_key
        )
    except OSError as error:
        raise BadInput(
            f"page.tls_certificate {page.tls_certificate} and page.tls_key {page.tls_key} are no "
            f"certificate and its key in PEM: {error.strerror}"
        ) from error


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
    from lakehouse.settings import load_settings

    found = _tokens(load_settings()).all()
    if not found:
        typer.echo("no tokens: only this machine gets in", err=True)
        return
    lines(("token", "opens", "made"), ((t.name, t.scopes, t.made) for t in found))


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
    from lakehouse.serve.http.tokens import Tokens

    return Tokens(place_of(settings) / "tokens.json")


def place_of(settings: Settings) -> Path:
    """The folder of the lake's private state."""
    from lakehouse.serve.http.app import place

    return place(settings)


def _generator(settings: Settings, folder: Path) -> Callable[[int], Path]:
    """Writes simulated events into a new file of the folder, named by the time."""
    from lakehouse.commands.caller import now
    from lakehouse.simulate.output import new_clickstream

    return lambda records: new_clickstream(folder, records, now(), settings.timezone)


def _listen(app: FastAPI, host: str, port: int, settings: Settings) -> None:
    """Until Ctrl-C or SIGTERM."""
    import uvicorn

    from lakehouse.commands.stopping import stopping

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        proxy_headers=False,  # the gate knows which proxies are ours
        server_header=False,
        ssl_certfile=settings.page.tls_certificate,
        ssl_keyfile=settings.page.tls_key,
        ws_ping_interval=None,  # socket.io sees to it
    )
    server = uvicorn.Server(config)
    try:
        with stopping():  # the server passes the signal on when it has ended
            server.run()
    except SystemExit as error:
        raise LakehouseError(f"http://{host}:{port} could not be served (see above)") from error


def _said(text: str) -> None:
    typer.echo(text, err=True)
