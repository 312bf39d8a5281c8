"""The targets and their arguments; standard library only, both stages read them."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from infra.errors import UserError
from infra.naming import stack_name_mistake

VARIABLES = ("STACK", "ARGS", "BACKUP", "BASE")
"""What the Makefile puts into the environment; no business of what a target runs."""

TARGETS = {
    "up": "make the machine ready, then create or update the stack",
    "preview": "show what `up` would change",
    "review": "print what `up` would change as Markdown; BASE=origin/main compares with that",
    "refresh": "read the engine's real state into the stack's state",
    "drift": "show what was changed by hand on the engine; fails if anything was",
    "down": "remove the stack",
    "output": "print the stack's outputs",
    "logs": "print the containers' logs; ARGS='--follow --role app'",
    "ps": "list the stack's containers",
    "backup": "take a backup of the database now",
    "backups": "list the backups: time, size, revision, whether they can be restored",
    "restore": "put the database back to a backup; BACKUP=name",
    "state-backup": "write the stack's state and settings into one encrypted file",
    "state-restore": "put them back; ARGS='--file NAME'",
    "doctor": "show what this machine has and where it came from",
    "test": "run all tests; ARGS='tests/unit -k settings'",
    "lint": "check style and types",
    "bench": "compare with Docker Compose, measure the portal; ARGS='rolling --requests 10000'",
    "setup": "make the machine ready and nothing else",
    "clean-cache": "delete what the set-up has built; stacks and their states stay",
    "help": "list the targets",
}
PULUMI = ("up", "preview", "review", "refresh", "drift", "down", "output")
STATE = ("state-backup", "state-restore")
INSPECTING = ("output", "logs", "ps", "backup", "backups", "restore", *STATE)
"""These work on what is there, so they never begin a set-up."""
ON_STACK = (*PULUMI, *INSPECTING, "doctor")
_ENGINE_KEYS = ("docker:host", "docker:context")
_PASSED_ON = {
    **dict.fromkeys(PULUMI, "`pulumi`"),
    "test": "pytest",
    "bench": "the comparison",
}
"""Who gets the arguments that the target does not know."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(
            f"ARGS: should be what `{self.prog} ARGS=--help` lists (got: {message}). "
            "Correct it and run this again."
        )


def command_line(words: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The target and its arguments: those of the command line, then make's variables.

    Raises UserError when a quote in ARGS has no end.
    """
    target, *given = words or ["help"]
    stack = [f"--stack={environ['STACK']}"] if "STACK" in environ and target in ON_STACK else []
    backup = [f"--backup={environ.get('BACKUP', '')}"] if target == "restore" else []
    base = [f"--base={environ.get('BASE', '')}"] if target == "review" else []
    try:
        extra = shlex.split(environ.get("ARGS", ""))
    except ValueError as error:
        raise UserError(
            f"ARGS: should be words as a shell reads them (got {environ['ARGS']!r}: {error}). "
            "Close the quotes."
        ) from None
    return [target, *stack, *backup, *base, *given, *extra]


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The target, its options, and in `extra` what goes to the program that it runs.

    Raises UserError for an unknown target or argument, and for a stack name that nothing on the
    engine can have.
    """
    target, *arguments = words
    if target not in TARGETS:
        raise UserError(
            f"target: should be one of those that `make help` lists (got '{target}'). Choose one."
        )
    options, extra = _parser(target).parse_known_args(arguments)
    if extra and target not in _PASSED_ON:
        _parser(target).error(f"unrecognized arguments: {' '.join(extra)}")
    if target in ON_STACK and (mistake := stack_name_mistake(options.stack)):
        raise UserError(mistake)
    options.target, options.extra = target, extra
    return options


def render_targets() -> str:
    """The list that `make help` prints."""
    lines = [f"  {name:13} {text}" for name, text in TARGETS.items()]
    return "\n".join(["make TARGET [STACK=dev] [ARGS='...']; ARGS=--help tells more", *lines])


def names_engine(root: Path, stack: str) -> bool:
    """Whether the files of a stack may choose an engine of its own.

    Then the second stage prepares it, and the first leaves the machine's alone: that has no YAML,
    so a key anywhere in the files counts.
    """
    files = (root / "Pulumi.yaml", root / f"Pulumi.{stack}.yaml")
    texts = [file.read_text(errors="replace") for file in files if file.exists()]
    return any(key in text for key in _ENGINE_KEYS for text in texts)


def _parser(target: str) -> _Parser:
    receiver = _PASSED_ON.get(target)
    parser = _Parser(
        prog=f"make {target}",
        description=TARGETS[target],
        epilog=receiver and f"All other arguments go to {receiver}.",
        add_help=target != "bench",  # it has a list of its own
        allow_abbrev=False,
    )
    if target in ON_STACK:
        parser.add_argument("--stack", default="dev", help="name of the stack; default: dev")
    if target in STATE:
        parser.add_argument("--file", default="", help="the file; it holds no plain text")
    if target in ("up", "down", "restore", "state-restore"):
        parser.add_argument("--yes", action="store_true", help="do not ask")
    if target == "logs":
        parser.add_argument("--role", help="one role only, such as app")
        parser.add_argument("--follow", action="store_true", help="go on with new lines")
        parser.add_argument("--tail", type=_count, default=100, help="lines of each container")
    if target == "restore":
        parser.add_argument("--backup", default="", help="its name, as `make backups` lists it")
        parser.add_argument(
            "--without-backup", action="store_true", help="do not back up the present data first"
        )
    if target == "review":
        parser.add_argument(
            "--base", default="", help="revision to compare with, in a stack of its own"
        )
    if target == "setup":
        text = "print shell lines that export what `pulumi` needs, for `activate`"
        parser.add_argument("--environment", action="store_true", help=text)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"should be a whole number (got '{text}')")
    return int(text)
