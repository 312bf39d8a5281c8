"""Creating a container on a fake engine: what is asked for, in which order."""

import io
import tarfile
from typing import Any

from plugins.docker.engine import Json
from tests.support.container_engine import IMAGE, ContainerEngine
from tests.support.provider_client import (
    CONTAINER,
    KeptLog,
    ProviderClient,
)

HEALTHCHECK = {"tests": ["CMD", "check"], "interval": "1s"}


def create(client: ProviderClient, **inputs: Any) -> Any:
    return client.create(CONTAINER, "web", {"image": IMAGE, "name": "web", **inputs})


def asked_for(client: ProviderClient, engine: ContainerEngine, **inputs: Any) -> Json:
    create(client, **inputs)
    return engine.bodies[0]


def add_network(engine: ContainerEngine, name: str) -> str:
    return engine.create_network({"Name": name})


def test_container_is_created_and_started(client: ProviderClient, engine: ContainerEngine) -> None:
    made = create(client)
    assert engine.calls == ["create web", "start web"]
    assert made.id in engine.containers


def test_container_that_should_not_start_is_only_created(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    made = create(client, start=False)
    assert engine.calls == ["create web"]
    assert made.state["mustRun"] is True


def test_start_interval_is_left_out_with_a_warning_on_an_old_engine(
    client: ProviderClient, engine: ContainerEngine, log: KeptLog
) -> None:
    body = asked_for(client, engine, healthcheck={**HEALTHCHECK, "startInterval": "2s"})
    assert "StartInterval" not in body["Healthcheck"]
    assert log.lines == [
        "warning: container 'web': healthcheck.startInterval is left out; "
        "the engine's API has it from version 1.44 on (got 1.41)"
    ]


def test_start_interval_reaches_a_new_engine(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    engine.api_version = (1, 44)
    body = asked_for(client, engine, healthcheck={**HEALTHCHECK, "startInterval": "2s"})
    assert body["Healthcheck"]["StartInterval"] == 2 * 10**9


def test_container_is_created_in_its_first_network_and_joins_the_others(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    for name in ("front", "back"):
        add_network(engine, name)
    engine.calls.clear()
    engine.bodies.clear()
    front = {
        "name": "front",
        "aliases": ["web"],
        "ipv4Address": "172.18.0.9",
        "driverOpts": ["a=b"],
    }

    made = create(client, networksAdvanced=[front, {"name": "back"}])

    assert engine.calls == ["create web", "connect web back", "start web"]
    assert engine.bodies[0]["HostConfig"]["NetworkMode"] == "front"
    assert engine.bodies[0]["NetworkingConfig"] == {
        "EndpointsConfig": {
            "front": {
                "Aliases": ["web"],
                "IPAMConfig": {"IPv4Address": "172.18.0.9"},
                "DriverOpts": {"a": "b"},
            }
        }
    }
    assert made.state["networkMode"] == "bridge"
    assert [data["networkName"] for data in made.state["networkDatas"]] == ["back", "front"]


def test_network_may_be_named_by_its_id(client: ProviderClient, engine: ContainerEngine) -> None:
    network_id = add_network(engine, "front")
    create(client, networksAdvanced=[{"name": network_id}])
    assert list(engine.bodies[1]["NetworkingConfig"]["EndpointsConfig"]) == ["front"]


def test_network_mode_of_the_users_own_stays_and_networks_are_joined(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    add_network(engine, "front")
    create(client, networkMode="none", networksAdvanced=[{"name": "front"}])
    assert engine.bodies[1]["HostConfig"]["NetworkMode"] == "none"
    assert "connect web front" in engine.calls


def test_mac_address_is_given_the_way_an_old_engine_wants_it(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    add_network(engine, "front")
    create(client, networksAdvanced=[{"name": "front", "macAddress": "02:00:00:00:00:01"}])
    assert engine.bodies[1]["MacAddress"] == "02:00:00:00:00:01"


def test_uploads_are_packed_with_their_modes_and_owners(
    client: ProviderClient, engine: ContainerEngine, tmp_path: Any
) -> None:
    (tmp_path / "source").write_bytes(b"from a file")
    create(
        client,
        uploads=[
            {"file": "/a", "content": "text", "permissions": "0600", "owner": "70", "group": "71"},
            {"file": "/b", "contentBase64": "AAE=", "executable": True},
            {"file": "/c", "source": str(tmp_path / "source")},
        ],
    )
    assert engine.calls == ["create web", "upload web", "start web"]
    with tarfile.open(fileobj=io.BytesIO(engine.uploads[0])) as archive:
        files = {
            member.name: (member.mode, member.uid, member.gid, read(archive, member))
            for member in archive
        }
    assert files == {
        "/a": (0o600, 70, 71, b"text"),
        "/b": (0o744, 0, 0, b"\x00\x01"),
        "/c": (0o644, 0, 0, b"from a file"),
    }


def read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    return content.read() if content else b""


def test_free_port_is_read_back(client: ProviderClient) -> None:
    made = create(client, ports=[{"internal": 80, "ip": "127.0.0.1"}])
    assert made.state["ports"] == [
        {"internal": 80, "ip": "127.0.0.1", "protocol": "tcp", "external": 49153}
    ]


def test_preview_touches_nothing_and_leaves_outputs_unknown(
    client: ProviderClient, engine: ContainerEngine
) -> None:
    outputs = client.preview(CONTAINER, "web", {"image": IMAGE, "name": "web"}).values
    assert engine.calls == []
    assert outputs["image"] == IMAGE
    assert repr(outputs["networkDatas"]) == "UNKNOWN"
    assert "__defaults" not in outputs
