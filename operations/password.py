"""The administrator's generated password: `make password`."""

import argparse
import sys
from collections.abc import Mapping, Sequence

from operations.containers import one_by_role
from operations.one_off import read_secret, run_like
from operations.stack import Stack
from operations.swarm import container_spec, list_services, role_of

_HOLDERS = ("migrations", "app")
"""In production the portal's own containers do not have it."""
_RESET = ("python", "-m", "app", "reset-admin")


def show_password(stack: Stack, options: argparse.Namespace) -> int:
    """Print the password, alone on the output; with `reset`, make it the administrator's again."""
    variables = _list_variables(stack)
    holder = next((role for role in _HOLDERS if role in variables), None)
    if holder is None:
        raise stack.lacks("a container of the portal")
    if options.reset and (code := run_like(stack, holder, _RESET)):
        return code
    print(read_secret(stack, holder, "admin_password"))
    note = (
        "has this password; all sessions have ended"
        if options.reset
        else "got this password at first; ARGS=--reset sets it again if it was changed"
    )
    own = dict(entry.split("=", 1) for entry in variables[holder])
    print(f"password: {own.get('ADMIN_EMAIL', 'the administrator')} {note}", file=sys.stderr)
    return 0


def _list_variables(stack: Stack) -> Mapping[str, Sequence[str]]:
    """Variables of each role's containers, as `NAME=value`."""
    if stack.is_on_swarm:
        found = {role_of(service): container_spec(service) for service in list_services(stack)}
    else:
        found = {role: one.attrs["Config"] for role, one in one_by_role(stack).items()}
    return {role: described.get("Env") or [] for role, described in found.items()}
