"""Metrics for Prometheus. They are of this process: Prometheus scrapes every replica."""

from collections.abc import Callable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Every metric of one application, in a registry of its own: a process may hold several."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._requests = Counter(
            "portal_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "portal_request_seconds",
            "Time from a request to the end of its response.",
            ("method", "route"),
            buckets=_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self.requests_running = Gauge(
            "portal_requests_running", "Requests in progress.", registry=self._registry
        )
        # Of methods, routes and statuses there are few.
        self._children = cache(self._find_children)
        self.store_errors = Counter(
            "portal_store_errors",
            "Commands to a store that failed.",
            ("store",),
            registry=self._registry,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        requests, request_seconds = self._children(method, route, status)
        requests.inc()
        request_seconds.observe(seconds)

    def _find_children(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        requests = self._requests.labels(method, route, str(status))
        return requests, self._request_seconds.labels(method, route)

    def watch_database_pool(self, in_use: Callable[[], float], limit: int) -> None:
        """Report how many connections to PostgreSQL requests hold, out of how many."""
        Gauge(
            "portal_database_connections_in_use",
            "Connections held by requests.",
            registry=self._registry,
        ).set_function(in_use)
        Gauge(
            "portal_database_connections_limit",
            "Connections that may be held at once.",
            registry=self._registry,
        ).set(limit)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
