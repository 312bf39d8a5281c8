"""Where the set-up keeps things: a cache that may be deleted, and data that may not."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Folders and files outside the clone; shared by all clones of one user.

    Parameters
    ----------
    cache
        Built and downloaded parts. Deleting it costs time only.
    data
        Stack states and the passphrase that opens them. Deleting it loses them.
    """

    cache: Path
    data: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Places":
        """The folders the XDG Base Directory Specification names."""
        home = Path(environ.get("HOME") or os.path.expanduser("~"))
        cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
        data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
        return cls(cache / "devportal", data / "devportal")

    @property
    def lock(self) -> Path:
        """Held by a running set-up and by every command it has started."""
        return self.cache / "lock"

    @property
    def logs(self) -> Path:
        """Whole output of the commands, a file for each step."""
        return self.cache / "logs"

    @property
    def image_source(self) -> Path:
        """Holds `official` or `packages`: what was found reachable."""
        return self.cache / "image-source"

    @property
    def state(self) -> Path:
        """The file backend of all stacks."""
        return self.data / "state"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME of this project, so that the user's own stays untouched."""
        return self.data / "pulumi"

    @property
    def passphrase(self) -> Path:
        """Opens the secrets of development stacks; made once for a machine, mode 0600."""
        return self.data / "passphrase"

    @property
    def engine_log(self) -> Path:
        """Output of a Docker engine that the set-up has started without systemd."""
        return self.data / "dockerd.log"
