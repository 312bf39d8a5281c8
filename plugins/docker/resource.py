"""What a resource handler is, and what it is given and gives back.

Everything here is plain Python: no gRPC, no Pulumi. `README.md` tells how a resource is written.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from plugins.docker.autoname import AutoNaming
from plugins.docker.check import Failure, check_shape
from plugins.docker.context import Context
from plugins.docker.defaults import with_defaults
from plugins.docker.diff import Diff, compare, deletes_first
from plugins.docker.fields import Field
from plugins.docker.schema import resource_schema
from plugins.docker.values import UNKNOWN, Values, without_internal


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """Inputs to be checked.

    Attributes
    ----------
    name
        Logical name of the resource in the program.
    old_inputs
        Checked inputs of last time; None for a new resource and for a replacement.
    inputs
        Inputs as the program gave them; `UNKNOWN` where a preview cannot know.
    secret_paths
        Where in `inputs` secrets are, such as `build.args.TOKEN`.
    """

    name: str
    old_inputs: Values | None
    inputs: Values
    secret_paths: frozenset[str] = frozenset()
    autonaming: AutoNaming = field(default_factory=AutoNaming)


@dataclass(frozen=True)
class Checked:
    """Inputs with defaults filled in, and what is wrong with them."""

    inputs: Values
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DiffRequest:
    """What the engine remembers of a resource, and what the program wants now."""

    id: str
    state: Values
    old_inputs: Values
    inputs: Values


@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    """Checked inputs of a resource to make; in a preview they may hold `UNKNOWN`."""

    inputs: Values
    timeout_seconds: float = 0.0


@dataclass(frozen=True)
class Made:
    """A resource that exists.

    Attributes
    ----------
    outputs
        Its state: the inputs and what the engine made. Outputs named like an input which held a
        secret become secret by themselves; `secret_outputs` names others.
    """

    id: str
    outputs: Values
    secret_outputs: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """A resource to be looked up; without state and inputs in an import."""

    id: str
    state: Values
    inputs: Values

    @property
    def is_import(self) -> bool:
        """Whether nothing but the id is known."""
        return not self.state and not self.inputs


@dataclass(frozen=True)
class Read:
    """What was found: new state, and the inputs that would make it."""

    id: str
    outputs: Values
    inputs: Values
    secret_outputs: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class UpdateRequest:
    """A change to be made in place."""

    id: str
    state: Values
    old_inputs: Values
    inputs: Values
    timeout_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DeleteRequest:
    """A resource to remove; its state says how."""

    id: str
    state: Values
    timeout_seconds: float = 0.0


class Resource(ABC):
    """One resource type.

    A handler keeps six promises: `check` fills defaults and names every bad property without
    touching Docker; `diff` is the field table and nothing else; a preview changes nothing and
    leaves engine-made outputs unknown; `read` of a missing object returns None; `delete` of a
    missing object succeeds; secrets stay secret.

    Attributes
    ----------
    token
        Type token such as `docker:index/network:Network`.
    fields
        One `Field` for every input of the type.
    autonamed
        Whether a missing `name` becomes `<logical name>-<7 hex digits>`.
    always_deletes_first
        Whether a replacement removes the old one first, even if its name is not fixed.
    """

    token: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    autonamed: ClassVar[bool] = False
    always_deletes_first: ClassVar[bool] = False

    def check(self, request: CheckRequest) -> Checked:
        """Check inputs and fill in names and defaults; never touches Docker."""
        inputs, failures = check_shape(self.token, self.fields, request.inputs)
        if failures:
            return Checked(inputs, tuple(failures))
        if self.autonamed:
            inputs, failures = request.autonaming.fill(request.name, request.old_inputs, inputs)
        inputs = with_defaults(self.fields, inputs)
        return Checked(inputs, (*failures, *self.find_mistakes(inputs)))

    def find_mistakes(self, inputs: Values) -> list[Failure]:
        """What the types cannot say: conflicts, ranges, formats. Skip what is `UNKNOWN`."""
        return []

    def diff(self, request: DiffRequest) -> Diff:
        """Compare what is with what is wanted, by the field table."""
        changes = compare(self.fields, request.state, request.old_inputs, request.inputs)
        first = self.always_deletes_first or (self.autonamed and deletes_first(request))
        return Diff(changes, delete_before_replace=first)

    def preview_create(self, context: Context, request: CreateRequest) -> Values:
        """Outputs as far as they are known before the resource exists."""
        unknown = dict.fromkeys(resource_schema(self.token).outputs, UNKNOWN)
        return unknown | without_internal(request.inputs)

    def preview_update(self, context: Context, request: UpdateRequest) -> Values:
        """Outputs as far as they are known before the update."""
        return request.state | without_internal(request.inputs)

    @abstractmethod
    def create(self, context: Context, request: CreateRequest) -> Made:
        """Make the resource.

        Raises
        ------
        ResourceError
            Raised when it could not be made; nothing is left behind.
        PartlyCreatedError
            Raised when it exists but is not as it should be.
        """

    @abstractmethod
    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Look the resource up; None if it does not exist."""

    def update(self, context: Context, request: UpdateRequest) -> Values:
        """Change the resource in place and return its new outputs."""
        raise NotImplementedError(f"{self.token} has no field that is updated in place")

    @abstractmethod
    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Remove the resource; a missing one is no error."""
