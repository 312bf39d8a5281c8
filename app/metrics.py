"""Figures for Prometheus, of this process: each replica is asked for its own."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.types import Scope

from app.storage.database import Database
from app.storage.redis_server import RedisServer

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BOUNDS = (*map(str, _SECONDS), "+Inf")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """What is counted and measured."""

    def __init__(self) -> None:
        self.running = 0
        self._requests = _Requests()
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(self._requests)
        Gauge("portal_requests_running", "Requests in work.", registry=self._registry).set_function(
            lambda: self.running
        )

    def watch(self, database: Database, redis: RedisServer) -> None:
        """Tell of the stores too."""
        self._registry.register(_Stores(database, redis))

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """One answered request, by the route's template: paths would be without number."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = getattr(scope.get("route"), "path", None) or _name_other(scope["path"])
        self._requests.add(method, route, status, seconds)

    def render(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Requests(Collector):
    """Counts and times of requests.

    All of them are told in the event loop, so they need none of the locks that the library's own
    counters take, which cost a request more than what they count.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._slots: dict[tuple[str, str], list[int]] = {}
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._counts[method, route, str(status)] += 1
        self._sums[method, route] += seconds
        slots = self._slots.setdefault((method, route), [0] * (len(_SECONDS) + 1))
        slots[bisect_left(_SECONDS, seconds)] += 1

    def collect(self) -> Iterator[Metric]:
        """What has been added."""
        requests = CounterMetricFamily(
            "portal_requests",
            "Requests that were answered.",
            labels=("method", "route", "status"),
        )
        for labels, count in self._counts.items():
            requests.add_metric(labels, count)
        yield requests
        times = HistogramMetricFamily(
            "portal_request_seconds",
            "Time from a request to the end of its answer.",
            labels=("method", "route"),
        )
        for labels, slots in self._slots.items():
            totals = zip(_BOUNDS, accumulate(slots), strict=True)
            times.add_metric(labels, list(totals), self._sums[labels])
        yield times


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


def _name_other(path: str) -> str:
    return "/assets" if path.startswith("/assets/") else "none"
