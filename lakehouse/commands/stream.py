"""`lakehouse stream`: events of the simulated world into topics, and fraud among them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.ingest.streams.pace import Pace
    from lakehouse.ingest.streams.produce import Told
    from lakehouse.ingest.streams.produced import Produced
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

NOTE = "produced.json"
"""How far events were produced, in the folder of the topics."""
_NONE = "events come in by online, platform and shop, and the setting domains has none of them"
_NEEDED = "give one of --rate EVENTS, --speed TIMESx and --as-fast"

GROUP = typer.Typer(
    help="Events: produce them, plant fraud among them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Topics = Annotated[
    str | None, typer.Option("--topics", metavar="A,B", help="Topics; by default all that come in.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(GROUP, name="stream")


@GROUP.command()
def produce(
    topics: Topics = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Events a second.")] = None,
    speed: Annotated[
        str | None, typer.Option("--speed", metavar="60x", help="Times as fast as they happened.")
    ] = None,
    as_fast: Annotated[bool, typer.Option("--as-fast", help="As fast as the log takes.")] = False,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First gaming day.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last one; without it, no end.")
    ] = None,
    until: Annotated[int | None, typer.Option("--until", help="Events at the most.")] = None,
) -> None:
    """Send what happens in the simulated world into topics, as its sources would.

    Goes on after the last event that the log took, and sends none twice, however it ended: by
    --to, --until, Ctrl-C, SIGTERM or kill -9. What was planted stands in the lake's truth.
    """
    pace = _pace(rate, speed, as_fast=as_fast)
    first = None if from_ is None else parse_day(from_, "--from")
    last = None if to is None else parse_day(to, "--to")
    if until is not None and until < 1:
        raise BadInput(f"--until {until}: at least 1 event is needed")
    settings, lake = opened()
    done = _produced(settings, lake, _tables(settings, topics), pace, (first, last, until))
    _say_end(done, rate)


def _produced(
    settings: Settings,
    lake: Lake,
    tables: dict[str, str],
    pace: Pace,
    asked: tuple[dt.date | None, dt.date | None, int | None],
) -> Told:
    """Produces from the first to the last day asked for, or so many events, alone."""
    import time

    from lakehouse.commands.planted import ToldDays
    from lakehouse.commands.stopping import stopping
    from lakehouse.ingest.streams.produce import Producer, begun
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.locks import locked
    from lakehouse.simulate.arrivals import Arrivals
    from lakehouse.simulate.world import world_of

    first, last, until = asked
    place, world = transport(settings, tell=_said), world_of(settings)
    for topic in tables:
        if topic not in place.topics():
            place.create(topic, settings.topic_partitions)
    path = _note(settings).path
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_suffix(".lock"), "events are produced", wait_seconds=0):
        note = _note(settings)
        begun(note, place, tables, first, settings.start)
        _say_places(note, tables)
        since = {table: note.places[t].since for t, table in tables.items()}
        days = ToldDays(lake, world, Arrivals(world, since))
        with stopping() as is_stopped:
            return Producer(
                place,
                tables,
                days,
                note,
                pace,
                time.monotonic,
                time.sleep,
                on_day=days.tell,
                tell=_progress,
                is_stopped=is_stopped,
            ).run(last, until)


@GROUP.command()
def plant(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Such as card-testing.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="Account that it happens to.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="MOMENT", help="When it ends; by default now.")
    ] = None,
    intensity: Annotated[float, typer.Option(help="1 blatant, near 0 faint.")] = 1.0,
    look_alike: Annotated[
        bool, typer.Option("--look-alike", help="Honest shopping that resembles it instead.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Show the kinds.")] = False,
) -> None:
    """Send a burst of fraud into the shop's topics now, and tell of it in the lake's truth.

    Its last event happens at the moment that the producer has come to, or where none has run
    now. What was planted is told first: a kill in between leaves a plant without events.
    """
    from lakehouse.commands.planted import tell_burst
    from lakehouse.ingest.streams.messages import messages_of
    from lakehouse.ingest.streams.transport import topics_in, transport
    from lakehouse.regulation.gaming_day import gaming_day_of
    from lakehouse.simulate.shop.burst import Burst, burst
    from lakehouse.simulate.shop.cases import KINDS
    from lakehouse.simulate.world import world_of

    if list_ or kind is None:
        typer.echo("\n".join(KINDS).replace("_", "-"))
        return
    if not 0 < intensity <= 1:
        raise BadInput(f"--intensity {intensity:g}: more than 0 and at most 1 is allowed")
    settings, lake = opened()
    if not settings.has("shop_orders"):
        raise BadInput("fraud is planted in the shop, and the setting domains is without it")
    place, world, ends = transport(settings, tell=_said), world_of(settings), _moment(settings, at)
    topic_of = {table: topic for topic, table in topics_in(settings).items()}

    def made(number: int) -> Burst:
        return burst(
            world,
            str(kind).replace("-", "_"),
            ends,
            number,
            user=user,
            intensity=intensity,
            is_look_alike=look_alike,
        )

    made(0)
    found = tell_burst(lake, gaming_day_of(ends, settings.timezone), made)
    for table, rows in found.rows.items():
        if topic_of[table] not in place.topics():
            place.create(topic_of[table], settings.topic_partitions)
        place.send(topic_of[table], messages_of(table, rows))
    told = ", ".join(f"{len(rows)} {topic_of[t]}" for t, rows in found.rows.items())
    typer.echo(f"{kind} of {found.account}: {told}, up to {ends:%Y-%m-%d %H:%M:%S} UTC")


def _pace(rate: float | None, speed: str | None, *, as_fast: bool) -> Pace:
    import time

    from lakehouse.ingest.streams.pace import AsFast, Rate, Speed

    if (rate is not None) + (speed is not None) + as_fast != 1:
        raise BadInput(_NEEDED)
    if rate is not None:
        if not 0 < rate <= 1e9:
            raise BadInput(f"--rate {rate:g}: more than 0 events a second are allowed")
        return Rate(rate, time.monotonic)
    if speed is None:
        return AsFast()
    try:
        times = float(speed.removesuffix("x"))
    except ValueError as error:
        raise BadInput(f"--speed {speed!r}: write it as 60x") from error
    if not 0 < times <= 1e9:
        raise BadInput(f"--speed {speed}: more than 0x is allowed")
    return Speed(times, time.monotonic)


def _tables(settings: Settings, topics: str | None) -> dict[str, str]:
    """Topic → table, of those asked for."""
    from lakehouse.ingest.streams.transport import topics_in

    known = topics_in(settings)
    if not known:
        raise BadInput(_NONE)
    asked = list(known) if topics is None else [t.strip() for t in topics.split(",")]
    unknown = [t for t in asked if t not in known]
    if unknown:
        raise BadInput(f"--topics {unknown[0]!r}: events come in by {', '.join(known)}")
    return {topic: known[topic] for topic in known if topic in asked}


def _note(settings: Settings) -> Produced:
    from lakehouse.ingest.streams.produced import read
    from lakehouse.ingest.streams.transport import folder

    s = settings
    world = {"seed": s.seed, "start": str(s.start), "scale": s.scale, "timezone": s.timezone}
    world |= {"profile": s.profile, "faults": s.faults}
    world["kafka"] = s.kafka.get("bootstrap.servers", "")
    return read(folder(settings) / NOTE, world)


def _moment(settings: Settings, at: str | None) -> dt.datetime:
    from lakehouse.commands.caller import now
    from lakehouse.ingest.streams.produced import clock
    from lakehouse.ingest.streams.transport import folder

    if at is None:
        return clock(folder(settings) / NOTE) or now()
    try:
        moment = dt.datetime.fromisoformat(at)
    except ValueError as error:
        raise BadInput(f"--at {at!r}: write it as 2025-01-31T15:00:00Z") from error
    if moment.tzinfo is None:
        raise BadInput(f"--at {at!r} needs its offset, such as {at}Z")
    return moment.astimezone(dt.UTC)


def _say_places(note: Produced, tables: dict[str, str]) -> None:
    for topic in tables:
        place = note.places[topic]
        if place.total:
            typer.echo(
                f"{topic}: goes on after {place.total:,} events, {place.sent:,} of them of "
                f"{place.day}",
                err=True,
            )


def _progress(told: Told) -> None:
    import sys

    at = f"{told.at:%Y-%m-%d %H:%M:%S}" if told.at else ""
    text = f"{told.events:,} events, {told.rate:,.0f} a second, at {at} UTC"
    end = "\r" if sys.stderr.isatty() else "\n"
    typer.echo(text.ljust(79) + end if end == "\r" else text, nl=end == "\n", err=True)


def _say_end(done: Told, rate: float | None) -> None:
    asked = f" of {rate:,.6g} asked" if rate is not None else ""
    at = f", up to {done.at:%Y-%m-%d %H:%M:%S} UTC" if done.at else ""
    typer.echo(
        f"{done.events:,} events in {done.seconds:,.1f} s, {done.rate:,.1f} a second{asked}{at}"
    )


def _said(text: str) -> None:
    typer.echo(text, err=True)
