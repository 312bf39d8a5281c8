"""A copy of what a stack is made from."""

import shutil
from pathlib import Path

from infra.resources.build_context import ROOT

_COPIED = (
    "Pulumi.yaml",
    "__main__.py",
    "requirements.txt",
    ".dockerignore",
    "infra",
    "app",
    "migrations",
    "docker",
    "operations",
    "policy",
    "toolchain",
    "Makefile",
    "activate",
    "requirements-dev.txt",
)


def copy_project(target: Path) -> None:
    """Copy the project without its tests, so that a test may edit it."""
    target.mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    (target / ".venv").symlink_to((ROOT / ".venv").resolve())
