"""The whole stack: the one place where components meet."""

from collections.abc import Sequence

import pulumi

from infra.engine.address import EngineAddress
from infra.engine.client import ask_version
from infra.engine.provider import engine_provider
from infra.resources.build_context import ROOT
from infra.resources.certificate import tls_material
from infra.resources.container import RunningContainer
from infra.resources.container_args import ContainerDefaults, PublishedPort
from infra.resources.image import Images
from infra.resources.network import Networks
from infra.resources.secret import Secrets
from infra.resources.volume import has_data_volume
from infra.services.app import APP_PORT, App, AppArgs, Migrations, PortalArgs, app_image
from infra.services.backups import BACKUPS_IMAGE, Backups, BackupsArgs, KeptBackups
from infra.services.devtools import ADMINER_IMAGE, REDIS_COMMANDER_IMAGE, DevTools, DevToolsArgs
from infra.services.external_stores import ExternalPostgres, ExternalRedis
from infra.services.inputs import Outputs, common_outputs, portal_args
from infra.services.monitoring import (
    EXPORTER_IMAGE,
    PROMETHEUS_IMAGE,
    Monitoring,
    MonitoringArgs,
)
from infra.services.nginx.component import NGINX_ADDRESS, NGINX_IMAGE, Nginx, NginxArgs
from infra.services.nginx.files import Site
from infra.services.postgres import POSTGRES_IMAGE, POSTGRES_PORT, Postgres, PostgresArgs
from infra.services.redis import REDIS_IMAGE, REDIS_PORT, Redis, RedisArgs
from infra.settings import Environment, Settings


