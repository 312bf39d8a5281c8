"""The next Debian with its Docker engine, as new as most users', where the machine's own is older.

Docker 28, for one, gives a folder that a COPY makes the mode of its files; Docker 26 does not.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks.harness.machine import tool_environment
from infra.errors import UserError
from tests.support.packages import apt_get
from toolchain.images.machine import find_mirrors

_SUITE = "testing"
_PACKAGES = "docker.io,iptables,iproute2"


@contextmanager
def next_debian() -> Iterator[Path]:
    """A folder with it, as `second_engine` takes one for its root; it goes after use."""
    if os.geteuid() != 0:
        pytest.skip("only root can unpack a Debian")
    if not shutil.which("debootstrap"):
        apt_get("update")
        apt_get("install", "-y", "--no-install-recommends", "debootstrap", "debian-archive-keyring")
    mirror: list[str] = []
    # Without one, as on Ubuntu, debootstrap has its own.
    with suppress(UserError):
        mirror = [find_mirrors(tool_environment()).main]
    folder = Path(tempfile.mkdtemp(prefix="devportal-next-debian-", dir="/var/tmp"))
    options = ("--variant=minbase", f"--include={_PACKAGES}")
    # A mount namespace of its own: killed at any time, it leaves no mount behind.
    command = ["unshare", "--mount", "debootstrap", *options, _SUITE, str(folder), *mirror]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:]
        yield folder
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
