"""The clone and the machine a set-up works for."""

import hashlib
import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from toolchain.setup.places import Places

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Project:
    """What every step is given.

    Parameters
    ----------
    root
        The clone's folder.
    environ
        Environment variables of the user.
    """

    root: Path = ROOT
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @cached_property
    def places(self) -> Places:
        """The cache and the data of this user."""
        return Places.of(self.environ)

    def python_folder(self, *requirements: str) -> Path:
        """The cached Python environment that holds what these files of the clone name."""
        texts = [(self.root / name).read_bytes() for name in requirements]
        return self.places.cache / "python" / digest(_python_identity().encode(), *texts)

    @property
    def python(self) -> Path:
        """Interpreter of the program's Python environment."""
        return self.python_folder("requirements.txt") / "bin" / "python"

    def user_path(self, *, program: str) -> Path | None:
        """A program on the user's PATH, outside what the set-up itself has put there."""
        own = str(self.places.cache)
        for folder in self.environ.get("PATH", "").split(os.pathsep):
            candidate = Path(folder or ".") / program
            if not folder.startswith(own) and os.access(candidate, os.X_OK):
                return candidate
        return None


def digest(*parts: bytes) -> str:
    """A short name for exactly this content."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def _python_identity() -> str:
    return f"{sys.implementation.cache_tag} {sys.version.split()[0]} {sysconfig.get_platform()}"
