"""Docker Compose v5 itself: the installed one, else built from its Go module."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "v5.5.0"
_MODULE = "github.com/docker/compose/v5"


def find_compose() -> Path:
    """Path of a Docker Compose v5 binary; builds it once into the cache if there is none.

    Raises
    ------
    RuntimeError
        Raised when there is neither a binary nor a Go toolchain to build one.
    """
    installed = shutil.which("docker-compose")
    if installed and _version_of(installed).startswith("5."):
        return Path(installed)
    cached = _cache_folder() / "docker-compose"
    if not cached.exists():
        _build(cached)
    return cached


def _version_of(binary: str) -> str:
    shown = subprocess.run(
        [binary, "version", "--short"], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip().removeprefix("v")


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "devportal" / "compose" / VERSION


def _build(target: Path) -> None:
    if not shutil.which("go"):
        raise RuntimeError(
            "docker-compose: should be installed (got neither it nor go). Install one of them."
        )
    print(f"Building Docker Compose {VERSION} from its Go module (some minutes, once) ...")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        module = f"module bench\n\ngo 1.26\n\ntool {_MODULE}/cmd\n\nrequire {_MODULE} {VERSION}\n"
        (Path(folder) / "go.mod").write_text(module)
        stamp = f"-s -w -X {_MODULE}/internal.Version={VERSION}"
        for command in (
            ["go", "mod", "tidy"],
            ["go", "build", "-trimpath", "-ldflags", stamp, "-o", "built", f"{_MODULE}/cmd"],
        ):
            subprocess.run(command, cwd=folder, check=True)
        os.replace(Path(folder) / "built", target)
