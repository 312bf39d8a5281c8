"""A stack's containers on its engine: `make ps`, `make logs`; in the program's Python."""

import argparse
import sys
import threading
from collections.abc import Callable, Sequence, Set

from docker.errors import DockerException
from docker.models.containers import Container

from infra.engine.address import connect
from infra.errors import UserError
from infra.naming import ROLE_LABEL, STACK_LABEL, container_labels
from operations.reporting import print_table
from operations.stack import Stack, run_on_stack
from operations.stack_engine import engine_address


def run_on_engine(target: Callable[[Stack, argparse.Namespace], int]) -> int:
    """As `run_on_stack`, for a target that asks the engine."""

    def run(stack: Stack, options: argparse.Namespace) -> int:
        try:
            return target(stack, options)
        except DockerException as error:
            raise UserError(
                f"docker engine: should answer (got: {error}). Run `make doctor`."
            ) from None

    return run_on_stack(run)


def list_containers(stack: Stack, role: str | None = None) -> list[Container]:
    """The stack's containers by name, running or not; all of them or those of a role.

    Raises UserError when the stack has none, or none of that role.
    """
    found = connect(engine_address(stack)).containers.list(
        all=True, filters={"label": container_labels(stack.name)}, ignore_removed=True
    )
    if not found:
        raise UserError(
            f"stack {stack.name}: should have containers (got none). "
            f"Run `make up STACK={stack.name}`."
        )
    chosen = [c for c in found if role in (None, c.labels[ROLE_LABEL])]
    if not chosen:
        roles = ", ".join(sorted({c.labels[ROLE_LABEL] for c in found}))
        raise UserError(
            f"role: should be one of those of stack {stack.name}: {roles} (got '{role}'). "
            "Choose one of them."
        )
    return sorted(chosen, key=lambda container: str(container.name))


def find_running(stack: Stack, role: str) -> Container:
    """The stack's running container of a role. Raises UserError when it does not run."""
    for container in list_containers(stack, role):
        if container.status == "running":
            return container
    raise UserError(
        f"stack {stack.name}: should have a running container of role {role} (got none). "
        f"Run `make up STACK={stack.name}`."
    )


def remove_orphans(stack: Stack, known: Set[str]) -> list[str]:
    """Remove the stack's containers and networks that its state does not know; their names.

    A run that is killed while the engine works for it leaves them behind, and the next would fail
    for their names. Volumes stay: the next run takes them over, with their data.
    """
    client = connect(engine_address(stack))
    removed: list[str] = []
    labels = container_labels(stack.name)
    containers = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
    for container in containers:
        if container.id not in known:
            container.remove(force=True)
            removed.append(str(container.name))
    for network in client.networks.list(filters={"label": f"{STACK_LABEL}={stack.name}"}):
        if network.id not in known:
            network.remove()
            removed.append(str(network.name))
    return removed


def describe(container: Container) -> tuple[str, str, str, str]:
    """Name, state, health and published ports."""
    state = container.attrs["State"]
    health = state.get("Health", {}).get("Status", "-")
    published = [
        f"{binding['HostIp']}:{binding['HostPort']}->{port.split('/')[0]}"
        for port, bindings in container.ports.items()
        for binding in bindings or ()
    ]
    return str(container.name), state["Status"], health, ", ".join(published) or "-"


def print_logs(containers: Sequence[Container], *, follow: bool, tail: int) -> None:
    """Every container's lines behind its role; with `follow`, until all of them stop."""
    threads = [
        threading.Thread(target=_print_log, args=(container, follow, tail), daemon=True)
        for container in containers
    ]
    for thread in threads:
        thread.start()
        if not follow:
            thread.join()
    for thread in threads:
        thread.join()


def _print_log(container: Container, follow: bool, tail: int) -> None:
    role = container.labels[ROLE_LABEL]
    rest = b""
    for chunk in container.logs(stream=True, follow=follow, tail=tail):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            print(f"{role} | {line.decode(errors='replace')}", flush=True)
    if rest:
        print(f"{role} | {rest.decode(errors='replace')}", flush=True)


def main(stack: Stack, options: argparse.Namespace) -> int:
    """Run one of the two targets."""
    if options.target == "ps":
        rows = map(describe, list_containers(stack))
        print_table(("NAME", "STATE", "HEALTH", "PORTS"), *rows)
    else:
        chosen = list_containers(stack, options.role)
        print_logs(chosen, follow=options.follow, tail=options.tail)
    return 0


if __name__ == "__main__":
    sys.exit(run_on_engine(main))
