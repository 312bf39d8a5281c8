"""What doctor finds of a stack: each fault with its command, and nothing where all is well."""

import dataclasses
import datetime
import errno
import functools
import io
import json
import os
import socket
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import NotFound
from docker.models.containers import ExecResult

from infra.errors import UserError
from infra.naming import CONTAINER, NETWORK, VOLUME
from infra.preflight import Room
from infra.x509 import make_authority, make_certificate
from operations import containers, drift_checks, health_checks
from operations.doctor import Finding
from operations.stack import Stack
from tests.unit.operations.conftest import MakeStack, fake_container, write_state
from tests.unit.operations.test_interruption import DEAD_PID, write_lock
from toolchain.setup.atomic import write_file

HERE = socket.gethostname()
UP = "make up STACK=prod"
PLACE = {"HostIp": "127.0.0.1", "HostPort": "20311"}
ROLES = ("app", "backups", "migrations", "nginx", "postgres")
GIVEN = "pulumi config set --stack prod --secret --path devportal:secrets.tls_"


@functools.cache
def certificate(days: int) -> str:
    """One that is valid for so long from now on."""
    return make_certificate(make_authority("prod", ["a.example"]), ["a.example"], days).certificate


def archive(text: str) -> Any:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("server.crt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return [buffer.getvalue()], {}


def container(role: str) -> MagicMock:
    """As the state describes it, running and healthy; a job has ended well."""
    is_job = role == "migrations"
    made = fake_container(
        f"devportal-prod-{role}",
        role,
        health=None if is_job else "healthy",
        status="exited" if is_job else "running",
    )
    made.attrs["State"]["ExitCode"] = 0
    limits = {"Memory": 512 << 20, "NanoCpus": 10**9, "RestartPolicy": {"Name": "always"}}
    made.attrs["HostConfig"] |= limits
    made.attrs["Config"]["Healthcheck"] = {"Test": ["CMD", "healthcheck"]}
    made.attrs["NetworkSettings"] = {"Ports": {"8000/tcp": [PLACE]}}
    made.labels["devportal.spec"] = f"spec-{role}"
    made.exec_run.return_value = ExecResult(0, b"")
    made.logs.return_value = b"first\nlast words\n"
    made.get_archive.return_value = archive(certificate(300))
    return made


def resource(kind: str, role: str, id_: str, /, **outputs: Any) -> dict[str, Any]:
    return {"urn": f"urn::{role}", "type": kind, "id": id_, "outputs": outputs}


def resources(role: str) -> list[dict[str, Any]]:
    """A container and its readiness in the state."""
    name = f"devportal-prod-{role}"
    limits = {"memory": 512, "cpus": "1.0", "restart": "always"}
    labels = [{"label": "devportal.spec", "value": f"spec-{role}"}]
    ready = {
        "container": f"id-{name}",
        "container_name": name,
        "goal": "finished" if role == "migrations" else "healthy",
        "pids_limit": 256.0,
        "ports": {"8000/tcp": "127.0.0.1:20311"} if role == "app" else {},
        "wait_seconds": 1,
        "stop_seconds": 1,
    }
    made = resource(CONTAINER, role, f"id-{name}", name=name, labels=labels, **limits)
    readiness = "pulumi-python:dynamic/devportal:Readiness"
    return [made, resource(readiness, f"{role}-readiness", name, **ready)]


@dataclass
class World:
    """A production stack that is up and healthy."""

    stack: Stack
    client: MagicMock = field(default_factory=MagicMock)
    containers: dict[str, Any] = field(default_factory=lambda: {r: container(r) for r in ROLES})
    room: Room = field(default_factory=lambda: Room([], []))
    latest: dict[str, Any] = field(default_factory=dict)
    engine_error: UserError | None = None

    def __post_init__(self) -> None:
        data = "devportal-prod-postgres-data"
        self.latest["resources"] = [
            *(item for role in ROLES for item in resources(role)),
            resource(VOLUME, "postgres-data", data),
            resource(NETWORK, "network", "id-net", name="devportal-net"),
            resource("pulumi-python:dynamic/devportal:DataGuard", "guard", data, retain=True),
        ]
        volume = MagicMock()
        volume.name = data
        self.client.volumes.list.return_value = [volume]
        self.client.volumes.get.side_effect = NotFound("deploy-lock")
        self.client.networks.list.return_value = [MagicMock(id="id-net")]
        self.publish("devportal-prod-app")

    def publish(self, *holders: str) -> None:
        """Give the portal's port to these containers."""
        port = {"IP": "127.0.0.1", "PublicPort": 20311, "Type": "tcp"}
        self.client.api.containers.return_value = [
            {"Names": [f"/{name}"], "Labels": {}, "Ports": [port]} for name in holders
        ]

    def get(self, id_: str) -> Any:
        for found in self.containers.values():
            if found.id == id_:
                return found
        raise NotFound(id_)

    def state(self, role: str, **changes: Any) -> None:
        """Let the engine say something else of a container."""
        self.containers[role].attrs["State"].update(changes)
        self.containers[role].status = self.containers[role].attrs["State"]["Status"]

    def examine(self, *, can_reach_engine: bool = True) -> list[Finding]:
        write_state(self.stack, json.dumps({"checkpoint": {"latest": self.latest}}))
        self.client.containers.get = self.get
        self.client.containers.list.return_value = list(self.containers.values())
        return list(health_checks.examine(self.stack).find(can_reach_engine))


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
    assert health_checks.examine(world.stack).subject == "stack prod"


def lock_by_hand(world: World) -> None:
    told = {"holder": "ada on here", "since": "noon", "reason": "a move"}
    labels = {f"devportal.lock.{name}": text for name, text in told.items()}
    world.client.volumes.get.side_effect = None
    world.client.volumes.get.return_value.attrs = {"Labels": labels}


def break_settings(world: World) -> None:
    write_file(world.stack.file, world.stack.file.read_text().replace("cpus: 0.5", "cpus: no"))


def forget_passphrase(world: World) -> None:
    known = world.stack.environ
    kept = {name: known[name] for name in known if name != "PULUMI_CONFIG_PASSPHRASE"}
    world.stack = dataclasses.replace(world.stack, environ=kept)


def leave_operation(world: World) -> None:
    item = {"resource": {"urn": "urn::redis"}, "type": "creating"}
    world.latest["pending_operations"] = [item]


def fail_check(world: World) -> None:
    log = [{"Output": "first\nno answer\n"}]
    world.state("app", Health={"Status": "unhealthy", "Log": log})
    world.containers["app"].exec_run.return_value = ExecResult(1, b"")


def lose_volume(world: World) -> None:
    world.client.volumes.list.return_value = []


def lose_network(world: World) -> None:
    world.client.networks.list.return_value = []


def start_on_empty_volume(world: World) -> None:
    world.state("postgres", Status="exited", ExitCode=1)
    world.containers["postgres"].logs.return_value = b"postgres: (got an empty volume). Bring it"


def replace_by_hand(world: World) -> None:
    world.containers["app"].id = "id-other"
    world.containers["app"].labels["devportal.spec"] = "spec-other"


def serve_certificate(world: World) -> None:
    world.containers["nginx"].get_archive.return_value = archive(certificate(59))


def add_stranger(world: World) -> None:
    world.containers["redis"] = container("redis")


def in_container(role: str, code: int, output: bytes) -> Callable[[World], object]:
    def answer(world: World) -> None:
        world.containers[role].exec_run.return_value = ExecResult(code, output)

    return answer


def limit(**changes: Any) -> Callable[[World], object]:
    return lambda world: world.containers["app"].attrs["HostConfig"].update(changes)


def status(status: str, **changes: Any) -> Callable[[World], object]:
    return lambda world: world.state("app", Status=status, **changes)


def lock(**holder: Any) -> Callable[[World], object]:
    return lambda world: write_lock(world.stack, **holder)


def warn(text: str) -> Callable[[World], object]:
    return lambda world: world.room.warnings.append(text)


def no_engine(world: World) -> None:
    world.engine_error = UserError("Docker engine: should answer.")


SET = "pulumi config set --stack prod --path devportal:"
BEGIN_EMPTY = f"{SET}postgres.fresh_start TODAY && {UP}"
APP, REDIS, SERVER = (f"container 'devportal-prod-{role}'" for role in ("app", "redis", "postgres"))
SICK = f"{APP}: should be healthy"
DEAD = f"process {DEAD_PID} of ada on"
END = f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=59):%Y-%m-%d}"
FAULTS: list[tuple[Callable[[World], Any], str, str]] = [
    (
        break_settings,
        "devportal:redis.cpus: should be a number from 0.1 to 64 (got 'no'). Correct it in "
        "Pulumi.prod.yaml.",
        f"${{EDITOR:-vi}} Pulumi.prod.yaml && {UP}",
    ),
    (
        forget_passphrase,
        "stack prod: production should have a passphrase of its own (got none). Write one into "
        ".secrets/prod.passphrase, or set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE, and run this again.",
        "(umask 077 && mkdir -p .secrets && cat > .secrets/prod.passphrase)",
    ),
    (
        lock(),
        f"stack prod: no lock should be left (got one of {DEAD} {HERE}, which ended).",
        UP,
    ),
    (
        lock(hostname="elsewhere"),
        f"stack prod: no other run should hold it (got {DEAD} elsewhere).",
        "pulumi cancel --stack prod",
    ),
    (
        lock_by_hand,
        "stack prod: should not be locked (got a lock by ada on here since noon: a move). Ask, or "
        "run `make unlock STACK=prod`.",
        "make unlock STACK=prod",
    ),
    (leave_operation, "stack prod: no operation should be unfinished (got creating redis).", UP),
    (no_engine, "stack prod: Docker engine: should answer.", UP),
    (
        lambda world: world.room.mistakes.append("devportal:ports.https: should be free"),
        "devportal:ports.https: should be free",
        f"{SET}ports.https 0 && {UP}",
    ),
    (warn("memory: should suffice"), "memory: should suffice", f"{SET}app.memory_mb VALUE && {UP}"),
    (warn("disk: should have"), "disk: should have", "docker image prune"),
    (status("exited", ExitCode=9), f"{SICK} (got: exited with code 9). It says: last words", UP),
    (status("paused"), f"{SICK} (got: paused).", UP),
    (status("restarting"), f"{SICK} (got: restarting). It says: last words", UP),
    (fail_check, f"{SICK} (got: unhealthy). It says: no answer", UP),
    (limit(PidsLimit=9), f"{SICK} (got: limited to 9 processes). It says: last words", UP),
    (limit(Memory=400 << 20), f"{APP}: memory should be 512 (got 400).", UP),
    (limit(NanoCpus=10**8), f"{APP}: cpus should be 1.0 (got 0.1).", UP),
    (limit(RestartPolicy={"Name": "no"}), f"{APP}: restart should be always (got no).", UP),
    (
        lambda world: world.containers.pop("app"),
        f"{APP}, specification spec-app: should exist (got none).",
        UP,
    ),
    (
        replace_by_hand,
        f"{APP}, specification spec-app: should exist (got one of specification spec-other).",
        f"docker rm --force --volumes devportal-prod-app && {UP}",
    ),
    (
        add_stranger,
        f"{REDIS}: should be in the stack's state (got: it is not).",
        "docker rm --force --volumes devportal-prod-redis",
    ),
    (lose_volume, "volume 'devportal-prod-postgres-data': should exist (got none).", BEGIN_EMPTY),
    (lose_network, "network 'devportal-net': should exist (got none of its id).", UP),
    (
        start_on_empty_volume,
        f"{SERVER}: should be healthy (got: exited with code 1). It says: postgres: (got an empty "
        "volume). Bring it",
        BEGIN_EMPTY,
    ),
    (
        in_container("postgres", 0, b"devportal_user\ndevportal_backup\n"),
        f"{SERVER}: its data should have the passwords of the stack (got others for "
        "devportal_user, devportal_backup).",
        "make restart ROLE=postgres STACK=prod",
    ),
    (
        in_container("backups", 1, b"backups: a backup should be taken every 9 s\n"),
        "backups: a backup should be taken every 9 s",
        "make backup STACK=prod",
    ),
    (
        serve_certificate,
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
    found = list(health_checks.check_certificate(world.stack, proxy, is_provided=True))
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
    typo = health_checks.examine(make_stack("typo"))
    world.client.containers.list.return_value = [container("app")]
    assert (typo.subject, list(typo.find(True))) == (
        "stack typo, which is not there yet",
        [],
    )
    world.engine_error = UserError("Docker engine: should answer.")
    assert list(typo.find(True)) == []


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
    environ = {**world.stack.environ, "PULUMI_BACKEND_URL": "s3://states"}
    write_file(world.stack.root / "ends", answer + "\n")
    elsewhere = Stack("prod", environ, world.stack.root)
    found = health_checks.examine(elsewhere).find(True)
    assert [finding.what for finding in found] == expected


def test_damaged_state_is_named_with_its_copy(world: World) -> None:
    write_state(world.stack, "{")
    state = world.stack.state
    [found] = health_checks.examine(world.stack).find(True)
    assert found.what == (
        f"{state}: should be the JSON that Pulumi has written (got: Expecting property name "
        "enclosed in double quotes: line 1 column 2 (char 1))."
    )
    assert found.command == f"cp {state}.bak {state} && {UP}"
