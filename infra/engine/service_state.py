"""Looks at a Swarm service, and waits until its tasks are what they should be.

A task counts as running once its health check has passed. The docker provider's own wait deletes a
service that does not converge in time, and has none for global services and for jobs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import docker
from docker.errors import APIError, NotFound

from infra.engine.container_state import FINISHED, MISSING
from infra.errors import ProviderError

RUNNING = "running"
_POLL_SECONDS = 0.5
_LAST_LINES = 15
# Of a new service, before nobody expects the next one to do better; an update rolls back itself.
_FAILED_TASKS = 3
_FAILED = ("failed", "rejected", "orphaned")
# Of a job, where its node could not start it: a network may be on its way there, for one.
_STARTS = 3
_START_AGAIN_SECONDS = 5
_RAN = "task: non-zero exit"
# What a task is made from: another place or restart policy leaves one that runs as it is.
_REPLACING = ("ContainerSpec", "Resources", "Networks", "LogDriver", "ForceUpdate")
_GIVEN_UP = ("paused", "rollback_started", "rollback_paused", "rollback_completed")


class ServiceError(ProviderError):
    """A service did not become what it should be; the text has its last log lines."""


@dataclass(frozen=True)
class WantedService:
    """What one service should be.

    Parameters
    ----------
    goal
        `RUNNING`, or `FINISHED` for a job.
    tasks
        How many; 0 for one on each node that its placement allows.
    """

    id: str
    name: str
    goal: str
    tasks: int
    wait_seconds: int

    @classmethod
    def from_properties(cls, properties: dict[str, Any]) -> Self:
        """The service as the state describes it, where numbers are floats."""
        return cls(
            id=properties["service"],
            name=properties["service_name"],
            goal=properties["goal"],
            tasks=int(properties["tasks"]),
            wait_seconds=int(properties["wait_seconds"]),
        )


@dataclass(frozen=True)
class _Seen:
    """A service, its tasks of the present specification and those of others, the newest first."""

    update: str
    reason: str
    tasks: Sequence[dict[str, Any]]
    others: Sequence[dict[str, Any]]

    @property
    def wanted(self) -> Sequence[dict[str, Any]]:
        """Those of what was wanted, which after a rollback is not the present specification."""
        return self.others if self.update.startswith("rollback") else self.tasks

    @property
    def newest(self) -> str:
        """State of the last task."""
        return self.tasks[0]["Status"]["State"] if self.tasks else "not begun"


def observe_service(client: docker.DockerClient, wanted: WantedService) -> str:
    """Its goal when it has reached it, else what it is: `2 of 3 running`, for example."""
    try:
        seen = _look(client, wanted)
    except NotFound:
        return MISSING
    if wanted.goal == FINISHED:
        # Whatever became of its update: for Swarm a task that ends has failed it.
        return FINISHED if seen.newest == "complete" else seen.newest
    if seen.update in _GIVEN_UP:
        return seen.update.replace("_", " ")
    # Those on a lost node are to stop, and are said to run until the node comes back.
    active = [task for task in seen.tasks if task["DesiredState"] == "running"]
    running = sum(task["Status"]["State"] == "running" for task in active)
    expected = wanted.tasks or len(active)
    if seen.update == "updating" or running != expected or not running:
        return f"{running} of {expected} running"
    return RUNNING


def repeat_failed_job(client: docker.DockerClient, wanted: WantedService) -> None:
    """Run a job again whose last task failed before now: without another description Swarm would
    not, and what made it fail may have been mended since."""
    if wanted.goal == FINISHED and _has_failed(_look(client, wanted), FINISHED):
        client.services.get(wanted.id).force_update()


def await_service(client: docker.DockerClient, wanted: WantedService) -> None:
    """Wait until it has reached its goal.

    Raises
    ------
    ServiceError
        Raised when its tasks fail, its update is rolled back, or the time is over.
    """
    deadline = time.monotonic() + wanted.wait_seconds
    starts = 1
    while (state := observe_service(client, wanted)) != wanted.goal:
        if state == MISSING:
            raise ServiceError(f"service {wanted.name}: should exist (got none). Run it again.")
        seen = _look(client, wanted)
        is_over = time.monotonic() > deadline
        if not is_over and wanted.goal == FINISHED and starts < _STARTS and _never_ran(seen):
            starts += 1
            time.sleep(_START_AGAIN_SECONDS)
            repeat_failed_job(client, wanted)
        elif is_over or _has_failed(seen, wanted.goal):
            # It may have failed since it was asked.
            now = observe_service(client, wanted)
            raise ServiceError(_describe_failure(client, wanted, now, seen))
        time.sleep(_POLL_SECONDS)


def with_its_end(client: docker.DockerClient, task: dict[str, Any]) -> dict[str, Any]:
    """A job's task, which for Swarm runs for ever if its leader changed just when it ended.

    The engine that is asked knows better where it has run the container itself.
    """
    status = task["Status"]
    container = status.get("ContainerStatus", {}).get("ContainerID")
    if status["State"] != "running" or not container:
        return task
    try:
        found = client.api.inspect_container(container)["State"]
    except NotFound:
        return task
    if found["Status"] != "exited":
        return task
    code = found["ExitCode"]
    ended = {"State": "failed", "Err": f"{_RAN} ({code})"} if code else {"State": "complete"}
    return {**task, "Status": {**status, **ended}}


def _look(client: docker.DockerClient, wanted: WantedService) -> _Seen:
    service = client.api.inspect_service(wanted.id)
    update = service.get("UpdateStatus") or {}
    template = service["Spec"]["TaskTemplate"]
    found: list[dict[str, Any]] = client.api.tasks(filters={"service": wanted.id})
    found.sort(key=lambda task: task["CreatedAt"], reverse=True)
    if wanted.goal == FINISHED:
        found = [with_its_end(client, task) for task in found]
    # An update leaves those of the former specification in the list.
    present: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for task in found:
        is_present = all(template.get(key) == task["Spec"].get(key) for key in _REPLACING)
        present[is_present].append(task)
    state, message = update.get("State", ""), update.get("Message", "")
    return _Seen(state, message, present[True], present[False])


def _has_failed(seen: _Seen, goal: str) -> bool:
    if goal == FINISHED:
        return seen.newest in _FAILED
    failed = sum(task["Status"]["State"] in _FAILED for task in seen.tasks)
    return seen.update in _GIVEN_UP or (not seen.update and failed >= _FAILED_TASKS)


def _never_ran(seen: _Seen) -> bool:
    """Whether the last task ended before its program began, so that it changed nothing."""
    error = seen.tasks[0]["Status"].get("Err", "") if seen.tasks else ""
    return seen.newest in ("failed", "rejected") and not error.startswith(_RAN)


def _describe_failure(
    client: docker.DockerClient, wanted: WantedService, state: str, seen: _Seen
) -> str:
    errors = [task["Status"].get("Err") for task in seen.wanted]
    reasons = list(dict.fromkeys(error for error in [*errors, seen.reason] if error))
    # The newest has perhaps not begun, as Swarm has tried again since.
    failed = [task for task in seen.wanted if task["Status"]["State"] in _FAILED]
    told = (failed or seen.wanted)[:1]
    lines = "".join(_last_lines(client, wanted, task["ID"]) for task in told)
    return (
        f"service {wanted.name}: should be {wanted.goal} within {wanted.wait_seconds} s (got "
        f"{state}{': ' if reasons else ''}{'; '.join(reasons)}). Correct it and run it again.\n"
        f"{lines}"
    ).rstrip()


def _last_lines(client: docker.DockerClient, wanted: WantedService, task: str) -> str:
    """Of that task: others of its service go on well."""
    try:
        service = client.services.get(wanted.id)
        chunks = service.logs(stdout=True, stderr=True, tail=_LAST_LINES, details=True)
        lines = b"".join(chunks).decode(errors="replace").splitlines()
    except APIError:
        # A node that is down keeps its logs.
        return ""
    # Before each line there is `com.docker.swarm.node.id=...,com.docker.swarm.task.id=...`.
    split = (line.partition(" ") for line in lines)
    return "\n".join(text for whose, _, text in split if whose.endswith(f"task.id={task}"))
