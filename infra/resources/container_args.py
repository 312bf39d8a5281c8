"""What a component says of a container, and what all containers of a stack have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import pulumi
import pulumi_docker as docker

from infra.engine.address import EngineAddress
from infra.engine.client import EngineVersion
from infra.naming import Naming
from infra.settings import HealthSettings, LogSettings, PortSettings, Settings


@dataclass(frozen=True, kw_only=True)
class ContainerDefaults:
    """What all containers of a stack, and the volumes of their data, have in common.

    Parameters
    ----------
    pids_limit
        Processes and threads that a container may have at a time.
    memory_reservation_percent
        Part of its memory limit that a container keeps when the host runs short.
    has_start_interval
        Whether the engine has a start interval for health checks.
    platform
        What the engine builds images for, such as `linux/amd64`.
    retain_data
        Keep volumes of data on the engine when the stack goes, and refuse to delete them.
    """

    naming: Naming
    engine: EngineAddress
    restart: str
    pids_limit: int
    memory_reservation_percent: int
    health: HealthSettings
    has_start_interval: bool
    logs: LogSettings
    platform: str
    retain_data: bool

    @classmethod
    def of(cls, settings: Settings, engine: EngineAddress, version: EngineVersion) -> Self:
        """Those of a stack on its engine."""
        return cls(
            naming=Naming(settings.stack),
            engine=engine,
            restart=settings.restart,
            pids_limit=settings.pids_limit,
            memory_reservation_percent=settings.memory_reservation_percent,
            health=settings.health,
            has_start_interval=version.has_start_interval,
            logs=settings.logs,
            platform=version.platform,
            retain_data=settings.retain_data,
        )


@dataclass(frozen=True)
class PublishedPort:
    """A port of a container on the host; `external` 0 means a free one, chosen once and kept."""

    address: str
    internal: int
    external: int
    protocol: str = "tcp"

    @classmethod
    def of(cls, ports: PortSettings, name: str, internal: int, protocol: str = "tcp") -> Self:
        """One where the setting `name` has it on the host."""
        return cls(ports.address_of(name), internal, getattr(ports, name), protocol)


@dataclass(frozen=True, kw_only=True)
class ContainerArgs:
    """One container as its component describes it; everything else is the same for all.

    Parameters
    ----------
    role
        Names the container, its host and its alias on its networks.
    uid, gid
        Numeric user from the start: no entrypoint of ours steps down from root.
    stop_seconds
        Grace between the stop signal and SIGKILL.
    grace_seconds
        The same when Pulumi removes the container, where it may change without a replacement;
        `stop_seconds` if not given.
    tmpfs_mb
        Writable folders in memory, by path, with their size; all else is read-only.
    secret_files
        Text of each file below `/run/secrets` by its name.
    is_job
        Whether it ends; a code other than 0 ends the update.
    wait_seconds
        In place of the stack's own, for one that takes longer.
    depends_on
        What has to be ready before it starts: `RunningContainer.ready` of others, never a whole
        component, whose volumes would then wait for this container when the stack is destroyed.
    """

    role: str
    image: pulumi.Input[str]
    uid: int
    gid: int
    networks: Sequence[pulumi.Input[str]]
    memory_mb: int
    cpus: float
    stop_seconds: int
    grace_seconds: int | None = None
    stop_signal: str = "SIGTERM"
    command: Sequence[str] | None = None
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    mounts: Sequence[docker.ContainerMountArgs] = ()
    ports: Sequence[PublishedPort] = ()
    tmpfs_mb: Mapping[str, int] = field(default_factory=lambda: {"/tmp": 64})
    shared_memory_mb: int = 64
    secret_files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    is_job: bool = False
    wait_seconds: int | None = None
    depends_on: Sequence[pulumi.Resource] = ()
