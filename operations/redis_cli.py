"""`make redis-cli`."""

import argparse
import shlex
from urllib.parse import unquote, urlsplit

from infra.errors import UserError
from operations.containers import find_running, one_by_role
from operations.inside import attach
from operations.one_off import read_secret
from operations.stack import Stack

_TOOLS_ROLE, _TOOLS_USER = "redis-commander", "devtools"


def open_redis(stack: Stack, options: argparse.Namespace) -> int:
    """As the user that may do most of those that the stack has."""
    try:
        words = shlex.split(options.cmd)
    except ValueError as error:
        raise UserError(
            f"CMD: should be words as a shell reads them (got {options.cmd!r}: {error}). "
            "Close the quotes."
        ) from None
    if "redis" not in one_by_role(stack):
        raise UserError(
            f"stack {stack.name}: should run its own Redis for redis-cli (got "
            "devportal:redis.external_url). Use a client of yours on that server."
        )
    server = find_running(stack, "redis")
    user, password = _find_login(stack)
    # `-e`: a refused command is a failure.
    command = ["redis-cli", "--user", user, *(["-e", *words] if words else [])]
    return attach(stack, server, command, REDISCLI_AUTH=password)


def _find_login(stack: Stack) -> tuple[str, str]:
    """User and password: the tools' in development, which may do everything, else the portal's.

    Redis itself knows digests alone.
    """
    if _TOOLS_ROLE in one_by_role(stack):
        return _TOOLS_USER, read_secret(stack, _TOOLS_ROLE, "redis_password")
    url = urlsplit(read_secret(stack, "app", "redis_url"))
    return unquote(url.username or ""), unquote(url.password or "")
