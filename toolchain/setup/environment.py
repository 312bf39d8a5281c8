"""The variables with which every `pulumi` command works as in Pulumi's own documentation."""

import os
import shlex
from collections.abc import Mapping

from toolchain.setup.project import Project
from toolchain.setup.steps.base_images import OFFICIAL, read_source
from toolchain.setup.steps.pulumi import pulumi_folder

PASSPHRASE, PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"
"""The variables of Pulumi's: the passphrase itself, or a file that holds it."""
DEVELOPMENT_PASSPHRASE = "devportal-development"
"""No secret: it opens development stacks alone, whose state lies on the same machine."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def describe_environment(project: Project) -> dict[str, str]:
    """What `activate` exports; nothing the user has set for Pulumi is overridden."""
    places, environ = project.places, project.environ
    exported = {
        "PATH": _extend_path(project),
        "PULUMI_HOME": str(places.pulumi_home),
        # A stack's file that has lost its salt, by a checkout, gets it back from the state.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The provider waits 2 s for each volume and network that goes: one wave of them, not two.
        "PULUMI_PARALLEL": environ.get("PULUMI_PARALLEL") or "16",
        # Pulumi's files are UTF-8 in every locale, and so is what the engine says.
        "PYTHONUTF8": "1",
        "DEVPORTAL_IMAGE_SOURCE": read_source(project) or OFFICIAL,
    }
    if not environ.get("PULUMI_BACKEND_URL"):
        exported["PULUMI_BACKEND_URL"] = places.backend_url
    if not any(name in environ for name in (PASSPHRASE, PASSPHRASE_FILE)):
        exported[PASSPHRASE] = DEVELOPMENT_PASSPHRASE
    return exported | spare_loopback(environ)


def spare_loopback(environ: Mapping[str, str]) -> dict[str, str]:
    """The two spellings of NO_PROXY, with loopback beside what the user has named.

    Pulumi's processes talk over gRPC on loopback, which gRPC too would send to a proxy.
    """
    set_by_user = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [name.strip() for name in set_by_user.split(",") if name.strip()]
    value = ",".join(dict.fromkeys([*names, *_LOOPBACK]))
    return {"NO_PROXY": value, "no_proxy": value}


def render_exports(variables: Mapping[str, str]) -> str:
    """Lines for `eval` in any POSIX shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _extend_path(project: Project) -> str:
    """Put Pulumi first, in place of one that an earlier `activate` has put there."""
    folder = pulumi_folder(project)
    first = [] if folder is None or str(folder) in project.path else [str(folder)]
    return os.pathsep.join([*first, *project.path])
