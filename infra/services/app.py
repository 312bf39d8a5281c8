"""The developer portal's own container."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import (
    ContainerArgs,
    publish_in_development,
    published_address,
    run_container,
    run_replicas,
)
from infra.resources.image import ROOT, ImageRecipe
from infra.services.postgres import fresh_start
from infra.resources.secret import Secret
from infra.settings.groups import Environment
from infra.settings.loading import Settings

_PORT = 8000
_UID = _GID = 10001
_CODE_PATH = "/srv/portal/app"


def app_image(settings: Settings) -> ImageRecipe:
    """The image of the portal: `dev` reloads code on save, `prod` carries nothing it can spare."""
    target = "dev" if settings.app.reload else "prod"
    return ImageRecipe(
        role="app", base="python", context=".", target=target, version=settings.app.version
    )


@dataclass(frozen=True, kw_only=True)
class AppArgs:
    """What the application is given: its image, its networks and the secrets it reads as files."""

    image: pulumi.Input[str]
    networks: Sequence[pulumi.Input[str]]
    database_url: Secret
    migration_database_url: Secret
    redis_url: Secret
    secret_key: Secret
    jwt_secret_key: Secret
    admin_password: Secret


class App(pulumi.ComponentResource):
    """The portal: replicas behind Nginx, or in development one on a published port."""

    peers: pulumi.Output[list[str]]
    """`host:port` of every replica on its networks, once all of them are healthy."""
    published_address: pulumi.Output[str]
    """`address:port` on the host; empty behind Nginx."""

    def __init__(
        self,
        name: str,
        args: AppArgs,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:App", name, None, opts)
        described = _container(args, settings)
        if settings.environment is Environment.PRODUCTION:
            names = self._run_replicas(described, settings)
            self.published_address = pulumi.Output.from_input("")
        else:
            container = run_container("app", described, settings, self)
            names = [container.name]
            self.published_address = published_address(container, settings)
        self.peers = pulumi.Output.all(*names).apply(
            lambda names: [f"{name}:{_PORT}" for name in names]
        )
        self.register_outputs({})

    def _run_replicas(
        self, described: ContainerArgs, settings: Settings
    ) -> list[pulumi.Output[str]]:
        own = settings.app
        replicas = run_replicas(
            described, settings, self, max_surge=own.max_surge, count=own.replicas
        )
        return [replica.name for replica in replicas]


def _container(args: AppArgs, settings: Settings) -> ContainerArgs:
    own = settings.app
    secret_files = _secret_files(args)
    return ContainerArgs(
        role="app",
        image=args.image,
        uid=_UID,
        gid=_GID,
        networks=args.networks,
        environment={**_environment(settings), **_file_variables(secret_files)},
        secret_files=secret_files,
        mounts=[_code_mount()] if own.reload else [],
        ports=publish_in_development(settings, internal=_PORT, external=settings.ports.portal),
        memory_mb=own.memory_mb,
        cpus=own.cpus,
        # The server drains for so long by itself; the rest is for its last words.
        stop_seconds=own.drain_seconds + 5,
    )


def _secret_files(args: AppArgs) -> dict[str, Secret]:
    return {
        "database_url": args.database_url,
        "migration_database_url": args.migration_database_url,
        "redis_url": args.redis_url,
        "secret_key": args.secret_key,
        "jwt_secret_key": args.jwt_secret_key,
        "admin_password": args.admin_password,
    }


def _file_variables(secret_files: dict[str, Secret]) -> dict[str, str]:
    return {f"{name.upper()}_FILE": f"/run/secrets/{name}" for name in secret_files}


def _environment(settings: Settings) -> dict[str, str]:
    own = settings.app
    return {
        "APP_VERSION": own.version,
        "APP_ENV": settings.environment.value,
        # Migrations run when a portal starts.
        **fresh_start(settings),
        "DEBUG": str(own.debug).lower(),
        "SEED": str(own.seed).lower(),
        "LOG_LEVEL": own.log_level,
        "JWT_ALGORITHM": "HS256",
        "JWT_EXPIRE_MINUTES": str(own.jwt_expire_minutes),
        "ALLOWED_ORIGINS": ",".join(own.allowed_origins),
        "ADMIN_EMAIL": own.admin_email,
        "ANONYMOUS_READS": str(own.anonymous_reads).lower(),
        "REGISTRATION_OPEN": str(own.registration_open).lower(),
        "LOGIN_ATTEMPTS_PER_MINUTE": str(own.login_attempts_per_minute),
        "REFRESHES_PER_MINUTE": str(own.refreshes_per_minute),
        "USER_REQUESTS_PER_MINUTE": str(own.user_requests_per_minute),
        "KEY_REQUESTS_PER_MINUTE": str(own.key_requests_per_minute),
        "DATABASE_POOL_SIZE": str(own.database_pool_size),
        # The server's own name for it; a stage that reloads sets it shorter on its command line.
        "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": str(own.drain_seconds),
    }


def _code_mount() -> docker.ContainerMountArgs:
    """The one bind mount: what is saved in the clone is what the server reloads."""
    return docker.ContainerMountArgs(
        type="bind", source=str(ROOT / "app"), target=_CODE_PATH, read_only=True
    )
