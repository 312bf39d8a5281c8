"""What counts as a service that runs, a job that has ended, and a failure of either."""

from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest
from docker.errors import NotFound

from infra.engine import service_state
from infra.engine.service_state import (
    ServiceError,
    WantedService,
    await_service,
    observe_service,
    repeat_failed_job,
)

SPEC = {"ContainerSpec": {"Image": "new"}}
OLD = {"ContainerSpec": {"Image": "old"}}
Task = dict[str, Any]


def task(state: str, spec: Any = SPEC, desired: str = "running", at: str = "1") -> Task:
    status = {"State": state, "Err": "task: non-zero exit (1)" if state == "failed" else ""}
    return {
        "ID": f"task-{at}",
        "Spec": spec,
        "DesiredState": desired,
        "Status": status,
        "CreatedAt": at,
    }


NO_ADDRESS = "failed to find a load balancer IP to use for network: vdccbhs4"


def task_without_network(state: str = "failed") -> Task:
    found = task(state)
    return {**found, "Status": {**found["Status"], "Err": NO_ADDRESS}}


def client_of(tasks: list[Task], update: str = "") -> Any:
    client = MagicMock()
    service: dict[str, Any] = {"Spec": {"TaskTemplate": {**SPEC, "Runtime": "container"}}}
    if update:
        service["UpdateStatus"] = {"State": update, "Message": "update rolled back"}
    client.api.inspect_service.return_value = service
    client.api.tasks.return_value = tasks
    client.services.get.return_value.logs.return_value = [
        b"com.docker.swarm.node.id=a,com.docker.swarm.task.id=task-1 last line\n",
        b"com.docker.swarm.node.id=a,com.docker.swarm.task.id=other line of another\n",
    ]
    return client


def wanted(goal: str, tasks: int = 2) -> WantedService:
    return WantedService("id", "devportal-prod-app", goal, tasks, wait_seconds=0)


@pytest.mark.parametrize(
    ("goal", "count", "tasks", "update", "expected"),
    [
        ("running", 2, [task("running"), task("running")], "", "running"),
        ("running", 2, [task("running"), task("starting")], "", "1 of 2 running"),
        ("running", 2, [task("running"), task("running", OLD)], "updating", "1 of 2 running"),
        ("running", 2, [task("running")] * 2, "updating", "2 of 2 running"),
        ("running", 2, [task("running")] * 2, "completed", "running"),
        ("running", 2, [task("running")] * 2, "rollback_completed", "rollback completed"),
        ("running", 0, [task("running")] * 3, "", "running"),
        ("running", 0, [task("running"), task("preparing")], "", "1 of 2 running"),
        ("running", 0, [task("running"), task("running", desired="shutdown")], "", "running"),
        ("running", 1, [task("running"), task("running", desired="shutdown")], "", "running"),
        ("running", 0, [], "", "0 of 0 running"),
        ("finished", 1, [], "", "not begun"),
        ("finished", 1, [task("complete", OLD)], "", "not begun"),
        ("finished", 1, [task("complete", desired="shutdown")], "", "finished"),
        ("finished", 1, [task("complete", desired="shutdown")], "paused", "finished"),
        ("finished", 1, [task("complete", at="1"), task("running", at="2")], "", "running"),
    ],
)
def test_service_is_what_its_tasks_of_the_present_description_are(
    goal: str, count: int, tasks: list[Task], update: str, expected: str
) -> None:
    assert observe_service(client_of(tasks, update), wanted(goal, count)) == expected


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"Status": "exited", "ExitCode": 0}, "finished"),
        ({"Status": "exited", "ExitCode": 3}, "failed"),
        ({"Status": "running", "ExitCode": 0}, "running"),
        (NotFound("on another node"), "running"),
    ],
)
def test_end_of_a_job_that_swarm_has_lost_is_known_from_its_container(
    container: Any, expected: str
) -> None:
    """A leader that changes forgets what it was told a moment before, and nobody tells it again."""
    lost = task("running")
    lost["Status"]["ContainerStatus"] = {"ContainerID": "c-1", "ExitCode": 0}
    client = client_of([lost])
    client.api.inspect_container.side_effect = [
        container if isinstance(container, Exception) else {"State": container}
    ]
    assert observe_service(client, wanted("finished")) == expected
    client.api.inspect_container.assert_called_once_with("c-1")


@pytest.mark.parametrize(
    ("goal", "tasks", "update", "got"),
    [
        ("finished", [task("failed")], "", "failed: task: non-zero exit (1)"),
        ("running", [task("failed")] * 3, "", "0 of 2 running: task: non-zero exit (1)"),
        (
            "running",
            [task("failed", OLD), task("running", at="2")],
            "rollback_started",
            "rollback started: task: non-zero exit (1); update rolled back",
        ),
        (
            "running",
            [task("failed", OLD), task("preparing", OLD, at="2"), task("running", at="3")],
            "rollback_started",
            "rollback started: task: non-zero exit (1); update rolled back",
        ),
    ],
)
def test_failure_is_told_with_its_reason_and_the_last_lines(
    goal: str, tasks: list[Task], update: str, got: str
) -> None:
    with pytest.raises(ServiceError) as error:
        await_service(client_of(tasks, update), wanted(goal))
    assert str(error.value) == (
        f"service devportal-prod-app: should be {goal} within 0 s (got {got}). Correct it and run "
        "it again.\nlast line"
    )


@pytest.mark.parametrize(
    ("goal", "tasks", "times"),
    [
        ("finished", [task("failed")], 1),
        ("finished", [task("rejected")], 1),
        ("finished", [task("failed", OLD)], 0),
        ("finished", [task("failed", at="1"), task("running", at="2")], 0),
        ("finished", [task("complete")], 0),
        ("running", [task("failed")] * 3, 0),
    ],
)
def test_job_that_had_failed_before_runs_again(goal: str, tasks: list[Task], times: int) -> None:
    client = client_of(tasks)
    repeat_failed_job(client, wanted(goal))
    assert client.services.get.return_value.force_update.call_count == times


@pytest.mark.parametrize("state", ["failed", "rejected"])
def test_job_whose_node_could_not_start_it_is_started_twice_more(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_state, "_START_AGAIN_SECONDS", 0)
    client = client_of([task_without_network(state)])
    with pytest.raises(ServiceError) as error:
        await_service(client, replace(wanted("finished"), wait_seconds=60))
    assert client.services.get.return_value.force_update.call_count == 2
    assert f"(got {state}: {NO_ADDRESS})." in str(error.value)


def test_job_that_failed_is_not_started_again() -> None:
    client = client_of([task("failed")])
    with pytest.raises(ServiceError):
        await_service(client, replace(wanted("finished"), wait_seconds=60))
    client.services.get.return_value.force_update.assert_not_called()
