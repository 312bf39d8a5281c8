"""What the whole program registers, for development and for production."""

import json
from typing import Any

import pytest

from infra.naming import ROLE_LABEL, SPEC_LABEL, STACK_LABEL
from infra.settings import Settings
from tests.support.recording import (
    CONTAINER,
    FILES,
    IMAGE,
    NETWORK,
    READINESS,
    VOLUME,
    Recorder,
    load_settings,
    load_stack_file,
    record_portal,
)

DEVELOPMENT: dict[str, Any] = {
    "environment": "development",
    "devtools": True,
    "retain_data": False,
    "app": {"reload": True, "debug": True, "seed": True, "anonymous_reads": True},
}
NAMES = {
    "dev": {
        "postgres": "devportal-dev-postgres",
        "redis": "devportal-dev-redis",
        "app": "devportal-dev-app",
        "adminer": "devportal-dev-adminer",
        "redis-commander": "devportal-dev-redis-commander",
    },
    # A replica's name is Pulumi's, which makes another for the one that replaces it.
    "prod": {
        "postgres": "devportal-prod-postgres",
        "redis": "devportal-prod-redis",
        "migrations": "devportal-prod-migrations",
        "app-1": None,
        "app-2": None,
        "nginx": "devportal-prod-nginx",
        "backups": "devportal-prod-backups",
    },
}
PORTAL_SECRETS = {"database_url", "redis_url", "secret_key", "jwt_secret_key"}
MIGRATION_SECRETS = {"migration_database_url", "admin_password"}


def development(**changes: Any) -> Settings:
    return load_settings("dev", **{**DEVELOPMENT, **changes})


def production(**changes: Any) -> Settings:
    return load_settings("prod", environment="production", **changes)


@pytest.fixture(scope="module")
def dev() -> Recorder:
    return record_portal(load_stack_file("dev"))


@pytest.fixture(scope="module")
def prod() -> Recorder:
    return record_portal(load_stack_file("prod"))


@pytest.fixture(scope="module")
def plain_prod() -> Recorder:
    """Production with no setting but that."""
    return record_portal(production())


@pytest.fixture(params=["dev", "prod"])
def either(request: pytest.FixtureRequest) -> Recorder:
    """The whole program with each of the repository's stack files."""
    return request.getfixturevalue(request.param)


def labels_of(inputs: dict[str, Any]) -> dict[str, str]:
    return {entry["label"]: entry["value"] for entry in inputs["labels"]}


def environment_of(recorder: Recorder, name: str) -> dict[str, str]:
    variables = recorder.of_type(CONTAINER)[name]["envs"]
    return dict(variable.split("=", 1) for variable in variables)


def secret_files(recorder: Recorder, role: str) -> set[str]:
    files = recorder.of_type(FILES)[f"{role}-files"]["files"]
    return set(files.get("value", files))


def published(recorder: Recorder) -> dict[str, list[tuple[str, int, int, str]]]:
    """Address, port of the host, port of the container and protocol, by container."""
    return {
        name: [
            (port["ip"], port["external"], port["internal"], port["protocol"])
            for port in container["ports"]
        ]
        for name, container in recorder.of_type(CONTAINER).items()
        if container.get("ports")
    }


def specifications(recorder: Recorder) -> dict[str, str]:
    containers = recorder.of_type(CONTAINER)
    return {name: labels_of(inputs)[SPEC_LABEL] for name, inputs in containers.items()}


def replaced(before: Recorder, after: Recorder) -> set[str]:
    """Containers that an update from one to the other replaces, by their specification."""
    old, new = specifications(before), specifications(after)
    return {name for name in old if old[name] != new.get(name)}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_runs_these_containers(stack: str, request: pytest.FixtureRequest) -> None:
    containers = request.getfixturevalue(stack).of_type(CONTAINER)
    assert {name: inputs.get("name") for name, inputs in containers.items()} == NAMES[stack]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_is_labelled_with_its_stack_and_role(
    stack: str, request: pytest.FixtureRequest
) -> None:
    recorder: Recorder = request.getfixturevalue(stack)
    for kind in (CONTAINER, NETWORK, VOLUME):
        assert recorder.of_type(kind)
        for name, inputs in recorder.of_type(kind).items():
            labels = labels_of(inputs)
            assert labels[STACK_LABEL] == stack
            physical = inputs.get("name") or f"devportal-{stack}-{name.rpartition('-')[0]}"
            assert physical == f"devportal-{stack}-{labels[ROLE_LABEL]}"


