"""`python -m app COMMAND...`: migrations and first data, run inside a container of the portal."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.config import Config, ConfigError, load_config
from app.exceptions import CommandError


def check(_config: Config) -> None:
    """check the environment and list every mistake"""
    print("check: the environment is complete")


def migrate(config: Config) -> None:
    """bring the schema to the newest revision"""
    from app.migrate import migrate as run

    applied = run(config)
    print(f"migrate: applied {', '.join(applied)}" if applied else "migrate: nothing to apply")


def seed(config: Config) -> None:
    """create the administrator and example data"""
    from app.seed.commands import seed as run

    run(config)
    print("seed: the example data is in place")


def create_admin(config: Config) -> None:
    """create the administrator"""
    from app.seed.commands import create_admin as run

    created = run(config)
    print(f"create-admin: {config.admin_email} {'was created' if created else 'exists already'}")


def reset_admin(config: Config) -> None:
    """give the administrator the first password again"""
    from app.seed.commands import reset_admin as run

    if not run(config):
        raise CommandError(
            f"{config.admin_email} should be somebody's address (got nobody's). Run `create-admin`."
        )
    print(f"reset-admin: {config.admin_email} has the first password again")


@dataclass(frozen=True)
class _Command:
    run: Callable[[Config], None]
    secret: Literal["migration_database_url", "admin_password"] | None = None


_COMMANDS = {
    "check": _Command(check),
    "migrate": _Command(migrate, "migration_database_url"),
    "seed": _Command(seed, "admin_password"),
    "create-admin": _Command(create_admin, "admin_password"),
    "reset-admin": _Command(reset_admin, "admin_password"),
}


def main(arguments: Sequence[str]) -> int:
    """Run commands one after another; 2 for a wrong environment, 1 for a command that failed."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:14}{command.run.__doc__}" for name, command in _COMMANDS.items()),
    )
    parser.add_argument("commands", nargs="+", choices=list(_COMMANDS), metavar="command")
    names: list[str] = parser.parse_args(arguments).commands
    try:
        config = load_config()
        _check_secrets(config, names)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    for name in names:
        try:
            _COMMANDS[name].run(config)
        except CommandError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


def _check_secrets(config: Config, names: Sequence[str]) -> None:
    """Refuse before the first command runs, with everything that any of them lacks."""
    mistakes: list[str] = []
    for name in names:
        secret = _COMMANDS[name].secret
        try:
            if secret is not None:
                config.secret_for(name, secret)
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
