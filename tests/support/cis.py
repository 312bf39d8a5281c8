"""The rules of the CIS Docker Benchmark 1.6 that inspection can show, stricter where we can be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_SENSITIVE = re.compile(r"/|/(boot|dev|etc|lib|proc|sys|usr)(/.*)?")
_NUMERIC_USER = re.compile(r"[1-9]\d*:[1-9]\d*")


@dataclass(frozen=True)
class Subject:
    """One container with the image it runs, as `docker inspect` shows them.

    Parameters
    ----------
    ports
        Container ports that it is meant to publish.
    """

    container: Mapping[str, Any]
    image: Mapping[str, Any]
    ports: frozenset[str] = frozenset()

    def host(self, name: str) -> Any:
        return self.container["HostConfig"].get(name)

    def users(self) -> list[str]:
        """Of the image, and of the container."""
        return [str(attrs["Config"]["User"]) for attrs in (self.image, self.container)]

    def bindings(self, name: str) -> list[str]:
        """Address or port of the host, of every published port."""
        return [one[name] for all_ in (self.host("PortBindings") or {}).values() for one in all_]

    def mounts(self, name: str) -> list[str]:
        return [str(mount.get(name) or "") for mount in self.container["Mounts"]]


RULES: Mapping[str, tuple[str, Callable[[Subject], object]]] = {
    "4.1": (
        "user is numeric and not root",
        lambda s: not all(map(_NUMERIC_USER.fullmatch, s.users())),
    ),
    "4.6": ("image has a HEALTHCHECK", lambda s: not s.image["Config"].get("Healthcheck")),
    "5.2": (
        "AppArmor profile",
        lambda s: s.container.get("AppArmorProfile") in (None, "", "unconfined"),
    ),
    "5.3": ("SELinux label", lambda s: not s.container.get("ProcessLabel")),
    "5.4": (
        "every capability dropped, none added",
        lambda s: s.host("CapAdd") or s.host("CapDrop") != ["ALL"],
    ),
    "5.5": ("not privileged", lambda s: s.host("Privileged")),
    "5.6": (
        "no system folder of the host",
        lambda s: any(map(_SENSITIVE.fullmatch, s.mounts("Source"))),
    ),
    "5.8": (
        "no privileged port of the host",
        lambda s: any(int(port or 1024) < 1024 for port in s.bindings("HostPort")),
    ),
    "5.9": ("only ports that are needed", lambda s: set(s.host("PortBindings") or {}) ^ s.ports),
    "5.10": ("network namespace of its own", lambda s: s.host("NetworkMode") == "host"),
    "5.11": ("memory limit", lambda s: not s.host("Memory")),
    "5.12": ("CPU limit", lambda s: not s.host("NanoCpus")),
    "5.13": ("read-only root", lambda s: not s.host("ReadonlyRootfs")),
    "5.14": (
        "ports on one address of the host",
        lambda s: {"", "0.0.0.0", "::"} & set(s.bindings("HostIp")),
    ),
    "5.15": (
        "restart policy on-failure:5",
        lambda s: (
            s.host("RestartPolicy")["Name"] != "on-failure"
            or not 0 < s.host("RestartPolicy")["MaximumRetryCount"] <= 5
        ),
    ),
    "5.16": ("process namespace of its own", lambda s: s.host("PidMode") == "host"),
    "5.17": ("IPC namespace of its own", lambda s: s.host("IpcMode") == "host"),
    "5.18": ("no device of the host", lambda s: s.host("Devices")),
    "5.19": ("the engine's ulimits", lambda s: s.host("Ulimits")),
    "5.20": (
        "no shared mount propagation",
        lambda s: {"shared", "rshared"} & set(s.mounts("Propagation")),
    ),
    "5.21": ("UTS namespace of its own", lambda s: s.host("UTSMode") == "host"),
    "5.22": ("seccomp profile", lambda s: "seccomp=unconfined" in (s.host("SecurityOpt") or [])),
    "5.25": ("the engine's cgroup", lambda s: s.host("CgroupParent")),
    "5.26": (
        "no new privileges",
        lambda s: (
            not {"no-new-privileges", "no-new-privileges:true"} & set(s.host("SecurityOpt") or [])
        ),
    ),
    "5.27": ("health is checked", lambda s: not s.container["State"].get("Health")),
    "5.29": ("process limit", lambda s: (s.host("PidsLimit") or 0) <= 0),
    "5.30": ("not on docker0", lambda s: "bridge" in s.container["NetworkSettings"]["Networks"]),
    "5.31": ("the engine's user namespaces", lambda s: s.host("UsernsMode") == "host"),
    "5.32": (
        "no engine socket",
        lambda s: any(path.endswith("/docker.sock") for path in s.mounts("Source")),
    ),
}
"""What should hold, and whether a container breaks it."""


def broken_rules(subject: Subject) -> set[str]:
    """Numbers of the rules that do not hold."""
    return {number for number, (_, is_broken_by) in RULES.items() if is_broken_by(subject)}
