"""Which passphrase opens which stack."""

from pathlib import Path

from infra.errors import UserError
from operations.stack import Stack
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE, PASSPHRASE, PASSPHRASE_FILE


def check_passphrase(stack: Stack) -> None:
    """Refuse to open a production stack with anything but a passphrase of the user's own.

    Raises UserError when none is set, or only development's, which stands in the repository.
    """
    given = read_passphrase(stack)
    if given in ("", DEVELOPMENT_PASSPHRASE):
        got = "development's, which everyone knows" if given else "none"
        raise UserError(
            f"stack {stack.name}: production should have a passphrase of its own (got {got}). "
            f"Write one into .secrets/{stack.name}.passphrase, or set {PASSPHRASE} or "
            f"{PASSPHRASE_FILE}, and run this again."
        )


def read_passphrase(stack: Stack) -> str:
    """The passphrase with which Pulumi would open the stack; empty without one."""
    environ = stack.pulumi_environ
    return environ.get(PASSPHRASE) or _read(environ.get(PASSPHRASE_FILE, ""))


def explain_failure(stack: Stack) -> None:
    """Ask Pulumi, after a failure, whether the passphrase is that of the stack's secrets.

    Raises UserError when it is another.
    """
    asked = stack.run_pulumi("stack")
    if asked.returncode and "incorrect passphrase" in asked.stderr:
        own = stack.own_passphrase_file
        name = PASSPHRASE if stack.pulumi_environ.get(PASSPHRASE) else PASSPHRASE_FILE
        where = own if own.exists() else name
        raise UserError(
            f"stack {stack.name}: {where} should be the passphrase of its secrets (got another). "
            "Set it to that one."
        )


def _read(name: str) -> str:
    if not name:
        return ""
    try:
        return Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        raise UserError(
            f"{PASSPHRASE_FILE}: should name a file you can read (got '{name}': {why}). "
            "Set it to the file with the passphrase."
        ) from None
