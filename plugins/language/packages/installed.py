"""What is installed in a project's environment."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.language.errors import LanguageError
from plugins.language.toolchains.base import Toolchain

_PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True, kw_only=True)
class Package:
    """One installed Python package."""

    name: str
    """Normalised: lower case, words joined by hyphens (PEP 503)."""
    version: str
    requires: frozenset[str] = frozenset()
    """Normalised names of the packages it needs."""
    plugin: dict[str, Any] | None = None
    """Content of its `pulumi-plugin.json`."""


def installed_packages(toolchain: Toolchain) -> list[Package]:
    """List the packages of an environment, by name.

    Raises
    ------
    LanguageError
        If its Python does not answer.
    """
    done = subprocess.run(
        [toolchain.python, str(_PROBE)],
        cwd=toolchain.project.program,
        env=toolchain.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LanguageError(
            f"{toolchain.python}: should list its packages (got exit code {done.returncode}). "
            f"Check the environment. {done.stderr.strip()}"
        )
    found = {package.name: package for package in map(_package, json.loads(done.stdout))}
    return [found[name] for name in sorted(found)]


def without_required(packages: list[Package]) -> list[Package]:
    """Return the packages that no other one needs."""
    needed = {name for package in packages for name in package.requires if name != package.name}
    return [package for package in packages if package.name not in needed]


def normal_name(name: str) -> str:
    """Return the normalised name of a Python package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _package(found: dict[str, Any]) -> Package:
    return Package(
        name=normal_name(found["name"]),
        version=found["version"],
        requires=frozenset(map(normal_name, found["requires"])),
        plugin=found["plugin"],
    )
