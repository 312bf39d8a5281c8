"""The whole description of a container: the one place that hardens, limits and supervises.

Values are spelled as the provider reads them back, or every plan would show a difference.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.secret_files import SecretFiles
from infra.settings import HealthSettings, LogSettings

_HEALTHCHECK_COMMAND = "/usr/local/bin/healthcheck"
_TMPFS_OPTIONS = "rw,noexec,nosuid,nodev"
# The engine takes no smaller reservation.
_LEAST_RESERVATION_MB = 6
# The provider changes these on the running container or in its state alone, so they are no
# reason to replace it.
_UPDATED_IN_PLACE = (
    "memory",
    "memory_swap",
    "memory_reservation",
    "restart",
    "destroy_grace_seconds",
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What differs between containers that are described alike; `name` None lets Pulumi choose."""

    name: str | None
    hostname: str
    aliases: tuple[str, ...]


def describe_container(
    args: ContainerArgs,
    identity: Identity,
    secrets: SecretFiles | None,
    external: Mapping[int, pulumi.Input[int]],
    defaults: ContainerDefaults,
) -> docker.ContainerArgs:
    """The whole container but for its labels."""
    return docker.ContainerArgs(
        name=identity.name,
        hostname=identity.hostname,
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(
                name=network, aliases=list(identity.aliases) or None
            )
            for network in args.networks
        ],
        ports=[
            docker.ContainerPortArgs(
                internal=port.internal,
                external=external[port.internal],
                ip=port.address,
                protocol=port.protocol,
            )
            # In the order in which the provider reads them back, or it replaces the container.
            for port in sorted(args.ports, key=lambda port: (port.internal, port.protocol))
        ],
        image=args.image,
        user=f"{args.uid}:{args.gid}",
        command=list(args.command) if args.command else None,
        envs=[pulumi.Output.concat(key, "=", value) for key, value in args.environment.items()],
        mounts=[*args.mounts, *([secrets.mount] if secrets else [])],
        # Swap equals memory, or the engine doubles it and every plan differs.
        memory=args.memory_mb,
        memory_swap=args.memory_mb,
        memory_reservation=reservation_mb(args.memory_mb, defaults.memory_reservation_percent),
        cpus=processors(args.cpus),
        shm_size=args.shared_memory_mb,
        read_only=True,
        tmpfs=_tmpfs(args),
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        init=True,
        healthcheck=docker.ContainerHealthcheckArgs(
            **health_check(args, defaults.health, defaults.has_start_interval, duration)
        ),
        # `Readiness` starts it, under its process limit, and waits.
        start=False,
        wait=False,
        must_run=False,
        restart="no" if args.is_job else defaults.restart,
        stop_signal=args.stop_signal,
        stop_timeout=args.stop_seconds,
        # Unset means SIGKILL, and what counts is the value in the old container's state.
        destroy_grace_seconds=args.grace_seconds or args.stop_seconds,
        log_driver=defaults.logs.driver,
        log_opts=log_options(defaults.logs),
    )


def hash_container(
    spec: docker.ContainerArgs, revision: pulumi.Input[str], reservation_percent: int
) -> pulumi.Output[str]:
    """A short hash of all that makes a container what it is.

    As a label it replaces the container on edits that the provider would report as an update
    and not carry out, and it lets the engine's containers be compared with the program.
    """
    hashed = {key: value for key, value in vars(spec).items() if key not in _UPDATED_IN_PLACE}
    # The engine takes a reservation of none for "as before".
    return hash_inputs(**hashed, revision=revision, reserves=reservation_percent > 0)


def hash_inputs(**inputs: Any) -> pulumi.Output[str]:
    """A short hash of a description."""

    def digest(spec: dict[str, Any]) -> str:
        text = json.dumps(spec, sort_keys=True, default=vars)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    return pulumi.Output.all(**inputs).apply(digest)


def reservation_mb(memory_mb: int, percent: int) -> int:
    """Memory that the container keeps when the host runs short; 0 for none."""
    return max(_LEAST_RESERVATION_MB, memory_mb * percent // 100) if percent else 0


def _tmpfs(args: ContainerArgs) -> dict[str, str]:
    """Mount options of each folder in memory, by path; its user alone may enter it."""
    owner = f"mode=0700,uid={args.uid},gid={args.gid}"
    return {path: f"{_TMPFS_OPTIONS},size={mb}m,{owner}" for path, mb in args.tmpfs_mb.items()}


def health_check(
    args: ContainerArgs,
    health: HealthSettings,
    has_start_interval: bool,
    spell: Callable[[int], str],
) -> dict[str, Any]:
    """Quick probes at the start and rare ones afterwards, where the engine knows both.

    Parameters
    ----------
    spell
        A number of seconds as the provider reads it back.
    """
    if args.is_job:
        # Its image may bring a check that is meant for a server. The engine fills what is not
        # given from the image, and every plan would show a difference.
        once = dict.fromkeys(("interval", "timeout", "start_period"), "1s")
        return {"tests": ["NONE"], "retries": 1, **once}
    at_start = {"start_interval": spell(health.start_interval_seconds)}
    return {
        "tests": ["CMD", _HEALTHCHECK_COMMAND],
        "interval": spell(health.interval_for(has_start_interval)),
        "timeout": spell(health.timeout_seconds),
        "start_period": spell(health.start_period_seconds),
        "retries": health.retries,
        **(at_start if has_start_interval else {}),
    }


def duration(seconds: int) -> str:
    """Go's own spelling, `1m30s`: the provider compares text, and '90s' would differ for ever."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def processors(number: float) -> str:
    """As the provider reads it back, `1.0`, `0.25`, `10.`: another spelling replaces for ever.

    Its `nanoInt64ToDecimalString` takes a number with nine zeros for one of tenths. Ten, twenty and
    so on have one more; 10.05 has nine, and comes back as 10.1.
    """
    text = f"{number:.9f}"
    if text.count("0") == 9:
        text = f"{round(number, 1):.9f}"
    return text[:-8] if text.count("0") == 9 else text.rstrip("0")


def log_options(logs: LogSettings) -> dict[str, str]:
    """Rotation, as both of Docker's file drivers spell it."""
    return {"max-size": f"{logs.max_size_mb}m", "max-file": str(logs.max_files)}
