"""The Compose project equal to a running stack, read off its containers."""

from typing import Any

from docker.models.containers import Container

from infra.naming import ROLE_LABEL


def describe_project(name: str, containers: list[Container]) -> dict[str, Any]:
    """A Compose model with the same images, limits, mounts, health checks and order of starts.

    Secret volumes are shared with the stack; data volumes are the project's own, so that both
    start from an empty database.
    """
    services = {c.labels[ROLE_LABEL]: _describe_service(c) for c in containers}
    services["app"]["scale"] = sum(c.labels[ROLE_LABEL] == "app" for c in containers)
    services["app"]["depends_on"] = _healthy("postgres", "redis")
    if "migrations" in services:
        # Without one that waits for its end, `up --wait` calls a container that ended failed.
        services["migrations"]["depends_on"] = _healthy("postgres")
        services["app"]["depends_on"]["migrations"] = {
            "condition": "service_completed_successfully"
        }
    for role in {"nginx", "backups"} & set(services):
        services[role]["depends_on"] = _healthy("app")
    mounts = [mount for c in containers for mount in _volume_mounts(c)]
    volumes = {
        mount["Source"]: {"external": True, "name": mount["Source"]}
        if mount.get("ReadOnly")
        else {}
        for mount in mounts
    }
    return {
        "name": name,
        "services": services,
        "volumes": volumes,
        "networks": _describe_networks(containers),
    }


def _healthy(*services: str) -> dict[str, Any]:
    return {service: {"condition": "service_healthy"} for service in services}


def _describe_networks(containers: list[Container]) -> dict[str, Any]:
    """Networks like the stack's, the project's own."""
    client = containers[0].client
    assert client is not None
    names = {name for c in containers for name in c.attrs["NetworkSettings"]["Networks"]}
    return {name: {"internal": client.networks.get(name).attrs["Internal"]} for name in names}


def _describe_service(container: Container) -> dict[str, Any]:
    config, host = container.attrs["Config"], container.attrs["HostConfig"]
    return {
        "image": container.attrs["Image"],
        **_describe_command(container),
        # Its data volume is its own, and empty.
        "environment": [line for line in config["Env"] if line != "EMPTY_VOLUME=refuse"],
        "user": config["User"],
        "read_only": host["ReadonlyRootfs"],
        "cap_drop": host["CapDrop"],
        "security_opt": host["SecurityOpt"],
        "init": host["Init"],
        "mem_limit": host["Memory"],
        "memswap_limit": host["MemorySwap"],
        "cpus": host["NanoCpus"] / 1e9,
        "shm_size": host["ShmSize"],
        "tmpfs": [f"{path}:{options}" for path, options in (host["Tmpfs"] or {}).items()],
        "restart": host["RestartPolicy"]["Name"],
        "stop_signal": config.get("StopSignal"),
        "stop_grace_period": f"{config.get('StopTimeout') or 10}s",
        "logging": {"driver": host["LogConfig"]["Type"], "options": host["LogConfig"]["Config"]},
        "healthcheck": _describe_healthcheck(config["Healthcheck"]),
        "ports": _describe_ports(host["PortBindings"] or {}),
        "volumes": [_describe_mount(mount) for mount in host["Mounts"] or []],
        "networks": list(container.attrs["NetworkSettings"]["Networks"]),
    }


def _describe_command(container: Container) -> dict[str, Any]:
    """The command, unless it is the image's own: another image may have another."""
    command, image = container.attrs["Config"]["Cmd"], container.image
    assert image is not None
    return {} if command == image.attrs["Config"]["Cmd"] else {"command": command}


def _describe_healthcheck(check: dict[str, Any]) -> dict[str, Any]:
    return {
        "test": check["Test"],
        "interval": f"{check['Interval']}ns",
        "timeout": f"{check['Timeout']}ns",
        "start_period": f"{check['StartPeriod']}ns",
        "retries": check["Retries"],
    }


def _describe_ports(bindings: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """The same container ports on free host ports: the stack itself holds its own."""
    return [
        {"target": int(port.split("/")[0]), "host_ip": given[0]["HostIp"], "protocol": "tcp"}
        for port, given in bindings.items()
    ]


def _describe_mount(mount: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": mount["Type"],
        "source": mount["Source"],
        "target": mount["Target"],
        "read_only": bool(mount.get("ReadOnly")),
    }


def _volume_mounts(container: Container) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = container.attrs["HostConfig"]["Mounts"] or []
    return [mount for mount in mounts if mount["Type"] == "volume"]
