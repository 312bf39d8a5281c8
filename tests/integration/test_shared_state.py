"""A team's state: moved to S3 and to PostgreSQL, and one run at a time wherever it lies.

`PAIRS=20` in the environment tries every arrangement of two runs, each so many times.
"""

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import free_ports
from benchmarks.harness.project_copy import copy_project
from benchmarks.harness.stores import Stores
from tests.support.make import run, succeed
from tests.support.waiting import wait_for

PLACES = ("file", "s3", "postgres")
ARRANGEMENTS = [("file", 1), ("s3", 1), ("postgres", 1), ("file", 0)]
"""Where the state lies, and which of two clones the second run comes from."""
if "PAIRS" not in os.environ:
    del ARRANGEMENTS[2:]
Variables = dict[str, str]


@pytest.fixture(scope="module")
def s3() -> Iterator[Variables]:
    """An S3 server with a bucket, as the variables that name it to Pulumi."""
    [port] = free_ports(1)
    url, region = f"http://127.0.0.1:{port}", "us-east-1"
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": region}
    command = [sys.executable, "-m", "moto.server", "--host=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        httpx.put(f"{url}/states").raise_for_status()
        query = f"endpoint={url}&use_path_style=true&region={region}"
        yield {**keys, "PULUMI_BACKEND_URL": f"s3://states?{query}"}
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def places(s3: Variables, stores: Stores) -> dict[str, Variables]:
    """Where a state may lie, as variables laid over those of the stack."""
    database = stores.database_url.replace("postgresql:", "postgres:") + "?sslmode=disable"
    return {"file": {}, "s3": s3, "postgres": {"PULUMI_BACKEND_URL": database}}


@pytest.fixture(scope="module")
def stack(production_stack: PortalStack, places: dict[str, Variables]) -> PortalStack:
    """Production mounts nothing of its clone; its state is moved from each place to the next."""
    given = production_stack.environment
    try:
        for before, after in itertools.pairwise(PLACES):
            move = {"ARGS": f"--file {production_stack.folder}/{after}.state"}
            production_stack.environment = {**given, **places[before]}
            succeed(production_stack, "state-backup", **move)
            production_stack.environment = {**given, **places[after]}
            succeed(production_stack, "state-restore", **move)
    finally:
        production_stack.environment = given
    return production_stack


@pytest.fixture
def clones(stack: PortalStack, tmp_path: Path) -> tuple[Path, Path]:
    """Two clones of one project."""
    copy_project(tmp_path / "clone")
    name = f"Pulumi.{stack.name}.yaml"
    (tmp_path / "clone" / name).write_text((stack.project / name).read_text())
    return stack.project, tmp_path / "clone"


def start(
    stack: PortalStack, clone: Path, place: Variables, *command: str
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*command, f"--stack={stack.name}"],
        cwd=clone,
        env={**stack.environment, **place},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("place", PLACES[1:])
def test_moved_state_is_the_same_stack(
    stack: PortalStack, places: dict[str, Variables], place: str
) -> None:
    """Its secrets open, and nothing is to change."""
    stack.environment, given = {**stack.environment, **places[place]}, stack.environment
    try:
        done = run(
            stack,
            *("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", stack.name),
        )
    finally:
        stack.environment = given
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    ("place", "other"),
    [
        pytest.param(place, other, id=f"{place}, {('one clone', 'two clones')[other]}")
        for place, other in ARRANGEMENTS
        for _ in range(int(os.environ.get("PAIRS", "1")))
    ],
)
def test_second_up_is_told_who_holds_the_stack(
    stack: PortalStack,
    places: dict[str, Variables],
    clones: tuple[Path, Path],
    place: str,
    other: int,
) -> None:
    up = (sys.executable, "-m", "operations", "up")
    pair = [start(stack, clone, places[place], *up) for clone in (clones[0], clones[other])]
    ended = [one.communicate() for one in pair]
    codes = [one.returncode for one in pair]
    assert sorted(codes) == [0, 1], ended
    winner, loser = codes.index(0), codes.index(1)
    assert ended[loser][1].splitlines()[-1] == (
        f"stack {stack.name}: no other run should hold it (got process {pair[winner].pid} of root "
        f"on {socket.gethostname()}). Wait for it, or end it."
    )


def test_run_killed_with_its_state_elsewhere_is_cleared_up_by_the_next(
    stack: PortalStack, places: dict[str, Variables], clones: tuple[Path, Path]
) -> None:
    up = (sys.executable, "-m", "operations", "up")
    killed = start(stack, clones[0], places["s3"], *up)
    listing = urlsplit(places["s3"]["PULUMI_BACKEND_URL"])
    [endpoint] = parse_qs(listing.query)["endpoint"]
    url = f"{endpoint}/{listing.netloc}?prefix=.pulumi/locks"
    wait_for(lambda: f"/{stack.name}/" in httpx.get(url).text)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    out, err = start(stack, clones[1], places["s3"], *up).communicate()
    assert f"stack {stack.name}: clearing up after a run that was killed\n" in out, out + err
    assert f"/{stack.name}/" not in httpx.get(url).text


def test_plain_pulumi_is_refused_by_the_lock_in_the_backend(
    stack: PortalStack, places: dict[str, Variables], clones: tuple[Path, Path]
) -> None:
    """As from another machine."""
    place = "s3"
    refresh = ("pulumi", "refresh", "--yes", "--skip-preview", "--non-interactive")
    first = start(stack, clones[0], places[place], *refresh)
    assert first.stdout is not None
    # Said once it has the lock; of two that ask at the same moment both may be refused.
    assert first.stdout.readline().startswith("Refreshing (")
    second = start(stack, clones[1], places[place], *refresh)
    told, said = ("".join(one.communicate()) for one in (second, first))
    assert (first.returncode, second.returncode) == (0, 1), said + told
    by = rf"locked by 1 lock.*\n.*: created by \w+@\S+ \(pid {first.pid}\)"
    assert re.search(by, told)
