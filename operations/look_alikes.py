"""What was put by hand under the names of a stack's containers, networks and images.

A refresh sees only that the stack's own is gone, and the update would end half-way because the name
is taken. An image it would even take over: all it reads of one is what has its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker import DockerClient
from docker.errors import ImageNotFound

from infra.errors import UserError
from infra.naming import CONTAINER, IMAGE, NETWORK, SPEC_LABEL, STACK_LABEL
from operations.containers import connect_engine
from operations.orphans import remove_network
from operations.stack import Stack

Resources = Sequence[Mapping[str, Any]]
"""As the state lists them."""


@dataclass(frozen=True)
class LookAlike:
    """A container or network that has the name of one in the state, and is another.

    Parameters
    ----------
    labels
        A copy of the stack's own has its.
    """

    kind: str
    name: str
    id: str
    labels: Mapping[str, str]

    def is_copy(self, stack: str) -> bool:
        """Whether it was made after one of the stack's own.

        The label of the stack alone comes with its images, too.
        """
        is_marked = self.kind == "network" or SPEC_LABEL in self.labels
        return is_marked and self.labels.get(STACK_LABEL) == stack

    @property
    def removal(self) -> str:
        """The command that removes it."""
        options = "rm --force --volumes" if self.kind == "container" else "network rm"
        return f"docker {options} {self.name}"

    def remove(self, client: DockerClient) -> None:
        if self.kind == "container":
            client.api.remove_container(self.id, force=True, v=True)
            return
        remove_network(client.networks.get(self.id))


def find_look_alikes(client: DockerClient, resources: Resources) -> Iterator[LookAlike]:
    """Each container and network that has the name of one in the state."""
    known = [item for item in resources if item.get("type") in (CONTAINER, NETWORK)]
    ids = {item["id"] for item in known}
    names = {(item["type"], item["outputs"]["name"]) for item in known if not item.get("delete")}
    if not names:
        return
    for found in client.api.containers(all=True):
        for name in (name.removeprefix("/") for name in found["Names"]):
            if (CONTAINER, name) in names and found["Id"] not in ids:
                yield LookAlike("container", name, found["Id"], found["Labels"] or {})
    for found in client.api.networks():
        if (NETWORK, found["Name"]) in names and found["Id"] not in ids:
            yield LookAlike("network", found["Name"], found["Id"], found["Labels"] or {})


def put_back(stack: Stack, resources: Resources, *, may_remove: bool) -> None:
    """Give the stack's names back to what it made, or leave them free for an update to make again.

    Parameters
    ----------
    resources
        All that its state has.
    may_remove
        Whether copies of the stack's own containers and networks may be removed.

    Raises
    ------
    UserError
        Raised with the commands that remove what has a name and is to be removed by its owner.
    """
    client = connect_engine(stack)
    found = [*find_look_alikes(client, resources)]
    own = [one for one in found if may_remove and one.is_copy(stack.name)]
    if refused := [one for one in found if one not in own]:
        raise UserError("\n".join(map(_describe_refused, refused)))
    for one in own:
        one.remove(client)
        print(f"removed {one.kind} {one.name}, put by hand in place of the stack's own", flush=True)
    for name in _put_images_back(client, resources):
        print(f"gave the name {name} back to the stack's own image", flush=True)


def _describe_refused(one: LookAlike) -> str:
    return (
        f"{one.kind} '{one.name}': should be the stack's own (got another one of that name). "
        f"Rename it, or remove it with `{one.removal}`, and run this again."
    )


def find_moved_names(client: DockerClient, resources: Resources) -> Iterator[tuple[str, str]]:
    """Names of images that the stack has built which something else has, and the own ones' ids."""
    for item in resources:
        if item.get("type") != IMAGE or item.get("delete") or not item["outputs"].get("build"):
            continue
        name, own = item["outputs"]["name"], item["outputs"]["imageId"]
        try:
            if client.images.get(name).id != own:
                yield name, own
        except ImageNotFound:
            continue  # which a refresh finds


def _put_images_back(client: DockerClient, resources: Resources) -> Iterator[str]:
    for name, own in find_moved_names(client, resources):
        try:
            client.images.get(own).tag(*name.rsplit(":", 1))
        except ImageNotFound:
            continue  # no container runs it, either
        yield name
