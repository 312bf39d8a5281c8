"""Files in a named volume: how secrets reach containers.

`uploads` cannot write below a read-only root, and a bind mount does not reach a remote engine.
A container that is created but never started lends its mount of the volume to the engine's
archive calls; the files never pass through a command line, an image or an environment.
"""

import hashlib
import json
import secrets
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


class _VolumeFilesProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["volume"], _write(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        replaces = [key for key in _IDENTITY if _olds.get(key) != _news.get(key)]
        changed = bool(replaces) or _olds.get("digest") != _digest(_news)
        return DiffResult(changes=changed, replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_write(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        from infra.engine.volume_access import read_files

        found = read_files(props)
        if found is None:
            return ReadResult("", {})
        texts = {name: content.decode(errors="replace") for name, content in found.items()}
        return ReadResult(id_, {**props, "digest": _digest({**props, "files": texts})})


def _write(props: dict[str, Any]) -> dict[str, Any]:
    from infra.engine.volume_access import write_files

    write_files(props)
    return {**props, "digest": _digest(props), "revision": secrets.token_hex(6)}


def _digest(props: dict[str, Any]) -> str:
    described = [props["files"], int(props["uid"]), int(props["gid"])]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


class VolumeFiles(Resource, module="devportal", name="VolumeFiles"):
    """A set of files, mode 0400, owned by one user, in one volume.

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
    """A random word, new with each write: it tells users of the files to restart, and nothing
    about what is in them."""

    def __init__(
        self,
        name: str,
        *,
        volume: pulumi.Input[str],
        image: pulumi.Input[str],
        files: dict[str, pulumi.Input[str]],
        uid: int,
        gid: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            _VolumeFilesProvider(),
            name,
            {
                "volume": volume,
                "image": image,
                "files": pulumi.Output.secret(files),
                "uid": uid,
                "gid": gid,
                "docker_host": pulumi.Config("docker").get("host") or "",
                "digest": None,
                "revision": None,
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["files", "digest"])
            ),
        )
