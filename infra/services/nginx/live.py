"""Tests a configuration of nginx, puts it in place and reloads the running server."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from infra.engine.helper_container import helper_container
from infra.engine.resource import engine_of
from infra.engine.volume_access import read_files, write_files
from infra.errors import ProviderError
from infra.naming import Naming, container_labels
from infra.resources.build_context import source_files

CONFIGURATION_PATH = "/etc/nginx/portal"
_CANDIDATE = f"{CONFIGURATION_PATH}/candidate/nginx.conf"
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


def put_live(olds: dict[str, Any], news: dict[str, Any]) -> str:
    """Test the new configuration, then serve by it; the checksums of its files.

    Raises
    ------
    NginxError
        Raised when nginx refuses it, a peer does not answer through it, or the reload fails.
    """
    files, client = _files(news, news["peers"]), engine_of(news)
    _test_candidate(client, news, files)
    server = _find_server(client, news["stack"])
    if server is not None and server.status == "paused":
        # Set going afterwards it would send requests to the replicas that leave.
        server.unpause()
    if server is not None and not _is_for(server, news["image"]):
        server = None
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
    return str(files["checksums"])


def try_alone(props: dict[str, Any]) -> None:
    """Test a configuration that others will serve by, in a volume of its own that goes again.

    Raises
    ------
    NginxError
        Raised when nginx refuses it.
    """
    client, labels = engine_of(props), Naming(props["stack"]).labels("nginx-trial")
    volume = client.volumes.create(props["volume"], labels=labels)
    try:
        _test_candidate(client, props, _files(props, props["peers"]))
    finally:
        volume.remove()


def is_live(props: dict[str, Any]) -> bool | None:
    """Whether the volume holds what was put there; None when the volume is gone.

    The checksums tell what that was: the clone's static files may be others by now.
    """
    # The state of an earlier version has none.
    wanted = props.get("checksums") or str(_files(props, props["peers"])["checksums"])
    names = [line.partition("  ")[2] for line in wanted.splitlines()]
    found = read_files({**props, "files": [f"live/{name}" for name in [*names, "checksums"]]})
    if found is None:
        return None
    files = {name.removeprefix("live/"): content for name, content in found.items()}
    return files.pop("checksums", b"") == wanted.encode() and checksums(files) == wanted


def _files(props: dict[str, Any], peers: list[str]) -> Files:
    files: Files = {**props["files"], **props["secret_files"], "peers.conf": render_peers(peers)}
    if props["assets"]:
        for name, path in source_files(Path(props["assets"])).items():
            files[f"assets/{name}"] = path.read_bytes()
    # By these nginx's start finds what a power loss has damaged.
    return {**files, "checksums": checksums(files)}


def checksums(files: Mapping[str, str | bytes]) -> str:
    """A line for each file, sorted: the inputs come back from Pulumi's state in another order."""
    return "".join(
        f"{sha256(_encode(files[name])).hexdigest()}  {name}\n" for name in sorted(files)
    )


def _encode(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _write(props: dict[str, Any], folder: str, files: Files) -> None:
    write_files({**props, "files": {f"{folder}/{name}": text for name, text in files.items()}})


def _test_candidate(client: docker.DockerClient, props: dict[str, Any], files: Files) -> None:
    _write(props, "candidate", files)
    options: dict[str, Any] = {
        "command": ["-t", "-q", "-c", _CANDIDATE],
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


def _find_server(client: docker.DockerClient, stack: str) -> Container | None:
    try:
        found = client.containers.list(
            filters={
                "label": container_labels(stack, "nginx"),
                "status": ["running", "paused"],
            }
        )
    except NotFound:
        return None
    return found[0] if found else None


def _is_for(server: Container, image: str) -> bool:
    """Whether the server can read the candidate; one of another image, which leaves, need not."""
    if server.attrs["Image"] == image:
        return True
    code, _ = server.exec_run(["nginx", "-t", "-q", "-c", _CANDIDATE])
    return code == 0


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
