"""Restarts containers and waits for them: `make restart`."""

import argparse

from docker.models.containers import Container

from infra.engine.container_state import FINISHED, HEALTHY, ReadinessError, Wanted, make_ready
from infra.errors import UserError
from infra.naming import ROLE_LABEL
from operations.containers import choose_containers, one_by_role, run_inside
from operations.stack import Stack

_READY_SECONDS = 120
_PEER_SECONDS = 20


def restart_role(stack: Stack, options: argparse.Namespace) -> None:
    """`make restart`: one container after another, each only once the one before is healthy.

    In production Nginx sends requests to the other replicas meanwhile: the next one waits until
    requests reach the one before again.
    """
    # Only here: with Pulumi's SDK it takes a second to import.
    from infra.services.app import APP_PORT

    proxy = one_by_role(stack).get("nginx")
    # Without a role it refuses, and names those that there are.
    chosen = choose_containers(stack, options.role or [""])
    # A replica that failed has been stopped on purpose.
    running = [container for container in chosen if container.status != "exited"] or chosen
    # One that is sick serves nobody: it goes first.
    for container in sorted(running, key=_is_healthy):
        print(f"restart: {container.name}", flush=True)
        restart(container)
        if proxy and container.labels[ROLE_LABEL] == "app":
            peer = f"{container.name}:{APP_PORT}"
            run_inside(stack, proxy, "await-peers", str(_PEER_SECONDS), peer)


def restart(container: Container) -> None:
    """Restart a container and wait until it is healthy; for a job, until it has ended well.

    Raises UserError with its last log lines when it does not become so.
    """
    stop_seconds = container.attrs["Config"].get("StopTimeout") or 10
    probe = container.attrs["Config"].get("Healthcheck") or {}
    wanted = Wanted(
        id=container.attrs["Id"],
        name=str(container.name),
        goal=FINISHED if probe.get("Test") == ["NONE"] else HEALTHY,
        pids_limit=container.attrs["HostConfig"].get("PidsLimit") or 0,
        ports={},
        wait_seconds=_READY_SECONDS,
        stop_seconds=stop_seconds,
    )
    assert container.client is not None
    container.restart(timeout=stop_seconds)
    try:
        make_ready(container.client, wanted, was_ready=True)
    except ReadinessError as error:
        raise UserError(str(error)) from None


def _is_healthy(container: Container) -> bool:
    return container.attrs["State"].get("Health", {}).get("Status") == "healthy"
