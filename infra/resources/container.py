"""How every container of a stack is run: hardened, limited, supervised, and awaited."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.engine.address import EngineAddress
from infra.engine.container_state import FINISHED, HEALTHY, join_address
from infra.engine.host_port import HostPort
from infra.engine.readiness import Readiness
from infra.naming import SPEC_LABEL, Naming
from infra.resources.container_options import (
    health_check,
    log_options,
    no_health_check,
    reservation_mb,
    tmpfs,
)
from infra.resources.secret_files import SecretFiles, write_secret_files
from infra.settings import HealthSettings, LogSettings

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
class ContainerDefaults:
    """What all containers of a stack have in common.

    Parameters
    ----------
    pids_limit
        Processes and threads that a container may have at a time.
    memory_reservation_percent
        Part of its memory limit that a container keeps when the host runs short.
    has_start_interval
        Whether the engine has a start interval for health checks.
    bind_address
        Address of the host on which ports are published.
    """

    naming: Naming
    engine: EngineAddress
    restart: str
    pids_limit: int
    memory_reservation_percent: int
    health: HealthSettings
    has_start_interval: bool
    logs: LogSettings
    bind_address: str


@dataclass(frozen=True)
class PublishedPort:
    """A port of a container on the host; `external` 0 means a free one, chosen once and kept."""

    internal: int
    external: int
    protocol: str = "tcp"


@dataclass(frozen=True, kw_only=True)
class ContainerArgs:
    """One container as its component describes it; everything else is the same for all.

    Parameters
    ----------
    role
        Names the container, its host and its alias on its networks.
    uid, gid
        Numeric user from the start: no entrypoint of ours steps down from root.
    stop_seconds
        Grace between the stop signal and SIGKILL.
    grace_seconds
        The same when Pulumi removes the container, where it may change without a replacement;
        `stop_seconds` if not given.
    tmpfs_mb
        Writable folders in memory, by path, with their size; all else is read-only.
    secret_files
        Text of each file below `/run/secrets` by its name.
    start_period_seconds, wait_seconds
        In place of the stack's own, for one that takes longer.
    depends_on
        What has to be ready before it starts: `RunningContainer.ready` of others, never a whole
        component, whose volumes would then wait for this container when the stack is destroyed.
    """

    role: str
    image: pulumi.Input[str]
    uid: int
    gid: int
    networks: Sequence[pulumi.Input[str]]
    memory_mb: int
    cpus: float
    stop_seconds: int
    grace_seconds: int | None = None
    stop_signal: str = "SIGTERM"
    command: Sequence[str] | None = None
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    mounts: Sequence[docker.ContainerMountArgs] = ()
    ports: Sequence[PublishedPort] = ()
    tmpfs_mb: Mapping[str, int] = field(default_factory=lambda: {"/tmp": 64})
    shared_memory_mb: int = 64
    secret_files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    start_period_seconds: int | None = None
    wait_seconds: int | None = None
    depends_on: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True)
class RunningContainer:
    """A container and the resource that knows when it is ready."""

    container: docker.Container
    ready: Readiness
    _addresses: Mapping[int, pulumi.Output[str]]

    @property
    def name(self) -> pulumi.Output[str]:
        """Its name, known once it is healthy; for a job, once it has ended well."""
        return self.ready.container_name

    def published(self, internal: int) -> pulumi.Output[str]:
        """`address:port` on the host of one of its ports, an IPv6 address in brackets."""
        return self._addresses[internal]

    def published_port(self, internal: int) -> pulumi.Output[int]:
        """Port on the host of one of its ports."""
        return self._addresses[internal].apply(lambda address: int(address.rpartition(":")[2]))


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """What differs between containers that are described alike; `name` None lets Pulumi choose."""

    name: str | None
    hostname: str
    aliases: tuple[str, ...] = ()
    is_job: bool = False


def run_container(
    name: str, args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> RunningContainer:
    """Run a container with a fixed name, and wait until it is healthy."""
    identity = _Identity(
        name=defaults.naming.physical(args.role), hostname=args.role, aliases=(args.role,)
    )
    return _run_fixed(name, args, identity, defaults, parent)


def run_job(
    name: str, args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> RunningContainer:
    """Run a container that ends, and wait for it; a code other than 0 ends the update."""
    identity = _Identity(name=defaults.naming.physical(args.role), hostname=args.role, is_job=True)
    return _run_fixed(name, args, identity, defaults, parent)


def run_replicas(
    args: ContainerArgs,
    defaults: ContainerDefaults,
    parent: pulumi.Resource,
    *,
    count: int,
    max_surge: int,
) -> list[RunningContainer]:
    """Run `count` equal containers; new ones are healthy before any old one goes.

    Each has a name of its own, which Pulumi makes, and no alias: the network would hand an alias
    out before the container is healthy.

    Parameters
    ----------
    max_surge
        New containers that start at the same time.
    """
    secrets = _write_secrets(args, defaults, parent)
    replicas: list[RunningContainer] = []
    for number in range(1, count + 1):
        name = f"{args.role}-{number}"
        earlier = replicas[max(0, number - 1 - max_surge) : max(0, number - max_surge)]
        opts = pulumi.ResourceOptions(
            parent=parent,
            # The provider's own default is to delete first.
            delete_before_replace=False,
            depends_on=[*args.depends_on, *(replica.ready for replica in earlier)],
        )
        identity = _Identity(name=None, hostname=name)
        replicas.append(_create(name, args, identity, secrets, defaults, opts))
    return replicas


def _run_fixed(
    name: str,
    args: ContainerArgs,
    identity: _Identity,
    defaults: ContainerDefaults,
    parent: pulumi.Resource,
) -> RunningContainer:
    # A fixed name, and often a fixed port: the old container has to go first.
    opts = pulumi.ResourceOptions(
        parent=parent, delete_before_replace=True, depends_on=list(args.depends_on)
    )
    secrets = _write_secrets(args, defaults, parent)
    return _create(name, args, identity, secrets, defaults, opts)


def _write_secrets(
    args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> SecretFiles | None:
    if not args.secret_files:
        return None
    return write_secret_files(
        args.role,
        defaults.naming,
        image=args.image,
        files=args.secret_files,
        uid=args.uid,
        gid=args.gid,
        engine=defaults.engine,
        parent=parent,
    )


def _create(
    name: str,
    args: ContainerArgs,
    identity: _Identity,
    secrets: SecretFiles | None,
    defaults: ContainerDefaults,
    opts: pulumi.ResourceOptions,
) -> RunningContainer:
    external = _external_ports(name, args.ports, defaults, opts.parent)
    spec = _describe(args, identity, secrets, external, defaults)
    revision = secrets.revision if secrets else ""
    labels = {
        **defaults.naming.labels(args.role),
        SPEC_LABEL: _spec_hash(spec, revision, defaults.memory_reservation_percent),
    }
    spec.labels = [docker.ContainerLabelArgs(label=key, value=labels[key]) for key in labels]
    container = docker.Container(name, spec, opts)
    addresses = {
        port: pulumi.Output.from_input(number).apply(_address_on(defaults.bind_address))
        for port, number in external.items()
    }
    ready = Readiness(
        name,
        container=container.id,
        container_name=container.name,
        goal=FINISHED if identity.is_job else HEALTHY,
        pids_limit=defaults.pids_limit,
        ports={f"{port.internal}/{port.protocol}": addresses[port.internal] for port in args.ports},
        wait_seconds=args.wait_seconds or defaults.health.wait_seconds,
        stop_seconds=args.stop_seconds,
        engine=defaults.engine,
        opts=pulumi.ResourceOptions(parent=opts.parent),
    )
    return RunningContainer(container, ready, addresses)


def _external_ports(
    name: str,
    ports: Sequence[PublishedPort],
    defaults: ContainerDefaults,
    parent: pulumi.Resource | None,
) -> dict[int, pulumi.Input[int]]:
    """Port on the host by port of the container; both protocols share one."""
    external: dict[int, pulumi.Input[int]] = {port.internal: port.external for port in ports}
    for internal in (internal for internal, given in external.items() if given == 0):
        chosen = HostPort(
            f"{name}-port-{internal}",
            address=defaults.bind_address,
            engine=defaults.engine,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        # Numbers come back from the state as floats.
        external[internal] = chosen.port.apply(int)
    return external


def _describe(
    args: ContainerArgs,
    identity: _Identity,
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
        else health_check(
            defaults.health,
            args.start_period_seconds,
            has_start_interval=defaults.has_start_interval,
        ),
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


def _address_on(host: str) -> Any:
    return lambda port: join_address(host, int(port))


def _spec_hash(
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
