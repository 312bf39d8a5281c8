"""The whole stack: the one place where components meet."""

import pulumi

from infra.services.app import App, AppArgs, app_image
from infra.services.backups import BACKUPS_IMAGE, Backups, BackupsArgs
from infra.services.devtools import ADMINER_IMAGE, REDIS_COMMANDER_IMAGE, DevTools, DevToolsArgs
from infra.resources.image import Images
from infra.naming import Naming
from infra.resources.network import Networks
from infra.services.nginx.component import NGINX_IMAGE, Nginx, NginxArgs
from infra.services.postgres import POSTGRES_IMAGE, Postgres, PostgresArgs
from infra.services.redis import REDIS_IMAGE, Redis, RedisArgs
from infra.resources.secret import Secrets
from infra.settings.groups import Environment
from infra.settings.loading import Settings
from infra.resources.certificate import TlsMaterial, tls_material


class DevportalStack(pulumi.ComponentResource):
    """PostgreSQL and Redis, the portal on top of them, and the tools to look inside."""

    outputs: dict[str, pulumi.Input[object]]
    """What the stack exports; never a secret."""

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("devportal:infra:Stack", name, None, opts)
        self._settings = settings
        self._is_production = settings.environment is Environment.PRODUCTION
        self._child = pulumi.ResourceOptions(parent=self)
        naming = Naming(settings.stack)

        self._networks = Networks("network", naming, separate=self._is_production, opts=self._child)
        self._secrets = Secrets("secrets", settings.secrets, self._child)
        self._images = Images("images", naming, settings.resolved_image_source, self._child)
        self._postgres = self._run_postgres()
        self._redis = self._run_redis()
        self._app = self._run_app()
        if settings.backups.enabled:
            self._run_backups()
        self._tls = tls_material(settings, self) if self._is_production else None
        self._nginx = self._run_nginx(self._tls) if self._tls else None
        self._devtools = self._run_devtools() if settings.devtools else None

        self.outputs = self._collect_outputs()
        self.register_outputs(self.outputs)

    def _run_postgres(self) -> Postgres:
        args = PostgresArgs(
            image=self._images.build(POSTGRES_IMAGE),
            network=self._networks.data,
            superuser_password=self._secrets.postgres_password,
            migrator_password=self._secrets.migrator_password,
            app_password=self._secrets.app_password,
            backup_password=self._secrets.backup_password,
        )
        return Postgres("postgres", args, self._settings, self._child)

    def _run_redis(self) -> Redis:
        devtools = self._secrets.devtools_password if self._settings.devtools else None
        args = RedisArgs(
            image=self._images.build(REDIS_IMAGE),
            network=self._networks.data,
            app_password=self._secrets.redis_password,
            devtools_password=devtools,
        )
        return Redis("redis", args, self._settings, self._child)

    def _run_app(self) -> App:
        args = AppArgs(
            image=self._app_image(),
            networks=[self._networks.app, self._networks.data]
            if self._is_production
            else [self._networks.app],
            database_url=self._postgres.app_url,
            migration_database_url=self._postgres.migration_url,
            redis_url=self._redis.app_url,
            secret_key=self._secrets.secret_key,
            jwt_secret_key=self._secrets.jwt_secret_key,
            admin_password=self._secrets.admin_password,
        )
        # A store that does not come up ends the update; on the way down the portal goes first.
        opts = pulumi.ResourceOptions(parent=self, depends_on=[self._postgres, self._redis])
        return App("app", args, self._settings, opts)

    def _app_image(self) -> pulumi.Output[str]:
        given = self._settings.app.image
        if given is not None:
            return self._images.use("app", given)
        return self._images.build(app_image(self._settings))

    def _run_backups(self) -> Backups:
        args = BackupsArgs(
            image=self._images.build(BACKUPS_IMAGE),
            network=self._networks.data,
            credentials=self._postgres.backup_credentials,
            portal=self._app,
        )
        return Backups("backups", args, self._settings, self._child)

    def _run_nginx(self, tls: TlsMaterial) -> Nginx:
        args = NginxArgs(
            image=self._images.build(NGINX_IMAGE),
            edge_network=self._networks.edge,
            app_network=self._networks.app,
            peers=self._app.peers,
            tls=tls,
        )
        return Nginx("nginx", args, self._settings, self._child)

    def _run_devtools(self) -> DevTools:
        args = DevToolsArgs(
            adminer_image=self._images.build(ADMINER_IMAGE),
            redis_commander_image=self._images.build(REDIS_COMMANDER_IMAGE),
            network=self._networks.data,
            database_password=self._secrets.app_password,
            redis_password=self._secrets.devtools_password,
        )
        return DevTools("devtools", args, self._settings, self._child)

    def _collect_outputs(self) -> dict[str, pulumi.Input[object]]:
        url = (
            self._nginx.url
            if self._nginx is not None
            else pulumi.Output.concat("http://", self._app.published_address)
        )
        outputs: dict[str, pulumi.Input[object]] = {
            "portal_url": url,
            "docs_url": pulumi.Output.concat(url, "/docs"),
            "health_url": pulumi.Output.concat(url, "/health"),
            "replicas": self._settings.app.replicas,
            "network": self._networks.app,
            "images": self._images.built,
        }
        if self._tls is not None and self._tls.authority is not None:
            outputs["ca_certificate"] = self._tls.authority
        return {**outputs, **self._development_outputs()}

    def _development_outputs(self) -> dict[str, pulumi.Input[object]]:
        if self._is_production:
            return {}
        outputs: dict[str, pulumi.Input[object]] = {
            "postgres_address": self._postgres.published_address,
            "redis_address": self._redis.published_address,
        }
        if self._devtools is not None:
            outputs["adminer_url"] = pulumi.Output.concat("http://", self._devtools.adminer_address)
            outputs["redis_commander_url"] = pulumi.Output.concat(
                "http://", self._devtools.redis_commander_address
            )
        return outputs
