"""What remembers, in Pulumi's state, that a volume holds data.

The server refuses an empty volume unless it finds a permit in it. The permit is written when this
resource is created, which is once in a stack's life: a volume that is lost later comes back
empty and without one. The server uses the permit up.
"""

import pulumi

from infra.engine.address import EngineAddress
from infra.engine.resource import EngineProvider, EngineResource, Props
from infra.engine.volume_access import has_file, write_files

_PERMIT = ".begin-empty"
_FOLDER_MODE = 0o700


class _DataGuardProvider(EngineProvider):
    key = "volume"
    identity = ("volume",)
    inputs = ("retain", "fresh_start", "is_used")

    def put(self, olds: Props, news: Props) -> Props:
        is_new = not olds
        requested = news.get("fresh_start") not in (None, olds.get("fresh_start"))
        if (is_new or requested or not news["retain"]) and not has_file(news, "PG_VERSION"):
            write_files({**news, "files": {_PERMIT: ""}, "folder_mode": _FOLDER_MODE})
        return {}

    def find(self, props: Props) -> Props | None:
        # Where data is retained, that it was there is never forgotten while its server runs.
        is_kept = props["retain"] and props.get("is_used", True)
        if is_kept or has_file(props, "PG_VERSION") or has_file(props, _PERMIT):
            return props
        return None


class DataGuard(EngineResource, module="devportal", name="DataGuard"):
    """Permission to begin with an empty database, given once.

    Parameters
    ----------
    volume
        Name of the data volume.
    retain
        Whether losing the data is a mistake; if not, an empty volume is begun anew.
    is_used
        Whether the stack's server runs; beside one of others the volume may be removed by hand.
    fresh_start
        Another word than before gives the permission once more.
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
        is_used: bool,
        fresh_start: str | None,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # No image is lent: what it depends on would outlive the stack, as it does.
        props: Props = {
            "volume": volume,
            "uid": uid,
            "gid": gid,
            "retain": retain,
            "is_used": is_used,
            "fresh_start": fresh_start,
        }
        super().__init__(_DataGuardProvider(), name, engine, props, opts)
