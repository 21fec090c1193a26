"""`lakehouse live`: producer, stream and way in over HTTP, started and ended together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.commands.attended import PATIENCE
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_LOOK = 0.1


def register(app: typer.Typer) -> None:
    app.command("live")(live)


def live(
    speed: Annotated[
        str, typer.Option("--speed", metavar="60x", help="Times as fast as events happened.")
    ] = "60x",
    port: Annotated[int, typer.Option("--port", help="Of the way in over HTTP.")] = 8000,
    new_log: Annotated[
        bool,
        typer.Option("--new-log", help="Go on with topics made anew, from their first event."),
    ] = False,
) -> None:
    """Events of the simulated world into topics, topics into the lake, and HTTP: all at once,
    until Ctrl-C or SIGTERM, or this is killed. Each goes on where it was when it is started again.

    `lakehouse stream plant card-testing` in another terminal sends a burst of fraud among them.
    """
    from lakehouse.commands.stopping import stopping
    from lakehouse.ingest.streams.transport import topics_in, topics_of, transport

    settings, _ = opened()
    place = transport(settings, tell=lambda text: typer.echo(text, err=True))
    for topic in topics_of(settings):
        if topic not in place.topics():
            place.create(topic, settings.topic_partitions)
    env = _by_topics(settings, topics_in(settings))
    typer.echo(f"sources: LAKEHOUSE_SOURCES='{env['LAKEHOUSE_SOURCES']}'", err=True)
    # Whoever died at once would leave the others behind.
    with stopping(patient=True) as is_stopped:
        running = {
            "producer": _start(env, "stream", "produce", "--speed", speed),
            "stream": _start(env, "stream", "run", *(["--new-log"] if new_log else [])),
            "HTTP": _start(env, "serve", "--port", str(port)),
        }
        while not is_stopped() and all(p.poll() is None for p in running.values()):
            time.sleep(_LOOK)
        ended = {name: p.returncode for name, p in running.items() if p.poll() is not None}
        _end(running)
    failed = [f"{name} ended with status {status}" for name, status in ended.items()]
    if failed and not is_stopped():
        raise LakehouseError(f"{'; '.join(failed)}; the others were ended")


def _by_topics(settings: Settings, topics: Mapping[str, str]) -> dict[str, str]:
    """The environment in which rows of all tables that have a topic come by it."""
    import json

    sources = settings.sources | dict.fromkeys(topics.values(), "stream")
    return os.environ | {"LAKEHOUSE_SOURCES": json.dumps(sources)}


def _start(env: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C reaches this process, which ends them in order. The pipe is for
    # when this one is killed.
    command = [sys.executable, "-m", "lakehouse.commands.attended", *arguments]
    return subprocess.Popen(command, env=env, start_new_session=True, stdin=subprocess.PIPE)


def _end(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        if process.poll() is None:
            process.terminate()
    for process in running.values():
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
