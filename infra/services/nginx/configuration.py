"""Nginx's configuration in a volume, changed under a running server without a lost request.

Order, by what was measured to lose nothing: the candidate is tested; peers that are new are added
beside the old ones and have answered through nginx; then the old ones are taken out, and no old
worker can send them another request when this returns. Stopping the old replicas afterwards
(Pulumi, at the end of its update) cuts nobody off.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props
from infra.resources.build_context import source_files
from infra.services.nginx.live import is_live, put_live, try_alone

_DIGESTED = ("files", "secret_files", "peers", "assets_digest", "uid", "gid")


class _ConfigurationProvider(EngineProvider):
    identity = ("volume",)
    # When the container of a new one finds that it refuses the configuration, the old one is gone.
    inputs = ("image",)

    def id_of(self, props: Props) -> str:
        return props["volume"]

    def is_changed(self, olds: Props, news: Props) -> bool:
        is_other = olds.get("digest") != _digest_of_inputs(news)
        return is_other or super().is_changed(olds, news)

    def put(self, olds: Props, news: Props) -> Props:
        return {"checksums": put_live(olds, news), "digest": _digest_of_inputs(news)}

    def find(self, props: Props) -> Props | None:
        known = is_live(props)
        if known is None:
            return None
        return props if known else {"digest": "changed by hand"}


class _TrialProvider(_ConfigurationProvider):
    def put(self, olds: Props, news: Props) -> Props:
        try_alone(news)
        return {"digest": _digest_of_inputs(news)}

    def find(self, props: Props) -> Props:
        return props


def _digest_of_inputs(props: Props) -> str:
    text = json.dumps([props.get(key) for key in _DIGESTED], sort_keys=True, default=str)
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
    engine: EngineAddress


class NginxConfiguration(EngineResource, module="devportal", name="NginxConfiguration"):
    """The configuration that the stack's nginx serves by."""

    provider_type: ClassVar[type[EngineProvider]] = _ConfigurationProvider

    def __init__(self, name: str, args: ConfigurationArgs, opts: pulumi.ResourceOptions) -> None:
        props: Props = {
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
            "digest": None,
            "checksums": None,
        }
        secret = pulumi.ResourceOptions(
            additional_secret_outputs=["secret_files", "digest", "checksums"]
        )
        merged = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(self.provider_type(), name, args.engine, props, merged)


class NginxTrial(NginxConfiguration, module="devportal", name="NginxTrial"):
    """That nginx takes a configuration which it will serve by elsewhere; nothing of it stays."""

    provider_type = _TrialProvider


def _digest_of_folder(folder: Path | None) -> str:
    if folder is None:
        return ""
    digest = hashlib.sha256()
    for name, path in source_files(folder).items():
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
