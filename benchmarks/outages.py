"""Stores stopped and started under load: what is answered meanwhile, how soon all is well."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from benchmarks.catalogue import ENTITIES
from tests.support.load import Load, Request
from tests.support.portal_client import bearer
from tests.support.portal_stack import PortalStack
from tests.support.production import portal_client, trust

_AWAY_SECONDS = 3
_RECOVERY_SECONDS = 60
_GOOD_ANSWERS = 20
_CONNECTIONS = 16
_PROBES = {
    # What is asked of the store itself, so that no cache answers.
    "redis": "/api/v1/me",
    "postgres": "/api/v1/search?q=orders",
}


@dataclass
class Outage:
    """What one client was answered: statuses while the store was away, the slowest of them."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0
    recovered: float = 0


def measure_outages(stack: PortalStack, token: str) -> bool:
    """Stop and start each store and print the table; whether the portal recovered by itself."""
    port, lines = stack.settings["ports"]["https"], list[str]()
    with portal_client(stack) as client:
        client.headers.update(bearer(token))
        for store, path in _PROBES.items():
            with Load(port, trust(stack), _CONNECTIONS, 8, _reads) as load:
                found = _measure(stack, client, store, path)
            lines += _describe(store, path, found, load)
    print(f"\nStores stopped for {_AWAY_SECONDS} s under load on {_CONNECTIONS} connections")
    print("\n".join(lines))
    return True


def _measure(stack: PortalStack, client: httpx.Client, store: str, path: str) -> Outage:
    outage, container = Outage(), stack.container(store)
    container.stop()
    until = time.monotonic() + _AWAY_SECONDS
    while time.monotonic() < until:
        status, seconds = _ask(client, path)
        outage.statuses[status] += 1
        outage.slowest = max(outage.slowest, seconds)
    container.start()
    outage.recovered = _time_recovery(client, path)
    return outage


def _time_recovery(client: httpx.Client, path: str) -> float:
    """Seconds from the start of the store's container to the first of many good answers."""
    started = since = time.monotonic()
    good = status = 0
    while good < _GOOD_ANSWERS:
        now = time.monotonic()
        if now - started > _RECOVERY_SECONDS:
            raise SystemExit(
                f"{path}: should be answered within {_RECOVERY_SECONDS} s after the store's start "
                f"(got {status} still)."
            )
        status, _ = _ask(client, path)
        since, good = (since if good else now, good + 1) if status == 200 else (now, 0)
    return since - started


def _ask(client: httpx.Client, path: str) -> tuple[int, float]:
    started = time.monotonic()
    status = client.get(path).status_code
    return status, time.monotonic() - started


def _reads(client: int) -> Iterator[Request]:
    """Reads of entities, cached and not."""
    for number in itertools.count(client * ENTITIES // _CONNECTIONS):
        name = f"service-{number % ENTITIES + 1}"
        yield Request("GET", f"/api/v1/entities/component/bench/{name}", 200)


def _describe(store: str, path: str, found: Outage, load: Load) -> Iterator[str]:
    answers = ", ".join(f"{count} x {status}" for status, count in found.statuses.items())
    yield (
        f"{store} away: {path} answered {answers}, the slowest after {found.slowest:.2f} s; "
        f"good again {found.recovered:.2f} s after its start"
    )
    failures = ", ".join(f"{count} x {why}" for why, count in load.failures.items()) or "none"
    yield f"    reads beside it: {load.answered} good, failed: {failures}"
