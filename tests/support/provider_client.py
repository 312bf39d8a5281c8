"""Speaks to the docker provider as Pulumi's engine does: over gRPC, in the wire's own values."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from plugins.docker.values import Decoded, decode, encode

ROOT = Path(__file__).parents[2]
CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"


@dataclass
class KeptLog:
    """Lines the provider sent to the user."""

    lines: list[str] = field(default_factory=list)

    def status(self, urn: str, text: str) -> None:
        self.lines.append(text)

    def info(self, urn: str, text: str) -> None:
        self.lines.append(text)

    def warning(self, urn: str, text: str) -> None:
        self.lines.append(f"warning: {text}")


@dataclass(frozen=True)
class Object:
    """A resource as Pulumi's state would hold it."""

    token: str
    name: str
    id: str
    inputs: struct_pb2.Struct
    outputs: struct_pb2.Struct

    @property
    def state(self) -> dict[str, Any]:
        return decode(self.outputs).values


class InitFailedError(Exception):
    """A resource that exists, but is not as it should be."""

    def __init__(self, reasons: list[str], left: Object) -> None:
        super().__init__("; ".join(reasons))
        self.left = left


class ProviderClient:
    """The calls of one provider, plain values in and out; errors come as grpc.RpcError."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self.stub: Any = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def configure(self, **settings: Any) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=wire(settings), acceptSecrets=True))

    def check(
        self,
        token: str,
        name: str,
        inputs: dict[str, Any],
        *,
        secrets: tuple[str, ...] = (),
        old: struct_pb2.Struct | None = None,
        **more: Any,
    ) -> Any:
        """The CheckResponse."""
        news = wire(inputs, *secrets)
        request = provider_pb2.CheckRequest(urn=urn(token, name), news=news, olds=old, **more)
        return self.stub.Check(request)

    def create(
        self, token: str, name: str, inputs: dict[str, Any], *, secrets: tuple[str, ...] = ()
    ) -> Object:
        """Check and create; a failed check is an AssertionError."""
        checked = self.check(token, name, inputs, secrets=secrets)
        assert not checked.failures, checked.failures
        return self.create_checked(token, name, checked.inputs)

    def create_checked(self, token: str, name: str, inputs: struct_pb2.Struct) -> Object:
        request = provider_pb2.CreateRequest(urn=urn(token, name), properties=inputs)
        try:
            answer = self.stub.Create(request)
        except grpc.RpcError as error:
            raise _init_failed(error, token, name, inputs) from error
        return Object(token, name, answer.id, inputs, answer.properties)

    def preview(self, token: str, name: str, inputs: dict[str, Any]) -> Decoded:
        """Outputs of a create that is only previewed."""
        checked = self.check(token, name, inputs)
        request = provider_pb2.CreateRequest(
            urn=urn(token, name), properties=checked.inputs, preview=True
        )
        return decode(self.stub.Create(request).properties)

    def diff(self, old: Object, inputs: dict[str, Any], *, secrets: tuple[str, ...] = ()) -> Any:
        """The DiffResponse for new inputs of the program."""
        checked = self.check(old.token, old.name, inputs, secrets=secrets, old=old.inputs)
        assert not checked.failures, checked.failures
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id=old.id,
                urn=urn(old.token, old.name),
                olds=old.outputs,
                old_inputs=old.inputs,
                news=checked.inputs,
            )
        )

    def update(self, old: Object, inputs: dict[str, Any]) -> Object:
        """Check and update in place."""
        checked = self.check(old.token, old.name, inputs, old=old.inputs)
        request = provider_pb2.UpdateRequest(
            id=old.id,
            urn=urn(old.token, old.name),
            olds=old.outputs,
            old_inputs=old.inputs,
            news=checked.inputs,
        )
        try:
            answer = self.stub.Update(request)
        except grpc.RpcError as error:
            raise _init_failed(error, old.token, old.name, checked.inputs) from error
        return Object(old.token, old.name, old.id, checked.inputs, answer.properties)

    def read(self, old: Object) -> Object:
        """Refresh; the id is empty if the resource has gone."""
        request = provider_pb2.ReadRequest(
            id=old.id, urn=urn(old.token, old.name), properties=old.outputs, inputs=old.inputs
        )
        answer = self.stub.Read(request)
        return Object(old.token, old.name, answer.id, answer.inputs, answer.properties)

    def import_(self, token: str, name: str, resource_id: str) -> Object:
        answer = self.stub.Read(provider_pb2.ReadRequest(id=resource_id, urn=urn(token, name)))
        return Object(token, name, answer.id, answer.inputs, answer.properties)

    def delete(self, old: Object) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=old.id, urn=urn(old.token, old.name), properties=old.outputs
            )
        )


def wire(values: dict[str, Any], *secrets: str) -> struct_pb2.Struct:
    """Values for the wire, the named ones secret."""
    return encode(values, frozenset(secrets))


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:test::shop::my:module:Part${token}::{name}"


def message_of(error: BaseException) -> str:
    """What Pulumi would show of a failed call."""
    return error.details() or "" if isinstance(error, grpc.RpcError) else str(error)


@contextlib.contextmanager
def served(servicer: Any) -> Iterator[ProviderClient]:
    """A client of a servicer in this process."""
    server = grpc.server(ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = ProviderClient(f"127.0.0.1:{port}")
    yield client
    client.close()
    server.stop(None).wait()


@contextlib.contextmanager
def provider_process(**environment: str) -> Iterator[tuple[ProviderClient, subprocess.Popen[str]]]:
    """A client of the provider as Pulumi starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "plugins.docker"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    client = ProviderClient(f"127.0.0.1:{process.stdout.readline().strip()}")
    try:
        yield client, process
    finally:
        client.close()
        process.terminate()
        process.wait()
        process.stdout.close()


def _init_failed(error: Any, token: str, name: str, inputs: struct_pb2.Struct) -> Exception:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            detail = provider_pb2.ErrorResourceInitFailed()
            if status.details[0].Unpack(detail):
                left = Object(token, name, detail.id, inputs, detail.properties)
                return InitFailedError(list(detail.reasons), left)
    return error
