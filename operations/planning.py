"""The targets that print what `up` would do, in place of Pulumi: `make review` and `graph`.

With BASE it is compared with what another revision runs, in a stack of its own for that time: a
state that lies on one machine is not there where a pull request is checked, and compared with it
everything would be new.
"""

import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from infra.errors import UserError
from infra.naming import STACK_LABEL
from operations.containers import connect_engine
from operations.passphrase import check_passphrase, explain_failure
from operations.plan import STREAMING, Plan
from operations.review import render
from operations.stack import FREE_PORTS, Stack, read_salt
from operations.terminal import run_in_front
from operations.topology import draw
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import PASSPHRASE
from toolchain.setup.processes import ask

_OF_THIS_MACHINE: dict[str, dict[str, object]] = {
    "devportal:ports": {**FREE_PORTS},
    # It mounts the clone's own folder.
    "devportal:app": {"reload": False},
}
"""Settings that both have alike, and what stands in for them: any free port, for example."""
_SALT = "encryptionsalt"


@contextmanager
def reviewing(stack: Stack) -> Iterator[None]:
    """Print why there is no review, too: a pull request shows nothing of the errors beside it."""
    try:
        yield
    except UserError as error:
        _print(Plan(errors=[str(error)]), stack)
        raise


def print_review(stack: Stack, base: str, options: Sequence[str]) -> int:
    """The plan as Markdown, against what runs or what the revision `base` would; Pulumi's code."""
    with ExitStack() as ends:
        planned = ends.enter_context(base_stack(stack, base)) if base else stack
        code, plan = _plan(planned, "review", *options)
        _print(plan, stack)
        try:
            ends.close()
        except UserError as error:
            # Beside the review, which has its plan: `reviewing` would say that there is none.
            print(error, file=sys.stderr)
            code = code or 1
    return code


def _print(plan: Plan, stack: Stack) -> None:
    """Others read it: without the password that the backend's URL may have, and Pulumi tells."""
    text, password = (
        render(plan, stack.name),
        urlsplit(stack.environ["PULUMI_BACKEND_URL"]).password,
    )
    print(text.replace(f":{password}@", ":...@") if password else text, end="")


def print_graph(stack: Stack, options: Sequence[str]) -> int:
    """What would run and how it is connected. Raises UserError when there is no plan."""
    code, plan = _plan(stack, "graph", *options)
    if code:
        raise UserError("\n".join(plan.errors))
    print(draw(plan.after))
    return 0


def _plan(stack: Stack, target: str, *arguments: str) -> tuple[int, Plan]:
    """Pulumi's exit code, and the plan; if it failed, that has a reason."""
    print(f"{target}: asking Pulumi for the plan", file=sys.stderr)
    with stack.with_state_for_a_plan():
        done = stack.run_pulumi(*arguments, **STREAMING)
    plan = Plan.read(done.stdout.splitlines())
    if done.returncode and not (plan.errors or plan.findings):
        explain_failure(stack)
        plan.errors.append(done.stderr.strip())
    return done.returncode, plan


@contextmanager
def base_stack(stack: Stack, revision: str) -> Iterator[Stack]:
    """A stack that is what `revision` makes of the stack's file there.

    The stack that is yielded has the settings of this clone. It goes again with its data.

    Raises UserError when git does not know the revision, or its stack does not come up.
    """
    commit = ("rev-parse", "--verify", f"{revision}^{{commit}}")
    if not ask("git", "-C", str(stack.root), *commit, environ=stack.environ):
        raise UserError(
            f"BASE: should be a revision that git knows (got '{revision}'). Fetch it, or choose "
            "another."
        )
    name = f"review-{secrets.token_hex(4)}"
    with ExitStack() as ends:
        clone = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="devportal-"))) / "base"
        _git(stack.root, "worktree", "add", "--quiet", "--detach", str(clone), revision)
        ends.callback(_git, stack.root, "worktree", "remove", "--force", str(clone))
        before, after = _read(clone / stack.file.name), _read(stack.file)
        if not before:
            raise UserError(
                f"{stack.file.name}: should be in the base (got none). Review without BASE."
            )
        base = replace(stack, name=name, root=clone, environ=_environ(stack, before, after))
        review = replace(base, root=stack.root)
        ends.callback(review.file.unlink, missing_ok=True)
        _write_settings(base, before, review, after)
        ends.callback(_remove, base)
        _make(base, "up", "ARGS=--yes")
        _keep_salt(base, review)
        yield review


