"""The variables with which every `pulumi` command works as in Pulumi's own documentation."""

import os
import shlex
from collections.abc import Mapping

from toolchain.setup.project import Project
from toolchain.setup.steps.base_images import OFFICIAL, read_source
from toolchain.setup.toolchain_folder import ToolchainFolder

PASSPHRASE_VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def describe_environment(project: Project) -> dict[str, str]:
    """What `activate` exports; nothing the user has set for Pulumi is overridden."""
    places, toolchain = project.places, ToolchainFolder(project)
    exported = {
        "PATH": _extend_path(project, str(toolchain.bin)),
        "PULUMI_HOME": str(places.pulumi_home),
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "DEVPORTAL_IMAGE_SOURCE": read_source(project) or OFFICIAL,
        "DEVPORTAL_TOOLCHAIN": str(toolchain.path),
    }
    if not project.environ.get("PULUMI_BACKEND_URL"):
        exported["PULUMI_BACKEND_URL"] = f"file://{places.state}"
    if not any(name in project.environ for name in PASSPHRASE_VARIABLES):
        exported["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(places.passphrase)
    return exported


def render_exports(variables: Mapping[str, str]) -> str:
    """Lines for `eval` in any POSIX shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _extend_path(project: Project, folder: str) -> str:
    """Put the toolchain first, in place of one that an earlier `activate` has put there."""
    own = str(project.places.cache)
    parts = project.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join([folder, *(part for part in parts if not part.startswith(own))])
