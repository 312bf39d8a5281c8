"""The official way: base images pulled from a registry, under the official images' names.

The registry is one of the test's own, on loopback. What it serves is built from the stand-ins, with
the shell and the programs of Alpine, which the official images have (except for Python's).
"""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import docker
import pytest

from benchmarks.harness.portal_stack import DEVELOPMENT, PortalStack
from benchmarks.harness.production import free_ports, portal_client, production_settings
from infra.resources.image import name_in_registry
from tests.support.registry import run_registry
from tests.support.waiting import wait_until_ok
from toolchain.images.recipes import Recipe, load_recipes

MakeStack = Callable[[dict[str, Any]], PortalStack]
ALPINE = """\
FROM {base}
USER 0:0
RUN install-packages busybox && for applet in $(busybox --list); do \\
    busybox ln -sf /usr/bin/busybox "/usr/bin/$applet"; done
"""
# As its own image removes them.
HARDENED = "RUN cd /usr/bin && rm chgrp chmod chown od su && rm ln\n"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a registry that serves every official base image."""
    folder = tmp_path_factory.mktemp("registry")
    with run_registry(folder, f"127.0.0.1:{free_ports(1)[0]}") as opened:
        for recipe in load_recipes():
            push_as_official(recipe, opened.address)
        yield opened.address


def push_as_official(recipe: Recipe, address: str) -> None:
    """Build it, push it, and remove it from the engine, which then has to pull it."""
    text = f"FROM {recipe.name}\n"
    if recipe.role != "python":
        text = ALPINE.format(base=recipe.name)
    if recipe.role == "redis-commander":
        text += HARDENED
    name = name_in_registry(recipe.official, address)
    build = ["docker", "build", "--network", "host", "--tag", name, "-"]
    for command in (build, ["docker", "push", name], ["docker", "image", "rm", name]):
        subprocess.run(command, input=text.encode(), check=True, capture_output=True)


@pytest.fixture(scope="module")
def stack_of(
    registry: str, engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeStack]:
    made: list[PortalStack] = []

    def make(settings: dict[str, Any]) -> PortalStack:
        official = {"image_source": "official", "image_registry": registry}
        folder = tmp_path_factory.mktemp("official")
        made.append(PortalStack(folder, engine, settings={**settings, **official}))
        return made[-1]

    yield make
    for stack in made:
        stack.remove()


def test_development_runs_on_the_official_images(stack_of: MakeStack) -> None:
    stack = stack_of(DEVELOPMENT)
    stack.up()
    assert set(stack.preview(refresh=True)) == {"same"}


def test_production_runs_rolls_and_backs_up_on_the_official_images(stack_of: MakeStack) -> None:
    stack = stack_of(production_settings())
    stack.up()
    stack.configure(app={**stack.settings["app"], "version": "2"})
    stack.up()
    name = stack.run_in("backups", "backups", "take").strip()
    assert stack.run_in("backups", "backups", "check", name) == f"{name}: can be restored\n"
    with portal_client(stack) as client:
        wait_until_ok(partial(client.get, "/health"))
    versions = [app.exec_run(["printenv", "APP_VERSION"]).output for app in stack.containers("app")]
    assert versions == [b"2\n"] * 2
