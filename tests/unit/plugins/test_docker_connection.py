"""Which engine is chosen, how its settings are checked, and what an unreachable one says."""

import hashlib
import http.server
import json
import os
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from plugins.docker.connection import EngineUnreachableError, connect
from plugins.docker.connection_settings import ConnectionSettings, check_settings
from plugins.docker.engine_address import AddressError, candidate_addresses
from plugins.docker.ssh_tunnel import ssh_command


class _EngineHandler(http.server.BaseHTTPRequestHandler):
    """Answers `/version` as an engine does; all that connecting takes."""

    def do_GET(self) -> None:
        body = json.dumps({"ApiVersion": "1.41", "Version": "fake"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        pass


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "engine.sock"
    server = _UnixServer(str(path), _EngineHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield path
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Home of a user who made a context `remote` and switched to it."""
    docker = tmp_path / "home" / ".docker"
    for name, host in (("remote", "ssh://me@remote"), ("plain", "tcp://plain:2375")):
        meta = docker / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        meta.mkdir(parents=True)
        endpoints = {"docker": {"Host": host}}
        (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": endpoints}))
    (docker / "config.json").write_text(json.dumps({"currentContext": "remote"}))
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("host", "context", "environ", "chosen"),
    [
        ("tcp://set:1", None, {"DOCKER_HOST": "tcp://env:1"}, "tcp://set:1"),
        ("tcp://set:1", None, {"DOCKER_CONTEXT": "plain"}, "tcp://set:1"),
        ("tcp://set:1", "plain", {"DOCKER_HOST": "tcp://env:1"}, "tcp://plain:2375"),
        (None, "plain", {"DOCKER_CONTEXT": "remote"}, "tcp://plain:2375"),
        (None, "default", {"DOCKER_HOST": "tcp://env:1"}, "tcp://env:1"),
        (None, None, {"DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "plain"}, "tcp://env:1"),
        (None, None, {"DOCKER_CONTEXT": "plain"}, "tcp://plain:2375"),
        (None, None, {}, "ssh://me@remote"),
        (None, None, {"DOCKER_CONTEXT": "default"}, "unix:///var/run/docker.sock"),
    ],
)
def test_settings_come_before_environment_before_current_context(
    home: Path, host: str | None, context: str | None, environ: dict[str, str], chosen: str
) -> None:
    assert candidate_addresses(host, context, environ, home)[0].url == chosen


def test_without_any_choice_the_well_known_sockets_are_tried_in_order(tmp_path: Path) -> None:
    assert [address.url for address in candidate_addresses(None, None, {}, tmp_path)] == [
        "unix:///var/run/docker.sock",
        f"unix://{tmp_path}/.docker/run/docker.sock",
        f"unix://{tmp_path}/.docker/desktop/docker.sock",
    ]


def test_chosen_address_has_no_second_one(tmp_path: Path) -> None:
    addresses = candidate_addresses(None, None, {"DOCKER_HOST": "unix:///x"}, tmp_path)
    assert [address.url for address in addresses] == ["unix:///x"]


def test_context_brings_its_tls_material(home: Path) -> None:
    tls = home / ".docker" / "contexts" / "tls" / hashlib.sha256(b"plain").hexdigest() / "docker"
    tls.mkdir(parents=True)
    assert candidate_addresses(None, "plain", {}, home)[0].tls_folder == tls


@pytest.mark.parametrize(
    ("host", "context", "message"),
    [
        (
            "npipe:////./pipe/docker_engine",
            None,
            "docker:host: should start with unix://, tcp:// or ssh:// "
            "(got 'npipe:////./pipe/docker_engine'). Set docker:host or DOCKER_HOST.",
        ),
        (
            "/var/run/docker.sock",
            None,
            "docker:host: should start with unix://, tcp:// or ssh:// "
            "(got '/var/run/docker.sock'). Set docker:host or DOCKER_HOST.",
        ),
        (
            None,
            "rmote",
            "docker context 'rmote': should be one of default, plain, remote. "
            "Set docker:context or DOCKER_CONTEXT to one of them, or run 'docker context create'.",
        ),
    ],
)
def test_address_that_cannot_be_used_is_named(
    home: Path, host: str | None, context: str | None, message: str
) -> None:
    with pytest.raises(AddressError) as failure:
        candidate_addresses(host, context, {}, home)
    assert str(failure.value) == message


@pytest.mark.parametrize(
    ("settings", "failures"),
    [
        ({}, []),
        ({"host": "unix:///x", "version": "5.2.0", "pluginDownloadURL": ""}, []),
        ({"disableDockerDaemonCheck": "true", "sshOpts": '["-v"]'}, []),
        ({"hots": "x"}, [("hots", "is not a setting of the docker provider. Did you mean host?")]),
        ({"zzz": "x"}, [("zzz", "is not a setting of the docker provider.")]),
        ({"host": 5.0}, [("host", "should be a string")]),
        ({"sshOpts": "-v"}, [("sshOpts", "should be a list")]),
        ({"sshOpts": ["-v", 1.0]}, [("sshOpts[1]", "should be a string")]),
        (
            {"disableDockerDaemonCheck": "perhaps"},
            [("disableDockerDaemonCheck", "should be true or false")],
        ),
        ({"registryAuth": ["x"]}, [("registryAuth[0]", "should be an object")]),
        (
            {"registryAuth": [{"address": "a"}, {"pasword": "secret", "username": True}]},
            [
                (
                    "registryAuth[1].pasword",
                    "is not a setting of the docker provider. Did you mean password?",
                ),
                ("registryAuth[1].username", "should be a string"),
                ("registryAuth[1].address", "should be given"),
            ],
        ),
        (
            {"caMaterial": "x", "keyMaterial": "x", "certPath": "/x"},
            [
                ("certMaterial", "should be given together with caMaterial and keyMaterial"),
                ("certPath", "should not be given together with caMaterial"),
            ],
        ),
    ],
)
def test_every_mistake_in_the_settings_is_named_with_its_path(
    settings: Mapping[str, Any], failures: list[tuple[str, str]]
) -> None:
    assert check_settings(settings) == failures


def test_printed_settings_hold_no_secret() -> None:
    settings = ConnectionSettings.load(
        {
            "keyMaterial": "very secret",
            "registryAuth": [{"address": "a", "password": "very secret"}],
        },
        {},
    )
    assert "very secret" not in repr(settings)


def test_environment_fills_what_the_settings_leave_open() -> None:
    environ = {
        "DOCKER_CERT_PATH": "/certs",
        "DOCKER_CA_MATERIAL": "ca",
        "DOCKER_SSH_OPTS": "-o Compression=yes",
    }
    settings = ConnectionSettings.load({"certPath": "/mine"}, environ)
    assert (settings.cert_path, settings.ca_material) == ("/mine", "ca")
    assert settings.ssh_options == ("-o", "Compression=yes")


def test_engine_on_a_socket_is_connected(engine_socket: Path) -> None:
    client = connect(ConnectionSettings(host=f"unix://{engine_socket}"), {})
    assert client.version()["Version"] == "fake"


def test_user_socket_is_used_where_the_default_one_is_dead(
    tmp_path: Path, engine_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "plugins.docker.engine_address.DEFAULT_SOCKET", f"unix://{tmp_path}/dead.sock"
    )
    run = tmp_path / ".docker" / "run"
    run.mkdir(parents=True)
    (run / "docker.sock").symlink_to(engine_socket)
    client = connect(ConnectionSettings(), {}, home=tmp_path)
    assert client.version()["Version"] == "fake"


def test_unreachable_engine_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachableError) as failure:
        connect(ConnectionSettings(host=f"unix://{tmp_path}/none.sock"), {})
    assert str(failure.value) == (
        f"docker engine at unix://{tmp_path}/none.sock: should answer "
        "(got: no such file or directory). Start it, or set DOCKER_HOST or docker:host."
    )


def test_refused_connection_is_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    _UnixServer(str(path), _EngineHandler).server_close()
    with pytest.raises(EngineUnreachableError) as failure:
        connect(ConnectionSettings(host=f"unix://{path}"), {})
    assert str(failure.value) == (
        f"docker engine at unix://{path}: should answer (got: connection refused). "
        "Start it, or set DOCKER_HOST or docker:host."
    )


def test_disabled_check_connects_to_nothing(tmp_path: Path) -> None:
    settings = ConnectionSettings(host=f"unix://{tmp_path}/none.sock", skips_check=True)
    assert connect(settings, {}).api.api_version == "1.41"


def test_missing_tls_material_is_named(tmp_path: Path) -> None:
    settings = ConnectionSettings(host="tcp://127.0.0.1:1", cert_path=str(tmp_path))
    with pytest.raises(EngineUnreachableError) as failure:
        connect(settings, {})
    assert str(failure.value) == (
        "docker engine at tcp://127.0.0.1:1: its TLS material should be readable PEM "
        "(got: no such file or directory). Correct docker:certPath or the material settings."
    )


@pytest.mark.parametrize(
    ("url", "options", "command"),
    [
        ("ssh://host", [], ["--", "host"]),
        (
            "ssh://me@host:2222",
            ["-i", "key"],
            ["-i", "key", "-l", "me", "-p", "2222", "--", "host"],
        ),
    ],
)
def test_ssh_gets_user_port_and_options(url: str, options: list[str], command: list[str]) -> None:
    start = ["ssh", "-o", "ConnectTimeout=30", "-T"]
    assert ssh_command(url, options) == [*start, *command, "docker system dial-stdio"]


def test_engine_behind_ssh_is_reached_through_the_ssh_program(
    tmp_path: Path, engine_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch, _BRIDGE.format(socket=str(engine_socket)))
    client = connect(ConnectionSettings(host="ssh://me@far"), {})
    assert client.version()["Version"] == "fake"
    client.close()


def test_what_ssh_says_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(tmp_path, monkeypatch, 'import sys; sys.exit("ssh: no route to far")')
    with pytest.raises(EngineUnreachableError) as failure:
        connect(ConnectionSettings(host="ssh://me@far"), {})
    assert str(failure.value) == (
        "docker engine at ssh://me@far: should answer (got: ssh: no route to far). "
        "Start it, or set DOCKER_HOST or docker:host."
    )


# Joins stdin and stdout to a socket, as `docker system dial-stdio` does on the far side.
_BRIDGE = """
import os, socket, threading
far = socket.socket(socket.AF_UNIX)
far.connect({socket!r})
def send():
    while data := os.read(0, 65536):
        far.sendall(data)
threading.Thread(target=send, daemon=True).start()
while data := far.recv(65536):
    os.write(1, data)
"""


def fake_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put an `ssh` of our own first on PATH."""
    program = folder / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
