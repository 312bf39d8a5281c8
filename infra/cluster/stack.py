"""The whole stack on a swarm: the one place where its services meet."""

from collections.abc import Sequence
from dataclasses import replace

import pulumi

from infra.cluster.elections import outlasting_elections
from infra.cluster.network import OverlayNetworks
from infra.cluster.nginx import EdgeNginx
from infra.cluster.registry import LOGIN_LABEL, log_in, node_logins
from infra.cluster.service import STORE_NODE, Running, Service
from infra.engine.address import EngineAddress
from infra.engine.client import ask_version
from infra.engine.provider import engine_provider
from infra.engine.pushed_image import PushedImage
from infra.resources.certificate import tls_material
from infra.resources.container_args import ContainerArgs, ContainerDefaults
from infra.resources.image import ImageRecipe, Images
from infra.resources.secret import Secrets
from infra.resources.volume import create_data_volume, has_data_volume
from infra.services.app import APP_PORT, PortalArgs, app_image, describe_app, describe_migrations
from infra.services.backups import BACKUPS_IMAGE, BackupsArgs, describe_backups
from infra.services.inputs import Outputs, common_outputs, portal_args
from infra.services.nginx.component import NGINX_IMAGE, NginxArgs
from infra.services.nginx.files import Site
from infra.services.postgres import (
    OWN_ADDRESS,
    POSTGRES_IMAGE,
    PostgresArgs,
    describe_postgres,
    postgres_urls,
)
from infra.services.redis import REDIS_IMAGE, RedisArgs, describe_redis, redis_url
from infra.settings import Settings

_PEER = f"tasks.app:{APP_PORT}"
"""Every healthy task of the portal, as a health check that passes is what puts one under its name;
nginx asks again every 2 s."""


class SwarmStack(pulumi.ComponentResource):
    """PostgreSQL and Redis on the node with their volumes, the portal spread over all nodes.

    A job migrates the schema, then the portal is updated; nginx runs on every edge node.
    """

    outputs: Outputs
    """What the stack exports, as `DevportalStack` does; never a secret."""

    def __init__(self, name: str, settings: Settings, engine: EngineAddress) -> None:
        on_engine = pulumi.ResourceOptions(
            providers=[engine_provider(engine, node_logins(settings.cluster))],
            transformations=[outlasting_elections(engine)],
        )
        super().__init__("devportal:infra:SwarmStack", name, None, on_engine)
        self._settings = settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._defaults = ContainerDefaults.of(settings, engine, ask_version(engine))
        self._login = log_in(settings.cluster, engine, self._child)
        self._labels = {LOGIN_LABEL: self._login.revision} if self._login else {}
        self._networks = OverlayNetworks(
            "network",
            self._defaults.naming,
            egress=settings.app.egress,
            encrypted=settings.cluster.encrypted,
            opts=self._child,
        )
        self._secrets = Secrets("secrets", settings.secrets, self._child)
        source, registry = settings.resolved_image_source, settings.image_registry
        self._images = Images("images", source, registry, self._defaults, self._child)
        self._postgres_args = PostgresArgs(
            image=self._build(POSTGRES_IMAGE),
            network=self._networks.data,
            settings=settings.postgres,
            defaults=self._defaults,
            superuser_password=self._secrets.postgres_password,
            role_passwords=self._secrets.role_passwords,
        )
        self._redis_args = RedisArgs(
            image=self._build(REDIS_IMAGE),
            network=self._networks.data,
            settings=settings.redis,
            defaults=self._defaults,
            app_password=self._secrets.redis_password,
        )
        self._app_image = self._build(app_image(settings.app))
        self.outputs = self._run()
        self.register_outputs(self.outputs)

    def _run(self) -> Outputs:
        postgres = self._run_store(describe_postgres(self._postgres_args, self))
        redis = self._run_store(describe_redis(self._redis_args, self))
        stores = [postgres.ready, redis.ready]
        # There, too: Swarm runs the job of a lost node again on another, whatever became of it.
        migrations = self._run_store(describe_migrations(self._portal(migrates=True, after=stores)))
        self._run_backups(after=migrations)
        portal = self._portal(migrates=False, after=[*stores, migrations.ready])
        own = self._settings.app
        spread = Running(tasks=own.replicas, order="start-first", parallelism=own.max_surge)
        app = self._run_service(describe_app(portal), spread)
        return self._run_nginx(after=app)

    def _run_store(self, described: ContainerArgs) -> Service:
        """A service on the node with the volumes."""
        return self._run_service(described, Running(constraints=[STORE_NODE]))

    def _run_service(self, described: ContainerArgs, running: Running) -> Service:
        running = replace(running, labels=self._labels)
        return Service(described, running, self._defaults, self._child)

    def _build(self, recipe: ImageRecipe) -> pulumi.Output[str]:
        name = self._defaults.naming.physical(recipe.role)
        pushed = PushedImage(
            f"{recipe.role}-pushed",
            repository=f"{self._settings.cluster.registry}/{name}",
            image=self._images.build(recipe),
            login=self._login,
            engine=self._defaults.engine,
            opts=self._child,
        )
        return pushed.reference

    def _portal(self, *, migrates: bool, after: Sequence[pulumi.Resource]) -> PortalArgs:
        """Inputs of the portal's tasks; what migrating takes goes to the job alone."""
        app_url, migration_url = postgres_urls(self._postgres_args, OWN_ADDRESS)
        return portal_args(
            self._settings,
            self._secrets,
            self._defaults,
            image=self._app_image,
            networks=self._networks.of_portal(migrates=migrates),
            stores={"database_url": app_url, "redis_url": redis_url(self._redis_args)},
            migration_url=migration_url if migrates else None,
            depends_on=after,
        )

    def _run_backups(self, *, after: Service) -> None:
        if not self._settings.backups.enabled:
            if has_data_volume("backups", self._defaults):
                create_data_volume("backups", self._defaults, self)
            return
        args = BackupsArgs(
            image=self._build(BACKUPS_IMAGE),
            network=self._networks.data,
            settings=self._settings.backups,
            defaults=self._defaults,
            address=OWN_ADDRESS,
            password=self._secrets.backup_password,
            depends_on=[after.ready],
        )
        self._run_store(describe_backups(args, self))

    def _run_nginx(self, *, after: Service) -> Outputs:
        settings = self._settings
        tls = tls_material(settings.provided_certificate, settings.stack, settings.domain, self)
        args = NginxArgs(
            image=self._build(NGINX_IMAGE),
            edge_network=self._networks.edge,
            app_network=self._networks.app,
            settings=settings.nginx,
            defaults=self._defaults,
            site=Site.of(settings),
            peers=[_PEER],
            tls=tls,
            # The portal serves its files: another copy would be another config on every node.
            assets=None,
        )
        nginx = EdgeNginx("edge", args, [after.ready], self._labels, self._child)
        network, images = self._networks.app_name, self._images.built
        return common_outputs(settings, nginx.url, network, images, tls.authority)
