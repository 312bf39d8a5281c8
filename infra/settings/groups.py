"""The groups of settings: names, types, bounds, defaults and what each is for.

What the portal reads as well is in `app/settings.py`; the stores' groups are in `stores.py`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.setting_rules import Between
from app.settings import PortalOptions, Version
from infra.settings.values import (
    BindAddress,
    ClusterMode,
    ImagePrefix,
    ImageReference,
    RegistryUser,
    SecretName,
    SecretText,
    TlsMode,
    VariableName,
    VariableValue,
)

Port = Annotated[int, Between(0, 65535)]
Cpus = Annotated[float, Between(0.1, 64)]


class Group(BaseModel):
    """Refuses unknown keys; its values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PortSettings(Group):
    """Ports on the host; 0 takes a free one, once."""

    bind_address: BindAddress = Field(
        default="127.0.0.1", description="address of the host on which every port is published"
    )
    https: Port = Field(default=443, description="Nginx, in production")
    http: Port = Field(
        default=80,
        description="Nginx without TLS, in production: redirects to HTTPS, refuses API calls",
    )
    portal: Port = Field(default=8000, description="the portal, in development")
    postgres: Port = Field(default=5433, description="PostgreSQL, in development")
    redis: Port = Field(default=6380, description="Redis, in development")
    adminer: Port = Field(default=8081, description="Adminer")
    redis_commander: Port = Field(default=8082, description="Redis Commander")
    prometheus: Port = Field(
        default=9090, description="Prometheus; on 127.0.0.1 whatever `ports.bind_address` is"
    )

    def address_of(self, name: str) -> str:
        """Address of the host on which a port is published.

        Prometheus asks nobody for a password, so it has loopback alone.
        """
        return "127.0.0.1" if name == "prometheus" else self.bind_address


class AppSettings(PortalOptions, Group):
    """The portal's containers, and the options of the portal itself."""

    replicas: Annotated[int, Between(1, 16)] = Field(
        default=2, description="portals behind Nginx; in development always 1"
    )
    max_surge: Annotated[int, Between(1, 16)] = Field(
        default=1, description="new replicas that start at the same time in an update"
    )
    version: Version = Field(
        default="latest",
        description="version in the image's name and in the portal; a new one rolls it",
    )
    image: ImageReference | None = Field(
        default=None, description="run this image instead of building one, for example to roll back"
    )
    reload: bool = Field(
        default=False, description="mount `app/` and reload it on save; refused in production"
    )
    memory_mb: Annotated[int, Between(384, 65536, "MB")] = Field(
        default=512,
        description="memory limit of a replica; what is above 256 MB is for work on API documents "
        "and pages",
    )
    cpus: Cpus = Field(default=1.0, description="processors that a replica may use")
    drain_seconds: Annotated[int, Between(1, 600, "seconds")] = Field(
        default=30, description="time for running requests before a replica stops"
    )
    environment: dict[VariableName, VariableValue] = Field(
        default={}, description="variables of your own, for code that you add to the portal"
    )
    secrets: dict[SecretName, SecretText] = Field(
        default={},
        description="secrets of your own, encrypted: each a file in /run/secrets, which the "
        "variable `<NAME>_FILE` names",
    )

    @property
    def egress(self) -> bool:
        """Whether something that is switched on has to reach other machines."""
        return self.webhooks_enabled or self.oidc_issuer is not None


