"""How every container of a stack is run: hardened, limited, supervised, and awaited."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.engine.container_networks import join_address
from infra.engine.container_state import FINISHED, HEALTHY
from infra.engine.host_port import HostPort
from infra.engine.readiness import Readiness
from infra.naming import SPEC_LABEL
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.container_spec import Identity, describe_container, hash_container
from infra.resources.secret_files import SecretFiles, write_secret_files


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


def run_container(
    args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> RunningContainer:
    """Run a container with a fixed name, and wait until it is healthy; for a job, for its end."""
    # A fixed name, and often a fixed port: the old container has to go first.
    opts = pulumi.ResourceOptions(
        parent=parent, delete_before_replace=True, depends_on=list(args.depends_on)
    )
    identity = Identity(
        name=defaults.naming.physical(args.role),
        hostname=args.role,
        aliases=() if args.is_job else (args.role,),
    )
    return _create(args, identity, write_secret_files(args, defaults, parent), defaults, opts)


def run_replicas(
    args: ContainerArgs,
    defaults: ContainerDefaults,
    parent: pulumi.Resource,
    *,
    count: int,
    max_surge: int,
    share_name: bool = False,
) -> list[RunningContainer]:
    """Run `count` equal containers; new ones are healthy before any old one goes.

    Each has a name of its own, which Pulumi makes.

    Parameters
    ----------
    max_surge
        New containers that start at the same time.
    share_name
        Let the role's name find all of them, for who asks each. Nobody may send requests there: the
        network hands a container's address out before it is healthy.
    """
    secrets = write_secret_files(args, defaults, parent)
    replicas: list[RunningContainer] = []
    for number in range(1, count + 1):
        earlier = replicas[max(0, number - 1 - max_surge) : max(0, number - max_surge)]
        opts = pulumi.ResourceOptions(
            parent=parent,
            # The provider's own default is to delete first.
            delete_before_replace=False,
            depends_on=[*args.depends_on, *(replica.ready for replica in earlier)],
        )
        aliases = (args.role,) if share_name else ()
        identity = Identity(name=None, hostname=f"{args.role}-{number}", aliases=aliases)
        replicas.append(_create(args, identity, secrets, defaults, opts))
    return replicas


def _create(
    args: ContainerArgs,
    identity: Identity,
    secrets: SecretFiles | None,
    defaults: ContainerDefaults,
    opts: pulumi.ResourceOptions,
) -> RunningContainer:
    name, child = identity.hostname, pulumi.ResourceOptions(parent=opts.parent)
    external: dict[int, pulumi.Input[int]] = {}
    for port in args.ports:
        # Both protocols of a port share one.
        if port.internal not in external:
            external[port.internal] = _external_port(name, port, defaults, child)
    spec = describe_container(args, identity, secrets, external, defaults)
    revision = secrets.revision if secrets else ""
    spec_label = hash_container(spec, revision, defaults.memory_reservation_percent)
    spec.labels = defaults.naming.label_list(args.role, {SPEC_LABEL: spec_label})
    container = docker.Container(name, spec, opts)
    addresses = {p.internal: _address(p, external[p.internal]) for p in args.ports}
    ready = Readiness(
        name,
        container=container.id,
        container_name=container.name,
        goal=FINISHED if args.is_job else HEALTHY,
        pids_limit=defaults.pids_limit,
        ports={f"{port.internal}/{port.protocol}": addresses[port.internal] for port in args.ports},
        networks=[{"name": name, "aliases": list(identity.aliases)} for name in args.networks],
        wait_seconds=args.wait_seconds or defaults.health.wait_seconds,
        stop_seconds=args.stop_seconds,
        engine=defaults.engine,
        opts=child,
    )
    return RunningContainer(container, ready, addresses)


def _external_port(
    name: str, port: PublishedPort, defaults: ContainerDefaults, opts: pulumi.ResourceOptions
) -> pulumi.Input[int]:
    if port.external:
        return port.external
    chosen = HostPort(
        f"{name}-port-{port.internal}", address=port.address, engine=defaults.engine, opts=opts
    )
    # Numbers come back from the state as floats.
    return chosen.port.apply(int)


def _address(port: PublishedPort, external: pulumi.Input[int]) -> pulumi.Output[str]:
    known = pulumi.Output.from_input(external)
    return known.apply(lambda number: join_address(port.address, int(number)))
