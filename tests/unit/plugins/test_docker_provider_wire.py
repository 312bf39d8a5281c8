"""The provider on the wire, whatever the resource."""

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from plugins.docker.connection_settings import ConnectionSettings
from plugins.docker.errors import ResourceError
from plugins.docker.provider import Connection, Provider
from plugins.docker.servicer import DockerServicer
from plugins.docker.values import UNKNOWN, decode
from tests.support.container_engine import IMAGE, ContainerEngine
from tests.support.provider_client import (
    CONTAINER,
    NETWORK,
    VOLUME,
    KeptLog,
    ProviderClient,
    message_of,
    served,
    urn,
    wire,
)

SILENT = "docker engine at unix:///x: should answer (got: refused). Start it."


def refuse(settings: ConnectionSettings) -> Connection:
    raise ResourceError(SILENT)


def test_plugin_says_the_version_it_stands_in_for(client: ProviderClient) -> None:
    assert client.stub.GetPluginInfo(empty_pb2.Empty()).version == "5.2.0"


def test_handshake_takes_secrets_and_autonaming(client: ProviderClient) -> None:
    answer = client.stub.Handshake(provider_pb2.ProviderHandshakeRequest())
    assert answer.accept_secrets
    assert answer.supports_autonaming_configuration


def test_schema_is_given(client: ProviderClient) -> None:
    assert CONTAINER in client.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema


def test_silent_engine_stops_everything_at_the_beginning() -> None:
    with served(DockerServicer(Provider(KeptLog(), connect=refuse))) as client:
        with pytest.raises(grpc.RpcError) as caught:
            client.configure()
        assert message_of(caught.value) == SILENT


def test_unknown_setting_of_the_provider_is_named(client: ProviderClient) -> None:
    request = provider_pb2.CheckRequest(urn="x", news=wire({"hots": "unix:///x"}))
    failures = client.stub.CheckConfig(request).failures
    assert [(failure.property, failure.reason) for failure in failures] == [
        ("hots", "is not a setting of the docker provider. Did you mean host?")
    ]


def test_setting_that_is_not_known_yet_passes(client: ProviderClient) -> None:
    request = provider_pb2.CheckRequest(urn="x", news=wire({"host": UNKNOWN}))
    assert list(client.stub.CheckConfig(request).failures) == []


def test_other_settings_replace_no_resource(client: ProviderClient) -> None:
    answer = client.stub.DiffConfig(
        provider_pb2.DiffRequest(olds=wire({"host": "a"}), news=wire({"host": "b"}))
    )
    assert list(answer.diffs) == ["host"]
    assert list(answer.replaces) == []


@pytest.mark.parametrize("name", ["Service", "Secret", "ServiceConfig", "Plugin", "BuildxBuilder"])
def test_resource_of_the_official_provider_alone_is_refused(
    client: ProviderClient, name: str
) -> None:
    token = f"docker:index/{name[0].lower()}{name[1:]}:{name}"
    with pytest.raises(grpc.RpcError) as caught:
        client.check(token, "x", {})
    assert message_of(caught.value) == (
        f"{token}: is not supported by this provider "
        "(it has Container, Image, Network, RegistryImage, RemoteImage, Tag, Volume). "
        "Use the official docker provider for it."
    )


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (NETWORK, {"labels": UNKNOWN}),
        (VOLUME, {"driverOpts": {"device": UNKNOWN}}),
        (CONTAINER, {"image": UNKNOWN, "networksAdvanced": [{"name": UNKNOWN}]}),
    ],
)
def test_preview_with_unknown_inputs_touches_nothing(
    client: ProviderClient, engine: ContainerEngine, token: str, inputs: dict[str, object]
) -> None:
    outputs = client.preview(token, "x", inputs).values
    assert engine.calls == []
    assert {key: outputs[key] for key in inputs} == inputs


def test_preview_of_an_update_keeps_what_the_engine_made(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    program = {"image": IMAGE, "ports": [{"internal": 80}]}
    made = client.create(CONTAINER, "web", program)
    engine.calls.clear()
    checked = client.check(CONTAINER, "web", {**program, "memory": 64}, old=made.inputs)
    answer = client.stub.Update(
        provider_pb2.UpdateRequest(
            id=made.id,
            urn=urn(CONTAINER, "web"),
            olds=made.outputs,
            old_inputs=made.inputs,
            news=checked.inputs,
            preview=True,
        )
    )
    outputs = decode(answer.properties).values
    assert engine.calls == []
    assert outputs["memory"] == 64
    assert outputs["ports"] == made.state["ports"]
    assert outputs["networkDatas"] == made.state["networkDatas"]


def test_secret_inputs_stay_secret_through_check_create_and_read(client: ProviderClient) -> None:
    labels = [{"label": "token", "value": "hidden"}]
    made = client.create(NETWORK, "net", {"labels": labels}, secrets=("labels",))
    found = client.read(made)
    for struct in (made.inputs, made.outputs, found.inputs, found.outputs):
        assert decode(struct).secret_names == {"labels"}


def test_mistake_in_a_secret_input_does_not_make_pulumi_print_its_value(
    client: ProviderClient,
) -> None:
    inputs = {"image": IMAGE, "restart": "hidden", "memory": -1, "waitTimeout": -12345}
    checked = client.check(CONTAINER, "web", inputs, secrets=("restart", "waitTimeout"))
    assert [(failure.property, failure.reason) for failure in checked.failures] == [
        ("", "restart: should be one of no, on-failure, always, unless-stopped"),
        ("memory", "should not be negative (got -1)"),
        ("", "waitTimeout: should not be negative (got [secret])"),
    ]


def test_unexpected_error_is_told_without_a_traceback_or_a_secret(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    def fail(config: dict[str, object]) -> str:
        raise LookupError("no entry for hidden-value")

    engine.create_network = fail
    with pytest.raises(grpc.RpcError) as caught:
        client.create(NETWORK, "net", {"options": {"k": "hidden-value"}}, secrets=("options",))
    message = message_of(caught.value)
    assert message.startswith(
        "docker provider: internal error LookupError: no entry for [secret] (test_"
    )
    assert "Traceback" not in message


def test_name_proposed_by_pulumis_setting_is_taken(client: ProviderClient) -> None:
    naming = provider_pb2.CheckRequest.AutonamingOptions(
        proposed_name="shop-dev-net", mode=provider_pb2.CheckRequest.AutonamingOptions.ENFORCE
    )
    checked = client.check(NETWORK, "net", {}, autonaming=naming)
    assert decode(checked.inputs).values["name"] == "shop-dev-net"


def test_function_with_a_mistyped_argument_is_refused(client: ProviderClient) -> None:
    token = "docker:index/getNetwork:getNetwork"
    answer = client.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=wire({"nam": "x"})))
    assert [failure.property for failure in answer.failures] == ["nam", "name"]


def test_function_that_does_not_exist_is_told(client: ProviderClient) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.stub.Invoke(provider_pb2.InvokeRequest(tok="docker:index/getX:getX"))
    assert message_of(caught.value) == "docker:index/getX:getX: is not a function of this provider"
