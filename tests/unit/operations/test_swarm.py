"""What the targets do with a stack on a swarm, where no real one is needed to see it."""

import os
import socket
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import APIError
from docker.models.secrets import Secret
from docker.models.services import Service

from infra.naming import OWNER_LABEL, SERVICE
from operations.arguments import parse
from operations.differences import Difference
from operations.drift_checks import Observed
from operations.interruption import clear_up
from operations.one_off import describe_task
from operations.plan import Change, Plan, State
from operations.review import render
from operations.service_checks import check_swarm
from operations.stack import Stack
from operations.swarm import list_services, print_tasks, restart_roles
from tests.support.refusals import refusal
from tests.unit.operations.conftest import MakeStack
from tests.unit.operations.test_interruption import DEAD_PID, write_latest
from toolchain.setup.atomic import write_file

NO_LEADER = "rpc error: code = Unknown desc = The swarm does not have a leader."


@pytest.fixture
def clustered(make_stack: MakeStack) -> Stack:
    stack = make_stack("live")
    write_file(stack.file, "config: {devportal:cluster: {mode: swarm}}")
    return stack


def service(id_: str, role: str = "app", **labels: str) -> Service:
    described = {"Name": f"devportal-live-{role}", "Labels": {"devportal.role": role, **labels}}
    client = MagicMock()
    client.api.remove_service.side_effect = lambda given: removed.append(given)
    removed: list[str] = []
    made = Service({"ID": id_, "Spec": described}, client)
    made.removed = removed  # type: ignore[attr-defined]
    return made


def test_service_of_a_command_is_none_of_the_stacks(clustered: Stack, engine: MagicMock) -> None:
    own = service("id-service")
    engine.services.list.return_value = [service("id-run", "run", **{OWNER_LABEL: "1@here"}), own]
    assert list_services(clustered) == [own]
    assert refusal(list_services, clustered, ["run"]) == (
        "role: should be one of those of stack live: app (got 'run'). Choose one of them."
    )


@pytest.mark.parametrize(
    ("known", "labels", "is_removed"),
    [
        (["id-secret"], {}, True),
        (["id-secret", "id-service"], {}, False),
        ([], {}, False),
        (["id-secret"], {OWNER_LABEL: f"{DEAD_PID}@{socket.gethostname()}"}, True),
        (["id-secret"], {OWNER_LABEL: f"{os.getpid()}@{socket.gethostname()}"}, False),
    ],
    ids=["a killed provider's", "known", "another state's", "a dead run's", "a run's"],
)
def test_service_that_a_killed_run_has_left_is_removed(
    clustered: Stack, engine: MagicMock, known: list[str], labels: dict[str, str], is_removed: bool
) -> None:
    resources = [{"id": name} for name in known or ["another"]]
    write_latest(clustered, resources=resources)
    left = service("id-service", **labels)
    engine.services.list.return_value = [left]
    engine.secrets.list.return_value = [Secret({"ID": "id-secret"}, MagicMock())] * bool(known)
    engine.configs.list.return_value = []
    clear_up(clustered)
    assert left.removed == ["id-service"] * is_removed  # type: ignore[attr-defined]


def test_role_that_the_swarm_lacks_is_answered_with_those_that_it_has(
    clustered: Stack, engine: MagicMock
) -> None:
    engine.services.list.return_value = [service("1"), service("2", "redis")]
    assert [str(one.id) for one in list_services(clustered, ["redis", "app"])] == ["2", "1"]
    assert refusal(list_services, clustered, ["web"]) == (
        "role: should be one of those of stack live: app, redis (got 'web'). Choose one of them."
    )
    engine.services.list.return_value = []
    assert refusal(list_services, clustered) == (
        "stack live: should have services (got none). Run `make up STACK=live`."
    )


