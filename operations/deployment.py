"""The targets that run `pulumi` on one stack; in the program's Python."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from infra.errors import UserError
from operations.build_logs import follow_builds
from operations.foreground import run_in_front
from operations.interruption import clear_up
from operations.passphrase import check_passphrase, explain_failure
from operations.stack import Stack, create_file, run_on_stack

_OUTPUT = ("stack", "output")
_PLAIN = {
    "preview": ("preview", "--refresh"),
    "refresh": ("refresh", "--yes", "--skip-preview"),
    "drift": ("refresh", "--preview-only", "--expect-no-changes", "--diff"),
    "output": _OUTPUT,
}
_ENGINE_KEYS = {"docker:host", "docker:context"}
_CHECKED = ("up", "preview", "refresh")
"""Pulumi would start its engine, and ask Docker's, before it ran the program's own check."""


@dataclass(frozen=True)
class Deployment:
    """One target on one stack; `extra` goes to `pulumi`, `confirmed` is a yes in the arguments."""

    stack: Stack
    extra: Sequence[str] = ()
    interactive: bool = False
    confirmed: bool = False

    def run(self, target: str) -> int:
        """Check what can be checked before anything changes (else UserError), then run it."""
        if target == "up" and not self.stack.is_production:
            create_file(self.stack)
        if target in _CHECKED and (code := self._check_settings()):
            return code
        if self.stack.is_production:
            check_passphrase(self.stack)
        if target in ("up", "preview") and _ENGINE_KEYS & self.stack.config.keys():
            # Only here: the Docker SDK takes 0.3 s to import.
            from operations.stack_engine import prepare_engine

            prepare_engine(self.stack)
        if target == "up":
            return self._up()
        self._check_state()
        if target == "down":
            return self._down()
        return self._pulumi(*_PLAIN[target], *self.extra)

    def _check_settings(self) -> int:
        """Every mistake in the stack's settings, printed by the program's own check."""
        check = [sys.executable, "-m", "infra.settings", self.stack.name]
        return subprocess.run(check, cwd=self.stack.root, env=dict(self.stack.environ)).returncode

    def _check_state(self) -> None:
        state = self.stack.state
        if state is not None and not state.exists():
            raise UserError(
                f"stack {self.stack.name}: should have a state (got none under {state.parent}). "
                f"Run `make up STACK={self.stack.name}`."
            )

    def _up(self) -> int:
        if self.stack.state is None or not self.stack.state.exists():
            # Not `stack init`: a backend that is no folder may have it.
            self.stack.prepare_with_pulumi("stack", "select", "--create")
        clear_up(self.stack)
        with follow_builds(self.stack):
            code = self._pulumi(*self.up_arguments())
        # Of a success alone: the reason of a failure stands last.
        return code or self._pulumi(*_OUTPUT)

    def _down(self) -> int:
        arguments = self.down_arguments()
        clear_up(self.stack)
        return self._pulumi(*arguments)

    def up_arguments(self) -> list[str]:
        """For `pulumi`; development is brought up without a preview and a question."""
        unasked = self._consent() if self.stack.is_production else ["--yes", "--skip-preview"]
        return ["up", "--refresh", "--suppress-outputs", *unasked, *self.extra]

    def down_arguments(self) -> list[str]:
        """For `pulumi`; UserError when production's removal is neither confirmed nor can be."""
        name = self.stack.name
        if not self.stack.is_production:
            return ["destroy", "--yes", "--skip-preview", *self.extra]
        if not (self.interactive or self.confirmed):
            raise UserError(
                f"stack {name}: removing production should be confirmed (got no terminal to ask "
                f"on). Run `make down STACK={name} ARGS=--yes`."
            )
        # Protected data stays; without the flag Pulumi would refuse to remove anything.
        return ["destroy", "--exclude-protected", *self._consent(), *self.extra]

    def _consent(self) -> list[str]:
        return [] if self.interactive and not self.confirmed else ["--yes"]

    def _pulumi(self, *arguments: str) -> int:
        """Run `pulumi` on the terminal; its exit code."""
        terminal = [] if self.interactive else ["--non-interactive"]
        command = ["pulumi", *arguments, "--stack", self.stack.name, *terminal]
        code = run_in_front(command, cwd=self.stack.root, environ=self.stack.environ)
        if code:
            explain_failure(self.stack)
        return code


def main(stack: Stack, options: argparse.Namespace) -> int:
    """Run one of the targets."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    confirmed = getattr(options, "yes", False)
    return Deployment(stack, options.extra, interactive, confirmed).run(options.target)


if __name__ == "__main__":
    sys.exit(run_on_stack(main))
