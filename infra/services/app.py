"""The portal: the containers that serve it, and the job that migrates its schema first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pulumi
import pulumi_docker as docker

from infra.errors import UserError
from infra.resources.build_context import ROOT
from infra.resources.container import RunningContainer, run_container, run_replicas
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret
from infra.settings import AppSettings

APP_PORT = 8000
_UID = _GID = 10001
_CODE_PATH = "/srv/portal/app"
_READ_FILE, _READ_FOLDER = 0o444, 0o555
_MIGRATE = ("python", "-m", "app", "migrate", "create-admin")
_MIGRATION_STOP_SECONDS = 10
# One over large tables takes as long as it takes: a wait meant for health checks would cut it off.
_MIGRATION_WAIT_SECONDS = 3600
_MIGRATION_VARIABLES = {"APP_ENV", "ADMIN_EMAIL", "FRESH_START"}


def app_image(settings: AppSettings) -> ImageRecipe:
    """The portal's image: `dev` reloads code on save, `prod` carries nothing it does not need."""
    target = "dev" if settings.reload else "prod"
    return ImageRecipe(
        role="app",
        base="python",
        context=".",
        target=target,
        version=settings.version,
        given=settings.image,
    )


@dataclass(frozen=True, kw_only=True)
class PortalArgs:
    """Inputs that every container of the portal's image has.

    Parameters
    ----------
    environment
        Variables of the portal, as `PortalSettings.environment` renders them, and of the team.
    secrets
        Secret texts by the name of their setting: each becomes a file, whose path stands in the
        variable `<NAME>_FILE`.
    depends_on
        What has to be ready first.
    leave_seconds
        How long it serves after it was told to stop.
    """

    image: pulumi.Input[str]
    networks: Sequence[pulumi.Input[str]]
    environment: Mapping[str, str]
    secrets: Mapping[str, Secret]
    settings: AppSettings
    defaults: ContainerDefaults
    depends_on: Sequence[pulumi.Resource]
    leave_seconds: int


@dataclass(frozen=True, kw_only=True)
class AppArgs:
    """Inputs of the containers that serve the portal.

    Parameters
    ----------
    ports
        Where the host publishes `APP_PORT`; there is one container then. Without any there are as
        many replicas as the settings name.
    share_name
        Let Prometheus find all replicas by one name.
    """

    portal: PortalArgs
    ports: Sequence[PublishedPort] = ()
    share_name: bool = False


class Migrations(pulumi.ComponentResource):
    """A container that brings the schema up to date, creates the administrator and ends.

    It runs again when its image, its secrets or its variables change, before any replica with the
    new image starts. When it fails, the update ends, and the old replicas go on serving.
    """

    job: RunningContainer

    def __init__(self, name: str, args: PortalArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Migrations", name, None, opts)
        self.job = run_container(describe_migrations(args), args.defaults, self)
        self.register_outputs({})


def describe_migrations(args: PortalArgs) -> ContainerArgs:
    """The job that migrates."""
    described = _describe("migrations", args, stop_seconds=_MIGRATION_STOP_SECONDS)
    # Another variable of the portal is no reason to run it again.
    environment = {
        key: value
        for key, value in described.environment.items()
        if key in _MIGRATION_VARIABLES or key.endswith("_FILE")
    }
    return replace(
        described,
        command=_MIGRATE,
        is_job=True,
        environment=environment,
        wait_seconds=_MIGRATION_WAIT_SECONDS,
    )


class App(pulumi.ComponentResource):
    """The portal's server: replicas, or one container on a published port."""

    containers: list[RunningContainer]
    peers: pulumi.Output[list[str]]
    """`host:port` of every container on its networks, once all of them are healthy."""

    def __init__(self, name: str, args: AppArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:App", name, None, opts)
        self.containers = self._run(args)
        names = [container.name for container in self.containers]
        self.peers = pulumi.Output.all(*names).apply(
            lambda names: [f"{name}:{APP_PORT}" for name in names]
        )
        self.register_outputs({})

    def _run(self, args: AppArgs) -> list[RunningContainer]:
        own, defaults = args.portal.settings, args.portal.defaults
        container = replace(
            describe_app(args.portal),
            mounts=[_code_mount()] if own.reload else [],
            ports=args.ports,
        )
        if args.ports:
            return [run_container(container, defaults, self)]
        return run_replicas(
            container,
            defaults,
            self,
            count=own.replicas,
            max_surge=own.max_surge,
            share_name=args.share_name,
        )


def describe_app(args: PortalArgs) -> ContainerArgs:
    """A replica."""
    drain_seconds = args.settings.drain_seconds
    # The server drains for so long by itself; the rest is for its last log lines.
    described = _describe("app", args, stop_seconds=args.leave_seconds + drain_seconds + 5)
    # The server reads this variable; the stage that reloads code has an option that wins.
    drain = {"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": str(drain_seconds)}
    return replace(described, environment={**described.environment, **drain})


def _describe(role: str, args: PortalArgs, *, stop_seconds: int) -> ContainerArgs:
    files = {f"{name.upper()}_FILE": f"/run/secrets/{name}" for name in args.secrets}
    return ContainerArgs(
        role=role,
        image=args.image,
        uid=_UID,
        gid=_GID,
        networks=args.networks,
        environment={**args.environment, **files},
        secret_files=args.secrets,
        # Files of forms: two documents. It counts as the portal's memory.
        tmpfs_mb={"/tmp": 24},
        memory_mb=args.settings.memory_mb,
        cpus=args.settings.cpus,
        stop_seconds=stop_seconds,
        depends_on=args.depends_on,
    )


def _code_mount() -> docker.ContainerMountArgs:
    """The one bind mount: the server reloads what is saved in the clone."""
    let_everybody_read(ROOT / "app")
    return docker.ContainerMountArgs(
        type="bind", source=str(ROOT / "app"), target=_CODE_PATH, read_only=True
    )


def let_everybody_read(folder: Path) -> None:
    """Give all users read permission below a folder of the clone.

    The container's user owns none of it: a clone made under a umask such as 027 would keep the
    server from starting. Git does not track these permissions.

    Raises
    ------
    UserError
        Raised when a file belongs to somebody else.
    """
    for path in (folder, *folder.rglob("*")):
        # Editors keep links to nowhere as locks, and files that are gone a moment later.
        if path.is_symlink() or not path.exists():
            continue
        wanted = _READ_FOLDER if path.is_dir() else _READ_FILE
        mode = path.stat().st_mode
        if mode & wanted == wanted:
            continue
        try:
            path.chmod(mode | wanted)
        except PermissionError:
            raise UserError(
                f"{path}: should be readable by all users, as the portal's container is one of "
                f"its own (got mode {mode & 0o777:04o}). Run `chmod -R a+rX app` as its owner."
            ) from None
