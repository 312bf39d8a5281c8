"""Kills of a run at a chosen moment, and what they leave."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import docker

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import HELPER_LABEL, ROLE_LABEL, STACK_LABEL
from tests.support.waiting import wait_for

Event = dict[str, Any]
ALL, CLI = "make up", "Pulumi's CLI"
VICTIMS = {
    ALL: "",
    CLI: "pulumi",
    "docker provider": "pulumi-resource-docker",
    "dynamic provider": "pulumi-resource-pulumi-python",
    "language host": "pulumi-language-python",
}
"""What is killed, by the name of its program. All but the CLI die with all that they have started:
it leaves its plugins behind."""


@dataclass(frozen=True)
class Point:
    """When to kill.

    Parameters
    ----------
    replaced
        Resources that the run makes anew.
    made
        Type and action of the engine's event that is waited for, and the role of what it is about.
    begun
        Or the resource whose operation the state tells.
        With neither, the state is written for the first time.
    """

    replaced: str
    made: tuple[str, str, str] | None = None
    begun: str = ""
    target: str = "up"

    def is_reached(self, stack: PortalStack, since: float, events: Sequence[Event]) -> bool:
        """Whether the run that began at `since`, and caused the events, is there."""
        if self.begun:
            begun = read_state(stack).get("pending_operations") or ()
            return any(one["resource"]["urn"].endswith(f"::{self.begun}") for one in begun)
        if self.made is None:
            return state_file(stack).stat().st_mtime > since
        kind, action, role = self.made
        return any(
            (event["Type"], event["Action"]) == (kind, action)
            and is_about(event["Actor"], stack.name, role)
            for event in events
        )


def is_about(actor: dict[str, Any], stack: str, role: str) -> bool:
    """Whether an event's object is the stack's, and of the role."""
    about = actor["Attributes"]
    if about.get(STACK_LABEL) == stack:
        return role in (about[ROLE_LABEL], about["name"].removeprefix(f"devportal-{stack}-")[:5])
    return f"devportal-{stack}-{role}" in (about.get("name"), actor["ID"])


@contextmanager
def engine_events(client: docker.DockerClient) -> Iterator[list[Event]]:
    """What the engine does from now on; the list grows.

    Asked afterwards it tells the last 256 only, and by a clock that may have been set meanwhile.
    """
    seen: list[Event] = []
    # The client's own limit would end a stream in which nothing happens for a minute.
    usual, client.api.timeout = client.api.timeout, 3600
    stream = client.events(decode=True)
    client.api.timeout = usual

    def follow() -> None:
        for event in stream:
            seen.append(event)

    follower = Thread(target=follow, name="engine events")
    follower.start()
    try:
        yield seen
    finally:
        stream.close()
        follower.join()


def state_file(stack: PortalStack) -> Path:
    return stack.folder / "state" / ".pulumi" / "stacks" / "devportal" / f"{stack.name}.json"


def read_state(stack: PortalStack) -> dict[str, Any]:
    return json.loads(state_file(stack).read_text())["checkpoint"]["latest"] or {}


def start(stack: PortalStack, *command: str) -> "subprocess.Popen[bytes]":
    """Run a command in a process group of its own."""
    return subprocess.Popen(
        command,
        cwd=stack.project,
        env=stack.environment,
        stdout=stack.log.open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill(root: int, victim: str) -> None:
    """SIGKILL to the victim among the processes below `root`."""
    if victim == ALL:
        os.killpg(root, signal.SIGKILL)
        return
    listed = subprocess.check_output(["ps", "-wweo", "pid=,ppid=,args="], text=True)
    started: dict[int, list[tuple[int, bool]]] = {}
    for row in listed.splitlines():
        pid, parent, command = row.split(maxsplit=2)
        names = {Path(word).name for word in command.split()[:2]}
        is_victim = VICTIMS[victim] in names
        started.setdefault(int(parent), []).append((int(pid), is_victim))
    chosen, above = set[int](), [(root, False)]
    while above:
        parent, is_chosen = above.pop()
        for pid, is_victim in started.get(parent, ()):
            above.append((pid, (is_chosen and victim != CLI) or is_victim))
            if above[-1][1]:
                chosen.add(pid)
    assert chosen, f"{victim} should run (got {listed})"
    for pid in chosen:
        with suppress(ProcessLookupError):  # it has ended with its parent
            os.kill(pid, signal.SIGKILL)


def interrupt(stack: PortalStack, point: Point, end: Callable[[int], None]) -> None:
    """Run the target until it is at the point, and end it there."""
    since = time.time()
    replaced = [f"ARGS=--replace **::{point.replaced}"] if point.replaced else []
    with engine_events(stack.client) as events:
        killed = start(stack, "make", point.target, f"STACK={stack.name}", *replaced)

        def is_reached() -> bool:
            assert killed.poll() is None, stack.log.read_text()[-4000:]
            return point.is_reached(stack, since, events)

        try:
            # A file is written within a tenth of a second.
            wait_for(is_reached, timeout_seconds=240, longest_poll_seconds=0.02)
            end(killed.pid)
            killed.wait()
        finally:
            with suppress(ProcessLookupError):  # unless it was not reached
                os.killpg(killed.pid, signal.SIGKILL)


def find_orphans(stack: PortalStack) -> list[str]:
    """What the engine has of the stack and its state does not know."""
    known = {one["id"] for one in read_state(stack).get("resources") or () if "id" in one}
    labelled: dict[str, Any] = {"label": f"{STACK_LABEL}={stack.name}"}
    volumes = stack.client.volumes.list(filters=labelled)
    found = stack.client.containers.list(all=True, filters=labelled, ignore_removed=True)
    for volume in volumes:
        filters: dict[str, Any] = {"label": HELPER_LABEL, "volume": volume.name}
        found += stack.client.containers.list(all=True, filters=filters, ignore_removed=True)
    found += [*volumes, *stack.client.networks.list(filters=labelled)]
    return sorted({str(one.name) for one in found if one.id not in known})
