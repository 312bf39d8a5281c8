"""`make ps` and `make logs`; runs in the program's Python, which has the Docker SDK."""

import argparse
import sys
import threading
from collections.abc import Sequence

from docker.errors import DockerException
from docker.models.containers import Container

from infra.engine.client import connect
from infra.naming import ROLE_LABEL, container_labels


def list_containers(stack: str, role: str | None = None) -> list[Container]:
    """The stack's containers by role, running or not."""
    found = connect("").containers.list(
        all=True, filters={"label": container_labels(stack, role)}, ignore_removed=True
    )
    return sorted(found, key=lambda container: str(container.name))


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


def print_table(containers: Sequence[Container]) -> None:
    """A line for each container."""
    rows = [("NAME", "STATE", "HEALTH", "PORTS"), *map(describe, containers)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


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


def main(arguments: Sequence[str]) -> int:
    """Run one of the two commands; 1 if the stack has no container or no engine answers."""
    options = _parse(arguments)
    try:
        containers = list_containers(options.stack, getattr(options, "role", None))
        if not containers:
            print(
                f"stack {options.stack}: should have containers (got none). "
                f"Run `make up STACK={options.stack}`.",
                file=sys.stderr,
            )
            return 1
        if options.command == "ps":
            print_table(containers)
        else:
            print_logs(containers, follow=options.follow, tail=options.tail)
    except DockerException as error:
        print(f"docker engine: should answer (got: {error}). Run `make doctor`.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make")
    commands = parser.add_subparsers(dest="command", required=True)
    ps = commands.add_parser("ps")
    logs = commands.add_parser("logs")
    for command in (ps, logs):
        command.add_argument("--stack", required=True)
    logs.add_argument("--role", help="one role only, such as app")
    logs.add_argument("--follow", action="store_true", help="go on with new lines")
    logs.add_argument("--tail", type=int, default=100, help="lines of each container")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