def test_everything_of_the_engine_uses_the_stacks_own_provider(either: Recorder) -> None:
    providers = {
        resource.provider.rpartition("::")[0].rpartition("::")[2]
        for resource in either.resources
        if resource.type.startswith("docker:")
    }
    assert providers == {"docker"}


def test_every_container_is_hardened(either: Recorder) -> None:
    for container in either.of_type(CONTAINER).values():
        user, _, group = container["user"].partition(":")
        assert int(user) > 0
        assert int(group) > 0
        assert container["readOnly"] is True
        assert container["capabilities"] == {"drops": ["ALL"]}
        assert container["securityOpts"] == ["no-new-privileges:true"]
        assert container["memory"] == container["memorySwap"] > 0
        assert float(container["cpus"]) > 0
        assert "privileged" not in container


def test_networks_are_one_in_development_and_three_in_production(
    dev: Recorder, prod: Recorder
) -> None:
    def internal(recorder: Recorder) -> dict[str, bool]:
        return {n["name"]: n["internal"] for n in recorder.of_type(NETWORK).values()}

    assert internal(dev) == {"devportal-dev-network": False}
    assert internal(prod) == {
        "devportal-prod-edge-network": False,
        "devportal-prod-app-network": False,
        "devportal-prod-data-network": True,
    }


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("postgres", ["data"]),
        ("redis", ["data"]),
        ("migrations", ["app", "data"]),
        ("app-1", ["app", "data"]),
        ("nginx", ["edge", "app"]),
        ("backups", ["data"]),
    ],
)
def test_production_container_is_on_no_other_network(
    prod: Recorder, name: str, networks: list[str]
) -> None:
    container = prod.of_type(CONTAINER)[name]
    assert [n["name"] for n in container["networksAdvanced"]] == [
        f"devportal-prod-{network}-network" for network in networks
    ]


def test_development_publishes_the_ports_of_the_plan_on_loopback_only(dev: Recorder) -> None:
    assert published(dev) == {
        "app": [("127.0.0.1", 8000, 8000, "tcp")],
        "postgres": [("127.0.0.1", 5433, 5432, "tcp")],
        "redis": [("127.0.0.1", 6380, 6379, "tcp")],
        "adminer": [("127.0.0.1", 8081, 8080, "tcp")],
        "redis-commander": [("127.0.0.1", 8082, 8081, "tcp")],
    }


def test_production_publishes_no_port_but_those_of_nginx_in_the_providers_order() -> None:
    recorder = record_portal(production(nginx={"http3": True}))
    assert published(recorder) == {
        "nginx": [
            ("127.0.0.1", 80, 8080, "tcp"),
            ("127.0.0.1", 443, 8443, "tcp"),
            ("127.0.0.1", 443, 8443, "udp"),
        ]
    }


@pytest.mark.parametrize(
    ("stack", "role", "secrets"),
    [
        ("dev", "app", PORTAL_SECRETS | MIGRATION_SECRETS),
        ("prod", "app", PORTAL_SECRETS),
        ("prod", "migrations", PORTAL_SECRETS | MIGRATION_SECRETS),
        ("prod", "redis", {"users.acl"}),
        ("prod", "backups", {"pgpass"}),
        (
            "prod",
            "postgres",
            {"postgres_password", "migrator_password", "app_password", "backup_password"},
        ),
    ],
)
def test_secrets_of_a_container_are_these_files(
    stack: str, role: str, secrets: set[str], request: pytest.FixtureRequest
) -> None:
    assert secret_files(request.getfixturevalue(stack), role) == secrets


@pytest.mark.parametrize(
    ("stack", "name", "secrets", "migrate"),
    [
        ("dev", "app", PORTAL_SECRETS | MIGRATION_SECRETS, "true"),
        ("prod", "app-1", PORTAL_SECRETS, "false"),
        ("prod", "migrations", PORTAL_SECRETS | MIGRATION_SECRETS, None),
    ],
)
def test_portal_reads_its_secrets_from_files_and_migrates_in_development_alone(
    stack: str, name: str, secrets: set[str], migrate: str, request: pytest.FixtureRequest
) -> None:
    environment = environment_of(request.getfixturevalue(stack), name)
    named = {key: value for key, value in environment.items() if key.endswith("_FILE")}
    assert named == {f"{secret.upper()}_FILE": f"/run/secrets/{secret}" for secret in secrets}
    assert environment.get("MIGRATE") == migrate


