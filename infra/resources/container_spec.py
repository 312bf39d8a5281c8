"""The whole description of a container: the one place that hardens, limits and supervises."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.container_options import (
    health_check,
    log_options,
    no_health_check,
    reservation_mb,
    tmpfs,
)
from infra.resources.secret_files import SecretFiles

# The provider changes these on the running container or in its state alone, so they are no
# reason to replace it.
_UPDATED_IN_PLACE = (
    "memory",
    "memory_swap",
    "memory_reservation",
    "restart",
    "destroy_grace_seconds",
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What differs between containers that are described alike; `name` None lets Pulumi choose."""

    name: str | None
    hostname: str
    aliases: tuple[str, ...] = ()
    is_job: bool = False


def describe_container(
    args: ContainerArgs,
    identity: Identity,
    secrets: SecretFiles | None,
    external: Mapping[int, pulumi.Input[int]],
    defaults: ContainerDefaults,
) -> docker.ContainerArgs:
    """The whole container but for its labels: the one place that hardens, limits and supervises."""
    return docker.ContainerArgs(
        name=identity.name,
        hostname=identity.hostname,
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(
                name=network, aliases=list(identity.aliases) or None
            )
            for network in args.networks
        ],
        ports=_ports(args.ports, external, defaults.bind_address),
        image=args.image,
        user=f"{args.uid}:{args.gid}",
        command=list(args.command) if args.command else None,
        envs=[pulumi.Output.concat(key, "=", value) for key, value in args.environment.items()],
        mounts=[*args.mounts, *([secrets.mount] if secrets else [])],
        # Swap equals memory, or the engine doubles it and every plan differs.
        memory=args.memory_mb,
        memory_swap=args.memory_mb,
        memory_reservation=reservation_mb(args.memory_mb, defaults.memory_reservation_percent),
        # As the provider reads it back: "1.0" and "0.5"; any other spelling replaces for ever.
        cpus=str(args.cpus),
        shm_size=args.shared_memory_mb,
        read_only=True,
        tmpfs=tmpfs(args.tmpfs_mb, args.uid, args.gid),
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        init=True,
        healthcheck=no_health_check()
        if identity.is_job
        else health_check(defaults.health, has_start_interval=defaults.has_start_interval),
        # `Readiness` starts it, under its process limit, and waits.
        start=False,
        wait=False,
        must_run=False,
        restart="no" if identity.is_job else defaults.restart,
        stop_signal=args.stop_signal,
        stop_timeout=args.stop_seconds,
        # Unset means SIGKILL, and what counts is the value in the old container's state.
        destroy_grace_seconds=args.grace_seconds or args.stop_seconds,
        log_driver=defaults.logs.driver,
        log_opts=log_options(defaults.logs),
    )


def _ports(
    ports: Sequence[PublishedPort], external: Mapping[int, pulumi.Input[int]], address: str
) -> list[docker.ContainerPortArgs]:
    """In the order in which the provider reads them back, or it replaces the container."""
    return [
        docker.ContainerPortArgs(
            internal=port.internal,
            external=external[port.internal],
            ip=address,
            protocol=port.protocol,
        )
        for port in sorted(ports, key=lambda port: (port.internal, port.protocol))
    ]


def hash_spec(
    spec: docker.ContainerArgs, revision: pulumi.Input[str], reservation_percent: int
) -> pulumi.Output[str]:
    """A short hash of all that makes a container what it is.

    As a label it replaces the container on edits that the provider would report as an update
    and not carry out, and it lets the engine's containers be compared with the program.
    """
    hashed = {key: value for key, value in vars(spec).items() if key not in _UPDATED_IN_PLACE}
    # The engine takes a reservation of none for "as before".
    reserves = reservation_percent > 0
    return pulumi.Output.all(**hashed, revision=revision, reserves=reserves).apply(_hash)


def _hash(spec: dict[str, Any]) -> str:
    text = json.dumps(spec, sort_keys=True, default=vars)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
