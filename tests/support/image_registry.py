"""A small image registry on localhost: enough of the distribution API for push and pull.

The engine takes any registry on 127.0.0.1 over plain HTTP, so nothing needs to be configured.
"""

import base64
import hashlib
import re
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_TOKEN_AUTHORIZATION = "Bearer token-of-the-test"
_NO_HEADERS: Mapping[str, str] = {}


class ImageRegistry:
    """Holds blobs and manifests while the block runs.

    Parameters
    ----------
    user, password
        What it asks for; without them everyone may do everything.
    uses_tokens
        Whether it wants a token, which it gives for them, as public registries do.

    Attributes
    ----------
    manifests
        Content type and body by `repository:reference`; a manifest is filed under its tag and
        under its digest.
    """

    def __init__(self, user: str = "", password: str = "", *, uses_tokens: bool = False) -> None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.basic_authorization = f"Basic {token}" if user else ""
        self.uses_tokens = uses_tokens
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.registry = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def address(self) -> str:
        """Host and port, the start of every image name here."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "ImageRegistry":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.registry: ImageRegistry = self.server.registry  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _handle(self) -> None:
        body = self._body()
        path = urlsplit(self.path).path
        if self._refuses(path):
            self._reply(401, headers={"WWW-Authenticate": self._challenge()})
            return
        for pattern, handle in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match:
                handle(self, body, *match.groups())
                return
        self._reply(404)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _refuses(self, path: str) -> bool:
        expected = self.registry.basic_authorization
        if expected and self.registry.uses_tokens and path != "/token":
            expected = _TOKEN_AUTHORIZATION
        return bool(expected) and self.headers.get("Authorization") != expected

    def _challenge(self) -> str:
        if not self.registry.uses_tokens:
            return 'Basic realm="test"'
        realm = f"http://{self.registry.address}/token"
        return f'Bearer realm="{realm}",service="test",scope="repository:shop:delete"'

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        blocks: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            blocks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(blocks)

    def _reply(
        self, status: int, content: bytes = b"", headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def token(self, _body: bytes) -> None:
        self._reply(200, b'{"token": "token-of-the-test"}')

    def root(self, _body: bytes) -> None:
        self._reply(200)

    def blob(self, _body: bytes, digest: str) -> None:
        content = self.registry.blobs.get(digest)
        if content is None:
            self._reply(404)
        else:
            self._reply(200, content, {"Docker-Content-Digest": digest})

    def start_upload(self, _body: bytes, repository: str) -> None:
        upload = uuid.uuid4().hex
        self.registry.uploads[upload] = b""
        location = f"/v2/{repository}/blobs/uploads/{upload}"
        self._reply(202, headers={"Location": location})

    def upload(self, body: bytes, _repository: str, upload: str) -> None:
        self.registry.uploads[upload] += body
        if self.command == "PUT":
            digest = parse_qs(urlsplit(self.path).query)["digest"][0]
            self.registry.blobs[digest] = self.registry.uploads.pop(upload)
            self._reply(201, headers={"Location": f"/v2/blobs/{digest}"})
        else:
            size = len(self.registry.uploads[upload])
            place = {"Location": urlsplit(self.path).path, "Range": f"0-{max(size - 1, 0)}"}
            self._reply(202, headers=place)

    def manifest(self, body: bytes, repository: str, reference: str) -> None:
        key = f"{repository}:{reference}"
        if self.command == "PUT":
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            stored = (self.headers["Content-Type"], body)
            self.registry.manifests[key] = stored
            self.registry.manifests[f"{repository}:{digest}"] = stored
            self._reply(201, headers={"Docker-Content-Digest": digest})
        elif self.command == "DELETE":
            self._reply(202 if self.registry.manifests.pop(key, None) else 404)
        elif key in self.registry.manifests:
            kind, content = self.registry.manifests[key]
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            headers = {"Content-Type": kind, "Docker-Content-Digest": digest}
            self._reply(200, content, headers)
        else:
            self._reply(404)


_ROUTES = (
    (r"/token", _Handler.token),
    (r"/v2/", _Handler.root),
    (r"/v2/.+/blobs/(sha256:\w+)", _Handler.blob),
    (r"/v2/(.+)/blobs/uploads/", _Handler.start_upload),
    (r"/v2/(.+)/blobs/uploads/(\w+)", _Handler.upload),
    (r"/v2/(.+)/manifests/([\w.:-]+)", _Handler.manifest),
)
