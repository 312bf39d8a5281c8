"""Every container of production against the CIS Docker Benchmark; every image against its rules."""

import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest
from docker.models.containers import Container
from docker.types import Mount, Ulimit

from benchmarks.harness.portal_stack import PortalStack
from tests.support.cis import RULES, Subject, broken_rules

# Broken where the engine's kernel does not have them.
NEEDED = {"5.2": "name=apparmor", "5.3": "name=selinux"}
PUBLISHED = {"nginx": frozenset({"8080/tcp", "8443/tcp"})}
ROLES = ["adminer", "app", "backups", "nginx", "postgres", "redis", "redis-commander"]
LABELS = ("title", "description", "version", "base.name")
# Each line that it prints is a finding. Root sees every file; nothing of the image is run. What
# lies below root's home is told from there.
LOOK = """
find / -xdev -type f -perm /6000
for name in cc c89 c99 gcc g++ cpp clang tcc as ld make cargo rustc go javac; do
    command -v "$name"
done
find /var/cache/apt/archives /var/lib/apt/lists /var/cache/apk /etc/apk/cache /home \
    -type f ! -name lock 2>/dev/null
cd ~root || exit
find .cache .npm -type f ! -name lock 2>/dev/null
true
"""


def broken_by(client: docker.DockerClient, container: Any, role: str) -> set[str]:
    """Rules that a container breaks."""
    container.reload()
    image = client.images.get(container.attrs["Image"])
    return broken_rules(Subject(container.attrs, image.attrs, PUBLISHED.get(role, frozenset())))


@contextmanager
def created(
    client: docker.DockerClient, image: str, command: list[str], **options: Any
) -> Iterator[Container]:
    """A container, not started, that goes with the volumes that its image declares."""
    container = client.containers.create(image, command, **options)
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


@pytest.fixture
def bare_image(engine: docker.DockerClient) -> Iterator[str]:
    """An image with nothing in it: no user, no health check, no file."""
    name = f"devportal-bare-{os.getpid()}"
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    engine.api.import_image_from_data(buffer.getvalue(), repository=name, tag="1")
    yield f"{name}:1"
    engine.images.remove(f"{name}:1")


def test_every_container_of_production_keeps_the_rules(production_stack: PortalStack) -> None:
    client = production_stack.client
    options = {option.split(",")[0] for option in client.info()["SecurityOptions"]}
    # on-failure does not bring a container back after the engine's restart.
    exempt = {"5.15", *(rule for rule, option in NEEDED.items() if option not in options)}
    found = {
        (role := str(container.attrs["Config"]["Hostname"])): broken_by(client, container, role)
        for container in production_stack.containers()
    }
    expected = dict.fromkeys(("app-1", "app-2", "backups", "nginx", "postgres", "redis"), exempt)
    # A job that ends has no health; `up` waits for its end.
    assert found == {**expected, "migrations": {"5.27", *exempt}}


def test_every_rule_finds_the_container_that_breaks_it(
    engine: docker.DockerClient, bare_image: str
) -> None:
    with (
        created(
            engine,
            bare_image,
            ["none"],
            privileged=True,
            network_mode="host",
            pid_mode="host",
            ipc_mode="host",
            uts_mode="host",
            userns_mode="host",
            devices=["/dev/null:/dev/null"],
            ulimits=[Ulimit(name="nofile", soft=10, hard=10)],
            cgroup_parent="/elsewhere",
            cap_add=["NET_ADMIN"],
            security_opt=["seccomp=unconfined", "apparmor=unconfined", "label=disable"],
            volumes=["/var/run/docker.sock:/var/run/docker.sock"],
            mounts=[Mount("/host", "/etc", type="bind", propagation="rshared")],
        ) as unconfined,
        created(engine, bare_image, ["none"], ports={"80/tcp": ("0.0.0.0", 80)}) as published,
    ):
        broken = [broken_by(engine, made, "bad") for made in (unconfined, published)]
    assert set.union(*broken) == set(RULES)


def image_of(role: str, request: pytest.FixtureRequest) -> str:
    """The image of production; of development for what runs only there."""
    fixture = "running_stack" if role in ("adminer", "redis-commander") else "production_stack"
    stack: PortalStack = request.getfixturevalue(fixture)
    return str(stack.containers(role)[0].attrs["Image"])


def look_into(client: docker.DockerClient, image: str, first: str = "") -> list[str]:
    command = ["-c", first + LOOK]
    with created(
        client, image, command, entrypoint="sh", user="0:0", network_disabled=True
    ) as container:
        container.start()
        assert container.wait()["StatusCode"] == 0, container.logs().decode()
        return sorted(set(container.logs(stderr=False).decode().splitlines()))


@pytest.mark.parametrize("role", ROLES)
def test_image_holds_no_setuid_file_no_compiler_and_no_package_cache(
    role: str, engine: docker.DockerClient, request: pytest.FixtureRequest
) -> None:
    assert look_into(engine, image_of(role, request)) == []


def test_look_into_an_image_finds_what_it_looks_for(production_stack: PortalStack) -> None:
    plant = (
        "cp /bin/sh /usr/local/bin/gcc && chmod 6755 /usr/local/bin/gcc && "
        "mkdir -p ~root/.cache /var/lib/apt/lists && touch ~root/.cache/wheel "
        "/var/lib/apt/lists/index\n"
    )
    image = production_stack.image_id("redis")
    assert look_into(production_stack.client, image, first=plant) == [
        ".cache/wheel",
        "/usr/local/bin/gcc",
        "/var/lib/apt/lists/index",
    ]


@pytest.mark.parametrize("role", ROLES)
def test_image_tells_what_it_is(
    role: str, engine: docker.DockerClient, request: pytest.FixtureRequest
) -> None:
    labels = engine.images.get(image_of(role, request)).labels
    missing = [name for name in LABELS if not labels.get(f"org.opencontainers.image.{name}")]
    assert missing == []
