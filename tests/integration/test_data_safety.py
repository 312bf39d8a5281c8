"""The data of production outlives its containers, its stack and, by its backups, its volume."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest

from benchmarks.harness.machine import labelled_stacks
from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from benchmarks.harness.production import portal_client, production_settings
from infra.naming import STACK_LABEL
from tests.support.make import make, run, succeed
from tests.support.readers import Readers
from tests.support.rows import add_odd_rows, read_rows
from tests.support.waiting import wait_for

PAGE = "/api/v1/entities?limit=3"
VOLUMES = ("backups-data", "postgres-data", "redis-data")


@pytest.fixture(scope="module")
def stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    """A production stack that keeps its data; the tests build on one another."""
    settings = {**production_settings(), "retain_data": True}
    settings["app"] = {**settings.get("app", {}), "replicas": 1}
    settings["health"] = {**settings["health"], "wait_seconds": 300}
    made = PortalStack(tmp_path_factory.mktemp("safety"), engine, settings=settings)
    made.up()
    add_odd_rows(made)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def rows(stack: PortalStack) -> dict[str, list[str]]:
    return read_rows(stack)


@pytest.fixture(scope="module")
def backup(stack: PortalStack, rows: dict[str, list[str]]) -> str:
    assert rows
    return succeed(stack, "backup").splitlines()[-1]


def wait_until_served(stack: PortalStack, *, timeout_seconds: float = 60) -> None:
    with portal_client(stack) as client:
        wait_for(lambda: client.get(PAGE).status_code == 200, timeout_seconds=timeout_seconds)


def test_another_postgres_is_announced_and_the_portal_recovers_by_itself(
    stack: PortalStack, rows: dict[str, list[str]]
) -> None:
    portal = stack.container("app").id
    stack.configure(postgres={"max_connections": 90}, redis={"stop_seconds": 20})
    # Two containers, and nothing else: the preview names what is away for a while.
    assert stack.preview()["replace"] == 2
    with Readers(lambda: portal_client(stack), PAGE) as readers:
        assert stack.up()["replace"] == 2
    wait_until_served(stack)
    assert {status for status, _ in readers.answers} == {200, 503}
    assert all(retry for status, retry in readers.answers if status == 503)
    assert stack.container("app").id == portal
    assert read_rows(stack) == rows


@pytest.mark.usefixtures("backup")
def test_plain_destroy_is_refused(stack: PortalStack) -> None:
    before = {container.id for container in stack.containers()}
    done = run(stack, "pulumi", "destroy", "--yes", "--non-interactive", "--stack", stack.name)
    assert done.code != 0
    assert "protect" in done.out + done.err
    assert {container.id for container in stack.containers()} == before


def made_secrets(stack: PortalStack) -> dict[str, str]:
    """Ids of the secrets and certificates in the state, by name."""
    types = ("GeneratedSecret", "GeneratedCertificate")
    return {
        one["urn"].rpartition("::")[2]: one["id"]
        for one in stack.export()
        if one["type"].endswith(types)
    }


def test_down_leaves_the_data_with_its_secrets_alone_and_up_finds_every_row(
    stack: PortalStack, rows: dict[str, list[str]]
) -> None:
    assert make(stack, "down").code != 0
    before = made_secrets(stack)
    succeed(stack, "down", ARGS="--yes")
    left: dict[str, Any] = {"filters": {"label": f"{STACK_LABEL}={stack.name}"}}
    assert stack.containers() == []
    assert stack.client.networks.list(**left) == []
    assert stack.client.images.list(**left) == []
    names = sorted(str(volume.name) for volume in stack.client.volumes.list(**left))
    assert names == [f"devportal-{stack.name}-{role}" for role in VOLUMES]
    assert {*before} > {"secret-key", "admin-password", "certificate"}
    assert made_secrets(stack) == before
    stack.up()
    assert made_secrets(stack) == before
    assert read_rows(stack) == rows
    assert set(stack.preview(refresh=True)) == {"same"}


def lose_volume(stack: PortalStack) -> None:
    stack.container("postgres").remove(force=True)
    stack.client.volumes.get(f"devportal-{stack.name}-postgres-data").remove()


@pytest.mark.usefixtures("backup")
def test_lost_volume_is_not_silently_an_empty_database(stack: PortalStack) -> None:
    lose_volume(stack)
    with pytest.raises(PulumiFailed) as caught:
        stack.up(refresh=True)
    said = " ".join(str(caught.value).split())
    assert f"container 'devportal-{stack.name}-postgres': should become healthy" in said
    assert (
        "postgres: /var/lib/postgresql/data: should hold the stack's database (got an empty "
        "volume). Bring the volume back; or, to start with an empty database on purpose, set "
        "devportal:postgres.fresh_start to a new word, such as the date, and run `make up`."
    ) in said
    with portal_client(stack) as client:
        answer = client.get(PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0


def test_fresh_start_on_purpose_and_a_backup_bring_every_row_back(
    stack: PortalStack, rows: dict[str, list[str]], backup: str
) -> None:
    stack.configure(postgres={"max_connections": 90, "fresh_start": "2026-11-25"})
    stack.up(refresh=True)
    assert set(stack.preview(refresh=True)) == {"same"}
    assert read_rows(stack) != rows
    wait_until_served(stack, timeout_seconds=5)
    succeed(stack, "restore", BACKUP=backup, ARGS="--yes")
    assert read_rows(stack) == rows
    wait_until_served(stack)


def test_new_state_takes_the_data_of_before_over(
    stack: PortalStack, rows: dict[str, list[str]]
) -> None:
    succeed(stack, "down", ARGS="--yes")
    stack.pulumi("stack", "rm", "--yes", "--force")
    stack.pulumi("stack", "select", "--create")
    stack.configure()
    stack.up()
    assert read_rows(stack) == rows


def test_data_is_deleted_on_purpose_alone(stack: PortalStack, engine: docker.DockerClient) -> None:
    advisory = {"protected_data": "advisory"}
    # A volume that is protected in the state goes only if the program still has it.
    stack.configure(retain_data=False, policies=advisory, backups={"enabled": False})
    succeed(stack, "up", ARGS="--yes")
    succeed(stack, "down", ARGS="--yes")
    assert stack.name not in labelled_stacks(engine)
