"""Installs and starts Docker Engine on this machine: Debian and Ubuntu, as root."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.setup.atomic import write_file
from toolchain.setup.errors import SetupError, StoppedError
from toolchain.setup.processes import ask, is_running
from toolchain.setup.work import TAIL_LINES, Work, quote_lines

_START_SECONDS = 90.0
_POLL_SECONDS = 0.1
_APT = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300")
# Newer Debians have the command and its builder in packages of their own.
_PACKAGES = ("docker.io", "docker-cli", "docker-buildx")
_USERNS_KEY = "userns-remap"


@dataclass(frozen=True)
class LocalEngine:
    """The engine of this machine; `log` gets its output when it runs without systemd."""

    log: Path
    answers: Callable[[], bool]
    run_folder: Path = Path("/var/run")
    systemd_folder: Path = Path("/run/systemd/system")
    configuration: Path = Path("/etc/docker/daemon.json")
    kernel_limit: Path = Path("/proc/sys/user/max_user_namespaces")

    def install(self, work: Work) -> None:
        """Install Debian's packages, after finishing what an interrupted apt has left."""
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["dpkg", "--configure", "-a"], [*_APT, "update"]):
            work.run(command, environ=environ)
        known = [name for name in _PACKAGES if ask("apt-cache", "show", name, environ=environ)]
        work.run([*_APT, "--no-install-recommends", "install", *known], environ=environ)

    def start(self, work: Work) -> None:
        """Start it and wait; raises SetupError when it ends, or does not answer in time."""
        if self.systemd_folder.is_dir():
            work.run(["systemctl", "start", "docker"])
            self._wait(work, None)
        elif _holds(self.run_folder / "docker.pid", "dockerd"):
            self._wait(work, None)
        else:
            self._remove_stale_files()
            self._wait(work, self._spawn())

    def is_mapping_users(self) -> bool:
        """Whether an engine that starts now maps users."""
        return bool(self._read_configuration().get(_USERNS_KEY))

    def map_users(self) -> None:
        """Have the engine map users from its first start on; other settings of its file stay.

        Raises SetupError where the kernel makes no user namespace, or the file is not JSON.
        """
        limit = self.kernel_limit.read_text().strip() if self.kernel_limit.exists() else "no file"
        if limit in ("0", "no file"):
            raise SetupError(
                f"docker engine: {self.kernel_limit} should be above 0 (got {limit}). Raise it "
                "with `sysctl -w user.max_user_namespaces=10000`, or leave --userns-remap out."
            )
        settings = {**self._read_configuration(), _USERNS_KEY: "default"}
        write_file(self.configuration, json.dumps(settings, indent=2) + "\n")

    def _read_configuration(self) -> dict[str, Any]:
        text = self.configuration.read_text() if self.configuration.exists() else ""
        try:
            settings = json.loads(text or "{}")
        except ValueError as error:
            raise SetupError(
                f"docker engine: {self.configuration} should be JSON (got: {error}). Correct it."
            ) from None
        return settings if isinstance(settings, dict) else {}

    def _remove_stale_files(self) -> None:
        """A killed engine's process ids may be those of other processes by now."""
        (self.run_folder / "docker.pid").unlink(missing_ok=True)
        containerd = self.run_folder / "docker" / "containerd" / "containerd.pid"
        if not _holds(containerd, "containerd"):
            containerd.unlink(missing_ok=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start it in a session of its own: it outlives the set-up and its terminal."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, work: Work, child: "subprocess.Popen[bytes] | None") -> None:
        started = time.monotonic()
        work.show("waiting for the engine to answer")
        while not self.answers():
            if work.stop.is_set():
                raise StoppedError
            if child is not None and child.poll() is not None:
                raise self._failure(work, f"it ended with {child.returncode}")
            if time.monotonic() - started > _START_SECONDS:
                raise self._failure(work, f"nothing in {_START_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)

    def _failure(self, work: Work, got: str) -> SetupError:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return SetupError(
            f"{work.label}: the started engine should answer (got: {got}). "
            "Correct what its last lines name and run this again."
            f"{quote_lines(text.splitlines()[-TAIL_LINES:], self.log)}"
        )


def _holds(pid_file: Path, program: str) -> bool:
    """Whether the process in the file lives and is this program, not one with a reused id."""
    try:
        return is_running(int(pid_file.read_text()), program)
    except (OSError, ValueError):
        return False
