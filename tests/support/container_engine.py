"""A fake Docker engine that knows containers, networks and volumes, and remembers every call.

It answers in the shapes of engine API 1.41, so that what the provider reads back is what a real
engine would say; what it cannot know, how healthy a container is for example, a test tells it.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.docker.engine import EngineError, Json

IMAGE = "shop:1"
MEGABYTE = 1024 * 1024


@dataclass
class ContainerEngine:
    """State of the fake engine; tests set what it holds and what goes wrong.

    Attributes
    ----------
    calls
        Every call that changes something, such as `start web-1234567`.
    failures
        Error by the first word of a call; raised instead of carrying it out.
    on_look
        Called with a container before each look at it, to let time pass in it.
    """

    api_version: tuple[int, int] = (1, 41)
    containers: dict[str, Json] = field(default_factory=dict)
    networks: dict[str, Json] = field(default_factory=dict)
    volumes: dict[str, Json] = field(default_factory=dict)
    images: dict[str, Json] = field(
        default_factory=lambda: {IMAGE: {"Id": "sha256:1", "Config": {}}}
    )
    logs: str = ""
    calls: list[str] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    uploads: list[bytes] = field(default_factory=list)
    failures: dict[str, EngineError] = field(default_factory=dict)
    on_look: Callable[[Json], None] = lambda container: None
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def create_container(self, name: str, platform: str, config: Json) -> str:
        self._called("create", name, config)
        container_id = self._new_id()
        host = {"NetworkMode": "default", "RestartPolicy": {"Name": "no"}, **config["HostConfig"]}
        networks = config.get("NetworkingConfig", {}).get("EndpointsConfig") or {"bridge": {}}
        self.containers[container_id] = {
            "Id": container_id,
            "Name": f"/{name}",
            "Platform": platform or "linux",
            "Image": "sha256:1",
            "RestartCount": 0,
            "Config": {"Hostname": container_id[:12], **config},
            "HostConfig": {"ShmSize": 64 * MEGABYTE, "Runtime": "runc", **host},
            "State": {"Status": "created", "Running": False, "ExitCode": 0},
            "NetworkSettings": {"Bridge": "", "Networks": dict(networks), "Ports": {}},
        }
        return container_id

    def inspect_container(self, container_id: str) -> Json | None:
        found = self.containers.get(container_id)
        if found:
            self.on_look(found)
        return found

    def list_containers(self, filters: Mapping[str, Any]) -> list[Json]:
        return [
            {"Names": [container["Name"]], "State": container["State"]["Status"]}
            for container in self.containers.values()
            if _fits(container, filters)
        ]

    def start_container(self, container_id: str) -> None:
        container = self.containers[container_id]
        self._called("start", container["Name"][1:])
        container["State"] = {"Status": "running", "Running": True, "ExitCode": 0}
        if container["Config"].get("Healthcheck"):
            container["State"]["Health"] = {"Status": "healthy", "Log": []}
        bindings = container["HostConfig"].get("PortBindings") or {}
        container["NetworkSettings"]["Ports"] = {
            key: [{**entry, "HostPort": entry["HostPort"] or "49153"} for entry in entries]
            for key, entries in bindings.items()
        }

    def update_container(self, container_id: str, changes: Json) -> None:
        container = self.containers[container_id]
        self._called("update", container["Name"][1:], changes)
        container["HostConfig"].update(changes)

    def stop_container(self, container_id: str, grace_seconds: int) -> None:
        container = self.containers[container_id]
        self._called("stop", f"{container['Name'][1:]} {grace_seconds}")
        container["State"] = {"Status": "exited", "Running": False, "ExitCode": 137}

    def remove_container(self, container_id: str, *, with_volumes: bool) -> None:
        container = self._held(self.containers, container_id)
        kept = "with" if with_volumes else "without"
        self._called("remove", f"{container['Name'][1:]} {kept} volumes")
        del self.containers[container_id]

    def read_logs(self, container_id: str, lines: int | None) -> str:
        return "\n".join(self.logs.splitlines()[-(lines or 0) :])

    def upload(self, container_id: str, archive: bytes) -> None:
        self._called("upload", self.containers[container_id]["Name"][1:])
        self.uploads.append(archive)

    def connect_network(self, network_id: str, container_id: str, endpoint: Json) -> None:
        name = self.networks[network_id]["Name"]
        container = self.containers[container_id]
        self._called("connect", f"{container['Name'][1:]} {name}", endpoint)
        container["NetworkSettings"]["Networks"][name] = endpoint

    def create_network(self, config: Json) -> str:
        self._called("create-network", config["Name"], config)
        network_id = self._new_id()
        self.networks[network_id] = {
            **config,
            "Id": network_id,
            "Driver": config.get("Driver", "bridge"),
            "Scope": "local",
            "IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}], **config.get("IPAM", {})},
            "Containers": {},
        }
        return network_id

    def inspect_network(self, network_id: str) -> Json | None:
        named = {network["Name"]: network for network in self.networks.values()}
        return self.networks.get(network_id) or named.get(network_id)

    def remove_network(self, network_id: str) -> None:
        network = self._held(self.networks, network_id)
        self._called("remove-network", network["Name"])
        del self.networks[network_id]

    def create_volume(self, config: Json) -> Json:
        self._called("create-volume", config["Name"], config)
        volume = {
            "Name": config["Name"],
            "Driver": config.get("Driver", "local"),
            "Options": config.get("DriverOpts"),
            "Labels": config.get("Labels"),
            "Mountpoint": f"/var/lib/docker/volumes/{config['Name']}/_data",
        }
        return self.volumes.setdefault(config["Name"], volume)

    def inspect_volume(self, name: str) -> Json | None:
        return self.volumes.get(name)

    def remove_volume(self, name: str) -> None:
        self._held(self.volumes, name)
        self._called("remove-volume", name)
        del self.volumes[name]

    def inspect_image(self, name: str) -> Json | None:
        return self.images.get(name)

    def _called(self, verb: str, rest: str, body: Json | None = None) -> None:
        self.calls.append(f"{verb} {rest}")
        if body is not None:
            self.bodies.append(body)
        if verb in self.failures:
            raise self.failures[verb]

    def _new_id(self) -> str:
        return f"{next(self._ids):064x}"

    @staticmethod
    def _held(things: dict[str, Json], key: str) -> Json:
        if key not in things:
            raise EngineError(404, f"No such object: {key}")
        return things[key]


def _fits(container: Json, filters: Mapping[str, Any]) -> bool:
    if "publish" in filters:
        published = container["NetworkSettings"]["Ports"].values()
        return any(
            entry["HostPort"] == filters["publish"] for ports in published for entry in ports
        )
    mounts = container["HostConfig"].get("Mounts") or ()
    return any(mount.get("Source") == filters.get("volume") for mount in mounts)
