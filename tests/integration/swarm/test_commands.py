"""The make targets on a swarm: what they print, and what doctor and drift find."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest

from benchmarks.harness.portal_stack import PortalStack
from infra.naming import ROLE_LABEL
from tests.integration.swarm.conftest import Swarm, tasks_of
from tests.support.make import make, succeed
from tests.support.waiting import wait_for


def service(stack: PortalStack, role: str) -> Any:
    return stack.client.services.get(f"devportal-{stack.name}-{role}")


def findings(stack: PortalStack) -> list[tuple[str, str]]:
    found = json.loads(make(stack, "doctor", ARGS="--json").out)["findings"]
    return [(finding["what"], finding["command"]) for finding in found]


def test_every_task_is_listed_with_its_node_and_ports(stack: PortalStack, swarm: Swarm) -> None:
    heading, *rows = [line.split() for line in succeed(stack, "ps").splitlines()]
    assert heading == ["NAME", "NODE", "STATE", "PORTS", "ERROR"]
    ports = stack.settings["ports"]
    both = sorted([f"{ports['https']}->8443", f"{ports['http']}->8080"])
    published = ", ".join(both).split()
    listed = [(row[0].removeprefix(f"devportal-{stack.name}-"), row[2], row[3:-1]) for row in rows]
    assert listed == [
        *((f"app.{number}", "running", ["-"]) for number in (1, 2, 3)),
        ("backups.1", "running", ["-"]),
        ("migrations.1", "complete", ["-"]),
        *[("nginx", "running", published)] * len(swarm.nodes),
        ("postgres.1", "running", ["-"]),
        ("redis.1", "running", ["-"]),
    ]


def test_logs_come_from_every_node_behind_their_role(stack: PortalStack, swarm: Swarm) -> None:
    lines = succeed(stack, "logs", ROLE="app,migrations", ARGS="--tail=1").splitlines()
    # Of tasks that were replaced as well.
    assert [line.partition(" | ")[0] for line in lines].count("app") >= len(swarm.nodes)
    assert "migrations | create-admin: admin@example.com was created" in lines


@pytest.mark.parametrize(
    ("target", "variables", "said"),
    [
        ("exec", {"ROLE": "redis", "CMD": "cat /proc/1/comm"}, "docker-init\n"),
        ("shell", {"ROLE": "postgres"}, ""),
        ("psql", {"CMD": "\\echo :USER"}, "devportal_user\n"),
        ("redis-cli", {"CMD": "ACL WHOAMI"}, "devportal\n"),
        (
            "run",
            {"CMD": "python -m app check; hostname"},
            "check: the environment is complete\nrun\n",
        ),
    ],
)
def test_command_has_the_words_of_the_user_and_the_rights_of_the_role(
    target: str, variables: dict[str, str], said: str, stack: PortalStack
) -> None:
    before = {one.id for one in stack.client.services.list()}
    assert succeed(stack, target, **variables) == said
    assert {one.id for one in stack.client.services.list()} == before


def test_command_tells_its_exit_code_and_what_roles_there_are(stack: PortalStack) -> None:
    assert make(stack, "run", CMD="exit 3").err.endswith("Error 3\n")
    refused = make(stack, "exec", ROLE="migrations", CMD="true")
    # An update may have left the portal's tasks on the other nodes.
    there = ", ".join(sorted({container.labels[ROLE_LABEL] for container in stack.containers()}))
    assert (
        f"role: should be one of those of stack {stack.name} on its manager: {there} "
        f"(got 'migrations'). `make ps STACK={stack.name}` shows where others run."
    ) in refused.err


def test_administrators_password_opens_the_portal(stack: PortalStack) -> None:
    log = stack.log.read_text()
    password = succeed(stack, "password").strip()
    # The log of a stack is searched for secrets, and this target prints one on purpose.
    stack.log.write_text(log)
    said = succeed(stack, "password", ARGS="--reset").strip()
    stack.log.write_text(log)
    assert said.splitlines()[-1] == password
    assert len(password) >= 20


def test_restart_replaces_the_tasks_of_a_role_and_is_no_drift(stack: PortalStack) -> None:
    before = {task["ID"] for task in service(stack, "backups").tasks()}
    assert succeed(stack, "restart", ROLE="backups") == (
        f"restart: devportal-{stack.name}-backups\n"
    )
    [running] = service(stack, "backups").tasks({"desired-state": "running"})
    assert running["ID"] not in before
    succeed(stack, "drift")


def test_graph_shows_services_with_their_number_ports_networks_and_data(
    stack: PortalStack,
) -> None:
    drawn = make(stack, "graph").out.partition("flowchart LR\n")[2]
    ports = stack.settings["ports"]
    both = "app-network{{app-network}} & data-network{{data-network}}"
    of_store = "data-network{{data-network}} & "
    assert drawn.splitlines() == [
        f'    app["app x 3"] --- {both}',
        f'    backups["backups"] --- {of_store}backups-data[(backups-data)]',
        f'    migrations["migrations"] --- {both}',
        f'    host-nginx-8080(["edge nodes:{ports["http"]}"]) & '
        f'host-nginx-8443(["edge nodes:{ports["https"]}"]) --> nginx',
        '    nginx["nginx on each edge node"] --- '
        "edge-network{{edge-network}} & app-network{{app-network}}",
        f'    postgres["postgres"] --- {of_store}postgres-data[(postgres-data)]',
        f'    redis["redis"] --- {of_store}redis-data[(redis-data)]',
    ]


@contextmanager
def drained(client: docker.DockerClient, node: Any) -> Iterator[None]:
    def set_availability(availability: str) -> None:
        node.reload()
        node.update({**node.attrs["Spec"], "Availability": availability})

    set_availability("drain")
    try:
        yield
    finally:
        set_availability("active")


def test_what_was_changed_by_hand_is_found_and_put_back(stack: PortalStack) -> None:
    client = stack.client
    portal = service(stack, "app")
    portal.scale(1)
    wait_for(lambda: len(portal.tasks({"desired-state": "running"})) == 1)
    [left] = portal.tasks({"desired-state": "running"})
    # Neither the stores' node nor the one whose task would move meanwhile.
    taken = (client.info()["Swarm"]["NodeID"], left["NodeID"])
    node = next(node for node in client.nodes.list() if node.id not in taken)
    stranger = client.secrets.create(
        name=f"{stack.name}-by-hand", data=b"x", labels={"devportal.stack": stack.name}
    )
    name = node.attrs["Description"]["Hostname"]
    with drained(client, node):
        found = findings(stack)
    assert (
        f"node {name}: should be active (got drain).",
        f"docker node update --availability active {node.id}",
    ) in found
    assert (
        f"service {portal.name}: should be running (got: 1 of 3 running).",
        f"docker service ps --no-trunc {portal.name}",
    ) in found
    assert "replicas: 3 => 1" in make(stack, "drift").out
    said = succeed(stack, "up", ARGS="--yes")
    assert f"removed {stranger.name}, left by a run that was killed\n" in said
    assert findings(stack) == []


def test_versions_are_listed_and_rolled_back_to(stack: PortalStack, swarm: Swarm) -> None:
    """The engines of this test can build none: a version is the image with other labels."""
    labels = {"devportal.stack": stack.name, "devportal.role": "app"}
    labels["org.opencontainers.image.version"] = "the one before"
    # By its id: `make rollback` refuses to replace a name that somebody has set.
    given = stack.client.images.get(stack.settings["app"]["image"]).id
    stack.configure(app={**stack.settings["app"], "image": given})
    lines = [f"FROM {given}", *(f'LABEL "{key}"="{text}"' for key, text in labels.items())]
    stack.client.images.build(fileobj=io.BytesIO("\n".join(lines).encode()), rm=True)
    [heading, row] = [line.split("  ") for line in succeed(stack, "versions").splitlines()]
    assert (heading[0], row[0], row[-1]) == ("VERSION", "the one before", "-")
    succeed(stack, "rollback", VERSION="the one before", ARGS="--yes")
    assert succeed(stack, "versions").splitlines()[-1].endswith("  runs")
    running = tasks_of(stack, swarm, "app")
    named = [one.labels["org.opencontainers.image.version"] for one in running]
    assert named == ["the one before"] * 3
