"""`python3 -m operations.comment FILE`: a comment on a pull request, updated in place.

The comment is known by the file's name, which a mark in it holds; GitHub's API is described at
https://docs.github.com/rest/issues/comments. Standard library only: nothing is installed for it.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from infra.errors import UserError
from operations.terminal import run_reporting

_MOST_CHARACTERS = 65_000
"""GitHub takes 65,536."""
_TIMEOUT_SECONDS = 30
_PER_PAGE = 100
_VARIABLES = ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "PULL_REQUEST")


def comment(file: Path, environ: Mapping[str, str]) -> int:
    """Write the file's text into its comment, a new one where there is none; 0.

    Raises UserError for a variable that is not set, and with GitHub's answer when it refuses.
    """
    missing = [name for name in _VARIABLES if not environ.get(name)]
    if missing:
        raise UserError(
            f"comment: {', '.join(missing)} should be set (got nothing). Run it in a workflow."
        )
    mark = f"<!-- devportal:{file.stem} -->"
    body = {"body": f"{mark}\n{_shorten(file.read_text())}"}
    issue = f"/issues/{environ['PULL_REQUEST']}/comments"
    for known in _comments(issue, environ):
        if known["body"].startswith(mark):
            _ask("PATCH", f"/issues/comments/{known['id']}", environ, body)
            return 0
    _ask("POST", issue, environ, body)
    return 0


def _shorten(text: str) -> str:
    """Without its end, where that is more than a comment may have; the differences stand there."""
    if len(text) <= _MOST_CHARACTERS:
        return text
    kept = text[:_MOST_CHARACTERS].partition("<details>")[0]
    return f"{kept}The differences are too long for a comment: see the summary of the job.\n"


def _comments(issue: str, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for page in count(1):
        found = _ask("GET", f"{issue}?per_page={_PER_PAGE}&page={page}", environ)
        yield from found
        if len(found) < _PER_PAGE:
            return


def _ask(
    method: str, path: str, environ: Mapping[str, str], body: Mapping[str, str] | None = None
) -> Any:
    api = environ.get("GITHUB_API_URL", "https://api.github.com")
    request = urllib.request.Request(
        f"{api}/repos/{environ['GITHUB_REPOSITORY']}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.URLError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise UserError(
            f"comment: {method} {path} should succeed (got: {error}). Correct that and run it "
            "again."
        ) from None


if __name__ == "__main__":
    sys.exit(run_reporting(lambda: comment(Path(sys.argv[1]), os.environ)))
