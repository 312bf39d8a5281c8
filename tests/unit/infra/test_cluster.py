"""What a stack on a swarm asks for: its services, their protection, their nodes."""

import base64
import io
import re
import tarfile
from functools import cache
from typing import Any

import pytest
import yaml

from infra.cluster.elections import is_worth_another_try
from infra.cluster.nginx import pack
from infra.cluster.nodes import node_mistakes
from infra.naming import CONTAINER, NETWORK, SERVICE, VOLUME
from infra.resources.build_context import ROOT
from tests.support.recording import Recorder, clustered, labels_of, record_portal

SECRET = "docker:index/secret:Secret"
CONFIG = "docker:index/serviceConfig:ServiceConfig"
TRIAL = "pulumi-python:dynamic/devportal:NginxTrial"
READINESS = "pulumi-python:dynamic/devportal:ServiceReadiness"
STORE, EDGE = "node.labels.devportal.store==true", "node.labels.devportal.edge==true"
USERS = {
    "postgres": ("70", "70"),
    "redis": ("999", "1000"),
    "migrations": ("10001", "10001"),
    "app": ("10001", "10001"),
    "backups": ("70", "70"),
    "nginx": ("101", "101"),
}
PLANS: dict[str, tuple[int, str | None, str, str, str]] = {
    "postgres": (1, STORE, "any", "stop-first", "pause"),
    "redis": (1, STORE, "any", "stop-first", "pause"),
    "migrations": (1, STORE, "none", "stop-first", "continue"),
    "app": (2, None, "any", "start-first", "rollback"),
    "backups": (1, STORE, "any", "stop-first", "pause"),
    "nginx": (0, EDGE, "any", "stop-first", "rollback"),
}
"""Tasks (0 for one on each node), place, restart, order of an update, what a failed one does."""
ROLES = pytest.mark.parametrize("role", list(PLANS))


@cache
def registered() -> Recorder:
    return record_portal(clustered())


def service(role: str) -> dict[str, Any]:
    return registered().of_type(SERVICE)[role]


def task(role: str) -> dict[str, Any]:
    return service(role)["taskSpec"]


def test_stack_runs_these_services_and_no_container() -> None:
    found = {name: inputs["name"] for name, inputs in registered().of_type(SERVICE).items()}
    assert found == {role: f"devportal-prod-{role}" for role in PLANS}
    assert registered().of_type(CONTAINER) == {}


@ROLES
def test_service_has_its_tasks_place_and_way_of_updating(role: str) -> None:
    inputs, update = service(role), service(role)["updateConfig"]
    [constraint] = task(role)["placement"].get("constraints") or [None]
    mode = inputs["mode"]
    found = (
        0 if mode.get("global") else mode["replicated"]["replicas"],
        constraint,
        task(role)["restartPolicy"]["condition"],
        update["order"],
        update["failureAction"],
    )
    assert found == PLANS[role]
    assert update["parallelism"] == 1


@ROLES
def test_every_task_has_its_image_user_and_limits_and_no_folder_of_its_node(role: str) -> None:
    spec, limits = task(role)["containerSpec"], task(role)["resources"]["limits"]
    assert spec["user"] == ":".join(USERS[role])
    assert spec["init"]
    assert limits["memoryBytes"] >= 256 << 20
    assert limits["nanoCpus"] >= 500_000_000
    assert spec["image"].startswith(f"registry.example.com/hub/devportal-prod-{image_of(role)}@")
    assert {mount["type"] for mount in spec["mounts"]} <= {"tmpfs", "volume"}


def image_of(role: str) -> str:
    return "app" if role == "migrations" else role


@ROLES
def test_secrets_are_files_of_the_services_user_alone(role: str) -> None:
    uid, gid = USERS[role]
    files = task(role)["containerSpec"]["secrets"]
    assert files
    for file in files:
        assert file["fileName"].startswith("/run/secrets/")
        assert (file["fileUid"], file["fileGid"], file["fileMode"]) == (uid, gid, 0o400)
        # Named by Pulumi: another text is another secret, made before the old one goes.
        made = registered().of_type(SECRET)[file["secretId"].removesuffix("-id")]
        assert "name" not in made
        assert labels_of(made) == {"devportal.stack": "prod", "devportal.role": role}


