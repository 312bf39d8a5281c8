"""Nginx's configuration in a volume, changed under a running server without a lost request.

Order, by what was measured to lose nothing: the candidate is tested; peers that are new are added
beside the old ones and have answered through nginx; then the old ones are taken out, and no old
worker can send them another request when this returns. Stopping the old replicas afterwards
(Pulumi, at the end of its update) cuts nobody off.
"""

import hashlib
import json
from pathlib import Path
from typing import ClassVar

import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props
from infra.resources.build_context import source_files
from infra.services.nginx.live import is_live, put_live, try_alone

_DIGESTED = ("files", "secret_files", "peers", "assets_digest", "uid", "gid")


class _ConfigurationProvider(EngineProvider):
    key = "volume"
    identity = ("volume",)
    # When the container of a new one finds that it refuses the configuration, the old one is gone.
    inputs = ("image",)

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


class NginxConfiguration(EngineResource, module="devportal", name="NginxConfiguration"):
    """The configuration that the stack's nginx serves by.

    Parameters
    ----------
    props
        `volume` for the files of `files`, `secret_files` and `peers` and for those of the folder
        `assets` (empty for none), the `uid` and `gid` that own them, the `image` that they are
        tested with, the `stack`, and the `drain_seconds` of a replica that is stopped.
    """

    provider_type: ClassVar[type[EngineProvider]] = _ConfigurationProvider

    def __init__(
        self, name: str, engine: EngineAddress, props: Props, opts: pulumi.ResourceOptions
    ) -> None:
        whole: Props = {
            **props,
            "secret_files": pulumi.Output.secret(props["secret_files"]),
            "assets_digest": _digest_of_folder(props["assets"]),
            "digest": None,
            "checksums": None,
        }
        hidden = ("secret_files", "digest", "checksums")
        super().__init__(self.provider_type(), name, engine, whole, opts, hidden)


class NginxTrial(NginxConfiguration, module="devportal", name="NginxTrial"):
    """That nginx takes a configuration which it will serve by elsewhere; nothing of it stays."""

    provider_type = _TrialProvider


def _digest_of_folder(folder: str) -> str:
    if not folder:
        return ""
    digest = hashlib.sha256()
    for name, path in source_files(Path(folder)).items():
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
