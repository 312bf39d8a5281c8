"""What doctor finds of a stack: each fault with its command, and nothing where all is well."""

import datetime
import errno
import os
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.errors import UserError
from infra.x509 import expires_at
from operations import containers, drift_checks, health_checks, service_checks
from operations.interruption import read_latest
from tests.support.refusals import refusal
from tests.unit.operations import examined_stack as fault
from tests.unit.operations.conftest import MakeStack, archive, elsewhere, write_state
from tests.unit.operations.examined_stack import HERE, World, certificate, container, resources
from tests.unit.operations.test_interruption import DEAD_PID, write_lock
from toolchain.setup.atomic import write_file


@pytest.fixture
def world(make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch) -> World:
    """A production stack that is up and healthy."""
    made = World(make_stack("prod"))

    def connect(_address: object) -> MagicMock:
        if made.engine_error:
            raise made.engine_error
        return made.client

    monkeypatch.setattr(health_checks, "connect", connect)
    monkeypatch.setattr(containers, "connect", connect)
    monkeypatch.setattr(health_checks, "look_for_room", lambda *given: made.room)
    return made


def test_healthy_stack_has_no_finding(world: World) -> None:
    assert world.examine() == []
    # A job that has ended may be pruned; what a later version replaces is nobody's concern.
    del world.containers["migrations"]
    world.latest["resources"] += [{**resources("app")[0], "id": "id-old", "delete": True}]
    assert world.examine() == []
    assert health_checks.describe(world.stack) == "stack prod"


def test_database_and_prometheus_that_do_not_answer_are_for_their_own_health_checks(
    world: World,
) -> None:
    fault.in_container("postgres", "pg_file_settings", 2, b"no connection left")(world)
    fault.in_container("prometheus", "promtool", 1, b"connection refused")(world)
    assert world.examine() == []


UP = "make up STACK=prod"
GIVEN = "pulumi config set --stack prod --secret --path devportal:secrets.tls_"
SET = "pulumi config set --stack prod --path devportal:"
BEGIN_EMPTY = f"{SET}postgres.fresh_start TODAY && {UP}"
APP, REDIS, SERVER, PROMETHEUS = (
    f"container 'devportal-prod-{role}'" for role in ("app", "redis", "postgres", "prometheus")
)
SICK = f"{APP}: should be healthy"
DEAD = f"process {DEAD_PID} of ada on"
END = f"{expires_at(fault.SHORT_CERTIFICATE):%Y-%m-%d}"
FAULTS: list[tuple[Callable[[World], Any], str, str]] = [
    (
        fault.break_settings,
        "devportal:redis.cpus: should be a number from 0.1 to 64 (got 'no'). Correct it in "
        "Pulumi.prod.yaml.",
        f"${{EDITOR:-vi}} Pulumi.prod.yaml && {UP}",
    ),
    (
        fault.forget_passphrase,
        "stack prod: production should have a passphrase of its own (got none). Write one into "
        ".secrets/prod.passphrase, or set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE, and run this again.",
        "(umask 077 && mkdir -p .secrets && cat > .secrets/prod.passphrase)",
    ),
    (
        fault.lock(),
        f"stack prod: no lock should be left (got one of {DEAD} {HERE}, which ended).",
        UP,
    ),
    (
        fault.lock(hostname="elsewhere"),
        f"stack prod: no other run should hold it (got {DEAD} elsewhere).",
        "pulumi cancel --stack prod",
    ),
    (
        fault.lock_by_hand,
        "stack prod: should not be locked (got a lock by ada on here since noon: a move). Ask, or "
        "run `make unlock STACK=prod`.",
        "make unlock STACK=prod",
    ),
    (
        fault.leave_operation,
        "stack prod: no operation should be unfinished (got creating redis).",
        UP,
    ),
    (fault.no_engine, "stack prod: Docker engine: should answer.", UP),
    (
        lambda world: world.room.mistakes.append("devportal:ports.https: should be free"),
        "devportal:ports.https: should be free",
        f"{SET}ports.https 0 && {UP}",
    ),
    (
        fault.warn("memory: should suffice"),
        "memory: should suffice",
        f"{SET}app.memory_mb VALUE && {UP}",
    ),
    (fault.warn("disk: should have"), "disk: should have", "docker image prune"),
    (
        fault.status("exited", ExitCode=9),
        f"{SICK} (got: exited with code 9). It says: last words",
        UP,
    ),
    (fault.status("paused"), f"{SICK} (got: paused).", UP),
    (fault.status("restarting"), f"{SICK} (got: restarting). It says: last words", UP),
    (fault.fail_check, f"{SICK} (got: unhealthy). It says: no answer", UP),
    (fault.limit(PidsLimit=9), f"{SICK} (got: limited to 9 processes). It says: last words", UP),
    (fault.limit(Memory=400 << 20), f"{APP}: memory should be 512 (got 400).", UP),
    (fault.limit(NanoCpus=10**8), f"{APP}: cpus should be 1.0 (got 0.1).", UP),
    (fault.limit(RestartPolicy={"Name": "no"}), f"{APP}: restart should be always (got no).", UP),
    (
        lambda world: world.containers.pop("app"),
        f"{APP}, specification spec-app: should exist (got none).",
        UP,
    ),
    (
        fault.replace_by_hand,
        f"{APP}, specification spec-app: should exist (got one of specification spec-other).",
        f"docker rm --force --volumes devportal-prod-app && {UP}",
    ),
    (
        lambda world: world.containers.update(redis=container("redis")),
        f"{REDIS}: should be in the stack's state (got: it is not).",
        "docker rm --force --volumes devportal-prod-redis",
    ),
    (
        fault.give_name_to_another_image,
        "image 'devportal-prod-app:1': should be the one that the stack has built (got another).",
        UP,
    ),
    (
        lambda world: world.client.volumes.list.return_value.clear(),
        "volume 'devportal-prod-postgres-data': should exist (got none).",
        BEGIN_EMPTY,
    ),
    (
        lambda world: world.client.networks.list.return_value.clear(),
        "network 'devportal-net': should exist (got none of its id).",
        UP,
    ),
    (
        fault.start_on_empty_volume,
        f"{SERVER}: should be healthy (got: exited with code 1). It says: postgres: (got an empty "
        "volume). Bring it",
        BEGIN_EMPTY,
    ),
    (
        fault.in_container("postgres", "/run/secrets", 0, b"devportal_user\ndevportal_backup\n"),
        f"{SERVER}: its data should have the passwords of the stack (got others for "
        "devportal_user, devportal_backup).",
        "make restart ROLE=postgres STACK=prod",
    ),
    (
        fault.in_container(
            "backups", "health", 1, b"backups: a backup should be taken every 9 s\n"
        ),
        "backups: a backup should be taken every 9 s",
        "make backup STACK=prod",
    ),
    (
        fault.in_container("postgres", "pg_file_settings", 0, b"jit, work_mem\n"),
        f"{SERVER}: its data should set nothing beside the stack's settings (got ALTER SYSTEM of "
        "jit, work_mem).",
        "make psql ARGS='--user postgres' CMD='ALTER SYSTEM RESET ALL' STACK=prod && make restart "
        "ROLE=postgres STACK=prod",
    ),
    (
        fault.in_container("prometheus", "prometheus_rule_group_rules", 0, b""),
        f"{PROMETHEUS}: should have loaded its alert rules (got none).",
        "make logs ROLE=prometheus STACK=prod",
    ),
    (
        fault.in_container(
            "prometheus", "up == 0", 0, b'up{instance="exporter:9105", job="exporter"} => 0 @[1]\n'
        ),
        f"{PROMETHEUS}: its target exporter:9105 should answer (got: it is down).",
        "make logs ROLE=prometheus STACK=prod",
    ),
    (
        fault.serve_certificate,
        f"certificate: should be valid for longer (got: until {END}).",
        UP,
    ),
]