class DevportalStack(pulumi.ComponentResource):
    """PostgreSQL and Redis, the portal on top of them, and the ways in.

    In production a job migrates the schema, then nginx leads to the portal's replicas. In
    development one portal does both, and every service has a port on the host.
    """

    outputs: Outputs
    """What the stack exports; never a secret."""

    def __init__(self, name: str, settings: Settings, engine: EngineAddress) -> None:
        on_engine = pulumi.ResourceOptions(providers=[engine_provider(engine)])
        super().__init__("devportal:infra:Stack", name, None, on_engine)
        self._settings = settings
        self._is_production = settings.environment is Environment.PRODUCTION
        self._child = pulumi.ResourceOptions(parent=self)
        self._defaults = ContainerDefaults.of(settings, engine, ask_version(engine))

        self._networks = Networks(
            "network",
            self._defaults.naming,
            separate=self._is_production,
            egress=settings.app.egress,
            outside=settings.outside,
            opts=self._child,
        )
        self._secrets = Secrets("secrets", settings.secrets, self._child)
        source, registry = settings.resolved_image_source, settings.image_registry
        self._images = Images("images", source, registry, self._defaults, self._child)
        self._postgres = self._find_postgres()
        self._redis = self._find_redis()
        self._app_image = self._images.build(app_image(settings.app))
        self.outputs = self._run_production() if self._is_production else self._run_development()
        self.register_outputs(self.outputs)

    def _run_production(self) -> Outputs:
        migrations = Migrations("migrations", self._portal(migrates=True), self._child)
        portal = self._portal(migrates=False, after=[migrations.job.ready])
        replicas = AppArgs(portal=portal, share_name=self._settings.monitoring.enabled)
        app = App("app", replicas, self._child)
        backups = self._run_backups(after=migrations.job)
        nginx = self._run_nginx(app)
        outputs = self._common_outputs(nginx.url, nginx.authority)
        return outputs | self._run_monitoring(app, backups)

    def _run_development(self) -> Outputs:
        ports = self._development_port("portal", APP_PORT)
        app = App("app", AppArgs(portal=self._portal(migrates=True), ports=ports), self._child)
        [container] = app.containers
        backups = self._run_backups(after=container)
        url = pulumi.Output.concat("http://", container.published(APP_PORT))
        tools = self._run_devtools() | self._run_monitoring(app, backups)
        return self._common_outputs(url) | tools

    def _find_postgres(self) -> Postgres | ExternalPostgres:
        args = PostgresArgs(
            # On a server of others it runs the job that prepares the database.
            image=self._images.build(POSTGRES_IMAGE),
            network=self._networks.postgres,
            settings=self._settings.postgres,
            defaults=self._defaults,
            superuser_password=self._secrets.postgres_password,
            role_passwords=self._secrets.role_passwords,
            ports=self._development_port("postgres", POSTGRES_PORT),
        )
        if server := self._settings.postgres.external:
            return ExternalPostgres("postgres", server, args, self._child)
        return Postgres("postgres", args, self._child)

    def _find_redis(self) -> Redis | ExternalRedis:
        settings, secrets = self._settings, self._secrets
        is_external = settings.redis.external_url is not None
        args = RedisArgs(
            image="" if is_external else self._images.build(REDIS_IMAGE),
            network=self._networks.redis,
            settings=settings.redis,
            defaults=self._defaults,
            app_password=secrets.redis_password,
            devtools_password=secrets.devtools_password if settings.devtools else None,
            ports=self._development_port("redis", REDIS_PORT),
        )
        return (ExternalRedis if is_external else Redis)("redis", args, self._child)

    def _portal(self, *, migrates: bool, after: Sequence[pulumi.Resource] = ()) -> PortalArgs:
        """Inputs of a container of the portal; what migrating takes goes to those that migrate."""
        return portal_args(
            self._settings,
            self._secrets,
            self._defaults,
            image=self._app_image,
            networks=self._networks.of_portal(migrates=migrates),
            stores={
                "database_url": self._postgres.app_url,
                "redis_url": self._redis.app_url,
                **self._postgres.address.files,
                **self._redis.files,
            },
            migration_url=self._postgres.migration_url if migrates else None,
            # A store that does not come up ends the update; on the way down the portal goes first.
            depends_on=[*self._postgres.ready, *self._redis.ready, *after],
        )

    def _run_backups(self, *, after: RunningContainer) -> Backups | None:
        if not self._settings.backups.enabled:
            if has_data_volume("backups", self._defaults):
                KeptBackups("backups", self._defaults, self._child)
            return None
        args = BackupsArgs(
            image=self._images.build(BACKUPS_IMAGE),
            network=self._networks.postgres,
            settings=self._settings.backups,
            defaults=self._defaults,
            address=self._postgres.address,
            password=self._secrets.backup_password,
            depends_on=[after.ready],
        )
        return Backups("backups", args, self._child)

    def _run_nginx(self, app: App) -> Nginx:
        settings = self._settings
        args = NginxArgs(
            image=self._images.build(NGINX_IMAGE),
            edge_network=self._networks.edge,
            app_network=self._networks.app,
            settings=settings.nginx,
            defaults=self._defaults,
            site=Site.of(settings),
            peers=app.peers,
            tls=tls_material(settings.provided_certificate, settings.stack, settings.domain, self),
            # An image from elsewhere brings files of its own, which may be older or newer.
            assets=ROOT / "app" / "static" if settings.app.image is None else None,
        )
        return Nginx("nginx", args, self._child)

    def _run_devtools(self) -> Outputs:
        if not self._settings.devtools:
            return {}
        args = DevToolsArgs(
            adminer_image=self._images.build(ADMINER_IMAGE),
            redis_commander_image=self._images.build(REDIS_COMMANDER_IMAGE),
            ports=self._settings.ports,
            network=self._networks.postgres,
            database_password=self._secrets.app_password,
            redis_password=self._secrets.devtools_password,
            defaults=self._defaults,
        )
        tools = DevTools("devtools", args, self._child)
        return {"adminer_url": tools.adminer_url, "redis_commander_url": tools.redis_commander_url}

    def _run_monitoring(self, app: App, backups: Backups | None) -> Outputs:
        settings, networks = self._settings, self._networks
        if not settings.monitoring.enabled:
            return {}
        watched = {"REPLICAS": str(settings.app.replicas), **(backups.schedule if backups else {})}
        if self._is_production:
            watched["NGINX_ADDRESS"] = NGINX_ADDRESS
        args = MonitoringArgs(
            prometheus_image=self._images.build(PROMETHEUS_IMAGE),
            exporter_image=self._images.build(EXPORTER_IMAGE),
            networks=[networks.edge, networks.app] if self._is_production else [networks.app],
            exporter_network=networks.app,
            ports=settings.ports,
            settings=settings.monitoring,
            defaults=self._defaults,
            watched=watched,
            backups=backups.store if backups else None,
            depends_on=[container.ready for container in app.containers]
            + ([backups.service.ready] if backups else []),
        )
        return {"prometheus_url": Monitoring("monitoring", args, self._child).url}

    def _development_port(self, name: str, internal: int) -> list[PublishedPort]:
        """In production the host publishes nginx's ports, and on loopback Prometheus'."""
        if self._is_production:
            return []
        return [PublishedPort.of(self._settings.ports, name, internal)]

    def _common_outputs(
        self, url: pulumi.Output[str], authority: pulumi.Output[str] | None = None
    ) -> Outputs:
        network, images = self._networks.app, self._images.built
        own = common_outputs(self._settings, url, network, images, authority)
        return {**own, **self._postgres.outputs, **self._redis.outputs}
