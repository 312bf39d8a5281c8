"""What a setting changes in the whole program, and what it leaves alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from infra.naming import CONTAINER, SPEC_LABEL
from infra.settings import Settings
from tests.support.recording import (
    FILES,
    IMAGE,
    READINESS,
    Recorder,
    labels_of,
    load_settings,
    record_portal,
)

DEVELOPMENT: dict[str, Any] = {
    "environment": "development",
    "devtools": True,
    "retain_data": False,
    "app": {"reload": True, "debug": True, "seed": True, "anonymous_reads": True},
}


def development(stack: str = "dev", **changes: Any) -> Recorder:
    return record_portal(load_settings(stack, **{**DEVELOPMENT, **changes}))


def production(**changes: Any) -> Recorder:
    return record_portal(portal_of(**changes))


def portal_of(**changes: Any) -> Settings:
    return load_settings("prod", environment="production", **changes)


def swarm_of(**changes: Any) -> Settings:
    cluster = {"mode": "swarm", "registry": "registry.example.com"}
    return portal_of(cluster=cluster, ports={"bind_address": "0.0.0.0"}, **changes)


def specifications(recorder: Recorder) -> dict[str, str]:
    """By container; another one replaces it."""
    containers = recorder.of_type(CONTAINER)
    return {name: labels_of(inputs)[SPEC_LABEL] for name, inputs in containers.items()}


@cache
def plain_specifications() -> dict[str, str]:
    return specifications(production())


@pytest.mark.parametrize(
    ("change", "replaced"),
    [
        ({"app": {"version": "2"}}, {"migrations", "app-1", "app-2"}),
        ({"app": {"log_level": "debug"}}, {"app-1", "app-2"}),
        ({"app": {"drain_seconds": 60}}, {"app-1", "app-2"}),
        ({"app": {"admin_email": "root@example.com"}}, {"migrations", "app-1", "app-2"}),
        ({"app": {"memory_mb": 1024}}, set()),
        ({"app": {"cpus": 0.5}}, {"app-1", "app-2", "migrations"}),
        ({"postgres": {"fresh_start": "today"}}, {"postgres", "migrations"}),
        ({"postgres": {"memory_mb": 1024}}, {"postgres"}),
        ({"redis": {"max_memory_mb": 128}}, {"redis"}),
        ({"domain": "portal.example.com"}, set()),
        ({"restart": "always"}, set()),
    ],
)
def test_change_of_a_setting_replaces_these_containers(
    change: dict[str, Any], replaced: set[str]
) -> None:
    old, new = plain_specifications(), specifications(production(**change))
    assert {name for name in old if old[name] != new.get(name)} == replaced


def test_postgresql_gets_its_shares_of_the_containers_memory() -> None:
    containers = production(postgres={"memory_mb": 4096}).of_type(CONTAINER)
    assert containers["postgres"]["command"] == [
        "postgres",
        *("-c", "max_connections=100"),
        *("-c", "shared_buffers=1024MB"),
        *("-c", "effective_cache_size=2048MB"),
    ]


def test_backups_are_taken_where_they_are_enabled_after_the_portal_has_migrated() -> None:
    recorder = development(backups={"enabled": True})
    assert (READINESS, "app-readiness") in recorder.before(CONTAINER, "backups")
    assert "backups" not in production(backups={"enabled": False}).of_type(CONTAINER)


@pytest.mark.parametrize("backups", [{}, {"enabled": False}, {"host_folder": "/srv/b"}])
@pytest.mark.parametrize("retain", [True, False])
@pytest.mark.parametrize("load", [portal_of, swarm_of])
def test_volume_of_backups_stays_whatever_is_set_until_the_stack_is_destroyed(
    load: Callable[..., Settings], backups: dict[str, Any], retain: bool
) -> None:
    """It may be protected in the state: an update without it would fail."""
    there = ["devportal-prod-backups-data"]

    def volume(settings: Settings, volumes: list[str]) -> list[Any]:
        found = record_portal(settings, volumes).resources
        return [(one.urn, one.protect) for one in found if one.name == "backups-data"]

    [(urn, _)] = volume(load(), [])
    settings = load(backups=backups, retain_data=retain)
    assert volume(settings, there) == [(urn, retain)]
    if backups:
        assert volume(settings, []) == []


def test_backups_go_to_a_folder_of_the_host_where_one_is_named() -> None:
    recorder = production(backups={"host_folder": "/srv/b"})
    mounts = recorder.of_type(CONTAINER)["backups"]["mounts"]
    stores = [(m["type"], m["source"]) for m in mounts if m["target"] == "/backups"]
    assert stores == [("bind", "/srv/b")]


def test_image_of_the_portal_follows_its_settings() -> None:
    images = development(app={"version": "1.4", "reload": True}).of_type(IMAGE)
    assert images["app-image"]["name"] == "devportal-dev-app:1.4"
    assert images["redis-image"]["name"] == "devportal-dev-redis:latest"
    assert images["app-image"]["build"]["target"] == "dev"
    assert production().of_type(IMAGE)["app-image"]["build"]["target"] == "prod"


def test_image_from_elsewhere_is_not_built() -> None:
    recorder = production(app={"image": "registry.example.com/portal:7"})
    given = recorder.of_type(IMAGE)["app-image-given"]
    assert (given["name"], "build" in given) == ("registry.example.com/portal:7", False)
    configuration = "pulumi-python:dynamic/devportal:NginxConfiguration"
    [nginx] = recorder.of_type(configuration).values()
    assert nginx["assets"] == ""


def of_portal(url: str) -> dict[str, str]:
    return {"portal_url": url, "docs_url": f"{url}/docs", "health_url": f"{url}/health"}


def test_outputs_of_development_lead_to_everything_that_is_published() -> None:
    found = development().outputs
    assert {"postgres", "redis", "app"} <= set(found.pop("images"))
    assert found == {
        **of_portal("http://127.0.0.1:8000"),
        "replicas": 1,
        "network": "devportal-dev-network",
        "adminer_url": "http://127.0.0.1:8081",
        "redis_commander_url": "http://127.0.0.1:8082",
        "postgres_address": "127.0.0.1:5433",
        "redis_address": "127.0.0.1:6380",
    }


def test_outputs_are_of_the_address_and_the_ports_that_were_chosen() -> None:
    found = development(ports={"bind_address": "::1", "portal": 0}).outputs
    expected = {**of_portal("http://[::1]:20001"), "redis_address": "[::1]:6380"}
    assert {name: found[name] for name in expected} == expected


def test_outputs_of_production_are_of_its_domain() -> None:
    found = production(domain="portal.example.com", ports={"https": 0}, app={"replicas": 3}).outputs
    assert {"postgres", "redis", "app"} <= set(found.pop("images"))
    assert found == {
        **of_portal("https://portal.example.com:20001"),
        "replicas": 3,
        "network": "devportal-prod-app-network",
        "ca_certificate": "authority",
    }


def test_variables_and_secrets_of_the_teams_own_reach_the_portal_alone() -> None:
    own = {"environment": {"GREETING": "hello"}, "secrets": {"token": "s3cret-token"}}
    secrets = {"oidc_client_secret": "s3cret-of-oidc"}
    values = {"environment": "production", "app": own, "secrets": secrets}
    settings, mistakes = Settings.check(values, "prod")
    assert mistakes == []
    assert settings is not None
    recorder = record_portal(settings)
    variables = {name: one["envs"] for name, one in recorder.of_type(CONTAINER).items()}
    files = (
        "TOKEN_FILE=/run/secrets/token",
        "OIDC_CLIENT_SECRET_FILE=/run/secrets/oidc_client_secret",
    )
    for line in ("GREETING=hello", *files):
        assert [name for name, lines in variables.items() if line in lines] == ["app-1", "app-2"]
    written = {name: str(one["files"]) for name, one in recorder.of_type(FILES).items()}
    for secret in ("s3cret-token", "s3cret-of-oidc"):
        assert [name for name, files in written.items() if secret in files] == ["app-files"]
        assert secret not in str(recorder.of_type(CONTAINER))
