"""Installs and starts Docker Engine on this machine: Debian and Ubuntu, as root."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup.errors import SetupError, StoppedError
from toolchain.setup.processes import is_running
from toolchain.setup.work import Work

_START_SECONDS = 90.0
_POLL_SECONDS = 0.1
_TAIL_LINES = 12
_PACKAGE = "docker.io"
_APT = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True)
class LocalEngine:
    """The engine of this machine.

    Parameters
    ----------
    run_folder
        Where the engine keeps its process ids while it runs.
    log
        Gets the engine's output when it runs without systemd.
    answers
        Says whether the engine answers.
    extra_arguments
        Given to `dockerd`; none means the machine's own configuration.
    """

    log: Path
    answers: Callable[[], bool]
    run_folder: Path = Path("/var/run")
    systemd_folder: Path = Path("/run/systemd/system")
    extra_arguments: Sequence[str] = ()

    def install(self, work: Work) -> None:
        """Install Debian's package, after finishing what an interrupted apt has left."""
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [*_APT, "--no-install-recommends", "install", _PACKAGE]
        for command in (["dpkg", "--configure", "-a"], [*_APT, "update"], install):
            work.run(command, environ=environ, on_line=lambda line: work.show(line[:60]))

    def start(self, work: Work) -> None:
        """Start the engine and wait until it answers.

        Raises
        ------
        SetupError
            Raised with the end of its log when it ends, or does not answer in time.
        """
        if self.systemd_folder.is_dir():
            work.run(["systemctl", "start", "docker"])
            self._wait(work, None)
        elif holds(self._pid_file, "dockerd"):
            self._wait(work, None)
        else:
            self._remove_stale_files()
            self._wait(work, self._spawn())

    @property
    def _pid_file(self) -> Path:
        return self.run_folder / "docker.pid"

    def _remove_stale_files(self) -> None:
        """A killed engine's process ids may be those of other processes by now."""
        self._pid_file.unlink(missing_ok=True)
        containerd = self.run_folder / "docker" / "containerd" / "containerd.pid"
        if not holds(containerd, "containerd"):
            containerd.unlink(missing_ok=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start it in a session of its own: it outlives the set-up and its terminal."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["dockerd", *self.extra_arguments],
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
                raise SetupError(self._describe(work, f"it ended with {child.returncode}"))
            if time.monotonic() - started > _START_SECONDS:
                raise SetupError(self._describe(work, f"nothing in {_START_SECONDS:.0f} s"))
            time.sleep(_POLL_SECONDS)

    def _describe(self, work: Work, got: str) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        tail = text.splitlines()[-_TAIL_LINES:]
        lines = "".join(f"\n    {line}" for line in tail)
        return (
            f"{work.label}: the started engine should answer (got: {got}). "
            f"Mend what its last lines say and run this again.{lines}\n"
            f"    Whole output: {self.log}"
        )


def holds(pid_file: Path, program: str) -> bool:
    """Whether the process in the file lives and is this program, not one with a reused id."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return False
    return is_running(pid, program)
