"""Which credentials a registry gets, and that none is ever shown."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from plugins.docker.image_names import (
    is_fully_qualified,
    pick_repo_digest,
    registry_of,
    split_tag,
)
from plugins.docker.registry_auth import RegistryAuthError, RegistryCredentials


def docker_config(**users: str) -> str:
    auths = {
        host.replace("_", "."): {"auth": base64.b64encode(user.encode()).decode()}
        for host, user in users.items()
    }
    return json.dumps({"auths": auths})


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Environment of a user who is logged in at `files.io`."""
    (tmp_path / "config.json").write_text(docker_config(files_io="file-user:file-password"))
    return {"DOCKER_CONFIG": str(tmp_path)}


@pytest.mark.parametrize(
    ("entry", "image", "expected"),
    [
        ({"username": "u", "password": "p"}, "reg.io/x:1", ("u", "p")),
        ({"authDisabled": True}, "reg.io/x", ("username", "password")),
        ({"configFileContent": docker_config(reg_io="a:b")}, "reg.io/x", ("a", "b")),
        ({"username": "u", "configFileContent": "ignored"}, "reg.io/x", ("u", "")),
        ({"username": "u"}, "files.io/x", ("file-user", "file-password")),
        ({"username": "u"}, "elsewhere.io/x", None),
    ],
)
def test_settings_come_before_dockers_own_files(
    environ: dict[str, str], entry: dict[str, Any], image: str, expected: tuple[str, str] | None
) -> None:
    found = RegistryCredentials([{"address": "https://reg.io/v2/", **entry}], environ).for_image(
        image
    )
    assert (found and (found.username, found.password)) == expected


def test_config_file_of_an_entry_is_read(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_text(docker_config(reg_io="a:b"))
    found = RegistryCredentials([{"address": "reg.io", "configFile": str(path)}], {}).for_registry(
        "reg.io"
    )
    assert found is not None
    assert found.as_header() == {"username": "a", "password": "b", "serveraddress": "reg.io"}


def test_entry_without_credentials_anywhere_is_a_mistake(environ: dict[str, str]) -> None:
    with pytest.raises(RegistryAuthError) as failure:
        RegistryCredentials([{"address": "reg.io"}], environ).for_image("reg.io/x")
    assert str(failure.value) == (
        "docker:registryAuth for reg.io: configFile should hold credentials for it (got none). "
        "Run 'docker login', or set username and password."
    )


def test_unreadable_config_content_is_not_repeated() -> None:
    entry = {"address": "reg.io", "configFileContent": "top secret, no JSON"}
    with pytest.raises(RegistryAuthError) as failure:
        RegistryCredentials([entry], {}).for_image("reg.io/x")
    assert str(failure.value) == (
        "docker:registryAuth for reg.io: the docker configuration should be JSON "
        "(got something else). Give the content of a docker config.json."
    )


def test_printed_credentials_hold_no_password() -> None:
    entry = {"address": "reg.io", "username": "u", "password": "top secret"}
    assert "top secret" not in repr(RegistryCredentials([entry], {}).for_image("reg.io/x"))


@pytest.mark.parametrize(
    ("name", "registry", "repository", "tag", "qualified"),
    [
        ("redis", "docker.io", "redis", "latest", False),
        ("redis:7", "docker.io", "redis", "7", False),
        ("me/redis:7", "docker.io", "me/redis", "7", False),
        ("docker.io/me/redis", "docker.io", "docker.io/me/redis", "latest", True),
        ("index.docker.io/x", "docker.io", "index.docker.io/x", "latest", True),
        ("localhost/x", "localhost", "localhost/x", "latest", True),
        ("reg:5000/x", "reg:5000", "reg:5000/x", "latest", True),
        ("reg:5000/x:1", "reg:5000", "reg:5000/x", "1", True),
        ("reg.io/x:1@sha256:ab", "reg.io", "reg.io/x", "sha256:ab", True),
        ("x@sha256:ab", "docker.io", "x", "sha256:ab", False),
    ],
)
def test_image_names_are_read_as_the_engine_reads_them(
    name: str, registry: str, repository: str, tag: str, qualified: bool
) -> None:
    assert registry_of(name) == registry
    assert split_tag(name) == (repository, tag)
    assert is_fully_qualified(name) is qualified


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        ([], ""),
        (["a@sha256:1"], "a@sha256:1"),
        (["a@sha256:1", "reg.io/b@sha256:2"], "reg.io/b@sha256:2"),
        (["a@sha256:1", "c@sha256:3"], "a@sha256:1"),
    ],
)
def test_repo_digest_of_the_own_repository_comes_first(digests: list[str], expected: str) -> None:
    assert pick_repo_digest("reg.io/b:1", digests) == expected
