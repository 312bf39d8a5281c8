"""A fake Docker engine that knows images: the API's answers over a real socket, no containers.

It keeps names and ids, plays back build and transfer messages, and remembers every call, so that
tests can say "nothing was built" and mean it.
"""

import json
import re
import socketserver
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

Messages = Iterable[dict[str, Any]]


@dataclass
class Call:
    """One request as the engine saw it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class ImageEngine:
    """State of the fake engine; tests set what it holds and what it says.

    Attributes
    ----------
    images
        Inspect results by name and by id.
    builds
        Messages of the next builds, in order; the last one is repeated.
    pulls
        Messages by image name; a name that is missing answers 404.
    pushes
        Messages of every push.
    in_use
        Names whose removal answers 409.
    """

    socket_path: Path
    os_type: str = "linux"
    api_version: str = "1.41"
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    builds: list[Messages] = field(default_factory=list)
    pulls: dict[str, Messages] = field(default_factory=dict)
    pushes: Messages = ()
    in_use: set[str] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Address for `docker:host`."""
        return f"unix://{self.socket_path}"

    def add_image(self, name: str, image_id: str, **more: Any) -> None:
        """Hold an image under a name and under its id."""
        image = {"Id": image_id, "RepoTags": [name], "RepoDigests": [], **more}
        self.images[name] = self.images[image_id] = image

    def changes(self) -> list[str]:
        """Calls that are no mere question, in order."""
        return [str(call) for call in self.calls if call.method != "GET"]

    def last(self, method: str, path: str) -> Call:
        """The latest call of that kind."""
        return next(
            call for call in reversed(self.calls) if (call.method, call.path) == (method, path)
        )


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    engine: ImageEngine


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.engine: ImageEngine = getattr(self.server, "engine")  # noqa: B009

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v\d+\.\d+", "", urllib.parse.unquote(parts.path))
        query = urllib.parse.parse_qs(parts.query)
        call = Call(self.command, path, query, dict(self.headers.items()), self._body())
        self.engine.calls.append(call)
        for pattern, answer in _ROUTES.items():
            match = re.fullmatch(pattern, str(call))
            if match:
                answer(self, call, *match.groups())
                return
        self.reply(404, {"message": f"no such thing: {call}"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return b"".join(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def reply(self, status: int, content: Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, messages: Messages) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for message in messages:
            line = json.dumps(message).encode() + b"\r\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")

    def hold(self) -> None:
        """Switch protocols and stay until the client goes: a session nobody asks anything."""
        self.send_response(101)
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while self.connection.recv(4096):
            continue


def _fixed(handler: _Handler, call: Call) -> None:
    engine = handler.engine
    facts = {
        "/version": {"ApiVersion": engine.api_version, "Version": "fake"},
        "/info": {"OSType": engine.os_type, "Architecture": "x86_64"},
    }
    handler.reply(200, facts[call.path])


def _inspect(handler: _Handler, _call: Call, name: str) -> None:
    image = handler.engine.images.get(name)
    handler.reply(200 if image else 404, image or {"message": f"No such image: {name}"})


def _build(handler: _Handler, call: Call) -> None:
    engine = handler.engine
    messages = engine.builds.pop(0) if len(engine.builds) > 1 else engine.builds[0]
    handler.stream(_noted(engine, call, messages))


def _noted(engine: ImageEngine, call: Call, messages: Messages) -> Iterator[dict[str, Any]]:
    for message in messages:
        if isinstance(message.get("aux"), dict):
            for name in call.query["t"]:
                engine.add_image(name, message["aux"]["ID"])
        yield message


def _pull(handler: _Handler, call: Call) -> None:
    tag = call.query["tag"][0]
    name = f"{call.query['fromImage'][0]}{'@' if ':' in tag else ':'}{tag}"
    messages = handler.engine.pulls.get(name)
    if messages is None:
        handler.reply(404, {"message": f"manifest for {name} not found"})
        return
    digest = f"{call.query['fromImage'][0]}@sha256:{'d' * 64}"
    handler.engine.add_image(name, "sha256:pulled", RepoDigests=[digest])
    handler.stream(messages)


def _push(handler: _Handler, _call: Call, _name: str) -> None:
    handler.stream(handler.engine.pushes)


def _tag(handler: _Handler, call: Call, name: str) -> None:
    image = handler.engine.images.get(name)
    if image is None:
        handler.reply(404, {"message": f"No such image: {name}"})
        return
    target = f"{call.query['repo'][0]}:{call.query['tag'][0]}"
    handler.engine.images[target] = image
    handler.reply(201, None)


def _remove(handler: _Handler, _call: Call, name: str) -> None:
    engine = handler.engine
    if name in engine.in_use:
        handler.reply(409, {"message": f"conflict: unable to remove {name}: container is using it"})
        return
    engine.images.pop(name, None)
    handler.reply(200, [{"Untagged": name}])


def _session(handler: _Handler, _call: Call) -> None:
    handler.hold()


def _scripted(handler: _Handler, call: Call, *_groups: str) -> None:
    answer = handler.engine.answers.get(str(call))
    if isinstance(answer, bytes):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)
        return
    handler.reply(200 if answer else 404, answer or {"message": f"no answer for {call}"})


_ROUTES: dict[str, Callable[..., None]] = {
    r"GET /version|GET /info": _fixed,
    r"GET /images/(.+)/json": _inspect,
    r"POST /build": _build,
    r"POST /images/create": _pull,
    r"POST /images/(.+)/push": _push,
    r"POST /images/(.+)/tag": _tag,
    r"DELETE /images/(.+)": _remove,
    r"POST /session": _session,
    r"GET /(?:networks|containers|distribution)/.*": _scripted,
}


class RunningEngine:
    """Context manager around a fake engine that listens below a folder."""

    def __init__(self, folder: Path) -> None:
        self._engine = ImageEngine(folder / "docker.sock")
        self._server = _Server(str(self._engine.socket_path), _Handler)
        self._server.engine = self._engine
        # Looked at often, so that a test need not wait for the end of the server.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> ImageEngine:
        self._thread.start()
        return self._engine

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
