"""The targets that run `pulumi` on one stack."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from infra.errors import UserError
from infra.settings.stack_file import find_mistakes, read_values
from operations.arguments import names_engine
from operations.base_stack import base_stack
from operations.build_logs import follow_builds
from operations.interruption import clear_up
from operations.passphrase import check_passphrase, explain_failure
from operations.plan import STREAMING, Plan
from operations.review import render
from operations.runs import only_run
from operations.stack import Stack, create_file
from operations.terminal import run_in_front
from operations.topology import draw
from toolchain.setup.console import Console
from toolchain.setup.setup import set_up

_OUTPUT = ("stack", "output")
_POLICY = ("--policy-pack", "policy")
_PREVIEW = ("preview", "--refresh", *_POLICY)
_PLAIN = {
    "preview": _PREVIEW,
    "refresh": ("refresh", "--yes", "--skip-preview", "--suppress-outputs"),
    "drift": ("refresh", "--preview-only", "--expect-no-changes", "--diff"),
}
_CHANGES_FOUND = 7
"""Pulumi's exit code for changes where none are expected."""
_PLANNING = ("up", "preview", "review", "graph")
"""These run the program."""
_CHECKED = (*_PLANNING, "refresh")
"""Pulumi would start its engine, and ask Docker's, before it ran the program's own check."""


