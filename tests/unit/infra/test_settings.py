"""Settings: every mistake named at once, by the key as the user writes it."""

from typing import Any

import pulumi
import pytest

from app.config import ConfigError, load_config
from infra.errors import SettingsError
from infra.settings import Environment, ImageSource, Settings
from tests.support.recording import configuration, load_settings
from tests.unit.app.conftest import ENVIRONMENT

PRODUCTION = {"environment": "production"}


def mistakes_of(stack: str = "dev", **values: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(stack, **{"environment": "development", **values})
    return caught.value.mistakes


def secret_mistakes_of(**secrets: Any) -> list[str]:
    """Of secrets that are encrypted."""
    values = {"environment": "development", "secrets": secrets}
    return Settings.check(values, "dev")[1]


def test_environment_alone_is_a_complete_configuration() -> None:
    settings = load_settings("prod", environment="production")
    assert settings.environment is Environment.PRODUCTION
    assert settings.retain_data
    assert not settings.devtools


def test_backups_are_taken_in_production_and_in_development_where_asked_for() -> None:
    assert load_settings("prod", environment="production").backups.enabled
    assert not load_settings(
        environment="development", backups={"interval_hours": 1}
    ).backups.enabled
    assert load_settings(environment="development", backups={"enabled": True}).backups.enabled


def test_missing_environment_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.mistakes == [
        "devportal:environment: should be set (got nothing). Add it to Pulumi.dev.yaml."
    ]


IMAGE_RULE = "devportal:app.image: should be an image such as registry.example.com/portal:1.4"
BIND_RULE = "devportal:ports.bind_address: should be an IP address, such as 127.0.0.1, 0.0.0.0 or"
DOMAIN_RULE = (
    "devportal:domain: should be a host name with a dot in it, such as portal.example.com, of at "
    "most 253 characters"
)
FOLDER_RULE = (
    "devportal:backups.host_folder: should be an absolute path, such as /srv/backups, without a "
    "colon, '//', '.' or '..'"
)
VERSION_RULE = (
    "should be 1 to 63 letters, digits, '.', '_' or '-' that start with a letter, digit or '_'"
)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"app": {"replicas": 0}}, "devportal:app.replicas: should be from 1 to 16 (got 0)"),
        (
            {"app": {"replicas": True}},
            "devportal:app.replicas: should be a whole number from 1 to 16 (got true)",
        ),
        (
            {"ports": {"portal": "http"}},
            "devportal:ports.portal: should be a whole number from 0 to 65535 (got 'http')",
        ),
        ({"redis": {"cpus": 0}}, "devportal:redis.cpus: should be from 0.1 to 64 (got 0)"),
        (
            {"redis": {"cpus": "many"}},
            "devportal:redis.cpus: should be a number from 0.1 to 64 (got 'many')",
        ),
        (
            {"environment": "prod"},
            "devportal:environment: should be 'development' or 'production' (got 'prod')",
        ),
        (
            {"restart": "sometimes"},
            "devportal:restart: should be 'no', 'on-failure', 'unless-stopped' or 'always' "
            "(got 'sometimes')",
        ),
        (
            {"logs": {"driver": "syslog"}},
            "devportal:logs.driver: should be 'json-file' or 'local' (got 'syslog')",
        ),
        (
            {"tls": {"mode": "none"}},
            "devportal:tls.mode: should be 'generated' or 'provided' (got 'none')",
        ),
        ({"devtools": "maybe"}, "devportal:devtools: should be true or false (got 'maybe')"),
        ({"logs": 5}, "devportal:logs: should be a group of keys (got 5)"),
        ({"app": {"version": "1/2"}}, f"devportal:app.version: {VERSION_RULE} (got '1/2')"),
        ({"app": {"image": "A B"}}, f"{IMAGE_RULE} (got 'A B')"),
        ({"app": {"image": "portal:"}}, f"{IMAGE_RULE} (got 'portal:')"),
        ({"ports": {"bind_address": "localhost"}}, f"{BIND_RULE} ::1 (got 'localhost')"),
        ({"ports": {"bind_address": "10.0.0.256"}}, f"{BIND_RULE} ::1 (got '10.0.0.256')"),
        ({"ports": {"bind_address": "fe80::1%eth0"}}, f"{BIND_RULE} ::1 (got 'fe80::1%eth0')"),
        ({"domain": "localhost"}, f"{DOMAIN_RULE} (got 'localhost')"),
        ({"domain": "portal.example.com."}, f"{DOMAIN_RULE} (got 'portal.example.com.')"),
        ({"domain": "127.0.0.1"}, f"{DOMAIN_RULE} (got '127.0.0.1')"),
        ({"domain": "a b.example.com;"}, f"{DOMAIN_RULE} (got 'a b.example.com;')"),
        (
            {"domain": ".".join(["a" * 60] * 5)},
            f"{DOMAIN_RULE} (got '{'a' * 60}.{'a' * 19}...')",
        ),
        ({"backups": {"host_folder": "backups"}}, f"{FOLDER_RULE} (got 'backups')"),
        ({"backups": {"host_folder": "/a:/b"}}, f"{FOLDER_RULE} (got '/a:/b')"),
        ({"backups": {"host_folder": "/srv/../b"}}, f"{FOLDER_RULE} (got '/srv/../b')"),
    ],
)
def test_value_outside_its_rule_is_reported_with_rule_and_file(
    values: dict[str, Any], rule: str
) -> None:
    assert mistakes_of(**values) == [f"{rule}. Correct it in Pulumi.dev.yaml."]


