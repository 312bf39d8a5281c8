"""A Docker engine of a test's own, that nothing else can notice.

It lives in a mount and a network namespace: its bridges, its firewall rules and the accounts that
it maps users to are seen by nobody else, and go when it goes. In the network namespace of the
machine's own engine it would remove that engine's bridge. One link leads in, so that a test can
reach it over TCP as it would reach another machine; none leads out.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException, ImageNotFound

from benchmarks.harness.machine import tool_environment
from benchmarks.harness.portal_stack import DEVELOPMENT, PortalStack
from infra.resources.build_context import ROOT
from infra.settings.model import IMAGE_SOURCE_VARIABLE
from tests.support.switch import NETWORK, Switch
from tests.support.waiting import is_alive, wait_for

FIRST_UID = 500_000
_USER = "remapped"
_PARENT = Path("/var/tmp")
_PREFIX = "devportal-engine-"
_START_SECONDS = 60
_STOP_SECONDS = 120
_COMMAND = """
set -eu
folder=$1 root=$2 link=$3 here=$4 there=$5 outside=$6 mac=$7
shift 7
for name in passwd group subuid subgid; do
    mount --bind "$folder/$name" "/etc/$name"
done
ip link set lo up
at_home() { nsenter --net="/proc/$outside/ns/net" "$@"; }
at_home ip link delete "$link" 2>/dev/null || true
ip link add eth0 address "$mac" type veth peer name "$link" netns "$outside"
ip address add "$there" dev eth0
ip link set eth0 up
case $here in
    master) at_home ip link set "$link" master switch ;;
    *) at_home ip address add "$here" dev "$link" ;;
esac
at_home ip link set "$link" up
if [ "$root" != / ]; then
    mount --bind "$root" "$root"
    for name in proc sys dev; do mount --rbind "/$name" "$root/$name"; done
    mount -t tmpfs run "$root/run"
    mkdir -p "$root/$folder" "$root/before"
    mount --bind "$folder" "$root/$folder"
    # Not chroot: what enters a container's mounts would find the machine's root there.
    cd "$root"
    pivot_root . before
    umount --lazy /before
