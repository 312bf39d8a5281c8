"""The pages' own files: addresses that change with what the file holds."""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

OWN_ASSETS = Path(__file__).parent.parent / "static"


def asset_url(name: str) -> str:
    """Where a browser gets that file, and may keep it for ever."""
    path = OWN_ASSETS / name
    return f"/assets/{name}?v={_digest(path, path.stat().st_mtime_ns)}"


class OwnFiles(StaticFiles):
    """The files by those addresses.

    While replicas are replaced a page of a new one may ask an old one, whose file is another: no
    cache may keep that for what the address stands for.
    """

    def __init__(self) -> None:
        super().__init__(directory=OWN_ASSETS)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        version = QueryParams(scope["query_string"]).get("v")
        if version and not asset_url(path).endswith(f"={version}"):
            response.headers["Cache-Control"] = "no-store"
        return response


@lru_cache
def _digest(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def swagger_assets() -> Path:
    """Swagger UI's files, which a package brings; FastAPI's own page fetches them from a CDN."""
    package = importlib.util.find_spec("fastapi_offline")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "static"
