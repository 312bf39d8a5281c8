"""What each service gets of a stack's settings and secrets, on one engine and on a swarm alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.resources.certificate import TlsMaterial
from infra.resources.container_args import ContainerDefaults, PublishedPort
from infra.resources.secret import Secret, Secrets
from infra.services.app import PortalArgs
from infra.services.backups import BackupsArgs
from infra.services.nginx.component import NginxArgs
from infra.services.nginx.files import Site
from infra.services.postgres import DatabaseAddress, PostgresArgs
from infra.services.redis import RedisArgs
from infra.settings import Environment, Settings

Outputs = dict[str, pulumi.Input[object]]


@dataclass(frozen=True)
class Inputs:
    """One method a service; its image, its networks and what comes before it are the caller's."""

    settings: Settings
    secrets: Secrets
    defaults: ContainerDefaults

    def postgres(
        self,
        image: pulumi.Input[str],
        network: pulumi.Input[str],
        ports: Sequence[PublishedPort] = (),
    ) -> PostgresArgs:
        """Of the server, the stack's own or one of others."""
        return PostgresArgs(
            image=image,
            network=network,
            settings=self.settings.postgres,
            defaults=self.defaults,
            superuser_password=self.secrets.postgres_password,
            migrator_password=self.secrets.migrator_password,
            app_password=self.secrets.app_password,
            backup_password=self.secrets.backup_password,
            ports=ports,
        )

    def redis(
        self,
        image: pulumi.Input[str],
        network: pulumi.Input[str],
        ports: Sequence[PublishedPort] = (),
    ) -> RedisArgs:
        """Of the server, the stack's own or one of others."""
        return RedisArgs(
            image=image,
            network=network,
            settings=self.settings.redis,
            defaults=self.defaults,
            app_password=self.secrets.redis_password,
            devtools_password=self.secrets.devtools_password if self.settings.devtools else None,
            ports=ports,
        )

    def portal(
        self,
        image: pulumi.Input[str],
        networks: Sequence[pulumi.Input[str]],
        stores: Mapping[str, Secret],
        *,
        migration_url: Secret | None,
        after: Sequence[pulumi.Resource],
    ) -> PortalArgs:
        """Of a container of the portal's image.

        Parameters
        ----------
        stores
            `database_url` and `redis_url`, and the files that they name.
        migration_url
            For those that migrate, which get all that this takes; None for the others.
        """
        settings, is_production = self.settings, self.settings.environment is Environment.PRODUCTION
        environment = settings.portal(migrate=not is_production).environment()
        secrets = {
            **stores,
            "secret_key": self.secrets.secret_key,
            "jwt_secret_key": self.secrets.jwt_secret_key,
        }
        # A job that migrates runs nothing of the team's, and signs nobody in.
        if migration_url is None or not is_production:
            secrets |= self._team_secrets()
            environment |= settings.app.environment
        if migration_url is not None:
            secrets["migration_database_url"] = migration_url
            secrets["admin_password"] = self.secrets.admin_password
        return PortalArgs(
            image=image,
            networks=networks,
            environment=environment,
            fresh_start=None if migration_url is None else settings.postgres.fresh_start,
            secrets=secrets,
            settings=settings.app,
            defaults=self.defaults,
            depends_on=after,
            leave_seconds=settings.leave_seconds,
        )

    def _team_secrets(self) -> dict[str, Secret]:
        given = dict(self.settings.app.secrets)
        if (client := self.settings.secrets.oidc_client_secret) is not None:
            given = {"oidc_client_secret": client, **given}
        return {name: pulumi.Output.secret(text.get_secret_value()) for name, text in given.items()}

    def backups(
        self,
        image: pulumi.Input[str],
        network: pulumi.Input[str],
        address: DatabaseAddress,
        *,
        after: pulumi.Resource,
    ) -> BackupsArgs:
        """Of the clock with the backups; the first one is to hold the schema that `after` makes."""
        return BackupsArgs(
            image=image,
            network=network,
            settings=self.settings.backups,
            defaults=self.defaults,
            address=address,
            password=self.secrets.backup_password,
            depends_on=[after],
        )

    def nginx(
        self,
        image: pulumi.Input[str],
        networks: tuple[pulumi.Input[str], pulumi.Input[str]],
        peers: pulumi.Input[list[str]],
        tls: TlsMaterial,
        assets: Path | None,
    ) -> NginxArgs:
        """Of the way in, whose networks are the clients' and the replicas'."""
        settings = self.settings
        edge, app = networks
        return NginxArgs(
            image=image,
            edge_network=edge,
            app_network=app,
            settings=settings.nginx,
            defaults=self.defaults,
            site=Site(
                domain=settings.domain,
                ports=settings.ports,
                drain_seconds=settings.app.drain_seconds,
            ),
            peers=peers,
            tls=tls,
            assets=assets,
        )

    def outputs(
        self,
        url: pulumi.Output[str],
        network: pulumi.Output[str],
        images: Mapping[str, pulumi.Output[str]],
        authority: pulumi.Output[str] | None = None,
    ) -> Outputs:
        """What every stack exports; never a secret."""
        found: Outputs = {
            "portal_url": url,
            "docs_url": pulumi.Output.concat(url, "/docs"),
            "health_url": pulumi.Output.concat(url, "/health"),
            "replicas": self.settings.app.replicas,
            "network": network,
            "images": images,
        }
        return found if authority is None else {**found, "ca_certificate": authority}
