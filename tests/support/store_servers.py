"""PostgreSQL and Redis of the stack's own images and configuration, to be killed."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import docker
from docker.models.containers import Container

from benchmarks.harness.machine import TEST_STACK_PREFIX, remove_stack_objects, tool_environment
from infra.engine.address import resolve_engine
from infra.engine.volume_access import write_files
from infra.naming import STACK_LABEL
from tests.support.waiting import wait_for

PASSWORD = "only-for-this-test"
_STACK = f"{TEST_STACK_PREFIX}{os.getpid()}-faults"
_INIT = ("tini", "docker-init")


@dataclass(frozen=True)
class Server:
    """One server in a container that nobody but the test starts again."""

    container: Container

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens on this machine; another after each start.

        Raises
        ------
        ConnectionError
            Raised when it does not run.
        """
        self.container.reload()
        for binding in filter(None, self.container.ports.values()):
            return binding[0]["HostIp"], int(binding[0]["HostPort"])
        raise ConnectionError("the container does not run")

    def kill(self) -> None:
        """SIGKILL to every process of the server, by its id on the host, at the same moment."""
        listed = self.container.top()
        pid, command = listed["Titles"].index("PID"), listed["Titles"].index("CMD")
        for process in listed["Processes"]:
            if not any(name in process[command].split()[0] for name in _INIT):
                try:
                    os.kill(int(process[pid]), signal.SIGKILL)
                except ProcessLookupError:
                    # It ended with the one before.
                    continue
        assert self.container.wait(timeout=30)["StatusCode"] == 128 + signal.SIGKILL

    def start(self, is_up: Callable[[], bool]) -> None:
        """Start it again, and wait until it answers."""
        self.container.start()
        self.wait_until(is_up)

    def wait_until(self, is_up: Callable[[], bool]) -> None:
        wait_for(is_up, timeout_seconds=180, got=lambda: self.container.logs(tail=20))


@contextmanager
def run_server(
    client: docker.DockerClient,
    image: str,
    *command: str,
    user: str,
    port: int,
    files: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
    tmpfs: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """The image's own start, with its secrets and a data volume that goes with the container."""
    labels = {STACK_LABEL: _STACK}
    secrets = client.volumes.create(f"{_STACK}-secrets", labels=labels)
    uid, gid = map(int, user.split(":"))
    write_files(
        {
            "volume": secrets.name,
            "image": image,
            "engine": resolve_engine({}, tool_environment()).properties(),
            "files": files,
            "uid": uid,
            "gid": gid,
        }
    )
    container = client.containers.run(
        image,
        list(command),
        detach=True,
        init=True,
        user=user,
        environment=dict(environment or {}),
        ports={f"{port}/tcp": ("127.0.0.1", 0)},
        healthcheck={"test": ["NONE"]},
        labels=labels,
        volumes={str(secrets.name): {"bind": "/run/secrets", "mode": "ro"}},
        tmpfs=dict(tmpfs or {}),
    )
    try:
        yield Server(container)
    finally:
        container.remove(force=True, v=True)
        remove_stack_objects(client, _STACK)
