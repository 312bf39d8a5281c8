"""Requests per second of the portal itself: one worker, signed in, no Nginx in front.

Another portal takes turns with it: an older checkout (`--compare ~/devportal-old`), which runs over
the same stores, or any server that runs already (`--compare http://127.0.0.1:8010/api/v1/items/1`,
with a token in BENCH_TOKEN), such as full-stack-fastapi-template's. What counts is the ratio in one
run; absolute numbers are the machine's.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import redis

from benchmarks.harness.machine import engine_client
from benchmarks.harness.stores import make_database, run_stores
from benchmarks.wrk import CONNECTIONS, Result, find_wrk, run_load
from infra.resources.build_context import ROOT

_ENTITIES = 30_000
_CACHED = 100
_SECONDS = 4
_ROUNDS = 3
_NO_LIMITS = {"USER_REQUESTS_PER_MINUTE": "1000000", "LOGIN_ATTEMPTS_PER_MINUTE": "10000"}
_ADD_TEAM = "insert into team (name, title) values ('bench', 'Bench')"
_ADD_ENTITIES = f"""
insert into entity (kind, namespace, name, title, description, owner_id, tags)
select 'component', 'bench', 'service-' || n, 'Service ' || n, 'Handles orders of region ' || n,
    team.id, array['go', 'critical']
from generate_series(1, {_ENTITIES}) n, team where team.name = 'bench'
"""
_PATHS = [f"/api/v1/entities/component/bench/service-{n}" for n in range(1, _ENTITIES + 1)]
Results = Mapping[str, list[Result]]


def measure(image_source: str, compare: str | None) -> bool:
    """Print a table; whether every request of the portal got its response.

    Parameters
    ----------
    image_source
        A column of docker/base-images.json.
    compare
        A checkout or a URL to take turns with.
    """
    find_wrk()
    results: defaultdict[str, list[Result]] = defaultdict(list)
    with (
        run_stores(engine_client(), *_images(image_source)) as stores,
        make_database(stores, f"bench_{os.getpid()}") as environment,
    ):
        environment = {**environment, **_NO_LIMITS}
        _fill(environment)
        for _ in range(_ROUNDS):
            _measure_portal("portal", ROOT, environment, results)
            if compare and "://" in compare:
                _measure_url(compare, results)
            elif compare:
                _measure_portal("compared", Path(compare).expanduser(), environment, results)
    _print_table(results)
    return not any(run.failed for name in results if "portal" in name for run in results[name])


def _images(source: str) -> tuple[str, str]:
    bases = json.loads((ROOT / "docker" / "base-images.json").read_text())
    return bases["postgres"][source], bases["redis"][source]


def _fill(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "app", "migrate", "create-admin"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)
    with psycopg.connect(environment["MIGRATION_DATABASE_URL"], autocommit=True) as connection:
        for statement in (_ADD_TEAM, _ADD_ENTITIES, "analyze entity"):
            connection.execute(statement.encode())


def _measure_portal(
    name: str, root: Path, environment: Mapping[str, str], results: dict[str, list[Result]]
) -> None:
    with _serve(root, environment) as url:
        token = _sign_in(url, environment["ADMIN_PASSWORD"])
        cached, uncached = _PATHS[:_CACHED], _PATHS[_CACHED:]
        run_load(url, cached, seconds=1, token=token)
        results[f"{name}, cached"].append(run_load(url, cached, seconds=_SECONDS, token=token))
        _clear_cache(environment["REDIS_URL"])
        found = run_load(url, uncached, seconds=_SECONDS, token=token)
        if found.requests > len(uncached):
            raise SystemExit(
                f"uncached: each entity should be read once at most (got {found.requests} reads "
                f"of {len(uncached)}). Add entities."
            )
        results[f"{name}, uncached"].append(found)


def _measure_url(address: str, results: dict[str, list[Result]]) -> None:
    parts = urlsplit(address)
    url, token = f"{parts.scheme}://{parts.netloc}", os.environ.get("BENCH_TOKEN", "")
    results["compared"].append(run_load(url, [parts.path], seconds=_SECONDS, token=token))


@contextmanager
def _serve(root: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """One worker of a checkout on a free port; its URL."""
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", "0", "--no-access-log"]
    server = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        for line in server.stdout:
            _, found, after = line.partition("running on ")
            if found:
                break
        else:
            raise SystemExit(f"{root}: the portal should start (got its end).")
        # A pipe that is not read fills up, and then the server stops.
        threading.Thread(target=deque, args=(server.stdout, 0), daemon=True).start()
        yield after.split()[0]
    finally:
        server.kill()
        server.wait()


def _sign_in(url: str, password: str) -> str:
    login = {"email": "admin@example.com", "password": password}
    response = httpx.post(f"{url}/api/v1/auth/login", json=login, timeout=30)
    return str(response.raise_for_status().json()["access_token"])


def _clear_cache(url: str) -> None:
    server = redis.Redis.from_url(url)
    # Older checkouts keep responses there, for the next process too.
    for key in server.scan_iter("cache:*", count=1000):
        server.delete(key)


def _print_table(results: Results) -> None:
    print(
        f"\n{CONNECTIONS} connections, one worker, signed in; medians of {_ROUNDS} rounds\n"
        f"{'':20} {'per second':>11} {'p50 ms':>8} {'p99 ms':>8} {'failed':>7}"
    )
    for name, runs in results.items():
        per_second, p50, p99 = (
            statistics.median(getattr(run, key) for run in runs)
            for key in ("per_second", "p50_ms", "p99_ms")
        )
        failed = sum(run.failed for run in runs)
        print(f"{name:20} {per_second:11.0f} {p50:8.1f} {p99:8.1f} {failed:7}")