LOST = "code = Unknown desc = raft: failed to process the request: node lost leader status"


def test_whatever_is_made_on_a_swarm_is_tried_again_after_an_election() -> None:
    made = [one for one in registered().resources if not one.type.startswith("devportal:infra:")]
    without = {one.type for one in made if one.error_hooks != ["outlast-election"]}
    assert without == {"pulumi:providers:docker"}


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([f"1 error occurred:\n\t* Error response from daemon: {LOST}"], True),
        (["503 Server Error: (rpc error: ... desc = The swarm does not have a leader.)"], True),
        (["500 Server Error: (rpc error: code = Unknown desc = context deadline exceeded)"], True),
        (["rpc error: code = InvalidArgument desc = update out of sequence"], False),
        (["service app: should be running within 300 s (got 2 of 3 running)"], False),
        # What came before matters to the count alone.
        (["port is already in use", LOST], False),
        ([LOST, LOST, LOST], True),
        ([LOST, LOST, LOST, LOST], False),
    ],
)
def test_only_what_an_election_refused_is_tried_again(errors: list[str], expected: bool) -> None:
    assert is_worth_another_try(errors) == expected


def test_swarm_takes_the_names_of_secrets_and_configs() -> None:
    naming = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]["pulumi:autonaming"]
    patterns = naming["value"]["providers"]["docker"]["resources"]
    for kind in (SECRET, CONFIG):
        found = re.fullmatch(r"\$\{name\}-\$\{hex\((\d+)\)\}", patterns[kind]["pattern"])
        assert found
        for logical in registered().of_type(kind):
            # https://github.com/moby/swarmkit: names of resources
            assert len(logical) + 1 + int(found[1]) <= 64


def test_no_secret_text_stands_anywhere_but_in_a_secret() -> None:
    others = [r.inputs for r in registered().resources if r.type in (SERVICE, CONFIG)]
    assert "generated-secret" not in str(others)
    bundles = [base64.b64decode(inputs["data"]) for inputs in registered().of_type(CONFIG).values()]
    assert bundles
    assert not any(b"PRIVATE KEY" in bundle for bundle in bundles)


def test_only_nginx_publishes_ports_and_on_its_own_node() -> None:
    specs = {role: service(role)["endpointSpec"] for role in PLANS}
    assert {spec["mode"] for spec in specs.values()} == {"dnsrr"}
    assert [role for role, spec in specs.items() if spec.get("ports")] == ["nginx"]
    found = [
        (port["publishedPort"], port["targetPort"], port["publishMode"])
        for port in specs["nginx"]["ports"]
    ]
    assert found == [(80, 8080, "host"), (443, 8443, "host")]


def test_networks_span_the_nodes_and_the_edge_alone_has_a_way_out() -> None:
    networks = registered().of_type(NETWORK)
    assert {network["driver"] for network in networks.values()} == {"overlay"}
    inside = {name for name, network in networks.items() if network["internal"]}
    assert inside == {"app-network", "data-network"}
    reached = {
        role: {network["id"] for network in task(role)["networksAdvanceds"]} for role in PLANS
    }
    app, data, edge = "app-network-id", "data-network-id", "edge-network-id"
    assert reached == {
        "postgres": {data},
        "redis": {data},
        "backups": {data},
        "migrations": {app, data},
        "app": {app, data},
        "nginx": {app, edge},
    }


def test_portal_is_updated_after_the_migrations_and_nginx_after_the_portal() -> None:
    before = {role: registered().before(SERVICE, role) for role in ("migrations", "app", "nginx")}
    assert {(READINESS, f"{role}-readiness") for role in ("postgres", "redis")} <= before[
        "migrations"
    ]
    assert (READINESS, "migrations-readiness") in before["app"]
    assert (READINESS, "app-readiness") in before["nginx"]


