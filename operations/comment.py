"""`python3 -m operations.comment FILE`: a comment on a pull request, updated in place.

The comment is known by the file's name, which a mark in it holds. The APIs are described at
https://docs.github.com/rest/issues/comments and https://docs.gitlab.com/api/notes/.
Standard library only: nothing is installed for it.
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

from infra.errors import UserError
from operations.terminal import run_reporting

_MOST_CHARACTERS = 65_000
"""GitHub takes 65,536."""
_TIMEOUT_SECONDS = 30
_PER_PAGE = 100
_OF_GITHUB = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "PULL_REQUEST")
_OF_GITLAB = ("REVIEW_TOKEN", "CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID")


@dataclass(frozen=True)
class _Comments:
    """Where the comments of one pull request are.

    Parameters
    ----------
    own
        The path under which one of them has its id.
    update
        The method that changes it.
    is_own
        Whether a comment is one of this job's. Anybody may write one that begins with its mark, and
        change it after the job has put its text there.
    """

    api: str
    all: str
    own: str
    update: str
    headers: Mapping[str, str]
    is_own: Callable[[Mapping[str, Any]], bool]

    @classmethod
    def of_github(cls, environ: Mapping[str, str]) -> Self:
        _check(environ, _OF_GITHUB)
        api = environ.get("GITHUB_API_URL", "https://api.github.com")
        return cls(
            api=f"{api}/repos/{environ['GITHUB_REPOSITORY']}",
            all=f"/issues/{environ['PULL_REQUEST']}/comments",
            own="/issues/comments",
            update="PATCH",
            headers={
                "Authorization": f"Bearer {environ['GITHUB_TOKEN']}",
                "Accept": "application/vnd.github+json",
            },
            # A workflow's token is no person's, and may not ask whose it is.
            is_own=lambda known: known["user"]["type"] == "Bot",
        )

    @classmethod
    def of_gitlab(cls, environ: Mapping[str, str]) -> Self:
        _check(environ, _OF_GITLAB)
        notes = f"/merge_requests/{environ['CI_MERGE_REQUEST_IID']}/notes"
        headers = {"PRIVATE-TOKEN": environ["REVIEW_TOKEN"]}
        own = _ask("GET", environ["CI_API_V4_URL"], "/user", headers)["id"]
        return cls(
            api=f"{environ['CI_API_V4_URL']}/projects/{environ['CI_PROJECT_ID']}",
            all=notes,
            own=notes,
            update="PUT",
            headers=headers,
            is_own=lambda known: known["author"]["id"] == own,
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for page in count(1):
            found = self.ask("GET", f"{self.all}?per_page={_PER_PAGE}&page={page}")
            yield from found
            if len(found) < _PER_PAGE:
                return

    def ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        """The API's answer; UserError with what it says when it refuses."""
        return _ask(method, self.api, path, self.headers, body)


def comment(file: Path, environ: Mapping[str, str]) -> None:
    """Write the file's text into its comment, a new one where there is none.

    Raises UserError for a variable that is not set, and with the API's answer when it refuses.
    """
    is_gitlab = environ.get("GITLAB_CI")
    comments = _Comments.of_gitlab(environ) if is_gitlab else _Comments.of_github(environ)
    mark = f"<!-- devportal:{file.stem} -->"
    body = {"body": f"{mark}\n{_shorten(file.read_text())}"}
    for known in comments:
        if known["body"].startswith(mark) and comments.is_own(known):
            comments.ask(comments.update, f"{comments.own}/{known['id']}", body)
            return
    comments.ask("POST", comments.all, body)


def _ask(
    method: str,
    api: str,
    path: str,
    headers: Mapping[str, str],
    body: Mapping[str, str] | None = None,
) -> Any:
    request = urllib.request.Request(
        f"{api}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={**headers, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    # Of a connection that breaks off or says nothing urllib makes no error of its own.
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise UserError(
            f"comment: {method} {path} should succeed (got: {error}). Correct that and run it "
            "again."
        ) from None


def _check(environ: Mapping[str, str], names: tuple[str, ...]) -> None:
    if missing := [name for name in names if not environ.get(name)]:
        raise UserError(
            f"comment: {', '.join(missing)} should be set (got nothing). Run it in a workflow."
        )


def _shorten(text: str) -> str:
    """Without its end, where that is more than a comment may have; the differences stand there."""
    if len(text) <= _MOST_CHARACTERS:
        return text
    kept = text[:_MOST_CHARACTERS].partition("<details>")[0]
    return f"{kept}The differences are too long for a comment: see the summary of the job.\n"


if __name__ == "__main__":
    sys.exit(run_reporting(lambda: comment(Path(sys.argv[1]), os.environ) or 0))
