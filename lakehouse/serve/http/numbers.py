"""What the way in tells of itself to Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.serve.monitor.registry import Reading

_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
TYPE = "text/plain; version=0.0.4; charset=utf-8"


Signals = Callable[[], Sequence[Reading]]
"""What the monitor reads now, or read shortly ago."""


class Numbers:
    """Counters of one application, in a registry of its own, and the monitor's signals."""

    def __init__(self, signals: Signals = list) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Gauges(signals))
        self.requests = Counter(
            "lakehouse_http_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "lakehouse_http_seconds", "Time to an answer.", ("route",), registry=self._registry
        )
        self.events = Counter(
            "lakehouse_events_taken", "Events in the log.", ("topic",), registry=self._registry
        )
        self.groups = Counter(
            "lakehouse_groups_written", "Writes to the log.", ("topic",), registry=self._registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in _METHODS else "other"
        self.requests.labels(known, route, status).inc()
        self.seconds.labels(route).observe(seconds)

    def took(self, topic: str, events: int) -> None:
        self.events.labels(topic).inc(events)
        self.groups.labels(topic).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Gauges(Collector):
    """Values and levels of signals, as they are when somebody asks."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        by = ("signal", "subject")
        value = GaugeMetricFamily("lakehouse_signal", "Read.", labels=(*by, "unit"))
        level = GaugeMetricFamily(
            "lakehouse_signal_level", f"0, 1, 2: {', '.join(LEVELS)}.", labels=by
        )
        for one in self._signals():
            level.add_metric((one.signal, one.subject), LEVELS.index(one.level))
            if one.value is not None:
                value.add_metric((one.signal, one.subject, one.unit), one.value)
        yield from (value, level)