@pytest.mark.parametrize(
    ("option", "value", "portal_value", "rule"),
    [
        ("admin_email", "nobody", "nobody", "should be an e-mail address (got 'nobody')"),
        (
            "allowed_origins",
            ["https://a.example/"],
            "https://a.example/",
            "should be an origin such as https://portal.example.com, without a path "
            "(got 'https://a.example/')",
        ),
        (
            "allowed_origins",
            ["a.example"],
            "a.example",
            "should be an origin such as https://portal.example.com, without a path "
            "(got 'a.example')",
        ),
        (
            "log_level",
            "loud",
            "loud",
            "should be 'debug', 'info', 'warning' or 'error' (got 'loud')",
        ),
        ("jwt_expire_minutes", "0", "0", "should be from 1 to 1440 (got '0')"),
        ("database_pool_size", "101", "101", "should be from 1 to 100 (got '101')"),
        (
            "key_requests_per_minute",
            "x",
            "x",
            "should be a whole number from 1 to 1000000 (got 'x')",
        ),
        ("anonymous_reads", "perhaps", "perhaps", "should be true or false (got 'perhaps')"),
    ],
)
def test_stack_and_portal_refuse_an_option_by_the_same_rule(
    option: str, value: Any, portal_value: str, rule: str
) -> None:
    place = f"{option}[0]" if isinstance(value, list) else option
    assert mistakes_of(app={option: value}) == [
        f"devportal:app.{place}: {rule}. Correct it in Pulumi.dev.yaml."
    ]
    with pytest.raises(ConfigError) as caught:
        load_config({**ENVIRONMENT, option.upper(): portal_value})
    assert caught.value.mistakes == [f"{option.upper()}: {rule}. Set another."]


@pytest.mark.parametrize(
    ("secret", "value", "rule"),
    [
        ("secret_key", "short", "32 to 1024 printable characters, with no space at either end"),
        (
            "jwt_secret_key",
            "k" * 31,
            "32 to 1024 printable characters, with no space at either end",
        ),
        ("admin_password", "short", "8 to 128 printable characters, with no space at either end"),
        ("admin_password", "p" * 129, "8 to 128 printable characters, with no space at either end"),
        (
            "admin_password",
            "two\nlines",
            "8 to 128 printable characters, with no space at either end",
        ),
    ],
)
def test_stack_and_portal_refuse_a_secret_by_the_same_rule(
    secret: str, value: str, rule: str
) -> None:
    refused = f"should be {rule} (got {len(value)} characters)"
    assert secret_mistakes_of(**{secret: value}) == [
        f"devportal:secrets.{secret}: {refused}. Set it with "
        f"`pulumi config set --secret --path devportal:secrets.{secret}`."
    ]
    with pytest.raises(ConfigError) as caught:
        load_config({**ENVIRONMENT, secret.upper(): value})
    assert caught.value.mistakes == [f"{secret.upper()}: {refused}. Set another."]


