"""A Docker engine: the one that answers, else one installed and started on this machine."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup import versions
from toolchain.setup.engine_address import EngineAddress, find_engine
from toolchain.setup.engine_api import EngineApi
from toolchain.setup.errors import SetupError
from toolchain.setup.local_engine import LocalEngine
from toolchain.setup.project import Project
from toolchain.setup.user_namespaces import UserNamespaces, maps_users, refuse_engine
from toolchain.setup.work import Work
from plugins.docker.engine_address import DEFAULT_SOCKET

_SOCKET = Path(DEFAULT_SOCKET.removeprefix("unix://"))
_GUIDE = "https://docs.docker.com/engine/install/"


@dataclass(frozen=True)
class DockerEngine:
    """The engine that the stacks run on.

    Parameters
    ----------
    userns_remap
        It has to map users: one that is installed here will, any other is refused.
    """

    project: Project
    userns_remap: bool = False
    name = "docker engine"
    purpose = "look for an engine that answers; else install and start one"
    after = ()

    def find(self) -> str | None:
        address = find_engine(self.project.environ)
        version = EngineApi(address).version()
        if version is None:
            return None
        _check_version(version, self.name, address)
        if self.userns_remap and not maps_users(EngineApi(address).get("/info")):
            raise refuse_engine(f"one without user namespaces at {address.host}")
        return f"{version}, {address.host}"

    def run(self, work: Work) -> None:
        address = find_engine(self.project.environ)
        refuse_elsewhere(address, work.label)
        installed = shutil.which("dockerd")
        if self.userns_remap:
            _configure_user_namespaces(installed)
        engine = LocalEngine(
            self.project.places.engine_log, lambda: EngineApi(address).version() is not None
        )
        if installed is None:
            work.say("no engine answers; installing docker.io with apt-get, as root")
            engine.install(work)
        else:
            work.say("no engine answers; starting the one that is installed, as root")
        engine.start(work)


def _configure_user_namespaces(installed: str | None) -> None:
    namespaces = UserNamespaces()
    # An interrupted run has configured an engine that it has then installed.
    if installed is not None and not namespaces.is_configured():
        raise refuse_engine(f"{installed}, which is not running")
    namespaces.configure()


def refuse_elsewhere(address: EngineAddress, label: str) -> None:
    """Say what to do where an engine is not ours to install or start.

    Raises
    ------
    SetupError
        Raised unless this is Debian or Ubuntu, as root, with the default address.
    """
    if address.origin:
        raise SetupError(
            f"{label}: {address.origin} should name an engine that answers "
            f"(got '{address.host}'). Start that engine, or choose another."
        )
    if _SOCKET.exists() and not os.access(_SOCKET, os.W_OK):
        raise SetupError(
            f"{label}: {_SOCKET} should be open to you (got: permission denied). "
            "Join the group docker and log in again, or run this as root."
        )
    if os.geteuid() != 0 or not is_debian(Path("/etc/os-release")):
        wanted = ".".join(str(part) for part in versions.ENGINE_MINIMUM)
        raise SetupError(
            f"{label}: an engine should answer at {DEFAULT_SOCKET} (got no answer). "
            f"Install Docker Engine {wanted} or newer as {_GUIDE} says, start it, "
            "and run this again; on Debian and Ubuntu `make up` as root does both."
        )


def is_debian(os_release: Path) -> bool:
    """Whether the machine takes Debian's package docker.io."""
    try:
        text = os_release.read_text()
    except OSError:
        return False
    families = re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)"?$', text, re.MULTILINE)
    return bool({"debian", "ubuntu"} & set(" ".join(families).split()))


def _check_version(version: str, label: str, address: EngineAddress) -> None:
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and (int(match[1]), int(match[2])) < versions.ENGINE_MINIMUM:
        wanted = ".".join(str(part) for part in versions.ENGINE_MINIMUM)
        raise SetupError(
            f"{label}: the engine at {address.host} should be {wanted} or newer "
            f"(got {version}). Upgrade it, or choose another with DOCKER_HOST."
        )
