"""The clone and the machine that a set-up works for."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent.parent


class Places:
    """Folders outside the clone, where the XDG specification puts them; clones share them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.home = Path(environ.get("HOME") or os.path.expanduser("~"))
        cache = Path(environ.get("XDG_CACHE_HOME") or self.home / ".cache")
        data = Path(environ.get("XDG_DATA_HOME") or self.home / ".local" / "share")
        self.cache = cache / "devportal"
        """Built and downloaded parts. Deleting it costs time only."""
        self.lock = self.cache / "lock"
        """Held by a running set-up and by every command it has started."""
        self.logs = self.cache / "logs"
        self.go = self.cache / ".go"
        """Go's caches, several GB: kept until the last Go build is done."""
        self.image_source = self.cache / "image-source"
        """Holds `official` or `packages`: where base images were found to be reachable."""
        self.data = data / "devportal"
        """Stack states. Deleting it loses them."""
        self.state = self.data / "state"
        """The file backend of all stacks."""
        self.backend_url = f"file://{quote(str(self.state))}"
        """Its address: Pulumi takes what follows a `#` or `?`, and a `%`, for parts of a URL."""
        self.pulumi_home = self.data / "pulumi"
        """PULUMI_HOME of this project, so that the user's own stays untouched."""
        self.engine_log = self.data / "dockerd.log"
        """Output of a Docker engine that the set-up has started without systemd."""


@dataclass(frozen=True)
class Project:
    """What every step works on: the clone's folder and the user's environment variables."""

    root: Path = ROOT
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    engine_named_by: str = ""
    """The setting that has put the engine's address into `environ`, if one has."""

    @cached_property
    def places(self) -> Places:
        """The cache and the data of this user."""
        return Places(self.environ)

    @property
    def python(self) -> Path:
        """Interpreter of the program's Python environment."""
        return self.root / ".venv" / "bin" / "python"

    @property
    def path(self) -> list[str]:
        """The folders on the user's PATH, without what the set-up itself has put there."""
        folders = self.environ.get("PATH", "").split(os.pathsep)
        return [one for one in folders if not Path(one).is_relative_to(self.places.cache)]

    def find_program(self, name: str) -> Path | None:
        """A program of the user's."""
        found = shutil.which(name, path=os.pathsep.join(self.path))
        return Path(found) if found else None


def digest(*parts: bytes) -> str:
    """A short name for exactly this content."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]
