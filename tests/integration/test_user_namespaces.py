"""A production stack on an engine of its own that maps users, and through that engine's restart."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import DOMAIN, production_settings
from tests.support.restarts import wait_until_healthy
from tests.support.second_engine import (
    FIRST_UID,
    SecondEngine,
    base_images,
    lend_images,
    second_engine,
)

BASES = ("postgres", "redis", "nginx")
HEALTH_SECONDS = 120
DOCKERFILE = """
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
USER 0:0
COPY --chown=0:0 . /to/
RUN touch /to/folder/another
"""


@pytest.fixture(scope="module")
def remapping_engine() -> Iterator[SecondEngine]:
    with second_engine(maps_users=True) as made:
        yield made


@pytest.fixture(scope="module")
def remapped_stack(
    remapping_engine: SecondEngine,
    production_stack: PortalStack,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PortalStack]:
    """Its portal runs the image of the other stack: nothing can be downloaded from here."""
    client = remapping_engine.start()
    portal = lend_images(production_stack, remapping_engine, *BASES)
    made = PortalStack(
        tmp_path_factory.mktemp("remapped"),
        client,
        settings={**production_settings(), "app": {"image": portal}},
        variables={"DOCKER_HOST": remapping_engine.host},
    )
    made.up()
    yield made
    made.remove()


def host_uid(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("\nUid:")[2].split()[0])


def ask_nginx(stack: PortalStack) -> str:
    """Status of the portal's health as a client sees it, from where only this engine reaches."""
    address = f"{DOMAIN}:8443:127.0.0.1"
    return stack.run_in(
        "nginx",
        *("curl", "--silent", "--insecure", "--resolve", address, "--output", "/dev/null"),
        *("--write-out", "%{http_code}", f"https://{DOMAIN}:8443/health"),
    )


def test_no_process_of_the_stack_is_a_user_of_the_host(remapped_stack: PortalStack) -> None:
    running = [c for c in remapped_stack.containers() if c.status == "running"]
    found = {c.name: host_uid(c.attrs["State"]["Pid"]) - FIRST_UID for c in running}
    expected = {c.name: int(c.attrs["Config"]["User"].split(":")[0]) for c in running}
    assert len(found) == 6
    assert found == expected


def test_portal_answers_and_nothing_differs_afterwards(remapped_stack: PortalStack) -> None:
    assert ask_nginx(remapped_stack) == "200"
    assert set(remapped_stack.refresh()) == set(remapped_stack.preview()) == {"same"}


def test_image_builds_and_owns_what_it_copies(remapped_stack: PortalStack, tmp_path: Path) -> None:
    """As the base images are built, and with the owner that every Dockerfile names."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    name = f"devportal-{remapped_stack.name}-owner"
    arguments = ["--build-arg", f"BASE_IMAGE={base_images(*BASES)[0]}", "--tag", name]
    subprocess.run(
        ["docker", "build", *arguments, tmp_path],
        env={**os.environ, **remapped_stack.variables},
        check=True,
    )
    said = remapped_stack.client.containers.run(
        name,
        ["-c", "%u:%g", "/to", "/to/folder", "/to/folder/file"],
        entrypoint="stat",
        remove=True,
    )
    assert said.decode().split() == ["0:0"] * 3


def test_stack_comes_back_by_itself_after_the_engines_restart(
    remapped_stack: PortalStack, remapping_engine: SecondEngine
) -> None:
    before = {str(container.id) for container in remapped_stack.containers()}
    remapped_stack.query("create table kept as select 1")
    remapping_engine.stop()
    remapped_stack.client = remapping_engine.start()
    started = time.monotonic()
    wait_until_healthy(remapped_stack, HEALTH_SECONDS)
    print(f"healthy {time.monotonic() - started:.1f} s after the engine")
    assert {str(container.id) for container in remapped_stack.containers()} == before
    assert remapped_stack.query("select count(*) from kept").strip() == "1"
    assert ask_nginx(remapped_stack) == "200"
    assert set(remapped_stack.preview(refresh=True)) == {"same"}
