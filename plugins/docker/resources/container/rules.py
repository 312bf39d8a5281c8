"""What the types of a container's properties cannot say."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from plugins.docker.check import Failure
from plugins.docker.resources.container.normal_forms import nano_cpus, nanoseconds, normal_gpus
from plugins.docker.values import UNKNOWN, Values, has_unknown

# Hosts take names of these characters only (moby, container/names).
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_CHOICES: Final = {
    "restart": ("no", "on-failure", "always", "unless-stopped"),
    "cgroupnsMode": ("private", "host"),
}
_MOUNT_TYPES = ("bind", "volume", "tmpfs")
_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_PROTOCOLS = ("tcp", "udp", "sctp")
_NOT_NEGATIVE: Final = (
    "memory",
    "memoryReservation",
    "shmSize",
    "cpuShares",
    "cpuPeriod",
    "cpuQuota",
    "maxRetryCount",
    "stopTimeout",
    "destroyGraceSeconds",
    "waitTimeout",
    "containerReadRefreshTimeoutMilliseconds",
)
_UPLOAD_CONTENTS = ("content", "contentBase64", "source")
_PORTS = range(65536)


def find_mistakes(inputs: Values) -> list[Failure]:
    """Every mistake in the inputs that is known now."""
    rules: tuple[Callable[[Values], Iterator[Failure]], ...] = (
        _name,
        _choices,
        _numbers,
        _cpus,
        _healthcheck,
        _command,
        _ports,
        _mounts,
        _volumes,
        _uploads,
        _swap,
        _gpus,
        _waiting,
    )
    return [failure for rule in rules for failure in rule(inputs)]


def _known(inputs: Values, name: str) -> Any:
    """A property that is given and known; None otherwise."""
    value = inputs.get(name)
    return None if value is UNKNOWN else value


def _entries(inputs: Values, name: str) -> Iterator[tuple[str, Values]]:
    """Objects of a list with their paths, those that are not known left out."""
    for index, entry in enumerate(_known(inputs, name) or ()):
        if entry is not UNKNOWN:
            yield f"{name}[{index}]", entry


def _one_of(path: str, value: Any, choices: tuple[str, ...]) -> Iterator[Failure]:
    if value is not None and value is not UNKNOWN and value not in choices:
        yield Failure(path, f"should be one of {', '.join(choices)}")


def _name(inputs: Values) -> Iterator[Failure]:
    name = _known(inputs, "name")
    if name is not None and not _NAME.fullmatch(name):
        yield Failure("name", "should be letters, digits, '_', '.' and '-', at least two of them")


def _choices(inputs: Values) -> Iterator[Failure]:
    for name, choices in _CHOICES.items():
        yield from _one_of(name, inputs.get(name), choices)


def _numbers(inputs: Values) -> Iterator[Failure]:
    for name in _NOT_NEGATIVE:
        value = _known(inputs, name)
        if value is not None and value < 0:
            yield Failure(name, f"should not be negative (got {value})")


def _cpus(inputs: Values) -> Iterator[Failure]:
    text = _known(inputs, "cpus")
    if text:
        try:
            nano_cpus(text)
        except ValueError as error:
            yield Failure("cpus", str(error))


def _healthcheck(inputs: Values) -> Iterator[Failure]:
    check = _known(inputs, "healthcheck") or {}
    for key in ("interval", "timeout", "startPeriod", "startInterval"):
        text = _known(check, key)
        if text:
            try:
                nanoseconds(text)
            except ValueError as error:
                yield Failure(f"healthcheck.{key}", str(error))
    retries = _known(check, "retries")
    if retries is not None and retries < 0:
        yield Failure("healthcheck.retries", f"should not be negative (got {retries})")


def _command(inputs: Values) -> Iterator[Failure]:
    for index, part in enumerate(_known(inputs, "command") or ()):
        if part == "":
            yield Failure(f"command[{index}]", "should not be empty")


def _ports(inputs: Values) -> Iterator[Failure]:
    for path, port in _entries(inputs, "ports"):
        yield from _one_of(f"{path}.protocol", port.get("protocol"), _PROTOCOLS)
        for key in ("internal", "external"):
            number = _known(port, key)
            if number is not None and number not in _PORTS:
                yield Failure(f"{path}.{key}", f"should be from 0 to 65535 (got {number})")


def _mounts(inputs: Values) -> Iterator[Failure]:
    for path, mount in _entries(inputs, "mounts"):
        kind = mount.get("type")
        yield from _one_of(f"{path}.type", kind, _MOUNT_TYPES)
        if kind == "bind" and not mount.get("source"):
            yield Failure(f"{path}.source", "should be given for a bind mount")
        options = _known(mount, "bindOptions") or {}
        propagation = options.get("propagation") or None
        yield from _one_of(f"{path}.bindOptions.propagation", propagation, _PROPAGATIONS)


def _volumes(inputs: Values) -> Iterator[Failure]:
    for path, volume in _entries(inputs, "volumes"):
        given = [key for key in ("containerPath", "fromContainer") if volume.get(key)]
        if len(given) != 1:
            what = "not both" if given else "one of them"
            yield Failure(path, f"should have containerPath or fromContainer, {what}")


def _uploads(inputs: Values) -> Iterator[Failure]:
    entries = list(_entries(inputs, "uploads"))
    if entries and _known(inputs, "readOnly"):
        yield Failure(
            "uploads",
            "should not be given together with readOnly: the engine refuses to write to the "
            "root of such a container. Put the files into an image or a volume.",
        )
    for path, upload in entries:
        yield from _upload(path, upload)


def _upload(path: str, upload: Values) -> Iterator[Failure]:
    given = [key for key in _UPLOAD_CONTENTS if upload.get(key)]
    if len(given) != 1:
        what = "only one of them" if given else "one of them"
        yield Failure(path, f"should have content, contentBase64 or source, {what}")
    permissions = _known(upload, "permissions")
    if permissions and not re.fullmatch(r"0[0-7]{3}", permissions):
        yield Failure(f"{path}.permissions", "should be four octal digits such as 0644")
    encoded = _known(upload, "contentBase64")
    if encoded and not _is_base64(encoded):
        yield Failure(f"{path}.contentBase64", "should be base64")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _swap(inputs: Values) -> Iterator[Failure]:
    memory, swap = _known(inputs, "memory") or 0, _known(inputs, "memorySwap") or 0
    if swap < -1:
        yield Failure("memorySwap", f"should be -1 (no limit) or more (got {swap})")
    elif 0 < swap < memory:
        yield Failure(
            "memorySwap", f"should be at least memory, as it includes it (got {swap} < {memory})"
        )


def _gpus(inputs: Values) -> Iterator[Failure]:
    setting = normal_gpus(_known(inputs, "gpus") or "all")
    if not re.fullmatch(r"all|\d+|device=[^,]+(,[^,]+)*", setting):
        yield Failure("gpus", "should be all, a number, or device=<id[,id...]>")


def _waiting(inputs: Values) -> Iterator[Failure]:
    tests = (_known(inputs, "healthcheck") or {}).get("tests")
    if inputs.get("wait") is True and not has_unknown(tests) and tests == ["NONE"]:
        yield Failure("wait", "should not be given while healthcheck.tests is NONE")
