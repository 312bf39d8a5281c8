"""The services of a stack on Docker Swarm: `make ps`, `logs`, `restart`, over all nodes.

The engine that the stack is on manages the swarm and has the stores, so what works inside the
containers of one engine works inside those that run there.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from docker import DockerClient
from docker.errors import APIError
from docker.models.services import Service

from infra.cluster.nodes import find_mistakes
from infra.engine.container_state import FINISHED
from infra.engine.service_state import (
    RUNNING,
    ServiceError,
    WantedService,
    await_service,
    with_its_end,
)
from infra.errors import UserError
from infra.naming import OWNER_LABEL, ROLE_LABEL, STACK_LABEL
from operations.containers import LogSource, connect_engine, print_sources
from operations.stack import Stack
from operations.terminal import print_table

_READY_SECONDS = 300
_COLUMNS = ("NAME", "NODE", "STATE", "PORTS", "ERROR")


def list_services(stack: Stack, roles: Sequence[str] = ()) -> list[Service]:
    """The stack's services by name; all of them, or those of some roles.

    Raises UserError when the stack has none, or none of a role.
    """
    client = connect_engine(stack)
    with explaining_refusals(client):
        found: list[Service] = client.services.list(
            filters={"label": f"{STACK_LABEL}={stack.name}"}
        )
    by_role = {role_of(service): service for service in found if not _is_helper(service)}
    if not by_role:
        raise stack.lacks("services")
    chosen = roles or sorted(by_role)
    for role in chosen:
        if role not in by_role:
            raise UserError(
                f"role: should be one of those of stack {stack.name}: "
                f"{', '.join(sorted(by_role))} (got '{role}'). Choose one of them."
            )
    return [by_role[role] for role in chosen]


@contextmanager
def explaining_refusals(client: DockerClient) -> Iterator[None]:
    """Raise UserError with what the swarm lacks, a majority of its managers for one."""
    try:
        yield
    except APIError:
        if mistakes := [*find_mistakes(client)]:
            raise UserError("\n".join(mistakes)) from None
        raise


def _is_helper(service: Service) -> bool:
    """Whether it is that of a `make run`, which is none of the stack's own."""
    return OWNER_LABEL in service.attrs["Spec"]["Labels"]


def role_of(service: Service) -> str:
    """The role by the service's label."""
    return service.attrs["Spec"]["Labels"][ROLE_LABEL]


def container_spec(service: Service) -> Mapping[str, Any]:
    """What describes the containers of its tasks."""
    return service.attrs["Spec"]["TaskTemplate"]["ContainerSpec"]


def print_tasks(stack: Stack, options: argparse.Namespace) -> None:
    """`make ps`: each task that should run, and the last one of a job, with its node."""
    client, services = connect_engine(stack), list_services(stack)
    nodes = {node.id: node.attrs["Description"]["Hostname"] for node in client.nodes.list()}
    rows = [row for service in services for row in _rows(client, service, nodes)]
    print_table(_COLUMNS, *rows)


def _rows(
    client: DockerClient, service: Service, nodes: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    found = client.api.tasks(filters={"service": service.id})
    tasks = [with_its_end(client, task) for task in found]
    # Those that were replaced stay in the list for a while.
    wanted = [task for task in tasks if task["DesiredState"] == "running"]
    newest = sorted(tasks, key=lambda task: task["CreatedAt"])[-1:]
    wanted.sort(key=lambda task: (task.get("Slot", 0), task.get("NodeID", "")))
    for task in wanted or newest:
        status, node = task["Status"], task.get("NodeID", "")
        ports = [
            f"{port['PublishedPort']}->{port['TargetPort']}"
            for port in (status.get("PortStatus") or {}).get("Ports") or ()
        ]
        number = f".{task['Slot']}" if "Slot" in task else ""
        yield (
            f"{service.name}{number}",
            nodes.get(node, "-"),
            status["State"],
            # Once for each version of IP, in any order.
            ", ".join(sorted(set(ports))) or "-",
            status.get("Err") or "-",
        )
    if not tasks:
        yield str(service.name), "-", "no task", "-", "-"


def print_logs(stack: Stack, options: argparse.Namespace) -> int:
    """`make logs`: the lines of each service's tasks on all nodes, behind its role."""
    sources = [
        LogSource(role_of(service), ["service", "logs", "--raw"], str(service.id))
        for service in list_services(stack, options.role)
    ]
    return print_sources(stack, sources, options)


def restart_roles(stack: Stack, options: argparse.Namespace) -> None:
    """`make restart`: new tasks as an update makes them, one service after another."""
    for service in list_services(stack, options.role or [""]):
        print(f"restart: {service.name}", flush=True)
        restart_service(service)


def restart_service(service: Service) -> None:
    """Replace a service's tasks by equal ones; a job runs again.

    Raises UserError with the last log lines when they do not become what they should be.
    """
    service.force_update()
    spec = service.attrs["Spec"]
    is_job = spec["TaskTemplate"].get("RestartPolicy", {}).get("Condition") == "none"
    wanted = WantedService(
        id=str(service.id),
        name=str(service.name),
        goal=FINISHED if is_job else RUNNING,
        tasks=spec["Mode"].get("Replicated", {}).get("Replicas", 0),
        wait_seconds=_READY_SECONDS,
    )
    assert service.client is not None
    try:
        await_service(service.client, wanted)
    except ServiceError as error:
        raise UserError(str(error)) from None
