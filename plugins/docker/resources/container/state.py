"""A container as the engine reports it, in Pulumi's terms."""

from typing import Any

from plugins.docker.engine import Json
from plugins.docker.fields import is_empty
from plugins.docker.readback import merged
from plugins.docker.resources.container.config import MEGABYTE
from plugins.docker.resources.container.fields import DRIFTING, FIELDS
from plugins.docker.resources.container.mounts import mounts_from_engine
from plugins.docker.resources.container.normal_forms import cpus_text, duration_text
from plugins.docker.resources.container.ports import chosen_ports, ports_from_engine
from plugins.docker.values import Values, without_internal

_THROTTLES = {
    "deviceReadBps": "BlkioDeviceReadBps",
    "deviceReadIops": "BlkioDeviceReadIOps",
    "deviceWriteBps": "BlkioDeviceWriteBps",
    "deviceWriteIops": "BlkioDeviceWriteIOps",
}


def outputs_of(known: Values, found: Json) -> Values:
    """State of a container whose inputs or former state is known.

    Most settings of a container cannot change while it exists, so what the program said stays as
    it was said. Read back is what others can change, and what the program left to the engine.
    """
    known = without_internal(known)
    seen = _seen(found)
    drifted = merged(FIELDS, known, {name: seen[name] for name in DRIFTING if name in seen})
    outputs = {**seen, **drifted, **_made_by_engine(found)}
    if known.get("ports"):
        outputs["ports"] = chosen_ports(known["ports"], found)
    return outputs | _running(known, found)


def imported(found: Json) -> Values:
    """State of a container of which nothing is known but what the engine reports."""
    outputs = {**_seen(found), **_only_imported(found), **_made_by_engine(found)}
    return {name: value for name, value in outputs.items() if not is_empty(value)}


def _running(known: Values, found: Json) -> Values:
    """A stopped container which should run is the one difference that an update repairs."""
    state = found["State"]
    if state.get("Running"):
        running = {name: value for name, value in known.items() if name == "mustRun"}
        return running | {"exitCode": 0}
    stopped: Values = {"exitCode": state.get("ExitCode", 0)}
    if known.get("mustRun", True) and known.get("start", True):
        stopped["mustRun"] = False
    return stopped


def _made_by_engine(found: Json) -> Values:
    settings = found.get("NetworkSettings") or {}
    networks = settings.get("Networks") or {}
    return {
        "bridge": settings.get("Bridge", ""),
        "networkDatas": [_network_data(name, networks[name]) for name in sorted(networks)],
    }


def _network_data(name: str, endpoint: Json) -> Values:
    return {
        "networkName": name,
        "ipAddress": endpoint.get("IPAddress", ""),
        "ipPrefixLength": endpoint.get("IPPrefixLen", 0),
        "gateway": endpoint.get("Gateway", ""),
        "globalIpv6Address": endpoint.get("GlobalIPv6Address", ""),
        "globalIpv6PrefixLength": endpoint.get("GlobalIPv6PrefixLen", 0),
        "ipv6Gateway": endpoint.get("IPv6Gateway", ""),
        "macAddress": endpoint.get("MacAddress", ""),
    }


def _seen(found: Json) -> Values:
    return {**_from_config(found), **_from_host_config(found["HostConfig"])}


def _from_config(found: Json) -> Values:
    config = found["Config"]
    return {
        "name": found["Name"].lstrip("/"),
        "image": config["Image"],
        "platform": found.get("Platform", ""),
        "hostname": config.get("Hostname", ""),
        "domainname": config.get("Domainname", ""),
        "command": config.get("Cmd") or [],
        "entrypoints": config.get("Entrypoint") or [],
        "user": config.get("User", ""),
        "workingDir": config.get("WorkingDir", ""),
        "tty": config.get("Tty", False),
        "stdinOpen": config.get("OpenStdin", False),
        "stopSignal": config.get("StopSignal", ""),
        "stopTimeout": config.get("StopTimeout") or 0,
        **_healthcheck(config.get("Healthcheck")),
    }


def _healthcheck(check: Json | None) -> Values:
    if not check:
        return {}
    return {
        "healthcheck": {
            "tests": check.get("Test") or [],
            "interval": duration_text(check.get("Interval", 0)),
            "timeout": duration_text(check.get("Timeout", 0)),
            "startPeriod": duration_text(check.get("StartPeriod", 0)),
            "startInterval": duration_text(check.get("StartInterval", 0)),
            "retries": check.get("Retries", 0),
        }
    }


def _from_host_config(host: Json) -> Values:
    policy = host.get("RestartPolicy") or {}
    swap = host.get("MemorySwap") or 0
    nano_cpus = host.get("NanoCpus") or 0
    return {
        "rm": host.get("AutoRemove", False),
        "readOnly": host.get("ReadonlyRootfs", False),
        "privileged": host.get("Privileged", False),
        "publishAllPorts": host.get("PublishAllPorts", False),
        "restart": policy.get("Name") or "no",
        "maxRetryCount": policy.get("MaximumRetryCount", 0),
        "init": bool(host.get("Init")),
        "runtime": host.get("Runtime", ""),
        "ipcMode": host.get("IpcMode", ""),
        "securityOpts": host.get("SecurityOpt") or [],
        "shmSize": (host.get("ShmSize") or 0) // MEGABYTE,
        "logDriver": (host.get("LogConfig") or {}).get("Type", ""),
        "memory": (host.get("Memory") or 0) // MEGABYTE,
        "memoryReservation": (host.get("MemoryReservation") or 0) // MEGABYTE,
        "memorySwap": swap // MEGABYTE if swap > 0 else swap,
        "cpuShares": host.get("CpuShares", 0),
        "cpuSet": host.get("CpusetCpus", ""),
        "cpus": cpus_text(nano_cpus) if nano_cpus else "",
    }


def _only_imported(found: Json) -> Values:
    """What the official provider reads of an import; envs, labels and uploads it does not."""
    host: dict[str, Any] = found["HostConfig"]
    hosts = (entry.rpartition(":") for entry in host.get("ExtraHosts") or ())
    capabilities = {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []}
    return {
        "networkMode": host.get("NetworkMode", ""),
        "capabilities": {key: names for key, names in capabilities.items() if names},
        "dns": host.get("Dns") or [],
        "dnsOpts": host.get("DnsOptions") or [],
        "dnsSearches": host.get("DnsSearch") or [],
        "hosts": [{"host": name, "ip": address} for name, _, address in hosts],
        "mounts": mounts_from_engine(host.get("Mounts")),
        "ports": ports_from_engine(found),
        "tmpfs": host.get("Tmpfs") or {},
        "sysctls": host.get("Sysctls") or {},
        "storageOpts": host.get("StorageOpt") or {},
        "groupAdds": host.get("GroupAdd") or [],
        "usernsMode": host.get("UsernsMode", ""),
        **{
            ours: [{"path": entry["Path"], "rate": entry["Rate"]} for entry in host[theirs]]
            for ours, theirs in _THROTTLES.items()
            if host.get(theirs)
        },
    }
