"""A stack on another engine than the machine's own: all of it there, nothing here."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import certifi
import docker
import httpx
import pytest

from benchmarks.harness.machine import labelled_stacks, tool_environment
from benchmarks.harness.portal_stack import PortalStack
from infra.errors import UserError
from infra.naming import STACK_LABEL
from tests.support.make import run, succeed
from tests.support.packages import apt_get
from tests.support.second_engine import (
    SecondEngine,
    development_there,
    lend_images,
    second_engine,
)
from tests.support.waiting import wait_until_ok
from toolchain.images.machine import find_mirrors

CONTEXT = "second-engine"
_SUITE = "testing"
_PACKAGES = "docker.io,iptables,iproute2"
NEW_PASSWORD = "chosen-for-this-test"
BASES = ("python", "postgres", "redis", "nginx", "adminer", "redis-commander", "prometheus")


@contextmanager
def next_debian() -> Iterator[Path]:
    """The next Debian with its Docker engine, as new as most users', in a folder for its root.

    Docker 28, for one, gives a folder that a COPY makes the mode of its files; Docker 26 does not.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can unpack a Debian")
    if not shutil.which("debootstrap"):
        apt_get("update")
        apt_get("install", "-y", "--no-install-recommends", "debootstrap", "debian-archive-keyring")
    mirror: list[str] = []
    # Without one, as on Ubuntu, debootstrap has its own.
    with suppress(UserError):
        mirror = [find_mirrors(tool_environment()).main]
    folder = Path(tempfile.mkdtemp(prefix="devportal-next-debian-", dir="/var/tmp"))
    options = ("--variant=minbase", f"--include={_PACKAGES}")
    # A mount namespace of its own: killed at any time, it leaves no mount behind.
    command = ["unshare", "--mount", "debootstrap", *options, _SUITE, str(folder), *mirror]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:]
        yield folder
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


@pytest.fixture(scope="module")
def there() -> Iterator[SecondEngine]:
    """A newer one, so that what is made there is what most users get."""
    with next_debian() as root, second_engine(root=root) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def stack(
    there: SecondEngine,
    running_stack: PortalStack,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PortalStack]:
    """Its portal runs the image of the other stack: that engine can download nothing."""
    portal = lend_images(running_stack, there, *BASES)
    folder = tmp_path_factory.mktemp("elsewhere")
    made = PortalStack(
        folder,
        docker.DockerClient(base_url=there.host),
        settings={**development_there(there, portal), "backups": {"enabled": True}},
        engine={"docker:context": CONTEXT},
        variables={
            "DOCKER_CONFIG": str(folder / "docker"),
            # Companies set it; the engine has an authority of its own.
            "REQUESTS_CA_BUNDLE": certifi.where(),
        },
    )
    subprocess.run(
        ["docker", "context", "create", CONTEXT, "--docker", f"host={there.host}"],
        env=made.environment,
        check=True,
    )
    yield made
    made.remove()


def names_at(client: docker.DockerClient, stack: PortalStack) -> set[str]:
    """Whatever an engine holds that is named after the stack, or labelled with it."""
    chosen = {"label": f"{STACK_LABEL}={stack.name}"}
    containers = client.containers.list(all=True, ignore_removed=True)
    names = [str(item.name) for item in containers]
    names += [str(item.name) for item in client.networks.list()]
    names += [str(item.name) for item in client.volumes.list()]
    # Not asked for one by one: others remove some meanwhile.
    names += [tag for image in client.api.images() for tag in image["RepoTags"] or ()]
    labelled = [image["Id"] for image in client.api.images(all=True, filters=chosen)]
    return {name for name in names if stack.name in name} | set(labelled)


def listed(stack: PortalStack) -> set[str]:
    """Names of the containers that `make ps` shows."""
    return {line.split()[0] for line in succeed(stack, "ps").splitlines()[1:]}


def assert_serves(stack: PortalStack, there: SecondEngine) -> None:
    url = stack.output("health_url")
    assert url.startswith(f"http://{there.address}:")
    wait_until_ok(partial(httpx.get, url))


def test_stack_of_a_context_is_all_on_its_engine(
    stack: PortalStack, there: SecondEngine, engine: docker.DockerClient
) -> None:
    succeed(stack, "up")
    assert_serves(stack, there)
    roles = ("adminer", "app", "backups", "postgres", "redis", "redis-commander")
    prefix = f"devportal-{stack.name}"
    assert {c.name for c in stack.containers()} == {f"{prefix}-{role}" for role in roles}
    volumes = {volume.name for volume in stack.client.volumes.list()}
    assert {f"{prefix}-{role}-secrets" for role in roles} <= volumes
    for role in roles:
        assert stack.run_in(role, "ls", "/run/secrets") != ""
    assert names_at(engine, stack) == set()


def test_probes_are_quick_at_the_start_and_rare_afterwards(stack: PortalStack) -> None:
    for container in stack.containers():
        health = container.attrs["Config"]["Healthcheck"]
        assert (health["StartInterval"], health["Interval"]) == (10**9, 30 * 10**9)


def test_targets_act_on_the_engine_of_the_stack(stack: PortalStack, there: SecondEngine) -> None:
    assert listed(stack) == {c.name for c in stack.containers()}
    logs = succeed(stack, "logs", ARGS="--role redis --tail 500")
    assert "redis | " in logs
    assert "Ready to accept connections" in logs
    assert there.host in succeed(stack, "doctor")


def test_context_of_the_environment_means_the_same(stack: PortalStack) -> None:
    stack.engine = {}
    stack.configure()
    given = stack.environment
    # It would outrank the context.
    others = {name: text for name, text in given.items() if name != "DOCKER_HOST"}
    stack.environment = {**others, "DOCKER_CONTEXT": CONTEXT}
    try:
        assert listed(stack) == {c.name for c in stack.containers()}
        assert set(stack.preview(refresh=True)) == {"same"}
    finally:
        stack.environment = given


def test_same_stack_is_reached_over_tcp_with_certificates(
    stack: PortalStack, there: SecondEngine, engine: docker.DockerClient
) -> None:
    before = {c.name: c.id for c in stack.containers()}
    stack.engine = {"docker:host": there.tcp_host, "docker:certPath": str(there.certificates)}
    stack.configure()
    succeed(stack, "up")
    # The images are built again, by the same engine from its cache.
    assert {c.name: c.id for c in stack.containers()} == before
    assert set(stack.preview(refresh=True)) == {"same"}

    command = ("pulumi", "config", "set", "--secret", "--path", "--stack", stack.name)
    set_secret = run(stack, *command, "devportal:secrets.redis_password", NEW_PASSWORD)
    assert set_secret.code == 0, set_secret.err
    succeed(stack, "up")
    assert_serves(stack, there)
    assert NEW_PASSWORD in stack.run_in("app", "cat", "/run/secrets/redis_url")
    assert listed(stack) == set(before)
    assert names_at(engine, stack) == set()


def test_destroy_leaves_nothing_on_either_engine(
    stack: PortalStack, engine: docker.DockerClient
) -> None:
    succeed(stack, "down")
    for client in (engine, stack.client):
        assert names_at(client, stack) == set()
        assert stack.name not in labelled_stacks(client)
