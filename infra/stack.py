"""The whole stack: the one place where components meet."""

from collections.abc import Sequence

import pulumi

from infra.engine.address import EngineAddress, ask_version
from infra.engine.provider import engine_provider
from infra.resources.build_context import ROOT
from infra.resources.certificate import tls_material
from infra.resources.container import RunningContainer
from infra.resources.container_args import ContainerDefaults, PublishedPort
from infra.resources.image import Images
from infra.resources.network import Networks
from infra.resources.secret import Secrets
from infra.services.app import APP_PORT, App, AppArgs, Migrations, PortalArgs, app_image
from infra.services.backups import BACKUPS_IMAGE, Backups, BackupsArgs
from infra.services.devtools import ADMINER_IMAGE, REDIS_COMMANDER_IMAGE, DevTools, DevToolsArgs
from infra.services.monitoring import (
    EXPORTER_IMAGE,
    PROMETHEUS_IMAGE,
    Monitoring,
    MonitoringArgs,
)
from infra.services.nginx.component import NGINX_ADDRESS, NGINX_IMAGE, Nginx, NginxArgs
from infra.services.nginx.files import Site
from infra.services.postgres import (
    BACKUP_USER,
    DATABASE,
    POSTGRES_HOST,
    POSTGRES_IMAGE,
    POSTGRES_PORT,
    Postgres,
    PostgresArgs,
)
from infra.services.redis import REDIS_IMAGE, REDIS_PORT, Redis, RedisArgs
from infra.settings import Environment, Settings

Outputs = dict[str, pulumi.Input[object]]


