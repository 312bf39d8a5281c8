"""Forms in which container settings are compared, so that equal ones are equal."""

from decimal import Decimal, InvalidOperation
from typing import Any

from plugins.docker.fields import compacted, unordered
from plugins.docker.functions.durations import duration_seconds
from plugins.docker.values import Values

NANO = 10**9
_DURATIONS = ("interval", "timeout", "startPeriod", "startInterval")


def nanoseconds(text: str) -> int:
    """Nanoseconds of a duration such as `1m30s`.

    Raises
    ------
    ValueError
        Raised for a text that is no duration.
    """
    seconds = duration_seconds(text)
    if seconds is None:
        raise ValueError("should be a duration such as 500ms, 10s or 1m30s")
    return round(seconds * NANO)


def duration_text(nanos: int) -> str:
    """A duration as Go writes it: `0s`, `500ms`, `1m30s`."""
    if not nanos:
        return "0s"
    if nanos < NANO:
        return f"{Decimal(nanos) / 10**6:f}ms"
    minutes, seconds = divmod(Decimal(nanos) / NANO, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{seconds:f}s"
    if hours:
        return f"{hours:f}h{minutes:f}m{text}"
    return f"{minutes:f}m{text}" if minutes else text


def nano_cpus(text: str) -> int:
    """Billionths of a CPU in a text such as `0.50`.

    Raises
    ------
    ValueError
        Raised for a text that is no positive number.
    """
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("should be a number such as 0.5") from error
    if not number.is_finite() or number <= 0:
        raise ValueError("should be above 0")
    return int(number * NANO)


def cpus_text(nanos: int) -> str:
    """CPUs as the shortest text: `0.5`."""
    return f"{(Decimal(nanos) / NANO).normalize():f}"


def normal_cpus(value: str) -> int | str:
    """CPUs for comparison; a text that is no number stays as it is."""
    try:
        return nano_cpus(value)
    except ValueError:
        return value


def normal_healthcheck(value: Values) -> Values:
    """A health check for comparison: `60s` and `1m0s` are the same."""
    result = dict(value)
    for key in _DURATIONS:
        if isinstance(result.get(key), str):
            seconds = duration_seconds(result[key])
            result[key] = result[key] if seconds is None else round(seconds * NANO)
    return compacted(result)


def capability(name: str) -> str:
    """A capability as engines since 28 report it: `CAP_NET_ADMIN`."""
    upper = name.upper()
    return upper if upper == "ALL" or upper.startswith("CAP_") else f"CAP_{upper}"


def normal_capabilities(value: Values) -> Values:
    """Capabilities for comparison."""
    return {key: sorted({capability(name) for name in names}) for key, names in value.items()}


def normal_ports(value: list[Values]) -> list[tuple[Any, ...]]:
    """Published ports for comparison; their order has no meaning."""
    ports = [
        (
            port["internal"],
            port.get("protocol") or "tcp",
            port.get("ip") or "0.0.0.0",
            port.get("external") or 0,
        )
        for port in value
    ]
    return sorted(ports)


def normal_devices(value: list[Values]) -> list[Values]:
    """Devices for comparison; inside they have the path they have outside, if nothing is said."""
    devices = [
        {"containerPath": device["hostPath"], "permissions": "rwm"} | compacted(device)
        for device in value
    ]
    return unordered(devices)


def normal_gpus(value: str) -> str:
    """The GPU setting without the quotes that docker's own command line needs."""
    return value.strip().strip("\"'").strip()


def unordered_deep(value: Any) -> Any:
    """Objects whose lists have no order, at any depth."""
    if isinstance(value, dict):
        return {key: unordered_deep(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return unordered([unordered_deep(item) for item in value])
    return value
