"""Settings: every mistake named at once, by the key as the user writes it."""

from typing import Any

import pulumi
import pytest
import yaml

from infra.errors import SettingsError
from infra.resources.image import ROOT
from infra.settings import Environment, ImageSource, Settings
from tests.support.recording import configuration, load_settings


def mistakes_of(stack: str = "dev", **values: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(stack, **{"environment": "development", **values})
    return caught.value.mistakes


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
        "devportal:environment: should be set (got nothing). Add it with `pulumi config set`."
    ]


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        (
            {"app": {"memory_mb": 1}},
            "devportal:app.memory_mb: should be a whole number from 64 to 65536 (got 1).",
        ),
        (
            {"app": {"reloda": True}},
            "devportal:app.reloda: should be a known key (got 'reloda'). Did you mean 'reload'?",
        ),
        (
            {"environment": "prod"},
            "devportal:environment: should be one of development, production (got 'prod').",
        ),
        (
            {"restart": "sometimes"},
            "devportal:restart: should be one of no, on-failure, unless-stopped, always "
            "(got 'sometimes').",
        ),
        (
            {"ports": {"portal": "http"}},
            "devportal:ports.portal: should be a whole number from 0 to 65535 (got 'http').",
        ),
        (
            {"backups": {"host_folder": "backups"}},
            "devportal:backups.host_folder: should be an absolute path without a colon "
            "(got 'backups').",
        ),
        ({"devtools": "maybe"}, "devportal:devtools: should be true or false (got 'maybe')."),
        ({"logs": 5}, "devportal:logs: should be a group of keys (got 5)."),
        (
            {"app": {"replicas": 3}},
            "devportal:app.replicas: should be 1 in development (got 3). Its port is published "
            "directly, with nothing in front to share requests out.",
        ),
        (
            {"redis": {"max_memory_mb": 256, "memory_mb": 300}},
            "devportal:redis.memory_mb: should be at least 1.5 times redis.max_memory_mb (got 300 "
            "for 256). Raise it: the snapshot's fork needs room.",
        ),
        (
            {
                "environment": "production",
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
            {"logs": {"driver": "syslog"}},
            "devportal:logs.driver: should be one of json-file, local (got 'syslog').",
        ),
        (
            {"environment": "production", "devtools": True},
            "devportal:devtools: should be false in production (got true). Adminer fills its "
            "login form in.",
        ),
        (
            {"environment": "production", "app": {"debug": True}},
            "devportal:app.debug: should be false in production (got true). Debug answers show "
            "the application's inside.",
        ),
        (
            {"secrets": {"secret_key": "plain"}},
            "devportal:secrets: should be encrypted (got plain text). Set each with `pulumi "
            "config set --secret --path devportal:secrets.<name>`.",
        ),
    ],
)
def test_broken_rule_is_told_with_its_key_and_value(values: dict[str, Any], mistake: str) -> None:
    assert mistakes_of(**values) == [mistake]


def test_stack_name_cannot_be_set_as_a_setting() -> None:
    pulumi.runtime.set_all_config(
        {"devportal:environment": "development", "devportal:stack": "other"}, []
    )
    with pytest.raises(SettingsError) as caught:
        Settings.load(pulumi.Config("devportal"), "dev")
    assert caught.value.mistakes == [
        "devportal:stack: should be a known key (got 'stack'). Remove it."
    ]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment="development", restart="x", app={"cpus": 0}, prots={})
    assert str(caught.value) == "\n".join(
        [
            "3 settings are wrong; nothing was changed:",
            "devportal:restart: should be one of no, on-failure, unless-stopped, always (got 'x').",
            "devportal:app.cpus: should be a number from 0.1 to 64 (got 0).",
            "devportal:prots: should be a known key (got 'prots'). Did you mean 'ports'?",
        ]
    )


def test_stack_name_that_docker_would_refuse_is_named() -> None:
    assert mistakes_of("Dev") == [
        "stack name: should be 1 to 31 lower-case letters, digits, '-' or '_', starting with a "
        "letter or digit (got 'Dev'). Choose another with `pulumi stack init`."
    ]


def test_secret_of_a_wrong_type_is_never_shown() -> None:
    with configuration({"environment": "development", "secrets": {"secret_key": [4711]}}):
        pulumi.runtime.set_all_config(
            {"devportal:environment": "development", "devportal:secrets": '{"secret_key": [4711]}'},
            ["devportal:secrets"],
        )
        with pytest.raises(SettingsError) as caught:
            Settings.load(pulumi.Config("devportal"), "dev")
    assert caught.value.mistakes == ["devportal:secrets.secret_key: should be text (got a secret)."]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_stack_file_of_the_project_loads(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    values = {key.removeprefix("devportal:"): value for key, value in config.items()}
    assert load_settings(stack, **values).stack == stack


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
