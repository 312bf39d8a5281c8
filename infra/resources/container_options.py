"""What is the same for every container: limits, protection, supervision.

Values are spelled as the provider reads them back, or every plan would show a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi_docker as docker

if TYPE_CHECKING:
    from infra.resources.container import ContainerArgs
    from infra.settings import HealthSettings, LogSettings, Settings

HEALTHCHECK_COMMAND = "/usr/local/bin/healthcheck"
_TMPFS_OPTIONS = "rw,noexec,nosuid,nodev"
# The engine takes no smaller reservation.
_LEAST_RESERVATION_MB = 6


def limits(args: ContainerArgs, settings: Settings) -> dict[str, Any]:
    """Memory and CPU; swap equals memory, or the engine doubles it and every plan differs."""
    return {
        "memory": args.memory_mb,
        "memory_swap": args.memory_mb,
        "memory_reservation": _reservation_mb(args.memory_mb, settings.memory_reservation_percent),
        # As the provider reads it back: "1.0" and "0.5"; any other spelling replaces for ever.
        "cpus": str(args.cpus),
        "shm_size": args.shared_memory_mb,
    }


def protection(args: ContainerArgs) -> dict[str, Any]:
    """A user without rights on a root that cannot be written."""
    owner = f"mode=0700,uid={args.uid},gid={args.gid}"
    return {
        "read_only": True,
        "tmpfs": {
            path: f"{_TMPFS_OPTIONS},size={size}m,{owner}" for path, size in args.tmpfs_mb.items()
        },
        "capabilities": docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        "security_opts": ["no-new-privileges:true"],
        "init": True,
    }


def supervision(args: ContainerArgs, settings: Settings) -> dict[str, Any]:
    """Health, restarts, the way it ends, and its log."""
    return {
        "healthcheck": _healthcheck(settings.health, args.min_health_interval_seconds),
        "wait": True,
        "wait_timeout": settings.health.wait_seconds,
        "restart": settings.restart,
        "stop_signal": args.stop_signal,
        "stop_timeout": args.stop_seconds,
        # Unset means SIGKILL, and what counts is the value in the old container's state.
        "destroy_grace_seconds": args.stop_seconds,
        "log_driver": settings.logs.driver,
        "log_opts": _log_options(settings.logs),
    }


def _reservation_mb(memory_mb: int, percent: int) -> int:
    return max(_LEAST_RESERVATION_MB, memory_mb * percent // 100) if percent else 0


def _healthcheck(
    health: HealthSettings, min_interval_seconds: int
) -> docker.ContainerHealthcheckArgs:
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", HEALTHCHECK_COMMAND],
        interval=_duration(
            max(health.interval_for(has_start_interval=False), min_interval_seconds)
        ),
        timeout=_duration(health.timeout_seconds),
        start_period=_duration(health.start_period_seconds),
        retries=health.retries,
    )


def _duration(seconds: int) -> str:
    """Go's own spelling, `1m30s`: the provider compares text, and '90s' would differ for ever."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _log_options(logs: LogSettings) -> dict[str, str]:
    return {"max-size": f"{logs.max_size_mb}m", "max-file": str(logs.max_files)}
