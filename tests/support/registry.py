"""A registry of images for the time of a test: Debian's `docker-registry`."""

import ctypes
import ctypes.util
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.harness.portal_stack import PortalStack
from tests.support.packages import apt_get
from tests.support.waiting import wait_for

_CONFIGURATION = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: {address}}}
log: {{level: error}}
"""
_USERS = "auth: {{htpasswd: {{realm: test, path: {users}}}}}\n"
# The least that bcrypt has: nobody attacks it.
_BCRYPT_COST = "04"


@dataclass
class Registry:
    """A registry, and the one user of one with a password."""

    address: str
    users: Path
    """Its file of users, which it reads again when it changes."""
    user: str = "swarm"
    password: str = field(default_factory=secrets.token_hex)

    def let_in(self, password: str) -> None:
        """Have another password from now on."""
        self.password = password
        self.users.write_text(f"{self.user}:{_hash(password)}\n")

    def tell(self, stack: PortalStack, password: str = "") -> None:
        """Set the user and a password, else the right one, in the settings of a stack."""
        stack.configure(cluster={**stack.settings["cluster"], "registry_user": self.user})
        stack.set_secret("cluster.registry_password", password or self.password)


@contextmanager
def run_registry(folder: Path, address: str, *, has_password: bool = False) -> Iterator[Registry]:
    """An empty one that listens on `address`, and answers; everybody may do everything there.

    Parameters
    ----------
    has_password
        It lets its one user in instead.
    """
    registry = Registry(address, folder / "users")
    registry.let_in(registry.password)
    program = shutil.which("docker-registry") or _unpack(folder)
    configuration = folder / "config.yml"
    text = _CONFIGURATION + (_USERS if has_password else "")
    configuration.write_text(
        text.format(folder=folder / "images", address=address, users=registry.users)
    )
    with subprocess.Popen([program, "serve", configuration]) as server:
        try:
            wait_for(lambda: _answers(address))
            yield registry
        finally:
            server.terminate()


def _unpack(folder: Path) -> str:
    """The program out of its package: an installed one would also start as a service."""
    apt_get("update")
    apt_get("download", "docker-registry", folder=folder)
    subprocess.run(
        ["sh", "-c", "dpkg-deb --extract docker-registry_*.deb ."], cwd=folder, check=True
    )
    return str(folder / "usr/bin/docker-registry")


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/v2/").status_code in (200, 401)
    except httpx.ConnectError:
        return False


def _hash(password: str) -> str:
    """By bcrypt, the one way that the registry knows."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    # Of 22 characters bcrypt's base64 has two bits too many: the last is one of four.
    salt = f"$2y${_BCRYPT_COST}${secrets.token_hex(11)[:21]}."
    return library.crypt(password.encode(), salt.encode()).decode()
