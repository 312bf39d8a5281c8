"""docker.Network on a fake engine."""

from typing import Any

import grpc
import pytest

from plugins.docker.engine import EngineError
from plugins.docker.registry import find_resource
from plugins.docker.resources import network
from plugins.docker.values import decode
from tests.support.container_engine import ContainerEngine
from tests.support.provider_client import NETWORK, ProviderClient, message_of

LABELS = [{"label": "stack", "value": "dev"}]


def test_network_is_created_as_asked(client: ProviderClient, engine: ContainerEngine) -> None:
    made = client.create(
        NETWORK,
        "net",
        {
            "name": "shop",
            "labels": LABELS,
            "driver": "bridge",
            "options": {"com.docker.network.bridge.name": "shop0"},
            "internal": True,
            "attachable": True,
            "ipv6": True,
            "ipamOptions": {"a": "b"},
            "ipamConfigs": [
                {
                    "subnet": "10.9.0.0/24",
                    "ipRange": "10.9.0.0/25",
                    "gateway": "10.9.0.1",
                    "auxAddress": {"host": "10.9.0.2"},
                }
            ],
        },
    )
    assert engine.bodies == [
        {
            "Name": "shop",
            "CheckDuplicate": True,
            "Labels": {"stack": "dev"},
            "Driver": "bridge",
            "Options": {"com.docker.network.bridge.name": "shop0"},
            "Internal": True,
            "Attachable": True,
            "EnableIPv6": True,
            "IPAM": {
                "Driver": "default",
                "Options": {"a": "b"},
                "Config": [
                    {
                        "Subnet": "10.9.0.0/24",
                        "IPRange": "10.9.0.0/25",
                        "Gateway": "10.9.0.1",
                        "AuxiliaryAddresses": {"host": "10.9.0.2"},
                    }
                ],
            },
        }
    ]
    assert made.state["scope"] == "local"


def test_what_the_engine_chose_is_in_the_state(client: ProviderClient) -> None:
    made = client.create(NETWORK, "net", {"name": "shop"})
    assert made.state["driver"] == "bridge"
    assert made.state["ipamConfigs"] == [{"subnet": "172.18.0.0/16"}]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"labels": LABELS}, {}),
        ({}, {"labels": LABELS}),
        ({"driver": "bridge"}, {"driver": "macvlan"}),
        ({"options": {"a": "1"}}, {"options": {"a": "2"}}),
        ({"internal": True}, {"internal": False}),
        ({}, {"attachable": True}),
        ({}, {"ingress": True}),
        ({}, {"ipv6": True}),
        ({}, {"ipamDriver": "other"}),
        ({}, {"ipamOptions": {"a": "b"}}),
        (
            {"ipamConfigs": [{"subnet": "10.1.0.0/24"}]},
            {"ipamConfigs": [{"subnet": "10.2.0.0/24"}]},
        ),
    ],
)
def test_every_change_replaces_the_network(client: ProviderClient, old: Any, new: Any) -> None:
    made = client.create(NETWORK, "net", old)
    found = client.diff(made, new)
    assert list(found.replaces) == list((old | new).keys())
    assert not found.deleteBeforeReplace


@pytest.mark.parametrize(
    "given",
    [
        {"driver": "bridge"},
        {"options": {"a": "1"}},
        {"internal": True},
        {"ipamConfigs": [{"subnet": "10.1.0.0/24"}]},
    ],
)
def test_leaving_out_what_the_engine_chooses_anyway_changes_nothing(
    client: ProviderClient, given: Any
) -> None:
    made = client.create(NETWORK, "net", given)
    assert list(client.diff(made, {}).detailedDiff) == []


def test_network_with_a_name_of_its_own_is_deleted_first(client: ProviderClient) -> None:
    made = client.create(NETWORK, "net", {"name": "shop"})
    assert client.diff(made, {"name": "shop", "attachable": True}).deleteBeforeReplace


def test_network_with_another_name_is_created_first(client: ProviderClient) -> None:
    made = client.create(NETWORK, "net", {"name": "shop"})
    assert not client.diff(made, {"name": "other"}).deleteBeforeReplace


def test_read_of_an_untouched_network_changes_nothing(client: ProviderClient) -> None:
    made = client.create(NETWORK, "net", {"ipamConfigs": [{"subnet": "10.1.0.0/24"}]})
    found = client.read(made)
    assert (found.outputs, found.inputs) == (made.outputs, made.inputs)


def test_missing_network_is_gone(client: ProviderClient, engine: ContainerEngine) -> None:
    made = client.create(NETWORK, "net", {})
    engine.networks.clear()
    assert client.read(made).id == ""


def test_import_by_id_finds_what_the_engine_knows(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    network_id = engine.create_network({"Name": "shop", "Labels": {"stack": "dev"}})
    inputs = decode(client.import_(NETWORK, "net", network_id).inputs).values
    assert inputs == {
        "name": "shop",
        "labels": LABELS,
        "driver": "bridge",
        "ipamConfigs": [{"subnet": "172.18.0.0/16"}],
    }


def test_import_by_name_finds_nothing(client: ProviderClient, engine: ContainerEngine) -> None:
    engine.create_network({"Name": "shop"})
    assert client.import_(NETWORK, "net", "shop").id == ""


def test_network_is_removed(client: ProviderClient, engine: ContainerEngine) -> None:
    client.delete(client.create(NETWORK, "net", {"name": "shop"}))
    assert engine.networks == {}


def test_removing_a_missing_network_succeeds(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = client.create(NETWORK, "net", {})
    engine.networks.clear()
    client.delete(made)


def test_removal_waits_until_the_last_container_has_left(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = client.create(NETWORK, "net", {"name": "shop"})
    remove = engine.remove_network
    answers = iter([EngineError(403, "network shop has active endpoints"), None])

    def remove_later(network_id: str) -> None:
        error = next(answers)
        if error:
            raise error
        remove(network_id)

    engine.remove_network = remove_later
    client.delete(made)
    assert engine.networks == {}


def test_network_that_containers_never_leave_is_told(
    client: ProviderClient, engine: ContainerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_REMOVAL_SECONDS", 0)
    made = client.create(NETWORK, "net", {"name": "shop"})
    engine.networks[made.id]["Containers"] = {"1": {"Name": "web"}, "2": {"Name": "db"}}
    engine.failures["remove-network"] = EngineError(403, "network shop has active endpoints")
    with pytest.raises(grpc.RpcError) as caught:
        client.delete(made)
    assert message_of(caught.value) == (
        "network 'shop': should have no container any more (got db, web). "
        "Remove or disconnect them, then try again."
    )


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (
            409,
            "network with name shop already exists",
            "network 'shop': name should be free (taken by another network). "
            "Choose another name, or remove or import that network.",
        ),
        (
            403,
            "Pool overlaps with other one on this address space",
            "network 'shop': its addresses should be free "
            "(got: Pool overlaps with other one on this address space). "
            "Set another ipamConfigs subnet, or remove the network that has them.",
        ),
        (500, "odd", "network 'shop': cannot be created (got: odd)"),
    ],
)
def test_refusal_of_the_engine_is_told(
    client: ProviderClient, engine: ContainerEngine, status: int, said: str, told: str
) -> None:
    engine.failures["create-network"] = EngineError(status, said)
    with pytest.raises(grpc.RpcError) as caught:
        client.create(NETWORK, "net", {"name": "shop"})
    assert message_of(caught.value) == told


def test_no_property_of_a_network_is_updated_in_place() -> None:
    kinds = {field.on_change.value for field in find_resource(NETWORK).fields.values()}
    assert kinds == {"replace"}
