"""Adminer and Redis Commander: web pages on the database and the cache, in development only."""

from dataclasses import dataclass

import pulumi

from infra.resources.container import RunningContainer, run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret

ADMINER_IMAGE = ImageRecipe(role="adminer", base="adminer", context="docker/adminer")
REDIS_COMMANDER_IMAGE = ImageRecipe(
    role="redis-commander", base="redis-commander", context="docker/redis-commander"
)
_ADMINER_PORT = 8080
_REDIS_COMMANDER_PORT = 8081
_UID = _GID = 10002
MEMORY_MB = 256
_CPUS = 0.5
_STOP_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class DevToolsArgs:
    """Inputs of the two tools; an external port of 0 is a free one."""

    adminer_image: pulumi.Input[str]
    adminer_port: int
    redis_commander_image: pulumi.Input[str]
    redis_commander_port: int
    network: pulumi.Input[str]
    database_password: Secret
    redis_password: Secret
    defaults: ContainerDefaults


class DevTools(pulumi.ComponentResource):
    """The two web pages, each on a port of the host's bind address."""

    adminer_url: pulumi.Output[str]
    redis_commander_url: pulumi.Output[str]

    def __init__(
        self, name: str, args: DevToolsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("devportal:infra:DevTools", name, None, opts)
        adminer = run_container("adminer", _adminer(args), args.defaults, self)
        commander = run_container("redis-commander", _redis_commander(args), args.defaults, self)
        self.adminer_url = _url(adminer, _ADMINER_PORT)
        self.redis_commander_url = _url(commander, _REDIS_COMMANDER_PORT)
        self.register_outputs({})


def _adminer(args: DevToolsArgs) -> ContainerArgs:
    port = PublishedPort(internal=_ADMINER_PORT, external=args.adminer_port)
    files = {"app_password": args.database_password}
    return _tool("adminer", args.adminer_image, args.network, port, files)


def _redis_commander(args: DevToolsArgs) -> ContainerArgs:
    port = PublishedPort(internal=_REDIS_COMMANDER_PORT, external=args.redis_commander_port)
    files = {"redis_password": args.redis_password}
    return _tool("redis-commander", args.redis_commander_image, args.network, port, files)


def _tool(
    role: str,
    image: pulumi.Input[str],
    network: pulumi.Input[str],
    port: PublishedPort,
    secret_files: dict[str, Secret],
) -> ContainerArgs:
    return ContainerArgs(
        role=role,
        image=image,
        uid=_UID,
        gid=_GID,
        networks=[network],
        ports=[port],
        secret_files=secret_files,
        memory_mb=MEMORY_MB,
        cpus=_CPUS,
        stop_seconds=_STOP_SECONDS,
    )


def _url(tool: RunningContainer, port: int) -> pulumi.Output[str]:
    return pulumi.Output.concat("http://", tool.published(port))
