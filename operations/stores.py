"""The stores' own commands: `make psql` and `redis-cli`, and where those of PostgreSQL run."""

import argparse
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from docker.models.containers import Container

from infra.errors import UserError
from infra.settings.external import ROLES_JOB
from operations.containers import find_running, one_by_role
from operations.inside import attach
from operations.one_off import read_secret, running_like
from operations.stack import Stack
from operations.terminal import is_on_terminal

# psql's files would go to a home that does not exist.
_PSQL = """
export PSQL_HISTORY=/dev/null
[ ! -e "/run/secrets/$0" ] || export PGPASSWORD="$(cat "/run/secrets/$0")"
exec psql "$@"
"""
PASSWORD_FILES = {
    "devportal_user": "app_password",
    "devportal_migrator": "migrator_password",
    "devportal_backup": "backup_password",
    "postgres": "postgres_password",
}
"""The secret of each of the database's roles, below /run/secrets of its server."""
_TOOLS_ROLE, _TOOLS_USER = "redis-commander", "devtools"
ADMINISTRATOR = "postgres"
"""What the role is called that may do everything, whatever its name on a server of others."""


@dataclass(frozen=True)
class DatabaseAccess:
    """A container with PostgreSQL's commands and the roles' passwords below /run/secrets."""

    container: Container
    is_own: bool

    def login(self, user: str) -> Sequence[str]:
        """Options of psql that log a role in."""
        if not self.is_own:
            # The container's variables name the server and its administrator.
            return [] if user == ADMINISTRATOR else [f"--username={user}"]
        # The superuser has no password: the server knows it by its socket.
        host = [] if user == ADMINISTRATOR else ["--host=127.0.0.1"]
        return [*host, f"--username={user}"]


@contextmanager
def open_database_access(stack: Stack) -> Iterator[DatabaseAccess]:
    """The stack's own server, or a container beside one of others, while the block runs.

    Raises UserError when the stack's own does not run.
    """
    if ROLES_JOB in one_by_role(stack):
        with running_like(stack, ROLES_JOB) as container:
            yield DatabaseAccess(container, is_own=False)
    else:
        yield DatabaseAccess(find_running(stack, "postgres"), is_own=True)


def open_database(stack: Stack, options: argparse.Namespace) -> int:
    """`make psql`: as one of the database's roles; a script ends at its first error."""
    script = [] if is_on_terminal() and not options.cmd else ["--set=ON_ERROR_STOP=1"]
    statement = [f"--command={options.cmd}"] if options.cmd else []
    with open_database_access(stack) as access:
        words = [*access.login(options.user), "--dbname=devportal", *script, *statement]
        command = ["sh", "-c", _PSQL, PASSWORD_FILES[options.user], *words]
        return attach(stack, access.container, command)


def open_redis(stack: Stack, options: argparse.Namespace) -> int:
    """`make redis-cli`: as the user that may do most of those that the stack has."""
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
