"""What `make doctor` looks for in the swarm of a stack: its managers, its nodes, its services."""

from collections.abc import Iterator
from typing import Any

from docker import DockerClient
from docker.errors import APIError

from infra.cluster.nodes import find_mistakes
from infra.engine.service_state import WantedService, observe_service
from operations.doctor import Finding
from operations.drift_checks import Observed

REFUSED = "`make up` refuses to begin before that is right"
_READINESS = "pulumi-python:dynamic/devportal:ServiceReadiness"


def check_swarm(observed: Observed) -> Iterator[Finding]:
    """What it lacks; without a majority of its managers there is nothing else to ask."""
    mistakes = [*find_mistakes(observed.client)]
    for mistake in mistakes:
        yield Finding(mistake, REFUSED, "docker node ls")
    try:
        yield from check_nodes(observed.client)
        yield from check_services(observed)
    except APIError:
        if not mistakes:
            raise


def check_nodes(client: DockerClient) -> Iterator[Finding]:
    """Nodes that are away, and managers without which one more may not go."""
    for node in client.api.nodes():
        name, status = node["Description"]["Hostname"], node["Status"]
        manager = node.get("ManagerStatus") or {}
        if status["State"] != "ready":
            why = "its tasks run on other nodes, and those that are bound to it do not run"
            yield _about(node, name, f"ready (got {status['State']})", why)
        elif manager and manager["Reachability"] != "reachable":
            why = "without a majority of its managers the swarm takes no command"
            yield _about(node, name, f"a reachable manager (got {manager['Reachability']})", why)
        elif node["Spec"]["Availability"] != "active":
            why = "no task is placed on it, so updates have less room"
            command = f"docker node update --availability active {node['ID']}"
            got = node["Spec"]["Availability"]
            yield Finding(f"node {name}: should be active (got {got}).", why, command)


def _about(node: dict[str, Any], name: str, rule: str, why: str) -> Finding:
    return Finding(f"node {name}: should be {rule}.", why, f"docker node inspect {node['ID']}")


def check_services(observed: Observed) -> Iterator[Finding]:
    """Services that are not what the last `make up` has left."""
    for item in observed.of(_READINESS):
        wanted = WantedService.from_properties(item["outputs"])
        state = observe_service(observed.client, wanted)
        if state != wanted.goal:
            what = f"service {wanted.name}: should be {wanted.goal} (got: {state})."
            why = "what it serves is not served, or only by some of its tasks"
            yield Finding(what, why, f"docker service ps --no-trunc {wanted.name}")
