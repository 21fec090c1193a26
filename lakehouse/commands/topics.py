"""`lakehouse topics`: make them, and see what is in them and who has read how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from lakehouse.commands.printing import lines
from lakehouse.errors import BadInput

_HELP = {"help_option_names": ["-h", "--help"]}
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def register(app: typer.Typer) -> None:
    topics = typer.Typer(
        help="Topics that events come and go by: a log in a folder, or Kafka (setting kafka).",
        no_args_is_help=True,
        context_settings=_HELP,
    )
    topics.command("create")(create)
    topics.command("list")(list_)
    topics.command("describe")(describe)
    topics.command("lag")(lag)
    app.add_typer(topics, name="topics")


def create(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC…]")] = None,
    partitions: Annotated[
        int | None, typer.Option("--partitions", help="Of each; by default topic_partitions.")
    ] = None,
) -> None:
    """Make the topics of this lake, or those named; one that is there stays as it is."""
    from lakehouse.ingest.streams.transport import topics_of, transport
    from lakehouse.settings import load_settings

    settings = load_settings()
    count = settings.topic_partitions if partitions is None else partitions
    place = transport(settings, tell=_said)
    for name in names or topics_of(settings):
        place.create(name, count)
        typer.echo(f"{name}: {count} partitions", err=True)


def list_(as_json: Json = False) -> None:
    """Topics, the table that each one's events are rows of, partitions and messages."""
    from lakehouse.ingest.streams.transport import topics_in, transport
    from lakehouse.settings import load_settings

    settings = load_settings()
    place, tables = transport(settings, tell=_said), topics_in(settings)
    found = []
    for name, count in place.topics().items():
        kept = sum(after - first for first, after in place.ends(name).values())
        found.append(
            {"topic": name, "table": tables.get(name, ""), "partitions": count, "messages": kept}
        )
    _show(found, as_json=as_json, otherwise="no topics; `lakehouse topics create` makes them")


def describe(name: Annotated[str, typer.Argument(metavar="TOPIC")], as_json: Json = False) -> None:
    """The partitions of a topic: the first offset that is kept, the next one, and how many lie
    between them."""
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.settings import load_settings

    ends = transport(load_settings(), tell=_said).ends(name)
    found = [
        {"partition": p, "first": first, "next": after, "messages": after - first}
        for p, (first, after) in sorted(ends.items())
    ]
    _show(found, as_json=as_json, otherwise="")


def lag(
    group: Annotated[str, typer.Argument(metavar="GROUP")],
    topic: Annotated[str | None, typer.Option("--topic", help="Of this topic alone.")] = None,
    as_json: Json = False,
) -> None:
    """How many messages a group of readers is behind, by topic and partition."""
    from lakehouse.ingest.streams.topics import refuse_name
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.settings import load_settings

    refuse_name(group, "group")
    place = transport(load_settings(), tell=_said)
    found = []
    for name in [topic] if topic else place.topics():
        done = place.positions(name, group)
        for p, (first, after) in sorted(place.ends(name).items()) if done or topic else ():
            at = done.get(p, first)
            found.append(
                {"topic": name, "partition": p, "done": at, "next": after, "lag": after - at}
            )
    if not found:
        raise BadInput(f"no group {group!r} has read a topic here")
    _show(found, as_json=as_json, otherwise="")


def _show(rows: Sequence[Mapping[str, object]], *, as_json: bool, otherwise: str) -> None:
    if as_json:
        import json

        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo(otherwise, err=True)
        return
    lines(rows[0], (row.values() for row in rows))


def _said(text: str) -> None:
    typer.echo(text, err=True)
