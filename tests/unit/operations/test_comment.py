"""The comment on a pull request, against a stand-in for GitHub's API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from operations.comment import comment
from tests.support.refusals import refusal

TOKEN = "token-of-a-job"


class GitHub(BaseHTTPRequestHandler):
    """Comments of one pull request, a hundred a page."""

    comments: list[dict[str, Any]]

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2])
        self._answer(200, self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        assert self.path == "/repos/team/portal/issues/7/comments"
        self._answer(201, self._write({"id": len(self.comments)}))

    def do_PATCH(self) -> None:
        self._answer(200, self._write(self.comments[int(self.path.rpartition("/")[2])]))

    def _write(self, entry: dict[str, Any]) -> dict[str, Any]:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if entry not in self.comments:
            self.comments.append(entry)
        entry |= given
        return entry

    def _answer(self, status: int, value: object) -> None:
        known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.send_response(status if known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Not on the test's output."""


@pytest.fixture
def comments() -> list[dict[str, Any]]:
    """Of other people, more than a page of them."""
    return [{"id": number, "body": f"comment {number}"} for number in range(100)]


@pytest.fixture
def environ(comments: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    handler = type("OfOneTest", (GitHub,), {"comments": comments})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
            "GITHUB_REPOSITORY": "team/portal",
            "GITHUB_TOKEN": TOKEN,
            "PULL_REQUEST": "7",
        }
        server.shutdown()


def test_comment_is_made_once_and_then_updated(
    environ: dict[str, str], comments: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "review.md"
    for text in ("first", "second"):
        file.write_text(text)
        assert comment(file, environ) == 0
    (tmp_path / "preview.md").write_text("a link")
    comment(tmp_path / "preview.md", environ)
    assert [entry["body"] for entry in comments[100:]] == [
        "<!-- devportal:review -->\nsecond",
        "<!-- devportal:preview -->\na link",
    ]


def test_differences_that_are_too_long_are_left_out(
    environ: dict[str, str], comments: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "review.md"
    file.write_text(f"## Stack\n\n<details>{'x' * 70_000}</details>\n")
    comment(file, environ)
    assert comments[100]["body"] == (
        "<!-- devportal:review -->\n## Stack\n\nThe differences are too long for a comment: see "
        "the summary of the job.\n"
    )


def test_what_is_missing_or_refused_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "review.md").touch()
    assert refusal(comment, tmp_path / "review.md", {**environ, "GITHUB_TOKEN": ""}) == (
        "comment: GITHUB_TOKEN should be set (got nothing). Run it in a workflow."
    )
    assert refusal(comment, tmp_path / "review.md", {**environ, "GITHUB_TOKEN": "other"}) == (
        "comment: GET /issues/7/comments?per_page=100&page=1 should succeed (got: HTTP Error 403: "
        "Forbidden). Correct that and run it again."
    )