fi
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
    maps_users: bool = False
    root: Path = Path("/")
    """Of the distribution whose engine it is, as `next_debian` makes one."""
    switch: Switch | None = None
    """Where it finds other engines; None for a link of its own."""
    number: int = 2
    """The last part of its address."""
    configuration: Mapping[str, object] = field(default_factory=dict[str, object])
    """What its `daemon.json` says."""
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    namespaces: list[int] = field(default_factory=list[int], init=False)
    """Of its mounts and its network, kept open: what a killed engine leaves lives in them."""

    @property
    def address(self) -> str:
        """Where this machine finds the engine, and the ports that its containers publish."""
        return f"{NETWORK}.{self.number}"

    @property
    def tcp_host(self) -> str:
        """For clients with the certificates."""
        return f"tcp://{self.address}:2376"

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def certificates(self) -> Path:
        """Folder with `ca.pem`, `cert.pem` and `key.pem`: the engine's own, and a client's."""
        return self.folder / "certificates"

    def start(self) -> docker.DockerClient:
        """Start it and wait until it answers."""
        for name, line in _ACCOUNTS.items():
            known = Path("/etc", name)
            (self.folder / name).write_text((known.read_text() if known.exists() else "") + line)
        (self.folder / "daemon.json").write_text(json.dumps(self.configuration))
        if not self.certificates.exists():
            self._make_certificates()
        link = [f"dpe{os.getpid()}", f"{NETWORK}.1/30", f"{self.address}/30", str(os.getpid())]
        if self.switch:
            link = [f"node{self.number}", "master", f"{self.address}/24", str(self.switch.pid)]
        # A machine keeps its network card: for half a minute others remember which one it has.
        card = f"02:00:00:00:00:{self.number:02x}"
        given = [str(self.folder), str(self.root), *link, card, *self._arguments()]
        command = ["sh", "-c", _COMMAND, "sh", *given]
        client = self._run("unshare", "--mount", "--net", *command)
        assert self.process is not None
        folder = Path("/proc", str(self.process.pid), "ns")
        self.namespaces = [os.open(folder / name, os.O_RDONLY) for name in ("mnt", "net")]
        return client

    def kill(self) -> None:
        """SIGKILL; what held the containers' processes lives on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        # Its containerd dies with it. Until its new parent asks for its exit code, the next engine
        # takes it for alive, and waits for it.
        file = self.folder / "exec" / "containerd" / "containerd.pid"
        wait_for(lambda: not is_alive(int(file.read_text())))
        file.unlink()

    def restart(self) -> docker.DockerClient:
        """Start it after `kill`, as the machine's supervisor would."""
        mounts, network = (f"/proc/{os.getpid()}/fd/{number}" for number in self.namespaces)
        entered = ("nsenter", f"--mount={mounts}", f"--net={network}")
        return self._run(*entered, "setpriv", "--pdeathsig", "TERM", *self._arguments())

    def stop(self) -> None:
        """End it as a machine that shuts down does; its containers end with it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_STOP_SECONDS)
            self.process = None
        while self.namespaces:
            os.close(self.namespaces.pop())

    def _run(self, *command: str) -> docker.DockerClient:
        with (self.folder / "log").open("ab") as log:
            environ = {**os.environ, "DOCKER_HOST": ""}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
        return self._wait(self.process)

    def _arguments(self) -> list[str]:
        return [
            "dockerd",
            f"--host={self.host}",
            f"--host={self.tcp_host}",
            "--tlsverify",
            *(f"--tls{key}={self.certificates}/{key}.pem" for key in ("cert", "key")),
            f"--tlscacert={self.certificates}/ca.pem",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            *([f"--userns-remap={_USER}"] if self.maps_users else []),
            # The machine's own configuration is for its own engine.
            f"--config-file={self.folder}/daemon.json",
        ]

    def _make_certificates(self) -> None:
        """One certificate that vouches for itself, for both ends."""
        self.certificates.mkdir(mode=0o700)
        subject = ["-subj", "/CN=devportal-engine", "-addext", f"subjectAltName=IP:{self.address}"]
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        files = ["-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(
            ["openssl", "req", "-x509", *key, "-days", "2", *subject, *files],
            cwd=self.certificates,
            check=True,
            capture_output=True,
        )
        (self.certificates / "ca.pem").symlink_to("cert.pem")

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
def second_engine(*, maps_users: bool = False, **options: Any) -> Iterator[SecondEngine]:
    """An engine that ends, with all that it holds, after use; not yet started."""
    if os.geteuid() != 0:
        pytest.skip("only root can start an engine")
    _remove_leftovers()
    # Not in pytest's folder, which its remapped users could not enter.
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PARENT))
    folder.chmod(0o711)
    engine = SecondEngine(folder, maps_users, **options)
    try:
        yield engine
    finally:
        engine.stop()
        _remove(folder)


def base_images(*roles: str) -> list[str]:
    """Names of these base images, or of all, from where the set-up takes them."""
    source = tool_environment().get(IMAGE_SOURCE_VARIABLE) or "official"
    known = json.loads((ROOT / "docker" / "base-images.json").read_text())
    return [known[role][source] for role in roles or known]


def lend_images(lender: PortalStack, there: SecondEngine, *roles: str) -> str:
    """The name of the portal's image, which is there afterwards, as the roles' base images are.

    That engine reaches no registry and no mirror.
    """
    portal = lender.client.images.get(lender.image_id("app")).tags[0]
    _carry_over(lender.client, there, [portal, *base_images(*roles)])
    return portal


def development_there(there: SecondEngine, portal: str) -> dict[str, Any]:
    """Settings of a development stack on that engine, whose portal runs that image."""
    return {
        **DEVELOPMENT,
        "app": {"image": portal, "anonymous_reads": True},
        "ports": {**DEVELOPMENT["ports"], "bind_address": there.address},
        # Its engine is elsewhere: loopback there would be out of reach.
        "policies": {"loopback_only": "disabled"},
    }


def _carry_over(here: docker.DockerClient, there: SecondEngine, names: Sequence[str]) -> None:
    for name in names:
        try:
            here.images.get(name)
        except ImageNotFound:  # a build that was given a registry leaves its base in a cache
            here.images.pull(name)
    # All at once: what they have in common is sent once.
    with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saving:
        subprocess.run(
            ["docker", "--host", there.host, "load"],
            stdin=saving.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    assert saving.returncode == 0


def _remove_leftovers() -> None:
    """Folders of runs that were killed; their engines have ended with them."""
    for folder in _PARENT.glob(f"{_PREFIX}*"):
        if not Path("/proc", folder.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    # Its mounts have gone with its mount namespace.
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
