"""Each rule refuses what it is for, with its whole message, and allows everything of the stacks."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from app.settings import Environment
from infra.naming import CONTAINER, NETWORK, SERVICE, VOLUME
from infra.settings.policies import PolicySettings
from policy import rules
from policy.pack import RULES, find_reason
from policy.resource import Resource
from tests.support.recording import clustered, load_stack_file, record_portal, watched

STACK_LABEL_ALONE = [{"label": "devportal.stack", "value": "prod"}]
NO_LABELS = (
    "should be labelled with its stack and role (got no devportal.role). Take Naming.labels."
)
REFUSED: list[tuple[str, str, str, Mapping[str, Any], str]] = [
    (
        "not_privileged",
        "prod",
        "app-1",
        {"privileged": True},
        "should not be privileged (got privileged). Remove it.",
    ),
    (
        "not_privileged",
        "prod",
        "app-1",
        {"devices": [{"hostPath": "/dev/kvm"}]},
        "should have no device of the host (got /dev/kvm). Remove it.",
    ),
    *(
        (
            "no_docker_socket",
            "prod",
            "backups",
            mounts,
            f"should not reach the engine's socket, which is root on the host (got a mount of "
            f"{path}). Remove the mount.",
        )
        for path, mounts in {
            "/run/docker.sock": {"mounts": [{"type": "bind", "source": "/run/docker.sock"}]},
            "/var/run": {"volumes": [{"hostPath": "/var/run"}]},
            "/": {"mounts": [{"type": "bind", "source": "/"}]},
        }.items()
    ),
    (
        "no_host_namespaces",
        "dev",
        "redis",
        {"networkMode": "host", "pidMode": "host"},
        "should share no namespace with the host (got networkMode, pidMode host). Remove it.",
    ),
    *(
        (
            "not_root",
            "prod",
            "nginx",
            {"user": user},
            f"should have a numeric user other than root (got {shown}). Give uid and gid.",
        )
        for user, shown in {None: "nothing", "0:0": "0:0", "root": "root", "1:0": "1:0"}.items()
    ),
    (
        "read_only_root",
        "prod",
        "nginx",
        {"readOnly": False},
        "should have a read-only root (got a writable one). Use tmpfs_mb for what it writes.",
    ),
    (
        "no_capabilities",
        "prod",
        "nginx",
        {"capabilities": {"drops": ["ALL"], "adds": ["NET_BIND_SERVICE"]}},
        "should drop all capabilities and add none (got ALL dropped, NET_BIND_SERVICE added). "
        "Do without them.",
    ),
    (
        "no_capabilities",
        "prod",
        "nginx",
        {"capabilities": None},
        "should drop all capabilities and add none (got none dropped, none added). "
        "Do without them.",
    ),
    *(
        (
            "confined",
            "prod",
            "nginx",
            {"securityOpts": options},
            "should have no-new-privileges:true and the engine's own profiles (got "
            f"{', '.join(options) or 'none'}). Correct securityOpts.",
        )
        for options in ([], ["no-new-privileges:true", "seccomp=unconfined"])
    ),
    (
        "limits",
        "dev",
        "postgres",
        {"memorySwap": 1024, "cpus": None},
        "should have limits of memory and processors, and no swap (got memory 512, memorySwap "
        "1024, cpus nothing). Set them.",
    ),
    (
        "health_check",
        "dev",
        "app",
        {"healthcheck": {"tests": ["NONE"]}},
        "should have a health check (got NONE). Add one, or run it as a job.",
    ),
    (
        "health_check",
        "prod",
        "app-1",
        {"healthcheck": None},
        "should have a health check (got none). Add one, or run it as a job.",
    ),
    (
        "restart_policy",
        "dev",
        "app",
        {"restart": "no"},
        "should be started again when it ends (got no). Set restart.",
    ),
    (
        "stop_grace",
        "prod",
        "postgres",
        {"destroyGraceSeconds": None},
        "should have time to stop when it is removed (got none). Set destroyGraceSeconds.",
    ),
    (
        "log_rotation",
        "prod",
        "app-1",
        {"logDriver": "json-file", "logOpts": {"max-size": "10m"}},
        "should rotate its log (got json-file with max-size). Set max-size and max-file.",
    ),
    (
        "pinned_image",
        "prod",
        "app-1",
        {"image": "nginx:latest"},
        "should name its image by digest (got nginx:latest). Use the id of a RemoteImage.",
    ),
    ("labels", "prod", "app-1", {"labels": STACK_LABEL_ALONE}, NO_LABELS),
    ("labels", "prod", "app-network", {"labels": STACK_LABEL_ALONE}, NO_LABELS),
    ("labels", "prod", "redis-data", {"labels": STACK_LABEL_ALONE}, NO_LABELS),
    *(
        (
            "no_secret_in_environment",
            "prod",
            "app-1",
            {"envs": ["APP_ENV=production", f"{name}={value}"]},
            "should have no secret in its environment, which anybody with the engine can read "
            f"(got {name}). Put it into secret_files, and name the file in {name}_FILE.",
        )
        for name, value in {
            "REDIS_PASSWORD": "x",
            "JWT_SECRET_KEY": "x",
            "DATABASE": "postgresql://app:x@postgres/devportal",
        }.items()
    ),
    *(
        (
            "loopback_only",
            "dev",
            "postgres",
            {"ports": [{"internal": 5432, "external": 5433, "ip": given}]},
            f"should publish its ports on loopback alone in development (got {shown}). "
            "Set ports.bind_address.",
        )
        for given, shown in {None: "0.0.0.0", "::": "::", "192.0.2.1": "192.0.2.1"}.items()
    ),
    (
        "only_nginx_publishes",
        "prod",
        "redis",
        {"ports": [{"internal": 6379.0, "external": 6379.0, "ip": "127.0.0.1"}]},
        "should publish no port in production (got 6379). Let nginx lead to it.",
    ),
    (
        "only_nginx_publishes",
        "prod",
        "redis",
        {"publishAllPorts": True},
        "should publish no port in production (got all). Let nginx lead to it.",
    ),
    (
        "only_nginx_publishes",
        "watched",
        "prometheus",
        {"ports": [{"internal": 9090.0, "external": 9090.0, "ip": "0.0.0.0"}]},
        "should publish no port in production (got 9090). Let nginx lead to it.",
    ),
]


_SETTINGS = {"watched": watched, "swarm": clustered}


@cache
def resources(stack: str, environment: Environment | None = None) -> tuple[Resource, ...]:
    """Everything that the program asks for; see `_SETTINGS` for those that have no file."""
    settings = _SETTINGS[stack]() if stack in _SETTINGS else load_stack_file(stack)
    found = record_portal(settings).resources
    return tuple(
        Resource(
            type=resource.type,
            name=resource.name,
            inputs=resource.inputs,
            protect=resource.protect,
            environment=environment or settings.environment,
        )
        for resource in found
    )


def named(stack: str, name: str) -> Resource:
    """A container, network or volume."""
    [found] = [r for r in resources(stack) if r.name == name and r.type in RULES]
    return found


def broken(resource: Resource) -> dict[str, str]:
    """Every broken rule, and why."""
    reasons = {rule.__name__: find_reason(rule, resource) for rule in RULES[resource.type]}
    return {name: reason for name, reason in reasons.items() if reason}


@pytest.mark.parametrize(("rule", "stack", "name", "change", "reason"), REFUSED)
def test_rule_refuses(
    rule: str, stack: str, name: str, change: Mapping[str, Any], reason: str
) -> None:
    resource = named(stack, name)
    kind = {CONTAINER: "container", NETWORK: "network", VOLUME: "volume"}[resource.type]
    changed = replace(resource, inputs={**resource.inputs, **change})
    assert broken(changed) == {rule: f"{kind} {name}: {reason}"}


OF_SERVICES: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
    ("no_docker_socket", {"mounts": [{"type": "bind", "source": "/run/docker.sock"}]}, {}),
    ("not_root", {"user": "0:0"}, {}),
    ("read_only_root", {"readOnly": False}, {}),
    ("no_capabilities", {"capDrops": None}, {}),
    ("no_capabilities", {"capAdds": ["NET_RAW"]}, {}),
    ("limits", {}, {"resources": {"limits": {"memoryBytes": 1}}}),
    ("health_check", {"healthcheck": {"tests": ["NONE"]}}, {}),
    ("restart_policy", {}, {"restartPolicy": {"condition": "none"}}),
    ("stop_grace", {"stopGracePeriod": None}, {}),
    ("log_rotation", {}, {"logDriver": {"name": "json-file"}}),
    ("pinned_image", {"image": "registry.example.com/app:1"}, {}),
    ("no_secret_in_environment", {"env": {"REDIS_PASSWORD": "x"}}, {}),
]


@pytest.mark.parametrize(("rule", "spec", "task"), OF_SERVICES)
def test_rule_refuses_the_same_of_a_service(
    rule: str, spec: Mapping[str, Any], task: Mapping[str, Any]
) -> None:
    [service] = [r for r in resources("swarm") if (r.type, r.name) == (SERVICE, "app")]
    given = service.inputs["taskSpec"]
    changed = {**given, **task, "containerSpec": {**given["containerSpec"], **spec}}
    found = broken(replace(service, inputs={**service.inputs, "taskSpec": changed}))
    assert list(found) == [rule]
    assert found[rule].startswith("service app: should ")


def test_only_nginx_publishes_ports_of_nodes() -> None:
    [service] = [r for r in resources("swarm") if (r.type, r.name) == (SERVICE, "app")]
    published = {"endpointSpec": {"ports": [{"targetPort": 8000}]}}
    assert broken(replace(service, inputs={**service.inputs, **published})) == {
        "only_nginx_publishes": "service app: should publish no port in production (got 8000). "
        "Let nginx lead to it."
    }


def test_protected_data_refuses_a_volume_that_production_could_lose() -> None:
    assert broken(replace(named("prod", "postgres-data"), protect=False)) == {
        "protected_data": "volume postgres-data: should be protected in production (got no "
        "protection). Set retain_data; to delete the data on purpose, set policies.protected_data "
        "to advisory."
    }


def test_no_development_tools_refuses_them_in_production() -> None:
    adminer = replace(named("dev", "adminer"), environment=Environment.PRODUCTION)
    assert broken(adminer)["no_development_tools"] == (
        "container adminer: should not run in production (got adminer). Use it in development."
    )


@pytest.mark.parametrize("stack", ["dev", "prod", "watched", "swarm"])
def test_stack_of_the_repository_breaks_no_rule(stack: str) -> None:
    found = [resource for resource in resources(stack) if resource.type in RULES]
    assert len(found) > 8
    assert [broken(resource) for resource in found] == [{}] * len(found)


@pytest.mark.parametrize(
    "change",
    [
        {"envs": ["REDIS_PASSWORD=", "JWT_SECRET_KEY_FILE=/run/secrets/jwt_secret_key"]},
        {"image": f"registry.example.com/portal@sha256:{'0' * 64}"},
        {"mounts": [{"type": "bind", "source": "/srv/run", "target": "/run"}]},
        {"logDriver": "local", "restart": "on-failure", "user": "1000"},
    ],
)
def test_what_is_as_safe_is_allowed(change: Mapping[str, Any]) -> None:
    resource = named("prod", "app-1")
    assert broken(replace(resource, inputs={**resource.inputs, **change})) == {}


def test_every_rule_has_a_level_and_a_refusing_test() -> None:
    names = {name for name, rule in vars(rules).items() if _is_rule(name, rule)}
    assert names == set(PolicySettings.model_fields)
    assert names == {rule.__name__ for of_type in RULES.values() for rule in of_type}
    assert names == {rule for rule, *_ in REFUSED} | {"protected_data", "no_development_tools"}


def _is_rule(name: str, found: object) -> bool:
    return getattr(found, "__module__", "") == rules.__name__ and not name.startswith("_")
