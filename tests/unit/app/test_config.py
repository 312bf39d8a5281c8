"""The environment: all mistakes at once, no secret shown."""

from pathlib import Path

import pytest

from app.config import ConfigError, load_config
from tests.unit.app.conftest import ENVIRONMENT


def mistakes_of(**changes: str) -> list[str]:
    environment = {**ENVIRONMENT, **changes}
    with pytest.raises(ConfigError) as caught:
        load_config({key: value for key, value in environment.items() if value})
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (
            {"APP_ENV": "test"},
            "APP_ENV: should be 'development' or 'production' (got 'test'). Set another.",
        ),
        (
            {"REDIS_URL": ""},
            "REDIS_URL: should be set (got nothing). Set REDIS_URL or REDIS_URL_FILE.",
        ),
        (
            {"DATABASE_URL": "mysql://user:password@host/name"},
            "DATABASE_URL: should be like postgresql://user:password@host:5432/database, with "
            "special characters percent-encoded (got 31 characters). Set another.",
        ),
        (
            {"MIGRATION_DATABASE_URL": "postgresql://user:pass/word@host/name"},
            "MIGRATION_DATABASE_URL: should be like "
            "postgresql://user:password@host:5432/database, with special characters "
            "percent-encoded (got 37 characters). Set another.",
        ),
        (
            {"REDIS_URL": "redis:6379"},
            "REDIS_URL: should be like redis://user:password@host:6379/0, with special "
            "characters percent-encoded (got 10 characters). Set another.",
        ),
        (
            {"APP_ENV": "production", "SEED": "true"},
            "SEED: should be false when APP_ENV is production (got true). The example accounts "
            "share one password.",
        ),
        (
            {"PASSWORD_LOGIN_ENABLED": "false"},
            "PASSWORD_LOGIN_ENABLED: should be true without OIDC_ISSUER (got false). Set "
            "OIDC_ISSUER, or nobody can sign in.",
        ),
        (
            {"APP_ENV": "production", "OIDC_ISSUER": "http://id.example.com"},
            "OIDC_ISSUER: should begin with https:// in production (got 'http://id.example.com'). "
            "Set the provider's own, which is encrypted.",
        ),
        (
            {"OIDC_ROLES": "staff=member"},
            "OIDC_ROLES: should be a group of keys (got 'staff=member'). Set another.",
        ),
        (
            {"SECRET_KEY_FILE": "/tmp/x"},
            "SECRET_KEY: should be set once (got SECRET_KEY and SECRET_KEY_FILE). Unset one.",
        ),
        (
            {"SECRET_KEY": "", "SECRET_KEY_FILE": "/no/where"},
            "SECRET_KEY_FILE: should name a readable file (got '/no/where': No such file or "
            "directory). Name another, or let this user read it.",
        ),
    ],
)
def test_mistake_is_told_with_what_to_do(change: dict[str, str], mistake: str) -> None:
    assert mistakes_of(**change) == [mistake]


def test_secret_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 40 + "\n")
    environment = {**ENVIRONMENT, "SECRET_KEY_FILE": str(path)}
    del environment["SECRET_KEY"]
    assert load_config(environment).secret_key.get_secret_value() == "k" * 40


def test_secrets_are_not_shown_by_printing() -> None:
    assert "pw@" not in repr(load_config(ENVIRONMENT))


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", []),
        (" , ", []),
        ("http://a", ["http://a"]),
        ("http://a,http://b", ["http://a", "http://b"]),
    ],
)
def test_origins_are_separated_by_commas_and_may_be_none(text: str, origins: list[str]) -> None:
    environment = {**ENVIRONMENT, "ALLOWED_ORIGINS": text}
    assert load_config(environment).allowed_origins == origins


def test_empty_variable_counts_as_unset() -> None:
    environment = {**ENVIRONMENT, "LOG_LEVEL": "", "ADMIN_PASSWORD_FILE": ""}
    assert load_config(environment).log_level == "info"
