"""A stack's containers on its engine: `make ps`, `logs`, `stats`, and commands inside them."""

import argparse
import io
import re
import subprocess
import tarfile
import threading
from collections.abc import Sequence
from contextlib import suppress

from docker import DockerClient
from docker.models.containers import Container

from infra.engine.address import connect, resolve_engine
from infra.errors import UserError
from infra.naming import ROLE_LABEL, container_labels
from operations.stack import Stack
from operations.terminal import print_table, run_in_front

_LINES = 100
_STATS = "table " + "\t".join(
    f"{{{{.{column}}}}}"
    for column in ("Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")
)


def connect_engine(stack: Stack) -> DockerClient:
    """A client of the engine that the program puts the stack on; UserError when none answers."""
    return connect(resolve_engine(stack.engine_settings, stack.environ))


def list_containers(stack: Stack, role: str | None = None) -> list[Container]:
    """The stack's containers by name, running or not; all of them or those of a role.

    Raises UserError when the stack has none, or none of that role.
    """
    found = connect_engine(stack).containers.list(
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


def choose_containers(stack: Stack, roles: Sequence[str]) -> list[Container]:
    """The stack's containers of some roles, each a word or several; all of them without a role.

    Raises UserError as `list_containers` does.
    """
    words = re.findall(r"[^\s,]+", " ".join(roles))
    return [found for role in words or [None] for found in list_containers(stack, role)]


def print_containers(stack: Stack, options: argparse.Namespace) -> None:
    """`make ps`: name, state, health and published ports of each."""
    print_table(("NAME", "STATE", "HEALTH", "PORTS"), *map(_describe, list_containers(stack)))


def print_logs(stack: Stack, options: argparse.Namespace) -> None:
    """`make logs`: each container's lines behind its role; with `follow`, until all stop."""
    threads = [
        threading.Thread(target=_print_log, args=(stack, container, options), daemon=True)
        for container in choose_containers(stack, options.role)
    ]
    for thread in threads:
        thread.start()
        if not options.follow:
            thread.join()
    for thread in threads:
        thread.join()


def print_stats(stack: Stack, options: argparse.Namespace) -> int:
    """`make stats`: what each running container uses now; with `follow`, until interrupted."""
    chosen = choose_containers(stack, options.role)
    running = [str(container.name) for container in chosen if container.status == "running"]
    if not running:  # `docker stats` would take every container of the engine
        raise UserError(
            f"stack {stack.name}: should have a running container of these roles (got none). "
            f"Run `make up STACK={stack.name}`."
        )
    once = [] if options.follow else ["--no-stream"]
    command = ["docker", "stats", *once, f"--format={_STATS}", *running]
    environ = stack.engine_environ
    return run_in_front(command, cwd=stack.root, environ=environ, interactive=True)


def read_file(container: Container, path: str) -> str:
    """A file of a container, running or not; docker's NotFound where there is none."""
    stream, _ = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        content = archive.extractfile(archive.getmembers()[0])
        return content.read().decode(errors="replace") if content else ""


def run_inside(stack: Stack, container: Container, *command: str, text: str = "") -> str:
    """Run a command, with `text` as its input; its output. UserError with its words if it fails."""
    done = subprocess.run(
        _inside(container, command),
        env=stack.engine_environ,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
    )
    _check_end(done.returncode, command, done.stderr)
    return done.stdout


def pipe_inside(
    stack: Stack, source: Container, command: Sequence[str], sink: Container, reader: Sequence[str]
) -> None:
    """Let a command in one container read what one in another writes; UserError if one fails."""
    environ, none, pipe = stack.engine_environ, subprocess.DEVNULL, subprocess.PIPE
    writing = subprocess.Popen(_inside(source, command), env=environ, stdin=none, stdout=pipe)
    with writing:
        reading = subprocess.run(
            _inside(sink, reader), env=environ, stdin=writing.stdout, capture_output=True
        )
    _check_end(reading.returncode, reader, reading.stderr.decode(errors="replace"))
    _check_end(writing.returncode, command)


def _describe(container: Container) -> tuple[str, str, str, str]:
    state = container.attrs["State"]
    health = state.get("Health", {}).get("Status", "-")
    published = [
        f"{binding['HostIp']}:{binding['HostPort']}->{port.split('/')[0]}"
        for port, bindings in container.ports.items()
        for binding in bindings or ()
    ]
    return str(container.name), state["Status"], health, ", ".join(published) or "-"


def _print_log(stack: Stack, container: Container, options: argparse.Namespace) -> None:
    command = ["docker", "logs", *_log_options(options), str(container.id)]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "errors": "replace"}
    printing = subprocess.Popen(command, env=stack.engine_environ, text=True, **output)
    # In a thread nobody else would see that the reader, `head` for one, has closed the pipe.
    with suppress(BrokenPipeError), printing:
        for line in printing.stdout or ():
            print(f"{container.labels[ROLE_LABEL]} | {line.rstrip()}", flush=True)


def _log_options(options: argparse.Namespace) -> list[str]:
    """Those of `docker logs`; the last lines are meant unless a time is named."""
    since = [f"--since={options.since}"] if options.since else []
    lines = options.tail if options.tail is not None else "all" if since else _LINES
    chosen = [f"--{name}" for name in ("follow", "timestamps") if getattr(options, name)]
    return [f"--tail={lines}", *since, *chosen]


def _inside(container: Container, command: Sequence[str]) -> list[str]:
    """As the engine's own client runs it: the SDK has no input for a command in a container."""
    return ["docker", "exec", "--interactive", str(container.id), *command]


def _check_end(code: int, command: Sequence[str], errors: str = "") -> None:
    if code:
        raise UserError(errors.strip() or f"{command[0]}: exit code {code}")
