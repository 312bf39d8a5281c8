"""The rules of the CIS Docker Benchmark 1.6 that inspection can show, stricter where we can be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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

    def bindings(self, name: str) -> list[str]:
        """Address or port of the host, of every published port."""
        return [one[name] for all_ in (self.host("PortBindings") or {}).values() for one in all_]

    def mounts(self, name: str) -> list[str]:
        return [str(mount.get(name) or "") for mount in self.container["Mounts"]]


class Rule(NamedTuple):
    """What should hold, where it is looked up, and which values break it."""

    title: str
    find: Callable[[Subject], Any]
    is_broken_by: Callable[[Any], bool]


def broken_rules(subject: Subject) -> set[str]:
    """Numbers of the rules that do not hold."""
    return {number for number, rule in RULES.items() if rule.is_broken_by(rule.find(subject))}


def _host(title: str, name: str, is_broken_by: Callable[[Any], bool]) -> Rule:
    return Rule(title, lambda subject: subject.host(name), is_broken_by)


def _is_host(value: Any) -> bool:
    return value == "host"


def _is_none(value: Any) -> bool:
    return not value


RULES: dict[str, Rule] = {
    "4.1": Rule(
        "user is numeric and not root",
        lambda s: [str(attrs["Config"]["User"]) for attrs in (s.image, s.container)],
        lambda users: not all(map(_NUMERIC_USER.fullmatch, users)),
    ),
    "4.6": Rule(
        "image has a HEALTHCHECK", lambda s: s.image["Config"].get("Healthcheck"), _is_none
    ),
    "5.2": Rule(
        "AppArmor profile",
        lambda s: s.container.get("AppArmorProfile"),
        lambda profile: profile in (None, "", "unconfined"),
    ),
    "5.3": Rule("SELinux label", lambda s: s.container.get("ProcessLabel"), _is_none),
    "5.4": Rule(
        "every capability dropped, none added",
        lambda s: (s.host("CapAdd") or [], s.host("CapDrop") or []),
        lambda found: found != ([], ["ALL"]),
    ),
    "5.5": _host("not privileged", "Privileged", bool),
    "5.6": Rule(
        "no system folder of the host",
        lambda s: s.mounts("Source"),
        lambda paths: any(map(_SENSITIVE.fullmatch, paths)),
    ),
    "5.8": Rule(
        "no privileged port of the host",
        lambda s: s.bindings("HostPort"),
        lambda ports: any(int(port or 1024) < 1024 for port in ports),
    ),
    "5.9": Rule(
        "only ports that are needed",
        lambda s: set(s.host("PortBindings") or {}) ^ s.ports,
        bool,
    ),
    "5.10": _host("network namespace of its own", "NetworkMode", _is_host),
    "5.11": _host("memory limit", "Memory", _is_none),
    "5.12": _host("CPU limit", "NanoCpus", _is_none),
    "5.13": _host("read-only root", "ReadonlyRootfs", _is_none),
    "5.14": Rule(
        "ports on one address of the host",
        lambda s: s.bindings("HostIp"),
        lambda addresses: any(address in ("", "0.0.0.0", "::") for address in addresses),
    ),
    "5.15": _host(
        "restart policy on-failure:5",
        "RestartPolicy",
        lambda found: found["Name"] != "on-failure" or not 0 < found["MaximumRetryCount"] <= 5,
    ),
    "5.16": _host("process namespace of its own", "PidMode", _is_host),
    "5.17": _host("IPC namespace of its own", "IpcMode", _is_host),
    "5.18": _host("no device of the host", "Devices", bool),
    "5.19": _host("the engine's ulimits", "Ulimits", bool),
    "5.20": Rule(
        "no shared mount propagation",
        lambda s: s.mounts("Propagation"),
        lambda kinds: bool({"shared", "rshared"} & set(kinds)),
    ),
    "5.21": _host("UTS namespace of its own", "UTSMode", _is_host),
    "5.22": _host(
        "seccomp profile", "SecurityOpt", lambda options: "seccomp=unconfined" in (options or [])
    ),
    "5.25": _host("the engine's cgroup", "CgroupParent", bool),
    "5.26": _host(
        "no new privileges",
        "SecurityOpt",
        lambda options: not {"no-new-privileges", "no-new-privileges:true"} & set(options or []),
    ),
    "5.27": Rule("health is checked", lambda s: s.container["State"].get("Health"), _is_none),
    "5.29": _host("process limit", "PidsLimit", lambda limit: (limit or 0) <= 0),
    "5.30": Rule(
        "not on docker0",
        lambda s: sorted(s.container["NetworkSettings"]["Networks"]),
        lambda networks: "bridge" in networks,
    ),
    "5.31": _host("the engine's user namespaces", "UsernsMode", _is_host),
    "5.32": Rule(
        "no engine socket",
        lambda s: s.mounts("Source"),
        lambda paths: any(path.endswith("/docker.sock") for path in paths),
    ),
}
