"""Which transport a lake's topics have, and which topics there are to be."""

from __future__ import annotations

from pathlib import Path

from lakehouse.ingest.streams.topics import Tell, Transport
from lakehouse.settings import Settings

OUT = ("fraud_alerts", "protection_alerts", "analytics")
"""Topics that leave the lake."""


def transport(settings: Settings, tell: Tell = lambda _: None) -> Transport:
    """Kafka where the setting `kafka` names a cluster, else the log in a folder."""
    if settings.kafka:
        from lakehouse.ingest.streams.kafka import Kafka

        return Kafka(settings.kafka)
    from lakehouse.ingest.streams.log import Log

    return Log(folder(settings), tell=tell, keep_days=settings.topic_days)


def folder(settings: Settings) -> Path:
    """Where the log is."""
    return settings.topics or settings.beside("topics")


def topics_in(settings: Settings) -> dict[str, str]:
    """Topic → the source table that its events are rows of, of the lake's parts of the house."""
    return {c.topic: n for n, c in settings.tables("source").items() if c.topic}


def topics_of(settings: Settings) -> tuple[str, ...]:
    """All topics of a lake: those that come in, then those that go out."""
    return (*topics_in(settings), *OUT)
