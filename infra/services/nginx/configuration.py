"""Nginx's configuration in a volume, changed under a running server without a lost request.

Order, by what was measured to lose nothing: the candidate is tested; peers that are new are added
beside the old ones and have answered through nginx; then the old ones are taken out, and no old
worker can send them another request when this returns. Whoever stops the old replicas afterwards
(Pulumi, at the end of its update) cuts nobody off.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

_IDENTITY = ("volume", "docker_host")


class _ConfigurationProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["volume"], _put_live({}, props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        replaces = [key for key in _IDENTITY if _olds.get(key) != _news.get(key)]
        changed = bool(replaces) or _olds.get("digest") != _digest_of_inputs(_news)
        return DiffResult(changes=changed, replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_put_live(_olds, _news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        from infra.services.nginx.live import is_live

        known = is_live(props)
        if known is None:
            return ReadResult("", {})
        return ReadResult(id_, props if known else {**props, "digest": "changed by hand"})


def _put_live(olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    from infra.services.nginx.live import put_live

    put_live(olds, news)
    return {**news, "digest": _digest_of_inputs(news)}


def _digest_of_inputs(props: dict[str, Any]) -> str:
    keys = ("files", "secret_files", "peers", "assets_digest", "uid", "gid")
    text = json.dumps([props.get(key) for key in keys], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ConfigurationArgs:
    """What nginx is to read.

    Parameters
    ----------
    volume
        Name of the volume that holds the configuration.
    image
        Nginx's image: the candidate is tested with it.
    files, secret_files
        Texts by name; the latter are never shown.
    peers
        `host:port` of every replica that gets requests.
    assets
        Folder whose files nginx serves itself; None leaves them to the portal.
    drain_seconds
        How long requests that have begun may take before their replica is stopped.
    """

    stack: str
    volume: pulumi.Input[str]
    image: pulumi.Input[str]
    uid: int
    gid: int
    files: dict[str, str]
    secret_files: dict[str, pulumi.Input[str]]
    peers: pulumi.Input[list[str]]
    assets: Path | None
    drain_seconds: int


class NginxConfiguration(Resource, module="devportal", name="NginxConfiguration"):
    """The configuration that the stack's nginx serves by."""

    def __init__(self, name: str, args: ConfigurationArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(
            _ConfigurationProvider(),
            name,
            {
                "stack": args.stack,
                "volume": args.volume,
                "image": args.image,
                "uid": args.uid,
                "gid": args.gid,
                "files": args.files,
                "secret_files": pulumi.Output.secret(args.secret_files),
                "peers": args.peers,
                "assets": str(args.assets) if args.assets else "",
                "drain_seconds": args.drain_seconds,
                "assets_digest": _digest_of_folder(args.assets),
                "docker_host": pulumi.Config("docker").get("host") or "",
                "digest": None,
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["secret_files", "digest"])
            ),
        )


def _digest_of_folder(folder: Path | None) -> str:
    if folder is None:
        return ""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
