"""A stack for doctor to examine: healthy, or with a fault that was planted."""

import dataclasses
import functools
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

from docker.errors import NotFound
from docker.models.containers import ExecResult

from infra.errors import UserError
from infra.naming import CONTAINER, IMAGE, NETWORK, VOLUME
from infra.preflight import Room
from infra.x509 import make_authority, make_certificate
from operations import health_checks
from operations.doctor import Finding
from operations.stack import Stack
from tests.unit.operations.conftest import archive, fake_container, write_state
from tests.unit.operations.test_interruption import write_lock
from toolchain.setup.atomic import write_file

HERE = socket.gethostname()
PLACE = {"HostIp": "127.0.0.1", "HostPort": "20311"}
ROLES = ("app", "backups", "migrations", "nginx", "postgres", "prometheus")


@functools.cache
def certificate(days: int) -> str:
    """One that is valid for so long from now on."""
    return make_certificate(make_authority("prod", ["a.example"]), ["a.example"], days).certificate


def answer_to(word: str, code: int, output: bytes, otherwise: Any = None) -> Any:
    """Runs a command that has this word; any other as `otherwise` does, or well and silently."""

    def run(command: list[str]) -> ExecResult:
        if word in " ".join(command):
            return ExecResult(code, output)
        return otherwise(command) if otherwise else ExecResult(0, b"")

    return run


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
    made.attrs["Config"]["Healthcheck"] = {"Test": ["CMD", "healthcheck"], "Timeout": 10**9}
    made.attrs["NetworkSettings"] = {"Ports": {"8000/tcp": [PLACE]}}
    made.labels["devportal.spec"] = f"spec-{role}"
    made.exec_run.side_effect = answer_to("prometheus_rule_group_rules", 0, b"{} => 13 @[1]\n")
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
        return list(health_checks.examine(self.stack, can_reach_engine))


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
    world.client.api.exec_inspect.return_value = {"Running": False, "ExitCode": 1}


def start_on_empty_volume(world: World) -> None:
    world.state("postgres", Status="exited", ExitCode=1)
    world.containers["postgres"].logs.return_value = b"postgres: (got an empty volume). Bring it"


def replace_by_hand(world: World) -> None:
    world.containers["app"].id = "id-other"
    world.containers["app"].labels["devportal.spec"] = "spec-other"


SHORT_CERTIFICATE = certificate(59)
"""Created once: findings name its last day, and a run may cross midnight."""


def serve_certificate(world: World) -> None:
    world.containers["nginx"].get_archive.return_value = archive(SHORT_CERTIFICATE)


def give_name_to_another_image(world: World) -> None:
    image = {"name": "devportal-prod-app:1", "imageId": "id-own", "build": {"context": "."}}
    world.latest["resources"].append(resource(IMAGE, "app-image", "id-image", **image))
    world.client.images.get.return_value.id = "id-other"


def in_container(role: str, word: str, code: int, output: bytes) -> Callable[[World], object]:
    """What one of the commands that are run in a container gives; the others go on as before."""

    def plant(world: World) -> None:
        run = world.containers[role].exec_run
        run.side_effect = answer_to(word, code, output, run.side_effect)

    return plant


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
