"""What a user runs inside a container: `make exec`, `shell`, `psql` and `redis-cli`.

A password is read where the engine keeps it, and never stands on a command line or in the output.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from docker.errors import NotFound
from docker.models.containers import Container

from infra.errors import UserError
from infra.naming import ROLE_LABEL
from operations.containers import find_running, list_containers, read_file
from operations.stack import Stack
from operations.terminal import run_in_front

_SHELL = "command -v bash >/dev/null && exec bash; exec sh"
# psql's files would go to a home that does not exist.
_PSQL = """
PGPASSWORD=$(cat "/run/secrets/$0") && export PGPASSWORD PSQL_HISTORY=/dev/null && exec psql "$@"
"""
PASSWORD_FILES = {
    "devportal_user": "app_password",
    "devportal_migrator": "migrator_password",
    "devportal_backup": "backup_password",
    "postgres": "postgres_password",
}
"""The secret of each of the database's roles, below /run/secrets of its server."""
_TOOLS_ROLE, _TOOLS_USER = "redis-commander", "devtools"


def run_command(stack: Stack, options: argparse.Namespace) -> int:
    """`make exec`: a command as a shell reads it; its exit code."""
    if not options.cmd.strip():
        refuse_no_command(stack, "exec", f"ROLE={options.role} ")
    return attach(stack, find_running(stack, options.role), ["sh", "-c", options.cmd])


def open_shell(stack: Stack, options: argparse.Namespace) -> int:
    """`make shell`: without a terminal the shell reads its commands from the input."""
    return attach(stack, find_running(stack, options.role), ["sh", "-c", _SHELL])


def open_database(stack: Stack, options: argparse.Namespace) -> int:
    """`make psql`: as one of the database's roles; a script ends at its first error."""
    script = [] if is_on_terminal() and not options.cmd else ["--set=ON_ERROR_STOP=1"]
    statement = [f"--command={options.cmd}"] if options.cmd else []
    # The superuser has no password: the server knows it by its socket.
    host = [] if options.user == "postgres" else ["--host=127.0.0.1"]
    words = [*host, f"--username={options.user}", "--dbname=devportal", *script, *statement]
    command = ["sh", "-c", _PSQL, PASSWORD_FILES[options.user], *words]
    return attach(stack, find_running(stack, "postgres"), command)


def open_redis(stack: Stack, options: argparse.Namespace) -> int:
    """`make redis-cli`: as the user that may do most of those that the stack has."""
    try:
        words = shlex.split(options.cmd)
    except ValueError as error:
        raise UserError(
            f"CMD: should be words as a shell reads them (got {options.cmd!r}: {error}). "
            "Close the quotes."
        ) from None
    server = find_running(stack, "redis")
    user, password = _redis_login(stack)
    # `-e`: a refused command is a failure.
    command = ["redis-cli", "--user", user, *(["-e", *words] if words else [])]
    return attach(stack, server, command, REDISCLI_AUTH=password)


def _redis_login(stack: Stack) -> tuple[str, str]:
    """User and password: the tools' in development, which may do everything, else the portal's.

    Redis itself knows digests alone.
    """
    holders = {container.labels[ROLE_LABEL]: container for container in list_containers(stack)}
    if tools := holders.get(_TOOLS_ROLE):
        return _TOOLS_USER, read_secret(tools, "redis_password")
    url = urlsplit(read_secret(list_containers(stack, "app")[0], "redis_url"))
    return unquote(url.username or ""), unquote(url.password or "")


def read_secret(container: Container, name: str) -> str:
    """A secret as a container has it, running or not. Raises UserError when it has none."""
    try:
        return read_file(container, f"/run/secrets/{name}").strip()
    except NotFound:
        raise UserError(
            f"container '{container.name}': should have the secret {name} (got none). Run "
            "`make up`, which writes it again."
        ) from None


def attach(stack: Stack, container: Container, command: Sequence[str], **secrets: str) -> int:
    """Run a command in a container on this terminal, or on these pipes; its exit code.

    Parameters
    ----------
    secrets
        Variables of the command; of them the command line names nothing but the name.
    """
    terminal = ["--tty"] if is_on_terminal() else []
    passed = [f"--env={name}" for name in secrets]
    words = ["docker", "exec", "--interactive", *terminal, *passed, str(container.id), *command]
    environ = {**stack.engine_environ, **secrets}
    return run_in_front(words, cwd=stack.root, environ=environ, interactive=True)


def is_on_terminal() -> bool:
    """Whether somebody types the input and reads the output."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def refuse_no_command(stack: Stack, target: str, more: str = "") -> NoReturn:
    """The answer to a target that lacks its command."""
    raise UserError(
        f"CMD: should be a command (got nothing). Run `make {target} {more}CMD='python -m app "
        f"check' STACK={stack.name}`."
    )
