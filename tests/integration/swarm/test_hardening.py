"""Tasks of a swarm against the CIS Docker Benchmark, and where somebody could read a secret."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from benchmarks.harness.portal_stack import PortalStack
from tests.integration.swarm.conftest import Swarm, tasks_of
from tests.support.cis import Subject, broken_rules

PUBLISHED = {"nginx": frozenset({"8080/tcp", "8443/tcp"})}
NO_WORD = {"5.15", "5.26", "5.29"}
"""What a service has no word for: restarts are Swarm's, `no-new-privileges` is the engine's, and a
process limit the provider cannot set (docs/swarm.md)."""
NEEDED = {"5.2": "name=apparmor", "5.3": "name=selinux"}
_SHOW_FILES = "for file in /run/secrets/*[!t]; do cat $file; echo; done"
"""But for certificates (`.crt`)."""


def tasks(stack: PortalStack, swarm: Swarm) -> Iterator[tuple[str, docker.DockerClient, Container]]:
    """Role, engine and container of every task, those that have ended included."""
    mine: dict[str, Any] = {"label": f"devportal.stack={stack.name}"}
    for node in swarm.nodes:
        client = docker.DockerClient(base_url=node.host)
        for container in client.containers.list(all=True, filters=mine, ignore_removed=True):
            yield container.labels["devportal.role"], client, container


def test_every_task_keeps_the_rules(stack: PortalStack, swarm: Swarm) -> None:
    options = {option.split(",")[0] for option in stack.client.info()["SecurityOptions"]}
    exempt = NO_WORD | {rule for rule, option in NEEDED.items() if option not in options}
    found: dict[str, set[str]] = {}
    for role, client, container in tasks(stack, swarm):
        image = client.images.get(container.attrs["Image"])
        subject = Subject(container.attrs, image.attrs, PUBLISHED.get(role, frozenset()))
        found[role] = found.get(role, set()) | broken_rules(subject)
    expected = dict.fromkeys(("app", "backups", "nginx", "postgres", "redis"), exempt)
    # A job that ends has no health. Ports of services are those of every address.
    assert found == {
        **expected,
        "migrations": {"5.27", *exempt},
        "nginx": {"5.14", *exempt},
    }


@pytest.fixture(scope="module")
def secret_values(stack: PortalStack) -> list[str]:
    """Every generated secret of the stack, and every line of files with secrets on that node."""
    generated = [one for one in stack.export() if one["type"].endswith("GeneratedSecret")]
    known = {json.loads(one["outputs"]["value"]["plaintext"]) for one in generated}
    assert len(known) >= 7
    for role in ("postgres", "redis", "backups", "nginx"):
        known |= set(stack.run_in(role, "sh", "-c", _SHOW_FILES).splitlines())
    return sorted(line for line in known if line and "-----" not in line)


def test_inspection_and_logs_show_no_secret(
    stack: PortalStack, swarm: Swarm, secret_values: list[str]
) -> None:
    api, mine = stack.client.api, {"label": f"devportal.stack={stack.name}"}
    services, configs = api.services(filters=mine), api.configs(filters=mine)
    shown = {
        "services": json.dumps(services),
        "tasks": json.dumps([api.tasks(filters={"service": one["ID"]}) for one in services]),
        "secrets": json.dumps(api.secrets(filters=mine)),
        "configs": json.dumps(configs),
        "contents": "".join(map(_contents, configs)),
    }
    for role, _, container in tasks(stack, swarm):
        shown[f"{role} {container.id}"] = json.dumps(container.attrs)
        shown[f"log of {role} {container.id}"] = container.logs().decode()
    found = [where for where, text in shown.items() if any(one in text for one in secret_values)]
    assert found == []
    # What the search would find: the files of a task, as its own user reads them.
    _, output = tasks_of(stack, swarm, "app")[0].exec_run(["sh", "-c", _SHOW_FILES])
    assert isinstance(output, bytes)
    assert any(one in output.decode() for one in secret_values)


def _contents(config: dict[str, Any]) -> str:
    return base64.b64decode(config["Spec"]["Data"]).decode(errors="replace")
