"""The Kafka transport, over librdkafka: an idempotent producer, and groups whose members keep
their partitions while others come and go (cooperative rebalancing).

`settings` are librdkafka's own names: bootstrap.servers, security.protocol, sasl.mechanism,
ssl.ca.location and so on.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import polars as pl

from lakehouse.closing import Closing
from lakehouse.errors import BadInput, LakehouseError, StorageError
from lakehouse.ingest.streams.segments import LARGEST_FRAME
from lakehouse.ingest.streams.topics import (
    READ,
    Batch,
    Begin,
    Ends,
    as_the_group,
    is_new,
    partitions_of,
    placed,
    refuse_name,
    refuse_others,
)

SECONDS = 30.0
"""How long a broker may take to answer."""
_AT_ONCE = 10_000
"""Messages that a call takes out of the client: more cost memory and save nothing."""
_UNKNOWN = -1001
"""Offset of a partition that a group never committed."""


def client() -> ModuleType:
    """Raises BadInput where the extra is not installed."""
    try:
        import confluent_kafka
        import confluent_kafka.admin
    except ModuleNotFoundError as error:
        raise BadInput(
            "topics in Kafka need its client: pip install 'casino-lakehouse[kafka]'"
        ) from error
    module: ModuleType = confluent_kafka
    return module


class Kafka:
    """Topics in a cluster."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        if not settings.get("bootstrap.servers"):
            raise BadInput("topics in Kafka need the setting kafka with bootstrap.servers")
        self._settings = dict(settings)

    def create(self, topic: str, partitions: int) -> None:
        if is_new(topic, partitions, self.topics()):
            new = client().admin.NewTopic(topic, partitions)
            made = self._admin.create_topics([new])
            _answered(f"topic {topic} could not be made", made[topic].result, SECONDS)
            self._wait_for(topic, partitions)

    def _wait_for(self, topic: str, partitions: int) -> None:
        """A broker says that a topic is made before it knows of it itself."""
        until = time.monotonic() + SECONDS
        while self.topics().get(topic) != partitions:
            if time.monotonic() > until:
                raise StorageError(f"topic {topic} was made and is not there after {SECONDS:g} s")
            time.sleep(0.05)

    def topics(self) -> dict[str, int]:
        found = _answered("the broker did not answer", self._admin.list_topics, timeout=SECONDS)
        every = {name: len(about.partitions) for name, about in found.topics.items()}
        return {name: count for name, count in sorted(every.items()) if not name.startswith("__")}

    def identity(self, topic: str) -> str:
        """Empty of a broker before 2.8, which has none."""
        asked = client().TopicCollection([topic])
        told = self._admin.describe_topics(asked, request_timeout=SECONDS)[topic]
        found = _answered(f"topic {topic}: it is not known which one it is", told.result, SECONDS)
        number = found.topic_id
        bits = number.get_most_significant_bits(), number.get_least_significant_bits()
        return str(number) if any(bits) else ""

    def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
        given = placed(messages, self._partitions(topic))
        after: dict[int, int] = {}
        failed: list[str] = []

        def delivered(error: object, message: Any) -> None:
            if error is not None:
                failed.append(str(error))
            else:
                place = message.partition()
                after[place] = max(after.get(place, 0), message.offset() + 1)

        for key, value, place in given.iter_rows():
            self._produce(topic, key, value, place, delivered)
        left = self._producer.flush(SECONDS)
        if failed or left:
            raise StorageError(
                f"topic {topic}: {len(failed) + left} of {len(given)} messages were not taken"
                f"{': ' + failed[0] if failed else f' within {SECONDS:g} s'}"
            )
        return after

    def ends(self, topic: str) -> Ends:
        kafka = client()
        reader = kafka.Consumer(self._settings | {"group.id": "lakehouse-ends"})
        try:
            return {
                p: _answered(
                    f"topic {topic}: its ends are not known",
                    reader.get_watermark_offsets,
                    kafka.TopicPartition(topic, p),
                    timeout=SECONDS,
                )
                for p in range(self._partitions(topic))
            }
        finally:
            reader.close()

    def read(self, topic: str, partition: int, offset: int, most: int) -> pl.DataFrame:
        kafka = client()
        until = min(self.ends(topic)[partition][1], offset + most)
        found: list[Any] = []
        reader = kafka.Consumer(self._settings | {"group.id": "lakehouse-read"})
        try:
            reader.assign([kafka.TopicPartition(topic, partition, offset)])
            while offset < until:
                part = reader.consume(min(until - offset, _AT_ONCE), SECONDS)
                failed = next((m.error() for m in part if m.error() is not None), None)
                if failed is not None or not part:
                    why = failed or f"nothing came within {SECONDS:g} s"
                    raise StorageError(f"topic {topic}: partition {partition} at {offset}: {why}")
                found += part
                offset = part[-1].offset() + 1
        finally:
            reader.close()
        return _frame(found)

    def positions(self, topic: str, group: str) -> dict[int, int]:
        kafka = client()
        reader = kafka.Consumer(self._settings | {"group.id": group})
        asked = [kafka.TopicPartition(topic, p) for p in range(self._partitions(topic))]
        try:
            found = _answered(
                f"group {group}: its place is not known", reader.committed, asked, timeout=SECONDS
            )
        finally:
            reader.close()
        return {place.partition: place.offset for place in found if place.offset != _UNKNOWN}

    def consumer(
        self, topics: tuple[str, ...], group: str, begin: Begin = as_the_group
    ) -> KafkaConsumer:
        refuse_name(group, "group")
        for topic in topics:
            self._partitions(topic)
        return KafkaConsumer(self._settings, topics, group, begin)

    def _partitions(self, topic: str) -> int:
        return partitions_of(topic, self.topics())

    def _produce(self, topic: str, key: bytes, value: bytes, place: int, told: Any) -> None:
        """Waits for room where the client's queue is full."""
        while True:
            try:
                self._producer.produce(topic, value, key, place, on_delivery=told)
            except BufferError:
                self._producer.poll(0.1)
            except client().KafkaException as error:
                raise StorageError(f"topic {topic}: a message was not taken: {error}") from error
            else:
                self._producer.poll(0)
                return

    @functools.cached_property
    def _producer(self) -> Any:
        return client().Producer(
            self._settings | {"enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"}
        )

    @functools.cached_property
    def _admin(self) -> Any:
        return client().admin.AdminClient(self._settings)


