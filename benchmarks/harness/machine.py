"""The machine under the tests: the set-up's tools, the engine, and what earlier runs left."""

import os
import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import Any

import docker
from docker.errors import NotFound

from infra.engine.address import resolve_engine
from infra.engine.client import connect
from infra.naming import STACK_LABEL
from infra.resources.build_context import ROOT

TEST_STACK_PREFIX = "test-"


@cache
def tool_environment() -> dict[str, str]:
    """The variables `activate` exports; the set-up, and the engine's start, come first."""
    subprocess.run([sys.executable, "-m", "operations", "setup"], cwd=ROOT, check=True)
    shown = subprocess.run(
        ["sh", "-c", ". ./activate >/dev/null && env -0"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    variables = dict(line.split("=", 1) for line in shown.split("\0") if "=" in line)
    # Of the `make` that runs the tests; one that a test runs must not take them for its own.
    for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "ARGS", "BACKUP", "STACK"):
        variables.pop(name, None)
    return variables


def engine_client() -> docker.DockerClient:
    """The engine of stacks that name none, started by the set-up if none answered."""
    return connect(resolve_engine({}, tool_environment()))


def remove_leftovers(client: docker.DockerClient) -> None:
    """Remove what test runs that no longer live have left on the engine."""
    ours = (one for one in labelled_stacks(client) if one.startswith(TEST_STACK_PREFIX))
    remove_stack_objects(client, *(stack for stack in ours if not is_alive(stack)))


def labelled_stacks(client: docker.DockerClient) -> set[str]:
    """Stacks of which the engine holds anything."""
    containers = client.containers.list(
        all=True, filters={"label": STACK_LABEL}, ignore_removed=True
    )
    networks = client.networks.list(filters={"label": STACK_LABEL})
    volumes = client.volumes.list(filters={"label": STACK_LABEL})
    # Not asked for one by one: others remove some meanwhile.
    images: list[dict[str, Any]] = client.api.images(filters={"label": STACK_LABEL})
    labels = [container.labels for container in containers]
    labels += [item.attrs.get("Labels") or {} for item in (*networks, *volumes)]
    labels += [image["Labels"] for image in images]
    return {label[STACK_LABEL] for label in labels}


def is_alive(stack: str) -> bool:
    """Whether the test run that made the stack, whose process id is in its name, still runs."""
    try:
        os.kill(int(stack.split("-")[1]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass  # Another user's.
    return True


def remove_stack_objects(client: docker.DockerClient, *stacks: str) -> None:
    """Remove every container, network, volume and image of the stacks, by their label."""
    chosen: list[dict[str, str | list[str] | bool]] = [
        {"label": f"{STACK_LABEL}={stack}"} for stack in stacks
    ]
    # Of all stacks first: those of one content share their images.
    for own in chosen:
        for container in client.containers.list(all=True, filters=own, ignore_removed=True):
            # Two test runs that begin together both remove what a dead one has left.
            with suppress(NotFound):
                container.remove(force=True, v=True)
    for own in chosen:
        for network in client.networks.list(filters=own):
            with suppress(NotFound):
                network.remove()
        for volume in client.volumes.list(filters=own):
            volume.remove(force=True)
        for image in client.images.list(filters=own):
            with suppress(NotFound):
                client.images.remove(image.id, force=True)
