"""Settings that are refused: every mistake at once, by the key as the user writes it."""

from typing import Any

import pytest

from app.config import ConfigError, load_config
from infra.errors import SettingsError
from infra.settings import Settings
from tests.support.recording import load_settings
from tests.unit.app.conftest import ENVIRONMENT

PRODUCTION = {"environment": "production"}
SWARM = {"mode": "swarm", "registry": "registry.example.com"}
IMAGE = "an image such as registry.example.com/portal:1.4"
REGISTRY = (
    "a registry with a dot or a port in its name, and a path if it has one, such as "
    "registry.example.com/hub"
)
ADDRESS = "an IP address, such as 127.0.0.1, 0.0.0.0 or ::1"
DOMAIN = "a host name with a dot in it, such as portal.example.com, of at most 253 characters"
FOLDER = "an absolute path, such as /srv/backups, without a colon, '//', '.' or '..'"
WORD = "1 to 63 letters, digits, '.', '_' or '-' that start with a letter, digit or '_'"
ORIGIN = "an origin such as https://portal.example.com, without a path"
VARIABLE = "the name of a variable: capital letters, digits and '_', a letter first"
TEXT = "at most 4096 printable characters; a fraction stands between quotes"
PRINTABLE = "printable characters, with no space at either end"


def mistakes_of(stack: str = "dev", /, **values: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(stack, **{"environment": "development", **values})
    return caught.value.mistakes


def portal_mistakes_of(name: str, value: str) -> list[str]:
    """What the portal says of the same value, in its environment."""
    with pytest.raises(ConfigError) as caught:
        load_config({**ENVIRONMENT, name.upper(): value})
    return caught.value.mistakes


def set_secret(name: str, group: str = "secrets") -> str:
    return f"Set it with `pulumi config set --secret --path devportal:{group}.{name}`."


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("app.replicas", 0, "from 1 to 16 (got 0)"),
        ("app.replicas", True, "a whole number from 1 to 16 (got true)"),
        ("ports.portal", "http", "a whole number from 0 to 65535 (got 'http')"),
        ("redis.cpus", 0, "from 0.1 to 64 (got 0)"),
        ("redis.cpus", "many", "a number from 0.1 to 64 (got 'many')"),
        ("environment", "prod", "'development' or 'production' (got 'prod')"),
        ("restart", "x", "'no', 'on-failure', 'unless-stopped' or 'always' (got 'x')"),
        ("devtools", "maybe", "true or false (got 'maybe')"),
        ("logs", 5, "a group of keys (got 5)"),
        ("app.version", "1/2", f"{WORD} (got '1/2')"),
        ("app.image", "A B", f"{IMAGE} (got 'A B')"),
        ("app.image", "portal:", f"{IMAGE} (got 'portal:')"),
        ("image_registry", "hub", f"{REGISTRY} (got 'hub')"),
        ("cluster.registry", "hub/team", f"{REGISTRY} (got 'hub/team')"),
        ("ports.bind_address", "localhost", f"{ADDRESS} (got 'localhost')"),
        ("ports.bind_address", "224.0.0.1", f"{ADDRESS} (got '224.0.0.1')"),
        ("ports.bind_address", 2130706433, f"{ADDRESS} (got 2130706433)"),
        ("ports.bind_address", "fe80::1%eth0", f"{ADDRESS} (got 'fe80::1%eth0')"),
        ("domain", "localhost", f"{DOMAIN} (got 'localhost')"),
        ("domain", "portal.example.com.", f"{DOMAIN} (got 'portal.example.com.')"),
        ("domain", "127.0.0.1", f"{DOMAIN} (got '127.0.0.1')"),
        ("domain", "a b.example.com;", f"{DOMAIN} (got 'a b.example.com;')"),
        ("domain", ".".join(["a" * 60] * 5), f"{DOMAIN} (got '{'a' * 60}.{'a' * 19}...')"),
        ("backups.host_folder", "backups", f"{FOLDER} (got 'backups')"),
        ("backups.host_folder", "/a:/b", f"{FOLDER} (got '/a:/b')"),
        ("backups.host_folder", "/srv/../b", f"{FOLDER} (got '/srv/../b')"),
        ("app.environment.bad-name", "x", f"{VARIABLE} (got 'bad-name')"),
        ("app.environment.LINES", "a\nb", f"{TEXT} (got 'a\\nb')"),
        ("app.environment.RATE", 1.5, f"{TEXT} (got 1.5)"),
    ],
)
def test_value_outside_its_rule_is_reported_with_rule_and_file(
    key: str, value: Any, rule: str
) -> None:
    values = value
    for part in reversed(key.split(".")):
        values = {part: values}
    assert mistakes_of(**values) == [
        f"devportal:{key}: should be {rule}. Correct it in Pulumi.dev.yaml."
    ]