@pytest.mark.parametrize(("plant", "what", "command"), FAULTS)
def test_each_fault_is_found_with_its_command(
    plant: Callable[[World], Any], what: str, command: str, world: World
) -> None:
    plant(world)
    [found] = world.examine()
    today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    assert (found.what, found.command.replace(today, "TODAY")) == (what, command)
    assert found.why


@pytest.mark.parametrize(("days", "is_found"), [(13, True), (15, False)])
def test_certificate_from_elsewhere_is_due_two_weeks_before_its_end(
    days: int, is_found: bool, world: World
) -> None:
    proxy = world.containers["nginx"]
    proxy.get_archive.return_value = archive(certificate(days))
    found = list(service_checks.check_certificate(world.stack, proxy, is_provided=True))
    renew = f"{GIVEN}certificate < chain.pem && {GIVEN}key < key.pem && {UP}"
    assert [finding.command for finding in found] == [renew] * is_found


@pytest.mark.parametrize(
    ("holders", "got", "end"),
    [
        (["theirs"], "container 'theirs'", "docker stop theirs"),
        ([], "a process", "ss --listening --processes --tcp sport = :20311"),
    ],
)
def test_port_of_a_stopped_container_that_something_else_has_is_named(
    holders: list[str], got: str, end: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift_checks, "bind_error", lambda *place: errno.EADDRINUSE)
    world.state("app", Status="exited")
    world.publish(*holders)
    [_, found] = world.examine()
    assert found.what == f"{APP}: 127.0.0.1:20311 should be free for it (got: {got} has it)."
    assert found.command == f"{end} && {UP}"


def test_nothing_is_said_of_containers_while_a_run_is_at_work(world: World) -> None:
    """Nor without an engine to ask, nor of a stack that is not there."""
    del world.containers["app"]
    assert world.examine(can_reach_engine=False) == []
    write_lock(world.stack, pid=os.getpid())
    [found] = world.examine()
    assert found.what == (
        f"stack prod: no other run should hold it (got process {os.getpid()} of ada on {HERE})."
    )
    assert found.command == f"ps -fp {os.getpid()}"


def test_stack_that_is_not_there_has_no_finding(world: World, make_stack: MakeStack) -> None:
    """Whose containers are of another state's are not called left over."""
    typo = make_stack("typo")
    world.client.containers.list.return_value = [container("app")]
    assert health_checks.describe(typo) == "stack typo, which is not there yet"
    assert list(health_checks.examine(typo, True)) == []
    world.engine_error = UserError("Docker engine: should answer.")
    assert list(health_checks.examine(typo, True)) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            """echo '{"deployment": {"pending_operations": [
                {"type": "creating", "resource": {"urn": "urn::redis"}}]}}'""",
            ["stack prod: no operation should be unfinished (got creating redis)."],
        ),
        ("echo 'no stack named prod found' >&2; exit 255", []),
        (
            "echo 'no access' >&2; exit 255",
            ["stack prod: state: should be readable (got: no access)."],
        ),
    ],
)
def test_state_elsewhere_is_read_by_pulumi(answer: str, expected: list[str], world: World) -> None:
    write_file(world.stack.root / "ends", answer + "\n")
    found = health_checks.examine(elsewhere(world.stack), True)
    assert [finding.what for finding in found] == expected


def test_damaged_state_is_named_with_its_copy(world: World) -> None:
    write_state(world.stack, "{")
    state = world.stack.state
    [found] = health_checks.examine(world.stack, True)
    assert found.what == refusal(read_latest, world.stack)
    assert found.command == f"cp {state}.bak {state} && {UP}"
