"""A container's readiness: what the docker provider's own `wait` does not do.

It sets the process limit, starts the container, waits until it is healthy, reports why it is
not, and stops one that fails. Each plan asks the engine how the container is, so that one that is
paused, stopped, restarting, unhealthy or gone shows as an update of its readiness, which mends it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import docker
import pulumi
from docker.errors import NotFound
from docker.models.containers import Container
from pulumi.dynamic import CheckResult

from infra.engine.address import EngineAddress
from infra.engine.container_state import FINISHED, MISSING, Wanted, make_ready, observe
from infra.engine.resource import EngineProvider, EngineResource, Props, engine_of
from infra.naming import ROLE_LABEL, STACK_LABEL, container_labels


class _ReadinessProvider(EngineProvider):
    key = "container_name"
    inputs = ("container", "container_name", "goal", "pids_limit", "ports", "networks", "repairs")

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Ask the engine: a plan shows `state: "healthy" => "paused"`, for instance."""
        news["repairs"] = _olds.get("repairs", 0)
        # One that the same plan replaces is not there to be asked.
        if news["container"] == _olds.get("container"):
            news["state"] = _observe(news, _olds)
            news["repairs"] += news["state"] != news["goal"]
        return CheckResult(news, [])

    def is_changed(self, olds: Props, news: Props) -> bool:
        """Whether a plan or a refresh found it otherwise, or an input differs.

        A refresh compares what it found with the inputs of the last update. Their `state` is what
        that update mended, so it must not count.
        """
        return olds["state"] != olds["goal"] or super().is_changed(olds, news)

    def put(self, olds: Props, news: Props) -> Props:
        wanted = Wanted.from_properties(news)
        client, before = engine_of(news), olds.get("container")
        if before != wanted.id:
            _remove_failed(client, wanted, before)
        make_ready(client, wanted, was_ready=before == wanted.id)
        return {"state": wanted.goal}

    def find(self, props: Props) -> Props | None:
        state = _observe(props, props)
        return None if state == MISSING else {"state": state}


def _observe(props: Props, olds: Props) -> str:
    wanted = Wanted.from_properties(props)
    state = observe(engine_of(props), wanted)
    # `docker container prune` takes what has ended; a job is none the less done.
    was_finished = olds.get("goal") == FINISHED
    return FINISHED if state == MISSING and was_finished else state


def _remove_failed(client: docker.DockerClient, wanted: Wanted, ready_before: str | None) -> None:
    """Remove stopped containers that earlier updates left in the place of this one.

    Pulumi deletes what an update replaces when all of it has gone well: until then each update
    that fails would add one. The one that was ready last stays, to be started again by hand.
    """
    try:
        container = client.containers.get(wanted.id)
    except NotFound:
        return
    labels = container_labels(container.labels[STACK_LABEL], container.labels[ROLE_LABEL])
    stopped: dict[str, Any] = {"label": labels, "status": ["created", "exited", "dead"]}
    for other in client.containers.list(all=True, filters=stopped, ignore_removed=True):
        if other.id not in (wanted.id, ready_before) and _place(other) == _place(container):
            other.remove(v=True)


def _place(container: Container) -> str:
    """Its host name: replicas have one each."""
    return container.attrs["Config"]["Hostname"]


class Readiness(EngineResource, module="devportal", name="Readiness"):
    """That a container is healthy, or that a job has ended well.

    Parameters
    ----------
    container, container_name
        Id and name of the container.
    goal
        `HEALTHY`, or `FINISHED` for a job.
    ports
        `address:port` on the host that the engine should have bound, by `port/protocol`.
    networks
        `name` and `aliases` of each network that it should be on.
    """

    container_name: pulumi.Output[str]
    """Name of the container, known once it has reached its goal."""

    def __init__(
        self,
        name: str,
        *,
        container: pulumi.Input[str],
        container_name: pulumi.Input[str],
        goal: str,
        pids_limit: int,
        ports: dict[str, pulumi.Input[str]],
        networks: Sequence[Mapping[str, Any]],
        wait_seconds: int,
        stop_seconds: int,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "container": container,
            "container_name": container_name,
            "goal": goal,
            "pids_limit": pids_limit,
            "ports": ports,
            "networks": networks,
            "wait_seconds": wait_seconds,
            "stop_seconds": stop_seconds,
            "state": goal,
            # How often a plan found it in another state.
            "repairs": 0,
        }
        super().__init__(_ReadinessProvider(), f"{name}-readiness", engine, props, opts)
