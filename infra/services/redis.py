"""Redis: sessions, rate limits, and what has changed of what replicas cache."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.resources.container import run_container
from infra.resources.container_args import ContainerArgs, ContainerDefaults, PublishedPort
from infra.resources.image import ImageRecipe
from infra.resources.secret import Secret, secret_url
from infra.resources.volume import create_data_volume, mount_volume
from infra.settings import RedisSettings

REDIS_IMAGE = ImageRecipe(role="redis", base="redis", context="docker/redis")
REDIS_PORT = 6379
_APP_USER = "devportal"
_DEVTOOLS_USER = "devtools"
_UID, _GID = 999, 1000
_CONFIGURATION = "/etc/redis/redis.conf"


@dataclass(frozen=True, kw_only=True)
class RedisArgs:
    """Inputs of the server.

    Parameters
    ----------
    devtools_password
        None leaves the user of Redis Commander out.
    ports
        Where the host publishes `REDIS_PORT`, if it does.
    """

    image: pulumi.Input[str]
    network: pulumi.Input[str]
    settings: RedisSettings
    defaults: ContainerDefaults
    app_password: Secret
    devtools_password: Secret | None = None
    ports: Sequence[PublishedPort] = ()


class Redis(pulumi.ComponentResource):
    """One Redis server and its data volume."""

    app_url: Secret
    """URL for the application's user, which has no administrative command."""
    files: Mapping[str, Secret]
    """Texts below `/run/secrets`, by name, that the URL names."""
    outputs: Mapping[str, pulumi.Output[str]]
    """What the stack exports of it."""
    ready: Sequence[pulumi.Resource]
    """What has to be there before something uses it."""

    def __init__(self, name: str, args: RedisArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Redis", name, None, opts)
        self.app_url = redis_url(args)
        server = run_container(describe_redis(args, self), args.defaults, self)
        self.ready, self.files = [server.ready], {}
        self.outputs = {"redis_address": server.published(REDIS_PORT)} if args.ports else {}
        self.register_outputs({})


def redis_url(args: RedisArgs) -> Secret:
    """For the application's user."""
    return secret_url("redis", _APP_USER, args.app_password, f"redis:{REDIS_PORT}/0")


def describe_redis(args: RedisArgs, parent: pulumi.Resource) -> ContainerArgs:
    """The server, with its data volume as a child of `parent`."""
    own = args.settings
    data = create_data_volume("redis", args.defaults, parent)
    return ContainerArgs(
        role="redis",
        image=args.image,
        uid=_UID,
        gid=_GID,
        networks=[args.network],
        command=["redis-server", _CONFIGURATION, "--maxmemory", f"{own.max_memory_mb}mb"],
        secret_files={"users.acl": _access_list(args)},
        mounts=[mount_volume(data.name, "/data")],
        ports=args.ports,
        memory_mb=own.memory_mb,
        cpus=own.cpus,
        stop_seconds=own.stop_seconds,
    )


def _access_list(args: RedisArgs) -> pulumi.Output[str]:
    passwords = {_APP_USER: args.app_password}
    if args.devtools_password is not None:
        passwords[_DEVTOOLS_USER] = args.devtools_password
    return pulumi.Output.all(**passwords).apply(render_access_list)


def render_access_list(passwords: dict[str, str]) -> str:
    """Redis' ACL file for the users with a password; `default` is off.

    Passwords stand there as digests: a plain one with a space in it would end at the space, and
    Redis refuses to start on the rest.
    """
    lines = [
        # No one can log in as it, but Redis acts as it while it loads its own file: without these
        # rights it would skip transactions, and what they wrote would be lost in a restart.
        "user default off resetpass ~* &* +@all",
        f"user {_APP_USER} on {_digest(passwords[_APP_USER])} ~* &* +@all -@admin -@dangerous",
        "user health on nopass resetkeys resetchannels -@all +ping",
    ]
    if _DEVTOOLS_USER in passwords:
        lines.append(f"user {_DEVTOOLS_USER} on {_digest(passwords[_DEVTOOLS_USER])} ~* &* +@all")
    return "\n".join(lines) + "\n"


def _digest(password: str) -> str:
    return "#" + hashlib.sha256(password.encode()).hexdigest()
