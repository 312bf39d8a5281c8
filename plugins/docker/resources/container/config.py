"""The body of the engine's call that creates a container."""

from plugins.docker.engine import Json
from plugins.docker.fields import is_empty
from plugins.docker.labels import labels_to_map
from plugins.docker.resources.container.devices import (
    device_requests,
    devices,
    throttled_devices,
)
from plugins.docker.resources.container.mounts import binds, mounts, volume_paths
from plugins.docker.resources.container.normal_forms import nano_cpus, nanoseconds
from plugins.docker.values import Values

MEGABYTE = 1024 * 1024
START_INTERVAL_API = (1, 44)
"""First API version that knows a health check's start interval."""
_UNCONFINED = "systempaths=unconfined"


def container_config(inputs: Values, api_version: tuple[int, int]) -> Json:
    """Everything about the container but its networks."""
    return _given(
        {
            "Image": inputs["image"],
            "Hostname": inputs.get("hostname"),
            "Domainname": inputs.get("domainname"),
            "User": inputs.get("user"),
            "WorkingDir": inputs.get("workingDir"),
            "Cmd": inputs.get("command"),
            "Entrypoint": inputs.get("entrypoints"),
            "Env": inputs.get("envs"),
            "Tty": inputs.get("tty"),
            "OpenStdin": inputs.get("stdinOpen"),
            "StopSignal": inputs.get("stopSignal"),
            "StopTimeout": inputs.get("stopTimeout"),
            "Labels": labels_to_map(inputs.get("labels")),
            "Healthcheck": _healthcheck(inputs.get("healthcheck"), api_version),
            "ExposedPorts": {_port_key(port): {} for port in inputs.get("ports") or ()},
            "Volumes": {path: {} for path in volume_paths(inputs)},
            "HostConfig": _host_config(inputs),
        }
    )


def _host_config(inputs: Values) -> Json:
    settings = _given(
        {
            **_resources(inputs),
            **_security(inputs),
            **_network_settings(inputs),
            "Binds": binds(inputs),
            "VolumesFrom": [
                volume["fromContainer"]
                for volume in inputs.get("volumes") or ()
                if volume.get("fromContainer")
            ],
            "Mounts": mounts(inputs),
            "Tmpfs": inputs.get("tmpfs"),
            "ReadonlyRootfs": inputs.get("readOnly"),
            "ShmSize": (inputs.get("shmSize") or 0) * MEGABYTE,
            "StorageOpt": inputs.get("storageOpts"),
            "RestartPolicy": restart_policy(inputs),
            "AutoRemove": inputs.get("rm"),
            "Runtime": inputs.get("runtime"),
            "LogConfig": _given({"Type": inputs.get("logDriver"), "Config": inputs.get("logOpts")}),
        }
    )
    # Sent even if false, or a default of the whole engine would count.
    settings["Init"] = bool(inputs.get("init"))
    if _UNCONFINED in (inputs.get("securityOpts") or ()):
        # The client's part of this option: empty lists, which are not the same as none.
        settings |= {"MaskedPaths": [], "ReadonlyPaths": []}
    return settings


def _resources(inputs: Values) -> Json:
    limits = {
        **memory_limits(inputs),
        "CpuShares": inputs.get("cpuShares"),
        "CpusetCpus": inputs.get("cpuSet"),
        "Ulimits": [
            {"Name": limit["name"], "Soft": limit["soft"], "Hard": limit["hard"]}
            for limit in inputs.get("ulimits") or ()
        ],
        "Devices": devices(inputs),
        "DeviceCgroupRules": inputs.get("deviceCgroupRules"),
        "DeviceRequests": device_requests(inputs),
        **throttled_devices(inputs),
    }
    if inputs.get("cpus"):
        return limits | {"NanoCpus": nano_cpus(inputs["cpus"])}
    return limits | {"CpuPeriod": inputs.get("cpuPeriod"), "CpuQuota": inputs.get("cpuQuota")}


def memory_limits(inputs: Values) -> Json:
    """Memory settings in bytes, those that are not given left out."""
    swap = inputs.get("memorySwap") or 0
    return _given(
        {
            "Memory": (inputs.get("memory") or 0) * MEGABYTE,
            "MemoryReservation": (inputs.get("memoryReservation") or 0) * MEGABYTE,
            "MemorySwap": swap * MEGABYTE if swap > 0 else swap,
        }
    )


def restart_policy(inputs: Values) -> Json:
    """When the engine starts the container again."""
    policy = inputs.get("restart") or "no"
    return {"Name": policy, "MaximumRetryCount": inputs.get("maxRetryCount") or 0}


def _security(inputs: Values) -> Json:
    capabilities = inputs.get("capabilities") or {}
    options = inputs.get("securityOpts") or []
    return {
        "Privileged": inputs.get("privileged"),
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "SecurityOpt": [option for option in options if option != _UNCONFINED],
        "GroupAdd": inputs.get("groupAdds"),
        "PidMode": inputs.get("pidMode"),
        "IpcMode": inputs.get("ipcMode"),
        "UsernsMode": inputs.get("usernsMode"),
        "CgroupnsMode": inputs.get("cgroupnsMode"),
        "CgroupParent": inputs.get("cgroupParent"),
        "Sysctls": inputs.get("sysctls"),
    }


def _network_settings(inputs: Values) -> Json:
    bindings: dict[str, list[Json]] = {}
    for port in inputs.get("ports") or ():
        binding = {
            "HostIp": port.get("ip") or "0.0.0.0",
            "HostPort": str(port.get("external") or ""),
        }
        bindings.setdefault(_port_key(port), []).append(binding)
    return {
        "PortBindings": bindings,
        "PublishAllPorts": inputs.get("publishAllPorts"),
        "NetworkMode": inputs.get("networkMode"),
        "ExtraHosts": [f"{entry['host']}:{entry['ip']}" for entry in inputs.get("hosts") or ()],
        "Dns": inputs.get("dns"),
        "DnsOptions": inputs.get("dnsOpts"),
        "DnsSearch": inputs.get("dnsSearches"),
    }


def _healthcheck(check: Values | None, api_version: tuple[int, int]) -> Json | None:
    if not check:
        return None
    times = {
        "Interval": nanoseconds(check.get("interval") or "0s"),
        "Timeout": nanoseconds(check.get("timeout") or "0s"),
        "StartPeriod": nanoseconds(check.get("startPeriod") or "0s"),
    }
    if api_version >= START_INTERVAL_API:
        times["StartInterval"] = nanoseconds(check.get("startInterval") or "0s")
    return _given({"Test": check.get("tests"), "Retries": check.get("retries"), **times})


def _port_key(port: Values) -> str:
    return f"{port['internal']}/{port.get('protocol') or 'tcp'}"


def _given(settings: Json) -> Json:
    """Settings without those that mean the same as leaving them out."""
    return {key: value for key, value in settings.items() if not is_empty(value)}