def _environ(stack: Stack, *documents: dict[str, Any]) -> dict[str, str]:
    """With a passphrase for nothing but this review, where the settings have no secret to open.

    The salt goes: it belongs to the stack's own passphrase, of which a fork's job knows nothing.
    """
    environ, states = stack.pulumi_environ, stack.backend_folder
    if states and not environ["PULUMI_BACKEND_URL"].startswith("file:///"):
        # What is relative to this folder; the base runs in another.
        environ["PULUMI_BACKEND_URL"] = states.parent.as_uri()
    if not any(map(_has_secret, documents)):
        for document in documents:
            document.pop(_SALT, None)
        return {**environ, PASSPHRASE: secrets.token_hex(16)}
    if stack.is_production:
        _check_passphrase(stack)
    return environ


def _has_secret(value: object) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(map(_has_secret, value.values()))
    return isinstance(value, list) and any(map(_has_secret, value))


def _check_passphrase(stack: Stack) -> None:
    try:
        check_passphrase(stack)
    except UserError as error:
        raise UserError(
            f"{error} A review needs it while {stack.file.name}, here or in the base, has "
            "encrypted values; the job of a fork is given none."
        ) from None


def _write_settings(
    base: Stack, before: dict[str, Any], review: Stack, after: dict[str, Any]
) -> None:
    """Give both their settings, less what would differ for being on this machine twice."""
    for key, stand_ins in _OF_THIS_MACHINE.items():
        groups = [(one.get("config") or {}).get(key) or {} for one in (before, after)]
        for name in stand_ins.keys() & groups[0].keys() & groups[1].keys():
            if groups[0][name] == groups[1][name]:
                groups[0][name] = groups[1][name] = stand_ins[name]
    for stack, document in ((base, before), (review, after)):
        write_file(stack.file, yaml.safe_dump(document, sort_keys=False))


def _keep_salt(base: Stack, review: Stack) -> None:
    """Pulumi has written one into the base's file, where there was none."""
    salt = {_SALT: read_salt(base.file)}
    write_file(review.file, yaml.safe_dump({**_read(review.file), **salt}, sort_keys=False))


def _remove(base: Stack) -> None:
    """Remove everything, data that production protects as well: it is the review's own."""
    if not base.is_missing:
        base.run_pulumi("state", "unprotect", "--all", "--yes")
        _make(base, "down", "ARGS=--yes")
        base.run_pulumi("stack", "rm", "--yes", "--force")
    own = {"label": f"{STACK_LABEL}={base.name}"}
    for volume in connect_engine(base).volumes.list(filters=own):
        volume.remove()


def _make(base: Stack, target: str, *words: str) -> None:
    """Run one of the base's own targets, its output beside the review."""
    command = ["make", "--no-print-directory", target, f"STACK={base.name}", *words]
    # Without what a make around this one was given.
    environ = {key: value for key, value in base.environ.items() if "MAKE" not in key}
    # To its end: what it leaves running would hold the stack against its removal. Of the signals
    # make passes on this one, and no interrupt, which a terminal sends to both.
    code = run_in_front(
        command,
        cwd=base.root,
        environ=environ,
        interactive=True,
        stdout=sys.stderr,
        ending=signal.SIGTERM,
    )
    if code:
        raise UserError(f"base: `make {target}` should succeed (got {code}). Correct what it says.")


def _git(root: Path, *words: str) -> None:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git: should succeed (got: {done.stderr.strip()}). Correct that.")


def _read(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text()) or {} if file.exists() else {}