class NginxSettings(Group):
    """Nginx in front of the replicas, in production."""

    requests_per_second: Annotated[int, Between(0, 1_000_000)] = Field(
        default=50, description="average for one client address, 429 above it; 0 means no limit"
    )
    burst: Annotated[int, Between(0, 1_000_000, "requests")] = Field(
        default=100, description="requests above the average that are accepted"
    )
    connections_per_client: Annotated[int, Between(0, 1_000_000)] = Field(
        default=100, description="concurrent requests of one client address; 0 means no limit"
    )
    max_body_mb: Annotated[int, Between(1, 1024, "MB")] = Field(
        default=12, description="size of a request's body, 413 above it"
    )
    uploads_per_client: Annotated[int, Between(1, 1000, "requests")] = Field(
        default=4,
        description="concurrent requests of one client address with a body, 429 above it; there is "
        "room for twice as many of `nginx.max_body_mb`",
    )
    answer_seconds: Annotated[int, Between(1, 3600, "seconds")] = Field(
        default=60,
        description="time the portal has to respond; streams and WebSockets have an hour",
    )
    http3: bool = Field(default=False, description="also serve HTTP/3, on the same port over UDP")
    extra_configuration: str = Field(
        default="",
        description="directives for the server block; `nginx -t` checks them before they apply",
    )
    memory_mb: Annotated[int, Between(32, 65536, "MB")] = Field(
        default=256,
        description="memory limit; has to hold 96 MB and the uploads of two clients",
    )
    cpus: Cpus = Field(default=1.0, description="processors it may use")

    @property
    def uploads_mb(self) -> int:
        """Room for request bodies: one client may fill half of it."""
        return 2 * self.uploads_per_client * self.max_body_mb

    @property
    def responses_mb(self) -> int:
        """Room for responses to slow clients."""
        return 32


class ClusterSettings(Group):
    """Several machines in place of one, in production; docs/swarm.md says what it takes."""

    mode: ClusterMode = Field(
        default=ClusterMode.NONE,
        description="`none`: one engine; `swarm`: Docker Swarm, whose manager the engine is",
    )
    registry: ImagePrefix | None = Field(
        default=None,
        description="registry that the engine pushes the stack's images to, and every node pulls "
        "them from",
    )
    registry_user: RegistryUser | None = Field(
        default=None, description="whom that registry lets in, if it asks for a password"
    )
    registry_password: SecretText | None = Field(
        default=None, description="encrypted: that user's password or token"
    )
    encrypted: bool = Field(
        default=False,
        description="encrypt what goes from node to node; every node's kernel has to know IPsec",
    )


class TlsSettings(Group):
    """TLS of the portal."""

    mode: TlsMode = Field(
        default=TlsMode.GENERATED,
        description="`generated`: by an authority of the stack's own, renewed by any `up`; "
        "`provided`: from the secrets `tls_certificate` and `tls_key`",
    )


class MonitoringSettings(Group):
    """Prometheus, which watches the stack and knows its alerts."""

    enabled: bool = Field(default=False, description="run Prometheus, on `ports.prometheus`")
    retention_days: Annotated[int, Between(1, 3650, "days")] = Field(
        default=15, description="age at which measurements are deleted"
    )
    memory_mb: Annotated[int, Between(128, 65536, "MB")] = Field(
        default=256, description="memory limit"
    )
    cpus: Cpus = Field(default=0.5, description="processors it may use")


class HealthSettings(Group):
    """Health checks of every container."""

    interval_seconds: Annotated[int, Between(1, 59, "seconds")] | None = Field(
        default=None,
        description="time between two probes; unset: 30, or 5 where the engine (API below 1.44) "
        "has no start interval",
    )
    start_interval_seconds: Annotated[int, Between(1, 59, "seconds")] = Field(
        default=1, description="time between two probes while a container starts (API 1.44)"
    )
    timeout_seconds: Annotated[int, Between(1, 59, "seconds")] = Field(
        default=10, description="time a probe has"
    )
    retries: Annotated[int, Between(1, 20)] = Field(
        default=3, description="failed probes in a row that make a container unhealthy"
    )
    start_period_seconds: Annotated[int, Between(0, 600, "seconds")] = Field(
        default=60, description="time in which failed probes do not count"
    )
    wait_seconds: Annotated[int, Between(5, 1200, "seconds")] = Field(
        default=120, description="time in which a new container has to become healthy"
    )

    def interval_for(self, has_start_interval: bool) -> int:
        """Seconds between two probes on an engine with or without a start interval.

        A probe costs an exec, so they are rare where the engine still notices a start quickly.
        """
        return self.interval_seconds or (30 if has_start_interval else 5)


class LogSettings(Group):
    """Rotation of container logs; Docker's own default never rotates."""

    driver: Literal["json-file", "local"] = Field(
        default="json-file", description="how logs are kept"
    )
    max_size_mb: Annotated[int, Between(1, 1000, "MB")] = Field(
        default=10, description="size at which a file is rotated"
    )
    max_files: Annotated[int, Between(1, 20)] = Field(
        default=3, description="files of each container"
    )
