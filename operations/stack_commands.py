"""The targets that run `pulumi` on one stack."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolchain.setup import git_salt
from toolchain.setup.console import Console
from toolchain.setup.project import Project
from toolchain.setup.setup import set_up
from operations.errors import CommandError
from operations.foreground import run_in_front
from operations.interruption import (
    PulumiRunner,
    StackRecords,
    has_half_made,
    known_ids,
    release_dead_lock,
)
from operations.passphrase import check_it_opens, check_passphrase
from operations.stack_file import check_name, create_missing, is_production


@dataclass(frozen=True)
class StackCommand:
    """One operation on one stack.

    Parameters
    ----------
    interactive
        Whether someone sits at a terminal and can be asked.
    confirmed
        Whether the user has said yes on the command line.
    """

    project: Project
    console: Console
    stack: str
    interactive: bool
    confirmed: bool = False

    def prepare(self) -> dict[str, str]:
        """Check what can be checked, then set up; the whole environment for `pulumi`.

        Raises
        ------
        CommandError
            Raised before anything is changed.
        """
        check_name(self.stack)
        if self.is_production:
            machine_file = self.project.places.passphrase
            check_passphrase(self.project.environ, self.stack, machine_file=machine_file)
        return {**self.project.environ, **set_up(self.project, self.console)}

    @property
    def is_production(self) -> bool:
        """Whether the stack serves users."""
        return is_production(self.project.root, self.stack)

    def up(self, extra: Sequence[str]) -> list[str]:
        """Arguments for `pulumi`; a development stack is neither asked about nor previewed.

        The outputs are told afterwards, and only of success: the reason of a failure stands last.
        """
        unasked = self._consent() if self.is_production else ["--yes", "--skip-preview"]
        return ["up", "--refresh", "--suppress-outputs", *unasked, *extra]

    def down(self, extra: Sequence[str]) -> list[str]:
        """Arguments for `pulumi`.

        Raises
        ------
        CommandError
            Raised when nobody can be asked whether production should go.
        """
        if not self.is_production:
            return ["destroy", "--yes", "--skip-preview", *extra]
        if not self.interactive and not self.confirmed:
            raise CommandError(
                f"stack {self.stack}: removing production should be confirmed (got no terminal "
                f"to ask on). Run `make down STACK={self.stack} ARGS=--yes`."
            )
        # What is protected, the data, stays; without the flag Pulumi would refuse the whole.
        return ["destroy", "--exclude-protected", *(["--yes"] if self.confirmed else []), *extra]

    def _consent(self) -> list[str]:
        return [] if self.interactive and not self.confirmed else ["--yes"]

    def run(self, arguments: Sequence[str], environ: Mapping[str, str]) -> int:
        """Run `pulumi` on the stack; its exit code.

        Raises
        ------
        CommandError
            Raised when it failed for a wrong passphrase.
        """
        terminal = [] if self.interactive else ["--non-interactive"]
        command = ["pulumi", *arguments, "--stack", self.stack, *terminal]
        try:
            code = run_in_front(command, cwd=self.project.root, environ=environ)
        finally:
            git_salt.settle(self.project.root)
        if code:
            check_it_opens(self.project.root, self.stack, environ)
        return code

    def create_stack(self, environ: Mapping[str, str]) -> None:
        """Make the stack in the backend if it is not there.

        Raises
        ------
        CommandError
            Raised with what `pulumi` says when it cannot.
        """
        if has_state(environ["PULUMI_BACKEND_URL"], self.stack):
            return
        command = ["pulumi", "stack", "select", "--create", self.stack, "--non-interactive"]
        done = subprocess.run(
            command, cwd=self.project.root, env=dict(environ), capture_output=True, text=True
        )
        if done.returncode:
            said = done.stderr.strip() or f"exit code {done.returncode}"
            raise CommandError(f"stack {self.stack}: should be there or be created (got: {said}).")

    def clear_up(self, environ: Mapping[str, str]) -> None:
        """Repair what an earlier run left when it was killed, so that it is not in the way.

        Raises
        ------
        CommandError
            Raised when another run still works on the stack.
        """
        records = StackRecords.of(environ["PULUMI_BACKEND_URL"], self.stack)
        if records is None:
            return
        pulumi = PulumiRunner(self.project.root, self.stack, environ)
        if release_dead_lock(records, self.stack, pulumi) or has_half_made(records):
            self.console.say(f"stack {self.stack}: clearing up after a run that was killed")
            pulumi.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
            remove = [str(self.project.python), "-m", "operations.orphans", self.stack]
            known = "\n".join(known_ids(records))
            root = self.project.root
            subprocess.run(remove, cwd=root, env=dict(environ), input=known, text=True, check=True)

    def create_file(self) -> None:
        """Write the settings of a new development stack, after the name is checked."""
        check_name(self.stack)
        if news := create_missing(self.project.root, self.stack):
            self.console.say(news)


def has_state(backend_url: str, stack: str) -> bool:
    """Whether a file backend certainly has the stack; False for one that must be asked."""
    records = StackRecords.of(backend_url, stack)
    return records is not None and records.state.exists()
