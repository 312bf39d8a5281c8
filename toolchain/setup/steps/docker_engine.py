"""A Docker engine: the one that answers, else Debian's, installed and started on this machine."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.docker_cli import DEFAULT_SOCKET, DockerCli
from toolchain.setup.processes import ask, is_running
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step
from toolchain.setup.versions import ENGINE_MINIMUM, parse_version
from toolchain.setup.work import TAIL_LINES, StoppedError, Work, quote_lines

_SOCKET = Path(DEFAULT_SOCKET.removeprefix("unix://"))
_RUN = Path("/var/run")
_SYSTEMD = Path("/run/systemd/system")
_OS_RELEASE = Path("/etc/os-release")
_GUIDE = "https://docs.docker.com/engine/install/"
_MINIMUM = ".".join(str(part) for part in ENGINE_MINIMUM)
_APT = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300")
# Newer Debians have the command and its builder in packages of their own.
_PACKAGES = ("docker.io", "docker-cli", "docker-buildx")
_START_SECONDS = 90.0
_POLL_SECONDS = 0.1


class DockerEngine(Step):
    """The engine that the stacks run on."""

    name = "docker engine"
    purpose = "look for an engine that answers; else install and start one"

    def __init__(self, project: Project) -> None:
        super().__init__(project)
        self._docker = DockerCli(project.environ)
        self._log = project.places.engine_log

    def find(self) -> str | None:
        version = self._docker.version()
        if version is None:
            return None
        address = self._docker.address()
        if parse_version(version) < ENGINE_MINIMUM:
            raise UserError(
                f"{self.name}: the engine at {address} should be {_MINIMUM} or newer "
                f"(got {version}). Upgrade it, or choose another."
            )
        return f"{version}, {address}"

    def run(self, work: Work) -> None:
        self.refuse_elsewhere()
        if shutil.which("dockerd") is None:
            work.say("no engine answers; installing docker.io with apt-get, as root")
            _install(work)
        else:
            work.say("no engine answers; starting the one that is installed, as root")
        self._wait(work, self._start(work))

    def refuse_elsewhere(self) -> None:
        """Raise UserError unless the engine is ours to install: Debian, root, default address."""
        address = self._docker.address()
        chosen = address != DEFAULT_SOCKET
        if not self._docker.is_installed and (chosen or _SOCKET.exists()):
            raise UserError(
                f"{self.name}: the command `docker` should be on PATH, to reach {address} (got "
                "none). Install docker.io, or docker-cli where there is one, and run this again."
            )
        if chosen:
            raise UserError(
                f"{self.name}: {self._named_by()} should name an engine that answers "
                f"(got '{address}'). Start that engine, or choose another."
            )
        if _SOCKET.exists() and not os.access(_SOCKET, os.W_OK):
            raise UserError(
                f"{self.name}: {_SOCKET} should be open to you (got: permission denied). "
                "Join the group docker and log in again, or run this as root."
            )
        if os.geteuid() != 0 or not _is_debian():
            raise UserError(
                f"{self.name}: an engine should answer at {DEFAULT_SOCKET} (got no answer). "
                f"Install Docker Engine {_MINIMUM} or newer as {_GUIDE} describes, start it, "
                "and run this again; on Debian and Ubuntu `make up` as root does both."
            )

    def _named_by(self) -> str:
        """What names the engine's address, in the order in which the `docker` command looks."""
        variables = ("DOCKER_HOST", "DOCKER_CONTEXT")
        named = next(filter(self.project.environ.get, variables), "the current docker context")
        return self.project.engine_named_by or named

    def _start(self, work: Work) -> "subprocess.Popen[bytes] | None":
        """Start it, unless it is starting; its process where there is no systemd."""
        if _SYSTEMD.is_dir():
            work.run(["systemctl", "start", "docker"])
            return None
        if _holds(_RUN / "docker.pid", "dockerd"):
            return None
        # A killed engine's process ids may be those of other processes by now.
        (_RUN / "docker.pid").unlink(missing_ok=True)
        containerd = _RUN / "docker" / "containerd" / "containerd.pid"
        if not _holds(containerd, "containerd"):
            containerd.unlink(missing_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            # In a session of its own it outlives the set-up and its terminal.
            return subprocess.Popen(
                ["dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # It writes each container's resolv.conf, which users other than root read.
                umask=0o022,
            )

    def _wait(self, work: Work, child: "subprocess.Popen[bytes] | None") -> None:
        """Wait for an answer; raises UserError when it ends, or does not answer in time."""
        started = time.monotonic()
        work.show("waiting for the engine to answer")
        ended = None
        while self._docker.version() is None:
            if ended is not None:
                raise self._failure(work, f"it ended with {ended}")
            if time.monotonic() - started > _START_SECONDS:
                raise self._failure(work, f"nothing in {_START_SECONDS:.0f} s")
            if work.stop.wait(_POLL_SECONDS):
                raise StoppedError
            ended = child.poll() if child is not None else None

    def _failure(self, work: Work, got: str) -> UserError:
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return UserError(
            f"{work.label}: the started engine should answer (got: {got}). "
            "Correct what its last lines name and run this again."
            f"{quote_lines(text.splitlines()[-TAIL_LINES:], self._log)}"
        )


def _install(work: Work) -> None:
    """Install Debian's packages, after finishing what an interrupted apt has left."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["dpkg", "--configure", "-a"], [*_APT, "update"]):
        work.run(command, environ=environ)
    known = [name for name in _PACKAGES if ask("apt-cache", "show", name, environ=environ)]
    work.run([*_APT, "--no-install-recommends", "install", *known], environ=environ)


def _holds(pid_file: Path, program: str) -> bool:
    """Whether the process in the file lives and is this program, not one with a reused id."""
    try:
        return is_running(int(pid_file.read_text()), program)
    except (OSError, ValueError):
        return False


def _is_debian() -> bool:
    """Whether the machine has Debian's package docker.io."""
    text = _OS_RELEASE.read_text() if _OS_RELEASE.exists() else ""
    families = re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)"?$', text, re.MULTILINE)
    return bool({"debian", "ubuntu"} & set(" ".join(families).split()))
