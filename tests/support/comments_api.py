"""A stand-in for the APIs of GitHub and GitLab: the comments of one pull request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_TOKEN = "token-of-a-job"
_NEW = ("/repos/team/portal/issues/7/comments", "/api/v4/projects/3/merge_requests/7/notes")
_UPDATES = {
    "PATCH": "/repos/team/portal/issues/comments",
    "PUT": "/api/v4/projects/3/merge_requests/7/notes",
}


class _Api(BaseHTTPRequestHandler):
    """A hundred comments a page."""

    comments: list[dict[str, Any]]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        assert path in _NEW
        page = int(query.rpartition("=")[2])
        self._answer(200, self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        assert self.path in _NEW
        self._answer(201, self._write({"id": len(self.comments)}))

    def do_PATCH(self) -> None:
        folder, _, number = self.path.rpartition("/")
        assert folder == _UPDATES[self.command]
        self._answer(200, self._write(self.comments[int(number)]))

    do_PUT = do_PATCH

    def _write(self, entry: dict[str, Any]) -> dict[str, Any]:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if entry not in self.comments:
            self.comments.append(entry)
        entry |= given
        return entry

    def _answer(self, status: int, value: object) -> None:
        given = self.headers["Authorization"] or self.headers["PRIVATE-TOKEN"]
        self.send_response(status if given.removeprefix("Bearer ") == _TOKEN else 403)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Not on the test's output."""


@contextmanager
def serve_comments(comments: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Serve the comments and take new ones; yields the variables that a job of either has.

    Without `GITLAB_CI` it is one of GitHub's.
    """
    handler = type("OfOneTest", (_Api,), {"comments": comments})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield {
            "GITHUB_API_URL": url,
            "GITHUB_REPOSITORY": "team/portal",
            "GITHUB_TOKEN": _TOKEN,
            "PULL_REQUEST": "7",
            "CI_API_V4_URL": f"{url}/api/v4",
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
            "REVIEW_TOKEN": _TOKEN,
        }
        server.shutdown()
