"""The six calls of docker.Container."""

from collections.abc import Mapping
from typing import ClassVar

from plugins.docker.build.cancellation import CancelledError
from plugins.docker.check import Failure
from plugins.docker.context import Context
from plugins.docker.diff import Diff
from plugins.docker.engine import EngineError, EngineSilentError
from plugins.docker.errors import PartlyCreatedError, ResourceError
from plugins.docker.fields import Field
from plugins.docker.readback import imported_inputs, inputs_after_read
from plugins.docker.resource import (
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    Made,
    Read,
    ReadRequest,
    Resource,
    UpdateRequest,
)
from plugins.docker.resources.container import state
from plugins.docker.resources.container.creation import create_container
from plugins.docker.resources.container.failures import explain
from plugins.docker.resources.container.fields import DRIFTING, FIELDS
from plugins.docker.resources.container.health import problem_while_waiting
from plugins.docker.resources.container.ports import adopt_chosen
from plugins.docker.resources.container.removal import remove_container
from plugins.docker.resources.container.rules import find_mistakes
from plugins.docker.resources.container.running import wait_for_end
from plugins.docker.resources.container.update import update_container
from plugins.docker.values import Values, has_unknown, without_internal

_MOVING = {name: FIELDS[name] for name in (*sorted(DRIFTING), "mustRun")}


class ContainerResource(Resource):
    """A container of the engine."""

    token: ClassVar[str] = "docker:index/container:Container"
    fields: ClassVar[Mapping[str, Field]] = FIELDS
    autonamed: ClassVar[bool] = True
    always_deletes_first: ClassVar[bool] = True

    def find_mistakes(self, inputs: Values) -> list[Failure]:
        """Ranges, formats and conflicts."""
        return find_mistakes(inputs)

    def diff(self, request: DiffRequest) -> Diff:
        """Compare by the field table, what the engine chose by itself left out."""
        return super().diff(_without_engine_choices(request))

    def preview_update(self, context: Context, request: UpdateRequest) -> Values:
        """Outputs as far as they are known; ports that the engine chose stay the same."""
        outputs = super().preview_update(context, request)
        if has_unknown(outputs.get("ports")):
            return outputs
        chosen = adopt_chosen(outputs.get("ports") or [], request.state.get("ports") or [])
        return outputs | {"ports": chosen}

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Create, start, and wait as the program asks.

        Until it has started, a failure leaves no container behind; afterwards it stays, with the
        reason, and Pulumi decides.
        """
        inputs = request.inputs
        container_id = create_container(context, inputs)
        more: Values = {}
        try:
            if inputs.get("start", True):
                _wait_for_health(context, container_id, inputs)
            if inputs.get("attach"):
                more = wait_for_end(context, container_id, inputs)
        except Exception as error:
            # Whatever it is: a container that Pulumi does not know of would be in the way for ever.
            outputs = _outputs_if_possible(context, container_id, inputs)
            reason = _reason(error, inputs["name"])
            raise PartlyCreatedError(reason, container_id, outputs) from error
        return Made(container_id, _outputs(context, container_id, inputs) | more)

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Look the container up by its full id."""
        found = context.engine.inspect_container(request.id)
        if found is None or found["Id"] != request.id:
            return None
        if request.is_import:
            outputs = state.imported(found)
            return Read(request.id, outputs, imported_inputs(self.fields, outputs))
        outputs = state.outputs_of(request.state, found)
        return Read(request.id, outputs, inputs_after_read(_MOVING, request.inputs, outputs))

    def update(self, context: Context, request: UpdateRequest) -> Values:
        """Change limits, the restart policy or whether it runs.

        An update that changes nothing is the retry after a failed creation: then the health is
        looked at again, instead of calling a sick container good.
        """
        changes = self.diff(
            DiffRequest(
                id=request.id,
                state=request.state,
                old_inputs=request.old_inputs,
                inputs=request.inputs,
            )
        ).changes
        try:
            update_container(context, request, set(changes))
        except EngineError as error:
            raise explain(error, "updated", request.inputs, context.engine) from error
        if not changes and request.inputs.get("start", True):
            _recheck_health(context, request)
        known = _engine_made(request.state) | request.inputs
        return _outputs(context, request.id, known)

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Stop and remove the container."""
        remove_container(context, request.id, request.state)


def _without_engine_choices(request: DiffRequest) -> DiffRequest:
    inputs, known = dict(request.inputs), dict(request.state)
    if inputs.get("ports") and not has_unknown(inputs["ports"]):
        inputs["ports"] = adopt_chosen(inputs["ports"], known.get("ports") or [])
    # The engine's own choice is twice the memory; a program that is silent accepts it.
    doubled = 2 * known["memory"] if isinstance(known.get("memory"), int) else 0
    if inputs.get("memorySwap") in (None, 0) and known.get("memorySwap") == doubled:
        known["memorySwap"] = None
    return DiffRequest(id=request.id, state=known, old_inputs=request.old_inputs, inputs=inputs)


def _wait_for_health(context: Context, container_id: str, inputs: Values) -> None:
    if not inputs.get("wait"):
        return
    timeout_seconds = inputs.get("waitTimeout") or 60
    problem = problem_while_waiting(context, container_id, inputs["name"], timeout_seconds)
    if problem:
        raise ResourceError(problem)


def _recheck_health(context: Context, request: UpdateRequest) -> None:
    try:
        _wait_for_health(context, request.id, request.inputs)
    except (ResourceError, CancelledError) as error:
        known = _engine_made(request.state) | request.inputs
        outputs = _outputs_if_possible(context, request.id, known)
        reason = _reason(error, request.inputs["name"])
        raise PartlyCreatedError(reason, request.id, outputs) from error


def _reason(error: Exception, name: str) -> str:
    if isinstance(error, CancelledError):
        return f"container '{name}': the wait for it was cancelled. It is left as it is."
    if isinstance(error, (ResourceError, EngineError, EngineSilentError)):
        return str(error)
    return f"container '{name}': internal error {type(error).__name__}: {error}. Please report it."


def _outputs(context: Context, container_id: str, known: Values) -> Values:
    found = context.engine.inspect_container(container_id)
    if found is None:
        return without_internal(known)
    return state.outputs_of(known, found)


def _outputs_if_possible(context: Context, container_id: str, known: Values) -> Values:
    try:
        return _outputs(context, container_id, known)
    except (EngineError, EngineSilentError):
        return without_internal(known)


def _engine_made(known: Values) -> Values:
    """Outputs that no later look at the container can bring back."""
    return {name: known[name] for name in ("containerLogs",) if name in known}