class KafkaConsumer(Closing):
    """A member of a group of Kafka's."""

    def __init__(
        self, settings: Mapping[str, str], topics: tuple[str, ...], group: str, begin: Begin
    ) -> None:
        self._begin = begin
        self._failed: Exception | None = None
        self._reader = client().Consumer(
            {
                **settings,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )
        self._reader.subscribe(list(topics), on_assign=self._given)

    def poll(self, most: int, seconds: float) -> list[Batch]:
        parts: dict[tuple[str, int], list[Any]] = defaultdict(list)
        found = self._reader.consume(1, seconds)  # waits for as many as it is asked for
        size = 0
        while found:
            for message in found:
                if message.error() is not None:
                    raise StorageError(f"topic {message.topic()}: {message.error()}")
                parts[message.topic(), message.partition()].append(message)
                size += len(message)
            most -= len(found)
            more = most > 0 and size < LARGEST_FRAME
            found = self._reader.consume(min(most, _AT_ONCE), 0) if more else []
        if self._failed is not None:
            raise self._failed
        return [Batch(*place, _frame(messages)) for place, messages in sorted(parts.items())]

    def assigned(self) -> frozenset[tuple[str, int]]:
        return frozenset((place.topic, place.partition) for place in self._reader.assignment())

    def seek(self, topic: str, partition: int, offset: int) -> None:
        refuse_others(topic, partition, self.assigned())
        self._reader.seek(client().TopicPartition(topic, partition, offset))

    def commit(self, topic: str, partition: int, offset: int) -> None:
        place = client().TopicPartition(topic, partition, offset)
        _answered("the group's place was not noted", self._commit, place)

    def close(self) -> None:
        self._reader.close()

    def _given(self, reader: Any, places: list[Any]) -> None:
        """Partitions that the group gives, from where `begin` says. What is raised in here the
        client would drop."""
        try:
            for place in places:
                begin = self._begin(place.topic, place.partition)
                if begin is not None:
                    place.offset = begin
        except LakehouseError as error:
            self._failed = error
        reader.incremental_assign(places)

    def _commit(self, place: Any) -> None:
        self._reader.commit(offsets=[place], asynchronous=False)


def _frame(messages: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "offset": [m.offset() for m in messages],
            "time": [m.timestamp()[1] for m in messages],
            "key": [m.key() or b"" for m in messages],
            "value": [m.value() or b"" for m in messages],
        },
        schema=READ,
    )


def _answered(otherwise: str, ask: Any, *args: Any, **named: Any) -> Any:
    """What is asked, again while no broker has taken up the partition: one that was just made or
    started tells of what it does not have yet."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            return ask(*args, **named)
        except (client().KafkaException, TimeoutError) as error:
            if not _is_unsettled(error) or time.monotonic() > until:
                raise StorageError(f"{otherwise}: {error}") from error
            time.sleep(0.1)


def _is_unsettled(error: Exception) -> bool:
    kafka = client().KafkaError
    codes = (kafka.NOT_LEADER_FOR_PARTITION, kafka.LEADER_NOT_AVAILABLE)
    return getattr(error.args[0], "code", lambda: None)() in codes if error.args else False
