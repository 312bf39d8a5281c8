"""What the whole program registers, for development and for production."""

import json
from typing import Any

import pytest

from infra.settings import Settings
from tests.support.recording import (
    CONTAINER,
    IMAGE,
    NETWORK,
    VOLUME,
    Recorder,
    load_settings,
    record_portal,
)

DEVELOPMENT: dict[str, Any] = {
    "environment": "development",
    "devtools": True,
    "retain_data": False,
    "app": {"reload": True, "debug": True, "seed": True, "anonymous_reads": True},
}
ROLES = {"postgres", "redis", "app", "adminer", "redis-commander"}


def development(**changes: Any) -> Settings:
    return load_settings("dev", **{**DEVELOPMENT, **changes})


@pytest.fixture(scope="module")
def dev() -> Recorder:
    return record_portal(development())


@pytest.fixture(scope="module")
def prod() -> Recorder:
    return record_portal(load_settings("prod", environment="production"))


def labels_of(inputs: dict[str, Any]) -> dict[str, str]:
    return {entry["label"]: entry["value"] for entry in inputs["labels"]}


def spec_label(settings: Settings, role: str) -> str:
    return labels_of(record_portal(settings).of_type(CONTAINER)[role])["devportal.spec"]


def test_development_runs_the_five_services_of_the_plan(dev: Recorder) -> None:
    assert set(dev.of_type(CONTAINER)) == ROLES


def test_production_runs_no_development_tools(prod: Recorder) -> None:
    assert set(prod.of_type(CONTAINER)) == {
        "postgres",
        "redis",
        "app-1",
        "app-2",
        "nginx",
        "backups",
    }


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_container_is_hardened(dev: Recorder, role: str) -> None:
    container = dev.of_type(CONTAINER)[role]
    uid, _, gid = container["user"].partition(":")
    assert int(uid) > 0
    assert int(gid) > 0
    assert container["readOnly"] is True
    assert container["capabilities"] == {"drops": ["ALL"]}
    assert container["securityOpts"] == ["no-new-privileges:true"]
    assert container["init"] is True
    assert container["memory"] == container["memorySwap"] == 2 * container["memoryReservation"]
    assert float(container["cpus"]) > 0
    assert container["logOpts"] == {"max-size": "10m", "max-file": "3"}
    assert "privileged" not in container


def test_reservation_of_memory_is_a_part_of_the_limit_that_the_engine_takes() -> None:
    def reservation(percent: int, memory_mb: int) -> int:
        settings = development(
            memory_reservation_percent=percent, app={**DEVELOPMENT["app"], "memory_mb": memory_mb}
        )
        return record_portal(settings).of_type(CONTAINER)["app"]["memoryReservation"]

    assert [reservation(25, 1000), reservation(1, 100), reservation(0, 100)] == [250, 6, 0]


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_container_is_stopped_with_grace_and_awaited_healthy(
    dev: Recorder, role: str
) -> None:
    container = dev.of_type(CONTAINER)[role]
    assert container["wait"] is True
    assert container["destroyGraceSeconds"] == container["stopTimeout"] > 0
    assert container["healthcheck"]["tests"] == ["CMD", "/usr/local/bin/healthcheck"]


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_container_is_named_and_labelled_by_stack_and_role(dev: Recorder, role: str) -> None:
    container = dev.of_type(CONTAINER)[role]
    labels = labels_of(container)
    assert container["name"] == f"devportal-dev-{role}"
    assert (labels["devportal.stack"], labels["devportal.role"]) == ("dev", role)


def test_development_publishes_the_ports_of_the_plan_on_loopback_only(dev: Recorder) -> None:
    published = {
        role: [(port["ip"], port["external"], port["internal"]) for port in container["ports"]]
        for role, container in dev.of_type(CONTAINER).items()
    }
    assert published == {
        "app": [("127.0.0.1", 8000, 8000)],
        "postgres": [("127.0.0.1", 5433, 5432)],
        "redis": [("127.0.0.1", 6380, 6379)],
        "adminer": [("127.0.0.1", 8081, 8080)],
        "redis-commander": [("127.0.0.1", 8082, 8081)],
    }


@pytest.mark.parametrize("role", ["postgres", "redis", "app-1", "app-2", "backups"])
def test_production_publishes_no_port_but_those_of_nginx(prod: Recorder, role: str) -> None:
    assert prod.of_type(CONTAINER)[role].get("ports", []) == []


