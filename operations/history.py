"""What was done to a stack, by Pulumi's own record: `make history`."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from infra.errors import UserError
from operations.stack import Stack
from operations.terminal import print_table, show_time

_HEADING = ("STARTED", "WHAT", "RESULT", "CHANGED", "COMMIT", "COMMITTER", "SUBJECT")
_COMMIT_LETTERS = 10


def print_history(stack: Stack, options: argparse.Namespace) -> None:
    """The last runs that changed the stack or its state, newest first."""
    words = ("stack", "history", "--json", f"--page-size={options.count}")
    asked = stack.run_pulumi(*words)
    if asked.returncode:
        raise UserError(
            f"stack {stack.name}: should have a history (got: {asked.stderr.strip()}). "
            f"Run `make up STACK={stack.name}`."
        )
    print_table(_HEADING, *map(_describe, json.loads(asked.stdout)))


def _describe(run: Mapping[str, Any]) -> tuple[str, ...]:
    known = run.get("environment") or {}
    changes = run.get("resourceChanges") or {}
    counted = [f"{number} {what}" for what, number in sorted(changes.items()) if what != "same"]
    return (
        show_time(run["startTime"]),
        run["kind"],
        run["result"],
        ", ".join(counted) or "-",
        _commit(known),
        known.get("git.committer") or "-",
        (run.get("message") or "-").partition("\n")[0],
    )


def _commit(known: Mapping[str, str]) -> str:
    """The commit of the clone; with a `+` where files differed from it."""
    dirty = "+" if known.get("git.dirty") == "true" else ""
    return (known.get("git.head", "")[:_COMMIT_LETTERS] or "-") + dirty
