"""Stand-ins for services of others: any small application, and the comments of a pull request."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask
from werkzeug.serving import make_server

_TOKEN = "token-of-a-job"
_GITHUB = "/repos/team/portal/issues"
_GITLAB = "/api/v4/projects/3/merge_requests/7/notes"
OF_THE_JOB = {"user": {"type": "Bot"}, "author": {"id": 5}}
"""Who writes with the job's token, as GitHub and GitLab say it."""


@contextmanager
def serve_app(app: flask.Flask) -> Iterator[str]:
    """Serve it on a free port of 127.0.0.1; yields its URL."""
    with make_server("127.0.0.1", 0, app, threaded=True) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serve_comments(comments: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Serve the comments as GitHub and GitLab do, and take new ones.

    Yields the variables that a job of either has; without `GITLAB_CI` it is one of GitHub's.
    """
    with serve_app(_comments_api(comments)) as url:
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


def _comments_api(comments: list[dict[str, Any]]) -> flask.Flask:
    """A hundred comments a page."""
    app = flask.Flask(__name__)

    @app.before_request
    def check_token() -> Any:
        sent = flask.request.headers
        given = sent.get("Authorization", "").removeprefix("Bearer ") or sent.get("PRIVATE-TOKEN")
        return None if given == _TOKEN else ("", "403 Forbidden")

    @app.get("/api/v4/user")
    def tell_user() -> Any:
        return OF_THE_JOB["author"]

    @app.get(f"{_GITHUB}/7/comments")
    @app.get(_GITLAB)
    def read() -> Any:
        page = int(flask.request.args["page"])
        return comments[(page - 1) * 100 : page * 100]

    @app.post(f"{_GITHUB}/7/comments")
    @app.post(_GITLAB)
    def add() -> Any:
        own = {"id": len(comments), **OF_THE_JOB}
        comments.append({**own, **flask.request.get_json(force=True)})
        return comments[-1], 201

    @app.patch(f"{_GITHUB}/comments/<int:number>")
    @app.put(f"{_GITLAB}/<int:number>")
    def change(number: int) -> Any:
        comments[number] |= flask.request.get_json(force=True)
        return comments[number]

    return app