def test_secret_is_in_no_container_and_no_output(either: Recorder) -> None:
    shown = json.dumps([either.of_type(CONTAINER), either.outputs], default=str)
    assert "generated-secret" not in shown


def test_migrations_are_done_before_the_first_replica_and_the_first_backup(
    prod: Recorder,
) -> None:
    for name in ("app-1", "app-2", "backups"):
        assert (READINESS, "migrations-readiness") in prod.before(CONTAINER, name)
    for store in ("postgres", "redis"):
        assert (READINESS, f"{store}-readiness") in prod.before(CONTAINER, "migrations")


def test_first_backup_of_a_development_stack_follows_the_portal() -> None:
    recorder = record_portal(development(backups={"enabled": True}))
    assert (READINESS, "app-readiness") in recorder.before(CONTAINER, "backups")


def test_replicas_are_created_anew_without_their_own_migrations_being_an_input(
    prod: Recorder,
) -> None:
    """An input from the job's outputs would have Pulumi delete replicas with the job."""
    assert "migrations" not in json.dumps(prod.of_type(CONTAINER)["app-1"], default=str)


@pytest.mark.parametrize("name", ["postgres", "redis", "app-1", "app-2", "migrations"])
def test_nothing_but_an_image_and_secrets_of_its_own_volume_stays_behind_a_container(
    prod: Recorder, name: str
) -> None:
    """A whole component as a dependency would make its volume wait for this container."""
    own = name.partition("-")[0]
    volumes = {volume for kind, volume in prod.before(CONTAINER, name) if kind == VOLUME}
    earlier = {"postgres", "redis", "migrations", "app"}
    assert {volume.partition("-")[0] for volume in volumes} <= earlier | {own}


def test_migration_may_take_longer_than_a_container_to_become_healthy(prod: Recorder) -> None:
    waits = {name: props["wait_seconds"] for name, props in prod.of_type(READINESS).items()}
    assert (waits["migrations-readiness"], waits["app-1-readiness"]) == (3600, 120)


def test_job_of_migrations_runs_the_portals_image_once(prod: Recorder) -> None:
    containers = prod.of_type(CONTAINER)
    job = containers["migrations"]
    assert job["image"] == containers["app-1"]["image"]
    assert job["command"] == ["python", "-m", "app", "migrate", "create-admin"]
    assert job["restart"] == "no"


@pytest.mark.parametrize(
    ("change", "containers"),
    [
        ({"app": {"version": "2"}}, {"migrations", "app-1", "app-2"}),
        ({"app": {"log_level": "debug"}}, {"app-1", "app-2"}),
        ({"app": {"drain_seconds": 60}}, {"app-1", "app-2"}),
        ({"app": {"admin_email": "root@example.com"}}, {"migrations", "app-1", "app-2"}),
        ({"app": {"memory_mb": 1024}}, set()),
        ({"app": {"cpus": 0.5}}, {"app-1", "app-2", "migrations"}),
        ({"postgres": {"fresh_start": "today"}}, {"postgres", "migrations"}),
        ({"redis": {"max_memory_mb": 128}}, {"redis"}),
        ({"domain": "portal.example.com"}, set()),
        ({"restart": "always"}, set()),
    ],
)
def test_change_of_a_setting_replaces_these_containers(
    plain_prod: Recorder, change: dict[str, Any], containers: set[str]
) -> None:
    assert replaced(plain_prod, record_portal(production(**change))) == containers


def test_backups_are_taken_where_they_are_enabled() -> None:
    assert "backups" in record_portal(development(backups={"enabled": True})).of_type(CONTAINER)
    disabled = record_portal(production(backups={"enabled": False}))
    assert "backups" not in disabled.of_type(CONTAINER)


