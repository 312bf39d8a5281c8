"""The targets that run `pulumi` on one stack."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from infra.errors import UserError
from infra.settings.stack_file import find_mistakes, read_values
from operations.arguments import names_engine
from operations.build_logs import follow_builds
from operations.deploy_lock import refuse_if_locked
from operations.interruption import clear_up
from operations.look_alikes import put_back
from operations.passphrase import check_passphrase, explain_failure
from operations.plan import telling_rules_last
from operations.planning import print_graph, print_review, reviewing
from operations.runs import only_run
from operations.stack import Stack, create_file
from operations.terminal import run_in_front
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
_PLANNING = ("up", "preview", "review", "graph")
"""These run the program."""
_DATAS_SECRETS = ("--exclude", "**:GeneratedSecret::*", "--exclude", "**:GeneratedCertificate::*")
"""What goes on with data: passwords of accounts, the key that webhooks are signed by, and the
authority that clients trust."""
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
    _was_killed: bool = field(default=False, init=False)
    _is_held: bool = field(default=False, init=False)

    def run(self, target: str) -> int:
        """Check what can be checked before anything changes (else UserError), then run it."""
        with ExitStack() as meanwhile:
            if target == "review":
                meanwhile.enter_context(reviewing(self.stack))
            self._check(target)
            if target in ("up", "down") and not self._is_held:
                meanwhile.enter_context(self.holding())
            return self._run_checked(target)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the stack while the block runs, for `up` and `down` and what has to go before.

        Raises UserError when somebody has locked it, or another run holds it.
        """
        refuse_if_locked(self.stack)
        with only_run(self.stack) as self._was_killed:
            self._is_held = True
            try:
                yield
            finally:
                self._is_held = False

    def _check(self, target: str) -> None:
        if target == "up" and not self.stack.is_production:
            create_file(self.stack)
        if target in _CHECKED and (mistakes := find_mistakes(self.stack.root, self.stack.name)):
            raise UserError("\n".join(mistakes))
        # A base has a passphrase of its own, unless the file has secrets to open.
        if self.stack.is_production and not self.base:
            check_passphrase(self.stack)

    def _run_checked(self, target: str) -> int:
        if target in _PLANNING and names_engine(self.stack.root, self.stack.name):
            self._prepare_engine()
        if target == "up":
            return self._up()
        if target == "review":
            return print_review(self.stack, self.base, [*_PREVIEW, "--json", *self.extra])
        if target == "graph":
            return print_graph(self.stack, ["preview", "--json", *self.extra])
        if self.stack.is_missing:
            return self._end_without_state(target)
        if target == "down":
            return self._down()
        if target == "output":
            return self._pulumi(*_OUTPUT, *self.extra)
        code = self._pulumi(*_PLAIN[target], *self.extra, *self._log_with("--diff"))
        if target != "drift":
            return code
        # Only here: it imports the program, which takes two seconds.
        from operations.health_checks import end_drift

        return end_drift(self.stack, code)

    def _prepare_engine(self) -> None:
        """Make the base images on the stack's own engine, which the first stage left out."""
        exported = set_up(self.stack.project, Console())
        self.stack = replace(self.stack, environ={**self.stack.environ, **exported})

    def _end_without_state(self, target: str) -> int:
        """What is not there may be removed: a pipeline may ask twice. Else raises UserError."""
        state = self.stack.state
        if target == "down" and self.remove:
            print(f"stack {self.stack.name}: there is nothing to remove")
            return 0
        # Not the URL: it may have a password.
        where = f"under {state.parent}" if state else "in the backend of PULUMI_BACKEND_URL"
        raise self.stack.lacks("a state", f"got none {where}")

    def _up(self) -> int:
        arguments = self.up_arguments()
        # Without it Pulumi logs three lines for each resource that stays as it is; with it, all
        # properties of each new one.
        log = "--diff"
        if self.stack.is_missing:
            log = "--suppress-progress"
            if self.extra:
                # Else an argument that Pulumi does not know would leave an empty stack behind.
                self.stack.prepare_with_pulumi("up", *self.extra, "--help")
            self.stack.prepare_with_pulumi("stack", "select", "--create")
        latest = clear_up(self.stack, was_killed=self._was_killed)
        put_back(self.stack, latest.get("resources") or (), may_remove="--yes" in arguments)
        # Lines of ours would stand in the middle of the display that Pulumi draws on a terminal.
        with follow_builds(self.stack, show_steps=not self.interactive):
            code = self._pulumi(*arguments, *self._log_with(log))
        # Of a success alone: the reason of a failure stands last.
        return code or self._pulumi(*_OUTPUT)

    def _down(self) -> int:
        arguments = self.down_arguments()
        # Without its file, as in a new clone, Pulumi refuses by itself what its state protects.
        if self.remove and self.stack.file.exists() and self._keeps_data():
            raise UserError(
                f"stack {self.stack.name}: should keep no data to be removed (got "
                "devportal:retain_data true): its state has what opens them. "
                f"{self._how_to_delete()}"
            )
        clear_up(self.stack, was_killed=self._was_killed)
        code = self._pulumi(*arguments, *self._log_with("--suppress-progress"))
        if code:
            return code
        if self.remove:
            self._remove_stack()
        elif self.stack.is_production and self._keeps_data():
            print(
                f"stack {self.stack.name}: its data stays, with the secrets that belong to it. "
                f"{self._how_to_delete()}"
            )
        return 0

    def _how_to_delete(self) -> str:
        advisory = " and devportal:policies.protected_data to advisory"
        return (
            f"To delete the data, set devportal:retain_data to false"
            f"{advisory if self.stack.is_production else ''}, run `{self.stack.up}`, "
            "then this again."
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
        kept = _DATAS_SECRETS if self._keeps_data() else ()
        return ["destroy", "--exclude-protected", *kept, *self._consent(), *self.extra]

    def _keeps_data(self) -> bool:
        return bool(read_values(self.stack.root, self.stack.name).get("retain_data", True))

    def _log_with(self, option: str) -> list[str]:
        return [] if self.interactive else [option]

    def _consent(self) -> list[str]:
        return [] if self.interactive and not self.confirmed else ["--yes"]

    def _pulumi(self, *arguments: str) -> int:
        """Run `pulumi` on the terminal; its exit code."""
        terminal = [] if self.interactive else ["--non-interactive"]
        command = ["pulumi", *arguments, "--stack", self.stack.name, *terminal]
        with telling_rules_last() as logging:
            code = run_in_front(
                command,
                cwd=self.stack.root,
                environ={**self.stack.pulumi_environ, **logging},
                interactive=self.interactive,
            )
        if code:
            explain_failure(self.stack)
        return code
