"""Keeps the salt that Pulumi writes into Pulumi.<stack>.yaml out of what git sees.

The state has the salt too, and PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER brings it back, so
nothing is lost when a checkout takes it out of the file.
"""

import subprocess
from pathlib import Path

_KEY = "filter.pulumi-salt.clean"
_COMMAND = "sed '/^encryptionsalt:/d'"
_FILES = "Pulumi.*.yaml"


def is_clone(root: Path) -> bool:
    """Whether this folder itself is a git work tree, not one somewhere above it."""
    return (root / ".git").exists() and _ask(root, "rev-parse", "--git-dir") != ""


def has_filter(root: Path) -> bool:
    """Whether the clone has the filter that `.gitattributes` names."""
    return _ask(root, "config", "--get", _KEY) == _COMMAND


def set_filter(root: Path) -> None:
    """Define the filter in the clone's own configuration."""
    _run(root, "config", _KEY, _COMMAND)


def settle(root: Path) -> None:
    """Make `git status` see that only the salt was added.

    Git takes a file of another length for changed without running the filter, until its index
    has the new length. A file with a real change is left alone.
    """
    for name in _ask(root, "ls-files", "--modified", "--", _FILES).splitlines():
        if _run(root, "diff", "--quiet", "--", name).returncode == 0:
            _run(root, "update-index", "--", name)


def _ask(root: Path, *arguments: str) -> str:
    return _run(root, *arguments).stdout.strip()


def _run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["git", *arguments]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True)
    except OSError:
        return subprocess.CompletedProcess(command, 127, "", "")
