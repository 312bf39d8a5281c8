"""The rules of the CIS Docker Benchmark 1.6 that inspection can show, stricter where we can be.

A rule says what is wrong, or nothing. A rule that does not hold is a failure unless an exception
is declared for it; an exception that no longer excuses anything is a failure as well.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rule = Callable[["Subject"], str]
_SENSITIVE = re.compile(r"/|/(boot|dev|etc|lib|proc|sys|usr)(/.*)?")
_LEAST_PORT = 1024
_MOST_RESTARTS = 5


@dataclass(frozen=True)
class Subject:
    """One container with the image it runs, as `docker inspect` shows them.

    Parameters
    ----------
    ports
        Container ports that it is meant to publish.
    """

    role: str
    container: Mapping[str, Any]
    image: Mapping[str, Any]
    ports: frozenset[str] = frozenset()

    @property
    def host(self) -> Mapping[str, Any]:
        return self.container["HostConfig"]

    @property
    def bindings(self) -> dict[str, list[dict[str, str]]]:
        return self.host["PortBindings"] or {}

    @property
    def security(self) -> list[str]:
        return self.host["SecurityOpt"] or []


@dataclass(frozen=True)
class Exemption:
    """A rule that is left out on purpose.

    Parameters
    ----------
    without
        The engine's security option, such as `name=apparmor`, that makes it needless.
    role
        The only container that it is for.
    """

    rule: str
    reason: str
    without: str = ""
    role: str = ""

    def holds_on(self, security_options: Iterable[str]) -> bool:
        return not self.without or self.without not in security_options

    def excuses(self, subject: Subject, rule: str) -> bool:
        return self.rule == rule and self.role in ("", subject.role)


@dataclass(frozen=True)
class Verdict:
    role: str
    rule: str
    outcome: str
    reason: str = ""


def judge(subjects: Sequence[Subject], exemptions: Sequence[Exemption]) -> list[Verdict]:
    """What holds for each container: `pass`, `exception` or `FAIL`."""
    used: set[Exemption] = set()
    verdicts = [_judge_one(s, number, exemptions, used) for number in RULES for s in subjects]
    stale = [
        Verdict(
            exemption.role or "every container",
            exemption.rule,
            "FAIL",
            "holds: its exception can go",
        )
        for exemption in exemptions
        if exemption not in used
    ]
    return verdicts + stale


def _judge_one(
    subject: Subject, number: str, exemptions: Iterable[Exemption], used: set[Exemption]
) -> Verdict:
    wrong = RULES[number][1](subject)
    if not wrong:
        return Verdict(subject.role, number, "pass")
    for exemption in exemptions:
        if exemption.excuses(subject, number):
            used.add(exemption)
            return Verdict(subject.role, number, "exception", exemption.reason)
    return Verdict(subject.role, number, "FAIL", wrong)


def render(verdicts: Iterable[Verdict]) -> str:
    """The verdicts as a table, a line for each container and rule."""
    lines = [
        f"{v.role:16} {v.rule:5} {v.outcome:10} {v.reason or RULES[v.rule][0]}" for v in verdicts
    ]
    return "\n".join([f"{'container':16} {'rule':5} {'outcome':10} rule, or reason", *lines])


def _says(found: object, wrong: bool) -> str:
    return f"got {found!r}" if wrong else ""


def _field(name: str, allowed: Callable[[Any], bool]) -> Rule:
    def rule(subject: Subject) -> str:
        found = subject.host.get(name)
        return _says(found, not allowed(found))

    return rule


def _mounts(field: str, is_wrong: Callable[[str], bool]) -> Rule:
    def rule(subject: Subject) -> str:
        found = [str(mount.get(field) or "") for mount in subject.container["Mounts"]]
        wrong = [value for value in found if is_wrong(value)]
        return _says(wrong, bool(wrong))

    return rule


def _binding(field: str, is_wrong: Callable[[str], bool]) -> Rule:
    def rule(subject: Subject) -> str:
        found = [entry[field] for entries in subject.bindings.values() for entry in entries]
        wrong = [value for value in found if is_wrong(value)]
        return _says(wrong, bool(wrong))

    return rule


def _numeric_user(subject: Subject) -> str:
    users = [str(attrs["Config"]["User"]) for attrs in (subject.image, subject.container)]
    return _says(users, not all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users))


def _image_health(subject: Subject) -> str:
    return "" if subject.image["Config"].get("Healthcheck") else "no HEALTHCHECK in the image"


def _apparmor(subject: Subject) -> str:
    profile = subject.container.get("AppArmorProfile") or ""
    return _says(profile, profile in ("", "unconfined"))


def _selinux(subject: Subject) -> str:
    label = subject.container.get("ProcessLabel") or ""
    return _says(label, not label)


def _capabilities(subject: Subject) -> str:
    found = (subject.host["CapAdd"] or [], subject.host["CapDrop"] or [])
    return _says(found, found != ([], ["ALL"]))


def _expected_ports(subject: Subject) -> str:
    found = set(subject.bindings)
    return _says(sorted(found), found != subject.ports)


def _restart(subject: Subject) -> str:
    policy = subject.host["RestartPolicy"]
    within = 0 < policy["MaximumRetryCount"] <= _MOST_RESTARTS
    return _says(policy["Name"], not (policy["Name"] == "on-failure" and within))


def _seccomp(subject: Subject) -> str:
    return _says(subject.security, "seccomp=unconfined" in subject.security)


def _new_privileges(subject: Subject) -> str:
    allowed = {"no-new-privileges", "no-new-privileges:true"}
    return _says(subject.security, not allowed & set(subject.security))


def _health(subject: Subject) -> str:
    return "" if subject.container["State"].get("Health") else "no health state"


def _default_bridge(subject: Subject) -> str:
    found = sorted(subject.container["NetworkSettings"]["Networks"])
    return _says(found, "bridge" in found)


def _is_positive(value: Any) -> bool:
    return (value or 0) > 0


def _is_not_host(value: Any) -> bool:
    return value != "host"


def _is_empty(value: Any) -> bool:
    return not value


RULES: dict[str, tuple[str, Rule]] = {
    "4.1": ("user is numeric and not root", _numeric_user),
    "4.6": ("image has a HEALTHCHECK", _image_health),
    "5.2": ("AppArmor profile", _apparmor),
    "5.3": ("SELinux label", _selinux),
    "5.4": ("every capability dropped, none added", _capabilities),
    "5.5": ("not privileged", _field("Privileged", _is_empty)),
    "5.6": (
        "no system folder of the host",
        _mounts("Source", lambda path: _SENSITIVE.fullmatch(path) is not None),
    ),
    "5.8": (
        "no privileged port of the host",
        _binding("HostPort", lambda port: int(port or _LEAST_PORT) < _LEAST_PORT),
    ),
    "5.9": ("only ports that are needed", _expected_ports),
    "5.10": ("network namespace of its own", _field("NetworkMode", _is_not_host)),
    "5.11": ("memory limit", _field("Memory", _is_positive)),
    "5.12": ("CPU limit", _field("NanoCpus", _is_positive)),
    "5.13": ("read-only root", _field("ReadonlyRootfs", bool)),
    "5.14": (
        "ports on one address of the host",
        _binding("HostIp", lambda address: address in ("", "0.0.0.0", "::")),
    ),
    "5.15": ("restart policy on-failure:5", _restart),
    "5.16": ("process namespace of its own", _field("PidMode", _is_not_host)),
    "5.17": ("IPC namespace of its own", _field("IpcMode", _is_not_host)),
    "5.18": ("no device of the host", _field("Devices", _is_empty)),
    "5.19": ("the engine's ulimits", _field("Ulimits", _is_empty)),
    "5.20": (
        "no shared mount propagation",
        _mounts("Propagation", lambda kind: kind in ("shared", "rshared")),
    ),
    "5.21": ("UTS namespace of its own", _field("UTSMode", _is_not_host)),
    "5.22": ("seccomp profile", _seccomp),
    "5.25": ("the engine's cgroup", _field("CgroupParent", _is_empty)),
    "5.26": ("no new privileges", _new_privileges),
    "5.27": ("health is checked", _health),
    "5.29": ("process limit", _field("PidsLimit", _is_positive)),
    "5.30": ("not on docker0", _default_bridge),
    "5.31": ("the engine's user namespaces", _field("UsernsMode", _is_not_host)),
    "5.32": ("no engine socket", _mounts("Source", lambda path: path.endswith("/docker.sock"))),
}
