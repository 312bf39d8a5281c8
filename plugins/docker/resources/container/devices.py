"""Devices of a container in the engine's terms."""

from plugins.docker.engine import Json
from plugins.docker.resources.container.normal_forms import normal_gpus
from plugins.docker.values import Values

_ALL = -1
_THROTTLES = {
    "deviceReadBps": "BlkioDeviceReadBps",
    "deviceReadIops": "BlkioDeviceReadIOps",
    "deviceWriteBps": "BlkioDeviceWriteBps",
    "deviceWriteIops": "BlkioDeviceWriteIOps",
}


def devices(inputs: Values) -> list[Json]:
    """Device nodes of the host; inside under the same path if nothing else is said."""
    return [
        {
            "PathOnHost": device["hostPath"],
            "PathInContainer": device.get("containerPath") or device["hostPath"],
            "CgroupPermissions": device.get("permissions") or "rwm",
        }
        for device in inputs.get("devices") or ()
    ]


def throttled_devices(inputs: Values) -> Json:
    """Limits on block devices."""
    return {
        theirs: [{"Path": entry["path"], "Rate": entry["rate"]} for entry in inputs[ours]]
        for ours, theirs in _THROTTLES.items()
        if inputs.get(ours)
    }


def device_requests(inputs: Values) -> list[Json]:
    """GPUs and the like, from `deviceRequests` or in short from `gpus`."""
    if inputs.get("gpus"):
        return [_gpus(normal_gpus(inputs["gpus"]))]
    return [_request(request) for request in inputs.get("deviceRequests") or ()]


def _request(request: Values) -> Json:
    body: Json = {"Driver": request.get("driver") or "cdi", "Count": request.get("count") or 0}
    if request.get("deviceIds"):
        body["DeviceIDs"] = request["deviceIds"]
    if request.get("capabilities"):
        body["Capabilities"] = [request["capabilities"]]
    if request.get("options"):
        body["Options"] = request["options"]
    return body


def _gpus(setting: str) -> Json:
    """`all`, a number, or `device=<id[,id...]>`."""
    request: Json = {"Capabilities": [["gpu"]]}
    if setting.startswith("device="):
        return request | {"DeviceIDs": setting.removeprefix("device=").split(",")}
    return request | {"Count": _ALL if setting == "all" else int(setting)}
