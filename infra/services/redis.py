"""Redis: cache, sessions and rate limits."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.resources.container import (
    ContainerArgs,
    publish_in_development,
    published_address,
    run_container,
)
from infra.resources.image import ImageRecipe
from infra.naming import Naming
from infra.resources.secret import Secret, secret_url
from infra.settings.loading import Settings
from infra.resources.volume import create_data_volume, mount_volume

REDIS_IMAGE = ImageRecipe(role="redis", base="redis", context="docker/redis")
APP_USER = "devportal"
DEVTOOLS_USER = "devtools"
_PORT = 6379
_UID, _GID = 999, 1000
_CONFIGURATION = "/etc/redis/redis.conf"


@dataclass(frozen=True, kw_only=True)
class RedisArgs:
    """What the server is given: its image, its network and the passwords of its users.

    Parameters
    ----------
    devtools_password
        None leaves the user of Redis Commander out.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    app_password: Secret
    devtools_password: Secret | None


class Redis(pulumi.ComponentResource):
    """One Redis server and its data volume."""

    app_url: Secret
    """URL for the application's user, which has no administrative command."""
    published_address: pulumi.Output[str]
    """`address:port` on the host; empty where nothing is published."""

    def __init__(
        self,
        name: str,
        args: RedisArgs,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("devportal:infra:Redis", name, None, opts)
        self.app_url = secret_url("redis", APP_USER, args.app_password, f"redis:{_PORT}/0")
        server = self._run_server(args, settings)
        self.published_address = published_address(server, settings)
        self.register_outputs({})

    def _run_server(self, args: RedisArgs, settings: Settings) -> docker.Container:
        own = settings.redis
        data = create_data_volume(
            "redis", Naming(settings.stack), retain=settings.retain_data, parent=self
        )
        container = ContainerArgs(
            role="redis",
            image=args.image,
            uid=_UID,
            gid=_GID,
            networks=[args.network],
            command=["redis-server", _CONFIGURATION, "--maxmemory", f"{own.max_memory_mb}mb"],
            secret_files={"users.acl": _access_list(args)},
            mounts=[mount_volume(data.name, "/data")],
            ports=publish_in_development(settings, internal=_PORT, external=settings.ports.redis),
            memory_mb=own.memory_mb,
            cpus=own.cpus,
            stop_seconds=own.stop_seconds,
        )
        return run_container("redis", container, settings, self)


def _access_list(args: RedisArgs) -> pulumi.Output[str]:
    """Redis' ACL file: everyone has a name, and `default` is off."""
    passwords = {"app": args.app_password}
    if args.devtools_password is not None:
        passwords["devtools"] = args.devtools_password
    return pulumi.Output.all(**passwords).apply(_render_access_list)


def _render_access_list(passwords: dict[str, str]) -> str:
    lines = [
        # Nobody can be it, but Redis is when it reads its own file: transactions that `default` had
        # no right to would be left out, and what they wrote be gone after a restart.
        "user default off resetpass ~* &* +@all",
        f"user {APP_USER} on >{passwords['app']} ~* &* +@all -@admin -@dangerous",
        "user health on nopass resetkeys resetchannels -@all +ping",
    ]
    if "devtools" in passwords:
        lines.append(f"user {DEVTOOLS_USER} on >{passwords['devtools']} ~* &* +@all")
    return "\n".join(lines) + "\n"
