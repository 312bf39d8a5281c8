"""Functions of the docker package on a fake engine: answers, defaults and refusals."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from plugins.docker.functions.catalog import FUNCTIONS
from plugins.docker.functions.lookup import Lookup, LookupFailed
from plugins.docker.registry_auth import RegistryCredentials
from tests.support.image_engine import ImageEngine, RunningEngine

IMAGE_ID = f"sha256:{'a' * 64}"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ImageEngine]:
    with RunningEngine(tmp_path) as engine:
        yield engine


def ask(engine: ImageEngine, function: str, **args: Any) -> dict[str, Any]:
    client = docker.DockerClient(base_url=engine.url, version="1.41")
    entry = {"address": "reg.io", "username": "u", "password": "p"}
    lookup = Lookup(client, RegistryCredentials([entry], {"DOCKER_CONFIG": "/nonexistent"}))
    return FUNCTIONS[f"docker:index/{function}:{function}"].answer(lookup, args)


def frame(stream: int, text: str) -> bytes:
    return struct.pack(">BxxxL", stream, len(text)) + text.encode()


def test_network_is_described_with_its_containers_in_order(engine: ImageEngine) -> None:
    engine.answers["GET /networks/backend"] = {
        "Id": "n" * 64,
        "Name": "backend",
        "Scope": "local",
        "Driver": "bridge",
        "Internal": True,
        "Options": None,
        "IPAM": {"Config": [{"Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1"}]},
        "Containers": {
            "b": {"Name": "two", "IPv4Address": "10.0.0.3/24"},
            "a": {"Name": "one", "EndpointID": "e", "MacAddress": "m", "IPv6Address": "::1"},
        },
    }
    assert ask(engine, "getNetwork", name="backend") == {
        "id": "n" * 64,
        "name": "backend",
        "scope": "local",
        "driver": "bridge",
        "internal": True,
        "options": {},
        "ipamConfigs": [
            {"subnet": "10.0.0.0/24", "gateway": "10.0.0.1", "ipRange": "", "auxAddress": {}}
        ],
        "containers": [
            {
                "containerId": "a",
                "name": "one",
                "endpointId": "e",
                "macAddress": "m",
                "ipv4Address": "",
                "ipv6Address": "::1",
            },
            {
                "containerId": "b",
                "name": "two",
                "endpointId": "",
                "macAddress": "",
                "ipv4Address": "10.0.0.3/24",
                "ipv6Address": "",
            },
        ],
    }


def test_local_image_is_found_without_a_pull(engine: ImageEngine) -> None:
    engine.add_image("reg.io/shop:1", IMAGE_ID, RepoDigests=["reg.io/shop@sha256:d"])
    assert ask(engine, "getRemoteImage", name="reg.io/shop:1") == {
        "id": IMAGE_ID,
        "name": "reg.io/shop:1",
        "repoDigest": "reg.io/shop@sha256:d",
    }
    assert engine.changes() == []


def test_registry_image_is_asked_of_the_registry_with_its_credentials(engine: ImageEngine) -> None:
    engine.answers["GET /distribution/reg.io/shop:1/json"] = {"Descriptor": {"digest": "sha256:d"}}
    assert ask(engine, "getRegistryImage", name="reg.io/shop:1") == {
        "id": "sha256:d",
        "name": "reg.io/shop:1",
        "sha256Digest": "sha256:d",
        "insecureSkipVerify": False,
    }
    assert "X-Registry-Auth" in engine.last("GET", "/distribution/reg.io/shop:1/json").headers


@pytest.mark.parametrize(
    ("function", "args", "message"),
    [
        (
            "getNetwork",
            {"name": "gone"},
            "network 'gone': should exist on the engine (got: not found). "
            "Create it, or correct the name.",
        ),
        (
            "getRemoteImage",
            {"name": "gone:1"},
            "image 'gone:1': should be present locally (got: not found). "
            "Pull or build it, or declare it as docker.RemoteImage.",
        ),
        (
            "getLogs",
            {"name": "gone"},
            "container 'gone': should exist on the engine (got: not found). "
            "Create it, or correct the name.",
        ),
        (
            "getRegistryImage",
            {"name": "reg.io/gone:1"},
            "image 'reg.io/gone:1': should be present in its registry "
            "(got: no answer for GET /distribution/reg.io/gone:1/json). "
            "Correct the name, or set docker:registryAuth.",
        ),
        (
            "getPlugin",
            {"alias": "x"},
            "getPlugin: is not supported by this provider. Use the official docker provider.",
        ),
    ],
)
def test_what_is_not_there_is_named(
    engine: ImageEngine, function: str, args: dict[str, Any], message: str
) -> None:
    with pytest.raises(LookupFailed) as failure:
        ask(engine, function, **args)
    assert str(failure.value) == message


def logs(engine: ImageEngine, output: bytes, *, terminal: bool = False, **args: Any) -> Any:
    engine.answers["GET /containers/web/json"] = {"Id": "c", "Config": {"Tty": terminal}}
    engine.answers["GET /containers/web/logs"] = output
    return ask(engine, "getLogs", name="web", **args)


def test_logs_are_lines_of_both_streams_without_headers(engine: ImageEngine) -> None:
    output = frame(1, "out\nhalf ") + frame(1, "line\n") + frame(2, "err\n")
    answer = logs(engine, output)
    assert answer["logsListStrings"] == ["out", "half line", "err"]
    assert (answer["id"], answer["name"], answer["showStderr"]) == ("web", "web", True)


def test_logs_of_a_container_with_a_terminal_have_no_headers(engine: ImageEngine) -> None:
    assert logs(engine, b"a\r\nb\r\n", terminal=True)["logsListStrings"] == ["a", "b"]


def test_headers_stay_if_wanted(engine: ImageEngine) -> None:
    answer = logs(engine, frame(1, "out\n"), discardHeaders=False)
    assert answer["logsListStrings"] == ["\x01\x00\x00\x00\x00\x00\x00\x04out"]


def test_logs_are_not_read_if_no_lines_are_wanted(engine: ImageEngine) -> None:
    assert ask(engine, "getLogs", name="web", logsListStringEnabled=False)["logsListStrings"] == []
    assert engine.calls == []


def test_log_selection_is_the_engines(engine: ImageEngine) -> None:
    logs(engine, b"", tail="5", since="100", until="1970-01-01T00:10:00+00:00", timestamps=True)
    query = engine.last("GET", "/containers/web/logs").query
    assert query == {
        "stdout": ["1"],
        "stderr": ["1"],
        "since": ["100"],
        "until": ["600.000000000"],
        "timestamps": ["1"],
        "follow": ["0"],
        "tail": ["5"],
        "details": ["0"],
    }


def test_duration_counts_back_from_now(
    engine: ImageEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.docker.functions.logs.time.time", lambda: 10_000.0)
    logs(engine, b"", since="1h30m0.5s")
    since = engine.last("GET", "/containers/web/logs").query["since"]
    assert since == ["4599.500000000"]


def test_time_that_is_none_is_named(engine: ImageEngine) -> None:
    with pytest.raises(LookupFailed) as failure:
        logs(engine, b"", since="yesterday")
    assert str(failure.value) == (
        "since: should be seconds since 1970, an ISO date or a duration (got 'yesterday'). "
        "Write for example 2026-01-31T08:00:00 or 10m."
    )


@pytest.mark.parametrize(
    ("function", "args", "failures"),
    [
        ("getNetwork", {"name": "x"}, []),
        ("getNetwork", {}, [("name", "should be given")]),
        ("getLogs", {"name": "x", "tail": 5}, [("tail", "should be a string")]),
        (
            "getLogs",
            {"nam": "x", "follow": "yes"},
            [
                ("nam", "is not an argument of this function. Did you mean name?"),
                ("name", "should be given"),
                ("follow", "should be true or false"),
            ],
        ),
        ("getPlugin", {"alias": "whatever"}, []),
    ],
)
def test_every_mistake_in_the_arguments_is_named(
    function: str, args: dict[str, Any], failures: list[tuple[str, str]]
) -> None:
    assert FUNCTIONS[f"docker:index/{function}:{function}"].check(args) == failures