@pytest.mark.parametrize("group", ["secrets", "app.secrets", "redis", "postgres", "cluster"])
def test_secret_in_the_place_of_its_group_is_not_shown(group: str) -> None:
    values: Any = "rediss://user:hunter2@host"
    for part in reversed(group.split(".")):
        values = {part: values}
    assert mistakes_of(**values)[0] == (
        f"devportal:{group}: should be a group of keys (got 26 characters). Correct it in "
        "Pulumi.dev.yaml."
    )


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("admin_email", "nobody", "an e-mail address (got 'nobody')"),
        ("allowed_origins", ["https://a.example/"], f"{ORIGIN} (got 'https://a.example/')"),
        ("allowed_origins", ["a.example"], f"{ORIGIN} (got 'a.example')"),
        (
            "webhooks_allowed_networks",
            ["10.0.0.1/8"],
            "a network such as 10.1.0.0/16 or fd00::/8 (got '10.0.0.1/8')",
        ),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error' (got 'loud')"),
        ("jwt_expire_minutes", "0", "from 1 to 1440 (got '0')"),
        ("database_pool_size", "101", "from 1 to 100 (got '101')"),
        ("key_requests_per_minute", "x", "a whole number from 1 to 1000000 (got 'x')"),
        ("anonymous_reads", "perhaps", "true or false (got 'perhaps')"),
    ],
)
def test_stack_and_portal_refuse_an_option_by_the_same_rule(
    option: str, value: str | list[str], rule: str
) -> None:
    place, text = (option, value) if isinstance(value, str) else (f"{option}[0]", value[0])
    assert mistakes_of(app={option: value}) == [
        f"devportal:app.{place}: should be {rule}. Correct it in Pulumi.dev.yaml."
    ]
    told = f"{option.upper()}: should be {rule}. Set another."
    assert portal_mistakes_of(option, text) == [told]


