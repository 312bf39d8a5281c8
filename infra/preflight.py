"""What a stack needs of its engine, asked before anything is changed.

Otherwise a port that is taken shows when the old container is gone and the new one cannot start.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import docker
import pulumi
from docker.errors import APIError
from docker.types import Mount

from infra.engine.address import EngineAddress
from infra.engine.client import connect
from infra.engine.helper_container import trial_container
from infra.engine.host_port import Published, bind_error, published_ports
from infra.errors import SettingsError
from infra.naming import ROLE_LABEL, STACK_LABEL, Naming
from infra.resources.build_context import ROOT
from infra.services.devtools import MEMORY_MB as DEVTOOL_MEMORY_MB
from infra.settings import Environment, Settings
from infra.settings.model import NAMESPACE

_ROLES = {
    "https": "nginx",
    "http": "nginx",
    "portal": "app",
    "redis_commander": "redis-commander",
}
"""Role of the container that has the port, where it has not the port's own name."""
_DISK_MB = 2048
"""What a stack's images take, and some room for its data."""
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Room:
    """What an engine says to a stack's settings.

    Parameters
    ----------
    mistakes
        What it would refuse, each with its setting.
    warnings
        What it may run short of.
    """

    mistakes: list[str]
    warnings: list[str]


def require_room(settings: Settings, address: EngineAddress) -> None:
    """Raise SettingsError with all that the engine would refuse; warn of what it may run short of.

    Nothing is changed by then: the plan of the stack is still to be made.
    """
    room = look_for_room(settings, address)
    if room.mistakes:
        raise SettingsError(room.mistakes)
    for warning in room.warnings:
        pulumi.log.warn(warning)


def look_for_room(settings: Settings, address: EngineAddress) -> Room:
    """Ask the engine for all that the settings take; EngineAddressError when it does not answer."""
    client = connect(address)
    info = client.info()
    # Where it listens on a socket, this machine can say at once what is free; see `_refusal`.
    is_near = address.host.startswith("unix://")
    mistakes = [*_processor_mistakes(settings, info["NCPU"])]
    mistakes += _folder_mistakes(client, settings, is_near=is_near)
    mistakes += _port_mistakes(client, settings, is_near=is_near)
    warnings = [*_memory_warnings(settings, info), *_disk_warnings(info, is_near=is_near)]
    return Room([f"{NAMESPACE}:{mistake}" for mistake in mistakes], warnings)


def _processor_mistakes(settings: Settings, processors: int) -> Iterator[str]:
    for name, cpus in _limits(settings, "cpus").items():
        if cpus > processors:
            yield (
                f"{name}.cpus: should be at most {processors}, as many processors as the engine "
                f"has (got {cpus:g}). Lower it."
            )


def _folder_mistakes(
    client: docker.DockerClient, settings: Settings, *, is_near: bool
) -> Iterator[str]:
    folders = {"app.reload": str(ROOT / "app")} if settings.app.reload else {}
    if settings.backups.enabled and settings.backups.host_folder:
        folders["backups.host_folder"] = settings.backups.host_folder
    for setting, folder in folders.items():
        # One that this user may not look into is for the engine, which may.
        if is_near and os.path.isdir(folder):
            continue
        try:
            with trial_container(
                client, settings.stack, mounts=[Mount("/mnt", folder, type="bind")]
            ):
                continue
        except APIError as error:
            yield (
                f"{setting}: should have its folder on the engine's machine (got '{folder}': "
                f"{error.explanation}). Make it there, or change the setting."
            )


def _limits(settings: Settings, limit: str) -> dict[str, float]:
    """A limit of one container of each group of settings."""
    groups = [name for name in ("postgres", "redis") if name not in settings.outside]
    groups.append("app")
    groups += ["nginx"] if settings.environment is Environment.PRODUCTION else []
    groups += [name for name in ("backups", "monitoring") if getattr(settings, name).enabled]
    return {name: getattr(getattr(settings, name), limit) for name in groups}


def _memory_warnings(settings: Settings, info: Mapping[str, Any]) -> Iterator[str]:
    limits = _limits(settings, "memory_mb")
    needed = sum(limits.values()) + (2 * DEVTOOL_MEMORY_MB if settings.devtools else 0)
    if settings.environment is Environment.PRODUCTION:
        # The old replicas and as many new ones; what is counted above is the migrations' part.
        needed += 2 * settings.app.replicas * settings.app.memory_mb
    there = info["MemTotal"] // _MEBIBYTE
    if needed > there:
        yield (
            f"memory: should suffice for the limits of all containers while an update runs, "
            f"{needed} MB (got {there} MB). Lower app.replicas or the limits, or the engine may "
            "kill containers when they use all of them."
        )


