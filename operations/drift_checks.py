"""What differs between a stack's state and its engine, without a refresh: for `make doctor`."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from docker import DockerClient
from docker.models.containers import Container

from infra.engine.container_state import FINISHED, HEALTHY, Wanted, observe
from infra.engine.host_port import bind_error, published_ports
from infra.naming import (
    CONTAINER,
    IMAGE,
    NETWORK,
    ROLE_LABEL,
    SPEC_LABEL,
    VOLUME,
    find_label,
)
from operations.containers import own_containers
from operations.doctor import Finding
from operations.look_alikes import find_moved_names
from operations.stack import Stack

_READINESS, _GUARD = (f"pulumi-python:dynamic/devportal:{n}" for n in ("Readiness", "DataGuard"))
_MEBIBYTE = 1 << 20
_BILLION = 1_000_000_000
_LIMITS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "memory": lambda host: host["Memory"] // _MEBIBYTE,
    "cpus": lambda host: host["NanoCpus"] / _BILLION,
    "restart": lambda host: host["RestartPolicy"]["Name"],
}
"""What `docker update` changes on a container, by its name in the state."""


@dataclass(frozen=True)
class Observed:
    """A stack as its state and its engine know it.

    Parameters
    ----------
    resources
        Of the state, by type, without those that a later version has taken the place of.
    known
        Ids of all that the state holds.
    containers
        Those on the engine that are labelled as the stack's own.
    is_near
        Whether the engine's ports are those of this machine.
    """

    stack: str
    client: DockerClient
    resources: Mapping[str, list[dict[str, Any]]]
    known: frozenset[str]
    containers: list[Container]
    is_near: bool

    @classmethod
    def look(
        cls, stack: Stack, client: DockerClient, resources: list[dict[str, Any]], *, is_near: bool
    ) -> Self:
        """Ask the engine for the containers; `resources` as the state lists them."""
        by_type: dict[str, list[dict[str, Any]]] = {}
        for item in resources:
            if not item.get("delete"):
                by_type.setdefault(item["type"], []).append(item)
        containers = own_containers(stack.name, client, of_tasks=stack.is_on_swarm)
        ids = frozenset(item["id"] for item in resources if "id" in item)
        containers.sort(key=lambda container: str(container.name))
        return cls(stack.name, client, by_type, ids, containers, is_near)

    @property
    def up(self) -> str:
        """The command that brings the stack to what it should be."""
        return f"make up STACK={self.stack}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The state's resources of a type."""
        return self.resources.get(kind, [])

    def wanted(self, item: dict[str, Any]) -> Wanted | None:
        """What a container of the state should be; None where no `up` has got so far."""
        for ready in self.of(_READINESS):
            if _name(ready) == f"{_name(item)}-readiness":
                wanted = Wanted.from_properties(ready["outputs"])
                return replace(wanted, id=item["id"], name=item["outputs"]["name"])
        return None


def find_drift(observed: Observed, asked_ports: Collection[int] = ()) -> Iterator[Finding]:
    """Everything that is otherwise than the last `make up` has left it.

    Parameters
    ----------
    asked_ports
        Of which it is known already whether they are free.
    """
    yield from check_objects(observed)
    there = {container.id: container for container in observed.containers}
    for item in observed.of(CONTAINER):
        wanted = observed.wanted(item)
        if container := there.get(item["id"]):
            yield from check_container(observed, container, item["outputs"], wanted)
        elif wanted is None or wanted.goal != FINISHED:
            # `docker container prune` takes a job that has ended.
            yield from check_missing(observed, item["outputs"])
        if wanted and (container is None or container.status != "running"):
            yield from check_ports(observed, wanted, asked_ports)
    yield from check_strangers(observed)
    yield from check_image_names(observed)


def check_image_names(observed: Observed) -> Iterator[Finding]:
    """Names of the stack's images that something else was given."""
    for name, _ in find_moved_names(observed.client, observed.of(IMAGE)):
        what = f"image '{name}': should be the one that the stack has built (got another)."
        yield Finding(what, "plain `pulumi up --refresh` would run what is called so", observed.up)


def check_objects(observed: Observed) -> Iterator[Finding]:
    """Volumes and networks that are gone."""
    # One that was brought back by hand has no label.
    volumes = {volume.name for volume in observed.client.volumes.list()}
    guarded = {item["id"] for item in observed.of(_GUARD) if item["outputs"]["retain"]}
    for name in (item["id"] for item in observed.of(VOLUME) if item["id"] not in volumes):
        why, command = "its container cannot start without it", observed.up
        if name in guarded:
            why = "`make up` fails without the stack's data; begin empty, then restore a backup"
            command = _begin_empty(observed)
        yield Finding(f"volume '{name}': should exist (got none).", why, command)
    networks = {network.id for network in observed.client.networks.list()}
    for item in (item for item in observed.of(NETWORK) if item["id"] not in networks):
        what = f"network '{item['outputs']['name']}': should exist (got none of its id)."
        yield Finding(what, "its containers do not reach each other", observed.up)