@pytest.mark.parametrize("password", ["s3cret\0word", "pass\rword", "tab\tpassword", " password"])
def test_password_that_files_and_urls_cannot_carry_is_refused(password: str) -> None:
    assert secret_mistakes_of(redis_password=password) == [
        "devportal:secrets.redis_password: should be 8 to 128 printable characters, with no space "
        f"at either end (got {len(password)} characters). Set it with `pulumi config set --secret "
        "--path devportal:secrets.redis_password`."
    ]


@pytest.mark.parametrize("password", ["a b:c\\d>e#f", 'it\'s "100%"', "pässwörter", "@/?&=12345"])
def test_password_of_other_printable_characters_is_accepted(password: str) -> None:
    assert secret_mistakes_of(redis_password=password, app_password=password) == []


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        (
            {"app": {"reloda": True}},
            "devportal:app.reloda: should be a known key (got 'reloda'). Did you mean 'reload'?",
        ),
        (
            {"tls": {"x": True}},
            "devportal:tls.x: should be a known key (got 'x'). Known keys: mode.",
        ),
        (
            {"app": {"version": 1.1}},
            f"devportal:app.version: {VERSION_RULE} (got 1.1). Put it between quotes in "
            "Pulumi.dev.yaml.",
        ),
        (
            {"app": {"replicas": 3}},
            "devportal:app.replicas: should be 1 in development (got 3). Remove it: the portal's "
            "port is published directly, with nothing in front to share requests out.",
        ),
        (
            {"redis": {"max_memory_mb": 256, "memory_mb": 300}},
            "devportal:redis.memory_mb: should be at least 1.5 times redis.max_memory_mb (got 300 "
            "for 256). Raise it: the snapshot's fork needs room.",
        ),
        (
            {
                **PRODUCTION,
                "app": {"replicas": 4, "max_surge": 2, "database_pool_size": 10},
                "postgres": {"max_connections": 89},
            },
            "devportal:postgres.max_connections: should be at least 90 (got 89): in an update "
            "twice app.replicas (4) times app.database_pool_size (10), 4 for migrations and 6 in "
            "reserve. Raise it, or lower those.",
        ),
        (
            {"postgres": {"max_connections": 229}},
            "devportal:pids_limit: should be at least 257 for postgres.max_connections 229 (got "
            "256). Raise it: PostgreSQL has a process for each connection.",
        ),
        (
            {"ports": {"portal": 5433}},
            "devportal:ports.postgres: should differ from ports.portal (got 5433 for both). Choose "
            "another, or 0 for a free one.",
        ),
        (
            {**PRODUCTION, "ports": {"http": 443, "portal": 443}},
            "devportal:ports.http: should differ from ports.https (got 443 for both). Choose "
            "another, or 0 for a free one.",
        ),
        (
            {**PRODUCTION, "devtools": True},
            "devportal:devtools: should be false in production (got true). Adminer fills in its "
            "own login form.",
        ),
        (
            {**PRODUCTION, "app": {"debug": True}},
            "devportal:app.debug: should be false in production (got true). Debug responses show "
            "the application's internals.",
        ),
        (
            {**PRODUCTION, "app": {"reload": True}},
            "devportal:app.reload: should be false in production (got true). Code in production "
            "comes from the image alone.",
        ),
        (
            {"secrets": {"secret_key": "k" * 32}},
            "devportal:secrets: should be encrypted (got plain text). Set it with `pulumi config "
            "set --secret --path devportal:secrets.<name>`.",
        ),
        (
            {**PRODUCTION, "tls": {"mode": "provided"}},
            "devportal:secrets.tls_certificate: should be set while tls.mode is provided (got "
            "nothing). Set it with `pulumi config set --secret --path "
            "devportal:secrets.tls_certificate < file.pem`.",
        ),
    ],
)
def test_mistake_is_reported_with_what_to_do(values: dict[str, Any], mistake: str) -> None:
    assert mistakes_of(**values)[0] == mistake


def test_stack_name_cannot_be_set_as_a_setting() -> None:
    _, mistakes = Settings.check({"environment": "development", "stack": "other"}, "dev")
    assert mistakes == [
        "devportal:stack: should be a known key (got 'stack'). Known keys: environment, domain, "
        "devtools, retain_data, image_source, restart, pids_limit, memory_reservation_percent, "
        "ports, app, nginx, tls, postgres, backups, redis, health, logs, secrets."
    ]


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment="development", restart="x", app={"cpus": 0}, prots={})
    assert str(caught.value) == "\n".join(
        [
            "3 settings are wrong; nothing was changed:",
            "devportal:restart: should be 'no', 'on-failure', 'unless-stopped' or 'always' "
            "(got 'x'). Correct it in Pulumi.dev.yaml.",
            "devportal:app.cpus: should be from 0.1 to 64 (got 0). Correct it in Pulumi.dev.yaml.",
            "devportal:prots: should be a known key (got 'prots'). Did you mean 'ports'?",
        ]
    )


