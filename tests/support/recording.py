"""Pulumi mocks that record every resource a program registers."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import yaml
from pulumi.runtime import mocks

from infra.cluster.stack import SwarmStack
from infra.engine.address import EngineAddress
from infra.engine.client import EngineVersion
from infra.naming import CONTAINER
from infra.settings import (
    ClusterMode,
    ClusterSettings,
    MonitoringSettings,
    PortSettings,
    Settings,
)
from infra.stack import DevportalStack

IMAGE = "docker:index/remoteImage:RemoteImage"
READINESS = "pulumi-python:dynamic/devportal:Readiness"
FILES = "pulumi-python:dynamic/devportal:VolumeFiles"
ENGINE = EngineAddress("unix:///var/run/docker.sock")
VERSION = EngineVersion("linux/amd64", has_start_interval=False)
_ROOT = Path(__file__).parents[2]


@dataclass
class Registered:
    """One resource as the program asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    provider: str
    protect: bool = False
    urn: str = ""
    error_hooks: Sequence[str] = ()


@dataclass
class Recorder(mocks.Mocks):
    """Answers as an engine would, and remembers what the program registered.

    Parameters
    ----------
    outputs
        What the stack would export.
    """

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    _dependencies: dict[str, list[str]] = field(default_factory=dict)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = dict(args.inputs)
        self.resources.append(Registered(args.typ, args.name, inputs, args.provider or ""))
        return f"{args.name}-id", {**inputs, **_computed(args.typ, inputs)}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        raise AssertionError(f"the program called {args.token}")

    def of_type(self, type_: str) -> dict[str, dict[str, Any]]:
        """Inputs by logical name of every resource of one type."""
        return {r.name: r.inputs for r in self.resources if r.type == type_}

    def note_request(self, urn: str, request: Any) -> None:
        """Remember what Pulumi was told to create first, and what to protect."""
        self._dependencies[urn] = list(request.dependencies)
        for resource in self.resources:
            if (resource.type, resource.name) == (request.type, request.name):
                resource.protect, resource.urn = request.protect, urn
                resource.error_hooks = list(request.hooks.on_error)

    def before(self, type_: str, name: str) -> set[tuple[str, str]]:
        """Type and logical name of everything that is created before one resource."""
        [start] = [urn for urn in self._dependencies if _identify(urn) == (type_, name)]
        found: set[str] = set()
        waiting = [start]
        while waiting:
            waiting += [urn for urn in self._dependencies[waiting.pop()] if urn not in found]
            found.update(waiting)
        return {_identify(urn) for urn in found}


def labels_of(inputs: dict[str, Any]) -> dict[str, str]:
    return {entry["label"]: entry["value"] for entry in inputs["labels"]}


def published(recorder: Recorder) -> dict[str, list[tuple[str, int, int, str]]]:
    """Address, port of the host, port of the container and protocol, by container."""
    return {
        name: [(p["ip"], p["external"], p["internal"], p["protocol"]) for p in container["ports"]]
        for name, container in recorder.of_type(CONTAINER).items()
        if container.get("ports")
    }


class _Monitor(mocks.MockMonitor):
    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if isinstance(self.mocks, Recorder):
            self.mocks.note_request(response.urn, request)
        return response


def _identify(urn: str) -> tuple[str, str]:
    types, name = urn.split("::")[2:]
    return types.rpartition("$")[2], name


def _computed(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    if type_ == IMAGE:
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        return {"imageId": f"sha256:{digest}"}
    if type_.endswith("GeneratedSecret"):
        return {"value": "generated-secret"}
    if type_.endswith("VolumeFiles"):
        return {"revision": "revision-1"}
    if type_.endswith("GeneratedCertificate"):
        return {"certificate": "certificate", "authority": "authority", "key": "PRIVATE KEY"}
    if type_.endswith("PushedImage"):
        return {"reference": f"{inputs['repository']}@{inputs['image']}"}
    if type_.endswith("RegistryLogin"):
        return {"revision": "revision-1"}
    if type_.endswith("HostPort"):
        return {"port": 20001}
    return {}


@contextmanager
def configuration(values: dict[str, Any]) -> Iterator[None]:
    """Stack configuration as the language host hands it over: everything is text."""
    texts = {
        f"devportal:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
    pulumi.runtime.set_all_config(texts, [])
    with mock.patch.dict("os.environ", {}, clear=False) as environment:
        environment.pop("PULUMI_CONFIG", None)
        yield


def load_settings(stack_name: str = "dev", **values: Any) -> Settings:
    """Settings of a stack whose configuration is `values`."""
    with configuration(values):
        return Settings.load(pulumi.Config("devportal"), stack_name)


def load_stack_file(stack_name: str) -> Settings:
    """Settings of a stack by the file of the repository, `Pulumi.<stack>.yaml`."""
    config = yaml.safe_load((_ROOT / f"Pulumi.{stack_name}.yaml").read_text())["config"]
    own = {key.partition(":")[2]: value for key, value in config.items() if "devportal:" in key}
    return load_settings(stack_name, **own)


def watched(stack_name: str = "prod") -> Settings:
    """The same with monitoring."""
    monitoring = MonitoringSettings(enabled=True)
    return load_stack_file(stack_name).model_copy(update={"monitoring": monitoring})


def clustered(**more: Any) -> Settings:
    """Production on a swarm; `more` is about its registry."""
    registry = "registry.example.com/hub"
    cluster = ClusterSettings(mode=ClusterMode.SWARM, registry=registry, **more)
    ports = PortSettings(bind_address="0.0.0.0")
    return load_stack_file("prod").model_copy(update={"cluster": cluster, "ports": ports})


def record(program: Callable[[], Any], stack: str = "dev") -> Recorder:
    """Everything that a program registers."""
    recorder = Recorder()
    # Pulumi asks for the thread's loop; a test that ran `asyncio.run` has left none.
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(recorder, project="devportal", stack=stack, monitor=_Monitor(recorder))
    pulumi.runtime.test(program)()
    return recorder


def record_portal(settings: Settings, volumes: Collection[str] = ()) -> Recorder:
    """Everything that the stack of `settings` registers, on an engine that has these volumes."""
    outputs: dict[str, Any] = {}
    is_swarm = settings.cluster.mode is ClusterMode.SWARM
    stack_type = SwarmStack if is_swarm else DevportalStack

    def program() -> pulumi.Output[None]:
        stack = stack_type("portal", settings, ENGINE)
        return pulumi.Output.all(**stack.outputs).apply(outputs.update)

    with (
        mock.patch(f"{stack_type.__module__}.ask_version", return_value=VERSION),
        mock.patch("infra.resources.volume.has_volume", lambda _, name: name in volumes),
    ):
        recorder = record(program, settings.stack)
    recorder.outputs = outputs
    return recorder
