"""What our own (dynamic) resources have in common.

The state stores a dynamic provider as the name of its module and class: moving or renaming
one breaks `refresh` and `destroy` of every stack that has it. Files and classes of this folder,
`infra/resources/certificate.py` and `infra/services/nginx/configuration.py` stay where they are.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import docker
import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from infra.engine.address import EngineAddress
from infra.engine.client import connect

Props = dict[str, Any]


class EngineProvider(ResourceProvider):
    """Creates, compares, updates and reads through one method each for writing and finding."""

    key: ClassVar[str]
    """Input that is the resource's id."""
    identity: ClassVar[tuple[str, ...]] = ()
    """Inputs whose change replaces the resource."""
    inputs: ClassVar[tuple[str, ...]] = ()
    """Other inputs whose change is an update."""

    def id_of(self, props: Props) -> str:
        """The resource's id."""
        return props[self.key]

    def put(self, olds: Props, news: Props) -> Props:
        """Bring the engine to `news` and return the outputs; `olds` is empty at creation."""
        raise NotImplementedError

    def find(self, props: Props) -> Props | None:
        """The outputs that a refresh finds; None when the resource is gone."""
        return props

    def is_changed(self, olds: Props, news: Props) -> bool:
        """Whether anything but the engine's address differs."""
        return any(olds.get(key) != news.get(key) for key in self.inputs)

    def create(self, props: Props) -> CreateResult:
        return CreateResult(self.id_of(props), {**props, **self.put({}, props)})

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        replaces = [key for key in self.identity if _olds.get(key) != _news.get(key)]
        moved = _olds.get("engine") != _news.get("engine")
        changed = bool(replaces) or moved or self.is_changed(_olds, _news)
        return DiffResult(changes=changed, replaces=replaces)

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        if not self.is_changed(_olds, _news):
            # The same engine by another address, or from another machine's certificates.
            return UpdateResult({**_olds, "engine": _news["engine"]})
        return UpdateResult({**_news, **self.put(_olds, _news)})

    def read(self, id_: str, props: Props) -> ReadResult:
        found = self.find(props)
        return ReadResult("", {}) if found is None else ReadResult(id_, {**props, **found})


class EngineResource(Resource):
    """A resource of ours on the stack's engine; outputs that are `hidden` are never shown."""

    def __init__(
        self,
        provider: EngineProvider,
        name: str,
        engine: EngineAddress,
        props: Props,
        opts: pulumi.ResourceOptions | None = None,
        hidden: Sequence[str] = (),
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=list(hidden))
        opts = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(provider, name, {**props, "engine": engine.properties()}, opts)


def engine_of(props: Props) -> docker.DockerClient:
    """A client of the engine that the resource is on."""
    return connect(EngineAddress.from_properties(props["engine"]))
