"""`lakehouse stream run` and `status`: topics into the lake, and how far they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.commands.printing import lines
from lakehouse.commands.stream import GROUP, Topics
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.ingest.streams.topics import Transport
    from lakehouse.ingest.streams.worker import Live
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake


_SHOWN = ("topic", "part", "in lake", "end", "lag", "events/s", "rejected", "last")


@GROUP.command()
def run(
    topics: Topics = None,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when the lake has all that topics hold.")
    ] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", help="That events may wait for others, to a commit.")
    ] = 0.2,
    rows: Annotated[int, typer.Option("--rows", help="Events of a commit at the most.")] = 100_000,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Go on where the log no longer keeps what is lacking."),
    ] = False,
    new_log: Annotated[
        bool,
        typer.Option("--new-log", help="Go on with topics made anew, from their first event."),
    ] = False,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Windows, sessions and alerts of the events.")
    ] = True,
) -> None:
    """Take events into the lake as they come, each once, until Ctrl-C or SIGTERM, which finish
    what is in hand; tell windows, sessions and alerts of them. Several of these share the work.

    Goes on from the offsets that the tables' commits tell, whatever was killed when.
    """
    import os
    import socket

    from lakehouse.commands.caller import now
    from lakehouse.commands.run import prepare
    from lakehouse.commands.stopping import stopping
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.ingest.streams.worker import Limits, Worker

    _refuse_unbounded(seconds, rows)
    settings, lake = opened()
    place = transport(settings, tell=_said)
    tables = _streamed(settings, place, topics)
    prepare(settings)
    _said(f"taking in {', '.join(tables)}; Ctrl-C or SIGTERM ends it")
    name = f"stream-{socket.gethostname()}-{os.getpid()}"
    with stopping() as is_stopped, _following(settings, lake, name, live=live) as follower:
        done = Worker(
            lake,
            settings,
            place,
            tables,
            now,
            name=name,
            tell=_said,
            live=follower,
            limits=Limits(rows=rows, seconds=seconds),
            accept_loss=accept_loss,
            take_new=new_log,
        ).run(is_stopped, until_empty=until_empty)
    _said(
        f"{done.messages:,} events in {done.commits:,} commits: {done.rows:,} to bronze, "
        f"{done.rejects:,} to quarantine"
    )


@contextmanager
def _following(settings: Settings, lake: Lake, name: str, *, live: bool) -> Iterator[Live]:
    """Windows, sessions and alerts, beside the worker, with a lake and a transport of their own."""
    from lakehouse.ingest.streams.beside import Beside
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.ingest.streams.worker import Nothing
    from lakehouse.live.engine import Engine

    if not live:
        yield Nothing()
        return
    own, place = lake.apart(), transport(settings, tell=_said)
    with Beside(Engine(own, settings, place, name=name, tell=_said)) as follower:
        yield follower


def _refuse_unbounded(seconds: float, rows: int) -> None:
    if not 0 <= seconds <= 60:
        raise BadInput(f"--seconds {seconds:g}: 0 to 60 are allowed")
    if not 1 <= rows <= 1_000_000:
        raise BadInput(f"--rows {rows}: 1 to 1,000,000 are allowed")


@GROUP.command()
def status(
    topics: Topics = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """How far topics are in the lake: offset, end, lag, events a second of the last minute,
    events in quarantine, last commit."""
    from lakehouse.commands.caller import now
    from lakehouse.ingest.streams.status import status as found_of
    from lakehouse.ingest.streams.transport import transport

    settings, lake = opened()
    place = transport(settings, tell=_said)
    at = now()
    found = found_of(lake, place, _streamed(settings, place, topics), at)
    if as_json:
        typer.echo(found.write_json())
        return
    told = []
    for topic, partition, _, *numbers, last in found.iter_rows():
        told.append((topic, partition, *numbers, _moment(last, at)))
    lines(_SHOWN, told)


def _moment(last: dt.datetime | None, now: dt.datetime) -> str:
    if last is None:
        return "never"
    is_near = now - last < dt.timedelta(hours=12)
    return f"{last:%H:%M:%S}" if is_near else f"{last:%Y-%m-%d}"


def _streamed(settings: Settings, place: Transport, topics: str | None) -> dict[str, str]:
    """Topic → table, of those asked for or all whose rows come by topics. Raises BadInput for
    one whose rows come otherwise, and for one that nobody made."""
    from lakehouse.ingest.streams.transport import topics_in

    known = topics_in(settings)
    streamed = {topic: table for topic, table in known.items() if table in settings.streamed()}
    how = """set the sources of tables, such as LAKEHOUSE_SOURCES='{"clickstream": "stream"}'"""
    if not streamed:
        raise BadInput(f"no table's source is stream; {how}")
    asked = list(streamed) if topics is None else [t.strip() for t in topics.split(",")]
    for topic in asked:
        if topic not in known:
            raise BadInput(f"--topics {topic!r}: events come in by {', '.join(known)}")
        if topic not in streamed:
            table = known[topic]
            raise BadInput(f"the source of {table} is the {settings.source_of(table)}; {how}")
        if topic not in place.topics():
            raise BadInput(f"nobody made the topic {topic}; `lakehouse topics create` does")
    return {topic: known[topic] for topic in asked}


def _said(text: str) -> None:
    typer.echo(text, err=True)
