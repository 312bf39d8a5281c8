"""A Swarm service's readiness, as `readiness.py` has it for a container.

Each plan asks the swarm how the service is, so that one with too few healthy tasks, or with an
update that was rolled back, shows as an update of its readiness, which waits or says why not.
"""

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult

from infra.engine.address import EngineAddress
from infra.engine.container_state import MISSING
from infra.engine.resource import EngineProvider, EngineResource, Props, engine_of
from infra.engine.service_state import (
    WantedService,
    await_service,
    observe_service,
    repeat_failed_job,
)


class _ServiceReadinessProvider(EngineProvider):
    key = "service_name"
    inputs = ("service", "service_name", "goal", "tasks", "spec")

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Ask the swarm; what the same plan changes is not there to be asked."""
        if all(news[key] == _olds.get(key) for key in self.inputs):
            news["state"] = _observe(news)
        return CheckResult(news, [])

    def is_changed(self, olds: Props, news: Props) -> bool:
        return news["state"] != news["goal"] or super().is_changed(olds, news)

    def put(self, olds: Props, news: Props) -> Props:
        client, wanted = engine_of(news), WantedService.from_properties(news)
        repeat_failed_job(client, wanted)
        await_service(client, wanted)
        return {"state": news["goal"]}

    def find(self, props: Props) -> Props | None:
        state = _observe(props)
        return None if state == MISSING else {"state": state}


def _observe(props: Props) -> str:
    return observe_service(engine_of(props), WantedService.from_properties(props))


class ServiceReadiness(EngineResource, module="devportal", name="ServiceReadiness"):
    """That all tasks of a service are healthy, or that a job has ended well.

    Parameters
    ----------
    service, service_name
        Id and name of the service.
    goal
        `RUNNING`, or `FINISHED` for a job.
    tasks
        How many there should be; 0 for one on each node that its placement allows.
    spec
        A hash of what the service is: another one is awaited anew.
    """

    service_name: pulumi.Output[str]
    """Name of the service, known once it has reached its goal."""

    def __init__(
        self,
        name: str,
        *,
        service: pulumi.Input[str],
        service_name: pulumi.Input[str],
        goal: str,
        tasks: int,
        spec: pulumi.Input[str],
        wait_seconds: int,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "service": service,
            "service_name": service_name,
            "goal": goal,
            "tasks": tasks,
            "spec": spec,
            "wait_seconds": wait_seconds,
            "state": goal,
        }
        super().__init__(_ServiceReadinessProvider(), f"{name}-readiness", engine, props, opts)
