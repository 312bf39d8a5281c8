"""Which Pulumi CLI is used, and what comes with it."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from toolchain.setup import versions
from toolchain.setup.atomic import write_file
from toolchain.setup.project import Project

LANGUAGE_HOST = "pulumi-language-python"
DYNAMIC_LAUNCHER = "pulumi-resource-pulumi-python"
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+\S*)")
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class PulumiCli:
    """A Pulumi CLI on this machine."""

    path: Path
    version: str

    @property
    def is_complete(self) -> bool:
        """Whether the genuine Python language host lies next to it, as in every release."""
        folder = self.path.resolve().parent
        return all((folder / name).exists() for name in (LANGUAGE_HOST, DYNAMIC_LAUNCHER))


def find_cli(project: Project) -> PulumiCli | None:
    """The user's own CLI if it is new enough, else the cached one, else None."""
    return _users_cli(project) or _cached_cli(project)


def cli_folder(project: Project) -> Path:
    """Folder of the CLI that the set-up downloads or builds."""
    return project.places.cache / "pulumi" / versions.PULUMI_CLI


def _cached_cli(project: Project) -> PulumiCli | None:
    path = cli_folder(project) / "pulumi"
    return PulumiCli(path, versions.PULUMI_CLI) if path.exists() else None


def _users_cli(project: Project) -> PulumiCli | None:
    path = project.user_path(program="pulumi")
    if path is None:
        return None
    version = _ask_version(path, project.places.cache / "pulumi-on-path.json")
    match = _VERSION.fullmatch(version)
    if match and (int(match[1]), int(match[2])) >= versions.PULUMI_CLI_MINIMUM:
        return PulumiCli(path, version.removeprefix("v"))
    return None


def _ask_version(path: Path, memory: Path) -> str:
    """What `pulumi version` prints; asked once for each state of the file."""
    status = path.resolve().stat()
    identity = [str(path.resolve()), status.st_mtime_ns, status.st_size]
    try:
        remembered = json.loads(memory.read_text())
        if remembered["identity"] == identity:
            return str(remembered["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        answer = subprocess.run(
            [path, "version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS
        )
        version = answer.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        version = ""
    write_file(memory, json.dumps({"identity": identity, "version": version}))
    return version
