"""`python -m operations.on_stack <target>`: a target on its stack, in the program's Python."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial

from infra.errors import UserError
from operations.arguments import PULUMI, STATE, parse
from operations.deployment import Deployment
from operations.doctor import print_findings
from operations.history import print_history
from operations.stack import Stack
from operations.terminal import run_reporting


def run(options: argparse.Namespace) -> int:
    """Run the target; its exit code. Raises UserError with what to do."""
    stack = Stack(options.stack, environ=dict(os.environ))
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    chosen = {"confirmed": getattr(options, "yes", False), "base": getattr(options, "base", "")}
    remove = getattr(options, "remove", False)
    deployment = Deployment(stack, options.extra, interactive, **chosen, remove=remove)
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
        # Only here: the checks import the program, which takes two seconds.
        from operations.health_checks import examine

        return print_findings(stack.project, examine(stack), as_json=options.json)
    return _ask_engine(stack, options, deployment)


def _ask_engine(stack: Stack, options: argparse.Namespace, deployment: Deployment) -> int:
    # Only here: the Docker SDK takes 0.3 s to import, which Pulumi's targets do without.
    from docker.errors import DockerException

    from operations import (
        backups,
        containers,
        deploy_lock,
        inside,
        one_off,
        password,
        restart,
        restore,
        versions,
    )

    run_target: dict[str, Callable[[Stack, argparse.Namespace], int | None]] = {
        "ps": containers.print_containers,
        "logs": containers.print_logs,
        "stats": containers.print_stats,
        "exec": inside.run_command,
        "shell": inside.open_shell,
        "psql": inside.open_database,
        "redis-cli": inside.open_redis,
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
    try:
        return run_target[options.target](stack, options) or 0
    except DockerException as error:
        raise UserError(
            f"docker engine: should answer (got: {error}). Run `make doctor`."
        ) from None


def main(words: Sequence[str]) -> int:
    """Run a target as the first stage has started it; its exit code."""
    options = parse(words)
    return run_reporting(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
