"""Pulumi mocks that record every resource a program registers."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import mocks

from infra.stack import DevportalStack
from infra.settings import Settings

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/image:Image"


@dataclass
class Registered:
    """One resource as the program asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]


@dataclass
class Recorder(mocks.Mocks):
    """Answers as an engine would, and remembers what was asked of it."""

    resources: list[Registered] = field(default_factory=list)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = dict(args.inputs)
        self.resources.append(Registered(args.typ, args.name, inputs))
        return f"{args.name}-id", {**inputs, **_computed(args.typ, inputs)}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        raise AssertionError(f"the program called {args.token}")

    def of_type(self, type_: str) -> dict[str, dict[str, Any]]:
        """Inputs by logical name of every resource of one type."""
        return {r.name: r.inputs for r in self.resources if r.type == type_}


def _computed(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    if type_ == IMAGE:
        digest = hashlib.sha256(inputs["imageName"].encode()).hexdigest()
        return {"repoDigest": f"sha256:{digest}"}
    if type_.endswith("GeneratedSecret"):
        return {"value": "generated-secret"}
    if type_.endswith("VolumeFiles"):
        return {"revision": "revision-1"}
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


def record_portal(settings: Settings) -> Recorder:
    """Everything `DevportalStack` registers for `settings`."""
    recorder = Recorder()
    # Pulumi asks for the thread's loop; a test that ran `asyncio.run` has left none.
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(recorder, project="devportal", stack=settings.stack)

    @pulumi.runtime.test
    def program() -> None:
        DevportalStack("portal", settings)

    program()
    return recorder