@pytest.mark.parametrize("stack", ["Dev", "b_-x", "a--b", "-a", "a_", "a.b", "a" * 32, ""])
def test_stack_name_that_no_image_can_hold_is_refused(stack: str) -> None:
    assert mistakes_of(stack) == [
        "stack name: should be 1 to 31 lower-case letters and digits, with single '-' or '_' "
        f"between them (got '{stack}'). Choose another name."
    ]


@pytest.mark.parametrize("stack", ["dev", "a-b_c-1", "7", "a" * 31])
def test_stack_name_of_letters_digits_and_single_separators_is_accepted(stack: str) -> None:
    assert load_settings(stack, environment="development").stack == stack


def test_secret_of_a_wrong_type_is_never_shown() -> None:
    with configuration({"environment": "development"}):
        pulumi.runtime.set_all_config(
            {"devportal:environment": "development", "devportal:secrets": '{"secret_key": [4711]}'},
            ["devportal:secrets"],
        )
        with pytest.raises(SettingsError) as caught:
            Settings.load(pulumi.Config("devportal"), "dev")
    assert caught.value.mistakes == [
        "devportal:secrets.secret_key: should be 32 to 1024 printable characters, with no space at "
        "either end (got a secret that is no text). Set it with `pulumi config set --secret --path "
        "devportal:secrets.secret_key`."
    ]


def test_what_is_the_same_in_any_spelling_is_normalised() -> None:
    settings = load_settings(
        environment="development",
        domain="Portal.Example.COM",
        app={
            "version": 2,
            "admin_email": "Ada@Example.com",
            "allowed_origins": ["HTTPS://A.example:443", "http://[::1]:8080"],
        },
        ports={"bind_address": "0:0:0:0:0:0:0:1"},
    )
    assert settings.domain == "portal.example.com"
    assert settings.app.version == "2"
    assert settings.app.admin_email == "ada@example.com"
    assert settings.app.allowed_origins == ["https://a.example", "http://[::1]:8080"]
    assert settings.ports.bind_address == "::1"


@pytest.mark.parametrize(
    "image",
    [
        "devportal-prod-app:1.4",
        "registry.example.com:5000/team/portal__x:v1@sha256:" + "0" * 64,
        "sha256:" + "a" * 64,
    ],
)
def test_image_of_any_valid_spelling_is_accepted(image: str) -> None:
    assert load_settings(environment="development", app={"image": image}).app.image == image


@pytest.mark.parametrize(
    ("given", "has_start_interval", "seconds"), [(None, True, 30), (None, False, 5), (2, True, 2)]
)
def test_probes_are_rare_where_starts_have_an_interval_of_their_own(
    given: int | None, has_start_interval: bool, seconds: int
) -> None:
    health = load_settings(environment="development", health={"interval_seconds": given}).health
    assert health.interval_for(has_start_interval) == seconds


def test_portal_reads_back_what_the_stack_sets() -> None:
    settings = load_settings(
        "prod",
        environment="production",
        app={"version": "1.4", "allowed_origins": [], "jwt_expire_minutes": 5},
    )
    portal = settings.portal(migrate=True)
    config = load_config({**ENVIRONMENT, **portal.environment()})
    assert {name: getattr(config, name) for name in type(portal).model_fields} == dict(portal)


@pytest.mark.parametrize(
    ("setting", "found", "resolved"),
    [
        ("auto", "", ImageSource.OFFICIAL),
        ("auto", "packages", ImageSource.PACKAGES),
        ("official", "packages", ImageSource.OFFICIAL),
        ("packages", "", ImageSource.PACKAGES),
    ],
)
def test_image_source_auto_is_what_the_set_up_found(
    monkeypatch: pytest.MonkeyPatch, setting: str, found: str, resolved: ImageSource
) -> None:
    monkeypatch.setenv("DEVPORTAL_IMAGE_SOURCE", found)
    settings = load_settings(environment="development", image_source=setting)
    assert settings.resolved_image_source is resolved
