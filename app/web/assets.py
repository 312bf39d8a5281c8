"""The pages' own files: addresses that change with what the file holds."""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

OWN_ASSETS = Path(__file__).parent.parent / "static"


def asset_url(name: str) -> str:
    """Where a browser gets that file, and may keep it for ever."""
    path = OWN_ASSETS / name
    return f"/assets/{name}?v={_digest(path, path.stat().st_mtime_ns)}"


@lru_cache
def _digest(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def swagger_assets() -> Path:
    """Swagger UI's files, which a package brings; FastAPI's own page fetches them from a CDN."""
    package = importlib.util.find_spec("fastapi_offline")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "static"
