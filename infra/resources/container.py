"""How every container of a stack is run: hardened, limited, supervised, and awaited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.engine.container_networks import join_address
from infra.engine.container_state import FINISHED, HEALTHY
from infra.engine.host_port import HostPort
from infra.engine.readiness import Readiness
from infra.naming import SPEC_LABEL
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.container_spec import Identity, describe_container, hash_spec
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
    name: str, args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> RunningContainer:
    """Run a container with a fixed name, and wait until it is healthy."""
    identity = Identity(
        name=defaults.naming.physical(args.role), hostname=args.role, aliases=(args.role,)
    )
    return _run_fixed(name, args, identity, defaults, parent)


def run_job(
    name: str, args: ContainerArgs, defaults: ContainerDefaults, parent: pulumi.Resource
) -> RunningContainer:
    """Run a container that ends, and wait for it; a code other than 0 ends the update."""
    identity = Identity(name=defaults.naming.physical(args.role), hostname=args.role, is_job=True)
    return _run_fixed(name, args, identity, defaults, parent)


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
        aliases = (args.role,) if share_name else ()
        identity = Identity(name=None, hostname=name, aliases=aliases)
        replicas.append(_create(name, args, identity, secrets, defaults, opts))
    return replicas


def _run_fixed(
    name: str,
    args: ContainerArgs,
    identity: Identity,
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
    identity: Identity,
    secrets: SecretFiles | None,
    defaults: ContainerDefaults,
    opts: pulumi.ResourceOptions,
) -> RunningContainer:
    external = _external_ports(name, args.ports, defaults, opts.parent)
    spec = describe_container(args, identity, secrets, external, defaults)
    revision = secrets.revision if secrets else ""
    labels = {
        **defaults.naming.labels(args.role),
        SPEC_LABEL: hash_spec(spec, revision, defaults.memory_reservation_percent),
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
        networks=[{"name": name, "aliases": list(identity.aliases)} for name in args.networks],
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


def _address_on(host: str) -> Any:
    return lambda port: join_address(host, int(port))
