"""Which engine is meant: settings, environment, contexts and certificates."""

import hashlib
import json
from pathlib import Path

import pytest

from infra.engine.address import EngineAddress, EngineAddressError, resolve_engine

LOCAL = EngineAddress("unix:///var/run/docker.sock")
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the contexts `plain` and `secure`; none of them is current."""
    write_context(tmp_path, "plain", "tcp://plain:2375")
    digest = write_context(tmp_path, "secure", "tcp://secure:2376")
    write_certificates(tmp_path / ".docker" / "contexts" / "tls" / digest / "docker")
    return tmp_path


def write_context(home: Path, name: str, host: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker" / "contexts" / "meta" / digest
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    return digest


def write_certificates(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in CERTIFICATES:
        (folder / name).write_text("PEM")
    return folder


def refusal(config: dict[str, str], environ: dict[str, str]) -> str:
    with pytest.raises(EngineAddressError) as caught:
        resolve_engine(config, environ)
    return str(caught.value)


@pytest.mark.parametrize(
    ("config", "environ", "host"),
    [
        ({}, {}, LOCAL.host),
        ({"docker:host": "tcp://a:1"}, {"DOCKER_HOST": "tcp://b:1"}, "tcp://a:1"),
        ({"docker:context": "plain"}, {"DOCKER_HOST": "tcp://b:1"}, "tcp://plain:2375"),
        ({}, {"DOCKER_HOST": "tcp://b:1", "DOCKER_CONTEXT": "plain"}, "tcp://b:1"),
        ({}, {"DOCKER_CONTEXT": "plain"}, "tcp://plain:2375"),
        ({"docker:context": "default"}, {}, LOCAL.host),
        ({"docker:host": "ssh://me@far:22"}, {"DOCKER_CERT_PATH": "/none"}, "ssh://me@far:22"),
    ],
)
def test_settings_go_before_the_environment_and_the_environment_before_the_current_context(
    config: dict[str, str], environ: dict[str, str], host: str, home: Path
) -> None:
    assert resolve_engine(config, {"HOME": str(home), **environ}) == EngineAddress(host)


def test_current_context_of_the_docker_cli_is_used_in_the_folder_that_is_named(home: Path) -> None:
    (home / ".docker" / "config.json").write_text('{"currentContext": "plain"}')
    for environ in ({}, {"HOME": "/nowhere", "DOCKER_CONFIG": str(home / ".docker")}):
        assert resolve_engine({}, {"HOME": str(home), **environ}).host == "tcp://plain:2375"


def test_context_brings_its_certificates(home: Path) -> None:
    address = resolve_engine({"docker:context": "secure"}, {"HOME": str(home)})
    assert address.host == "tcp://secure:2376"
    assert address.cert_path is not None
    assert sorted(path.name for path in Path(address.cert_path).iterdir()) == sorted(CERTIFICATES)


def test_certificates_come_from_the_settings_else_from_the_environment(tmp_path: Path) -> None:
    own, other = write_certificates(tmp_path / "own"), write_certificates(tmp_path / "other")
    environ = {"DOCKER_HOST": "tcp://b:2376", "DOCKER_CERT_PATH": str(other)}
    assert resolve_engine({"docker:certPath": str(own)}, environ).cert_path == str(own)
    assert resolve_engine({}, environ).cert_path == str(other)


def test_tls_verify_alone_means_the_certificates_of_the_docker_folder(tmp_path: Path) -> None:
    folder = write_certificates(tmp_path / ".docker")
    environ = {"HOME": str(tmp_path), "DOCKER_HOST": "tcp://b:2376", "DOCKER_TLS_VERIFY": "1"}
    assert resolve_engine({}, environ).cert_path == str(folder)


def test_missing_certificate_is_named(tmp_path: Path) -> None:
    folder = write_certificates(tmp_path / "own")
    (folder / "key.pem").unlink()
    config = {"docker:host": "tcp://a:2376", "docker:certPath": str(folder)}
    assert refusal(config, {}) == (
        f"docker:certPath: should have ca.pem, cert.pem and key.pem in '{folder}' (got no "
        "key.pem). Put them there, for this user to read."
    )


def test_folder_that_cannot_be_looked_into_has_no_certificates() -> None:
    # Too long a name is refused to root as well, as others are a folder that is not theirs.
    folder = "/" + "a" * 256
    config = {"docker:host": "tcp://a:2376", "docker:certPath": folder}
    assert refusal(config, {}) == (
        f"docker:certPath: should have ca.pem, cert.pem and key.pem in '{folder}' (got no "
        "ca.pem, cert.pem, key.pem). Put them there, for this user to read."
    )


@pytest.mark.parametrize(
    ("config", "environ", "where"),
    [
        ({"docker:context": "gone"}, {}, "docker:context"),
        ({}, {"DOCKER_CONTEXT": "gone"}, "DOCKER_CONTEXT"),
    ],
)
def test_unknown_context_is_named_with_where_it_was_set(
    config: dict[str, str], environ: dict[str, str], where: str, home: Path
) -> None:
    assert refusal(config, {"HOME": str(home), **environ}) == (
        f"{where}: should be a Docker context (got 'gone'). Choose one of `docker context ls`."
    )


@pytest.mark.parametrize(
    ("config", "environ", "where"),
    [
        ({"docker:host": "localhost"}, {}, "docker:host"),
        ({}, {"DOCKER_HOST": "a:1"}, "DOCKER_HOST"),
    ],
)
def test_host_without_a_scheme_is_refused(
    config: dict[str, str], environ: dict[str, str], where: str
) -> None:
    assert refusal(config, environ) == (
        f"{where}: should be an address such as unix:///var/run/docker.sock, "
        "tcp://engine.example:2376 or ssh://user@engine.example (got "
        f"'{[*config.values(), *environ.values()][0]}'). Correct it."
    )


def test_host_and_context_contradict() -> None:
    assert refusal({"docker:host": "tcp://a:1", "docker:context": "plain"}, {}) == (
        "docker:host: should be left out beside docker:context (got 'tcp://a:1'). Remove one of "
        "them."
    )


@pytest.mark.parametrize("key", ["caMaterial", "certMaterial", "keyMaterial", "sshOpts"])
def test_setting_that_only_the_provider_could_follow_is_refused(key: str) -> None:
    assert refusal({f"docker:{key}": "value"}, {}).startswith(f"docker:{key}: should be ")


def test_address_is_kept_in_the_state_as_paths() -> None:
    address = EngineAddress("tcp://a:2376", "/certificates")
    assert address.properties() == {"host": "tcp://a:2376", "cert_path": "/certificates"}
    assert EngineAddress.from_properties(address.properties()) == address
    assert EngineAddress.from_properties(LOCAL.properties()) == LOCAL
