"""Nginx's configuration for the Compose side: ours, with the upstream that a user would write."""

import io
import tarfile
from typing import Any

from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import STACK_LABEL
from infra.services.nginx.live import CONFIGURATION_PATH

# Asked again every 2 s, by the `resolver` in nginx.conf: Compose's own answer to replicas.
_PEERS = b"server app:8000 resolve max_fails=1 fail_timeout=2s;\n"
_PEERS_FILE = "live/peers.conf"


def give_own_configuration(model: dict[str, Any], stack: PortalStack) -> None:
    """Let the model's nginx find its replicas by the service's name, in a volume of its own.

    The volume goes with the stack.
    """
    name = f"{model['name']}-nginx-files"
    ours = stack.container("nginx")
    stack.client.volumes.create(name, labels={STACK_LABEL: stack.name})
    _fill(stack, name, _with_own_peers(ours))
    nginx = model["services"]["nginx"]
    [mount] = [m for m in nginx["volumes"] if m["target"] == CONFIGURATION_PATH]
    mount["source"] = name
    model["volumes"][name] = {"external": True, "name": name}


def _fill(stack: PortalStack, volume: str, archive: bytes) -> None:
    helper = stack.client.containers.create(
        stack.image_id("nginx"), volumes={volume: {"bind": CONFIGURATION_PATH}}
    )
    try:
        helper.put_archive("/etc/nginx", archive)
    finally:
        helper.remove(force=True)


def _with_own_peers(ours: Container) -> bytes:
    stream, _ = ours.get_archive(CONFIGURATION_PATH)
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as given,
        tarfile.open(fileobj=buffer, mode="w") as made,
    ):
        for member in given:
            content = given.extractfile(member)
            if content is not None and member.name.endswith(_PEERS_FILE):
                member.size, content = len(_PEERS), io.BytesIO(_PEERS)
            made.addfile(member, content)
    return buffer.getvalue()
