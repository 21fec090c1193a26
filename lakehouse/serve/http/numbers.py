"""What the way in tells of itself to Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Numbers:
    """Counters of one application, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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
