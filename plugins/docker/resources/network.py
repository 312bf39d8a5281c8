"""docker.Network."""

from collections.abc import Mapping
from typing import ClassVar

from plugins.docker.context import Context
from plugins.docker.engine import EngineError, Json
from plugins.docker.errors import ResourceError
from plugins.docker.fields import Field, replaces, unordered_objects
from plugins.docker.labels import labels_from_map, labels_to_map, normal_labels
from plugins.docker.readback import imported_inputs, inputs_after_read
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
_FORBIDDEN, _MISSING, _CONFLICT = 403, 404, 409
_IPAM_KEYS = {
    "subnet": "Subnet",
    "ipRange": "IPRange",
    "gateway": "Gateway",
    "auxAddress": "AuxiliaryAddresses",
}


class NetworkResource(Resource):
    """A network of the engine; every change replaces it."""

    token: ClassVar[str] = "docker:index/network:Network"
    autonamed: ClassVar[bool] = True
    fields: ClassVar[Mapping[str, Field]] = {
        "name": replaces(),
        "labels": replaces(normalise=normal_labels),
        "driver": replaces(sticky=True),
        "options": replaces(sticky=True),
        "internal": replaces(sticky=True),
        "attachable": replaces(),
        "ingress": replaces(),
        "ipv6": replaces(),
        "ipamDriver": replaces(default="default"),
        "ipamOptions": replaces(),
        "ipamConfigs": replaces(sticky=True, normalise=unordered_objects),
    }

    def create(self, context: Context, request: CreateRequest) -> Made:
        """Create the network."""
        inputs = request.inputs
        try:
            network_id = context.engine.create_network(_config(inputs))
        except EngineError as error:
            raise _refused(inputs["name"], error) from error
        found = context.engine.inspect_network(network_id) or {}
        return Made(network_id, _seen(found) | without_internal(inputs))

    def read(self, context: Context, request: ReadRequest) -> Read | None:
        """Look the network up by its id."""
        found = context.engine.inspect_network(request.id)
        if found is None or found["Id"] != request.id:
            return None
        # A network cannot change, so what the program said stays as it was said.
        outputs = _seen(found) | without_internal(request.state)
        if request.is_import:
            return Read(request.id, outputs, imported_inputs(self.fields, outputs))
        return Read(request.id, outputs, inputs_after_read(self.fields, request.inputs, outputs))

    def delete(self, context: Context, request: DeleteRequest) -> None:
        """Remove the network, once the containers in it have gone."""
        removed = wait_for(
            lambda: _try_removal(context, request.id), context.cancellation, _REMOVAL_SECONDS
        )
        if not removed:
            found = context.engine.inspect_network(request.id) or {}
            raise ResourceError(
                f"network '{found.get('Name', request.id)}': should have no container any more "
                f"(got {_members(found)}). Remove or disconnect them, then try again."
            )


def _try_removal(context: Context, network_id: str) -> bool | None:
    """True once the network is gone, None while containers hold it."""
    try:
        context.engine.remove_network(network_id)
    except EngineError as error:
        if error.status == _MISSING:
            return True
        if "active endpoints" in error.explanation:
            return None
        raise ResourceError(f"network {network_id}: cannot be removed ({error})") from error
    return True


def _members(found: Json) -> str:
    names = sorted(member["Name"] for member in (found.get("Containers") or {}).values())
    return ", ".join(names) or "some on another engine"


def _refused(name: str, error: EngineError) -> ResourceError:
    if error.status == _CONFLICT or "already exists" in error.explanation:
        return ResourceError(
            f"network '{name}': name should be free (taken by another network). "
            "Choose another name, or remove or import that network."
        )
    if "overlap" in error.explanation:
        return ResourceError(
            f"network '{name}': its addresses should be free (got: {error.explanation}). "
            "Set another ipamConfigs subnet, or remove the network that has them."
        )
    return ResourceError(f"network '{name}': cannot be created (got: {error.explanation})")


def _config(inputs: Values) -> Json:
    ipam: Json = {"Driver": inputs["ipamDriver"]}
    if inputs.get("ipamOptions"):
        ipam["Options"] = inputs["ipamOptions"]
    if inputs.get("ipamConfigs"):
        ipam["Config"] = [_ipam_to_engine(config) for config in inputs["ipamConfigs"]]
    config = {
        "Name": inputs["name"],
        "CheckDuplicate": True,
        "Labels": labels_to_map(inputs.get("labels")),
        "Driver": inputs.get("driver") or None,
        "Options": inputs.get("options"),
        "Internal": inputs.get("internal"),
        "Attachable": inputs.get("attachable"),
        "Ingress": inputs.get("ingress"),
        "EnableIPv6": inputs.get("ipv6"),
        "IPAM": ipam,
    }
    return {key: value for key, value in config.items() if value is not None}


def _ipam_to_engine(config: Values) -> Json:
    return {theirs: config[ours] for ours, theirs in _IPAM_KEYS.items() if config.get(ours)}


def _ipam_from_engine(config: Json) -> Values:
    return {ours: config[theirs] for ours, theirs in _IPAM_KEYS.items() if config.get(theirs)}


def _seen(found: Json) -> Values:
    """The engine's report in Pulumi's terms."""
    ipam = found.get("IPAM") or {}
    return {
        "name": found.get("Name", ""),
        "labels": labels_from_map(found.get("Labels")),
        "driver": found.get("Driver", ""),
        "options": found.get("Options") or {},
        "internal": found.get("Internal", False),
        "attachable": found.get("Attachable", False),
        "ingress": found.get("Ingress", False),
        "ipv6": found.get("EnableIPv6", False),
        "ipamDriver": ipam.get("Driver") or "default",
        "ipamOptions": ipam.get("Options") or {},
        "ipamConfigs": [_ipam_from_engine(config) for config in ipam.get("Config") or ()],
        "scope": found.get("Scope", ""),
    }
