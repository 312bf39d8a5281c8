"""A PostgreSQL and a Redis of others: what is refused, and what the program registers then."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from infra.errors import SettingsError
from infra.naming import CONTAINER, NETWORK, VOLUME
from infra.settings import Environment, Settings
from infra.settings.stack_file import find_mistakes
from infra.x509 import make_authority
from policy.pack import RULES, find_reason
from policy.resource import Resource
from tests.support.recording import FILES, Recorder, load_settings, load_stack_file, record_portal

POSTGRES = "postgresql://boss:p%3Aw@db.example.com:6432/devportal?sslmode="
REDIS = "rediss://portal:p%3Aw@cache.example.com/1"
CA = make_authority("of others", ["db.example.com"]).certificate
POSTGRES_RULE = (
    "devportal:postgres.external_url: should be like "
    "postgresql://user:password@host:5432/devportal?sslmode=verify-full (or require, or disable), "
    "with special characters percent-encoded (got {} characters). Set it with `pulumi config set "
    "--secret --path devportal:postgres.external_url`."
)
REDIS_RULE = (
    "devportal:redis.external_url: should be like rediss://user:password@host:6379/0 (or "
    "redis://), with special characters percent-encoded (got {} characters). Set it with `pulumi "
    "config set --secret --path devportal:redis.external_url`."
)


def mistakes_of(**values: Any) -> list[str]:
    return Settings.check({"environment": "production", **values}, "prod")[1]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://boss:p@db/devportal?sslmode=require",
        "postgresql://boss:p@db/devportal",
        "postgresql://boss:p@db/devportal?sslmode=prefer",
        "postgresql://boss:p@db/devportal?sslmode=require&target_session_attrs=any",
        "postgresql://boss:p@db/other?sslmode=require",
        "postgresql://boss@db/devportal?sslmode=require",
        "postgresql://:p@db/devportal?sslmode=require",
        "postgresql://boss:p/w@db/devportal?sslmode=require",
        "postgresql://boss:p@db:0/devportal?sslmode=require",
        "postgresql://boss:p@[::1]/devportal?sslmode=require",
        "postgresql://boss:p w@db/devportal?sslmode=require",
    ],
)
def test_url_of_postgresql_that_breaks_its_rule_is_refused_and_never_shown(url: str) -> None:
    mistakes = mistakes_of(postgres={"external_url": url})
    assert mistakes == [POSTGRES_RULE.format(len(url))]


@pytest.mark.parametrize(
    "url",
    [
        "http://portal:p@cache",
        "redis://cache",
        "redis://portal@cache",
        "rediss://portal:p@cache/first",
        "rediss://portal:p@cache/0?ssl_cert_reqs=none",
        "rediss://portal:p@cache:70000/0",
    ],
)
def test_url_of_redis_that_breaks_its_rule_is_refused_and_never_shown(url: str) -> None:
    assert mistakes_of(redis={"external_url": url}) == [REDIS_RULE.format(len(url))]


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        (
            {"postgres": {"external_url": f"{POSTGRES}disable"}},
            "postgres.external_url: should use TLS in production (got sslmode disable). Use "
            "sslmode=verify-full, or set postgres.external_is_private where nobody else is on the "
            "way.",
        ),
        (
            {"redis": {"external_url": "redis://portal:p@cache"}},
            "redis.external_url: should use TLS in production (got redis://). Use rediss://, or "
            "set redis.external_is_private where nobody else is on the way.",
        ),
        (
            {"postgres": {"external_url": f"{POSTGRES}verify-full"}},
            "postgres.external_ca: should be set while sslmode is verify-full (got nothing). Set "
            "it to the certificate of the authority that vouches for the server.",
        ),
        (
            {"redis": {"external_ca": CA}},
            "redis.external_ca: should be left out without redis.external_url (got a "
            "certificate). Remove it.",
        ),
        (
            {"postgres": {"external_url": f"{POSTGRES}require", "external_ca": "x"}},
            "postgres.external_ca: should be PEM of the certificates of authorities, without a "
            "key (got 'x'). Correct it in Pulumi.prod.yaml.",
        ),
        (
            {"postgres": {"external_url": f"{POSTGRES}require", "fresh_start": "again"}},
            "postgres.fresh_start: should be left out while postgres.external_url is set (got "
            "'again'). Remove it.",
        ),
    ],
)
def test_what_does_not_fit_beside_a_store_of_others_is_refused(
    values: dict[str, Any], mistake: str
) -> None:
    assert mistakes_of(**values) == [f"devportal:{mistake}"]


def test_development_tools_and_a_certificate_without_tls_are_refused() -> None:
    redis = {"external_url": "redis://portal:p@cache", "external_ca": CA}
    assert mistakes_of(environment="development", devtools=True, redis=redis) == [
        "devportal:devtools: should be false while redis.external_url is set (got true). Remove "
        "it: Adminer and Redis Commander know the stack's own stores alone.",
        "devportal:redis.external_ca: should be left out beside redis:// (got a certificate). Use "
        "rediss://, or remove it.",
    ]


def test_scheme_in_capitals_is_no_way_around_tls() -> None:
    [mistake] = mistakes_of(redis={"external_url": "REDIS://portal:p@cache"})
    assert mistake.startswith("devportal:redis.external_url: should use TLS in production")


@pytest.mark.parametrize("private", ["postgres", "redis"])
def test_private_way_needs_no_tls(private: str) -> None:
    urls = {"postgres": f"{POSTGRES}disable", "redis": "redis://portal:p@cache"}
    group = {"external_url": urls[private], "external_is_private": True}
    assert mistakes_of(**{private: group}) == []


def test_url_in_plain_text_is_refused(tmp_path: Path) -> None:
    told = (
        "devportal:redis.external_url: should be encrypted (got plain text). Set it with `pulumi "
        "config set --secret --path devportal:redis.external_url`."
    )
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "config:\n  devportal:environment: production\n  devportal:redis:\n"
        f"    external_url: {REDIS}\n"
    )
    assert find_mistakes(tmp_path, "prod") == [told]
    with pytest.raises(SettingsError) as caught:
        load_settings("prod", environment="production", redis={"external_url": REDIS})
    assert caught.value.mistakes == [told]


def registered(
    stack: str = "prod", *, kept: bool = False, redis: bool = True, **more: Any
) -> Recorder:
    settings = load_stack_file(stack)
    postgres = {"external_url": SecretStr(f"{POSTGRES}verify-full"), "external_ca": CA}
    outside: dict[str, Any] = {"postgres": settings.postgres.model_copy(update=postgres)}
    if redis:
        own = {"external_url": SecretStr(REDIS), "external_ca": CA}
        outside["redis"] = settings.redis.model_copy(update=own)
    volumes = [f"devportal-{stack}-{role}-data" for role in ("postgres", "redis")] if kept else []
    return record_portal(settings.model_copy(update={**outside, **more}), volumes)


def networks_of(found: Recorder) -> dict[str, list[str]]:
    return {
        name: [one["name"].split("-")[-2] for one in container["networksAdvanced"]]
        for name, container in found.of_type(CONTAINER).items()
    }


def test_stack_with_both_stores_outside_runs_none_and_lets_three_parts_out() -> None:
    found = registered()
    assert networks_of(found) == {
        "postgres-roles": ["egress"],
        "migrations": ["app", "egress"],
        "app-1": ["app", "egress"],
        "app-2": ["app", "egress"],
        "nginx": ["edge", "app"],
        "backups": ["egress"],
    }
    assert {*found.of_type(NETWORK)} == {"edge-network", "app-network", "egress-network"}
    assert {name for name in found.of_type(VOLUME) if name.endswith("-data")} == {"backups-data"}
    assert "redis" not in found.outputs["images"]


def test_one_store_outside_leaves_the_other_where_it_is() -> None:
    found = networks_of(registered(redis=False))
    assert found["redis"] == ["data"]
    assert found["migrations"] == found["app-1"] == ["app", "data", "egress"]
    assert found["backups"] == ["egress"]


def test_development_has_its_one_network_and_no_address_of_a_store() -> None:
    found = registered("dev", devtools=False)
    assert {*found.of_type(CONTAINER)} == {"postgres-roles", "app"}
    assert not {"postgres_address", "redis_address"} & {*found.outputs}


def files_of(found: Recorder, role: str) -> dict[str, Any]:
    files = found.of_type(FILES)[f"{role}-files"]["files"]
    return files.get("value", files)


def test_urls_passwords_and_authorities_are_files_and_no_variables() -> None:
    found = registered()
    app = files_of(found, "app")
    address = (
        "db.example.com:6432/devportal?sslmode=verify-full&sslrootcert=/run/secrets/postgres_ca"
    )
    assert app["database_url"] == f"postgresql://devportal_user:generated-secret@{address}"
    assert app["redis_url"] == f"{REDIS}?ssl_ca_certs=/run/secrets/redis_ca"
    assert app["postgres_ca"] == app["redis_ca"] == CA
    assert files_of(found, "postgres-roles")["pgpass"] == "db.example.com:6432:*:boss:p\\:w\n"
    assert files_of(found, "backups")["pgpass"].startswith("db.example.com:6432:devportal:")
    environment = str([one["envs"] for one in found.of_type(CONTAINER).values()])
    assert "p%3Aw" not in environment
    assert "p:w" not in environment
    assert environment.count("PGSSLROOTCERT=/run/secrets/postgres_ca") == 2


def test_stack_with_stores_of_others_breaks_no_rule() -> None:
    resources = [
        Resource(
            type=one.type,
            name=one.name,
            inputs=one.inputs,
            protect=one.protect,
            environment=Environment.PRODUCTION,
        )
        for one in registered(kept=True).resources
    ]
    rules = [rule for rules in RULES.values() for rule in rules]
    assert not [reason for one in resources for rule in rules if (reason := find_reason(rule, one))]


def test_portal_waits_for_the_roles() -> None:
    found = registered()
    assert (CONTAINER, "postgres-roles") in found.before(CONTAINER, "migrations")


def test_data_of_the_stacks_own_stores_stays_the_same_protected_resources() -> None:
    def data(found: Recorder) -> dict[str, bool]:
        names = ("postgres-data", "redis-data", "postgres-data-guard")
        return {one.urn: one.protect for one in found.resources if one.name in names}

    kept = data(registered(kept=True))
    assert kept == data(record_portal(load_stack_file("prod")))
    assert {*kept.values()} == {True}
    # What is protected in the state has to be declared in order to be set free.
    free = data(registered(kept=True, retain_data=False))
    assert free == dict.fromkeys(kept, False)