def _disk_warnings(info: Mapping[str, Any], *, is_near: bool) -> Iterator[str]:
    folder = info["DockerRootDir"]
    try:
        free = shutil.disk_usage(folder).free // _MEBIBYTE if is_near else _DISK_MB
    except OSError:
        # The engine's own view of its files is another, as in a virtual machine.
        return
    if free < _DISK_MB:
        yield (
            f"disk: should have {_DISK_MB} MB free for images and volumes (got {free} MB in "
            f"{folder}). Free some, for example by `docker image prune`."
        )


@dataclass(frozen=True)
class _Wanted:
    """A port on the host as the settings name it; `setting` is its name in `ports`."""

    setting: str
    address: str
    port: int
    protocol: str = "tcp"

    @property
    def role(self) -> str:
        return _ROLES.get(self.setting, self.setting)

    def is_held_by(self, held: Published) -> bool:
        same = (self.port, self.protocol) == (held.port, held.protocol)
        return same and held.is_on(self.address)


def _wanted_ports(settings: Settings) -> Iterator[_Wanted]:
    """Those with a number; a port of 0 is chosen among the free ones."""
    ports = settings.ports
    for name, port in settings.published_ports.items():
        if port:
            yield _Wanted(name, ports.address_of(name), port)
    if "https" in settings.published_ports and settings.nginx.http3 and ports.https:
        yield _Wanted("https", ports.bind_address, ports.https, "udp")


def _port_mistakes(
    client: docker.DockerClient, settings: Settings, *, is_near: bool
) -> Iterator[str]:
    published = published_ports(client)
    own = [item for item in published if item.labels.get(STACK_LABEL) == settings.stack]
    address = settings.ports.bind_address
    if all(item.address != address for item in own):
        refusal = _refusal(client, settings.stack, _Wanted("", address, 0), is_near=is_near)
        if refusal:
            yield (
                f"ports.bind_address: should be an address of the engine's machine (got "
                f"'{address}': {refusal}). Set one that it has, such as 127.0.0.1."
            )
            return
    for wanted in _wanted_ports(settings):
        holders = [item for item in published if wanted.is_held_by(item)]
        others = [item for item in holders if not _is_of(item, settings.stack, wanted.role)]
        if others:
            reason = f"container '{others[0].container}' has it"
        elif holders:
            continue
        else:
            reason = _refusal(client, settings.stack, wanted, is_near=is_near)
        if reason:
            yield (
                f"ports.{wanted.setting}: should be free on {wanted.address} (got {wanted.port}: "
                f"{reason}). Stop what holds it, or choose another; 0 means a free one."
            )


def _is_of(item: Published, stack: str, role: str) -> bool:
    return (item.labels.get(STACK_LABEL), item.labels.get(ROLE_LABEL)) == (stack, role)


def _refusal(
    client: docker.DockerClient, stack: str, wanted: _Wanted, *, is_near: bool
) -> str | None:
    """Why the engine would not publish the port; None if it would, or cannot tell.

    This machine is asked first, which takes no time. Where it refuses, or is another than the
    engine's, the engine tries with a container that ends at once.
    """
    if is_near and bind_error(wanted.address, wanted.port, wanted.protocol) is None:
        return None
    published = {f"1/{wanted.protocol}": (wanted.address, wanted.port or None)}
    try:
        with trial_container(
            client, stack, network=_network_of(client, stack), ports=published
        ) as tried:
            tried.start()
    except APIError as error:
        return _reason(str(error.explanation))
    return None


def _reason(explanation: str) -> str | None:
    """What is wrong with the port; None for what the trial itself could not do."""
    before, _, reason = explanation.partition("): ")
    return reason.strip() if "external connectivity" in before else None


def _network_of(client: docker.DockerClient, stack: str) -> str | None:
    """A network of the stack on which ports are published; None for the engine's own."""
    names = [Naming(stack).physical(role) for role in ("edge-network", "network")]
    found: Iterable[Any] = client.networks.list(names=names)
    return next((network.name for network in found if network.name in names), None)
