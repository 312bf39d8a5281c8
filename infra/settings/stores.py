"""Settings of what keeps data: PostgreSQL, its backups, and Redis."""

from typing import Annotated

from pydantic import Field

from app.setting_rules import Between
from app.settings import Version
from infra.settings.groups import Cpus, Group
from infra.settings.values import Folder


class PostgresSettings(Group):
    """The PostgreSQL server."""

    memory_mb: Annotated[int, Between(128, 262144, "MB")] = Field(
        default=512, description="memory limit"
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
    """The Redis server."""

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
