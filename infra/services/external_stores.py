"""A PostgreSQL and a Redis of others, in place of the stack's own: same attributes, no server.

Types and names are those of the stack's own stores, so that data of theirs which is to be kept
stays the same resource while a server of others is used.
"""

from collections.abc import Mapping, Sequence

import pulumi

from infra.resources.container import run_container
from infra.resources.container_args import ContainerArgs
from infra.resources.secret import Secret
from infra.resources.secret_files import SECRETS_PATH
from infra.resources.volume import create_data_volume, has_data_volume
from infra.services.postgres import (
    GID,
    UID,
    DatabaseAddress,
    PostgresArgs,
    create_data,
    postgres_urls,
)
from infra.services.redis import RedisArgs
from infra.settings.external import POSTGRES_CA, REDIS_CA, ROLES_JOB, PostgresServer

_MEMORY_MB, _CPUS, _STOP_SECONDS = 128, 0.5, 10


class ExternalPostgres(pulumi.ComponentResource):
    """The portal's database and roles on a server of others, made by a container that ends.

    It runs again when the URL, a password or its image changes.
    """

    app_url: Secret
    """URL for the application's role, which may not change the schema."""
    migration_url: Secret
    """URL for the role that owns the schema."""
    address: DatabaseAddress
    outputs: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]

    def __init__(
        self, name: str, server: PostgresServer, args: PostgresArgs, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("devportal:infra:Postgres", name, None, opts)
        self.outputs = {}
        self.address = _address(server, args.settings.external_ca)
        self.app_url, self.migration_url = postgres_urls(args, self.address)
        if has_data_volume("postgres", args.defaults):
            create_data(args, self, is_used=False)
        job = run_container(self._describe(server, args), args.defaults, self)
        self.ready = [job.ready]
        self.register_outputs({})

    def _describe(self, server: PostgresServer, args: PostgresArgs) -> ContainerArgs:
        password = pulumi.Output.secret(server.password)
        return ContainerArgs(
            role=ROLES_JOB,
            image=args.image,
            uid=UID,
            gid=GID,
            networks=[args.network],
            command=["prepare-database"],
            environment={
                "STACK": args.defaults.naming.stack,
                **self.address.variables(server.user),
                "PGCONNECT_TIMEOUT": "30",
            },
            secret_files={
                "pgpass": self.address.password_file("*", server.user, password),
                **args.role_passwords,
                **self.address.files,
            },
            # The base image would have the engine make a volume for data that is not here.
            tmpfs_mb={"/tmp": 16, "/var/lib/postgresql/data": 1},
            memory_mb=_MEMORY_MB,
            cpus=_CPUS,
            stop_seconds=_STOP_SECONDS,
            is_job=True,
        )


class ExternalRedis(pulumi.ComponentResource):
    """The portal's user on a Redis of others: nothing is made there."""

    app_url: Secret
    """URL for the application's user."""
    files: Mapping[str, Secret]
    outputs: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource] = ()

    def __init__(self, name: str, args: RedisArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Redis", name, None, opts)
        own = args.settings
        assert own.external_url is not None
        self.outputs = {}
        self.files = _files(REDIS_CA, own.external_ca)
        url = own.external_url.get_secret_value()
        query = f"?ssl_ca_certs={SECRETS_PATH}/{REDIS_CA}" if self.files else ""
        self.app_url = pulumi.Output.secret(url + query)
        if has_data_volume("redis", args.defaults):
            create_data_volume("redis", args.defaults, self)
        self.register_outputs({})


def _address(server: PostgresServer, authorities: str | None) -> DatabaseAddress:
    files = _files(POSTGRES_CA, authorities)
    tls = {"sslmode": server.tls_mode}
    if files:
        tls["sslrootcert"] = f"{SECRETS_PATH}/{POSTGRES_CA}"
    return DatabaseAddress(host=server.host, port=server.port, tls=tls, files=files)


def _files(name: str, authorities: str | None) -> Mapping[str, Secret]:
    return {name: pulumi.Output.secret(authorities)} if authorities else {}
