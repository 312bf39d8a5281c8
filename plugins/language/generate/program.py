"""The GenerateProgram call."""

import json
from typing import TYPE_CHECKING, Any

import grpc

from plugins.language.bare_sdk import bare_sdk
from plugins.language.generate.packages import PythonPackage, read_package
from plugins.language.generate.pcl import Block, parse
from plugins.language.generate.python import package_name, write_program
from plugins.language.protocol import language_pb2

with bare_sdk():
    from pulumi.runtime.proto.codegen import loader_pb2

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2 import (
        GenerateProgramRequest,
        GenerateProgramResponse,
    )

_GET_SCHEMA = "/codegen.Loader/GetSchema"
_UNLIMITED = ("grpc.max_receive_message_length", -1)


def generate_program(request: "GenerateProgramRequest") -> "GenerateProgramResponse":
    """Write one Python file for the resources of all given files.

    Raises
    ------
    LanguageError
        If the files hold more than resources as `pulumi import` writes them.
    """
    blocks = [block for _, source in sorted(request.source.items()) for block in parse(source)]
    resources = [block for block in blocks if block.kind == "resource"]
    named = {block.labels[0]: block for block in blocks if block.kind == "package"}
    with grpc.insecure_channel(request.loader_target, [_UNLIMITED]) as channel:
        packages = {
            name: _package(channel, name, named.get(name))
            for name in {package_name(block.labels[1]) for block in resources}
        }
    source = write_program(resources, packages)
    return language_pb2.GenerateProgramResponse(source={"__main__.py": source.encode()})


def _package(channel: grpc.Channel, name: str, block: Block | None) -> PythonPackage:
    return read_package(name, _schema(channel, name, block))


def _schema(channel: grpc.Channel, name: str, block: Block | None) -> dict[str, Any]:
    attributes = block.attributes if block else {}
    request = loader_pb2.GetSchemaRequest(
        package=str(attributes.get("baseProviderName") or name),
        version=str(attributes.get("baseProviderVersion") or ""),
    )
    get_schema = channel.unary_unary(
        _GET_SCHEMA,
        request_serializer=loader_pb2.GetSchemaRequest.SerializeToString,
        response_deserializer=loader_pb2.GetSchemaResponse.FromString,
    )
    try:
        return json.loads(get_schema(request).schema)
    except grpc.RpcError:
        # Without a schema, names are as most packages have them.
        return {}
