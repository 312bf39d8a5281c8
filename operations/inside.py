"""What a user runs inside a container: `make exec` and `shell`."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from docker.models.containers import Container

from infra.errors import UserError
from operations.containers import find_running, run_docker
from operations.stack import Stack
from operations.terminal import is_on_terminal

_SHELL = "command -v bash >/dev/null && exec bash; exec sh"


def run_command(stack: Stack, options: argparse.Namespace) -> int:
    """`make exec`: a command as a shell reads it; its exit code."""
    if not options.cmd.strip():
        refuse_no_command(stack, "exec", f"ROLE={options.role} ")
    return attach(stack, find_running(stack, options.role), ["sh", "-c", options.cmd])


def open_shell(stack: Stack, options: argparse.Namespace) -> int:
    """`make shell`: without a terminal the shell reads its commands from the input."""
    return attach(stack, find_running(stack, options.role), ["sh", "-c", _SHELL])


def attach(stack: Stack, container: Container, command: Sequence[str], **secrets: str) -> int:
    """Run a command in a container on this terminal, or on these pipes; its exit code.

    Parameters
    ----------
    secrets
        Variables of the command; of them the command line names nothing but the name.
    """
    terminal = ["--tty"] if is_on_terminal() else []
    passed = [f"--env={name}" for name in secrets]
    words = ["exec", "--interactive", *terminal, *passed, str(container.id), *command]
    return run_docker(stack, *words, **secrets)


def refuse_no_command(stack: Stack, target: str, more: str = "") -> NoReturn:
    """The answer to a target that lacks its command."""
    raise UserError(
        f"CMD: should be a command (got nothing). Run `make {target} {more}CMD='python -m app "
        f"check' STACK={stack.name}`."
    )