def test_data_volumes_are_protected() -> None:
    volumes = [r for r in registered().resources if r.type == VOLUME]
    assert {(volume.name, volume.protect) for volume in volumes} == {
        (f"{role}-data", True) for role in ("postgres", "redis", "backups")
    }


def test_nginx_finds_the_healthy_tasks_and_reads_its_key_from_a_secret() -> None:
    [config] = registered().of_type(CONFIG).values()
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(config["data"]))) as archive:
        peers = archive.extractfile("live/peers.conf")
        assert peers is not None
        assert peers.read() == b"server tasks.app:8000 resolve max_fails=1 fail_timeout=2s;\n"
        assert archive.getmember("live/server.key").linkname == "/run/secrets/server.key"


def test_manager_tests_what_nginx_is_to_serve_by_before_its_service_changes() -> None:
    for type_, name in ((SERVICE, "nginx"), (CONFIG, "nginx-configuration")):
        assert (TRIAL, "nginx-trial") in registered().before(type_, name)
    trial, spec = registered().of_type(TRIAL)["nginx-trial"], task("nginx")["containerSpec"]
    assert (trial["image"], trial["peers"]) == (spec["image"], ["tasks.app:8000"])
    [config] = registered().of_type(CONFIG).values()
    bundle = io.BytesIO(base64.b64decode(config["data"]))
    with tarfile.open(fileobj=bundle) as archive:
        served = {member.name.removeprefix("live/") for member in archive}
    tested = {*trial["files"], *trial["secret_files"]["value"]}
    assert served - {"peers.conf", "checksums"} == tested


def test_portal_serves_on_until_no_nginx_knows_it_and_has_its_drain_time_after_that() -> None:
    spec = task("app")["containerSpec"]
    assert spec["env"]["LEAVE_SECONDS"] == "5"
    assert spec["env"]["UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"] == "30"
    assert spec["stopGracePeriod"] == "40s"


def test_kernel_of_nginx_alone_gives_up_nodes_that_say_nothing() -> None:
    found = {role: task(role)["containerSpec"].get("sysctl") for role in PLANS}
    assert found.pop("nginx") == {
        "net.ipv4.tcp_retries2": "4",
        "net.ipv4.tcp_keepalive_time": "3",
        "net.ipv4.tcp_keepalive_intvl": "1",
        "net.ipv4.tcp_keepalive_probes": "3",
    }
    assert set(found.values()) == {None}


def test_same_files_make_the_same_config_in_any_order() -> None:
    assert pack({"a": "1", "b": "2"}) == pack({"b": "2", "a": "1"})
    assert pack({"a": "1"}) != pack({"a": "2"})


def node(identity: str, *labels: str, state: str = "ready") -> dict[str, Any]:
    return {
        "ID": identity,
        "Spec": {"Labels": {f"devportal.{label}": "true" for label in labels}},
        "Description": {"Hostname": "host"},
        "Status": {"State": state},
    }


NO_STORE = (
    "node label devportal.store: should be true on the manager that docker:host names, and on no "
    "other node (got: {}). Run `docker node update --label-add devportal.store=true me` there."
)
NO_EDGE = (
    "node label devportal.edge: should be true on a node that is ready (got: {}). Run `docker node "
    "update --label-add devportal.edge=true NODE`."
)


@pytest.mark.parametrize(
    ("nodes", "mistakes"),
    [
        ([node("me", "store"), node("b", "edge")], []),
        ([node("me", "store", "edge"), node("b", "edge", state="down")], []),
        ([node("me"), node("b")], [NO_STORE.format("none"), NO_EDGE.format("none")]),
        ([node("me", "edge"), node("b", "store")], [NO_STORE.format("host b")]),
        ([node("me", "store", "edge"), node("b", "store")], [NO_STORE.format("host me, host b")]),
        ([node("me", "store"), node("b", "edge", state="down")], [NO_EDGE.format("host b")]),
    ],
)
def test_nodes_carry_the_labels_that_the_services_need(
    nodes: list[dict[str, Any]], mistakes: list[str]
) -> None:
    assert list(node_mistakes(nodes, "me")) == mistakes
