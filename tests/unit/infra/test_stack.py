"""What the whole program registers for the repository's two stack files."""

import json
from functools import cache
from typing import Any

import pytest

from infra.naming import CONTAINER, NETWORK, ROLE_LABEL, STACK_LABEL, VOLUME
from tests.support.recording import (
    FILES,
    READINESS,
    Recorder,
    labels_of,
    load_stack_file,
    published,
    record_portal,
)

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


BOTH = pytest.mark.parametrize("stack", ["dev", "prod"])


@cache
def registered(stack: str) -> Recorder:
    """Everything of `Pulumi.<stack>.yaml`."""
    return record_portal(load_stack_file(stack))


def containers(stack: str) -> dict[str, dict[str, Any]]:
    return registered(stack).of_type(CONTAINER)


def before(container: str) -> set[tuple[str, str]]:
    """What production creates before one of its containers."""
    return registered("prod").before(CONTAINER, container)


@BOTH
def test_stack_runs_these_containers(stack: str) -> None:
    found = {name: inputs.get("name") for name, inputs in containers(stack).items()}
    assert found == NAMES[stack]


@BOTH
def test_everything_is_labelled_with_its_stack_and_role(stack: str) -> None:
    for kind in (CONTAINER, NETWORK, VOLUME):
        assert registered(stack).of_type(kind)
        for name, inputs in registered(stack).of_type(kind).items():
            labels = labels_of(inputs)
            assert labels[STACK_LABEL] == stack
            physical = inputs.get("name") or f"devportal-{stack}-{name.rpartition('-')[0]}"
            assert physical == f"devportal-{stack}-{labels[ROLE_LABEL]}"


@BOTH
def test_everything_of_the_engine_uses_the_stacks_own_provider(stack: str) -> None:
    providers = {
        resource.provider.rpartition("::")[0].rpartition("::")[2]
        for resource in registered(stack).resources
        if resource.type.startswith("docker:")
    }
    assert providers == {"docker"}


@pytest.mark.parametrize(
    ("stack", "is_internal"),
    [
        ("dev", {"network": False}),
        ("prod", {"edge-network": False, "app-network": True, "data-network": True}),
    ],
)
def test_networks_are_one_in_development_and_three_in_production(
    stack: str, is_internal: dict[str, bool]
) -> None:
    networks = registered(stack).of_type(NETWORK).values()
    found = {network["name"]: network["internal"] for network in networks}
    assert found == {f"devportal-{stack}-{name}": value for name, value in is_internal.items()}


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
def test_production_container_is_on_no_other_network(name: str, networks: list[str]) -> None:
    found = [network["name"] for network in containers("prod")[name]["networksAdvanced"]]
    assert found == [f"devportal-prod-{network}-network" for network in networks]


@pytest.mark.parametrize(
    "switched_on", [{"webhooks_enabled": True}, {"oidc_issuer": "https://id.example.com"}]
)
def test_replicas_alone_get_a_way_out_and_only_for_what_is_switched_on(
    switched_on: dict[str, object],
) -> None:
    settings = load_stack_file("prod")
    app = settings.app.model_copy(update=switched_on)
    found = record_portal(settings.model_copy(update={"app": app}))
    networks = {network["name"]: network["internal"] for network in found.of_type(NETWORK).values()}
    assert networks["devportal-prod-egress-network"] is False
    on_it = {
        name
        for name, container in found.of_type(CONTAINER).items()
        for network in container["networksAdvanced"]
        if network["name"] == "devportal-prod-egress-network"
    }
    assert on_it == {"app-1", "app-2"}


def test_development_publishes_the_ports_of_the_plan_on_loopback_only() -> None:
    assert published(registered("dev")) == {
        "app": [("127.0.0.1", 8000, 8000, "tcp")],
        "postgres": [("127.0.0.1", 5433, 5432, "tcp")],
        "redis": [("127.0.0.1", 6380, 6379, "tcp")],
        "adminer": [("127.0.0.1", 8081, 8080, "tcp")],
        "redis-commander": [("127.0.0.1", 8082, 8081, "tcp")],
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
def test_secrets_of_a_container_are_these_files(stack: str, role: str, secrets: set[str]) -> None:
    assert files_of(stack, role) == secrets


def files_of(stack: str, role: str) -> set[str]:
    files = registered(stack).of_type(FILES)[f"{role}-files"]["files"]
    return set(files.get("value", files))


@pytest.mark.parametrize(
    ("stack", "name", "migrate"),
    [("dev", "app", "true"), ("prod", "app-1", "false"), ("prod", "migrations", None)],
)
def test_portal_reads_its_secrets_from_files_and_migrates_in_development_alone(
    stack: str, name: str, migrate: str
) -> None:
    environment = dict(line.split("=", 1) for line in containers(stack)[name]["envs"])
    named = {key: value for key, value in environment.items() if key.endswith("_FILE")}
    secrets = files_of(stack, name.removesuffix("-1"))
    assert named == {f"{secret.upper()}_FILE": f"/run/secrets/{secret}" for secret in secrets}
    assert environment.get("MIGRATE") == migrate


@BOTH
def test_secret_is_in_no_container_and_no_output(stack: str) -> None:
    shown = json.dumps([containers(stack), registered(stack).outputs], default=str)
    assert "generated-secret" not in shown


def test_migrations_are_done_before_the_first_replica_and_the_first_backup() -> None:
    for name in ("app-1", "app-2", "backups"):
        assert (READINESS, "migrations-readiness") in before(name)
    for store in ("postgres", "redis"):
        assert (READINESS, f"{store}-readiness") in before("migrations")


def test_replicas_are_created_anew_without_their_own_migrations_being_an_input() -> None:
    """An input from the job's outputs would have Pulumi delete replicas with the job."""
    assert "migrations" not in json.dumps(containers("prod")["app-1"], default=str)


@pytest.mark.parametrize("name", ["postgres", "redis", "app-1", "app-2", "migrations"])
def test_nothing_but_an_image_and_secrets_of_its_own_volume_stays_behind_a_container(
    name: str,
) -> None:
    """A whole component as a dependency would make its volume wait for this container."""
    volumes = {volume.partition("-")[0] for kind, volume in before(name) if kind == VOLUME}
    assert volumes <= {"postgres", "redis", "migrations", "app", name.partition("-")[0]}


def test_migration_may_take_longer_than_a_container_to_become_healthy() -> None:
    ready = registered("prod").of_type(READINESS)
    waits = [ready[f"{name}-readiness"]["wait_seconds"] for name in ("migrations", "app-1")]
    assert waits == [3600, 120]


def test_job_of_migrations_runs_the_portals_image_once() -> None:
    job = containers("prod")["migrations"]
    assert job["image"] == containers("prod")["app-1"]["image"]
    assert job["command"] == ["python", "-m", "app", "migrate", "create-admin"]
    assert job["restart"] == "no"


def test_every_mount_but_reloaded_code_is_a_volume() -> None:
    binds = [
        (role, mount["target"], mount["readOnly"])
        for role, container in containers("dev").items()
        for mount in container["mounts"]
        if mount["type"] == "bind"
    ]
    assert binds == [("app", "/srv/portal/app", True)]


@BOTH
def test_secrets_are_mounted_read_only(stack: str) -> None:
    for name, container in containers(stack).items():
        mounts = [m for m in container["mounts"] if m["target"] == "/run/secrets"]
        assert [mount["readOnly"] for mount in mounts] == ([] if name == "nginx" else [True])
