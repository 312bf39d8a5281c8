"""`python -m app <command>`: what is done to the portal from inside its container."""

import argparse
import sys
from collections.abc import Callable, Sequence

from app.config import Config, ConfigError, load_config
from app.exceptions import CommandError


def check(_config: Config) -> None:
    """check the environment; every mistake is told"""
    print("check: the environment is complete")


def migrate(config: Config) -> None:
    """bring the schema to the newest revision"""
    from app.migrate import migrate as run

    applied = run(config)
    print(f"migrate: applied {', '.join(applied)}" if applied else "migrate: nothing to apply")


def seed(config: Config) -> None:
    """create the administrator and example data"""
    from app.seed import seed as run

    run(config)
    print("seed: the example data is there")


def create_admin(config: Config) -> None:
    """create the administrator"""
    from app.seed import create_admin as run

    created = run(config)
    print(f"create-admin: {config.admin_email} {'was created' if created else 'is there'}")


_COMMANDS: dict[str, Callable[[Config], None]] = {
    "check": check,
    "migrate": migrate,
    "seed": seed,
    "create-admin": create_admin,
}


def main(arguments: Sequence[str]) -> int:
    """Run commands one after another; 2 for a wrong environment, 1 for a command that failed."""
    parser = argparse.ArgumentParser(
        prog="python -m app",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:14}{run.__doc__}" for name, run in _COMMANDS.items()),
    )
    parser.add_argument("commands", nargs="+", choices=list(_COMMANDS), metavar="command")
    names: list[str] = parser.parse_args(arguments).commands
    try:
        config = load_config()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    for name in names:
        try:
            _COMMANDS[name](config)
        except CommandError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
