"""What a stack with monitoring runs beside the same one without it."""

import json
from functools import cache
from typing import Any

import pytest

from infra.naming import CONTAINER, SPEC_LABEL, VOLUME
from tests.support.recording import (
    READINESS,
    Recorder,
    labels_of,
    load_stack_file,
    published,
    record_portal,
    watched,
)

BOTH = pytest.mark.parametrize("stack", ["dev", "prod"])
ADDED = {"prometheus", "exporter"}
PORT = ("127.0.0.1", 9090, 9090, "tcp")


@cache
def registered(stack: str) -> Recorder:
    return record_portal(watched(stack))


def containers(stack: str) -> dict[str, dict[str, Any]]:
    return registered(stack).of_type(CONTAINER)


def variables(stack: str, name: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in containers(stack)[name]["envs"])


@BOTH
def test_monitoring_adds_two_containers_and_one_volume_that_may_be_lost(stack: str) -> None:
    without = record_portal(load_stack_file(stack))
    assert set(containers(stack)) - set(without.of_type(CONTAINER)) == ADDED
    added = set(registered(stack).of_type(VOLUME)) - set(without.of_type(VOLUME))
    assert added == {"prometheus-record"}
    [record] = [r for r in registered(stack).resources if r.name == "prometheus-record"]
    assert not record.protect
    assert registered(stack).outputs["prometheus_url"] == "http://127.0.0.1:9090"


@BOTH
def test_monitoring_changes_no_other_container_but_the_replicas_shared_name(stack: str) -> None:
    without = record_portal(load_stack_file(stack)).of_type(CONTAINER)
    changed = {name for name in without if spec(containers(stack), name) != spec(without, name)}
    assert changed == ({"app-1", "app-2"} if stack == "prod" else set())


def spec(found: dict[str, dict[str, Any]], name: str) -> str:
    return labels_of(found[name])[SPEC_LABEL]


@pytest.mark.parametrize("name", ["app", "app-1", "app-2"])
def test_prometheus_finds_every_portal_by_one_name(name: str) -> None:
    stack = "dev" if name == "app" else "prod"
    for network in containers(stack)[name]["networksAdvanced"]:
        assert network["aliases"] == ["app"]


def test_prometheus_publishes_loopback_whatever_the_bind_address_is() -> None:
    settings = watched("prod")
    ports = settings.ports.model_copy(update={"bind_address": "0.0.0.0"})
    recorder = record_portal(settings.model_copy(update={"ports": ports}))
    assert published(recorder)["prometheus"] == [PORT]
    assert published(recorder)["nginx"][0][0] == "0.0.0.0"


@pytest.mark.parametrize(
    ("stack", "name", "networks"),
    [
        ("dev", "prometheus", ["network"]),
        ("prod", "prometheus", ["edge-network", "app-network"]),
        ("prod", "exporter", ["app-network"]),
    ],
)
def test_monitoring_is_on_no_network_of_the_stores(
    stack: str, name: str, networks: list[str]
) -> None:
    found = [network["name"] for network in containers(stack)[name]["networksAdvanced"]]
    expected = [f"devportal-{stack}-{network}" for network in networks]
    assert found == expected


def test_exporter_watches_what_the_stack_has() -> None:
    assert variables("dev", "exporter") == {"REPLICAS": "1"}
    assert variables("prod", "exporter") == {
        "REPLICAS": "2",
        "BACKUP_STORE": "/backups",
        "BACKUP_INTERVAL_SECONDS": "21600",
        "BACKUP_CHECK_INTERVAL_SECONDS": "86400",
        "NGINX_ADDRESS": "nginx:8443",
    }


def test_exporter_reads_the_backups_as_their_own_user_and_changes_none() -> None:
    backups, exporter = (containers("prod")[name] for name in ("backups", "exporter"))
    [mount] = exporter["mounts"]
    [store] = [m for m in backups["mounts"] if m["target"] == "/backups"]
    assert {**mount, "readOnly": False} == {"readOnly": False, **store}
    assert mount["readOnly"]
    assert exporter["user"] == backups["user"]


def test_what_is_watched_is_ready_before_it_is_watched() -> None:
    before = registered("prod").before(CONTAINER, "prometheus")
    watched_roles = ("app-1", "app-2", "backups", "exporter")
    assert {(READINESS, f"{name}-readiness") for name in watched_roles} <= before


def test_settings_reach_prometheus() -> None:
    settings = watched()
    monitoring = settings.monitoring.model_copy(update={"retention_days": 3, "memory_mb": 200})
    recorder = record_portal(settings.model_copy(update={"monitoring": monitoring}))
    prometheus = recorder.of_type(CONTAINER)["prometheus"]
    assert prometheus["command"] == ["--storage.tsdb.retention.time=3d"]
    assert prometheus["memory"] == 200
    assert prometheus["envs"] == ["STACK=prod", f"GOMEMLIMIT={200 * 1024 * 1024 * 9 // 10}"]


@BOTH
def test_monitoring_has_no_secret(stack: str) -> None:
    shown = [containers(stack)[name] for name in ADDED]
    assert "/run/secrets" not in json.dumps(shown, default=str)