def test_backups_go_to_a_folder_of_the_host_where_one_is_named() -> None:
    recorder = record_portal(production(backups={"host_folder": "/srv/b"}))
    [store] = [
        mount
        for mount in recorder.of_type(CONTAINER)["backups"]["mounts"]
        if mount["target"] == "/backups"
    ]
    assert (store["type"], store["source"]) == ("bind", "/srv/b")
    assert "backups-data" not in recorder.of_type(VOLUME)


def test_development_tools_run_where_they_are_enabled() -> None:
    recorder = record_portal(development(devtools=False))
    assert set(recorder.of_type(CONTAINER)) == {"postgres", "redis", "app"}
    assert {"adminer_url", "redis_commander_url"}.isdisjoint(recorder.outputs)


def test_image_of_the_portal_follows_its_settings(dev: Recorder, prod: Recorder) -> None:
    targets = [r.of_type(IMAGE)["app-image"]["build"]["target"] for r in (dev, prod)]
    assert targets == ["dev", "prod"]
    images = record_portal(development(app={"version": "1.4"})).of_type(IMAGE)
    assert images["app-image"]["name"] == "devportal-dev-app:1.4"
    assert images["redis-image"]["name"] == "devportal-dev-redis:latest"


def test_image_from_elsewhere_is_not_built() -> None:
    recorder = record_portal(production(app={"image": "registry.example.com/portal:7"}))
    given = recorder.of_type(IMAGE)["app-image-given"]
    assert (given["name"], "build" in given) == ("registry.example.com/portal:7", False)
    configuration = "pulumi-python:dynamic/devportal:NginxConfiguration"
    [nginx] = recorder.of_type(configuration).values()
    assert nginx["assets"] == ""


def test_stacks_share_no_name() -> None:
    def names(stack: str) -> set[str]:
        recorder = record_portal(load_settings(stack, **DEVELOPMENT))
        kinds = (CONTAINER, NETWORK, VOLUME, IMAGE)
        return {item["name"] for kind in kinds for item in recorder.of_type(kind).values()}

    assert names("one").isdisjoint(names("two"))


def test_every_mount_but_reloaded_code_is_a_volume(dev: Recorder) -> None:
    binds = [
        (role, mount["target"], mount["readOnly"])
        for role, container in dev.of_type(CONTAINER).items()
        for mount in container["mounts"]
        if mount["type"] == "bind"
    ]
    assert binds == [("app", "/srv/portal/app", True)]


def test_secrets_are_mounted_read_only(either: Recorder) -> None:
    for name, container in either.of_type(CONTAINER).items():
        mounts = [m for m in container["mounts"] if m["target"] == "/run/secrets"]
        assert [mount["readOnly"] for mount in mounts] == ([] if name == "nginx" else [True])


@pytest.mark.parametrize(
    ("settings", "outputs"),
    [
        (
            development(),
            {
                "portal_url": "http://127.0.0.1:8000",
                "docs_url": "http://127.0.0.1:8000/docs",
                "health_url": "http://127.0.0.1:8000/health",
                "replicas": 1,
                "network": "devportal-dev-network",
                "adminer_url": "http://127.0.0.1:8081",
                "redis_commander_url": "http://127.0.0.1:8082",
                "postgres_address": "127.0.0.1:5433",
                "redis_address": "127.0.0.1:6380",
            },
        ),
        (
            development(devtools=False, ports={"bind_address": "::1", "portal": 0}),
            {
                "portal_url": "http://[::1]:20001",
                "docs_url": "http://[::1]:20001/docs",
                "health_url": "http://[::1]:20001/health",
                "replicas": 1,
                "network": "devportal-dev-network",
                "postgres_address": "[::1]:5433",
                "redis_address": "[::1]:6380",
            },
        ),
        (
            production(domain="portal.example.com", ports={"https": 0}, app={"replicas": 3}),
            {
                "portal_url": "https://portal.example.com:20001",
                "docs_url": "https://portal.example.com:20001/docs",
                "health_url": "https://portal.example.com:20001/health",
                "replicas": 3,
                "network": "devportal-prod-app-network",
                "ca_certificate": None,
            },
        ),
    ],
)
def test_outputs_are_these(settings: Settings, outputs: dict[str, Any]) -> None:
    found = dict(record_portal(settings).outputs)
    images = found.pop("images")
    assert found == outputs
    assert {"postgres", "redis", "app"} <= set(images)
