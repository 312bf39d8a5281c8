"""An engine on TCP that asks for a client certificate."""

import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.docker.connection import EngineUnreachableError, connect
from plugins.docker.connection_settings import ConnectionSettings


class _Version(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"ApiVersion": "1.41", "Version": "fake"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _TlsServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A refused handshake is what a test wants; no traceback for it."""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One certificate that is authority, server and client at once, in docker's file names."""
    folder = tmp_path_factory.mktemp("certificates")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        [
            *command.split(),
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (folder / "ca.pem").write_text((folder / "cert.pem").read_text())
    return folder


@pytest.fixture
def engine_url(certificates: Path) -> Iterator[str]:
    server = _TlsServer(("127.0.0.1", 0), _Version)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"tcp://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_certificates_of_a_folder_are_used(engine_url: str, certificates: Path) -> None:
    settings = ConnectionSettings(host=engine_url, cert_path=str(certificates))
    assert connect(settings, {}).version()["Version"] == "fake"


def test_certificates_given_as_texts_are_used(engine_url: str, certificates: Path) -> None:
    ca, cert, key = ((certificates / f"{name}.pem").read_text() for name in ("ca", "cert", "key"))
    settings = ConnectionSettings(
        host=engine_url, ca_material=ca, cert_material=cert, key_material=key
    )
    assert connect(settings, {}).version()["Version"] == "fake"


def test_text_that_is_no_certificate_is_refused_without_being_shown(
    engine_url: str, certificates: Path
) -> None:
    ca = (certificates / "ca.pem").read_text()
    settings = ConnectionSettings(
        host=engine_url, ca_material=ca, cert_material="no pem", key_material="very secret"
    )
    with pytest.raises(EngineUnreachableError) as failure:
        connect(settings, {})
    assert "very secret" not in str(failure.value)
    assert str(failure.value).startswith(
        f"docker engine at {engine_url}: its TLS material should be readable PEM (got: "
    )


def test_engine_with_another_authority_is_not_trusted(engine_url: str, tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachableError) as failure:
        connect(ConnectionSettings(host=engine_url.replace("tcp://", "https://")), {})
    assert str(failure.value).startswith(f"docker engine at {engine_url.replace('tcp', 'https')}: ")
