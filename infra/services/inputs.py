"""What both kinds of stack make of their settings in one way: the portal's inputs, and outputs."""

from collections.abc import Mapping, Sequence

import pulumi

from infra.resources.container_args import ContainerDefaults
from infra.resources.secret import Secret, Secrets
from infra.services.app import PortalArgs
from infra.settings import Environment, Settings

Outputs = dict[str, pulumi.Input[object]]


def portal_args(
    settings: Settings,
    secrets: Secrets,
    defaults: ContainerDefaults,
    *,
    image: pulumi.Input[str],
    networks: Sequence[pulumi.Input[str]],
    stores: Mapping[str, Secret],
    migration_url: Secret | None,
    depends_on: Sequence[pulumi.Resource],
) -> PortalArgs:
    """Those of a container of the portal's image.

    Parameters
    ----------
    stores
        `database_url` and `redis_url`, and the files that they name.
    migration_url
        For those that migrate, which get all that this takes; None for the others.
    """
    is_production = settings.environment is Environment.PRODUCTION
    environment = settings.portal(migrate=not is_production).environment()
    files = {
        **stores,
        "secret_key": secrets.secret_key,
        "jwt_secret_key": secrets.jwt_secret_key,
    }
    # A job that migrates runs nothing of the team's, and signs nobody in.
    if migration_url is None or not is_production:
        files |= _team_secrets(settings)
        environment |= settings.app.environment
    if migration_url is not None:
        files["migration_database_url"] = migration_url
        files["admin_password"] = secrets.admin_password
        # Another word than before starts it again: the database starts empty again with it.
        if settings.postgres.fresh_start is not None:
            environment["FRESH_START"] = settings.postgres.fresh_start
    return PortalArgs(
        image=image,
        networks=networks,
        environment=environment,
        secrets=files,
        settings=settings.app,
        defaults=defaults,
        depends_on=depends_on,
        leave_seconds=settings.leave_seconds,
    )


def _team_secrets(settings: Settings) -> dict[str, Secret]:
    given = dict(settings.app.secrets)
    if (client := settings.secrets.oidc_client_secret) is not None:
        given = {"oidc_client_secret": client, **given}
    return {name: pulumi.Output.secret(text.get_secret_value()) for name, text in given.items()}


def common_outputs(
    settings: Settings,
    url: pulumi.Output[str],
    network: pulumi.Output[str],
    images: Mapping[str, pulumi.Output[str]],
    authority: pulumi.Output[str] | None,
) -> Outputs:
    """What every stack exports; never a secret."""
    found: Outputs = {
        "portal_url": url,
        "docs_url": pulumi.Output.concat(url, "/docs"),
        "health_url": pulumi.Output.concat(url, "/health"),
        "replicas": settings.app.replicas,
        "network": network,
        "images": images,
    }
    return found if authority is None else {**found, "ca_certificate": authority}
