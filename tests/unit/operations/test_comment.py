"""The comment on a pull request, against a stand-in for the API."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations import comment as comments_of_jobs
from operations.comment import comment
from tests.support.refusals import refusal
from tests.support.stand_ins import serve_comments


@pytest.fixture
def comments() -> list[dict[str, Any]]:
    """Of other people, more than a page of them; the first has written the job's mark."""
    person = {"user": {"type": "User"}, "author": {"id": 9}}
    texts = ["<!-- devportal:review -->", *(f"comment {number}" for number in range(1, 100))]
    return [{"id": number, "body": text, **person} for number, text in enumerate(texts)]


@pytest.fixture
def environ(comments: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    with serve_comments(comments) as variables:
        yield variables


@pytest.mark.parametrize("service", [{}, {"GITLAB_CI": "true"}], ids=["GitHub", "GitLab"])
def test_comment_is_made_once_and_then_updated(
    environ: dict[str, str],
    service: dict[str, str],
    comments: list[dict[str, Any]],
    tmp_path: Path,
) -> None:
    environ |= service
    file = tmp_path / "review.md"
    for text in ("first", "second"):
        file.write_text(text)
        comment(file, environ)
    (tmp_path / "preview.md").write_text("a link")
    comment(tmp_path / "preview.md", environ)
    assert comments[0]["body"] == "<!-- devportal:review -->"
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


@pytest.mark.parametrize(
    ("closes", "got"),
    [(True, "Remote end closed connection without response"), (False, "timed out")],
)
def test_service_that_breaks_off_or_says_nothing_is_no_traceback(
    closes: bool, got: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(comments_of_jobs, "_TIMEOUT_SECONDS", 0.2)
    (tmp_path / "review.md").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                if not closes:
                    connection.recv(1)

        thread = threading.Thread(target=accept)
        thread.start()
        environ = {"GITHUB_API_URL": f"http://127.0.0.1:{server.getsockname()[1]}"}
        environ |= dict.fromkeys(("GITHUB_TOKEN", "GITHUB_REPOSITORY", "PULL_REQUEST"), "7")
        said = refusal(comment, tmp_path / "review.md", environ)
        thread.join()
    assert said == (
        f"comment: GET /issues/7/comments?per_page=100&page=1 should succeed (got: {got}). "
        "Correct that and run it again."
    )
