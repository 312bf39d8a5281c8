"""The administrator's generated password: `make password`."""

import argparse
import sys

from docker.models.containers import Container

from infra.naming import ROLE_LABEL
from operations.containers import list_containers
from operations.inside import read_secret
from operations.one_off import run_like
from operations.stack import Stack

_HOLDERS = ("migrations", "app")
"""In production the portal's own containers do not have it."""
_RESET = ("python", "-m", "app", "reset-admin")


def show_password(stack: Stack, options: argparse.Namespace) -> int:
    """Print the password, alone on the output; with `reset`, make it the administrator's again."""
    holder = _find_holder(stack)
    if options.reset and (code := run_like(stack, holder.labels[ROLE_LABEL], _RESET)):
        return code
    print(read_secret(holder, "admin_password"))
    note = (
        "has this password; all sessions have ended"
        if options.reset
        else "got this password at first; ARGS=--reset sets it again if it was changed"
    )
    print(f"password: {_address(holder)} {note}", file=sys.stderr)
    return 0


def _find_holder(stack: Stack) -> Container:
    found = {container.labels[ROLE_LABEL]: container for container in list_containers(stack)}
    return next(found[role] for role in _HOLDERS if role in found)


def _address(holder: Container) -> str:
    variables = dict(entry.split("=", 1) for entry in holder.attrs["Config"]["Env"])
    return variables.get("ADMIN_EMAIL", "the administrator")
