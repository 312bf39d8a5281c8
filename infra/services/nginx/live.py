"""Tests a configuration of nginx, puts it in place and reloads the running server."""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from infra.engine.resource import engine_of
from infra.engine.volume_access import helper_container, read_files, write_files
from infra.errors import ProviderError
from infra.naming import container_labels
from infra.resources.build_context import source_files

CONFIGURATION_PATH = "/etc/nginx/portal"
_PEER_SECONDS = 20
# With a time and a process id before it, or with "nginx:", as the log is open yet or not.
_REASON = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.+)")
Files = dict[str, str | bytes]


class NginxError(ProviderError):
    """Nginx refused a configuration or did not load it; the former one still holds."""


def render_peers(peers: Sequence[str]) -> str:
    """Servers of the upstream; each name is resolved again, for a replica that restarts."""
    return "".join(
        f"server {peer} resolve max_fails=1 fail_timeout=2s;\n" for peer in sorted(set(peers))
    )


def put_live(olds: dict[str, Any], news: dict[str, Any]) -> None:
    """Test the new configuration, then serve by it.

    Raises
    ------
    NginxError
        Raised when nginx refuses it, a peer does not answer through it, or the reload fails.
    """
    files = _files(news, news["peers"])
    _write(news, "candidate", files)
    client = engine_of(news)
    _test_candidate(client, news)
    server = _running_server(client, news["stack"])
    leaving = set(olds.get("peers") or ()) - set(news["peers"])
    if server is not None and leaving:
        _write(news, "live", _files(news, [*olds["peers"], *news["peers"]]))
        _run(server, "reload-nginx", "0")
        _run(server, "await-peers", str(_PEER_SECONDS), *news["peers"])
    _write(news, "live", files)
    if server is not None:
        # No replica is stopped afterwards if none leaves.
        drain_seconds = int(news["drain_seconds"]) if leaving else 0
        _run(server, "reload-nginx", str(drain_seconds))


def is_live(props: dict[str, Any]) -> bool | None:
    """Whether the volume holds what was put there; None when the volume is gone."""
    wanted = {f"live/{name}": content for name, content in _files(props, props["peers"]).items()}
    found = read_files({**props, "files": wanted})
    if found is None:
        return None
    return found == {name: _encode(content) for name, content in wanted.items()}


def _files(props: dict[str, Any], peers: list[str]) -> Files:
    files: Files = {**props["files"], **props["secret_files"], "peers.conf": render_peers(peers)}
    if props["assets"]:
        for name, path in source_files(Path(props["assets"])).items():
            files[f"assets/{name}"] = path.read_bytes()
    # By these nginx's start finds what a power loss has damaged. Sorted: the inputs come back from
    # Pulumi's state in another order.
    sums = [f"{sha256(_encode(files[name])).hexdigest()}  {name}\n" for name in sorted(files)]
    return {**files, "checksums": "".join(sums)}


def _encode(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _write(props: dict[str, Any], folder: str, files: Files) -> None:
    write_files({**props, "files": {f"{folder}/{name}": text for name, text in files.items()}})


def _test_candidate(client: docker.DockerClient, props: dict[str, Any]) -> None:
    options: dict[str, Any] = {
        "command": ["-t", "-q", "-c", f"{CONFIGURATION_PATH}/candidate/nginx.conf"],
        "entrypoint": ["nginx"],
        "network_disabled": True,
        "user": f"{int(props['uid'])}:{int(props['gid'])}",
        "volumes": {props["volume"]: {"bind": CONFIGURATION_PATH, "mode": "ro"}},
    }
    with helper_container(client, props["image"], "nginx-test", **options) as container:
        container.start()
        code = container.wait()["StatusCode"]
        output = container.logs().decode(errors="replace").strip()
    if code:
        raise NginxError(_describe_refusal(output))


def _describe_refusal(output: str) -> str:
    named = output.replace(f"{CONFIGURATION_PATH}/candidate/", "")
    reasons = list(dict.fromkeys(_REASON.findall(named))) or [named]
    return (
        f"nginx configuration: should pass `nginx -t` (got: {'; '.join(reasons)}). Correct it: "
        "extra.conf is devportal:nginx.extra_configuration, the rest is in docker/nginx. "
        "Nginx goes on as before."
    )


def _running_server(client: docker.DockerClient, stack: str) -> Container | None:
    try:
        found = client.containers.list(
            filters={"label": container_labels(stack, "nginx"), "status": "running"}
        )
    except NotFound:
        return None
    return found[0] if found else None


def _run(server: Container, *command: str) -> None:
    try:
        code, output = server.exec_run(list(command))
    except DockerException as error:
        raise NginxError(f"nginx: {command[0]} should run (got: {error}). Try again.") from None
    if code:
        assert isinstance(output, bytes)
        raise NginxError(
            f"{output.decode(errors='replace').strip()} "
            f"See `docker logs {server.name}`; no replica was stopped."
        )
