"""A bare FastAPI beside the portal: the same image, server, limits and Nginx."""

import io
import tarfile
from typing import Any

from docker.models.containers import Container

from infra.naming import SPEC_LABEL, Naming
from infra.services.nginx.files import render_peers
from infra.services.nginx.live import CONFIGURATION_PATH
from infra.engine.volume_access import write_files
from tests.support.portal_stack import PortalStack

PATH = "/bare"
_CODE = f'''
from fastapi import FastAPI

app = FastAPI()


@app.get("{PATH}")
async def answer() -> dict[str, bool]:
    return {{"ok": True}}
'''
_PORT = 8000
_WAIT_SECONDS = 20
_LIMITS = {
    "NanoCpus": "nano_cpus",
    "CpuPeriod": "cpu_period",
    "CpuQuota": "cpu_quota",
    "Memory": "mem_limit",
}


def start_bare(stack: PortalStack, number: int) -> Container:
    """Start one as a replica of the portal is started, but for what it serves."""
    portal = stack.containers("app")[0]
    server, *options = portal.attrs["Config"]["Cmd"]
    host: dict[str, Any] = portal.attrs["HostConfig"]
    naming = Naming(stack.name)
    container = stack.client.containers.create(
        portal.attrs["Image"],
        [option.replace("app.main:app", "bare:app") for option in options],
        entrypoint=server,
        name=naming.physical("bare", number),
        labels={**naming.labels("bare"), SPEC_LABEL: "bare"},
        network=_shared_network(portal, stack.container("nginx")),
        healthcheck={"test": ["NONE"]},
        **{name: host[key] for key, name in _LIMITS.items() if host[key]},
    )
    container.put_archive("/srv/portal", _pack("bare.py", _CODE))
    container.start()
    return container


def remove_bare(stack: PortalStack) -> None:
    """Remove them all: the stack's images are in use for as long as they are there."""
    for container in stack.containers("bare"):
        container.remove(force=True)


def serve_from(stack: PortalStack, role: str) -> None:
    """Have Nginx pass requests on to the containers of a role, and wait until it does."""
    nginx = stack.container("nginx")
    peers = [f"{container.name}:{_PORT}" for container in stack.containers(role)]
    uid, _, gid = nginx.attrs["Config"]["User"].partition(":")
    write_files(
        {
            "volume": _configuration_volume(nginx),
            "image": nginx.attrs["Image"],
            "files": {"live/peers.conf": render_peers(peers)},
            "uid": uid,
            "gid": gid,
            "docker_host": "",
        }
    )
    for command in (
        ["reload-nginx", str(_WAIT_SECONDS)],
        ["await-peers", str(_WAIT_SECONDS), *peers],
    ):
        stack.run_in("nginx", *command)


def _shared_network(one: Container, other: Container) -> str:
    [shared] = _networks(one) & _networks(other)
    return shared


def _networks(container: Container) -> set[str]:
    return set(container.attrs["NetworkSettings"]["Networks"])


def _configuration_volume(nginx: Container) -> str:
    [volume] = [
        mount["Name"]
        for mount in nginx.attrs["Mounts"]
        if mount["Destination"] == CONFIGURATION_PATH
    ]
    return volume


def _pack(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(text), 0o444
        archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()
