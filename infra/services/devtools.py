"""Adminer and Redis Commander: a look into the database and the cache, in development only."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import ContainerArgs, publish, published_address, run_container
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret
from infra.settings.loading import Settings

ADMINER_IMAGE = ImageRecipe(role="adminer", base="adminer", context="docker/adminer")
REDIS_COMMANDER_IMAGE = ImageRecipe(
    role="redis-commander", base="redis-commander", context="docker/redis-commander"
)
_UID = _GID = 10002
_MEMORY_MB = 256
_CPUS = 0.5
_STOP_SECONDS = 5
# Their probes start an interpreter each; nobody waits for these pages in particular.
_HEALTH_INTERVAL_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class DevToolsArgs:
    """What the tools are given: their images, the network, and one password each."""

    adminer_image: pulumi.Input[str]
    redis_commander_image: pulumi.Input[str]
    network: pulumi.Input[str]
    database_password: Secret
    redis_password: Secret


class DevTools(pulumi.ComponentResource):
    """The two web pages, each on a port of the host's bind address."""

    adminer_address: pulumi.Output[str]
    redis_commander_address: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: DevToolsArgs,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:DevTools", name, None, opts)
        adminer = run_container("adminer", _adminer(args, settings), settings, self)
        commander = run_container(
            "redis-commander", _redis_commander(args, settings), settings, self
        )
        self.adminer_address = published_address(adminer, settings)
        self.redis_commander_address = published_address(commander, settings)
        self.register_outputs({})


def _adminer(args: DevToolsArgs, settings: Settings) -> ContainerArgs:
    port = publish(settings, internal=8080, external=settings.ports.adminer)
    files = {"app_password": args.database_password}
    return _tool("adminer", args.adminer_image, args.network, port, files)


def _redis_commander(args: DevToolsArgs, settings: Settings) -> ContainerArgs:
    port = publish(settings, internal=8081, external=settings.ports.redis_commander)
    files = {"redis_password": args.redis_password}
    return _tool("redis-commander", args.redis_commander_image, args.network, port, files)


def _tool(
    role: str,
    image: pulumi.Input[str],
    network: pulumi.Input[str],
    ports: list[docker.ContainerPortArgs],
    secret_files: dict[str, Secret],
) -> ContainerArgs:
    return ContainerArgs(
        role=role,
        image=image,
        uid=_UID,
        gid=_GID,
        networks=[network],
        ports=ports,
        secret_files=secret_files,
        memory_mb=_MEMORY_MB,
        cpus=_CPUS,
        stop_seconds=_STOP_SECONDS,
        min_health_interval_seconds=_HEALTH_INTERVAL_SECONDS,
    )