@pytest.mark.parametrize(
    ("secret", "value", "length"),
    [
        ("secret_key", "short", "32 to 1024"),
        ("jwt_secret_key", "k" * 31, "32 to 1024"),
        ("admin_password", "short", "8 to 128"),
        ("admin_password", "p" * 129, "8 to 128"),
        ("admin_password", "two\nlines", "8 to 128"),
        # What files and URLs cannot carry; no variable of the portal's.
        ("redis_password", "s3cret\0word", "8 to 128"),
        ("redis_password", " password", "8 to 128"),
    ],
)
def test_stack_and_portal_refuse_a_secret_by_the_same_rule(
    secret: str, value: str, length: str
) -> None:
    _, mistakes = Settings.check({"environment": "development", "secrets": {secret: value}}, "dev")
    refused = f"should be {length} {PRINTABLE} (got {len(value)} characters)"
    assert mistakes == [f"devportal:secrets.{secret}: {refused}. {set_secret(secret)}"]
    if secret.upper() in ENVIRONMENT:
        assert portal_mistakes_of(secret, value) == [f"{secret.upper()}: {refused}. Set another."]


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        (
            {"app": {"reloda": True}},
            "app.reloda: should be a known key (got 'reloda'). Did you mean 'reload'?",
        ),
        ({"tls": {"x": True}}, "tls.x: should be a known key (got 'x'). Known keys: mode."),
        (
            {"stack": "other"},
            "stack: should be a known key (got 'stack'). Known keys: "
            f"{', '.join(name for name in Settings.model_fields if name != 'stack')}.",
        ),
        (
            {"app": {"version": 1.1}},
            f"app.version: should be {WORD} (got 1.1). Put it between quotes in Pulumi.dev.yaml.",
        ),
        (
            {"app": {"replicas": 3}},
            "app.replicas: should be 1 in development (got 3). Remove it: the portal's port is "
            "published directly, with nothing in front to share requests out.",
        ),
        (
            {"app": {"reload": True, "image": f"sha256:{'0' * 64}"}},
            "app.reload: should be false beside app.image (got true). Remove one of them: an image "
            "from elsewhere has code of its own.",
        ),
        (
            {"redis": {"max_memory_mb": 256, "memory_mb": 300}},
            "redis.memory_mb: should be at least 1.5 times redis.max_memory_mb (got 300 for 256). "
            "Raise it: the snapshot's fork needs room.",
        ),
        (
            {"nginx": {"max_body_mb": 1024}},
            "nginx.memory_mb: should be at least 8288 (got 256): twice nginx.uploads_per_client "
            "(4) times nginx.max_body_mb (1024), and 96 for itself. Raise it, or lower those.",
        ),
        (
            {
                **PRODUCTION,
                "app": {"replicas": 4, "max_surge": 2, "database_pool_size": 10},
                "postgres": {"max_connections": 89},
            },
            "postgres.max_connections: should be at least 90 (got 89): in an update twice "
            "app.replicas (4) times app.database_pool_size (10), 4 for migrations and 6 in "
            "reserve. Raise it, or lower those.",
        ),
        (
            {"postgres": {"max_connections": 229}},
            "pids_limit: should be at least 257 for postgres.max_connections 229 (got 256). Raise "
            "it: PostgreSQL has a process for each connection.",
        ),
        (
            {"ports": {"portal": 5433}},
            "ports.postgres: should differ from ports.portal (got 5433 for both). Choose another, "
            "or 0 for a free one.",
        ),
        (
            {**PRODUCTION, "ports": {"http": 443, "portal": 443}},
            "ports.http: should differ from ports.https (got 443 for both). Choose another, or 0 "
            "for a free one.",
        ),
        (
            {**PRODUCTION, "devtools": True},
            "devtools: should be false in production (got true). Adminer fills in its own login "
            "form.",
        ),
        (
            {**PRODUCTION, "app": {"debug": True}},
            "app.debug: should be false in production (got true). Debug responses show the "
            "application's internals.",
        ),
        (
            {**PRODUCTION, "app": {"reload": True}},
            "app.reload: should be false in production (got true). Code in production comes from "
            "the image alone.",
        ),
        (
            {"app": {"password_login_enabled": False}},
            "app.password_login_enabled: should be true without app.oidc_issuer (got false). Set "
            "app.oidc_issuer, or nobody can sign in.",
        ),
        (
            {**PRODUCTION, "app": {"oidc_issuer": "http://id.example.com"}},
            "app.oidc_issuer: should begin with https:// in production (got "
            "'http://id.example.com'). Set the provider's own, which is encrypted.",
        ),
        (
            {"secrets": {"secret_key": "k" * 32}},
            f"secrets: should be encrypted (got plain text). {set_secret('<name>')}",
        ),
        (
            {"app": {"secrets": {"token": "t"}}},
            "app.secrets: should be encrypted (got plain text). "
            f"{set_secret('<name>', 'app.secrets')}",
        ),
        *(
            ({"app": {"secrets": {"token": "t"}, "environment": {name: "x"}}}, mistake)
            for name, mistake in {
                "DEBUG": "app.environment.DEBUG: should be a setting (got 'DEBUG'). Set app.debug.",
                **{
                    name: f"app.environment.{name}: should be no variable that {reader} (got "
                    f"'{name}'). Choose another name."
                    for name, reader in {
                        "DATABASE_URL_FILE": "the stack sets",
                        "TOKEN_FILE": "the stack sets",
                        "PGHOST": "the server itself reads",
                    }.items()
                },
            }.items()
        ),
        (
            {**PRODUCTION, "tls": {"mode": "provided"}},
            "secrets.tls_certificate: should be set while tls.mode is provided (got nothing). Set "
            "it with `pulumi config set --secret --path devportal:secrets.tls_certificate < "
            "file.pem`.",
        ),
        (
            {"cluster": {"mode": "swarm", "registry": "registry.example.com"}},
            "cluster.mode: should be none in development (got swarm). Remove it: code is reloaded "
            "from this machine.",
        ),
        *(
            (
                {**PRODUCTION, "cluster": SWARM, "ports": {"bind_address": "0.0.0.0"}, **values},
                mistake,
            )
            for values, mistake in (
                (
                    {"cluster": {"mode": "swarm"}},
                    "cluster.registry: should be set with cluster.mode swarm (got nothing). Name a "
                    "registry that every node reaches, such as registry.example.com/devportal.",
                ),
                (
                    {"monitoring": {"enabled": True}},
                    "monitoring.enabled: should be false with cluster.mode swarm (got true). Watch "
                    "the services with a Prometheus of your own.",
                ),
                (
                    {"ports": {}},
                    "ports.bind_address: should be 0.0.0.0 with cluster.mode swarm (got "
                    "'127.0.0.1'): Swarm publishes on all addresses of a node.",
                ),
                (
                    {"ports": {"bind_address": "0.0.0.0", "http": 0}},
                    "ports.http: should be from 1 to 65535 with cluster.mode swarm (got 0): every "
                    "node publishes the same.",
                ),
                (
                    {"app": {"secrets": {"s" * 48: "text"}}},
                    f"app.secrets.{'s' * 48}: should have at most 47 characters with cluster.mode "
                    "swarm (got 48). Shorten it: Docker's name of it has at most 64.",
                ),
            )
        ),
    ],
)
def test_mistake_is_reported_with_what_to_do(values: dict[str, Any], mistake: str) -> None:
    assert mistakes_of(**values)[0] == f"devportal:{mistake}"


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment="development", restart="x", app={"cpus": 0}, prots={})
    assert str(caught.value).splitlines() == [
        "3 settings are wrong; nothing was changed:",
        "devportal:restart: should be 'no', 'on-failure', 'unless-stopped' or 'always' "
        "(got 'x'). Correct it in Pulumi.dev.yaml.",
        "devportal:app.cpus: should be from 0.1 to 64 (got 0). Correct it in Pulumi.dev.yaml.",
        "devportal:prots: should be a known key (got 'prots'). Did you mean 'ports'?",
    ]


