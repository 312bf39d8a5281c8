"""A stack's containers on its engine: `make ps`, `logs`, `stats`, and commands inside them."""

import argparse
import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container

from infra.engine.address import resolve_engine
from infra.engine.client import connect
from infra.errors import UserError
from infra.naming import ROLE_LABEL, TASK_LABEL, container_labels
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

    On a swarm those of the tasks that run on the stack's manager.

    Raises UserError when the stack has none, or none of that role.
    """
    found = own_containers(stack.name, connect_engine(stack), of_tasks=stack.is_on_swarm)
    if not found:
        raise stack.lacks("containers")
    chosen = [c for c in found if role in (None, c.labels[ROLE_LABEL])]
    if not chosen:
        roles = ", ".join(sorted({c.labels[ROLE_LABEL] for c in found}))
        there, hint = "", "Choose one of them."
        if stack.is_on_swarm:
            there, hint = " on its manager", f"`make ps STACK={stack.name}` shows where others run."
        raise UserError(
            f"role: should be one of those of stack {stack.name}{there}: {roles} (got '{role}'). "
            f"{hint}"
        )
    return sorted(chosen, key=lambda container: str(container.name))


def own_containers(stack: str, client: DockerClient, *, of_tasks: bool) -> list[Container]:
    """The containers that the engine has of a stack; of tasks those that run.

    Swarm keeps some of the tasks that it has replaced.
    """
    return client.containers.list(
        all=not of_tasks,
        filters={"label": container_labels(stack, of_tasks=of_tasks)},
        ignore_removed=True,
    )


def one_by_role(stack: Stack) -> dict[str, Container]:
    """A container of each role that the stack has; UserError when it has none at all."""
    return {container.labels[ROLE_LABEL]: container for container in list_containers(stack)}


def find_running(stack: Stack, role: str) -> Container:
    """The stack's running container of a role. Raises UserError when it does not run."""
    for container in list_containers(stack, role):
        if container.status == "running":
            return container
    raise stack.lacks(f"a running container of role {role}")


def choose_containers(stack: Stack, roles: Sequence[str]) -> list[Container]:
    """The stack's containers of some roles; all of them without a role.

    Raises UserError as `list_containers` does.
    """
    return [found for role in roles or [None] for found in list_containers(stack, role)]


def print_containers(stack: Stack, options: argparse.Namespace) -> None:
    """`make ps`: name, state, health and published ports of each."""
    print_table(("NAME", "STATE", "HEALTH", "PORTS"), *map(_describe, list_containers(stack)))


@dataclass(frozen=True)
class LogSource:
    """What writes a log, and the words of `docker` that print it, its own options apart."""

    role: str
    command: Sequence[str]
    id: str


def print_logs(stack: Stack, options: argparse.Namespace) -> int:
    """`make logs`: each container's lines behind its role."""
    sources = [
        LogSource(container.labels[ROLE_LABEL], ["logs"], str(container.id))
        for container in choose_containers(stack, options.role)
    ]
    return print_sources(stack, sources, options)


def print_sources(stack: Stack, sources: Sequence[LogSource], options: argparse.Namespace) -> int:
    """Print their lines, with `follow` until all stop; `docker`'s exit code, of one that failed."""
    codes: list[int] = []
    threads: list[threading.Thread] = []
    # Started in this thread, which says where `docker` does not start, and ends them all.
    with ExitStack() as ends:
        for source in sources:
            printing = _start_log(stack, source, options)
            ends.callback(printing.terminate)
            thread = threading.Thread(
                target=lambda source, printing: codes.append(_print_log(source, printing)),
                args=(source, printing),
                daemon=True,
            )
            threads.append(thread)
            thread.start()
            if not options.follow:
                thread.join()
        for thread in threads:
            thread.join()
    return next(filter(None, codes), 0)


def print_stats(stack: Stack, options: argparse.Namespace) -> int:
    """`make stats`: what each running container uses now; with `follow`, until interrupted."""
    if stack.is_on_swarm:
        print(
            "stats: those of the stack's manager; `docker stats` tells of another node",
            file=sys.stderr,
        )
    chosen = choose_containers(stack, options.role)
    running = [str(container.name) for container in chosen if container.status == "running"]
    if not running:  # `docker stats` would take every container of the engine
        raise stack.lacks("a running container of these roles")
    once = [] if options.follow else ["--no-stream"]
    return run_docker(stack, "stats", *once, f"--format={_STATS}", *running)


def run_docker(stack: Stack, *words: str, **variables: str) -> int:
    """Run `docker` on the stack's engine and on this terminal, or on these pipes; its exit code.

    `variables` are laid over its environment.
    """
    environ = {**stack.engine_environ, **variables}
    return run_in_front(["docker", *words], cwd=stack.root, environ=environ, interactive=True)


def read_file(container: Container, path: str) -> str:
    """A file of a container, running or not; docker's NotFound where there is none."""
    if TASK_LABEL in container.labels:  # the engine copies none of a task's secrets
        code, output = container.exec_run(["cat", path])
        assert isinstance(output, bytes)
        if code:
            raise NotFound(output.decode(errors="replace").strip())
        return output.decode(errors="replace")
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


def _start_log(
    stack: Stack, source: LogSource, options: argparse.Namespace
) -> "subprocess.Popen[str]":
    command = ["docker", *source.command, *_log_options(options), source.id]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "errors": "replace"}
    return subprocess.Popen(command, env=stack.engine_environ, text=True, **output)


def _print_log(source: LogSource, printing: "subprocess.Popen[str]") -> int:
    try:
        with printing:
            for line in printing.stdout or ():
                print(f"{source.role} | {line.rstrip()}", flush=True)
    except BrokenPipeError:
        # In a thread nobody else would see that the reader, `head` for one, has closed the pipe.
        return 0
    return printing.returncode


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
