"""Settings that are taken: defaults, spellings, and what the rest of the program reads of them."""

from typing import Any

import pytest

from app.config import load_config
from infra.settings import Environment, ImageSource, Settings
from tests.support.recording import load_settings
from tests.unit.app.conftest import ENVIRONMENT


def development(**values: Any) -> Settings:
    return load_settings("dev", environment="development", **values)


def production(**values: Any) -> Settings:
    return load_settings("prod", environment="production", **values)


def test_environment_alone_is_a_complete_configuration() -> None:
    settings = production()
    assert settings.environment is Environment.PRODUCTION
    assert settings.retain_data
    assert not settings.devtools


def test_backups_are_taken_in_production_and_in_development_where_asked_for() -> None:
    assert production().backups.enabled
    assert not development(backups={"interval_hours": 1}).backups.enabled
    assert development(backups={"enabled": True}).backups.enabled


@pytest.mark.parametrize("stack", ["dev", "a-b_c-1", "7", "a" * 31])
def test_stack_name_of_letters_digits_and_single_separators_is_accepted(stack: str) -> None:
    assert load_settings(stack, environment="development").stack == stack


def test_what_is_the_same_in_any_spelling_is_normalised() -> None:
    settings = development(
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
    mapped = load_settings(environment="development", ports={"bind_address": "::ffff:127.0.0.1"})
    assert mapped.ports.bind_address == "127.0.0.1"


@pytest.mark.parametrize(
    "image",
    [
        "devportal-prod-app:1.4",
        "registry.example.com:5000/team/portal__x:v1@sha256:" + "0" * 64,
        "sha256:" + "a" * 64,
    ],
)
def test_image_of_any_valid_spelling_is_accepted(image: str) -> None:
    assert development(app={"image": image}).app.image == image


@pytest.mark.parametrize(
    "registry",
    [
        "registry.example.com",
        "docker.io/team",
        "hub:5000/a/b",
        "10.0.0.1:5000",
        "localhost",
        "[::1]",
    ],
)
def test_registry_that_docker_takes_for_one_is_accepted(registry: str) -> None:
    assert development(image_registry=registry).image_registry == registry


def test_portal_reads_back_what_the_stack_sets() -> None:
    app = {"version": "1.4", "allowed_origins": [], "jwt_expire_minutes": 5}
    app |= {"oidc_issuer": "https://id.example.com", "oidc_roles": {"a, b": "admin"}}
    portal = production(app=app).portal(migrate=True)
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
    assert development(image_source=setting).resolved_image_source is resolved
