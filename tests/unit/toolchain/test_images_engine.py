"""toolchain/images: the engine's HTTP calls, against a small server on a socket of its own."""

import http.server
import io
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from toolchain.setup.engine_address import EngineAddress
from toolchain.images.engine import HttpEngine
from toolchain.images.errors import ImagesError

ANSWERS = {
    "/version": (200, {"Arch": "amd64"}),
    "/info": (200, {"SecurityOptions": ["name=seccomp,profile=default"]}),
    "/images/devportal/x%3A1-1/json": (200, {"Size": 5}),
    "/images/create": (200, {"status": "sha256:imported"}),
    "/build": (200, {"id": "moby.image.id", "aux": {"ID": "sha256:built"}}),
    "/images/sha256%3Abuilt/tag": (201, {}),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from ANSWERS, else 404, and keeps what it was asked."""

    asked: list[tuple[str, dict[str, list[str]], bytes]]
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.asked.append((parts.path, parse_qs(parts.query), self.read_body()))
        status, answer = ANSWERS.get(parts.path, (404, {"message": "no such thing"}))
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_POST = do_GET

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


@pytest.fixture
def asked() -> list[tuple[str, dict[str, list[str]], bytes]]:
    return []


@pytest.fixture
def engine(
    tmp_path: Path, asked: list[tuple[str, dict[str, list[str]], bytes]]
) -> Iterator[HttpEngine]:
    path = tmp_path / "engine.sock"
    handler = type("BoundHandler", (Handler,), {"asked": asked})
    with socketserver.ThreadingUnixStreamServer(str(path), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield HttpEngine(EngineAddress(f"unix://{path}"))
        server.shutdown()


def test_image_that_is_missing_has_no_size(engine: HttpEngine) -> None:
    assert engine.image_size_bytes("devportal/x:1-1") == 5
    assert engine.image_size_bytes("devportal/nix:1-1") is None


def test_root_is_streamed_and_gets_its_labels(
    engine: HttpEngine, asked: list[tuple[str, dict[str, list[str]], bytes]]
) -> None:
    archive = io.BytesIO(b"t" * 100_000)
    assert engine.import_root(archive, ["ENV A=b", "LABEL c=d"]) == "sha256:imported"
    assert asked == [
        ("/images/create", {"fromSrc": ["-"], "changes": ["ENV A=b", "LABEL c=d"]}, b"t" * 100_000)
    ]


def test_build_uses_buildkit_and_the_machines_network(
    engine: HttpEngine, asked: list[tuple[str, dict[str, list[str]], bytes]]
) -> None:
    identity = engine.build(
        "x", b"tar", arguments={"BASE_IMAGE": "b:1"}, labels={"l": "x"}, on_line=lambda line: None
    )
    assert identity == "sha256:built"
    assert asked == [
        ("/info", {}, b""),
        (
            "/build",
            {
                "version": ["2"],
                "networkmode": ["host"],
                "buildargs": ['{"BASE_IMAGE": "b:1"}'],
                "labels": ['{"l": "x"}'],
            },
            b"tar",
        ),
    ]


def test_build_leaves_the_machines_network_alone_where_users_are_mapped(
    engine: HttpEngine,
    asked: list[tuple[str, dict[str, list[str]], bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = ["name=seccomp,profile=default", "name=userns"]
    monkeypatch.setitem(ANSWERS, "/info", (200, {"SecurityOptions": options}))
    engine.build("x", b"tar", arguments={}, labels={}, on_line=lambda line: None)
    assert asked[-1][1]["networkmode"] == ["default"]


def test_tag_splits_name_and_tag(
    engine: HttpEngine, asked: list[tuple[str, dict[str, list[str]], bytes]]
) -> None:
    engine.tag("sha256:built", "devportal/x:1-1")
    assert asked[0][1] == {"repo": ["devportal/x"], "tag": ["1-1"]}


def test_refusal_is_told_in_the_engines_words(engine: HttpEngine) -> None:
    with pytest.raises(ImagesError) as caught:
        engine.tag("sha256:gone", "devportal/x:1-1")
    assert str(caught.value) == (
        "docker engine: should accept POST /images/sha256%3Agone/tag (got 404: no such thing). "
        "Run this again, or see the engine's log."
    )


def test_silent_engine_is_told_with_its_address(tmp_path: Path) -> None:
    engine = HttpEngine(EngineAddress(f"unix://{tmp_path}/none.sock"))
    with pytest.raises(ImagesError) as caught:
        engine.architecture()
    assert str(caught.value) == (
        f"docker engine: should answer at unix://{tmp_path}/none.sock "
        "(got: No such file or directory). Start it, or choose another with DOCKER_HOST."
    )


def test_ssh_address_is_refused_with_a_way_round() -> None:
    with pytest.raises(ImagesError) as caught:
        HttpEngine(EngineAddress("ssh://me@host")).architecture()
    assert str(caught.value).startswith(
        "docker engine: address should start with unix:// or tcp:// (got 'ssh://me@host'). "
    )
