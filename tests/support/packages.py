"""Packages of the distribution's that only tests need."""

import os
import subprocess
import tempfile
from pathlib import Path

_LOCK = Path(tempfile.gettempdir(), "devportal-tests-apt.lock")
_PATIENT = ("-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=600")


def apt_get(*arguments: str, folder: Path | None = None) -> None:
    """Run it in a folder; one at a time, as of two workers one would find its lists locked."""
    subprocess.run(
        ["flock", _LOCK, "apt-get", "-qq", *_PATIENT, *arguments],
        check=True,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.DEVNULL,
    )
