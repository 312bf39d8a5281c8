"""Nodes of the tests' swarm: who votes, who leads, who says nothing for a while or has no power."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from tests.support.second_engine import SecondEngine
from tests.support.waiting import is_alive, wait_for

KNOWN_SECONDS = 300
"""Until the managers know that a node has gone or is back. Seconds, as a rule; but they try ever
more rarely to reach one another, up to every two minutes, and may need several elections."""


def promote(nodes: Sequence[SecondEngine]) -> None:
    """Make managers of all nodes, one after another, until each of them says that all vote.

    Of two at a time, one waits for the vote of the other, which is no member yet: the leader is
    without a majority until it has given up, and the next one is elected a minute later.
    """
    client = docker.DockerClient(base_url=nodes[0].host)
    for count, engine in enumerate(nodes, 1):
        wait_for(partial(make_manager, client, node_id(engine)), timeout_seconds=KNOWN_SECONDS)
        # The leader calls one reachable before it takes part.
        for voter in nodes[:count]:
            await_votes(voter, count)


def make_manager(client: docker.DockerClient, node_id: str) -> bool:
    """Whether a node is one by now; else ask the swarm, which refuses until the manager before has
    read its log."""
    with suppress(APIError):
        node = client.nodes.get(node_id)
        if node.attrs["Spec"]["Role"] == "manager":
            return True
        node.update({**node.attrs["Spec"], "Role": "manager"})
    return False


def await_votes(engine: SecondEngine, count: int) -> None:
    """Wait until that engine knows that so many managers vote, or more."""
    client = docker.DockerClient(base_url=engine.host)
    wait_for(
        lambda: reachable(client) >= count,
        timeout_seconds=KNOWN_SECONDS,
        got=lambda: client.info()["Swarm"],
    )


def reachable(client: docker.DockerClient) -> int:
    """How many managers vote, as that engine knows."""
    statuses = [node.get("ManagerStatus") or {} for node in list_nodes(client)]
    return [status.get("Reachability") for status in statuses].count("reachable")


def has_no_leader(manager: SecondEngine) -> bool:
    """Whether it has noticed: until then it answers from what it knows."""
    return "does not have a leader" in swarm_error(manager)


def has_leader(engine: SecondEngine) -> bool:
    """Whether it knows one; a worker need not."""
    return not swarm_error(engine)


def swarm_error(engine: SecondEngine) -> str:
    """What that engine has to say against its swarm."""
    return str(docker.DockerClient(base_url=engine.host).info()["Swarm"].get("Error", ""))


@contextmanager
def unheard(managers: Sequence[SecondEngine]) -> Iterator[None]:
    """These say nothing, so that the one that is left has to give up being the leader."""
    processes = [manager.process for manager in managers if manager.process]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


def node_id(node: SecondEngine) -> str:
    return str(docker.DockerClient(base_url=node.host).info()["Swarm"]["NodeID"])


def list_nodes(client: docker.DockerClient) -> list[dict[str, Any]]:
    """As that engine knows them; none without a leader, or while it manages nothing itself."""
    try:
        nodes: list[dict[str, Any]] = client.api.nodes()
    except APIError:
        return []
    return nodes


def cut_power(engine: SecondEngine) -> None:
    """End it as its machine would without power, unheard and with all that runs there.

    `engine.start` is its machine's next start.
    """
    assert engine.switch is not None
    assert engine.process is not None
    there = f"/proc/{engine.switch.pid}/ns/net"
    unplug = ["ip", "link", "set", f"node{engine.number}", "down"]
    subprocess.run(["nsenter", f"--net={there}", *unplug], check=True)
    shims = _find_shims(engine.folder)
    held = [child for shim in shims for child in _children(shim)]
    engine.process.kill()
    for process_id in (*shims, *held):
        with suppress(ProcessLookupError):  # a health check that has ended
            os.kill(process_id, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, (*shims, *held))))
    engine.stop()
    # In memory on a machine.
    subprocess.run(["rm", "-rf", "--one-file-system", f"{engine.folder}/exec"], check=True)
    (engine.folder / "pid").unlink()


def _find_shims(folder: Path) -> list[int]:
    """What holds the containers of the engine with that folder."""
    address = f"-address\0{folder}/exec/".encode()
    found = [path for path in Path("/proc").glob("[0-9]*") if address in _command_line(path)]
    return [int(path.name) for path in found]


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _children(process_id: int) -> list[int]:
    threads = Path("/proc", str(process_id), "task").glob("*/children")
    return [int(word) for thread in threads for word in thread.read_text().split()]
