"""Settings of what keeps data: PostgreSQL, its backups, and Redis."""

from typing import Annotated

from pydantic import Field

from app.setting_rules import Between
from app.settings import Version
from infra.settings.external import Authorities, PostgresServer, PostgresUrl, RedisUrl
from infra.settings.groups import Cpus, Group
from infra.settings.values import Encrypted, Folder


class PostgresSettings(Group):
    """The PostgreSQL server: the stack's own, or one of others; see [scale](scale.md)."""

    external_url: PostgresUrl | None = Field(
        default=None,
        description="encrypted: an administrator's role on a server of others; the stack then runs "
        "none, and of this group only `external_*` and `max_connections` count",
    )
    external_ca: Authorities | None = Field(
        default=None, description="who vouches for that server; `verify-full` needs it"
    )
    external_is_private: bool = Field(
        default=False,
        description="the way there is private, so that production takes a URL without TLS",
    )
    memory_mb: Annotated[int, Between(128, 262144, "MB")] = Field(
        default=512,
        description="memory limit; a quarter is for its shared buffers, so that another limit is "
        "another container",
    )
    shared_memory_mb: Annotated[int, Between(64, 65536, "MB")] = Field(
        default=256, description="size of /dev/shm, for parallel queries"
    )
    cpus: Cpus = Field(default=1.0, description="processors it may use")
    max_connections: Annotated[int, Between(10, 1000, "connections")] = Field(
        default=100,
        description="connections it accepts; has to suffice for an update of the replicas",
    )
    stop_seconds: Annotated[int, Between(10, 600, "seconds")] = Field(
        default=60, description="time for a fast shutdown"
    )
    fresh_start: Version | None = Field(
        default=None,
        description="a new word, such as the date, allows an empty database where data was lost",
    )

    @property
    def external(self) -> PostgresServer | None:
        """The server of others, and its administrator; None for the stack's own."""
        if self.external_url is None or isinstance(self.external_url, Encrypted):
            return None
        return PostgresServer.of(self.external_url)


class BackupSettings(Group):
    """Backups of the database, and trial restores of them."""

    enabled: bool = Field(default=True, description="take backups; in development false unless set")
    interval_hours: Annotated[int, Between(1, 168, "hours")] = Field(
        default=6, description="time from one backup to the next"
    )
    retention_days: Annotated[int, Between(1, 3650, "days")] = Field(
        default=14,
        description="age at which one is deleted; the newest and the newest good one stay",
    )
    check_interval_hours: Annotated[int, Between(1, 744, "hours")] = Field(
        default=24, description="time from one trial restore to the next"
    )
    host_folder: Folder | None = Field(
        default=None, description="folder of the host to keep them in, instead of a volume"
    )
    memory_mb: Annotated[int, Between(128, 65536, "MB")] = Field(
        default=256, description="memory limit"
    )
    cpus: Cpus = Field(default=0.5, description="processors it may use")


class RedisSettings(Group):
    """The Redis server: the stack's own, or one of others; see [scale](scale.md)."""

    external_url: RedisUrl | None = Field(
        default=None,
        description="encrypted: the portal's user on a server of others; the stack then runs none, "
        "and of this group only `external_*` counts",
    )
    external_ca: Authorities | None = Field(
        default=None,
        description="who vouches for that server, where no authority of the system does",
    )
    external_is_private: bool = Field(
        default=False,
        description="the way there is private, so that production takes a URL without TLS",
    )
    max_memory_mb: Annotated[int, Between(16, 65536, "MB")] = Field(
        default=256, description="data above it is evicted, least recently used first"
    )
    memory_mb: Annotated[int, Between(32, 131072, "MB")] = Field(
        default=512, description="memory limit; at least 1.5 times `redis.max_memory_mb`"
    )
    cpus: Cpus = Field(default=0.5, description="processors it may use")
    stop_seconds: Annotated[int, Between(5, 600, "seconds")] = Field(
        default=30, description="time for the last snapshot"
    )
