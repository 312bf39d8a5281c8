"""A cluster's registry with a password: what is refused, and where the password goes."""

from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from docker.errors import DockerException
from pydantic import SecretStr

from infra.engine import pushed_image, registry_login
from infra.engine.pushed_image import PushError, _PushedImageProvider
from infra.engine.registry_login import LoginError, _RegistryLoginProvider
from infra.naming import NETWORK, SERVICE
from infra.settings import Settings
from infra.settings.stack_file import find_mistakes
from tests.support.recording import Recorder, clustered, labels_of, record_portal

PASSWORD = "t0ken-of-the-registry"
LOGIN = "pulumi-python:dynamic/devportal:RegistryLogin"
PUSHED = "pulumi-python:dynamic/devportal:PushedImage"
PROVIDER = "pulumi:providers:docker"
LABEL = "devportal.registry-login"
SET = "Set it with `pulumi config set --secret --path devportal:cluster.registry_password`."
CREDENTIALS = {"username": "robot$hub", "password": PASSWORD}
ENGINE = {"host": "unix:///var/run/docker.sock", "cert_path": ""}


def mistakes_of(environment: str = "production", **cluster: Any) -> list[str]:
    values = {"environment": environment, "cluster": cluster, "ports": {"bind_address": "0.0.0.0"}}
    return Settings.check(values, "prod")[1]


SWARM = {"mode": "swarm", "registry": "registry.example.com/hub"}


@pytest.mark.parametrize(
    ("cluster", "mistakes"),
    [
        (SWARM, []),
        ({**SWARM, "registry_user": "robot$hub", "registry_password": PASSWORD}, []),
        (
            {**SWARM, "registry_user": "robot"},
            [
                "cluster.registry_password: should be set beside cluster.registry_user (got "
                f"nothing). {SET}"
            ],
        ),
        (
            {**SWARM, "registry_password": PASSWORD},
            [
                "cluster.registry_user: should be set beside cluster.registry_password (got "
                "nothing). Name whom the registry lets in with it."
            ],
        ),
        (
            {
                "registry": "registry.example.com",
                "registry_user": "robot",
                "registry_password": PASSWORD,
                "encrypted": True,
            },
            [
                f"cluster.{name}: should be left out without cluster.mode swarm (got {value}). "
                "Remove it: one engine pushes nothing and reaches no other."
                for name, value in (
                    ("registry", "registry.example.com"),
                    ("registry_user", "robot"),
                    ("registry_password", "a password"),
                    ("encrypted", "true"),
                )
            ],
        ),
        (
            {**SWARM, "registry_user": "a:b", "registry_password": PASSWORD},
            [
                "cluster.registry_user: should be 1 to 255 visible ASCII characters without a "
                "colon (got 'a:b'). Correct it in Pulumi.prod.yaml."
            ],
        ),
        (
            {**SWARM, "registry_user": "robot", "registry_password": ""},
            [
                "cluster.registry_password: should be 1 to 65536 characters without NUL (got 0 "
                f"characters). {SET}"
            ],
        ),
    ],
)
def test_settings_of_a_cluster_come_together_and_with_a_swarm(
    cluster: dict[str, Any], mistakes: list[str]
) -> None:
    assert mistakes_of(**cluster) == [f"devportal:{mistake}" for mistake in mistakes]


def test_password_in_plain_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "config:\n  devportal:environment: production\n  devportal:ports: {bind_address: 0.0.0.0}\n"
        "  devportal:cluster:\n    mode: swarm\n    registry: registry.example.com\n"
        f"    registry_user: robot\n    registry_password: {PASSWORD}\n"
    )
    assert find_mistakes(tmp_path, "prod") == [
        f"devportal:cluster.registry_password: should be encrypted (got plain text). {SET}"
    ]


@cache
def registered() -> Recorder:
    return record_portal(
        clustered(registry_user="robot$hub", registry_password=SecretStr(PASSWORD))
    )


def test_engine_logs_in_before_it_pushes_and_swarm_pulls_with_the_same() -> None:
    [login] = registered().of_type(LOGIN).values()
    assert (login["server"], login["credentials"]["value"]) == ("registry.example.com", CREDENTIALS)
    images = registered().of_type(PUSHED)
    assert images
    assert all(inputs["credentials"]["value"] == CREDENTIALS for inputs in images.values())
    assert all((LOGIN, "registry") in registered().before(PUSHED, name) for name in images)
    [provider] = registered().of_type(PROVIDER).values()
    assert PASSWORD in str(provider["registryAuth"])


def test_services_wait_for_the_login_and_change_with_it_but_their_tasks_do_not() -> None:
    services = registered().of_type(SERVICE)
    assert services
    for name, inputs in services.items():
        assert labels_of(inputs)[LABEL] == "revision-1"
        assert LABEL not in str(inputs["taskSpec"])
        assert (LOGIN, "registry") in registered().before(SERVICE, name)
        # It would replace the service for another password.
        assert "auth" not in inputs


