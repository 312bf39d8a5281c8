"""The one place that gives a container its limits, its protection and its update rules."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.resources.container_options import limits, protection, supervision
from infra.naming import SPEC_LABEL, Naming
from infra.engine.process_limit import ProcessLimit
from infra.resources.secret_files import SecretFiles
from infra.settings.loading import Environment, Settings

# The provider changes these on the running container, so they are no reason to replace it.
_UPDATED_IN_PLACE = {
    "memory",
    "memory_swap",
    "memory_reservation",
    "restart",
    "wait",
    "wait_timeout",
    "destroy_grace_seconds",
}


@dataclass(frozen=True, kw_only=True)
class ContainerArgs:
    """One container as its component describes it; everything else is the same for all.

    Parameters
    ----------
    uid, gid
        Numeric user from the start: no entrypoint of ours steps down from root.
    role
        Names the container, its host and its alias on its networks.
    tmpfs_mb
        Writable folders in memory, by path, with their size; all else is read-only.
    stop_seconds
        Grace between the stop signal and SIGKILL.
    depends_on
        What has to be healthy before it starts, where no address tells so.
    min_health_interval_seconds
        For a probe that costs much: the least time between two of them.
    """

    role: str
    image: pulumi.Input[str]
    uid: int
    gid: int
    networks: Sequence[pulumi.Input[str]]
    memory_mb: int
    cpus: float
    stop_seconds: int
    stop_signal: str = "SIGTERM"
    command: Sequence[str] | None = None
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    mounts: Sequence[docker.ContainerMountArgs] = ()
    ports: Sequence[docker.ContainerPortArgs] = ()
    tmpfs_mb: Mapping[str, int] = field(default_factory=lambda: {"/tmp": 64})
    shared_memory_mb: int = 64
    min_health_interval_seconds: int = 0
    secret_files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    depends_on: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True)
class Replica:
    """One of several equal containers."""

    container: docker.Container
    name: pulumi.Output[str]
    """Known once the container is healthy and all its limits hold."""


def run_container(
    name: str, args: ContainerArgs, settings: Settings, parent: pulumi.Resource
) -> docker.Container:
    """Run a hardened container with a fixed name, and wait until it is healthy."""
    identity = {
        "name": Naming(settings.stack).physical(args.role),
        "hostname": args.role,
        "networks_advanced": _networks(args, aliases=[args.role]),
    }
    # A fixed name, and often a fixed port: the old container has to go first.
    opts = pulumi.ResourceOptions(
        parent=parent, delete_before_replace=True, depends_on=list(args.depends_on)
    )
    secrets = _write_secrets(args, settings, parent)
    return _create(name, args, identity, secrets, settings, opts).container


def run_replicas(
    args: ContainerArgs, settings: Settings, parent: pulumi.Resource, *, max_surge: int, count: int
) -> list[Replica]:
    """Run `count` equal containers; new ones are healthy before any old one goes.

    Each has a name of its own, which Pulumi makes, and no alias: the network would hand an alias
    out before the container is healthy.

    Parameters
    ----------
    max_surge
        New containers that start at the same time.
    """
    secrets = _write_secrets(args, settings, parent)
    replicas: list[Replica] = []
    for number in range(1, count + 1):
        identity = {"hostname": f"{args.role}-{number}", "networks_advanced": _networks(args)}
        earlier = replicas[max(0, number - 1 - max_surge) : max(0, number - max_surge)]
        opts = pulumi.ResourceOptions(
            parent=parent,
            # The provider's own default is to delete first.
            delete_before_replace=False,
            depends_on=[replica.container for replica in earlier],
        )
        name = f"{args.role}-{number}"
        replicas.append(_create(name, args, identity, secrets, settings, opts))
    return replicas


def _write_secrets(args: ContainerArgs, settings: Settings, parent: pulumi.Resource) -> SecretFiles:
    return SecretFiles(
        args.role,
        Naming(settings.stack),
        image=args.image,
        files=args.secret_files,
        uid=args.uid,
        gid=args.gid,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _create(
    name: str,
    args: ContainerArgs,
    identity: Mapping[str, Any],
    secrets: SecretFiles,
    settings: Settings,
    opts: pulumi.ResourceOptions,
) -> Replica:
    naming = Naming(settings.stack)
    spec = {
        **identity,
        **_program(args),
        **_reach(args, secrets.mount),
        **limits(args, settings),
        **protection(args),
        **supervision(args, settings),
    }
    hashed = {key: value for key, value in spec.items() if key not in _UPDATED_IN_PLACE}
    spec_hash = pulumi.Output.all(**hashed, secrets=secrets.revision).apply(_hash_spec)
    labels = {**naming.labels(args.role), SPEC_LABEL: spec_hash}
    container = docker.Container(
        name,
        **spec,
        labels=[docker.ContainerLabelArgs(label=key, value=labels[key]) for key in labels],
        # Without it a retry after a failed health wait calls a sick container good.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(replace_on_changes=["#initerror"])
        ),
    )
    limit = ProcessLimit(
        name,
        container=container.id,
        limit=settings.pids_limit,
        opts=pulumi.ResourceOptions(parent=opts.parent),
    )
    known = pulumi.Output.all(container.name, limit.container)
    return Replica(container, known.apply(lambda values: values[0]))


def publish(settings: Settings, *, internal: int, external: int) -> list[docker.ContainerPortArgs]:
    """A port on the host's bind address; external 0 lets the engine choose a free one."""
    return [
        docker.ContainerPortArgs(
            internal=internal, external=external or None, ip=settings.ports.bind_address
        )
    ]


def publish_in_development(
    settings: Settings, *, internal: int, external: int
) -> list[docker.ContainerPortArgs]:
    """As `publish`, but nothing in production: there only the portal's network reaches it."""
    if settings.environment is Environment.PRODUCTION:
        return []
    return publish(settings, internal=internal, external=external)


def published_address(container: docker.Container, settings: Settings) -> pulumi.Output[str]:
    """`address:port` of the container's first published port, as the engine gave it."""
    address = settings.ports.bind_address
    return container.ports.apply(lambda ports: f"{address}:{ports[0].external}" if ports else "")


def _networks(
    args: ContainerArgs, aliases: Sequence[str] = ()
) -> list[docker.ContainerNetworksAdvancedArgs]:
    return [
        docker.ContainerNetworksAdvancedArgs(name=network, aliases=list(aliases) or None)
        for network in args.networks
    ]


def _program(args: ContainerArgs) -> dict[str, Any]:
    return {
        "image": args.image,
        "user": f"{args.uid}:{args.gid}",
        "command": list(args.command) if args.command else None,
        "envs": [pulumi.Output.concat(key, "=", value) for key, value in args.environment.items()],
    }


def _reach(args: ContainerArgs, secrets: docker.ContainerMountArgs) -> dict[str, Any]:
    return {
        "ports": list(args.ports),
        "mounts": [*args.mounts, secrets],
    }


def _hash_spec(spec: dict[str, Any]) -> str:
    """A short hash of all that makes a container what it is.

    As a label it replaces the container on edits that the provider would report as an update
    and not carry out, and it lets the engine's containers be compared with the program.
    """
    text = json.dumps(spec, sort_keys=True, default=vars)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
