"""Rules on the resources of a stack: each is a function that returns a reason, or None.

`infra/settings/policies.py` says what each demands, by the function's name. Inputs are spelled as
the docker provider spells them (https://www.pulumi.com/registry/packages/docker/).
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from app.settings import Environment
from infra.naming import ROLE_LABEL, STACK_LABEL, find_label
from policy.resource import Reason, Resource, show, show_all

_SOCKETS = (PurePosixPath("/var/run/docker.sock"), PurePosixPath("/run/docker.sock"))
_NAMESPACES = ("networkMode", "pidMode", "ipcMode", "usernsMode", "cgroupnsMode")
_NUMERIC_USER = re.compile(r"[1-9]\d*(:[1-9]\d*)?")
_DIGEST = re.compile(r"(^|@)sha256:[0-9a-f]{64}$")
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|_KEY|^KEY)$")
_URL_WITH_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_ROTATED_DRIVERS = ("json-file", "local")
_LOOPBACK_ROLE = "prometheus"
"""For people on the machine, or behind a tunnel to it: it knows no password."""
_DEVELOPMENT_TOOLS = ("adminer", "redis-commander")


def not_privileged(resource: Resource) -> Reason:
    if resource.inputs.get("privileged"):
        return "should not be privileged (got privileged). Remove it."
    if devices := [device["hostPath"] for device in resource.inputs.get("devices") or ()]:
        return f"should have no device of the host (got {', '.join(devices)}). Remove it."
    return None


def no_docker_socket(resource: Resource) -> Reason:
    for path in _host_paths(resource):
        if any(socket.is_relative_to(path) for socket in _SOCKETS):
            return (
                f"should not reach the engine's socket, which is root on the host (got a mount of "
                f"{path}). Remove the mount."
            )
    return None


def _host_paths(resource: Resource) -> Iterator[str]:
    for mount in resource.inputs.get("mounts") or ():
        if mount["type"] == "bind":
            yield mount["source"]
    for volume in resource.inputs.get("volumes") or ():
        if path := volume.get("hostPath"):
            yield path


def no_host_namespaces(resource: Resource) -> Reason:
    shared = [key for key in _NAMESPACES if resource.inputs.get(key) == "host"]
    if shared:
        return f"should share no namespace with the host (got {', '.join(shared)} host). Remove it."
    return None


def not_root(resource: Resource) -> Reason:
    user = resource.inputs.get("user")
    if user is None or not _NUMERIC_USER.fullmatch(user):
        return f"should have a numeric user other than root (got {show(user)}). Give uid and gid."
    return None


def read_only_root(resource: Resource) -> Reason:
    if resource.inputs.get("readOnly"):
        return None
    return "should have a read-only root (got a writable one). Use tmpfs_mb for what it writes."


def no_capabilities(resource: Resource) -> Reason:
    capabilities = resource.inputs.get("capabilities") or {}
    drops, adds = list(capabilities.get("drops") or ()), list(capabilities.get("adds") or ())
    if drops != ["ALL"] or adds:
        return (
            "should drop all capabilities and add none (got "
            f"{show_all(drops)} dropped, {show_all(adds)} added). Do without them."
        )
    return None


def confined(resource: Resource) -> Reason:
    options = list(resource.inputs.get("securityOpts") or ())
    loose = [option for option in options if option.endswith(("unconfined", "disable"))]
    if loose or "no-new-privileges:true" not in options:
        return (
            "should have no-new-privileges:true and the engine's own profiles (got "
            f"{show_all(options)}). Correct securityOpts."
        )
    return None


def limits(resource: Resource) -> Reason:
    memory, swap, cpus = (resource.inputs.get(key) for key in ("memory", "memorySwap", "cpus"))
    if memory and swap == memory and cpus:
        return None
    return (
        "should have limits of memory and processors, and no swap (got "
        f"memory {show(memory)}, memorySwap {show(swap)}, cpus {show(cpus)}). Set them."
    )


def _tests(resource: Resource) -> list[str]:
    return list((resource.inputs.get("healthcheck") or {}).get("tests") or ())


def health_check(resource: Resource) -> Reason:
    tests = _tests(resource)
    if not tests or (tests == ["NONE"] and resource.inputs.get("restart") != "no"):
        return f"should have a health check (got {show_all(tests)}). Add one, or run it as a job."
    return None


def restart_policy(resource: Resource) -> Reason:
    restart = resource.inputs.get("restart")
    if restart in (None, "no") and _tests(resource) != ["NONE"]:
        return f"should be started again when it ends (got {show(restart)}). Set restart."
    return None


def stop_grace(resource: Resource) -> Reason:
    # The provider sends SIGKILL at once where it is not set.
    if resource.inputs.get("destroyGraceSeconds"):
        return None
    return "should have time to stop when it is removed (got none). Set destroyGraceSeconds."


def log_rotation(resource: Resource) -> Reason:
    driver, options = resource.inputs.get("logDriver"), resource.inputs.get("logOpts") or {}
    if driver in _ROTATED_DRIVERS and {"max-size", "max-file"} <= set(options):
        return None
    return (
        "should rotate its log (got "
        f"{show(driver)} with {show_all(list(options))}). Set max-size and max-file."
    )


def pinned_image(resource: Resource) -> Reason:
    image = resource.inputs.get("image") or ""
    if _DIGEST.search(image):
        return None
    return f"should name its image by digest (got {show(image)}). Use the id of a RemoteImage."


def labels(resource: Resource) -> Reason:
    given = resource.inputs.get("labels")
    missing = [name for name in (STACK_LABEL, ROLE_LABEL) if not find_label(given, name)]
    if missing:
        return (
            f"should be labelled with its stack and role (got no {', '.join(missing)}). "
            "Take Naming.labels."
        )
    return None


def no_secret_in_environment(resource: Resource) -> Reason:
    for entry in resource.inputs.get("envs") or ():
        name, _, value = entry.partition("=")
        if value and (_SECRET_NAME.search(name) or _URL_WITH_PASSWORD.search(value)):
            return (
                f"should have no secret in its environment, which anybody with the engine can read "
                f"(got {name}). Put it into secret_files, and name the file in {name}_FILE."
            )
    return None


def loopback_only(resource: Resource) -> Reason:
    if resource.environment is Environment.PRODUCTION:
        return None
    for port in resource.inputs.get("ports") or ():
        if not _is_on_loopback(port):
            return (
                "should publish its ports on loopback alone in development (got "
                f"{_address(port)}). Set ports.bind_address."
            )
    return None


def _address(port: Mapping[str, Any]) -> str:
    return port.get("ip") or "0.0.0.0"


def _is_on_loopback(port: Mapping[str, Any]) -> bool:
    return ipaddress.ip_address(_address(port)).is_loopback


def only_nginx_publishes(resource: Resource) -> Reason:
    if resource.environment is not Environment.PRODUCTION or resource.role == "nginx":
        return None
    given = resource.inputs.get("ports") or ()
    if resource.role == _LOOPBACK_ROLE:
        given = [port for port in given if not _is_on_loopback(port)]
    ports = [show(port["internal"]) for port in given]
    if resource.inputs.get("publishAllPorts"):
        ports = ["all"]
    if ports:
        return (
            f"should publish no port in production (got {', '.join(ports)}). Let nginx lead to it."
        )
    return None


def no_development_tools(resource: Resource) -> Reason:
    if resource.environment is Environment.PRODUCTION and resource.role in _DEVELOPMENT_TOOLS:
        return f"should not run in production (got {resource.role}). Use it in development."
    return None


def protected_data(resource: Resource) -> Reason:
    is_data = (resource.role or "").endswith("-data")
    if resource.environment is Environment.PRODUCTION and is_data and not resource.protect:
        return (
            "should be protected in production (got no protection). Set retain_data; to delete the "
            "data on purpose, set policies.protected_data to advisory."
        )
    return None
