"""Files in a named volume: how secrets reach containers.

`uploads` cannot write below a read-only root, and a bind mount does not reach a remote engine.
A container that is created but never started lends its mount of the volume to the engine's
archive calls; the files never pass through a command line, an image or an environment.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping

import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props
from infra.engine.volume_access import read_files, write_files


class _VolumeFilesProvider(EngineProvider):
    key = "volume"
    identity = ("volume",)

    def is_changed(self, olds: Props, news: Props) -> bool:
        return olds.get("digest") != _digest(news)

    def put(self, olds: Props, news: Props) -> Props:
        write_files(news, alone=True)
        return {"digest": _digest(news), "revision": secrets.token_hex(6)}

    def find(self, props: Props) -> Props | None:
        found = read_files(props, alone=True)
        if found is None:
            return None
        texts = {name: content.decode(errors="replace") for name, content in found.items()}
        return {"digest": _digest({**props, "files": texts})}


def _digest(props: Props) -> str:
    described = [props["files"], int(props["uid"]), int(props["gid"])]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


class VolumeFiles(EngineResource, module="devportal", name="VolumeFiles"):
    """A set of files, mode 0400, owned by one user, in one volume, which holds nothing else.

    Parameters
    ----------
    volume
        Name of the volume.
    image
        Any image present on the engine; nothing of it is run.
    files
        Text of each file by its name.
    """

    revision: pulumi.Output[str]
    """A random word, new with each write: users of the files restart by it, and it reveals
    nothing of what is in them."""

    def __init__(
        self,
        name: str,
        *,
        volume: pulumi.Input[str],
        image: pulumi.Input[str],
        files: Mapping[str, pulumi.Input[str]],
        uid: int,
        gid: int,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {
            "volume": volume,
            "image": image,
            "files": pulumi.Output.secret(dict(files)),
            "uid": uid,
            "gid": gid,
            "digest": None,
            "revision": None,
        }
        hidden = ("files", "digest")
        super().__init__(_VolumeFilesProvider(), name, engine, props, opts, hidden)
