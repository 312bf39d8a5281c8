"""Looks at a container, and brings it to the state that it should have.

The docker provider waits with polls of a second, says "container failed to be in healthy state"
and no more, looks at a container's health only when it creates it, and has no process limit.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from infra.engine.container_networks import (
    connect_to,
    describe_membership,
    published_addresses,
)
from infra.engine.health_probe import is_healthy_now
from infra.errors import ProviderError

HEALTHY = "healthy"
FINISHED = "finished"
MISSING = "missing"
_POLL_SECONDS = 0.1
_PROBE_SECONDS = 1.0
_REQUEST_SECONDS = 60
_LAST_LINES = 15
# Health as the engine reports it, which may be as old as the interval of its probes.
_PROBED = ("starting", "unhealthy")


class ReadinessError(ProviderError):
    """A container did not become what it should be; the text has its last log lines."""


@dataclass(frozen=True)
class Wanted:
    """What one container should be.

    Parameters
    ----------
    id, name
        As the engine knows it.
    goal
        `HEALTHY`, or `FINISHED` for a job.
    pids_limit
        Processes and threads it may have at a time.
    ports
        `address:port` on the host by `port/protocol` of the container.
    networks
        Its aliases on each of its networks; None where they are not asked for, as in a state of an
        earlier version.
    """

    id: str
    name: str
    goal: str
    pids_limit: int
    ports: Mapping[str, str]
    wait_seconds: int
    stop_seconds: int
    networks: Mapping[str, Sequence[str]] | None = None

    @classmethod
    def from_properties(cls, props: Mapping[str, Any]) -> Self:
        """As `Readiness` keeps it; the state makes a float of every number."""
        networks = props.get("networks")
        return cls(
            id=props["container"],
            name=props["container_name"],
            goal=props["goal"],
            pids_limit=int(props["pids_limit"]),
            ports=props["ports"],
            networks=None if networks is None else {i["name"]: i["aliases"] for i in networks},
            wait_seconds=int(props["wait_seconds"]),
            stop_seconds=int(props["stop_seconds"]),
        )


def observe(client: docker.DockerClient, wanted: Wanted) -> str:
    """The goal if the container has reached it, else a word or two on what it is instead."""
    container = _find(client, wanted)
    if container is None:
        return MISSING
    state = _describe(container.attrs, wanted)
    return HEALTHY if state in _PROBED and is_healthy_now(client, container) else state


def make_ready(client: docker.DockerClient, wanted: Wanted, *, was_ready: bool) -> None:
    """Start or mend the container, and wait until it has reached its goal.

    Parameters
    ----------
    was_ready
        Whether an earlier `up` saw it ready. One that was and only takes too long goes on
        running; any other that fails is stopped, or its restart policy would try for ever.

    Raises
    ------
    ReadinessError
        Raised as soon as it exits or restarts, or when the time is over.
    """
    container = _find(client, wanted)
    if container is None:
        raise ReadinessError(
            f"container '{wanted.name}': should exist (got none of this id). Run `pulumi up "
            "--refresh`, which creates it again."
        )
    _limit_processes(client, wanted)
    _set_going(client, container, wanted)
    _wait(client, container, wanted, was_ready=was_ready)


def _find(client: docker.DockerClient, wanted: Wanted) -> Container | None:
    try:
        return client.containers.get(wanted.id)
    except NotFound:
        return None


def _describe(attrs: Mapping[str, Any], wanted: Wanted) -> str:
    limit = attrs["HostConfig"].get("PidsLimit") or 0
    if limit != wanted.pids_limit:
        return f"limited to {limit} processes"
    state = attrs["State"]
    if state["Status"] != "running":
        ended = f"exited with code {state['ExitCode']}"
        if wanted.goal == FINISHED and state["Status"] == "exited" and not state["ExitCode"]:
            return FINISHED
        return ended if state["Status"] == "exited" else state["Status"]
    if wanted.goal == FINISHED:
        return "running"
    if wanted.networks is not None and (wrong := describe_membership(attrs, wanted.networks)):
        return wrong
    published = published_addresses(attrs)
    for port, address in wanted.ports.items():
        if address not in published.get(port, []):
            return f"published on {', '.join(published.get(port, [])) or 'no port'} for {port}"
    return state.get("Health", {}).get("Status") or HEALTHY


def _limit_processes(client: docker.DockerClient, wanted: Wanted) -> None:
    api = client.api
    # The SDK's own `update_container` does not know this limit.
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/containers/{wanted.id}/update",
        json={"PidsLimit": wanted.pids_limit},
        timeout=_REQUEST_SECONDS,
    )
    if not answer.ok:
        raise ReadinessError(
            f"container '{wanted.name}': should take a limit of {wanted.pids_limit} processes "
            f"(got: {answer.text.strip()}). Run `up` again."
        )


def _set_going(client: docker.DockerClient, container: Container, wanted: Wanted) -> None:
    try:
        if wanted.networks is not None and wanted.goal != FINISHED:
            connect_to(client, container, wanted.networks)
        state = _describe(container.attrs, wanted)
        status = container.attrs["State"]["Status"]
        is_sick = state == "unhealthy" and not is_healthy_now(client, container)
        if status == "paused":
            container.unpause()
        elif status == "restarting" or is_sick:
            container.restart(timeout=wanted.stop_seconds)
        elif status != "running" and state != FINISHED:
            container.start()
    except APIError as error:
        raise ReadinessError(
            f"container '{wanted.name}': should start (got: {error.explanation or error}). "
            "Correct that, then run `up` again."
        ) from None
    container.reload()


def _wait(
    client: docker.DockerClient, container: Container, wanted: Wanted, *, was_ready: bool
) -> None:
    restarts = container.attrs["RestartCount"]
    started = probed = time.monotonic()
    while (state := _describe(container.attrs, wanted)) != wanted.goal:
        now = time.monotonic()
        if state in _PROBED and now - probed >= _PROBE_SECONDS:
            if is_healthy_now(client, container):
                return
            probed = time.monotonic()
        over = now - started > wanted.wait_seconds
        has_failed = container.attrs["State"]["Status"] in ("exited", "dead", "restarting")
        if has_failed or over or container.attrs["RestartCount"] > restarts:
            text = _report(client, container, wanted, state, over=over)
            if not (over and was_ready):
                _stop(container, wanted)
            raise ReadinessError(text)
        time.sleep(_POLL_SECONDS)
        container.reload()


def _report(
    client: docker.DockerClient, container: Container, wanted: Wanted, state: str, *, over: bool
) -> str:
    what = f"{state} after {wanted.wait_seconds} s" if over else _last_exit(client, wanted) or state
    advice = (
        "Correct what they name, or raise health.wait_seconds; then run `up` again."
        if over
        else "Correct what they name, then run `up` again."
    )
    lines = container.logs(tail=_LAST_LINES).decode(errors="replace").rstrip()
    probes = container.attrs["State"].get("Health", {}).get("Log") or []
    if over and probes:
        lines += f"\nlast probe: {probes[-1]['Output'].strip()}"
    shown = "\n".join(f"    {line}" for line in lines.splitlines()) or "    (no line)"
    return (
        f"container '{wanted.name}': should become {wanted.goal} (got: {what}). Its last lines:\n"
        f"{shown}\n{advice}"
    )


def _last_exit(client: docker.DockerClient, wanted: Wanted) -> str | None:
    """How it ended last; a container that restarted shows no exit code any more."""
    filters = {"container": wanted.id, "event": "die"}
    # By its own clock: until a time that is still to come the engine would wait for more.
    now = datetime.fromisoformat(client.info()["SystemTime"]).timestamp()
    # It keeps its last 256 events.
    events = list(client.events(since=0, until=int(now) + 1, filters=filters, decode=True))
    return f"exited with code {events[-1]['Actor']['Attributes']['exitCode']}" if events else None


def _stop(container: Container, wanted: Wanted) -> None:
    try:
        container.stop(timeout=wanted.stop_seconds)
    except APIError:
        # It is gone by itself; the report matters more.
        return
