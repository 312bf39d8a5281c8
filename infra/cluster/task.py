"""The whole description of a service's tasks: the one place that hardens, limits and supervises.

It takes what `infra/resources/container_spec.py` takes. What Swarm or the docker provider has no
word for (process limits, swap, no-new-privileges, owners of tmpfs) docs/swarm.md names.
"""

import base64
import re
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_docker as docker

from infra.naming import Naming
from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.container_spec import duration, health_check, log_options, reservation_mb
from infra.resources.secret_files import SECRETS_PATH

_MEBIBYTE = 1 << 20
_NANO = 10**9
_SECRET_MODE = 0o400
_RESTART_SECONDS = 2
_RESTART = {"no": "none", "on-failure": "on-failure"}
_Secrets = Sequence[docker.ServiceTaskSpecContainerSpecSecretArgs]
_Configs = Sequence[docker.ServiceTaskSpecContainerSpecConfigArgs]


def describe_task(
    args: ContainerArgs,
    defaults: ContainerDefaults,
    *,
    constraints: Sequence[str],
    secrets: _Secrets,
    configs: _Configs,
    kernel: Mapping[str, str],
) -> docker.ServiceTaskSpecArgs:
    """What every task of a service is and where it may run."""
    return docker.ServiceTaskSpecArgs(
        container_spec=docker.ServiceTaskSpecContainerSpecArgs(
            image=args.image,
            labels=defaults.naming.label_list(args.role),
            user=f"{args.uid}:{args.gid}",
            # Arguments of the image's entrypoint, as a container's command is.
            args=list(args.command) if args.command else None,
            env=dict(args.environment) or None,
            read_only=True,
            cap_drops=["ALL"],
            init=True,
            mounts=_mounts(args),
            secrets=secrets or None,
            configs=configs or None,
            sysctl=dict(kernel) or None,
            healthcheck=docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
                # The provider knows no start interval of services.
                **health_check(args, defaults.health, False, _duration)
            ),
            stop_signal=args.stop_signal,
            stop_grace_period=_duration(args.grace_seconds or args.stop_seconds),
        ),
        resources=_resources(args, defaults),
        restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(
            condition="none" if args.is_job else _RESTART.get(defaults.restart, "any"),
            delay=_duration(_RESTART_SECONDS),
            # As the provider reads it back.
            window="0s",
        ),
        placement=_placement(constraints, defaults.platform),
        networks_advanceds=[
            docker.ServiceTaskSpecNetworksAdvancedArgs(id=network, aliases=[args.role])
            for network in args.networks
        ],
        log_driver=docker.ServiceTaskSpecLogDriverArgs(
            name=defaults.logs.driver, options=log_options(defaults.logs)
        ),
    )


def create_secrets(
    args: ContainerArgs, naming: Naming, parent: pulumi.Resource
) -> list[docker.ServiceTaskSpecContainerSpecSecretArgs]:
    """Swarm secrets for a service's files, mode 0400, owned by its user.

    Pulumi names them: another text is another secret, which is there before the service takes it
    and the old one goes. A digest in its name would allow guesses to be tested against it.
    """
    made: list[docker.ServiceTaskSpecContainerSpecSecretArgs] = []
    for file, text in args.secret_files.items():
        secret = docker.Secret(
            f"{args.role}-{file.replace('_', '-').replace('.', '-')}",
            data=pulumi.Output.secret(text).apply(encode),
            labels=naming.label_list(args.role),
            opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=False),
        )
        taken = docker.ServiceTaskSpecContainerSpecSecretArgs(
            secret_id=secret.id,
            secret_name=secret.name,
            file_name=f"{SECRETS_PATH}/{file}",
            file_uid=str(args.uid),
            file_gid=str(args.gid),
            file_mode=_SECRET_MODE,
        )
        made.append(taken)
    return made


def encode(text: str | bytes) -> str:
    """Base64, as the docker provider takes the contents of secrets and configs."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def _mounts(args: ContainerArgs) -> list[docker.ServiceTaskSpecContainerSpecMountArgs]:
    volumes = [
        docker.ServiceTaskSpecContainerSpecMountArgs(
            type=mount.type, source=mount.source, target=mount.target, read_only=mount.read_only
        )
        for mount in args.mounts
    ]
    in_memory = [
        docker.ServiceTaskSpecContainerSpecMountArgs(
            type="tmpfs",
            target=path,
            tmpfs_options=docker.ServiceTaskSpecContainerSpecMountTmpfsOptionsArgs(
                # Its mode stays the engine's, 1777: the provider reads it back without the 1.
                size_bytes=size * _MEBIBYTE
            ),
        )
        for path, size in {**args.tmpfs_mb, "/dev/shm": args.shared_memory_mb}.items()
    ]
    return [*volumes, *in_memory]


def _resources(
    args: ContainerArgs, defaults: ContainerDefaults
) -> docker.ServiceTaskSpecResourcesArgs:
    reserved = reservation_mb(args.memory_mb, defaults.memory_reservation_percent)
    return docker.ServiceTaskSpecResourcesArgs(
        limits=docker.ServiceTaskSpecResourcesLimitsArgs(
            memory_bytes=args.memory_mb * _MEBIBYTE, nano_cpus=round(args.cpus * _NANO)
        ),
        reservation=docker.ServiceTaskSpecResourcesReservationArgs(
            memory_bytes=reserved * _MEBIBYTE
        )
        if reserved
        else None,
    )


def _duration(seconds: int) -> str:
    """As the provider reads a service's back: `1m`, where a container's is `1m0s`."""
    return re.sub("(?<=[hm])0[ms]$", "", re.sub("(?<=m)0s$", "", duration(seconds)))


def _placement(constraints: Sequence[str], platform: str) -> docker.ServiceTaskSpecPlacementArgs:
    """Swarm spreads tasks evenly by itself."""
    system, _, architecture = platform.partition("/")
    return docker.ServiceTaskSpecPlacementArgs(
        constraints=list(constraints) or None,
        # The engine adds them when it creates the service, and every plan would differ.
        platforms=[
            docker.ServiceTaskSpecPlacementPlatformArgs(os=system, architecture=architecture)
        ],
    )
