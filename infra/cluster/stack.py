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
from infra.services.backups import BACKUPS_IMAGE, describe_backups
from infra.services.inputs import Inputs, Outputs
from infra.services.nginx.component import NGINX_IMAGE
from infra.services.postgres import (
    OWN_ADDRESS,
    POSTGRES_IMAGE,
    describe_postgres,
    postgres_urls,
)
from infra.services.redis import REDIS_IMAGE, describe_redis, redis_url
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
        self._inputs = Inputs(settings, self._secrets, self._defaults)
        self._images = Images("images", settings, self._defaults, self._child)
        self._postgres_args = self._inputs.postgres(
            self._build(POSTGRES_IMAGE), self._networks.data
        )
        self._redis_args = self._inputs.redis(self._build(REDIS_IMAGE), self._networks.data)
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
        return self._inputs.portal(
            self._app_image,
            self._networks.of_portal(migrates=migrates),
            {"database_url": app_url, "redis_url": redis_url(self._redis_args)},
            migration_url=migration_url if migrates else None,
            after=after,
        )

    def _run_backups(self, *, after: Service) -> None:
        if not self._settings.backups.enabled:
            if has_data_volume("backups", self._defaults):
                create_data_volume("backups", self._defaults, self)
            return
        image, network = self._build(BACKUPS_IMAGE), self._networks.data
        args = self._inputs.backups(image, network, OWN_ADDRESS, after=after.ready)
        self._run_store(describe_backups(args, self))

    def _run_nginx(self, *, after: Service) -> Outputs:
        settings, naming = self._settings, self._defaults.naming
        tls = tls_material(
            settings.provided_certificate, naming=naming, domain=settings.domain, parent=self
        )
        networks = (self._networks.edge, self._networks.app)
        # The portal serves its files: another copy would be another config on every node.
        args = self._inputs.nginx(self._build(NGINX_IMAGE), networks, [_PEER], tls, assets=None)
        nginx = EdgeNginx("edge", args, [after.ready], self._labels, self._child)
        return self._inputs.outputs(
            nginx.url, self._networks.app_name, self._images.built, tls.authority
        )
