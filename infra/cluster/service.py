"""How every service of a cluster is run: hardened, limited, supervised, and awaited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_docker as docker

from infra.cluster.nodes import EDGE_LABEL, STORE_LABEL
from infra.cluster.task import create_secrets, describe_task
from infra.engine.container_state import FINISHED
from infra.engine.service_readiness import ServiceReadiness
from infra.engine.service_state import RUNNING
from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.container_spec import hash_inputs

STORE_NODE = f"node.labels.{STORE_LABEL}==true"
EDGE_NODE = f"node.labels.{EDGE_LABEL}==true"
"""Where a service may run, by labels of the nodes."""
_MONITOR_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Running:
    """How the tasks of a service are spread and replaced.

    Parameters
    ----------
    tasks
        How many; 0 for one on each node that `constraints` allow.
    order
        Whether a new task is healthy before its forerunner stops, or starts after it.
    parallelism
        Tasks that are replaced at a time.
    goes_back
        Whether an update that fails is undone, as it always is where new tasks start first; not
        where the old one would meet data that the new one has written.
    configs
        Files that are no secret.
    kernel
        Settings of the kernel (`net.*`) in its tasks' network namespace.
    labels
        Of the service and not of its tasks, beside those that say whose it is.
    """

    tasks: int = 1
    constraints: Sequence[str] = ()
    order: Literal["start-first", "stop-first"] = "stop-first"
    parallelism: int = 1
    goes_back: bool = False
    configs: Sequence[docker.ServiceTaskSpecContainerSpecConfigArgs] = field(default=())
    kernel: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])


class Service(pulumi.ComponentResource):
    """One service, its secrets, and the resource that knows when it is ready.

    A job runs again when its description changes.
    """

    ready: ServiceReadiness

    def __init__(
        self,
        args: ContainerArgs,
        running: Running,
        defaults: ContainerDefaults,
        opts: pulumi.ResourceOptions,
    ) -> None:
        name = args.role
        super().__init__("devportal:infra:Service", name, None, opts)
        spec = self._describe(args, running, defaults)
        service = docker.Service(
            name,
            spec,
            # A fixed name; most changes are updates, which Swarm rolls.
            pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, depends_on=list(args.depends_on)
            ),
        )
        self.ready = ServiceReadiness(
            name,
            service=service.id,
            service_name=service.name,
            goal=FINISHED if args.is_job else RUNNING,
            tasks=running.tasks,
            spec=hash_inputs(**vars(spec)),
            wait_seconds=(args.wait_seconds or defaults.health.wait_seconds)
            * max(1, running.tasks),
            engine=defaults.engine,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def _describe(
        self, args: ContainerArgs, running: Running, defaults: ContainerDefaults
    ) -> docker.ServiceArgs:
        return docker.ServiceArgs(
            name=defaults.naming.physical(args.role),
            labels=defaults.naming.label_list(args.role, running.labels),
            task_spec=describe_task(
                args,
                defaults,
                constraints=running.constraints,
                secrets=create_secrets(args, defaults.naming, self),
                configs=running.configs,
                kernel=running.kernel,
            ),
            mode=_mode(running),
            update_config=_update(running, is_job=args.is_job),
            rollback_config=_rollback(running),
            endpoint_spec=_endpoint(args),
        )


def _mode(running: Running) -> docker.ServiceModeArgs:
    if not running.tasks:
        return docker.ServiceModeArgs(global_=True)
    return docker.ServiceModeArgs(
        replicated=docker.ServiceModeReplicatedArgs(replicas=running.tasks)
    )


def _update(running: Running, *, is_job: bool) -> docker.ServiceUpdateConfigArgs:
    """A new task that does not become healthy ends the update; one of a job is meant to end.

    Where it starts first, the old ones have served all along and Swarm goes back to them.
    """
    goes_back = running.goes_back or running.order == "start-first"
    on_failure = "rollback" if goes_back else "pause"
    action = "continue" if is_job else on_failure
    return docker.ServiceUpdateConfigArgs(failure_action=action, **_pace(running))


def _rollback(running: Running) -> docker.ServiceRollbackConfigArgs:
    """The way back is like the way there; the engine's own, stop-first, would be a drift."""
    return docker.ServiceRollbackConfigArgs(failure_action="pause", **_pace(running))


def _pace(running: Running) -> dict[str, Any]:
    return {
        "order": running.order,
        "parallelism": running.parallelism,
        "monitor": f"{_MONITOR_SECONDS}s",
        "delay": "0s",
        "max_failure_ratio": "0.0",
    }


def _endpoint(args: ContainerArgs) -> docker.ServiceEndpointSpecArgs:
    """Names lead to tasks and ports to those of the node: no kernel has to balance (IPVS)."""
    return docker.ServiceEndpointSpecArgs(
        mode="dnsrr",
        ports=[
            docker.ServiceEndpointSpecPortArgs(
                target_port=port.internal,
                published_port=port.external,
                protocol=port.protocol,
                publish_mode="host",
            )
            for port in args.ports
        ]
        or None,
    )
