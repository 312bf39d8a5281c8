"""A Docker engine: the one that answers, else one installed and started on this machine."""

import os
import re
import shutil
from pathlib import Path

from toolchain.setup.docker_cli import DEFAULT_SOCKET, DockerCli
from toolchain.setup.errors import SetupError
from toolchain.setup.local_engine import LocalEngine
from toolchain.setup.project import Project
from toolchain.setup.schedule import Step
from toolchain.setup.versions import ENGINE_MINIMUM, parse_version
from toolchain.setup.work import Work

_SOCKET = Path(DEFAULT_SOCKET.removeprefix("unix://"))
_GUIDE = "https://docs.docker.com/engine/install/"
_MINIMUM = ".".join(str(part) for part in ENGINE_MINIMUM)


class DockerEngine(Step):
    """The engine that the stacks run on.

    With `userns_remap` it has to map users: one that is installed here will, any other is refused.
    """

    name = "docker engine"
    purpose = "look for an engine that answers; else install and start one"

    def __init__(self, project: Project, *, userns_remap: bool = False) -> None:
        super().__init__(project)
        self.userns_remap = userns_remap

    def find(self) -> str | None:
        version = self._docker.version()
        if version is None:
            return None
        address = self._docker.address()
        if parse_version(version) < ENGINE_MINIMUM:
            raise SetupError(
                f"{self.name}: the engine at {address} should be {_MINIMUM} or newer "
                f"(got {version}). Upgrade it, or choose another with DOCKER_HOST."
            )
        if self.userns_remap and not self._docker.maps_users():
            raise _refusal(f"one without user namespaces at {address}")
        return f"{version}, {address}"

    def run(self, work: Work) -> None:
        self.refuse_elsewhere()
        log = self.project.places.engine_log
        engine = LocalEngine(log, lambda: self._docker.version() is not None)
        installed = shutil.which("dockerd")
        if self.userns_remap:
            # An interrupted run has configured an engine that it has then installed.
            if installed is not None and not engine.is_mapping_users():
                raise _refusal(f"{installed}, which is not running")
            engine.map_users()
        if installed is None:
            work.say("no engine answers; installing docker.io with apt-get, as root")
            engine.install(work)
        else:
            work.say("no engine answers; starting the one that is installed, as root")
        engine.start(work)

    @property
    def _docker(self) -> DockerCli:
        return DockerCli(self.project.environ)

    def refuse_elsewhere(self) -> None:
        """Raise SetupError unless the engine is ours to install: Debian, root, default address."""
        address = self._docker.address()
        chosen = address != DEFAULT_SOCKET
        if not self._docker.is_installed and (chosen or _SOCKET.exists()):
            raise SetupError(
                f"{self.name}: the command `docker` should be on PATH, to reach {address} (got "
                "none). Install docker.io, or docker-cli where there is one, and run this again."
            )
        if chosen:
            raise SetupError(
                f"{self.name}: DOCKER_HOST or the docker context should name an engine that "
                f"answers (got '{address}'). Start that engine, or choose another."
            )
        if _SOCKET.exists() and not os.access(_SOCKET, os.W_OK):
            raise SetupError(
                f"{self.name}: {_SOCKET} should be open to you (got: permission denied). "
                "Join the group docker and log in again, or run this as root."
            )
        if os.geteuid() != 0 or not is_debian(Path("/etc/os-release")):
            raise SetupError(
                f"{self.name}: an engine should answer at {DEFAULT_SOCKET} (got no answer). "
                f"Install Docker Engine {_MINIMUM} or newer as {_GUIDE} describes, start it, "
                "and run this again; on Debian and Ubuntu `make up` as root does both."
            )


def is_debian(os_release: Path) -> bool:
    """Whether the machine has Debian's package docker.io."""
    text = os_release.read_text() if os_release.exists() else ""
    families = re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)"?$', text, re.MULTILINE)
    return bool({"debian", "ubuntu"} & set(" ".join(families).split()))


def _refusal(found: str) -> SetupError:
    """Why an engine that the set-up has not installed is left as it is."""
    return SetupError(
        f"docker engine: --userns-remap should be used where no engine is installed yet (got "
        f'{found}). Set "userns-remap": "default" in its daemon.json yourself and restart it; it '
        "will not see its images, volumes and containers of before."
    )
