"""Mounts and volumes of a container in the engine's terms, and back."""

from plugins.docker.engine import Json
from plugins.docker.labels import labels_from_map, labels_to_map
from plugins.docker.values import Values


def mounts(inputs: Values) -> list[Json]:
    """The `mounts` property."""
    return [_mount(mount) for mount in inputs.get("mounts") or ()]


def mounts_from_engine(found: list[Json] | None) -> list[Values]:
    """Mounts as an import shows them."""
    return [_mount_from_engine(mount) for mount in found or ()]


def volume_paths(inputs: Values) -> list[str]:
    """Paths in the container that the `volumes` property names."""
    volumes = inputs.get("volumes") or ()
    return [volume["containerPath"] for volume in volumes if volume.get("containerPath")]


def binds(inputs: Values) -> list[str]:
    """Entries of the `volumes` property that name a host path or a volume."""
    return [
        _bind(volume)
        for volume in inputs.get("volumes") or ()
        if volume.get("containerPath") and (volume.get("hostPath") or volume.get("volumeName"))
    ]


def _bind(volume: Values) -> str:
    options = ["ro" if volume.get("readOnly") else "rw"]
    if volume.get("selinuxRelabel"):
        options.append(volume["selinuxRelabel"])
    source = volume.get("hostPath") or volume["volumeName"]
    return f"{source}:{volume['containerPath']}:{','.join(options)}"


def _mount(mount: Values) -> Json:
    body: Json = {
        "Type": mount["type"],
        "Target": mount["target"],
        "Source": mount.get("source") or "",
        "ReadOnly": bool(mount.get("readOnly")),
    }
    if mount["type"] == "bind" and mount.get("bindOptions"):
        body["BindOptions"] = {"Propagation": mount["bindOptions"].get("propagation") or ""}
    if mount["type"] == "volume" and mount.get("volumeOptions"):
        body["VolumeOptions"] = _volume_options(mount["volumeOptions"])
    if mount["type"] == "tmpfs" and mount.get("tmpfsOptions"):
        options = mount["tmpfsOptions"]
        body["TmpfsOptions"] = {
            "SizeBytes": options.get("sizeBytes") or 0,
            "Mode": options.get("mode") or 0,
        }
    return body


def _volume_options(options: Values) -> Json:
    body: Json = {
        "NoCopy": bool(options.get("noCopy")),
        "Labels": labels_to_map(options.get("labels")),
    }
    if options.get("driverName") or options.get("driverOptions"):
        body["DriverConfig"] = {
            "Name": options.get("driverName") or "",
            "Options": options.get("driverOptions") or {},
        }
    if options.get("subpath"):
        body["Subpath"] = options["subpath"]
    return body


def _mount_from_engine(mount: Json) -> Values:
    result: Values = {
        "type": mount["Type"],
        "target": mount["Target"],
        "source": mount.get("Source", ""),
        "readOnly": mount.get("ReadOnly", False),
    }
    if mount.get("BindOptions"):
        result["bindOptions"] = {"propagation": mount["BindOptions"].get("Propagation", "")}
    if mount.get("VolumeOptions"):
        result["volumeOptions"] = _options_from_engine(mount["VolumeOptions"])
    if mount.get("TmpfsOptions"):
        options = mount["TmpfsOptions"]
        result["tmpfsOptions"] = {
            "sizeBytes": options.get("SizeBytes", 0),
            "mode": options.get("Mode", 0),
        }
    return result


def _options_from_engine(options: Json) -> Values:
    driver = options.get("DriverConfig") or {}
    return {
        "noCopy": options.get("NoCopy", False),
        "labels": labels_from_map(options.get("Labels")),
        "driverName": driver.get("Name", ""),
        "driverOptions": driver.get("Options") or {},
        "subpath": options.get("Subpath", ""),
    }