def test_job_whose_end_the_swarm_has_lost_is_listed_as_its_container_ended(
    clustered: Stack, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    status = {"State": "running", "ContainerStatus": {"ContainerID": "c-1"}}
    task = {"Status": status, "DesiredState": "complete", "CreatedAt": "1", "Slot": 1}
    engine.services.list.return_value = [service("1", "migrations")]
    engine.api.tasks.return_value = [task]
    engine.api.inspect_container.return_value = {"State": {"Status": "exited", "ExitCode": 3}}
    print_tasks(clustered, parse(["ps"]))
    row = "devportal-live-migrations.1  -     failed  -      task: non-zero exit (3)"
    assert capsys.readouterr().out.splitlines()[1:] == [row]


@pytest.mark.parametrize("words", [[], ["--role= "], ["--role=,"]])
def test_no_service_restarts_without_a_role(
    words: list[str], clustered: Stack, engine: MagicMock
) -> None:
    engine.services.list.return_value = [service("1"), service("2", "redis")]
    assert refusal(restart_roles, clustered, parse(["restart", *words])) == (
        "role: should be one of those of stack live: app, redis (got ''). Choose one of them."
    )


def test_lost_majority_is_said_plainly(clustered: Stack, engine: MagicMock) -> None:
    response = MagicMock(status_code=503)
    error = APIError("503", response, explanation=NO_LEADER)
    engine.info.return_value = {"ID": "1", "Swarm": {"ControlAvailable": True, "NodeID": "1"}}
    engine.secrets.list.side_effect = engine.services.list.side_effect = error
    engine.api.nodes.side_effect = error
    said = (
        "swarm: should have a majority of its managers (got: The swarm does not have a leader). "
        "Bring them back, or see `docker swarm init --force-new-cluster`."
    )
    assert refusal(list_services, clustered) == said
    assert refusal(clear_up, clustered) == said
    observed = Observed("live", engine, {}, frozenset(), [], is_near=True)
    assert [finding.what for finding in check_swarm(observed)] == [said]


def test_task_to_run_commands_in_has_the_roles_files_and_none_of_its_names() -> None:
    container = {"Image": "one@sha256:1", "Secrets": ["url"], "Args": ["uvicorn"], "Env": ["A=1"]}
    network = {"Target": "data", "Aliases": ["app"]}
    template = {"ContainerSpec": container, "Networks": [network], "Resources": {"Limits": 1}}
    made = describe_task(template, "node-1")
    assert made["ContainerSpec"] == {
        "Image": "one@sha256:1",
        "Secrets": ["url"],
        "Env": ["A=1"],
        "Hostname": "run",
        "Command": ["sleep", "86400"],
        "Args": None,
        "Labels": {},
        "Healthcheck": {"Test": ["NONE"]},
    }
    assert made["Networks"] == [{"Target": "data"}]
    assert made["Placement"] == {"Constraints": ["node.id==node-1"]}
    assert (made["Resources"], made["RestartPolicy"]) == ({"Limits": 1}, {"Condition": "none"})


def updated(role: str, order: str, mode: dict[str, Any], path: str) -> Change:
    container = {"stopGracePeriod": "40s"}
    inputs = {
        "labels": [{"label": "devportal.role", "value": role}],
        "mode": mode,
        "updateConfig": {"order": order},
        "taskSpec": {"containerSpec": container},
    }
    state = State(SERVICE, role, inputs, retained=False)
    return Change("updated", state, state, (Difference(path, "1", "2"),), interrupts=False)


def test_review_tells_what_a_service_that_stops_first_means_to_users() -> None:
    one, each = {"replicated": {"replicas": 1}}, {"global": True}
    image = "taskSpec.containerSpec.image"
    changes = [
        updated("app", "start-first", one, image),
        updated("nginx", "stop-first", each, image),
        updated("postgres", "stop-first", one, image),
        updated("redis", "stop-first", one, "labels"),
    ]
    text = render(Plan(changes=changes), "live")
    rows = text.partition("### Downtime\n\n")[2].partition("\n\n")[0].splitlines()
    how = "seconds: it stops (at most 40s) and starts again (at most 0 s, or the update fails)"
    assert rows[2:] == [
        f"| nginx | nothing answers | {how}, one node after the other |",
        f"| postgres | the portal can neither read nor write | {how} |",
    ]
