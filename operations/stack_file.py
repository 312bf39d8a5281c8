"""The settings file of a stack, read and written without a YAML library.

It runs before the set-up, which brings the library; what it looks for stands in one line.
"""

import re
from pathlib import Path

from toolchain.setup.atomic import write_file
from operations.errors import CommandError

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,30}"
"""As `infra/settings.py` has it; the stack's name is part of names on the engine."""

PORTS = ("https", "http", "portal", "postgres", "redis", "adminer", "redis_commander")
TEMPLATE = "Pulumi.dev.yaml"

_PRODUCTION = re.compile(r"""devportal:environment["']?\s*:\s*["']?production\b""")
_PORTS_KEY = "  devportal:ports:"


def stack_file(root: Path, stack: str) -> Path:
    """`Pulumi.<stack>.yaml` in the project's folder."""
    return root / f"Pulumi.{stack}.yaml"


def check_name(stack: str) -> None:
    """Refuse a name that cannot be part of a container's name.

    Raises
    ------
    CommandError
        Raised with the rule.
    """
    if not re.fullmatch(NAME_PATTERN, stack):
        raise CommandError(
            "STACK: should be 1 to 31 lower-case letters, digits, '-' or '_', starting with a "
            f"letter or digit (got '{stack}'). Choose another name."
        )


def is_production(root: Path, stack: str) -> bool:
    """Whether the stack's file says so; a stack without a file is none."""
    try:
        return _PRODUCTION.search(stack_file(root, stack).read_text()) is not None
    except OSError:
        return False


def create_missing(root: Path, stack: str) -> str | None:
    """Write the file of a new development stack; what to tell the user about it."""
    path = stack_file(root, stack)
    if path.exists():
        return None
    write_file(path, render_development((root / TEMPLATE).read_text()))
    return (
        f"{path.name}: new, with the settings of {TEMPLATE} and every port 0: the engine chooses "
        f"free ones, and `make output STACK={stack}` tells which"
    )


def render_development(template: str) -> str:
    """The template without its salt and its ports, and with ports that are free anywhere."""
    kept: list[str] = []
    inside_ports = False
    for line in template.splitlines():
        inside_ports = line.startswith(_PORTS_KEY) or (inside_ports and line.startswith("    "))
        if not inside_ports and not line.startswith("encryptionsalt:"):
            kept.append(line)
    ports = [f"    {port}: 0" for port in PORTS]
    return "\n".join([*kept, _PORTS_KEY, *ports]) + "\n"
