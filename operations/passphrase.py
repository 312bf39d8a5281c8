"""Which passphrase opens which stack."""

from pathlib import Path

from infra.errors import UserError
from operations.stack import Stack
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE

VALUE = "PULUMI_CONFIG_PASSPHRASE"
"""The variable that holds the passphrase."""
_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"


def check_passphrase(stack: Stack) -> None:
    """Refuse to open a production stack with anything but a passphrase of the user's own.

    Raises UserError when none is set, or only development's, which stands in the repository.
    """
    given = stack.environ.get(VALUE) or _read(stack.environ.get(_FILE, ""))
    if given in ("", DEVELOPMENT_PASSPHRASE):
        got = "development's, which everyone knows" if given else "none"
        raise UserError(
            f"stack {stack.name}: production should have a passphrase of its own (got {got}). "
            f"Set {VALUE} or {_FILE} and run this again."
        )


def explain_failure(stack: Stack) -> None:
    """Ask Pulumi, after a failure, whether the passphrase is that of the stack's secrets.

    Raises UserError when it is another.
    """
    asked = stack.run_pulumi("stack")
    if asked.returncode and "incorrect passphrase" in asked.stderr:
        name = VALUE if stack.environ.get(VALUE) else _FILE
        raise UserError(
            f"stack {stack.name}: {name} should be the passphrase of its secrets (got another). "
            "Set it to that one; unset it for a development stack."
        )


def _read(name: str) -> str:
    if not name:
        return ""
    try:
        return Path(name).read_text().strip()
    except OSError as error:
        raise UserError(
            f"{_FILE}: should name a file you can read (got '{name}': {error.strerror}). "
            "Set it to the file with the passphrase."
        ) from None
