"""Rules that hold between settings."""

from collections.abc import Iterator

from app.config import SECRETS, Config
from app.settings import Environment, PortalOptions, unfit_for_production
from app.sign_in_settings import sign_in_mistakes
from infra.settings.external import POSTGRES_CA, REDIS_CA
from infra.settings.external_rules import external_mistakes
from infra.settings.groups import AppSettings, ClusterSettings
from infra.settings.messages import set_secret
from infra.settings.model import StackSettings
from infra.settings.values import ClusterMode, Encrypted, TlsMode
from infra.x509 import CertificateError, check_pair

# Of PostgreSQL itself: kept for its superuser; and for a probe, a backup and a look by hand.
_RESERVED_CONNECTIONS = 3
_OTHER_CONNECTIONS = 3
# A replica that migrates holds a lock on one connection and works on another.
_MIGRATION_CONNECTIONS = 2
# They change how the portal starts, or whom it connects to: libpq reads PGHOST, for one.
_PROCESS_VARIABLES = {"PATH", "HOME", "FRESH_START", "WEB_CONCURRENCY"}
_PROCESS_PREFIXES = ("LD_", "PG", "PYTHON", "UVICORN_")
_AUTHORITIES = {POSTGRES_CA, REDIS_CA}
# Of nginx, beside what it keeps of requests and responses: workers, TLS sessions, limits.
_NGINX_MB = 64
# PostgreSQL's own processes, the init process, and probes.
_OTHER_PROCESSES = 28
# Of Docker's 64, as Pulumi puts "app-" before it and 13 characters after it.
_LONGEST_SWARM_SECRET = 47
_EVERY_ADDRESS = ("0.0.0.0", "::")


def combination_mistakes(settings: StackSettings) -> list[str]:
    """One line for each broken rule, by the key as the user writes it."""
    return [
        *external_mistakes(settings),
        *_size_mistakes(settings),
        *_connection_mistakes(settings),
        *_port_mistakes(settings),
        *_name_mistakes(settings.app),
        *sign_in_mistakes(
            settings.app,
            is_production=settings.environment is Environment.PRODUCTION,
            spell="app.{}".format,
        ),
        *(
            _production_mistakes(settings)
            if settings.environment is Environment.PRODUCTION
            else _development_mistakes(settings)
        ),
        *_login_mistakes(settings.cluster),
        *(_swarm_mistakes(settings) if settings.cluster.mode is ClusterMode.SWARM else ()),
    ]


def _login_mistakes(cluster: ClusterSettings) -> Iterator[str]:
    """What is for a cluster alone; a user of the registry without a password, or the reverse."""
    user, password = cluster.registry_user, cluster.registry_password
    if cluster.mode is ClusterMode.NONE:
        given = {
            "registry": cluster.registry,
            "registry_user": user,
            "registry_password": password and "a password",
            "encrypted": cluster.encrypted and "true",
        }
        for name, value in given.items():
            if value:
                yield (
                    f"cluster.{name}: should be left out without cluster.mode swarm (got {value}). "
                    "Remove it: one engine pushes nothing and reaches no other."
                )
    elif user is not None and password is None:
        yield (
            "cluster.registry_password: should be set beside cluster.registry_user (got nothing). "
            f"{set_secret('cluster.registry_password')}"
        )
    elif user is None and password is not None:
        yield (
            "cluster.registry_user: should be set beside cluster.registry_password (got nothing). "
            "Name whom the registry lets in with it."
        )


def _swarm_mistakes(settings: StackSettings) -> Iterator[str]:
    """What is not for a cluster; the rest is as on one engine."""
    where = "with cluster.mode swarm"
    if settings.environment is not Environment.PRODUCTION:
        yield (
            "cluster.mode: should be none in development (got swarm). Remove it: code is reloaded "
            "from this machine."
        )
    if settings.cluster.registry is None:
        yield (
            f"cluster.registry: should be set {where} (got nothing). Name a registry that every "
            "node reaches, such as registry.example.com/devportal."
        )
    if settings.monitoring.enabled:
        yield (
            f"monitoring.enabled: should be false {where} (got true). Watch the services with a "
            "Prometheus of your own."
        )
    if settings.ports.bind_address not in _EVERY_ADDRESS:
        yield (
            f"ports.bind_address: should be 0.0.0.0 {where} (got "
            f"'{settings.ports.bind_address}'): Swarm publishes on all addresses of a node."
        )
    for name in ("https", "http"):
        if not getattr(settings.ports, name):
            yield (
                f"ports.{name}: should be from 1 to 65535 {where} (got 0): every node publishes "
                "the same."
            )
    for name in settings.app.secrets:
        if len(name) > _LONGEST_SWARM_SECRET:
            yield (
                f"app.secrets.{name}: should have at most {_LONGEST_SWARM_SECRET} characters "
                f"{where} (got {len(name)}). Shorten it: Docker's name of it has at most 64."
            )
    for name in sorted(settings.outside):
        yield (
            f"{name}.external_url: should be left out {where} (got a URL). Remove it: the services "
            "know the stack's own stores alone."
        )


