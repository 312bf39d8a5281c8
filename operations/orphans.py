"""Removes containers and networks of a stack that its state does not know.

A run that was killed while the engine worked for it leaves them behind, and their names are in
the way of the next. Volumes are left alone: the next run takes them over, data and all.
"""

import sys
from collections.abc import Iterable

import docker

from infra.engine.client import connect
from infra.naming import STACK_LABEL, container_labels


def remove_orphans(client: docker.DockerClient, stack: str, known: Iterable[str]) -> list[str]:
    """Remove what is labelled with the stack and unknown to it; the names of what went."""
    ids = set(known)
    removed: list[str] = []
    containers = client.containers.list(
        all=True, filters={"label": container_labels(stack)}, ignore_removed=True
    )
    for container in containers:
        if container.id not in ids:
            container.remove(force=True)
            removed.append(str(container.name))
    for network in client.networks.list(filters={"label": f"{STACK_LABEL}={stack}"}):
        if network.id not in ids:
            network.remove()
            removed.append(str(network.name))
    return removed


if __name__ == "__main__":
    for name in remove_orphans(connect(""), sys.argv[1], sys.stdin.read().split()):
        print(f"removed {name}, left by a run that was killed", flush=True)
