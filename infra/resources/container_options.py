"""What is the same for every container: limits, protection, supervision.

Values are spelled as the provider reads them back, or every plan would show a difference.
"""

from collections.abc import Mapping

import pulumi_docker as docker

from infra.settings import HealthSettings, LogSettings

HEALTHCHECK_COMMAND = "/usr/local/bin/healthcheck"
_TMPFS_OPTIONS = "rw,noexec,nosuid,nodev"
# The engine takes no smaller reservation.
_LEAST_RESERVATION_MB = 6


def reservation_mb(memory_mb: int, percent: int) -> int:
    """Memory that the container keeps when the host runs short; 0 for none."""
    return max(_LEAST_RESERVATION_MB, memory_mb * percent // 100) if percent else 0


def tmpfs(sizes_mb: Mapping[str, int], uid: int, gid: int) -> dict[str, str]:
    """Mount options of each folder in memory, by path; its user alone may enter it."""
    owner = f"mode=0700,uid={uid},gid={gid}"
    return {path: f"{_TMPFS_OPTIONS},size={size}m,{owner}" for path, size in sizes_mb.items()}


def health_check(
    health: HealthSettings, *, has_start_interval: bool
) -> docker.ContainerHealthcheckArgs:
    """Quick probes at the start and rare ones afterwards, where the engine knows both."""
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", HEALTHCHECK_COMMAND],
        interval=duration(health.interval_for(has_start_interval=has_start_interval)),
        timeout=duration(health.timeout_seconds),
        start_period=duration(health.start_period_seconds),
        start_interval=duration(health.start_interval_seconds) if has_start_interval else None,
        retries=health.retries,
    )


def no_health_check() -> docker.ContainerHealthcheckArgs:
    """For a job: its image may bring a check that is meant for a server.

    The engine fills what is not given from the image, and every plan would show a difference.
    """
    return docker.ContainerHealthcheckArgs(
        tests=["NONE"], interval="1s", timeout="1s", start_period="1s", retries=1
    )


def duration(seconds: int) -> str:
    """Go's own spelling, `1m30s`: the provider compares text, and '90s' would differ for ever."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def log_options(logs: LogSettings) -> dict[str, str]:
    """Rotation, as both of Docker's file drivers spell it."""
    return {"max-size": f"{logs.max_size_mb}m", "max-file": str(logs.max_files)}
