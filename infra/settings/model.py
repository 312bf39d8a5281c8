"""Everything one stack can choose."""

import os
from typing import Annotated, Literal

from pydantic import Field

from app.setting_rules import Between
from app.settings import Environment, PortalOptions, PortalSettings
from infra.settings.groups import (
    AppSettings,
    ClusterSettings,
    Group,
    HealthSettings,
    LogSettings,
    MonitoringSettings,
    NginxSettings,
    PortSettings,
    TlsSettings,
)
from infra.settings.policies import PolicySettings
from infra.settings.secrets import SecretSettings
from infra.settings.stores import BackupSettings, PostgresSettings, RedisSettings
from infra.settings.values import ClusterMode, Domain, ImagePrefix, ImageSource, TlsMode
from infra.x509 import Pair

NAMESPACE = "devportal"
SECRET_GROUPS = ("secrets", "app.secrets")
"""Every value in them has to be encrypted."""
SECRET_SETTINGS = ("postgres.external_url", "redis.external_url", "cluster.registry_password")
"""Values in other groups that have to be as well."""
IMAGE_SOURCE_VARIABLE = "DEVPORTAL_IMAGE_SOURCE"
_LEAVE_SECONDS = 5


class StackSettings(Group):
    """The settings of a stack, complete and checked one by one."""

    environment: Environment = Field(
        description="what the stack is for; some settings are refused in production"
    )
    domain: Domain = Field(
        default="devportal.localhost", description="host name of the portal and of its certificate"
    )
    devtools: bool = Field(
        default=False, description="run Adminer and Redis Commander; refused in production"
    )
    retain_data: bool = Field(
        default=True,
        description="protect the data volumes, and keep them when the stack is destroyed",
    )
    image_source: ImageSource = Field(
        default=ImageSource.AUTO,
        description="base images: `official`, `packages` (built from Debian packages), or `auto`: "
        "what the set-up found reachable",
    )
    image_registry: ImagePrefix | None = Field(
        default=None,
        description="registry to pull the official base images from, in place of their own",
    )
    restart: Literal["no", "on-failure", "unless-stopped", "always"] = Field(
        default="unless-stopped", description="restart policy of every container"
    )
    pids_limit: Annotated[int, Between(32, 32768, "processes")] = Field(
        default=256,
        description="processes and threads of a container; at least 28 more than "
        "`postgres.max_connections`",
    )
    memory_reservation_percent: Annotated[int, Between(0, 90, "%")] = Field(
        default=50,
        description="part of a memory limit that a container keeps when the machine runs short; "
        "0 means none",
    )
    cluster: ClusterSettings = ClusterSettings()
    ports: PortSettings = PortSettings()
    app: AppSettings = AppSettings()
    nginx: NginxSettings = NginxSettings()
    tls: TlsSettings = TlsSettings()
    postgres: PostgresSettings = PostgresSettings()
    backups: BackupSettings = BackupSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    redis: RedisSettings = RedisSettings()
    health: HealthSettings = HealthSettings()
    logs: LogSettings = LogSettings()
    policies: PolicySettings = PolicySettings()
    secrets: SecretSettings = SecretSettings()

    @property
    def resolved_image_source(self) -> ImageSource:
        """`image_source`, where `auto` is what the set-up found reachable."""
        if self.image_source is not ImageSource.AUTO:
            return self.image_source
        return ImageSource(os.environ.get(IMAGE_SOURCE_VARIABLE) or ImageSource.OFFICIAL)

    @property
    def published_ports(self) -> dict[str, int]:
        """Ports that the stack has on the host, by their names in `ports`."""
        names = ["https", "http"]
        if self.environment is Environment.DEVELOPMENT:
            names = [
                "portal",
                *(name for name in ("postgres", "redis") if name not in self.outside),
            ]
        if self.devtools:
            names += ["adminer", "redis_commander"]
        if self.monitoring.enabled:
            names.append("prometheus")
        return {name: getattr(self.ports, name) for name in names}

    @property
    def outside(self) -> set[str]:
        """Which of the stores, `postgres` and `redis`, others run."""
        stores = {"postgres": self.postgres, "redis": self.redis}
        return {name for name, store in stores.items() if store.external_url is not None}

    @property
    def provided_certificate(self) -> Pair | None:
        """The certificate that is given with its key; None where the stack makes its own."""
        given = self.secrets
        if self.tls.mode is TlsMode.GENERATED:
            return None
        assert given.tls_certificate is not None
        assert given.tls_key is not None
        return Pair(given.tls_certificate.get_secret_value(), given.tls_key.get_secret_value())

    @property
    def leave_seconds(self) -> int:
        """How long a replica serves after it was told to stop.

        On one engine nginx has been told before. On a swarm it asks for the tasks' names every 2 s,
        and Swarm takes a name away, on other nodes a moment later, 2 s before it stops the task.
        """
        return _LEAVE_SECONDS if self.cluster.mode is ClusterMode.SWARM else 0

    def portal(self, *, migrate: bool) -> PortalSettings:
        """What the portal's containers read; `migrate` brings the schema up to date at start."""
        options = {name: getattr(self.app, name) for name in PortalOptions.model_fields}
        return PortalSettings(
            app_env=self.environment,
            app_version=self.app.version,
            migrate=migrate,
            leave_seconds=self.leave_seconds,
            **options,
        )