def test_password_is_told_to_nobody_else() -> None:
    told = {r.type for r in registered().resources if PASSWORD in str(r.inputs)}
    assert told == {LOGIN, PUSHED, PROVIDER}


def test_registry_without_a_password_needs_no_login() -> None:
    recorder = record_portal(clustered())
    assert recorder.of_type(LOGIN) == {}
    assert recorder.of_type(NETWORK)
    assert all(LABEL not in labels_of(i) for i in recorder.of_type(SERVICE).values())
    [provider] = recorder.of_type(PROVIDER).values()
    assert "registryAuth" not in provider


def test_login_is_asked_again_for_other_credentials_alone() -> None:
    provider = _RegistryLoginProvider()
    props = {"server": "registry.example.com", "credentials": CREDENTIALS, "engine": ENGINE}
    other = {**props, "credentials": {**CREDENTIALS, "password": "other"}}
    with mock.patch.object(registry_login, "engine_of") as engine_of:
        first = provider.create(props).outs
        assert first is not None
        second = provider.update("registry.example.com", first, other).outs
    asked = [call.kwargs["json"] for call in engine_of.return_value.api.post.call_args_list]
    server = {"serveraddress": "registry.example.com"}
    assert asked == [{**CREDENTIALS, **server}, {**other["credentials"], **server}]
    # It would ask this machine's store of passwords, which may not work.
    assert not engine_of.return_value.login.called
    assert second is not None
    assert first["revision"] != second["revision"]
    assert not provider.diff("", first, props).changes
    assert provider.diff("", first, other).changes


def test_refused_login_says_which_setting_and_not_its_value() -> None:
    props = {"server": "registry.example.com", "credentials": CREDENTIALS, "engine": ENGINE}
    refusal = mock.Mock(ok=False, json=lambda: {"message": "401 Unauthorized"})
    with mock.patch.object(registry_login, "engine_of") as engine_of:
        engine_of.return_value.api.post.return_value = refusal
        with pytest.raises(LoginError) as caught:
            _RegistryLoginProvider().create(props)
    assert str(caught.value) == (
        "devportal:cluster.registry_password: should let cluster.registry_user in at "
        f"registry.example.com (got: 401 Unauthorized). {SET}"
    )


def pushed(answers: list[dict[str, Any]]) -> tuple[Any, Any]:
    """What a push of one image returns, and how the engine was asked."""
    props = {"repository": "registry.example.com/app", "image": "sha256:0123456789abcdef"}
    with mock.patch.object(pushed_image, "connect") as connect:
        connect.return_value.api.push.return_value = answers
        made = _PushedImageProvider().create(
            {**props, "credentials": CREDENTIALS, "engine": ENGINE}
        )
    assert made.outs is not None
    return made.outs["reference"], connect.return_value.api.push.call_args


DIGEST = f"sha256:{'1' * 64}"
TAKEN = [
    {"status": "Pushed", "progressDetail": {}, "id": "abc"},
    {"status": f"0123456789ab: digest: {DIGEST} size: 528"},
]


@pytest.mark.parametrize(
    "answers",
    [
        [*TAKEN, {"aux": {"Tag": "0123456789ab", "Digest": DIGEST, "Size": 528}}],
        # Of an engine with containerd's image store: of an image, and of one platform of several.
        TAKEN,
        [{"aux": {"manifestPushedInsteadOfIndex": True}}, *TAKEN],
    ],
)
def test_image_is_pushed_by_the_user_and_named_by_its_digest(answers: list[Any]) -> None:
    reference, asked = pushed(answers)
    assert reference == f"registry.example.com/app@{DIGEST}"
    assert asked.kwargs["auth_config"] == CREDENTIALS


def test_refused_push_says_which_settings_and_not_their_values() -> None:
    with pytest.raises(PushError) as caught:
        pushed([{"error": "unauthorized: authentication required"}])
    assert str(caught.value) == (
        "registry: should take the image registry.example.com/app (got: unauthorized: "
        "authentication required). Let the engine reach and write to devportal:cluster.registry; "
        "set devportal:cluster.registry_user and registry_password if it asks for them."
    )


def test_store_of_passwords_that_does_not_work_is_said_for_a_push() -> None:
    props = {"repository": "registry.example.com/app", "image": "sha256:0", "engine": ENGINE}
    with mock.patch.object(pushed_image, "connect") as connect:
        connect.return_value.api.push.side_effect = DockerException("Credentials store error")
        with pytest.raises(PushError) as caught:
            _PushedImageProvider().create(props)
    assert str(caught.value).startswith(
        "registry: should take the image registry.example.com/app (got: Credentials store error)."
    )