def _begin_empty(observed: Observed) -> str:
    setting = "--path devportal:postgres.fresh_start"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"pulumi config set --stack {observed.stack} {setting} {today} && {observed.up}"


def check_container(
    observed: Observed, container: Container, outputs: Mapping[str, Any], wanted: Wanted | None
) -> Iterator[Finding]:
    """A container that is not as it should be, or has another limit."""
    goal = wanted.goal if wanted else HEALTHY
    state = observe(observed.client, wanted) if wanted else container.status
    is_backups = container.labels[ROLE_LABEL] == "backups"
    # Why that one is unhealthy is a finding of its own.
    if state != goal and not (is_backups and state in ("unhealthy", "starting")):
        said = _last_words(container, state)
        what = f"container '{container.name}': should be {goal} (got: {state})."
        is_lost = "got an empty volume" in said
        yield Finding(
            f"{what} It says: {said}" if said else what,
            "what it serves is not served, or only by the others of its role",
            _begin_empty(observed) if is_lost else observed.up,
        )
    host = container.attrs["HostConfig"]
    for limit, read in _LIMITS.items():
        expected, got = outputs[limit], read(host)
        if (float(expected) if limit == "cpus" else expected) != got:
            what = f"container '{container.name}': {limit} should be {expected} (got {got})."
            yield Finding(what, "it was changed by hand, and no file says so", observed.up)


def _last_words(container: Container, state: str) -> str:
    """The last line of its own check, or of its log."""
    if state == "paused":
        return ""
    probes = (container.attrs["State"].get("Health") or {}).get("Log") or []
    if state == "unhealthy" and probes:
        text = probes[-1]["Output"]
    else:
        text = container.logs(tail=1).decode(errors="replace")
    return text.strip().rpartition("\n")[2]


def check_missing(observed: Observed, outputs: Mapping[str, Any]) -> Iterator[Finding]:
    """A container that is gone; another one may have its name."""
    name, spec = outputs["name"], find_label(outputs["labels"], SPEC_LABEL) or ""
    got, command = "none", observed.up
    for other in (other for other in observed.containers if other.name == name):
        is_equal = other.labels[SPEC_LABEL] == spec
        got = "another one" if is_equal else f"one of specification {other.labels[SPEC_LABEL]}"
        command = f"docker rm --force --volumes {name} && {observed.up}"
    what = f"container '{name}', specification {spec}: should exist (got {got})."
    yield Finding(what, "what it serves is not served, or not as the settings say", command)


def check_strangers(observed: Observed) -> Iterator[Finding]:
    """Containers with the stack's labels that its state does not know, where it knows others."""
    names = {item["outputs"]["name"] for item in observed.of(CONTAINER)}
    for container in observed.containers if names else ():
        if container.id not in observed.known and container.name not in names:
            what = f"container '{container.name}': should be in the stack's state (got: it is not)."
            why = "nothing of the stack minds it, and `make down` cannot remove its image"
            yield Finding(what, why, f"docker rm --force --volumes {container.name}")


def check_ports(
    observed: Observed, wanted: Wanted, asked: Collection[int] = ()
) -> Iterator[Finding]:
    """Ports of a container that does not run which something else has by now."""
    published = published_ports(observed.client)
    for internal, place in wanted.ports.items():
        address, _, number = place.rpartition(":")
        port, protocol = int(number), internal.partition("/")[2]
        if port in asked:
            continue
        holders = [i.container for i in published if (i.port, i.protocol) == (port, protocol)]
        if wanted.name in holders:
            continue  # it is paused, or about to start
        if holders:
            got, command = f"container '{holders[0]}'", f"docker stop {holders[0]}"
        elif observed.is_near and bind_error(address.strip("[]"), port, protocol):
            got, command = "a process", f"ss --listening --processes --{protocol} sport = :{port}"
        else:
            continue
        what = f"container '{wanted.name}': {place} should be free for it (got: {got} has it)."
        yield Finding(what, "it cannot start; end what has the port", f"{command} && {observed.up}")


def _name(item: Mapping[str, Any]) -> str:
    return item["urn"].rpartition("::")[2]
