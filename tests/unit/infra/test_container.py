"""What every container gets, and in which order replicas start."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from infra.engine.address import EngineAddress
from infra.naming import CONTAINER, SPEC_LABEL, Naming
from infra.resources.container import run_container, run_replicas
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.container_spec import duration
from infra.settings import HealthSettings, LogSettings
from tests.support.recording import READINESS, Recorder, labels_of, published, record

HOST_PORT = "pulumi-python:dynamic/devportal:HostPort"


def defaults(**changes: Any) -> ContainerDefaults:
    values: dict[str, Any] = {
        "naming": Naming("dev"),
        "engine": EngineAddress("unix:///var/run/docker.sock"),
        "restart": "unless-stopped",
        "pids_limit": 256,
        "memory_reservation_percent": 50,
        "health": HealthSettings(),
        "has_start_interval": False,
        "logs": LogSettings(),
        "platform": "linux/amd64",
        "retain_data": True,
    }
    return ContainerDefaults(**{**values, **changes})


def port(internal: int, external: int, protocol: str = "tcp") -> PublishedPort:
    return PublishedPort("127.0.0.1", internal, external, protocol)


def container(**changes: Any) -> ContainerArgs:
    values: dict[str, Any] = {
        "role": "store",
        "image": "sha256:1",
        "uid": 70,
        "gid": 71,
        "networks": ["network"],
        "memory_mb": 256,
        "cpus": 0.5,
        "stop_seconds": 30,
    }
    return ContainerArgs(**{**values, **changes})


def record_children(program: Callable[[pulumi.Resource], Any]) -> Recorder:
    return record(lambda: program(pulumi.ComponentResource("devportal:infra:Test", "test")))


def record_one(args: ContainerArgs, common: ContainerDefaults | None = None) -> Recorder:
    return record_children(lambda parent: run_container(args, common or defaults(), parent))


def record_replicas(**options: Any) -> Recorder:
    return record_children(lambda parent: run_replicas(container(), defaults(), parent, **options))


def inputs_of(recorder: Recorder) -> dict[str, Any]:
    [inputs] = recorder.of_type(CONTAINER).values()
    return inputs


def spec_of(args: ContainerArgs, common: ContainerDefaults | None = None) -> str:
    return labels_of(inputs_of(record_one(args, common)))[SPEC_LABEL]


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(0, "0s"), (2, "2s"), (59, "59s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s")],
)
def test_duration_is_spelled_as_go_prints_it(seconds: int, spelled: str) -> None:
    assert duration(seconds) == spelled


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (1.0, "1.0"),
        (0.5, "0.5"),
        (0.25, "0.25"),
        (12.0, "12.0"),
        (12.25, "12.25"),
        (1 / 3, "0.333333333"),
        (10.0, "10."),
        (10.01, "10."),
        (10.05, "10.1"),
        (60.5, "60.5"),
    ],
)
def test_processors_are_spelled_as_the_provider_reads_them_back(
    number: float, spelled: str
) -> None:
    assert inputs_of(record_one(container(cpus=number)))["cpus"] == spelled


def test_container_is_hardened_limited_and_supervised() -> None:
    inputs = inputs_of(record_one(container()))
    hardened = {
        "name": "devportal-dev-store",
        "hostname": "store",
        "user": "70:71",
        "readOnly": True,
        "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=0700,uid=70,gid=71"},
        "capabilities": {"drops": ["ALL"]},
        "securityOpts": ["no-new-privileges:true"],
        "init": True,
        "memory": 256,
        "memorySwap": 256,
        "memoryReservation": 128,
        "cpus": "0.5",
        "restart": "unless-stopped",
        "stopSignal": "SIGTERM",
        "stopTimeout": 30,
        "destroyGraceSeconds": 30,
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m", "max-file": "3"},
    }
    assert {key: inputs[key] for key in hardened} == hardened


def test_container_is_started_and_awaited_by_its_readiness() -> None:
    recorder = record_one(container(wait_seconds=300))
    inputs = inputs_of(recorder)
    assert (inputs["start"], inputs["wait"], inputs["mustRun"]) == (False, False, False)
    ready = recorder.of_type(READINESS)["store-readiness"]
    assert ready["container"] == "store-id"
    assert (ready["goal"], ready["pids_limit"], ready["wait_seconds"]) == ("healthy", 256, 300)


@pytest.mark.parametrize(
    ("given", "has_start_interval", "interval", "start_interval"),
    [(None, False, "5s", None), (None, True, "30s", "1s"), (2, True, "2s", "1s")],
)
def test_probes_are_rare_where_the_engine_makes_quick_ones_at_the_start(
    given: int | None, has_start_interval: bool, interval: str, start_interval: str | None
) -> None:
    health = HealthSettings(interval_seconds=given)
    common = defaults(has_start_interval=has_start_interval, health=health)
    check = inputs_of(record_one(container(), common))["healthcheck"]
    assert (check["interval"], check.get("startInterval")) == (interval, start_interval)


@pytest.mark.parametrize(
    ("percent", "memory_mb", "reservation_mb"), [(25, 1000, 250), (1, 100, 6), (0, 100, 0)]
)
def test_reservation_is_a_part_of_the_limit_that_the_engine_takes(
    percent: int, memory_mb: int, reservation_mb: int
) -> None:
    common = defaults(memory_reservation_percent=percent)
    inputs = inputs_of(record_one(container(memory_mb=memory_mb), common))
    assert inputs["memoryReservation"] == reservation_mb


def test_job_runs_once_without_health_checks_or_restarts() -> None:
    recorder = record_one(container(is_job=True))
    inputs = inputs_of(recorder)
    assert inputs["restart"] == "no"
    assert inputs["healthcheck"]["tests"] == ["NONE"]
    assert recorder.of_type(READINESS)["store-readiness"]["goal"] == "finished"


@pytest.mark.parametrize(
    ("max_surge", "awaited"),
    [
        (1, {1: set(), 2: {1}, 3: {1, 2}, 4: {1, 2, 3}}),
        (2, {1: set(), 2: set(), 3: {1}, 4: {2}}),
        (4, {1: set(), 2: set(), 3: set(), 4: set()}),
    ],
)
def test_replica_starts_when_the_one_max_surge_before_it_is_ready(
    max_surge: int, awaited: dict[int, set[int]]
) -> None:
    recorder = record_replicas(count=4, max_surge=max_surge)
    ready = {number: (READINESS, f"store-{number}-readiness") for number in awaited}
    found = {
        number: {
            other
            for other in awaited
            if ready[other] in recorder.before(CONTAINER, f"store-{number}")
        }
        for number in awaited
    }
    assert found == awaited


def test_replica_has_no_name_alias_or_port_of_its_own() -> None:
    recorder = record_replicas(count=2, max_surge=1)
    for inputs in recorder.of_type(CONTAINER).values():
        assert "name" not in inputs
        assert inputs["networksAdvanced"] == [{"name": "network"}]
        assert inputs["ports"] == []


def test_ports_are_listed_as_the_provider_reads_them_back() -> None:
    ports = [port(8443, 443), port(8443, 443, "udp"), port(8080, 80)]
    recorder = record_one(container(ports=ports))
    assert published(recorder)["store"] == [
        ("127.0.0.1", 80, 8080, "tcp"),
        ("127.0.0.1", 443, 8443, "tcp"),
        ("127.0.0.1", 443, 8443, "udp"),
    ]
    assert recorder.of_type(READINESS)["store-readiness"]["ports"] == {
        "8080/tcp": "127.0.0.1:80",
        "8443/tcp": "127.0.0.1:443",
        "8443/udp": "127.0.0.1:443",
    }


def test_port_zero_is_chosen_once_for_both_protocols() -> None:
    recorder = record_one(container(ports=[port(8443, 0), port(8443, 0, "udp")]))
    assert list(recorder.of_type(HOST_PORT)) == ["store-port-8443"]
    assert [port["external"] for port in inputs_of(recorder)["ports"]] == [20001, 20001]


@pytest.mark.parametrize(
    ("bind_address", "address"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")]
)
def test_published_address_can_stand_in_a_url(bind_address: str, address: str) -> None:
    found: list[str] = []
    args = container(ports=[PublishedPort(bind_address, 8080, 80)])
    record_children(
        lambda parent: run_container(args, defaults(), parent).published(8080).apply(found.append)
    )
    assert found == [address]


@pytest.mark.parametrize(
    ("change", "common"),
    [
        ({"cpus": 1.0}, {}),
        ({"command": ["store", "--quick"]}, {}),
        ({"environment": {"LEVEL": "debug"}}, {}),
        ({"tmpfs_mb": {"/tmp": 32}}, {}),
        ({"ports": [port(8080, 80)]}, {}),
        ({"secret_files": {"password": "s3cret"}}, {}),
        ({"stop_seconds": 31}, {}),
        # The engine takes an update to none for "as before".
        ({}, {"memory_reservation_percent": 0}),
    ],
)
def test_spec_label_changes_with_what_the_container_is(
    change: dict[str, Any], common: dict[str, Any]
) -> None:
    assert spec_of(container()) != spec_of(container(**change), defaults(**common))


@pytest.mark.parametrize(
    ("change", "common"),
    [
        ({}, {}),
        ({"memory_mb": 512}, {}),
        ({"grace_seconds": 600}, {}),
        ({"wait_seconds": 600}, {}),
        ({}, {"restart": "always"}),
        ({}, {"pids_limit": 99}),
        ({}, {"memory_reservation_percent": 25}),
    ],
)
def test_spec_label_is_the_same_for_what_needs_no_replacement(
    change: dict[str, Any], common: dict[str, Any]
) -> None:
    assert spec_of(container()) == spec_of(container(**change), defaults(**common))
