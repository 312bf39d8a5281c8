"""From one engine to a swarm and back, by the commands of docs/swarm.md."""

import subprocess

from benchmarks.harness.portal_stack import PortalStack
from tests.support.make import succeed

DIGEST = "pg_dump -U postgres devportal | grep -v '^.[a-z]*restrict ' | sha256sum"


def digest(stack: PortalStack) -> str:
    """Of a dump of the whole database."""
    return succeed(stack, "exec", ROLE="postgres", CMD=DIGEST)


def back_up(stack: PortalStack) -> str:
    return succeed(stack, "backup").strip()


def restore(stack: PortalStack, backup: str) -> None:
    succeed(stack, "restore", BACKUP=backup, ARGS="--yes --without-backup")


def copy_backup(name: str, source: PortalStack, target: PortalStack) -> None:
    """As a user pipes one `make exec` into another."""
    send, take = (
        ["make", "exec", f"STACK={stack.name}", "ROLE=backups", f"CMD=tar -{word}"]
        for stack, word in ((source, f"cC /backups {name}"), (target, "xC /backups"))
    )
    with subprocess.Popen(
        send, cwd=source.project, env=source.environment, stdout=subprocess.PIPE
    ) as sending:
        subprocess.run(
            take, cwd=target.project, env=target.environment, stdin=sending.stdout, check=True
        )
    assert sending.returncode == 0


def test_data_moves_to_a_swarm_and_back_unchanged(
    production_stack: PortalStack, stack: PortalStack
) -> None:
    original, own = back_up(production_stack), back_up(stack)
    succeed(production_stack, "run", ROLE="migrations", CMD="python -m app seed")
    seeded, there = digest(production_stack), back_up(production_stack)
    copy_backup(there, production_stack, stack)
    assert digest(stack) != seeded
    restore(stack, there)
    assert digest(stack) == seeded
    back = back_up(stack)
    restore(stack, own)
    restore(production_stack, original)
    assert digest(production_stack) != seeded
    copy_backup(back, stack, production_stack)
    restore(production_stack, back)
    assert digest(production_stack) == seeded
    restore(production_stack, original)
