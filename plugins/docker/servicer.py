"""The provider on the wire: one method per call of Pulumi's ResourceProvider service."""

from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from plugins.docker import messages
from plugins.docker.answering import Answering, answers
from plugins.docker.connection_settings import check_settings
from plugins.docker.provider import Provider
from plugins.docker.registry import find_resource
from plugins.docker.resource import (
    CheckRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    ReadRequest,
    UpdateRequest,
)
from plugins.docker.schema import schema_text
from plugins.docker.values import Decoded, decode, encode, has_unknown
from plugins.docker.version import VERSION

_HELD_BACK = frozenset({"__inputs"})


class DockerServicer(provider_pb2_grpc.ResourceProviderServicer, Answering):
    """Turns messages into plain requests for the handlers, and their results into messages."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @answers
    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Say what this provider can do."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    @answers
    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Say which version of the official plugin this one stands in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    @answers
    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Give the schema, for `pulumi import` and the like."""
        return provider_pb2.GetSchemaResponse(schema=schema_text())

    @answers
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Check the provider's own settings."""
        settings = decode(request.news)
        known = {key: item for key, item in settings.values.items() if not has_unknown(item)}
        failures = [messages.Failure(path, reason) for path, reason in check_settings(known)]
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=messages.failures_message(failures, settings),
        )

    @answers
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Other settings make another provider, but replace no resource."""
        old, new = decode(request.olds).values, decode(request.news).values
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if changed else response.DIFF_NONE, diffs=changed
        )

    @answers
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the settings and reach the engine."""
        settings = decode(request.args)
        with self.redacting(settings):
            if not has_unknown(settings.values):
                self._provider.configure(settings.values)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @answers
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer a function such as `get_network`."""
        from plugins.docker.invoke import invoke

        args = decode(request.args)
        with self.redacting(args):
            failures, result = invoke(self._provider, request.tok, args.values)
        answer: dict[str, Any] = {"failures": messages.failures_message(failures, args)}
        if not failures:
            answer["return"] = encode(result, frozenset())
        return provider_pb2.InvokeResponse(**answer)

    @answers
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Check a resource's inputs."""
        news = decode(request.news)
        olds = decode(request.olds).values if request.HasField("olds") else None
        resource = find_resource(_type_of(request.urn))
        with self.redacting(news):
            checked = resource.check(
                CheckRequest(
                    name=_name_of(request.urn),
                    old_inputs=olds,
                    inputs=news.values,
                    secret_paths=news.secret_paths,
                    autonaming=messages.autonaming_of(request),
                )
            )
        return provider_pb2.CheckResponse(
            inputs=encode(checked.inputs, news.secret_names | _HELD_BACK),
            failures=messages.failures_message(checked.failures, news),
        )

    @answers
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Compare what is with what is wanted."""
        resource = find_resource(_type_of(request.urn))
        return messages.diff_message(
            resource.diff(
                DiffRequest(
                    id=request.id,
                    state=decode(request.olds).values,
                    old_inputs=decode(request.old_inputs).values,
                    inputs=decode(request.news).values,
                )
            )
        )

    @answers
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Make a resource, or say what it will be like."""
        resource = find_resource(_type_of(request.urn))
        inputs = decode(request.properties)
        wanted = CreateRequest(inputs=inputs.values, timeout_seconds=request.timeout)
        with self.redacting(inputs):
            work = self._provider.context(request.urn, inputs.secret_texts)
            if request.preview:
                outputs = resource.preview_create(work, wanted)
                return provider_pb2.CreateResponse(properties=_outputs(outputs, inputs))
            made = resource.create(work, wanted)
        properties = _outputs(made.outputs, inputs, made.secret_outputs)
        return provider_pb2.CreateResponse(id=made.id, properties=properties)

    @answers
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Look a resource up, for refresh and import."""
        resource = find_resource(_type_of(request.urn))
        state, inputs = decode(request.properties), decode(request.inputs)
        with self.redacting(state, inputs):
            work = self._provider.context(request.urn, state.secret_texts + inputs.secret_texts)
            found = resource.read(
                work, ReadRequest(id=request.id, state=state.values, inputs=inputs.values)
            )
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.id,
            properties=_outputs(found.outputs, state, found.secret_outputs, inputs.secret_names),
            inputs=encode(found.inputs, inputs.secret_names | state.secret_names),
        )

    @answers
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Change a resource in place, or say what it will be like."""
        resource = find_resource(_type_of(request.urn))
        state, inputs = decode(request.olds), decode(request.news)
        wanted = UpdateRequest(
            id=request.id,
            state=state.values,
            old_inputs=decode(request.old_inputs).values,
            inputs=inputs.values,
            timeout_seconds=request.timeout,
        )
        with self.redacting(inputs, state):
            work = self._provider.context(request.urn, inputs.secret_texts + state.secret_texts)
            change = resource.preview_update if request.preview else resource.update
            outputs = change(work, wanted)
        return provider_pb2.UpdateResponse(properties=_outputs(outputs, inputs))

    @answers
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Remove a resource."""
        resource = find_resource(_type_of(request.urn))
        state = decode(request.properties)
        with self.redacting(state):
            resource.delete(
                self._provider.context(request.urn, state.secret_texts),
                DeleteRequest(id=request.id, state=state.values, timeout_seconds=request.timeout),
            )
        return empty_pb2.Empty()

    @answers
    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """End what is running: the user pressed Ctrl-C."""
        self._provider.cancel()
        return empty_pb2.Empty()

    @answers
    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Serve another engine; nothing here depends on which."""
        return empty_pb2.Empty()


def _outputs(
    outputs: dict[str, Any],
    source: Decoded,
    more_secrets: frozenset[str] = frozenset(),
    input_secrets: frozenset[str] = frozenset(),
) -> Any:
    return encode(outputs, source.secret_names | more_secrets | input_secrets | _HELD_BACK)


def _type_of(urn: str) -> str:
    """Type token in a URN, without the types of its parents."""
    return urn.split("::")[2].rpartition("$")[2]


def _name_of(urn: str) -> str:
    return urn.split("::", 3)[3]
