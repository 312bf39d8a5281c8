"""docker.Volume."""

from collections.abc import Mapping
from typing import ClassVar

from plugins.docker.context import Context
from plugins.docker.diff import normalised
from plugins.docker.engine import EngineError, Json
from plugins.docker.errors import ResourceError
from plugins.docker.fields import Field, replaces, unsupported
from plugins.docker.labels import labels_from_map, labels_to_map, normal_labels
from plugins.docker.readback import imported_inputs, inputs_after_read, merged
from plugins.docker.resource import (
    CreateRequest,
    DeleteRequest,
    Made,
    Read,
    ReadRequest,
    Resource,
)
from plugins.docker.values import Values, without_internal
from plugins.docker.waiting import wait_for

# As the official provider: containers of the same run may still be going away.
_REMOVAL_SECONDS = 30.0
_MISSING, _CONFLICT = 404, 409


class VolumeResource(Resource):
    """A volume of the engine; every change replaces it by an empty one."""

    token: ClassVar[str] = "docker:index/volume:Volume"
    autonamed: ClassVar[bool] = True
    fields: ClassVar[Mapping[str, Field]] = {
        "name": replaces(),
        "driver": replaces(sticky=True),
        "driverOpts": replaces(),
        "labels": replaces(normalise=normal_labels),
        "cluster": unsupported("Swarm's cluster volumes need the official docker provider."),
    }

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Create the volume, or take over the one that has its name and is the same."""
        inputs = request.inputs
        name = inputs["name"]
        existing = context.engine.inspect_volume(name)
        if existing is not None:
            self._refuse_other(inputs, _seen(existing))
        try:
            created = context.engine.create_volume(_config(inputs))
        except EngineError as error:
            raise ResourceError(
                f"volume '{name}': cannot be created (got: {error.explanation})"
            ) from error
        return Made(created["Name"], _seen(created) | without_internal(inputs))

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Look the volume up by its name, which is its id."""
        found = context.engine.inspect_volume(request.id)
        if found is None:
            return None
        outputs = merged(self.fields, without_internal(request.state), _seen(found))
        if request.is_import:
            return Read(request.id, outputs, imported_inputs(self.fields, outputs))
        return Read(request.id, outputs, inputs_after_read(self.fields, request.inputs, outputs))

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Remove the volume with its data, once no container uses it."""
        removed = wait_for(
            lambda: _try_removal(context, request.id), context.cancellation, _REMOVAL_SECONDS
        )
        if not removed:
            users = context.engine.list_containers({"volume": request.id})
            names = ", ".join(sorted(user["Names"][0].lstrip("/") for user in users))
            raise ResourceError(
                f"volume '{request.id}': should be used by no container any more "
                f"(got {names or 'an unknown one'}). Remove them, then try again."
            )

    def _refuse_other(self, inputs: Values, seen: Values) -> None:
        """A volume with other labels would be replaced by an empty one at the next update."""
        different = [
            name
            for name in ("driver", "driverOpts", "labels")
            if name in inputs
            and normalised(self.fields[name], inputs[name])
            != normalised(self.fields[name], seen[name])
        ]
        if different:
            raise ResourceError(
                f"volume '{inputs['name']}': exists already with other {' and '.join(different)}; "
                "taking it over would delete its data at the next change. Import it, "
                "choose another name, or remove it."
            )


def _try_removal(context: Context, name: str) -> bool | None:
    """True once the volume is gone, None while containers use it."""
    try:
        context.engine.remove_volume(name)
    except EngineError as error:
        if error.status == _MISSING:
            return True
        if error.status == _CONFLICT and "in use" in error.explanation:
            return None
        raise ResourceError(
            f"volume '{name}': cannot be removed (got: {error.explanation})"
        ) from error
    return True


def _config(inputs: Values) -> Json:
    config = {
        "Name": inputs["name"],
        "Driver": inputs.get("driver"),
        "DriverOpts": inputs.get("driverOpts"),
        "Labels": labels_to_map(inputs.get("labels")),
    }
    return {key: value for key, value in config.items() if value}


def _seen(found: Json) -> Values:
    """The engine's report in Pulumi's terms."""
    return {
        "name": found["Name"],
        "driver": found.get("Driver", ""),
        "driverOpts": found.get("Options") or {},
        "labels": labels_from_map(found.get("Labels")),
        "mountpoint": found.get("Mountpoint", ""),
    }