class DevportalStack(pulumi.ComponentResource):
    """PostgreSQL and Redis, the portal on top of them, and the ways in.

    In production a job migrates the schema, then nginx leads to the portal's replicas. In
    development one portal does both, and every service has a port on the host.
    """

    outputs: Outputs
    """What the stack exports; never a secret."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        engine: EngineAddress,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        on_engine = pulumi.ResourceOptions(providers=[engine_provider(engine)])
        opts = pulumi.ResourceOptions.merge(opts, on_engine)
        super().__init__("devportal:infra:Stack", name, None, opts)
        self._settings = settings
        self._is_production = settings.environment is Environment.PRODUCTION
        self._child = pulumi.ResourceOptions(parent=self)
        version = ask_version(engine)
        self._defaults = ContainerDefaults.of(settings, engine, version)
        naming = self._defaults.naming

        self._networks = Networks(
            "network",
            naming,
            separate=self._is_production,
            egress=settings.app.egress,
            opts=self._child,
        )
        self._secrets = Secrets("secrets", settings.secrets, self._child)
        self._images = Images(
            "images",
            naming,
            source=settings.resolved_image_source,
            registry=settings.image_registry,
            engine=engine,
            platform=version.platform,
            opts=self._child,
        )
        self._postgres = self._run_postgres()
        self._redis = self._run_redis()
        self._app_image = self._build_app_image()
        self.outputs = self._run_production() if self._is_production else self._run_development()
        self.register_outputs(self.outputs)

    def _run_production(self) -> Outputs:
        migrations = Migrations("migrations", self._portal(migrates=True), self._child)
        portal = self._portal(migrates=False, after=[migrations.job.ready])
        replicas = AppArgs(portal=portal, ports=[], share_name=self._settings.monitoring.enabled)
        app = App("app", replicas, self._child)
        backups = self._run_backups(after=migrations.job)
        nginx = self._run_nginx(app)
        outputs = self._common_outputs(nginx.url) | self._run_monitoring(app, backups)
        return (
            outputs if nginx.authority is None else {**outputs, "ca_certificate": nginx.authority}
        )

    def _run_development(self) -> Outputs:
        ports = self._development_port(APP_PORT, self._settings.ports.portal)
        app = App("app", AppArgs(portal=self._portal(migrates=True), ports=ports), self._child)
        [container] = app.containers
        backups = self._run_backups(after=container)
        url = pulumi.Output.concat("http://", container.published(APP_PORT))
        addresses: Outputs = {
            "postgres_address": self._postgres.server.published(POSTGRES_PORT),
            "redis_address": self._redis.server.published(REDIS_PORT),
        }
        tools = self._run_devtools() | self._run_monitoring(app, backups)
        return self._common_outputs(url) | addresses | tools

    def _run_postgres(self) -> Postgres:
        args = PostgresArgs(
            image=self._images.build(POSTGRES_IMAGE),
            network=self._networks.data,
            settings=self._settings.postgres,
            defaults=self._defaults,
            superuser_password=self._secrets.postgres_password,
            migrator_password=self._secrets.migrator_password,
            app_password=self._secrets.app_password,
            backup_password=self._secrets.backup_password,
            retain_data=self._settings.retain_data,
            ports=self._development_port(POSTGRES_PORT, self._settings.ports.postgres),
        )
        return Postgres("postgres", args, self._child)

    def _run_redis(self) -> Redis:
        args = RedisArgs(
            image=self._images.build(REDIS_IMAGE),
            network=self._networks.data,
            settings=self._settings.redis,
            defaults=self._defaults,
            app_password=self._secrets.redis_password,
            devtools_password=self._secrets.devtools_password if self._settings.devtools else None,
            retain_data=self._settings.retain_data,
            ports=self._development_port(REDIS_PORT, self._settings.ports.redis),
        )
        return Redis("redis", args, self._child)

    def _build_app_image(self) -> pulumi.Output[str]:
        if given := self._settings.app.image:
            return self._images.use("app", given)
        return self._images.build(app_image(self._settings.app))

    def _portal(self, *, migrates: bool, after: Sequence[pulumi.Resource] = ()) -> PortalArgs:
        """Inputs of a container of the portal; what migrating takes goes to those that migrate."""
        settings = self._settings
        secrets = {
            "database_url": self._postgres.app_url,
            "redis_url": self._redis.app_url,
            "secret_key": self._secrets.secret_key,
            "jwt_secret_key": self._secrets.jwt_secret_key,
        }
        environment = settings.portal(migrate=not self._is_production).environment()
        # A job that migrates runs nothing of the team's.
        if not (migrates and self._is_production):
            own = settings.app.secrets.items()
            secrets |= {name: pulumi.Output.secret(text.get_secret_value()) for name, text in own}
            environment |= settings.app.environment
        if migrates:
            secrets["migration_database_url"] = self._postgres.migration_url
            secrets["admin_password"] = self._secrets.admin_password
        return PortalArgs(
            image=self._app_image,
            networks=self._portal_networks(migrates=migrates),
            environment=environment,
            fresh_start=settings.postgres.fresh_start if migrates else None,
            secrets=secrets,
            settings=settings.app,
            defaults=self._defaults,
            # A store that does not come up ends the update; on the way down the portal goes first.
            depends_on=[self._postgres.server.ready, self._redis.server.ready, *after],
        )

    def _portal_networks(self, *, migrates: bool) -> list[pulumi.Output[str]]:
        networks = self._networks
        if not self._is_production:
            return [networks.app]
        out = [networks.egress] if networks.egress and not migrates else []
        return [networks.app, networks.data, *out]

    def _run_backups(self, *, after: RunningContainer) -> Backups | None:
        if not self._settings.backups.enabled:
            return None
        args = BackupsArgs(
            image=self._images.build(BACKUPS_IMAGE),
            network=self._networks.data,
            settings=self._settings.backups,
            defaults=self._defaults,
            host=POSTGRES_HOST,
            port=POSTGRES_PORT,
            database=DATABASE,
            user=BACKUP_USER,
            password=self._secrets.backup_password,
            retain_data=self._settings.retain_data,
            # The first backup is to hold the schema.
            depends_on=[after.ready],
        )
        return Backups("backups", args, self._child)

    def _run_nginx(self, app: App) -> Nginx:
        settings = self._settings
        site = Site(
            domain=settings.domain,
            ports=settings.ports,
            drain_seconds=settings.app.drain_seconds,
        )
        tls = tls_material(
            settings.provided_certificate,
            naming=self._defaults.naming,
            domain=settings.domain,
            parent=self,
        )
        args = NginxArgs(
            image=self._images.build(NGINX_IMAGE),
            edge_network=self._networks.edge,
            app_network=self._networks.app,
            settings=settings.nginx,
            defaults=self._defaults,
            site=site,
            peers=app.peers,
            tls=tls,
            # An image from elsewhere brings files of its own, which may be older or newer.
            assets=ROOT / "app" / "static" if settings.app.image is None else None,
        )
        return Nginx("nginx", args, self._child)

    def _run_devtools(self) -> Outputs:
        if not self._settings.devtools:
            return {}
        args = DevToolsArgs(
            adminer_image=self._images.build(ADMINER_IMAGE),
            adminer_port=self._settings.ports.adminer,
            redis_commander_image=self._images.build(REDIS_COMMANDER_IMAGE),
            redis_commander_port=self._settings.ports.redis_commander,
            network=self._networks.data,
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
            address=settings.ports.address_of("prometheus"),
            port=settings.ports.prometheus,
            settings=settings.monitoring,
            defaults=self._defaults,
            watched=watched,
            backups=backups.store if backups else None,
            depends_on=[container.ready for container in app.containers]
            + ([backups.service.ready] if backups else []),
        )
        return {"prometheus_url": Monitoring("monitoring", args, self._child).url}

    def _development_port(self, internal: int, external: int) -> list[PublishedPort]:
        """In production the host publishes nginx's ports, and on loopback Prometheus'."""
        return [] if self._is_production else [PublishedPort(internal, external)]

    def _common_outputs(self, url: pulumi.Output[str]) -> Outputs:
        return {
            "portal_url": url,
            "docs_url": pulumi.Output.concat(url, "/docs"),
            "health_url": pulumi.Output.concat(url, "/health"),
            "replicas": self._settings.app.replicas,
            "network": self._networks.app,
            "images": self._images.built,
        }
