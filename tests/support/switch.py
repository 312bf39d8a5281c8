"""A network of a test's own, on which its engines find each other as machines would."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

# Addresses of a network for tests (RFC 2544), the third number that of the test run.
NETWORK = f"198.18.{os.getpid() % 256}"
_SWITCH_COMMAND = """
set -eu
link=$1 here=$2 outside=$3
at_home() { nsenter --net="/proc/$outside/ns/net" "$@"; }
at_home ip link delete "$link" 2>/dev/null || true
ip link add switch type bridge
ip link add uplink type veth peer name "$link" netns "$outside"
ip link set uplink master switch up
ip link set switch up
at_home ip address add "$here" dev "$link"
at_home ip link set "$link" up
echo ready
exec setpriv --pdeathsig TERM sleep infinity
"""


@dataclass
class Switch:
    """What joins engines to one network: a bridge in a namespace of its own, which nothing filters.

    `address` is this machine's, for them and for what it runs for them.
    """

    pid: int
    address = f"{NETWORK}.1"


@contextmanager
def open_switch() -> Iterator[Switch]:
    """A switch that goes after use."""
    if os.geteuid() != 0:
        pytest.skip("only root can start an engine")
    link = [f"dps{os.getpid()}", f"{Switch.address}/24", str(os.getpid())]
    command = ["unshare", "--net", "sh", "-c", _SWITCH_COMMAND, "sh", *link]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield Switch(process.pid)
        finally:
            process.terminate()
