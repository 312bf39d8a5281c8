"""Figures for Prometheus, of this process: each replica is asked for its own."""

import time
from collections.abc import Iterator

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
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.storage.database import Database
from app.storage.redis_server import RedisServer

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """What is counted and measured."""

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
        self._seconds = Histogram(
            "portal_request_seconds",
            "Time from a request to the end of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.running = Gauge(
            "portal_requests_running", "Requests in work.", registry=self._registry
        )

    def watch(self, database: Database, redis: RedisServer) -> None:
        """Tell of the stores too."""
        self._registry.register(_Stores(database, redis))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Stores(Collector):
    def __init__(self, database: Database, redis: RedisServer) -> None:
        self._database = database
        self._redis = redis

    def collect(self) -> Iterator[Metric]:
        """Figures the stores keep themselves."""
        database, redis = self._database, self._redis
        used, size = "portal_database_connections_in_use", "portal_database_connections_limit"
        yield GaugeMetricFamily(used, "Held by requests.", value=database.connections_in_use)
        yield GaugeMetricFamily(size, "As many may be held.", value=database.pool_size)
        errors = CounterMetricFamily(
            "portal_store_errors", "Requests to a store that failed.", labels=("store",)
        )
        errors.add_metric(("postgres",), database.errors)
        errors.add_metric(("redis",), redis.errors)
        yield errors


class RequestMetrics:
    """Measures requests by the route's template: paths would be without number."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.running.inc()
        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            self._metrics.running.dec()
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = getattr(scope.get("route"), "path", None) or _name_other(scope["path"])
            self._metrics.observe(method, route, status, time.perf_counter() - started)


def _name_other(path: str) -> str:
    return "/assets" if path.startswith("/assets/") else "none"
