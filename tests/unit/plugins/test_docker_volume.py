"""docker.Volume on a fake engine."""

from typing import Any

import grpc
import pytest

from plugins.docker.engine import EngineError
from plugins.docker.resources import volume
from plugins.docker.values import decode
from tests.support.container_engine import ContainerEngine
from tests.support.provider_client import VOLUME, ProviderClient, message_of

LABELS = [{"label": "stack", "value": "dev"}]


def test_volume_is_created_as_asked(client: ProviderClient, engine: ContainerEngine) -> None:
    given = {"name": "data", "driver": "local", "driverOpts": {"a": "b"}, "labels": LABELS}
    made = client.create(VOLUME, "vol", given)
    assert engine.bodies == [
        {
            "Name": "data",
            "Driver": "local",
            "DriverOpts": {"a": "b"},
            "Labels": {"stack": "dev"},
        }
    ]
    assert made.id == "data"
    assert made.state == {**given, "mountpoint": "/var/lib/docker/volumes/data/_data"}


def test_existing_volume_that_is_the_same_is_taken_over(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    first = client.create(VOLUME, "vol", {"name": "data", "labels": LABELS})
    second = client.create(VOLUME, "vol", {"name": "data", "labels": LABELS})
    assert first.state == second.state
    assert list(engine.volumes) == ["data"]


def test_existing_volume_with_other_labels_is_not_taken_over(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.create_volume({"Name": "data", "Labels": {"by": "hand"}})
    engine.calls.clear()
    with pytest.raises(grpc.RpcError) as caught:
        client.create(VOLUME, "vol", {"name": "data", "labels": LABELS})
    assert message_of(caught.value) == (
        "volume 'data': exists already with other labels; taking it over would delete its data "
        "at the next change. Import it, choose another name, or remove it."
    )
    assert engine.calls == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"labels": LABELS}, {}),
        ({"driver": "local"}, {"driver": "other"}),
        ({"driverOpts": {"a": "1"}}, {"driverOpts": {"a": "2"}}),
    ],
)
def test_every_change_replaces_the_volume(client: ProviderClient, old: Any, new: Any) -> None:
    made = client.create(VOLUME, "vol", old)
    assert list(client.diff(made, new).replaces) == list((old | new).keys())


def test_leaving_out_the_driver_changes_nothing(client: ProviderClient) -> None:
    made = client.create(VOLUME, "vol", {"driver": "local"})
    assert list(client.diff(made, {}).detailedDiff) == []


def test_volume_with_a_name_of_its_own_is_deleted_first(client: ProviderClient) -> None:
    made = client.create(VOLUME, "vol", {"name": "data"})
    assert client.diff(made, {"name": "data", "labels": LABELS}).deleteBeforeReplace


def test_read_of_an_untouched_volume_changes_nothing(client: ProviderClient) -> None:
    made = client.create(VOLUME, "vol", {"labels": LABELS})
    found = client.read(made)
    assert (found.outputs, found.inputs) == (made.outputs, made.inputs)


def test_volume_made_anew_by_hand_is_seen(client: ProviderClient, engine: ContainerEngine) -> None:
    made = client.create(VOLUME, "vol", {"name": "data", "labels": LABELS})
    engine.volumes["data"]["Labels"] = None
    found = client.read(made)
    assert list(client.diff(found, {"name": "data", "labels": LABELS}).replaces) == ["labels"]


def test_missing_volume_is_gone(client: ProviderClient, engine: ContainerEngine) -> None:
    made = client.create(VOLUME, "vol", {})
    engine.volumes.clear()
    assert client.read(made).id == ""


def test_import_by_name_finds_what_the_engine_knows(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.create_volume({"Name": "data", "Labels": {"stack": "dev"}})
    inputs = decode(client.import_(VOLUME, "vol", "data").inputs).values
    assert inputs == {"name": "data", "driver": "local", "labels": LABELS}


def test_volume_is_removed(client: ProviderClient, engine: ContainerEngine) -> None:
    client.delete(client.create(VOLUME, "vol", {"name": "data"}))
    assert engine.volumes == {}


def test_removing_a_missing_volume_succeeds(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = client.create(VOLUME, "vol", {})
    engine.volumes.clear()
    client.delete(made)


def test_volume_that_a_container_never_leaves_is_told(
    client: ProviderClient, engine: ContainerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume, "_REMOVAL_SECONDS", 0)
    made = client.create(VOLUME, "vol", {"name": "data"})
    mounts = [{"Type": "volume", "Source": "data", "Target": "/d"}]
    engine.create_container("db", "", {"HostConfig": {"Mounts": mounts}, "Image": "shop:1"})
    engine.failures["remove-volume"] = EngineError(409, "volume is in use - [0a]")
    with pytest.raises(grpc.RpcError) as caught:
        client.delete(made)
    assert message_of(caught.value) == (
        "volume 'data': should be used by no container any more (got db). "
        "Remove them, then try again."
    )


def test_refused_removal_is_told(client: ProviderClient, engine: ContainerEngine) -> None:
    made = client.create(VOLUME, "vol", {"name": "data"})
    engine.failures["remove-volume"] = EngineError(500, "driver gone")
    with pytest.raises(grpc.RpcError) as caught:
        client.delete(made)
    assert message_of(caught.value) == "volume 'data': cannot be removed (got: driver gone)"
