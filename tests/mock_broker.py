"""Kafka's mock broker, in this process: librdkafka's own, as its client has it inside."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import cimpl

PRODUCER = 0
AT_ONCE_MS = 100
"""So long a new group waits for more members; usually three seconds."""
SESSIONS = {
    kind: {"session.timeout.ms": milliseconds, "heartbeat.interval.ms": "200"}
    for kind, milliseconds in (("mock", "2000"), ("broker", "6000"))
}
"""The mock gives what a member had to others when its session ends, though it said that it left;
a broker allows no shorter sessions than these."""


@contextmanager
def mock_broker() -> Iterator[str]:
    """The address of a cluster of one broker, which ends with the block."""
    library = ctypes.CDLL(cimpl.__file__)
    for name in ("conf_new", "new", "mock_cluster_new"):
        getattr(library, f"rd_kafka_{name}").restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    settings = ctypes.c_void_p(library.rd_kafka_conf_new())
    library.rd_kafka_conf_set(settings, b"log_level", b"0", None, 0)
    client = ctypes.c_void_p(library.rd_kafka_new(PRODUCER, settings, None, 0))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(client, 1))
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, AT_ONCE_MS)
    try:
        yield library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(client)
