"""A `make up` or `make down` that is killed in the middle is repaired by the next.

Some kills are tried; `KILLS=all` in the environment tries every point with every victim, and prints
what became of them as a table.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import docker
import httpx
import pytest

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import portal_client, production_settings
from operations.terminal import print_table
from tests.support.kills import (
    ALL,
    VICTIMS,
    Point,
    find_orphans,
    interrupt,
    kill,
    read_state,
    state_file,
)
from tests.support.make import run, succeed
from tests.support.second_engine import (
    SecondEngine,
    development_there,
    lend_images,
    second_engine,
)
from tests.support.waiting import wait_until_ok

Outcome = dict[tuple[str, str], str]

DEVELOPMENT = {
    "image": Point("adminer-image", begun="adminer-image"),
    "network": Point("devportal-network", ("network", "create", "network")),
    "volume": Point("redis-secrets", ("volume", "create", "redis-secrets")),
    "secret files": Point("redis-files", ("container", "extract-to-dir", "helper")),
    "store": Point("postgres", ("container", "create", "postgres")),
    "readiness": Point("redis", begun="redis-readiness"),
    "portal": Point("app", ("container", "create", "app")),
    "state written": Point("redis"),
    "down": Point("", ("container", "die", "app"), target="down"),
}
PRODUCTION = {
    "migration": Point("migrations", ("container", "start", "migrations")),
    "rolling update": Point("app-1", ("container", "create", "app-1")),
    "nginx": Point("nginx", ("container", "create", "nginx")),
    "guard": Point("postgres-data-guard", begun="postgres-data-guard"),
    "backups": Point("backups", ("container", "create", "backups")),
}
EVERYTHING = os.environ.get("KILLS") == "all"
_DEVELOPMENT = (("network", "docker provider"), ("secret files", "dynamic provider"))


def choose(points: Iterable[str], otherwise: Iterable[tuple[str, str]] = ()) -> Any:
    """Marks a test of kills with the trials that it is to make."""
    trials = itertools.product(points, VICTIMS) if EVERYTHING else otherwise
    return pytest.mark.parametrize(("point", "victim"), list(trials))


def try_kill(
    stack: PortalStack,
    outcome: Outcome,
    trial: tuple[str, str],
    point: Point,
    end: Callable[[int], None] | None = None,
) -> None:
    """Kill, repair with the target that was killed, and look for what is left."""
    outcome[trial] = "not converged"
    interrupt(stack, point, end or (lambda root: kill(root, trial[1])))
    if point.target == "down":
        succeed(stack, "down")
        assert find_orphans(stack) == []
    said = succeed(stack, "up")
    removed = said.count(", left by a run that was killed")
    orphans = find_orphans(stack)
    outcome[trial] = f"converged / {len(orphans)} ({removed} removed) / 0"
    assert orphans == []
    assert not read_state(stack).get("pending_operations")
    plan = ("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", stack.name)
    done = run(stack, *plan)
    assert done.code == 0, done.out


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    """What became of each kill; printed as a table at the end."""
    seen: Outcome = {}
    yield seen
    if EVERYTHING:
        capturing: Any = request.config.pluginmanager.getplugin("capturemanager")
        rows = [[*trial, result] for trial, result in seen.items()]
        with capturing.global_and_fixture_disabled():
            print()
            print_table(("point", "victim", "converged / orphans / commands by hand"), *rows)


def test_first_up_that_is_killed_is_repaired_by_the_next(
    empty_stack: PortalStack, outcome: Outcome
) -> None:
    first = Point("", ("container", "create", "app"))
    try_kill(empty_stack, outcome, ("first up", ALL), first)
    assert len(empty_stack.containers()) == 5


@pytest.fixture(scope="module")
def development(empty_stack: PortalStack) -> PortalStack:
    """A stack that is up, with a row of its user's."""
    succeed(empty_stack, "up")
    empty_stack.query("create table kept as select 1")
    return empty_stack


@choose(DEVELOPMENT, _DEVELOPMENT)
def test_killed_run_is_repaired_by_the_next(
    development: PortalStack, outcome: Outcome, point: str, victim: str
) -> None:
    try_kill(development, outcome, (point, victim), DEVELOPMENT[point])
    wait_until_ok(partial(httpx.get, development.output("health_url")))
    if point != "down":
        assert development.query("select count(*) from kept") == "1\n"


def test_attributes_that_a_kill_has_torn_stop_nothing(development: PortalStack) -> None:
    """At every write of the state Pulumi writes them in place, and fails with `EOF` beside such."""
    targets = ("output", "history")
    before = [succeed(development, target) for target in targets]
    attributes = list((development.folder / "state" / ".pulumi").rglob("*.attrs"))
    assert state_file(development).with_suffix(".json.attrs") in attributes
    for path in attributes:
        path.write_bytes(b"")
    done = run(development, "pulumi", "stack", "output", "--stack", development.name)
    assert "EOF" in done.err
    assert [succeed(development, target) for target in targets] == before


@pytest.fixture(scope="module")
def production(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    folder = tmp_path_factory.mktemp("production")
    stack = PortalStack(folder, engine, settings=production_settings())
    succeed(stack, "up")
    stack.query("create table kept as select 1")
    yield stack
    stack.remove()


@choose(PRODUCTION)
def test_killed_update_of_production_is_repaired_by_the_next(
    production: PortalStack, outcome: Outcome, point: str, victim: str
) -> None:
    try_kill(production, outcome, (point, victim), PRODUCTION[point])
    with portal_client(production) as client:
        wait_until_ok(partial(client.get, "/health"))
    assert production.query("select count(*) from kept") == "1\n"


@pytest.fixture(scope="module")
def there() -> Iterator[SecondEngine]:
    with second_engine() as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def elsewhere(
    there: SecondEngine, running_stack: PortalStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    """A stack on an engine that can be killed; its portal runs the image of another stack."""
    # With every base image: the set-up looks for all of them there.
    portal = lend_images(running_stack, there)
    stack = PortalStack(
        tmp_path_factory.mktemp("elsewhere"),
        docker.DockerClient(base_url=there.host),
        settings=development_there(there, portal),
        engine={"docker:host": there.host},
    )
    succeed(stack, "up")
    stack.query("create table kept as select 1")
    yield stack
    stack.remove()


@pytest.mark.parametrize("point", DEVELOPMENT if EVERYTHING else [])
def test_run_whose_engine_is_killed_is_repaired_by_the_next(
    elsewhere: PortalStack, there: SecondEngine, outcome: Outcome, point: str
) -> None:
    def end(root: int) -> None:
        there.kill()
        os.waitid(os.P_PID, root, os.WEXITED | os.WNOWAIT)
        there.restart()

    try_kill(elsewhere, outcome, (point, "engine"), DEVELOPMENT[point], end)
    wait_until_ok(partial(httpx.get, elsewhere.output("health_url")))
    if point != "down":
        assert elsewhere.query("select count(*) from kept") == "1\n"
