"""`python -m operations.on_stack <target>`: a target on its stack, in the program's Python."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from infra.errors import UserError
from operations.arguments import PULUMI, STATE, parse
from operations.deployment import Deployment
from operations.doctor import Finding, print_findings
from operations.history import print_history
from operations.interruption import remove_torn_files
from operations.stack import Stack
from operations.terminal import is_on_terminal, run_reporting
from toolchain.setup.project import Project


@contextmanager
def _explaining_engine() -> Iterator[None]:
    """Raise UserError with what the engine has refused, or that it keeps silent."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        # Only here: the Docker SDK takes 0.3 s to import, which Pulumi's targets do without.
        from docker.errors import DockerException
        from requests import RequestException

        if not isinstance(error, (DockerException, RequestException)):
            raise
        raise UserError(
            f"docker engine: should answer (got: {error}). Run `make doctor`."
        ) from None


@_explaining_engine()
def run(options: argparse.Namespace) -> int:
    """Run the target; its exit code. Raises UserError with what to do."""
    stack = Stack(options.stack, environ=dict(os.environ))
    remove_torn_files(stack)
    chosen = {"confirmed": getattr(options, "yes", False), "base": getattr(options, "base", "")}
    remove = getattr(options, "remove", False)
    deployment = Deployment(stack, options.extra, is_on_terminal(), **chosen, remove=remove)
    if options.target in PULUMI:
        return deployment.run(options.target)
    if options.target == "history":
        print_history(stack, options)
        return 0
    if options.target in STATE:
        # Only here: it takes cryptography.
        from operations import state_backup

        run_target = {
            "state-backup": state_backup.back_up_state,
            "state-restore": state_backup.restore_state,
        }
        run_target[options.target](stack, options)
        return 0
    if options.target == "doctor":
        return _print_findings(stack, as_json=options.json)
    return _ask_engine(stack, options, deployment)


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
    edit = f"${{EDITOR:-vi}} {stack.file.name} && make up STACK={stack.name}"
    why = "which engine the stack runs on is not known without"
    return Finding(mistake, why, edit if is_in_file else "docker context ls")


def _ask_engine(stack: Stack, options: argparse.Namespace, deployment: Deployment) -> int:
    # Only here: the Docker SDK takes 0.3 s to import, which Pulumi's targets do without.
    from operations import (
        backups,
        containers,
        database,
        deploy_lock,
        inside,
        one_off,
        password,
        redis_cli,
        restart,
        restore,
        swarm,
        versions,
    )

    run_target: dict[str, Callable[[Stack, argparse.Namespace], int | None]] = {
        "ps": containers.print_containers,
        "logs": containers.print_logs,
        "stats": containers.print_stats,
        "exec": inside.run_command,
        "shell": inside.open_shell,
        "psql": database.open_database,
        "redis-cli": redis_cli.open_redis,
        "run": one_off.run_command,
        "restart": restart.restart_role,
        "password": password.show_password,
        "versions": versions.print_versions,
        "rollback": partial(versions.rollback, deployment=deployment),
        "lock": deploy_lock.lock,
        "unlock": deploy_lock.unlock,
        "backup": backups.take_backup,
        "backups": backups.print_backups,
        "restore": restore.restore,
    }
    if stack.is_on_swarm:
        over_all_nodes = {"ps": swarm.print_tasks, "logs": swarm.print_logs}
        run_target |= {**over_all_nodes, "restart": swarm.restart_roles}
    return run_target[options.target](stack, options) or 0


def main(words: Sequence[str]) -> int:
    """Run a target as the first stage has started it; its exit code."""
    options = parse(words)
    return run_reporting(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
