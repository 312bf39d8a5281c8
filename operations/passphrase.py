"""Who may hold the passphrase of which stack."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from operations.errors import CommandError

_VALUE = "PULUMI_CONFIG_PASSPHRASE"
_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"


def check_passphrase(environ: Mapping[str, str], stack: str, *, machine_file: Path) -> None:
    """Refuse to open a production stack with anything but a passphrase of the user's own.

    Raises
    ------
    CommandError
        Raised when none is set, or only the machine's, which `activate` exports.
    """
    if environ.get(_VALUE):
        return
    named = environ.get(_FILE)
    if not named or Path(named) == machine_file:
        raise CommandError(
            f"stack {stack}: the secrets of production should be under a passphrase of yours "
            f"(got none). Set {_VALUE} or {_FILE} and run this again."
        )
    try:
        Path(named).read_bytes()
    except OSError as error:
        raise CommandError(
            f"{_FILE}: should name a file you can read (got '{named}': {error.strerror}). "
            "Set it to the file with the passphrase."
        ) from None


def check_it_opens(root: Path, stack: str, environ: Mapping[str, str]) -> None:
    """Ask Pulumi whether the passphrase is that of the stack's secrets.

    Raises
    ------
    CommandError
        Raised when it is another.
    """
    command = ["pulumi", "stack", "--stack", stack, "--non-interactive"]
    asked = subprocess.run(command, cwd=root, env=dict(environ), capture_output=True, text=True)
    if asked.returncode and "incorrect passphrase" in asked.stderr:
        name = _VALUE if environ.get(_VALUE) else _FILE
        raise CommandError(
            f"stack {stack}: {name} should give the passphrase that its secrets are under (got "
            "another). Set it to that one; unset it where the set-up's own is meant."
        )