def _size_mistakes(settings: StackSettings) -> Iterator[str]:
    redis = settings.redis
    if redis.memory_mb < redis.max_memory_mb * 3 // 2:
        yield (
            f"redis.memory_mb: should be at least 1.5 times redis.max_memory_mb "
            f"(got {redis.memory_mb} for {redis.max_memory_mb}). Raise it: the "
            "snapshot's fork needs room."
        )
    nginx = settings.nginx
    needed = nginx.uploads_mb + nginx.responses_mb + _NGINX_MB
    if nginx.memory_mb < needed:
        yield (
            f"nginx.memory_mb: should be at least {needed} (got {nginx.memory_mb}): twice "
            f"nginx.uploads_per_client ({nginx.uploads_per_client}) times nginx.max_body_mb "
            f"({nginx.max_body_mb}), and {needed - nginx.uploads_mb} for itself. Raise it, or "
            "lower those."
        )


def _connection_mistakes(settings: StackSettings) -> Iterator[str]:
    app, connections = settings.app, settings.postgres.max_connections
    pools = 2 * app.replicas * app.database_pool_size
    starting = min(app.max_surge, app.replicas) * _MIGRATION_CONNECTIONS
    needed = pools + starting + _RESERVED_CONNECTIONS + _OTHER_CONNECTIONS
    if connections < needed:
        yield (
            f"postgres.max_connections: should be at least {needed} (got {connections}): in an "
            f"update twice app.replicas ({app.replicas}) times app.database_pool_size "
            f"({app.database_pool_size}), {starting} for migrations and "
            f"{_RESERVED_CONNECTIONS + _OTHER_CONNECTIONS} in reserve. Raise it, or lower those."
        )
    is_own = "postgres" not in settings.outside
    if is_own and settings.pids_limit < connections + _OTHER_PROCESSES:
        yield (
            f"pids_limit: should be at least {connections + _OTHER_PROCESSES} for "
            f"postgres.max_connections {connections} (got {settings.pids_limit}). Raise it: "
            "PostgreSQL has a process for each connection."
        )


def _port_mistakes(settings: StackSettings) -> Iterator[str]:
    taken: dict[int, str] = {}
    for name, port in settings.published_ports.items():
        if port in taken:
            yield (
                f"ports.{name}: should differ from ports.{taken[port]} (got {port} for both). "
                "Choose another, or 0 for a free one."
            )
        elif port != 0:
            taken[port] = name


def _name_mistakes(app: AppSettings) -> Iterator[str]:
    """A variable or a secret of the team's that would take the place of the stack's."""
    for name in app.environment:
        option = name.lower()
        stem = option.removesuffix("_file")
        if option in PortalOptions.model_fields:
            yield f"app.environment.{name}: should be a setting (got '{name}'). Set app.{option}."
        elif option in Config.model_fields or stem in {*SECRETS, *_AUTHORITIES, *app.secrets}:
            yield _taken(f"app.environment.{name}", name, "variable that the stack sets")
        elif name in _PROCESS_VARIABLES or name.startswith(_PROCESS_PREFIXES):
            yield _taken(f"app.environment.{name}", name, "variable that the server itself reads")
    for name in app.secrets:
        if name in SECRETS or name in _AUTHORITIES:
            yield _taken(f"app.secrets.{name}", name, "secret of the stack's own")


def _taken(where: str, name: str, what: str) -> str:
    return f"{where}: should be no {what} (got '{name}'). Choose another name."


def _development_mistakes(settings: StackSettings) -> Iterator[str]:
    if settings.app.replicas != 1:
        yield (
            f"app.replicas: should be 1 in development (got {settings.app.replicas}). Remove it: "
            "the portal's port is published directly, with nothing in front to share requests out."
        )
    if settings.app.reload and settings.app.image is not None:
        yield (
            "app.reload: should be false beside app.image (got true). Remove one of them: an image "
            "from elsewhere has code of its own."
        )


def _production_mistakes(settings: StackSettings) -> Iterator[str]:
    unfit = {f"app.{name}": reason for name, reason in unfit_for_production(settings.app).items()}
    if settings.app.reload:
        unfit["app.reload"] = "Code in production comes from the image alone."
    if settings.devtools:
        unfit["devtools"] = "Adminer fills in its own login form."
    for where, reason in unfit.items():
        yield f"{where}: should be false in production (got true). {reason}"
    yield from _tls_mistakes(settings)


def _tls_mistakes(settings: StackSettings) -> Iterator[str]:
    given = settings.secrets
    pair = {"tls_certificate": given.tls_certificate, "tls_key": given.tls_key}
    if settings.tls.mode is TlsMode.GENERATED:
        for name in (name for name, value in pair.items() if value is not None):
            yield (
                f"secrets.{name}: should be left out while tls.mode is generated (got a secret). "
                "Set tls.mode to provided, or remove it."
            )
        return
    for name in (name for name, value in pair.items() if value is None):
        yield (
            f"secrets.{name}: should be set while tls.mode is provided (got nothing). "
            f"{set_secret(f'secrets.{name}', ' < file.pem')}"
        )
    yield from _certificate_mistakes(settings)


def _certificate_mistakes(settings: StackSettings) -> Iterator[str]:
    certificate, key = settings.secrets.tls_certificate, settings.secrets.tls_key
    if certificate is None or key is None:
        return
    if isinstance(certificate, Encrypted) or isinstance(key, Encrypted):
        return
    try:
        check_pair(certificate.get_secret_value(), key.get_secret_value(), settings.domain)
    except CertificateError as error:
        yield f"secrets.tls_certificate: {error}"
