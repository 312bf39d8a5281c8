"""What a change of each container property does.

As in the official provider 5.2, which names what replaces and what is updated; but where that one
reports an update and leaves the container as it is (health check, tmpfs, init, CPU period and
quota, rm, block device limits, and taking a limit back), the container is replaced.
"""

from typing import Final

from plugins.docker.fields import (
    Field,
    replaces,
    unordered,
    updates,
    updates_or_replaces,
)
from plugins.docker.labels import normal_labels
from plugins.docker.resources.container.normal_forms import (
    normal_capabilities,
    normal_cpus,
    normal_devices,
    normal_gpus,
    normal_healthcheck,
    normal_ports,
    unordered_deep,
)

_IDENTITY: Final[dict[str, Field]] = {
    "name": replaces(),
    "image": replaces(),
    "platform": replaces(sticky=True),
    "runtime": replaces(sticky=True),
    "labels": replaces(sticky=True, normalise=normal_labels),
    "hostname": replaces(sticky=True),
    "domainname": replaces(),
}
_PROCESS: Final[dict[str, Field]] = {
    "command": replaces(sticky=True),
    "entrypoints": replaces(sticky=True),
    "envs": replaces(sticky=True, normalise=unordered),
    "user": replaces(sticky=True),
    "groupAdds": replaces(normalise=unordered),
    "workingDir": replaces(sticky=True),
    "init": replaces(sticky=True),
    "tty": replaces(),
    "stdinOpen": replaces(),
    "stopSignal": replaces(sticky=True),
    "stopTimeout": replaces(sticky=True),
    "healthcheck": replaces(sticky=True, normalise=normal_healthcheck),
}
_ISOLATION: Final[dict[str, Field]] = {
    "capabilities": replaces(normalise=normal_capabilities),
    "securityOpts": replaces(sticky=True, normalise=unordered),
    "privileged": replaces(),
    "readOnly": replaces(),
    "pidMode": replaces(),
    "ipcMode": replaces(sticky=True),
    "usernsMode": replaces(),
    "cgroupnsMode": replaces(),
    "cgroupParent": replaces(),
    "sysctls": replaces(),
    "ulimits": replaces(normalise=unordered_deep),
    "devices": replaces(normalise=normal_devices, nested_defaults={"permissions": "rwm"}),
    "deviceCgroupRules": replaces(normalise=unordered),
    "deviceRequests": replaces(normalise=unordered_deep, nested_defaults={"driver": "cdi"}),
    "gpus": replaces(normalise=normal_gpus),
}
_FILES: Final[dict[str, Field]] = {
    "mounts": replaces(normalise=unordered_deep),
    "volumes": replaces(normalise=unordered_deep),
    "tmpfs": replaces(),
    "uploads": replaces(normalise=unordered_deep),
    "shmSize": replaces(sticky=True),
    "storageOpts": replaces(),
}
_NETWORK: Final[dict[str, Field]] = {
    "networkMode": replaces(default="bridge"),
    "networksAdvanced": replaces(normalise=unordered_deep),
    "ports": replaces(normalise=normal_ports, nested_defaults={"ip": "0.0.0.0", "protocol": "tcp"}),
    "publishAllPorts": replaces(),
    "hosts": replaces(normalise=unordered_deep),
    "dns": replaces(normalise=unordered),
    "dnsOpts": replaces(normalise=unordered),
    "dnsSearches": replaces(normalise=unordered),
}
_LIMITS: Final[dict[str, Field]] = {
    "memory": updates_or_replaces(),
    "memoryReservation": updates_or_replaces(),
    "memorySwap": updates_or_replaces(),
    "cpuShares": updates_or_replaces(),
    "cpuSet": updates_or_replaces(),
    "cpus": replaces(normalise=normal_cpus),
    "cpuPeriod": replaces(),
    "cpuQuota": replaces(),
    "deviceReadBps": replaces(normalise=unordered_deep),
    "deviceReadIops": replaces(normalise=unordered_deep),
    "deviceWriteBps": replaces(normalise=unordered_deep),
    "deviceWriteIops": replaces(normalise=unordered_deep),
    "restart": updates(default="no"),
    "maxRetryCount": updates(),
    "logDriver": replaces(sticky=True),
    "logOpts": replaces(),
}
_HANDLING: Final[dict[str, Field]] = {
    "mustRun": updates(default=True),
    "start": updates(default=True),
    "wait": updates(),
    "waitTimeout": updates(default=60),
    "attach": updates(),
    "logs": updates(),
    "rm": replaces(),
    "removeVolumes": updates(default=True),
    "destroyGraceSeconds": updates(),
    "containerReadRefreshTimeoutMilliseconds": updates(default=15000),
}
FIELDS: Final[dict[str, Field]] = {
    **_IDENTITY,
    **_PROCESS,
    **_ISOLATION,
    **_FILES,
    **_NETWORK,
    **_LIMITS,
    **_HANDLING,
}
"""Every input of a container."""

SET_ON_ENGINE: Final = frozenset(
    {
        "restart",
        "maxRetryCount",
        "memory",
        "memoryReservation",
        "memorySwap",
        "cpuShares",
        "cpuSet",
    }
)
"""Properties which the engine changes on a container in place."""

DRIFTING: Final = SET_ON_ENGINE | {"name", "cpus"}
"""Properties which others can change on a container in place, so that they are read back."""