@pytest.mark.parametrize("stack", ["Dev", "b_-x", "a--b", "-a", "a_", "a.b", "a" * 32, ""])
def test_stack_name_that_no_image_can_hold_is_refused(stack: str) -> None:
    assert mistakes_of(stack) == [
        "stack name: should be 1 to 31 lower-case letters and digits, with single '-' or '_' "
        f"between them (got '{stack}'). Choose another name."
    ]


def test_secret_of_a_wrong_type_is_never_shown() -> None:
    secrets = {"secret_key": [4711]}
    _, mistakes = Settings.check({"environment": "development", "secrets": secrets}, "dev")
    assert mistakes == [
        f"devportal:secrets.secret_key: should be 32 to 1024 {PRINTABLE} "
        f"(got a secret that is no text). {set_secret('secret_key')}"
    ]


def test_secret_of_the_teams_own_is_checked_and_never_shown() -> None:
    secrets = {"redis_url": "r", "token": "a\0b", "Bad": "b"}
    development = {"environment": "development"}
    _, mistakes = Settings.check({**development, "app": {"secrets": secrets}}, "dev")
    assert mistakes == [
        "devportal:app.secrets.token: should be 1 to 65536 characters without NUL (got 3 "
        f"characters). {set_secret('token', 'app.secrets')}",
        "devportal:app.secrets.Bad: should be the name of a file: small letters, digits and '_', a "
        "letter first (got 'Bad'). Correct it in Pulumi.dev.yaml.",
    ]
    _, mistakes = Settings.check({**development, "app": {"secrets": {"redis_url": "r"}}}, "dev")
    assert mistakes == [
        "devportal:app.secrets.redis_url: should be no secret of the stack's own (got "
        "'redis_url'). Choose another name."
    ]
