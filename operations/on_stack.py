"""`python -m operations.on_stack <target>`: a target on its stack, in the program's Python."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from docker.errors import DockerException
from requests import RequestException

from infra.errors import UserError
from operations import (
    backups,
    containers,
    deploy_lock,
    inside,
    one_off,
    password,
    restart,
    restore,
    state_backup,
    stores,
    swarm,
    versions,
)
from operations.arguments import PULUMI, parse
from operations.deployment import Deployment
from operations.doctor import Finding, print_findings
from operations.interruption import remove_torn_files
from operations.stack import Stack
from operations.terminal import is_on_terminal, run_reporting
from toolchain.setup.project import Project

_TARGETS: dict[str, Callable[[Stack, argparse.Namespace], int | None]] = {
    "ps": containers.print_containers,
    "logs": containers.print_logs,
    "stats": containers.print_stats,
    "exec": inside.run_command,
    "shell": inside.open_shell,
    "psql": stores.open_database,
    "redis-cli": stores.open_redis,
    "run": one_off.run_command,
    "restart": restart.restart_role,
    "password": password.show_password,
    "history": versions.print_history,
    "versions": versions.print_versions,
    "lock": deploy_lock.lock,
    "unlock": deploy_lock.unlock,
    "backup": backups.take_backup,
    "backups": backups.print_backups,
    "restore": restore.restore,
    "state-backup": state_backup.back_up_state,
    "state-restore": state_backup.restore_state,
}
_OVER_ALL_NODES = {
    "ps": swarm.print_tasks,
    "logs": swarm.print_logs,
    "restart": swarm.restart_roles,
}
"""In place of those above, for a stack on a swarm."""


@contextmanager
def _explaining_engine() -> Iterator[None]:
    """Raise UserError with what the engine has refused, or that it keeps silent."""
    try:
        yield
    except (DockerException, RequestException) as error:
        raise UserError(
            f"docker engine: should answer (got: {error}). Run `make doctor`."
        ) from None


@_explaining_engine()
def run(options: argparse.Namespace) -> int:
    """Run the target; its exit code. Raises UserError with what to do."""
    stack = Stack(options.stack, environ=dict(os.environ))
    remove_torn_files(stack)
    if options.target == "doctor":
        return _print_findings(stack, as_json=options.json)
    chosen = {"confirmed": getattr(options, "yes", False), "base": getattr(options, "base", "")}
    remove = getattr(options, "remove", False)
    deployment = Deployment(stack, options.extra, is_on_terminal(), **chosen, remove=remove)
    if options.target in PULUMI:
        return deployment.run(options.target)
    if options.target == "rollback":
        return versions.rollback(stack, options, deployment)
    run_target = _TARGETS[options.target]
    if options.target in _OVER_ALL_NODES and stack.is_on_swarm:
        run_target = _OVER_ALL_NODES[options.target]
    return run_target(stack, options) or 0


def _print_findings(stack: Stack, *, as_json: bool) -> int:
    # Only here: the checks import the program, which takes two seconds.
    from operations.health_checks import describe, examine

    try:
        machine = stack.project
    except UserError as error:
        # Then the machine is shown with the engine of the environment.
        machine = Project(stack.root, stack.environ)
        finding = _explain_unknown_engine(stack, str(error))
        return print_findings(machine, lambda can_reach_engine: [finding], as_json=as_json)
    return print_findings(
        machine, partial(examine, stack), subject=describe(stack), as_json=as_json
    )


def _explain_unknown_engine(stack: Stack, mistake: str) -> Finding:
    is_in_file = mistake.startswith(("docker:", "Pulumi."))
    edit = f"${{EDITOR:-vi}} {stack.file.name} && {stack.up}"
    why = "which engine the stack runs on is not known without"
    return Finding(mistake, why, edit if is_in_file else "docker context ls")


def main(words: Sequence[str]) -> int:
    """Run a target as the first stage has started it; its exit code."""
    options = parse(words)
    return run_reporting(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
