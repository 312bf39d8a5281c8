"""Which passphrase opens which stack."""

from dataclasses import replace
from pathlib import Path

from infra.errors import UserError
from operations.stack import TEMPLATE, Stack, read_salt
from toolchain.setup.environment import DEVELOPMENT_PASSPHRASE, PASSPHRASE_VARIABLES

VALUE = "PULUMI_CONFIG_PASSPHRASE"
"""The variable that holds the passphrase."""
_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"


def take_own_passphrase(stack: Stack) -> Stack:
    """The stack with the passphrase that is its own, whatever the environment says.

    It stands in `.secrets/<stack>.passphrase`; a stack with the salt of the development template
    has the template's. So one shell serves several stacks.
    """
    own = own_file(stack)
    salt = read_salt(stack.file)
    if own.exists():
        chosen = {_FILE: str(own)}
    elif salt and salt == read_salt(stack.root / TEMPLATE):
        chosen = {VALUE: DEVELOPMENT_PASSPHRASE}
    else:
        return stack
    kept = {key: text for key, text in stack.environ.items() if key not in PASSPHRASE_VARIABLES}
    return replace(stack, environ={**kept, **chosen})


def own_file(stack: Stack) -> Path:
    """Where a stack's passphrase stands; git ignores it."""
    return stack.root / ".secrets" / f"{stack.name}.passphrase"


def check_passphrase(stack: Stack) -> None:
    """Refuse to open a production stack with anything but a passphrase of the user's own.

    Raises UserError when none is set, or only development's, which stands in the repository.
    """
    given = read_passphrase(stack)
    if given in ("", DEVELOPMENT_PASSPHRASE):
        got = "development's, which everyone knows" if given else "none"
        raise UserError(
            f"stack {stack.name}: production should have a passphrase of its own (got {got}). "
            f"Write one into .secrets/{stack.name}.passphrase, or set {VALUE} or {_FILE}, and run "
            "this again."
        )


def read_passphrase(stack: Stack) -> str:
    """The passphrase that the stack's environment gives; empty without one."""
    return stack.environ.get(VALUE) or _read(stack.environ.get(_FILE, ""))


def explain_failure(stack: Stack) -> None:
    """Ask Pulumi, after a failure, whether the passphrase is that of the stack's secrets.

    Raises UserError when it is another.
    """
    asked = stack.run_pulumi("stack")
    if asked.returncode and "incorrect passphrase" in asked.stderr:
        name = VALUE if stack.environ.get(VALUE) else _FILE
        where = own_file(stack) if own_file(stack).exists() else name
        raise UserError(
            f"stack {stack.name}: {where} should be the passphrase of its secrets (got another). "
            "Set it to that one."
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