@dataclass
class Deployment:
    """One target on one stack.

    Parameters
    ----------
    extra
        What goes to `pulumi`.
    confirmed
        A yes in the arguments.
    base
        The revision that a review compares with, in place of what runs.
    remove
        Have `down` take away what Pulumi keeps of the stack.
    """

    stack: Stack
    extra: Sequence[str] = ()
    interactive: bool = False
    confirmed: bool = False
    base: str = ""
    remove: bool = False

    def run(self, target: str) -> int:
        """Check what can be checked before anything changes (else UserError), then run it."""
        if target == "up" and not self.stack.is_production:
            create_file(self.stack)
        if target in _CHECKED and (mistakes := find_mistakes(self.stack.root, self.stack.name)):
            raise UserError("\n".join(mistakes))
        # A base has a passphrase of its own, unless the file has secrets to open.
        if self.stack.is_production and not self.base:
            check_passphrase(self.stack)
        if target in ("up", "down"):
            # Only here: the Docker SDK takes 0.3 s to import.
            from operations.deploy_lock import refuse_if_locked

            refuse_if_locked(self.stack)
            with only_run(self.stack):
                return self._run_checked(target)
        return self._run_checked(target)

    def _run_checked(self, target: str) -> int:
        if target in _PLANNING and names_engine(self.stack.root, self.stack.name):
            self._prepare_engine()
        if target == "up":
            return self._up()
        if target == "review":
            return self._review()
        if target == "graph":
            return self._print_graph()
        self._check_state()
        if target == "down":
            return self._down()
        if target == "output":
            return self._pulumi(*_OUTPUT, *self.extra)
        code = self._pulumi(*_PLAIN[target], *self.extra, *self._log_with("--diff"))
        if code == _CHANGES_FOUND:
            print(
                "drift: what differs was changed by hand or has failed; "
                f"`make up STACK={self.stack.name}` puts it back"
            )
        return code

    def _prepare_engine(self) -> None:
        """Make the base images on the stack's own engine, which the first stage left out."""
        exported = set_up(self.stack.project, Console())
        self.stack = replace(self.stack, environ={**self.stack.environ, **exported})

    def _check_state(self) -> None:
        state = self.stack.state
        if state is not None and not state.exists():
            raise UserError(
                f"stack {self.stack.name}: should have a state (got none under {state.parent}). "
                f"Run `make up STACK={self.stack.name}`."
            )

    def _up(self) -> int:
        arguments = self.up_arguments()
        # Without it Pulumi logs three lines for each resource that stays as it is; with it, all
        # properties of each new one.
        log = "--diff"
        if self.stack.state is None or not self.stack.state.exists():
            log = "--suppress-progress"
            # Not `stack init`: a backend that is no folder may have it.
            self.stack.prepare_with_pulumi("stack", "select", "--create")
        clear_up(self.stack)
        # Lines of ours would stand in the middle of the display that Pulumi draws on a terminal.
        with follow_builds(self.stack, show_steps=not self.interactive):
            code = self._pulumi(*arguments, *self._log_with(log))
        # Of a success alone: the reason of a failure stands last.
        return code or self._pulumi(*_OUTPUT)

    def _review(self) -> int:
        if not self.base:
            return self._print_review(self.stack)
        with base_stack(self.stack, self.base) as stack:
            return self._print_review(stack)

    def _print_review(self, stack: Stack) -> int:
        code, plan = self._plan(stack, "review", *_PREVIEW)
        print(render(plan, self.stack.name), end="")
        return code

    def _print_graph(self) -> int:
        code, plan = self._plan(self.stack, "graph", "preview")
        if code:
            raise UserError("\n".join(plan.errors))
        print(draw(plan.after))
        return 0

    def _plan(self, stack: Stack, target: str, *arguments: str) -> tuple[int, Plan]:
        """Pulumi's exit code, and the plan; if it failed, that has a reason."""
        print(f"{target}: asking Pulumi for the plan", file=sys.stderr)
        with _state_for_a_plan(stack):
            done = stack.run_pulumi(*arguments, "--json", *self.extra, **STREAMING)
        plan = Plan.read(done.stdout.splitlines())
        if done.returncode and not (plan.errors or plan.findings):
            explain_failure(stack)
            plan.errors.append(done.stderr.strip())
        return done.returncode, plan

    def _down(self) -> int:
        arguments = self.down_arguments()
        if self.remove:
            self._check_removal()
        clear_up(self.stack)
        code = self._pulumi(*arguments, *self._log_with("--suppress-progress"))
        if self.remove and not code:
            self._remove_stack()
        return code

    def _check_removal(self) -> None:
        name = self.stack.name
        if read_values(self.stack.root, name).get("retain_data", True):
            raise UserError(
                f"stack {name}: should keep no data to be removed (got devportal:retain_data true):"
                " its state has what opens them. Set it to false and run `make up "
                f"STACK={name}`, then this again; that deletes the data."
            )

    def _remove_stack(self) -> None:
        stack = self.stack
        stack.prepare_with_pulumi("stack", "rm", "--yes", "--preserve-config")
        made = stack.has_made_file
        if made:
            stack.file.unlink()
        gone = f"its state and {stack.file.name} are" if made else "its state is"
        print(f"stack {stack.name}: {gone} removed")

    def up_arguments(self) -> list[str]:
        """For `pulumi`; development is brought up without a preview and a question."""
        unasked = self._consent() if self.stack.is_production else ["--yes", "--skip-preview"]
        return ["up", "--refresh", "--suppress-outputs", *_POLICY, *unasked, *self.extra]

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

    def _log_with(self, option: str) -> list[str]:
        return [] if self.interactive else [option]

    def _consent(self) -> list[str]:
        return [] if self.interactive and not self.confirmed else ["--yes"]

    def _pulumi(self, *arguments: str) -> int:
        """Run `pulumi` on the terminal; its exit code."""
        terminal = [] if self.interactive else ["--non-interactive"]
        command = ["pulumi", *arguments, "--stack", self.stack.name, *terminal]
        code = run_in_front(
            command,
            cwd=self.stack.root,
            environ=self.stack.pulumi_environ,
            interactive=self.interactive,
        )
        if code:
            explain_failure(self.stack)
        return code


@contextmanager
def _state_for_a_plan(stack: Stack) -> Iterator[None]:
    """Give a stack that is new a state, and take it away again with the salt in its file."""
    if stack.state is None or stack.state.exists():
        yield
        return
    text = stack.file.read_bytes()
    stack.prepare_with_pulumi("stack", "select", "--create")
    try:
        yield
    finally:
        stack.prepare_with_pulumi("stack", "rm", "--yes", "--preserve-config")
        stack.file.write_bytes(text)
