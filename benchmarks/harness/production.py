"""A production stack as its clients see it: over TLS, by its name, on loopback."""

import io
import itertools
import random
import socket
import ssl
import tarfile
from typing import Any

import httpx

from benchmarks.harness.load import DOMAIN
from benchmarks.harness.portal_stack import RARE_PROBES, PortalStack

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "server": "nginx",
}


def production_settings() -> dict[str, Any]:
    """Settings of a production stack on free ports, whose data goes with it."""
    https, http = free_ports(2)
    return {
        "environment": "production",
        "retain_data": False,
        "policies": {"protected_data": "disabled"},
        "app": {"anonymous_reads": True},
        "ports": {"https": https, "http": http},
        "health": {"wait_seconds": 300, **RARE_PROBES},
        "nginx": {"requests_per_second": 0, "connections_per_client": 0},
    }


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on.

    Nginx has to be told the port that it redirects to, so the engine cannot choose it. Those that
    the system gives away, from 32768, may belong to a connection when the stack comes up again, and
    those from 20000 are what another stack may choose from meanwhile.
    """
    free = filter(_is_free, random.sample(range(10_000, 19_000), 1000))
    return list(itertools.islice(free, count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def trust(stack: PortalStack) -> ssl.SSLContext:
    """TLS that believes the stack's own authority and no other."""
    return ssl.create_default_context(cadata=stack.output("ca_certificate"))


def portal_client(
    stack: PortalStack, address: str = "127.0.0.1", *, kept_connections: int = 0
) -> httpx.Client:
    """A client of the portal at an address of its; nothing has to resolve its name.

    Each request has a connection of its own, unless some are to be kept: for 5 s after a reload
    nginx goes on as before with one that was open.
    """
    port = stack.settings["ports"]["https"]

    def ask_by_name(request: httpx.Request) -> None:
        request.headers["Host"] = f"{DOMAIN}:{port}"
        request.extensions["sni_hostname"] = DOMAIN

    return httpx.Client(
        base_url=f"https://{address}:{port}",
        verify=trust(stack),
        event_hooks={"request": [ask_by_name]},
        limits=httpx.Limits(max_keepalive_connections=kept_connections),
        timeout=30,
    )


def admin_password(stack: PortalStack) -> str:
    """The administrator's first password."""
    # The job alone has it, and has ended: its files can still be copied.
    chunks, _ = stack.container("migrations").get_archive("/run/secrets/admin_password")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        file = archive.extractfile("admin_password")
        assert file is not None
        return file.read().decode().strip()


def plain_client(stack: PortalStack) -> httpx.Client:
    """A client on the port without TLS."""
    port = stack.settings["ports"]["http"]
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": DOMAIN})