def test_backups_are_taken_where_they_are_asked_for(prod: Recorder) -> None:
    asked = record_portal(development(backups={"enabled": True}))
    assert "backups" in asked.of_type(CONTAINER)
    settings = load_settings("prod", environment="production", backups={"enabled": False})
    assert "backups" not in record_portal(settings).of_type(CONTAINER)


def test_backups_go_to_a_folder_of_the_host_where_one_is_named() -> None:
    settings = load_settings("prod", environment="production", backups={"host_folder": "/srv/b"})
    recorder = record_portal(settings)
    [store] = [
        mount
        for mount in recorder.of_type(CONTAINER)["backups"]["mounts"]
        if mount["target"] == "/backups"
    ]
    assert (store["type"], store["source"]) == ("bind", "/srv/b")
    assert "backups-data" not in recorder.of_type(VOLUME)


def test_port_zero_leaves_the_choice_to_the_engine() -> None:
    recorder = record_portal(development(ports={"portal": 0}))
    assert recorder.of_type(CONTAINER)["app"]["ports"] == [{"internal": 8000, "ip": "127.0.0.1"}]


def test_no_secret_stands_in_a_container(dev: Recorder) -> None:
    assert "generated-secret" not in json.dumps(dev.of_type(CONTAINER), default=str)


def test_stacks_share_no_name() -> None:
    def names(stack: str) -> set[str]:
        recorder = record_portal(load_settings(stack, **DEVELOPMENT))
        kinds = (CONTAINER, NETWORK, VOLUME)
        named = {item["name"] for kind in kinds for item in recorder.of_type(kind).values()}
        return named | {item["imageName"] for item in recorder.of_type(IMAGE).values()}

    assert names("one").isdisjoint(names("two"))


def test_every_mount_but_reloaded_code_is_a_volume(dev: Recorder) -> None:
    binds = [
        (role, mount["target"], mount["readOnly"])
        for role, container in dev.of_type(CONTAINER).items()
        for mount in container["mounts"]
        if mount["type"] == "bind"
    ]
    assert binds == [("app", "/srv/portal/app", True)]


def test_secrets_are_mounted_read_only(dev: Recorder) -> None:
    for role, container in dev.of_type(CONTAINER).items():
        mount = next(m for m in container["mounts"] if m["target"] == "/run/secrets")
        assert (mount["source"], mount["readOnly"]) == (f"devportal-dev-{role}-secrets", True)


def test_image_target_follows_reload(dev: Recorder, prod: Recorder) -> None:
    targets = [r.of_type(IMAGE)["app-image"]["build"]["target"] for r in (dev, prod)]
    assert targets == ["dev", "prod"]


def test_image_base_follows_the_source() -> None:
    recorder = record_portal(development(image_source="packages"))
    arguments = recorder.of_type(IMAGE)["postgres-image"]["build"]["args"]
    assert arguments["BASE_IMAGE"].startswith("devportal/base-postgres:15-")


def test_image_tells_its_own_version_or_that_of_its_base() -> None:
    recorder = record_portal(development(image_source="official", app={"version": "1.4"}))
    images = recorder.of_type(IMAGE)
    versions = {name: image["build"]["args"]["VERSION"] for name, image in images.items()}
    assert versions["app-image"] == "1.4"
    assert versions["redis-image"] == "7.4.5-alpine"
    assert images["app-image"]["imageName"] == "devportal-dev-app:1.4"
    assert images["redis-image"]["imageName"] == "devportal-dev-redis:latest"


@pytest.mark.parametrize(
    ("role", "change"),
    [
        ("app", {"app": {**DEVELOPMENT["app"], "cpus": 0.5}}),
        ("app", {"app": {**DEVELOPMENT["app"], "log_level": "error"}}),
        ("postgres", {"health": {"retries": 7}}),
        ("redis", {"logs": {"max_files": 9}}),
        ("adminer", {"ports": {"adminer": 9999}}),
    ],
)
def test_spec_label_changes_with_what_the_container_is(role: str, change: dict[str, Any]) -> None:
    assert spec_label(development(), role) != spec_label(development(**change), role)


def test_spec_label_is_the_same_for_the_same_settings() -> None:
    assert spec_label(development(), "app") == spec_label(development(), "app")


def test_spec_label_is_the_same_for_what_is_updated_in_place() -> None:
    changed = development(app={**DEVELOPMENT["app"], "memory_mb": 1024}, restart="always")
    assert spec_label(development(), "app") == spec_label(changed, "app")
