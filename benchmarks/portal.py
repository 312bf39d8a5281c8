"""What the portal answers in a second through Nginx, against a bare FastAPI in its place.

Portal and bare server take turns behind the same Nginx, over TLS on connections that are kept;
what counts is their ratio, absolute figures are the machine's.
"""

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare_server import PATH, remove_bare, serve_from, start_bare
from benchmarks.catalogue import ENTITIES, fill, reads, searches, writes
from benchmarks.outages import measure_outages
from benchmarks.wrk import CONNECTIONS, Found, find_wrk, run_load
from infra.engine.client import connect
from tests.support.portal_client import bearer
from tests.support.portal_stack import PortalStack
from tests.support.production import portal_client, production_settings

_ROUNDS = 3
_SECONDS = 2
_HOT = 100
_WRITES = 5000
_NO_LIMITS = {
    "anonymous_reads": True,
    "login_attempts_per_minute": 10_000,
    "user_requests_per_minute": 1_000_000,
}
_PASSWORD = "velvet-harbour-thimble"
# Generations too: what a process keeps itself is of one that is gone.
_FORGET = """
import redis
server = redis.Redis.from_url(open("/run/secrets/redis_url").read().strip())
for key in server.scan_iter("cache:*", count=1000):
    server.delete(key)
"""
_GOALS = {"cached read": 0.8, "uncached read": 0.4}


@dataclass(frozen=True)
class Case:
    """A kind of request.

    Parameters
    ----------
    is_cold
        Whether no cache may have the answers.
    """

    name: str
    lines: Callable[[], list[str]]
    signed_in: bool = False
    is_cold: bool = False


_CASES = (
    Case("cached read", lambda: reads(_HOT)),
    Case("cached, signed in", lambda: reads(_HOT), signed_in=True),
    Case("uncached read", reads, is_cold=True),
    Case("search", searches),
    Case("write", lambda: writes(_WRITES), signed_in=True),
)
Pair = tuple[Found, Found]
"""The portal's, and the bare server's next to it."""


def measure() -> bool:
    """Measure with one replica and with two; whether every request got what it asked for."""
    find_wrk()
    with tempfile.TemporaryDirectory() as folder:
        settings = {**production_settings(), "app": {**_NO_LIMITS, "replicas": 1}}
        stack = PortalStack(Path(folder) / "bench", connect(""), settings=settings)
        try:
            stack.up()
            fill(stack)
            token = _sign_in(stack)
            passed = [_measure_replicas(stack, count, token) for count in (1, 2)]
            passed.append(measure_outages(stack, token))
        finally:
            remove_bare(stack)
            stack.remove()
    return all(passed)


def _sign_in(stack: PortalStack) -> str:
    """An administrator's token, past the first change of the password."""
    first = stack.run_in("app", "cat", "/run/secrets/admin_password").strip()
    with portal_client(stack) as client:
        login = {"email": "admin@example.com", "password": first}
        tokens = client.post("/api/v1/auth/login", json=login).raise_for_status().json()
        client.post(
            "/api/v1/auth/password",
            json={"current_password": first, "new_password": _PASSWORD},
            headers=bearer(tokens["access_token"]),
        ).raise_for_status()
        login["password"] = _PASSWORD
        tokens = client.post("/api/v1/auth/login", json=login).raise_for_status().json()
    return tokens["access_token"]


def _measure_replicas(stack: PortalStack, count: int, token: str) -> bool:
    if count > 1:
        stack.configure(app={**stack.settings["app"], "replicas": count})
        stack.up()
    start_bare(stack, count)
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for _ in range(_ROUNDS):
        for case in _CASES:
            serve_from(stack, "bare")
            bare = _load(stack, [f"GET {PATH}"])
            pairs[case.name].append((_load_portal(stack, case, token), bare))
    _print_table(count, pairs)
    return not any(found.refused or found.lost for both in pairs.values() for found, _ in both)


def _load_portal(stack: PortalStack, case: Case, token: str) -> Found:
    serve_from(stack, "app")
    if case.is_cold:
        _forget_answers(stack)
    headers = ["Content-Type: application/json"]
    if case.signed_in:
        headers += [f"{name}: {value}" for name, value in bearer(token).items()]
    found = _load(stack, case.lines(), headers)
    if case.is_cold and found.requests > ENTITIES:
        raise SystemExit(
            f"uncached read: should be of {ENTITIES} entities at most, each once "
            f"(got {found.requests} reads). Add entities."
        )
    return found


def _load(stack: PortalStack, lines: list[str], headers: list[str] | None = None) -> Found:
    url = f"https://127.0.0.1:{stack.settings['ports']['https']}"
    return run_load(url, lines, seconds=_SECONDS, headers=headers or ())


def _forget_answers(stack: PortalStack) -> None:
    [portal, *_] = stack.containers("app")
    code, said = portal.exec_run(["python", "-c", _FORGET])
    assert code == 0, said


def _print_table(replicas: int, pairs: dict[str, list[Pair]]) -> None:
    print(
        f"\n{replicas} replica{'s'[: replicas - 1]}, {CONNECTIONS} connections, medians of"
        f" {_ROUNDS} rounds; ratios are to the bare server next to each\n"
        f"{'':18} {'per second':>11} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>7} {'goal':>6}"
        f" {'p99 ratio':>10} {'failed':>7}"
    )
    bare = [other for both in pairs.values() for _, other in both]
    _print_line("bare FastAPI", bare, "")
    for name, both in pairs.items():
        ratio = _median(mine.per_second / other.per_second for mine, other in both)
        slower = _median(mine.p99_ms / other.p99_ms for mine, other in both)
        goal = _GOALS.get(name, "")
        _print_line(name, [mine for mine, _ in both], f"{ratio:7.2f} {goal:>6} {slower:10.1f}")
    search, cached = (
        _median(mine.p99_ms for mine, _ in pairs[name]) for name in ("search", "cached read")
    )
    print(f"p99 of a search is {search / cached:.1f} times that of a cached read (goal: below 10)")


def _print_line(name: str, found: list[Found], rest: str) -> None:
    per_second = _median(one.per_second for one in found)
    p50, p99 = (_median(getattr(one, key) for one in found) for key in ("p50_ms", "p99_ms"))
    failed = sum(one.refused + one.lost for one in found)
    print(f"{name:18} {per_second:11.0f} {p50:8.1f} {p99:8.1f} {rest or '':25} {failed:7}")


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
