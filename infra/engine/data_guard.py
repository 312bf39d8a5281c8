"""What remembers, in Pulumi's state, that a volume holds data.

The server refuses an empty volume unless it finds a permit in it. The permit is written when this
resource is created, which is once in a stack's life: a volume that is lost later comes back
empty and without one. The server uses the permit up.
"""

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

_PERMIT = ".begin-empty"
_TELLING = ("retain", "fresh_start", "docker_host")
_FOLDER_MODE = 0o700


class _DataGuardProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        _permit_if_empty(props)
        return CreateResult(props["volume"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        replaced = _olds.get("volume") != _news.get("volume")
        changed = any(_olds.get(key) != _news.get(key) for key in _TELLING)
        return DiffResult(changes=replaced or changed, replaces=["volume"] if replaced else [])

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        asked = _news.get("fresh_start") not in (None, _olds.get("fresh_start"))
        if asked or not _news["retain"]:
            _permit_if_empty(_news)
        return UpdateResult(_news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        from infra.engine.volume_access import has_file

        # Where data is retained, that it was there is never forgotten.
        if props["retain"] or has_file(props, "PG_VERSION") or has_file(props, _PERMIT):
            return ReadResult(id_, props)
        return ReadResult("", {})


def _permit_if_empty(props: dict[str, Any]) -> None:
    from infra.engine.volume_access import has_file, write_files

    if not has_file(props, "PG_VERSION"):
        write_files({**props, "files": {_PERMIT: ""}, "folder_mode": _FOLDER_MODE})


class DataGuard(Resource, module="devportal", name="DataGuard"):
    """Leave to begin with an empty database, given once.

    Parameters
    ----------
    volume
        Name of the data volume.
    retain
        Whether losing the data is a mistake; if not, an empty volume is begun anew.
    fresh_start
        Another word than before gives leave once more.
    """

    volume: pulumi.Output[str]
    """Name of the volume, once the guard has looked at it."""

    def __init__(
        self,
        name: str,
        *,
        volume: pulumi.Input[str],
        uid: int,
        gid: int,
        retain: bool,
        fresh_start: str | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            _DataGuardProvider(),
            name,
            {
                "volume": volume,
                # No image is lent: what it depends on would outlive the stack, as it does.
                "uid": uid,
                "gid": gid,
                "retain": retain,
                "fresh_start": fresh_start,
                "docker_host": pulumi.Config("docker").get("host") or "",
            },
            opts,
        )
