"""What another revision runs, in a stack of its own for the time of a review.

A state that lies on one machine is not there where a pull request is checked: compared with it,
everything would be new.
"""

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from infra.errors import UserError
from infra.naming import STACK_LABEL
from infra.settings import PortSettings
from operations.stack import Stack, read_salt
from toolchain.setup.atomic import write_file
from toolchain.setup.environment import PASSPHRASE
from toolchain.setup.processes import ask

_OF_THIS_MACHINE: dict[str, dict[str, object]] = {
    "devportal:ports": dict.fromkeys(PortSettings.model_fields.keys() - {"bind_address"}, 0),
    # It mounts the clone's own folder.
    "devportal:app": {"reload": False},
}
"""Settings that both have alike, and what stands in for them: any free port, for example."""


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
    with tempfile.TemporaryDirectory(prefix="devportal-") as folder:
        clone = Path(folder) / "base"
        _git(stack.root, "worktree", "add", "--quiet", "--detach", str(clone), revision)
        base = replace(stack, name=name, root=clone, environ=_with_passphrase(stack))
        review = replace(base, root=stack.root)
        try:
            _copy_settings(clone / stack.file.name, stack.file, base, review)
            _make(base, "up", "ARGS=--yes")
            _keep_salt(base, review)
            yield review
        finally:
            _remove(base)
            review.file.unlink(missing_ok=True)
            _git(stack.root, "worktree", "remove", "--force", str(clone))


def _with_passphrase(stack: Stack) -> dict[str, str]:
    """With a passphrase for nothing but this review, where the stack has no secrets to open."""
    own = {} if read_salt(stack.file) else {PASSPHRASE: secrets.token_hex(16)}
    return {**stack.pulumi_environ, **own}


def _copy_settings(base_file: Path, head_file: Path, base: Stack, review: Stack) -> None:
    """Give both their settings, less what would differ for being on this machine twice."""
    before, after = _read(base_file), _read(head_file)
    if not before:
        raise UserError(f"{base_file.name}: should be in the base (got none). Review without BASE.")
    for key, stand_ins in _OF_THIS_MACHINE.items():
        groups = [document["config"].get(key) or {} for document in (before, after)]
        for name in stand_ins.keys() & groups[0].keys() & groups[1].keys():
            if groups[0][name] == groups[1][name]:
                groups[0][name] = groups[1][name] = stand_ins[name]
    for stack, document in ((base, before), (review, after)):
        write_file(stack.file, yaml.safe_dump(document, sort_keys=False))


def _keep_salt(base: Stack, review: Stack) -> None:
    """Pulumi has written one into the base's file, where there was none."""
    salt = {"encryptionsalt": read_salt(base.file)}
    write_file(review.file, yaml.safe_dump({**_read(review.file), **salt}, sort_keys=False))


def _remove(base: Stack) -> None:
    """Remove everything, data that production protects as well: it is the review's own."""
    if base.state is not None and base.state.exists():
        base.run_pulumi("state", "unprotect", "--all", "--yes")
        _make(base, "down", "ARGS=--yes")
        base.run_pulumi("stack", "rm", "--yes", "--force")
    # Only here: the Docker SDK takes 0.3 s to import.
    from operations.containers import connect_engine

    own = {"label": f"{STACK_LABEL}={base.name}"}
    for volume in connect_engine(base).volumes.list(filters=own):
        volume.remove()


def _make(base: Stack, target: str, *words: str) -> None:
    """Run one of the base's own targets, its output beside the review."""
    command = ["make", "--no-print-directory", target, f"STACK={base.name}", *words]
    # Without what a make around this one was given.
    environ = {key: value for key, value in base.environ.items() if "MAKE" not in key}
    done = subprocess.run(command, cwd=base.root, env=environ, stdout=sys.stderr)
    if done.returncode:
        raise UserError(
            f"base: `make {target}` should succeed (got {done.returncode}). Correct what it says."
        )


def _git(root: Path, *words: str) -> None:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git: should succeed (got: {done.stderr.strip()}). Correct that.")


def _read(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text()) or {} if file.exists() else {}
