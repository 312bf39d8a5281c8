"""The targets and their arguments; standard library only, both stages read them."""

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from infra.errors import UserError
from infra.naming import stack_name_mistake

VARIABLES = ("STACK", "ARGS", "BACKUP", "BASE", "ROLE", "CMD", "VERSION", "REASON")
"""What the Makefile puts into the environment; no business of what a target runs."""

TARGETS = {
    "up": "make the machine ready, then create or update the stack",
    "preview": "show what `up` would change",
    "review": "print what `up` would change as Markdown; BASE=origin/main compares with that",
    "graph": "print what the stack runs and how it is connected, as a Mermaid diagram",
    "refresh": "read the engine's real state into the stack's state",
    "drift": "show what was changed by hand on the engine; fails if anything was",
    "down": "remove the stack",
    "output": "print the stack's outputs",
    "logs": "print the containers' logs; ROLE='app nginx' ARGS='--follow --since 10m'",
    "ps": "list the stack's containers",
    "stats": "show what the containers use of processor, memory, network and disk",
    "exec": "run a command in a container; ROLE=app CMD='...'",
    "shell": "open a shell in a container; ROLE=app",
    "psql": "open the database; CMD='select ...' runs a statement",
    "redis-cli": "open Redis; CMD='...' runs a command",
    "run": "run a command in a new container of the portal, which goes afterwards; CMD='...'",
    "restart": "restart the containers of a role, one after another; ROLE=app",
    "password": "print the administrator's first password; ARGS=--reset sets it again",
    "history": "list what was done to the stack: when, what, from which commit, with which result",
    "versions": "list the portal's versions that are on the engine",
    "rollback": "bring the version before up again; VERSION=... names one, ARGS=--forward undoes",
    "lock": "let nobody's `up` or `down` run; REASON='...'",
    "unlock": "end a lock",
    "backup": "take a backup of the database now",
    "backups": "list the backups: time, size, revision, whether they can be restored",
    "restore": "put the database back to a backup; BACKUP=name",
    "state-backup": "write the stack's state and settings into one encrypted file",
    "state-restore": "put them back; ARGS='--file NAME'",
    "doctor": "show what this machine has, and what is wrong with it and the stack",
    "test": "run all tests; ARGS='tests/unit -k settings'",
    "lint": "check style, and what else takes seconds; for a hook before each commit",
    "check": "check all that needs no engine: style, types, SQL of migrations, configurations",
    "bench": "compare with Docker Compose, measure the portal; ARGS='rolling --requests 10000'",
    "setup": "make the machine ready and nothing else",
    "clean-cache": "delete what the set-up has built; stacks and their states stay",
    "help": "list the targets",
}
PULUMI = ("up", "preview", "review", "graph", "refresh", "drift", "down", "output")
STATE = ("state-backup", "state-restore")
INSPECTING = (
    *("output", "logs", "ps", "stats", "exec", "shell", "psql", "redis-cli", "run", "restart"),
    *("password", "history", "versions", "lock", "unlock", "backup", "backups", "restore", *STATE),
)
"""These work on what is there, so they never begin a set-up."""
ON_STACK = (*PULUMI, *INSPECTING, "rollback", "doctor")
_ENGINE_KEYS = ("docker:host", "docker:context")
_MOMENT = re.compile(
    r"(\d+h)?(\d+m)?(\d+s)?(?<=[hms])"
    r"|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d([.]\d+)?)?(Z|[+-]\d\d:\d\d)?)?"
)
"""What `docker logs --since` reads: a duration or a time."""
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
    taken = {option for targets, option, _ in _OPTIONS if target in targets}
    named = [
        f"--{name.lower()}={environ[name]}"
        for name in VARIABLES
        if f"--{name.lower()}" in taken and environ.get(name)
    ]
    try:
        extra = shlex.split(environ.get("ARGS", ""))
    except ValueError as error:
        raise UserError(
            f"ARGS: should be words as a shell reads them (got {environ['ARGS']!r}: {error}). "
            "Close the quotes."
        ) from None
    return [target, *stack, *named, *given, *extra]


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
    for targets, name, settings in _OPTIONS:
        if target in targets:
            parser.add_argument(name, **settings)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"should be a whole number (got '{text}')")
    return int(text)


def _moment(text: str) -> str:
    if not _MOMENT.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"should be a time such as 10m, 1h30m, 2026-11-25 or 2026-11-25T06:00:00 (got '{text}')"
        )
    return text


def _roles(text: str) -> list[str]:
    return re.findall(r"[^\s,]+", text)


def _flag(text: str) -> dict[str, Any]:
    return {"action": "store_true", "help": text}


def _text(text: str, default: str = "") -> dict[str, Any]:
    return {"default": default, "help": text}


_ROLES = {
    "action": "extend",
    "type": _roles,
    "default": [],
    "help": "a role such as app, or several: 'app nginx'",
}
_USERS = ("devportal_user", "devportal_migrator", "devportal_backup", "postgres")
_USERS_HELP = "the portal's own role, the schema's owner, one that may only read, the superuser"
_OPTIONS: tuple[tuple[Sequence[str], str, dict[str, Any]], ...] = (
    (("up", "down", "rollback", "restore", "state-restore"), "--yes", _flag("do not ask")),
    (("down",), "--remove", _flag("the state too, and the file that `make up` has written")),
    (("logs", "stats", "restart"), "--role", _ROLES),
    (("exec", "shell"), "--role", _text("as `make ps` lists them; default: app", "app")),
    (("run",), "--role", _text("of whose configuration: app (default) or migrations", "app")),
    (("exec", "run", "psql"), "--cmd", _text("as a shell, or psql, reads it")),
    (("doctor",), "--json", _flag("for machines")),
    (("redis-cli",), "--cmd", _text("a command of Redis and its arguments")),
    (("psql",), "--user", {"choices": _USERS, "default": _USERS[0], "help": _USERS_HELP}),
    (("logs", "stats"), "--follow", _flag("go on until it is interrupted")),
    (
        ("logs",),
        "--tail",
        {"type": _count, "help": "lines of each container; default: 100, or all since a time"},
    ),
    (
        ("logs",),
        "--since",
        {"type": _moment, "help": "a time, or how long ago: 2026-11-25T06:00:00, 10m"},
    ),
    (("logs",), "--timestamps", _flag("the time before each line")),
    (("password",), "--reset", _flag("make it the administrator's password again")),
    (("history",), "--count", {"type": _count, "default": 10, "help": "rows; default: 10"}),
    (("rollback",), "--version", _text("a version or an image, as `make versions` lists them")),
    (("rollback",), "--forward", _flag("run what the clone builds again")),
    (("lock",), "--reason", _text("why; shown to everybody who is refused")),
    (("review",), "--base", _text("revision to compare with, in a stack of its own")),
    (("restore",), "--backup", _text("its name, as `make backups` lists it")),
    (("restore",), "--without-backup", _flag("do not back up the present data first")),
    (STATE, "--file", _text("the file; it holds no plain text")),
    (
        ("setup",),
        "--environment",
        _flag("print shell lines that export what `pulumi` needs, for `activate`"),
    ),
)
"""Targets, an option of theirs, and what argparse makes of it."""
