"""Adminer and Redis Commander: web pages on the database and the cache, in development only."""

from dataclasses import dataclass

import pulumi

from infra.resources.container import run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret
from infra.settings import PortSettings

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
    """Inputs of the two tools."""

    adminer_image: pulumi.Input[str]
    redis_commander_image: pulumi.Input[str]
    ports: PortSettings
    network: pulumi.Input[str]
    database_password: Secret
    redis_password: Secret
    defaults: ContainerDefaults


class DevTools(pulumi.ComponentResource):
    """The two web pages, each on a port of the host's bind address."""

    adminer_url: pulumi.Output[str]
    redis_commander_url: pulumi.Output[str]

    def __init__(self, name: str, args: DevToolsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:DevTools", name, None, opts)
        database, cache = args.database_password, args.redis_password
        self.adminer_url = self._run(
            args, "adminer", args.adminer_image, _ADMINER_PORT, {"app_password": database}
        )
        self.redis_commander_url = self._run(
            args,
            "redis-commander",
            args.redis_commander_image,
            _REDIS_COMMANDER_PORT,
            {"redis_password": cache},
        )
        self.register_outputs({})

    def _run(
        self,
        args: DevToolsArgs,
        role: str,
        image: pulumi.Input[str],
        port: int,
        secret_files: dict[str, Secret],
    ) -> pulumi.Output[str]:
        """The tool's URL."""
        described = ContainerArgs(
            role=role,
            image=image,
            uid=_UID,
            gid=_GID,
            networks=[args.network],
            ports=[PublishedPort.of(args.ports, role.replace("-", "_"), port)],
            secret_files=secret_files,
            memory_mb=MEMORY_MB,
            cpus=_CPUS,
            stop_seconds=_STOP_SECONDS,
        )
        tool = run_container(described, args.defaults, self)
        return pulumi.Output.concat("http://", tool.published(port))
