"""A Docker engine of a test's own, with user namespaces, that nothing else can notice.

It lives in a mount and a network namespace: its bridges, its firewall rules and the accounts that
it maps users to are seen by nobody else, and go when it goes.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.errors import DockerException

FIRST_UID = 500_000
_USER = "remapped"
_PARENT = Path("/var/tmp")
_PREFIX = "devportal-engine-"
_START_SECONDS = 60
_STOP_SECONDS = 120
_COMMAND = """
set -eu
for name in passwd group subuid subgid; do
    mount --bind "$1/$name" "/etc/$name"
done
ip link set lo up
shift
exec setpriv --pdeathsig TERM "$@"
"""
_ACCOUNTS = {
    "passwd": f"{_USER}:x:{FIRST_UID}:{FIRST_UID}::/nonexistent:/bin/false\n",
    "group": f"{_USER}:x:{FIRST_UID}:\n",
    "subuid": f"{_USER}:{FIRST_UID}:65536\n",
    "subgid": f"{_USER}:{FIRST_UID}:65536\n",
}


@dataclass
class SecondEngine:
    """A `dockerd` with folders, a socket and namespaces of its own."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def start(self) -> docker.DockerClient:
        """Start it and wait until it answers."""
        for name, line in _ACCOUNTS.items():
            known = Path("/etc", name)
            (self.folder / name).write_text((known.read_text() if known.exists() else "") + line)
        (self.folder / "daemon.json").write_text("{}")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--net", "sh", "-c", _COMMAND, "sh", *self._arguments()],
                stdout=log,
                stderr=log,
                env={**os.environ, "DOCKER_HOST": ""},
            )
        return self._wait(self.process)

    def stop(self) -> None:
        """End it as a machine that shuts down does; its containers end with it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_STOP_SECONDS)
            self.process = None

    def _arguments(self) -> list[str]:
        return [
            str(self.folder),
            "dockerd",
            f"--host={self.host}",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            f"--userns-remap={_USER}",
            # The machine's own configuration is for its own engine.
            f"--config-file={self.folder}/daemon.json",
        ]

    def _wait(self, process: "subprocess.Popen[bytes]") -> docker.DockerClient:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client = docker.DockerClient(base_url=self.host, timeout=120)
                client.ping()
                return client
            except DockerException:
                time.sleep(0.1)
        log = (self.folder / "log").read_text(errors="replace")
        raise AssertionError(f"second engine: should answer (got: {log[-2000:]})")


@contextmanager
def second_engine() -> Iterator[SecondEngine]:
    """An engine that ends, with all that it holds, after use."""
    _remove_leftovers()
    # Not in pytest's folder, which its remapped users could not enter.
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PARENT))
    folder.chmod(0o711)
    engine = SecondEngine(folder)
    try:
        yield engine
    finally:
        engine.stop()
        _remove(folder)


def _remove_leftovers() -> None:
    """Folders of runs that were killed; their engines have ended with them."""
    for folder in _PARENT.glob(f"{_PREFIX}*"):
        if not Path("/proc", folder.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    # Its mounts have gone with its mount namespace.
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
